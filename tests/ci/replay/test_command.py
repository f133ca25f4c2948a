"""The command line of a replay: what people and programs see, and options that are wrong."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from checks.evidence import LatencyObjective, Terms
from ci.replay.objectives import Objectives
from ci.rollout import main
from fixtures.errors import InputError

EXAMPLE = Path(__file__).parents[3] / "examples" / "rebate-core" / "release.yaml"


@pytest.fixture
def said(made, written):
    """Replays runs at the command line."""

    def run(*options: str, runs: int = 1) -> tuple[int, str]:
        path = written([], **{f"r{index}": made([(20, 5, 1.0)], rate=200) for index in range(runs)})
        result = CliRunner().invoke(main, ["replay", str(path), *options])
        return result.exit_code, result.output

    return run


def test_few_runs_are_told_with_every_gates_sentence(said) -> None:
    code, told = said("--group", "1")
    assert code == 0
    assert told.startswith("r0: FAIL at 1 s\n  weight 5 %: FAIL at 1 s\n    error_rate                 FAIL at 1 s\n")
    assert "canary error rate 100 % (10 of 10, " in told


def test_many_runs_are_told_one_a_line_and_counted(said) -> None:
    _, told = said("--group", "1", runs=12)
    assert len(told.splitlines()) == 13
    assert told.splitlines()[-1] == "12 runs: 12 FAIL"


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--error-rate", "1", "a percentage from 0% to 100%"),
        ("--error-rate", "0%", "a percentage between 0% and 100%"),
        ("--latency", "100%", "a percentage between 0% and 100%"),
        ("--margin", "half", "a percentage"),
        ("--limit", "10", "a duration such as"),
        ("--group", "0", "auto or a whole number from 1"),
    ],
)
def test_an_option_that_is_wrong_says_what_is_expected(said, option, value, expected) -> None:
    code, told = said(option, value)
    assert code == 2
    assert expected in told
    assert option in told


def test_a_release_file_gives_what_options_leave_out(made, written, replayed) -> None:
    path = written(made([(20, 5, 0.015)]))
    (found,) = replayed(path, release=EXAMPLE)
    assert found["gates"]["error_rate_against_stable"]["numbers"]["margin"] == 0.01
    assert found["gates"]["error_rate"]["numbers"]["group"] == 1
    (changed,) = replayed(path, release=EXAMPLE, margin="2 points", group="3")
    assert changed["gates"]["error_rate_against_stable"]["numbers"]["margin"] == 0.02
    assert changed["gates"]["error_rate"]["numbers"]["group"] == 3


def test_a_run_is_a_rollout_of_as_many_steps_as_it_has_weights_unless_a_release_file_says_more() -> None:
    assert Objectives().judged_by(weights=3, tells_time=False).steps == 3
    assert Objectives(steps=4).judged_by(weights=3, tells_time=False).steps == 4


def test_of_several_latency_objectives_one_has_to_be_named() -> None:
    two = (LatencyObjective(0.99, 0.5), LatencyObjective(0.5, 0.1))
    with pytest.raises(InputError, match="2 latency objectives.*--latency 99%"):
        Objectives(Terms(weight=0, latency=two)).judged_by(weights=1, tells_time=True)
