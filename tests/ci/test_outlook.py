"""``sluicegate plan``: what it says, and that it says what can not be."""

import json
from pathlib import Path

import pytest

from ci.outlook import outlook, rate_of
from fixtures.errors import InputError
from fixtures.release import load_release

RELEASE = load_release(Path(__file__).parents[2] / "examples" / "rebate-core" / "release.yaml")


@pytest.mark.parametrize(("text", "rate"), [("120/s", 120), ("600/m", 10), ("7200/h", 2), ("3", 3)])
def test_rates_are_read_as_people_write_them(text: str, rate: float) -> None:
    assert rate_of(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "0/s", "-3/s", "10/d"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no rate"):
        rate_of(text)


def test_it_says_how_long_each_step_takes_and_how_soon_a_bad_canary_is_stopped() -> None:
    said = "\n".join(outlook(RELEASE, 1000, None).lines())
    assert "step 5 %: about" in said
    assert "100 % errors at 5 %: after" in said
    assert "refused" not in said


def test_too_little_traffic_is_said() -> None:
    found = outlook(RELEASE, 1, 5)
    assert "this release would be refused" in "\n".join(found.lines())
    assert json.loads(json.dumps(found.as_json(), allow_nan=False))["steps"][0]["fits"] is False


def test_larger_groups_take_longer() -> None:
    alone, five = outlook(RELEASE, 1000, 1), outlook(RELEASE, 1000, 5)
    assert all(slow.seconds >= quick.seconds for slow, quick in zip(five.steps, alone.steps, strict=True))
    assert five.steps[0].seconds > alone.steps[0].seconds


def test_steps_that_are_left_to_preflight_are_those_that_it_would_find() -> None:
    found = outlook(RELEASE.model_copy(update={"steps": ()}), 300, None)
    assert [step.weight for step in found.steps] == [5, 25, 50, 100]
    assert all(step.fits for step in found.steps)
