"""``steps: auto``: the driver takes the steps that preflight has found, and none that it has not."""

from typing import Any

import pytest

from ci.events import Asked, RolloutBegan, Scaled, StepsChosen
from ci.reporters.timeline import pending


@pytest.fixture
def automatic(bench: Any) -> Any:
    """A release that leaves its steps to preflight, which says that it takes 10 % to begin with."""
    bench.release = bench.release.model_copy(update={"steps": ()})
    bench.suite("preflight", outcomes={"plan_fits": "PASS"}, numbers={"first": 10.0, "rate": 120.0})
    return bench


def test_the_first_step_is_the_one_that_preflight_has_found(automatic: Any) -> None:
    assert automatic.run().outcome == "promoted"
    assert automatic.weights == [0, 10, 25, 50, 100, 0]
    assert automatic.told(StepsChosen)[0].steps == (10, 25, 50, 100)
    assert automatic.told(StepsChosen)[0].rate == 120


def test_the_canary_is_made_for_that_step(automatic: Any) -> None:
    automatic.suite("preflight", outcomes={"plan_fits": "PASS"}, numbers={"first": 50, "rate": 4.0})
    automatic.run()
    assert automatic.told(Scaled)[0].replicas == 2


def test_people_see_what_is_still_to_come(automatic: Any) -> None:
    automatic.run()
    assert pending(automatic.events[:2]) == ["deploy", "promote", "serve"]
    chosen = automatic.events.index(automatic.told(StepsChosen)[0])
    assert pending(automatic.events[: chosen + 1]) == ["deploy", "10 %", "25 %", "50 %", "100 %", "promote", "serve"]


def test_a_preflight_that_finds_none_changes_nothing(automatic: Any) -> None:
    automatic.suite("preflight", outcomes={"plan_fits": "FAIL"})
    ended = automatic.run()
    assert (ended.outcome, automatic.git.log, automatic.weights) == ("refused", [], [0])


def test_a_preflight_that_does_not_say_is_refused(automatic: Any) -> None:
    automatic.suite("preflight", outcomes={"image_exists": "PASS"})
    ended = automatic.run()
    assert ended.outcome == "refused"
    assert "preflight has not said which first step can pass; write steps: [5, 25, ...]" in ended.sentence
    assert automatic.git.log == []


def test_steps_that_are_written_down_are_taken_as_they_are(bench: Any) -> None:
    bench.suite("preflight", outcomes={"plan_fits": "PASS"}, numbers={"first": 10, "rate": 120.0})
    bench.run()
    assert bench.weights == [0, 5, 25, 50, 100, 0]
    assert not bench.told(StepsChosen)
    assert bench.told(RolloutBegan)[0].steps == (5, 25, 50, 100)


def test_every_step_is_told_what_preflight_has_found_of_requests_that_fail_together(bench: Any) -> None:
    """The same for all of them, and for whoever only watches: a half hour of before the release, not of its middle."""
    found = '{"rate": 0.001}'
    bench.suite("preflight", outcomes={"plan_fits": "PASS"}, numbers={"rate": 120.0, "clumping": found})
    bench.release = bench.release.model_copy(update={"after": 2.0})
    assert bench.run().outcome == "promoted"
    told = {run.order.name: run.order.options.get("--clumping") for run in bench.runs}
    assert {name: said for name, said in told.items() if name.startswith(("step-", "watch-"))}.keys() >= {
        *("step-05", "step-25", "step-50", "step-100", "watch-promotion-serving"),
    }
    assert {said for name, said in told.items() if name != "preflight"} == {found}


def test_without_it_nothing_is_told(bench: Any) -> None:
    bench.run()
    assert not any("--clumping" in run.order.options for run in bench.runs)


def test_who_begins_although_a_step_can_not_pass_is_in_record_journal_and_sentence(bench: Any) -> None:
    bench.despite = "ana@laptop: the old one is worse"
    records = []
    bench.after_entering("step", lambda: records.append(bench.record))
    ended = bench.run()
    assert ended.outcome == "promoted"
    assert ended.sentence.endswith("; it was begun whatever its forecast said, by ana@laptop: the old one is worse")
    assert records[0].despite == "ana@laptop: the old one is worse"
    assert bench.record is None, "and purged with the rest"
    said = bench.told(Asked)[0]
    assert (said.what, said.who, said.why, said.step) == ("begin", "ana@laptop", "the old one is worse", None)
    told = {run.order.name: run.order.options.get("--despite") for run in bench.runs}
    assert {name for name, why in told.items() if why} == {"preflight"}


def test_a_word_at_the_beginning_skips_no_gate_and_approves_nothing(bench: Any) -> None:
    bench.despite = "ana@laptop: the old one is worse"
    bench.release = bench.release.model_copy(update={"approve": (5,), "hold_limit": 30.0})
    ended = bench.run()
    assert (ended.outcome, bench.weights) == ("rolled back", [0])
    assert "a person has to say `sluicegate promote` before 5 %" in ended.sentence


def test_a_preflight_that_fails_for_something_else_is_refused_all_the_same(bench: Any) -> None:
    bench.despite = "ana@laptop: the old one is worse"
    bench.suite("preflight", outcomes={"plan_fits": "PASS", "image_exists": "FAIL"})
    assert (bench.run().outcome, bench.weights) == ("refused", [0])
