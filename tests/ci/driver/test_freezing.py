"""Freeze windows: what runs when one opens is held and watched, and goes on when it is over."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ci.events import Asked, Held, HoldEnded
from fixtures.freeze import Freeze


def freezes(bench: Any, **what: Any) -> None:
    """Let a window of two hours open one to two minutes from now, by the bench's clock."""
    opens = datetime.fromtimestamp(bench.clock.now(), UTC) + timedelta(minutes=2)
    begins = f"{opens.minute} {opens.hour} {opens.day} {opens.month} *"
    freeze = Freeze.model_validate({"zone": "UTC", "windows": [{"begins": begins, "lasts": "2h"}]})
    bench.release = bench.release.model_copy(update={"freeze": freeze, "limit": 600.0, **what})


def test_a_window_that_opens_in_a_step_holds_its_weight_and_the_canary_is_watched(bench: Any) -> None:
    freezes(bench, hold_limit=600.0)
    bench.suite("step-25", decides=150.0)
    assert bench.run().outcome == "promoted"
    [held] = bench.told(Held)
    [ended] = bench.told(HoldEnded)
    assert (held.cause, held.step) == ("freeze", 25)
    assert held.why.startswith("frozen until ")
    assert 3600 < ended.took <= 2 * 3600
    assert [run.order.name for run in bench.runs if run.order.watch] == ["watch-25"]
    assert bench.weights == [0, 5, 25, 50, 100, 0]


def test_harm_in_a_freeze_window_is_taken_back(bench: Any) -> None:
    freezes(bench)
    bench.suite("step-25", decides=150.0)
    bench.suite("watch-25", at={"error_rate": 600.0})
    assert bench.run().outcome == "rolled back"
    assert bench.weights == [0, 5, 25, 0]
    assert {image[-1] for image in bench.git.images.values()} == {"1"}


def test_promote_goes_on_in_a_freeze_window_for_one_weight_and_stands_in_the_journal(bench: Any) -> None:
    freezes(bench)
    bench.suite("step-25", decides=150.0)
    bench.after_entering("hold", lambda: bench.says("promote", "the fix can not wait"), later=60)
    assert bench.run().outcome == "promoted"
    assert [(each.step, each.cause) for each in bench.told(Held)] == [(25, "freeze"), (50, "freeze")]
    [asked] = bench.told(Asked)
    assert (asked.what, asked.who, asked.step) == ("promote", "ana@laptop", 25)
    assert asked.why.startswith("the fix can not wait")
