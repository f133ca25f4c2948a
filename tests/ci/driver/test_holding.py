"""Holds: why a weight stays, that the canary goes on being watched, and what lets it go on."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci.events import Asked, Held, HoldEnded, SuiteReady, WeightsWritten
from fixtures.errors import InputError
from fixtures.release import OnInconclusive

UNDECIDED = {"pods": "PASS", "error_rate": "INCONCLUSIVE"}
OUTAGE = {"outcomes": UNDECIDED, "numbers": {"shared_outage": 1}}
UP_TO_5 = ("preflight", "deploy", "step 5")
STEPS = ("step-05", "step-25", "step-50", "step-100")
PROMOTION = ("promotion-ready", "promotion-serving")
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
REST = ("step 50", "step 100", "promote", "serve")


def assert_as_before(bench: Any) -> None:
    assert bench.canary == 0
    assert {image[-1] for image in bench.git.images.values()} == {"1"}
    assert bench.replicas() == 1
    assert not bench.service["metadata"].get("annotations")


def promises(bench: Any, **what: Any) -> None:
    bench.release = bench.release.model_copy(update=what)


def watched(bench: Any) -> list[str]:
    """Give the names of the runs that only watched."""
    return [run.order.name for run in bench.runs if run.order.watch]


# Pause and resume


def test_a_pause_in_a_step_lets_the_step_end_and_then_holds_its_weight(bench: Any) -> None:
    bench.after_entering("step", lambda: bench.says("pause", "lunch"), later=2)
    bench.after_entering("hold", lambda: bench.says("resume", "back"), later=60)
    assert bench.run().outcome == "promoted"
    assert bench.phases() == [*UP_TO_5, "hold 5", "step 25", *REST]
    assert bench.weights == [0, 5, 25, 50, 100, 0]
    assert watched(bench) == ["watch-05"]


def test_while_it_is_paused_the_canary_is_watched_all_the_time(bench: Any) -> None:
    bench.after_entering("step", lambda: bench.says("pause"), later=2)
    bench.after_entering("hold", lambda: bench.says("resume"), later=600)
    bench.run()
    [held], [ended] = bench.told(Held), bench.told(HoldEnded)
    [ready] = [event for event in bench.told(SuiteReady) if held.at <= event.at <= ended.at]
    assert ready.at - held.at < 2
    assert 600 <= ended.took < 602
    assert (held.step, held.cause, held.limit) == (5, "pause", 3600)
    assert "paused by ana@laptop: looks good" in held.why


def test_a_pause_before_the_first_weight_waits_without_traffic_and_without_a_suite(bench: Any) -> None:
    bench.after_entering("deploy", lambda: bench.says("pause"))
    bench.after_entering("hold", lambda: bench.says("resume"), later=60)
    assert bench.run().outcome == "promoted"
    assert bench.phases() == ["preflight", "deploy", "hold", "step 5", "step 25", *REST]
    assert watched(bench) == []


def test_after_a_pause_not_even_a_raise_that_is_on_its_way_arrives(bench: Any) -> None:
    def while_patching(verb: str, name: str) -> None:
        if bench.phases()[-1] == "step 25" and name == "rebate-core":
            bench.cluster.before = lambda verb, name: None
            bench.says("pause")

    bench.cluster.before = while_patching
    bench.after_entering("hold", lambda: bench.says("resume"), later=60)
    assert bench.run().outcome == "promoted"
    assert bench.phases() == [*UP_TO_5, "step 25", "hold 5", "step 25", *REST]
    assert len(bench.told(Held)) == 1
    paused = bench.told(Asked)[0].at
    assert not [event for event in bench.told(WeightsWritten) if paused <= event.at < paused + 60]


def test_a_suite_that_a_pause_has_kept_from_its_first_weight_does_not_go_on(bench: Any) -> None:
    ended = []
    bench.after_entering("step", lambda: bench.says("pause"), later=0.9)
    bench.after_entering("hold", lambda: ended.append([run.ended for run in bench.runs][-1]), later=5)
    bench.after_entering("hold", lambda: bench.says("resume"), later=60)
    assert bench.run().outcome == "promoted"
    assert bench.phases()[2:5] == ["step 5", "hold", "step 5"]
    assert ended == ["at once"]


def test_a_pause_that_is_over_before_the_step_is_has_held_nothing(bench: Any) -> None:
    bench.after_entering("step", lambda: bench.says("pause"), later=2)
    bench.after_entering("step", lambda: bench.says("resume"), later=3)
    assert bench.run().outcome == "promoted"
    assert not bench.told(Held)


def test_a_pause_comes_too_late_for_a_promotion_that_is_on_its_way(bench: Any) -> None:
    refused = []

    def say() -> None:
        with pytest.raises(InputError, match="it is in promote, where it waits for nobody") as raised:
            bench.says("pause")
        refused.append(raised)

    bench.after_entering("promote", say, later=0.5)
    assert bench.run().outcome == "promoted"
    assert refused


@pytest.mark.parametrize("what", ["pause", "resume", "promote", "force"])
def test_what_people_say_is_heard_within_a_tick_with_who_and_why(bench: Any, what: str) -> None:
    said = {}

    def say(word: str) -> None:
        said[word] = bench.clock.now()
        bench.says(word, f"because of {word}")

    bench.after_entering("step", lambda: say("pause"), later=2)
    bench.after_entering("hold", lambda: say(what if what != "pause" else "resume"), later=60)
    bench.run()
    [asked] = [event for event in bench.told(Asked) if event.what == what]
    assert asked.at - said[what] <= 0.3
    assert (asked.who, asked.step) == ("ana@laptop", 5)
    assert asked.why.startswith(f"because of {what} (2023-11-14T")


def test_the_record_says_why_it_is_held(bench: Any) -> None:
    seen = []
    bench.after_entering("step", lambda: bench.says("pause", "lunch"), later=2)
    bench.after_entering("hold", lambda: (seen.append(bench.record), bench.says("resume")), later=9)
    bench.run()
    assert (seen[0].phase.value, seen[0].step) == ("hold", 5)
    assert seen[0].held.startswith("pause: paused by ana@laptop: lunch (")
    assert seen[0].pause.startswith("ana@laptop: lunch (")


# Approval


@pytest.mark.parametrize(
    ("approve", "held"), [(("stable",), ["hold 100"]), ((25, "stable"), ["hold 5", "hold 100"]), ((5,), ["hold"])]
)
def test_a_person_is_asked_before_the_weights_that_the_release_names(
    bench: Any, approve: Sequence[int | str], held: list[str]
) -> None:
    promises(bench, approve=approve)
    for second in (60, 160):
        bench.at(second, lambda: bench.phases()[-1].startswith("hold") and bench.says("promote"))
    assert bench.run().outcome == "promoted"
    assert [phase for phase in bench.phases() if phase.startswith("hold")] == held
    assert {event.cause for event in bench.told(Held)} == {"approval"}


def test_who_says_promote_early_is_not_asked_again(bench: Any) -> None:
    promises(bench, approve=(25,))
    bench.after_entering("step", lambda: bench.says("promote"), later=2)
    assert bench.run().outcome == "promoted"
    assert not bench.told(Held)


def test_an_approval_is_good_for_one_weight(bench: Any) -> None:
    promises(bench, approve=(25, 50))
    bench.after_entering("step", lambda: bench.says("promote"), later=2)
    bench.at(100, lambda: bench.says("promote"))
    assert bench.run().outcome == "promoted"
    assert [phase for phase in bench.phases() if phase.startswith("hold")] == ["hold 25"]


def test_resume_does_not_approve(bench: Any) -> None:
    promises(bench, approve=(25,))
    bench.after_entering("step", lambda: bench.says("pause"), later=2)
    bench.after_entering("hold", lambda: bench.says("resume"), later=10)
    bench.at(300, lambda: bench.says("promote"))
    assert bench.run().outcome == "promoted"
    assert [event.cause for event in bench.told(Held)] == ["pause", "approval"]
    assert bench.told(HoldEnded)[0].took > 250


def test_promote_skips_the_waiting_and_not_the_gates(bench: Any) -> None:
    promises(bench, approve=("stable",))
    bench.suite("step-100", outcomes={"error_rate": "FAIL"})
    bench.after_entering("step", lambda: bench.says("promote"), later=2)
    assert bench.run().sentence == "error_rate says FAIL"


# Undecided, and outages


def test_undecided_is_held_where_the_release_says_so_until_somebody_has_it_judged_again(bench: Any) -> None:
    promises(bench, on_inconclusive=OnInconclusive.HOLD)
    bench.suite("step-05", outcomes=UNDECIDED)
    bench.after_entering("hold", lambda: bench.says("resume"), later=90)
    assert bench.run().outcome == "promoted"
    assert bench.phases() == [*UP_TO_5, "hold 5", "step 5", "step 25", *REST]
    assert bench.weights == [0, 5, 25, 50, 100, 0]
    assert [run.order.name for run in bench.runs][2:5] == ["step-05", "watch-05", "step-05-2"]


def test_what_was_said_before_a_hold_does_not_end_it(bench: Any) -> None:
    promises(bench, on_inconclusive=OnInconclusive.HOLD)
    bench.suite("step-25", outcomes=UNDECIDED)
    bench.after_entering("step", lambda: bench.says("promote"), later=2)
    bench.at(400, lambda: bench.says("resume"))
    assert bench.run().outcome == "promoted"
    [ended] = bench.told(HoldEnded)
    assert ended.took > 300


@pytest.mark.parametrize("what", ["promote", "resume"])
def test_what_is_judged_again_can_fail(bench: Any, what: str) -> None:
    promises(bench, on_inconclusive=OnInconclusive.HOLD)
    bench.suite("step-05", outcomes=UNDECIDED)
    bench.suite("step-05-2", outcomes={"error_rate": "FAIL"})
    bench.after_entering("hold", lambda: bench.says(what), later=90)
    assert bench.run().sentence == "error_rate says FAIL"
    assert max(bench.weights) == 5
    assert_as_before(bench)


def test_an_outage_that_both_share_is_held_whatever_the_release_says_and_judged_again_by_itself(bench: Any) -> None:
    promises(bench, on_inconclusive=OnInconclusive.ROLLBACK)
    bench.suite("step-25", **OUTAGE)
    bench.suite("step-25-2", **OUTAGE)
    assert bench.run().outcome == "promoted"
    assert [event.cause for event in bench.told(Held)] == ["outage", "outage"]
    assert [120 <= event.took < 123 for event in bench.told(HoldEnded)] == [True, True]
    assert watched(bench) == ["watch-25", "watch-25-2"]


def test_an_outage_is_not_judged_again_while_somebody_has_paused(bench: Any) -> None:
    bench.suite("step-25", **OUTAGE)
    bench.after_entering("hold", lambda: bench.says("pause"), later=30)
    bench.at(1000, lambda: bench.says("resume"))
    assert bench.run().outcome == "promoted"
    assert bench.told(HoldEnded)[0].took > 900


def test_a_canary_that_is_bad_beside_an_outage_is_taken_back(bench: Any) -> None:
    outcomes = {"error_rate": "INCONCLUSIVE", "error_rate_against_stable": "FAIL"}
    bench.suite("step-25", outcomes=outcomes, numbers={"shared_outage": 1})
    assert bench.run().outcome == "rolled back"


# Whatever goes wrong in a hold


@pytest.fixture
def held(bench: Any) -> Any:
    """A rollout that is held at 25 % for somebody who does not come."""
    promises(bench, approve=(50,))
    return bench


def test_harm_in_a_hold_takes_traffic_back_within_a_look(held: Any) -> None:
    held.suite("watch-25", at={"error_rate": 1500.0})
    ended = held.run()
    assert (ended.outcome, ended.sentence) == ("rolled back", "error_rate says FAIL")
    [failed] = [run for run in held.runs if run.order.name == "watch-25"]
    back = held.told(WeightsWritten)[-1]
    assert back.canary == 0
    assert back.at - (failed._began + 1_700_000_000 + 1500) < 0.03
    assert failed.ended == "gently"  # it writes its JUnit file
    assert_as_before(held)


def test_abort_wins_over_a_hold(held: Any) -> None:
    moments = []
    held.after_entering("hold", lambda: (moments.append(held.clock.now()), held.abort()), later=30)
    assert "aborted by ana@laptop" in held.run().sentence
    assert held.told(WeightsWritten)[-1].at - moments[0] <= 0.3
    assert_as_before(held)


def test_the_brake_wins_over_a_hold(held: Any) -> None:
    def brake() -> None:
        held.pulled = "SIGTERM"
        held.abort("ci@jenkins-7: SIGTERM")

    held.after_entering("hold", brake, later=30)
    assert "SIGTERM" in held.run().sentence
    assert_as_before(held)


def test_a_lost_lease_ends_a_hold(held: Any) -> None:
    held.after_entering("hold", lambda: setattr(held, "held", False), later=30)
    assert "the Lease could not be renewed" in held.run().sentence
    assert_as_before(held)


def test_a_hold_has_a_limit(held: Any) -> None:
    ended = held.run()
    assert ended.outcome == "rolled back"
    assert ended.sentence == (
        "held at 25 % for 60 min 0 s, the longest that the release file allows: approval: a person has to say"
        " `sluicegate promote` before 50 %"
    )
    assert_as_before(held)


def test_the_limit_is_that_of_all_holds_of_a_weight_together(bench: Any) -> None:
    promises(bench, hold_limit=300.0)
    for name in ("step-25", "step-25-2", "step-25-3", "step-25-4"):
        bench.suite(name, **OUTAGE)
    ended = bench.run()
    assert ended.sentence.startswith("held at 25 % for 5 min 0 s")
    assert watched(bench) == ["watch-25", "watch-25-2", "watch-25-3"]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ({"dies": 20.0}, "the suite watch-25, which watches, has ended by itself: pytest ended with status 0, but no"),
        ({"opens": 10_000.0}, "the suite watch-25, which watches, is silent for 60 s"),
    ],
)
def test_a_canary_that_nobody_watches_is_taken_back(held: Any, script: dict[str, Any], why: str) -> None:
    held.suite("watch-25", **script)
    assert held.run().sentence.startswith(why)
    assert_as_before(held)


def test_harm_that_a_run_says_while_it_ends_counts(held: Any) -> None:
    held.suite("watch-25")
    held.scripts["watch-25"].told_to_end = lambda now: [held.scripts["watch-25"]._verdict("pods", "FAIL", now)]
    held.after_entering("hold", lambda: held.says("promote"), later=30)
    assert held.run().sentence == "pods says FAIL"
    assert_as_before(held)


def test_an_abort_is_the_reason_even_if_a_gate_sees_first_what_it_did_to_the_weights(held: Any) -> None:
    held.suite("watch-25", at={"traffic_split": 30.0})
    held.after_entering("hold", held.abort, later=30)
    assert held.run().sentence == "aborted by ana@laptop: wrong version; traffic_split says FAIL"


# Gates skipped by force


def test_force_leaves_a_step_that_is_not_decided_and_is_never_forgotten(bench: Any) -> None:
    bench.suite("step-25", decides=50.0)
    bench.after_entering("step", lambda: None)
    bench.at(25, lambda: bench.says("force", "the fix can not wait"))
    ended = bench.run()
    assert ended.outcome == "promoted"
    assert "; the gates of 25 % were skipped by ana@laptop: the fix can not wait (" in ended.sentence
    assert [event.what for event in bench.told(Asked)] == ["force"]
    assert [run.ended for run in bench.runs if run.order.name == "step-25"] == ["at once"]


def test_force_ends_the_hold_of_an_undecided_step(bench: Any) -> None:
    promises(bench, on_inconclusive=OnInconclusive.HOLD)
    bench.suite("step-05", outcomes=UNDECIDED)
    bench.after_entering("hold", lambda: bench.says("force", "quiet night"), later=90)
    assert bench.run().outcome == "promoted"
    assert bench.phases() == [*UP_TO_5, "hold 5", "step 25", *REST]


def test_force_is_for_one_weight_and_not_for_harm(bench: Any) -> None:
    bench.suite("step-05", decides=50.0)
    bench.suite("step-25", outcomes={"error_rate": "FAIL"})
    bench.after_entering("step", lambda: bench.says("force"), later=5)
    assert bench.run().sentence == "error_rate says FAIL"
    assert_as_before(bench)


# What goes from run to run


def test_each_run_goes_on_with_what_the_last_one_has_left(bench: Any) -> None:
    promises(bench, approve=(25,))
    bench.after_entering("hold", lambda: bench.says("promote"), later=30)
    bench.run()
    carries = {run.order.name: run.order.options.get("--carry") for run in bench.runs}
    assert carries["watch-05"] == "step-05.jsonl"
    assert carries["step-25"] == "watch-05.jsonl"
    assert carries["promotion-serving"] is None


def test_a_run_that_was_killed_leaves_nothing_and_the_one_before_it_is_gone_on_with(bench: Any) -> None:
    promises(bench, approve=(25,))
    bench.suite("watch-05")
    bench.scripts["watch-05"].told_to_end = lambda now: []
    bench.after_entering("hold", lambda: bench.says("promote"), later=30)
    assert bench.run().outcome == "promoted"
    carries = {run.order.name: run.order.options.get("--carry") for run in bench.runs}
    assert carries["step-25"] == "step-05.jsonl"


# After the promotion


def test_stables_new_version_is_watched_for_a_while(bench: Any) -> None:
    promises(bench, after=600.0)
    assert bench.run().outcome == "promoted"
    [after] = [run for run in bench.runs if run.order.watch]
    assert after.order.name == "watch-promotion-serving"
    assert dict(after.order.options)["--step"] == "0"
    assert dict(after.order.options)["--part"] == "serving"
    assert dict(after.order.options)["--carry"] == "promotion-serving.jsonl"
    assert 600 < bench.clock.monotonic() - after._began < 610


def test_harm_after_the_promotion_is_rolled_back_through_git(bench: Any) -> None:
    promises(bench, after=600.0)
    bench.suite("watch-promotion-serving", at={"stable_error_rate": 300.0})
    ended = bench.run()
    assert (ended.outcome, ended.sentence) == ("rolled back", "stable_error_rate says FAIL")
    assert bench.phases()[-2:] == ["serve", "roll back"]
    assert_as_before(bench)


def test_abort_wins_after_the_promotion_too(bench: Any) -> None:
    promises(bench, after=600.0)
    bench.after_entering("serve", bench.abort, later=200)
    assert "aborted by ana@laptop" in bench.run().sentence
    assert_as_before(bench)


def test_a_stable_that_stays_undecided_is_not_watched_for_ever(bench: Any) -> None:
    promises(bench, on_inconclusive=OnInconclusive.HOLD, hold_limit=100.0)
    for number in ("", *(f"-{count}" for count in range(2, 60))):
        bench.suite(f"promotion-serving{number}", outcomes={"stable_error_rate": "INCONCLUSIVE"})
    ended = bench.run()
    assert (ended.outcome, ended.sentence) == ("rolled back", "stable_error_rate says INCONCLUSIVE")
    assert 100 <= bench.clock.monotonic() - bench.runs[8]._began < 130
    assert_as_before(bench)


def test_a_pause_after_the_gates_were_skipped_holds_the_weight_and_has_the_same_limit(bench: Any) -> None:
    promises(bench, on_inconclusive=OnInconclusive.HOLD, hold_limit=100.0)
    bench.suite("step-25", outcomes={"pods": "INCONCLUSIVE"})

    def skip_and_pause() -> None:
        bench.says("force")
        bench.says("pause")

    bench.after_entering("hold", skip_and_pause, later=5)
    ended = bench.run()
    assert (ended.outcome, max(bench.weights)) == ("rolled back", 25)
    assert "the longest that the release file allows" in ended.sentence
    assert len([each for each in bench.runs if each.order.watch]) < 4


# Whatever people say, whenever they say it


@SLOW
@given(
    words=st.lists(st.tuples(st.floats(0, 200), st.sampled_from(["pause", "resume", "promote", "force"])), max_size=12),
    outcomes=st.lists(
        st.sampled_from(["PASS", "PASS", "PASS", "INCONCLUSIVE", "OUTAGE", "FAIL"]), min_size=8, max_size=8
    ),
    approve=st.lists(st.sampled_from([5, 25, 50, 100, "stable"]), unique=True, max_size=3),
)
def test_no_weight_rises_while_it_is_paused_and_it_always_ends_at_rest(
    new_bench: Callable[[], Any], words: list[tuple[float, str]], outcomes: list[str], approve: list[int | str]
) -> None:
    bench = new_bench()
    promises(bench, approve=tuple(approve), on_inconclusive=OnInconclusive.HOLD, hold_limit=300.0)
    for name, outcome in zip(("preflight", "deployed", *STEPS, *PROMOTION), outcomes, strict=True):
        outage = {"numbers": {"shared_outage": 1}} if outcome == "OUTAGE" else {}
        bench.suite(name, outcomes={"pods": outcome.replace("OUTAGE", "INCONCLUSIVE")}, **outage)
    paused: list[tuple[float, bool]] = []

    def say(word: str) -> None:
        with suppress(InputError):
            bench.says(word)
            paused.append((bench.clock.now(), word == "pause"))

    for second, word in words:
        bench.at(second, lambda word=word: say(word))
    ended = bench.run()
    assert bench.canary == 0
    assert not bench.service["metadata"].get("annotations")
    assert {image[-1] for image in bench.git.images.values()} == ({"2"} if ended.outcome == "promoted" else {"1"})
    before = 0
    for event in bench.told(WeightsWritten):
        said = [is_pause for at, is_pause in paused if at < event.at]
        assert event.canary <= before or not (said and said[-1]), "a weight has risen while the rollout was paused"
        before = event.canary
