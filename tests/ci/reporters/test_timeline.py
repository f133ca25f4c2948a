from typing import Any

import pytest

from ci.events import (
    Event,
    Note,
    PhaseEntered,
    Progress,
    Pushed,
    RollbackBegan,
    RolloutBegan,
    RolloutEnded,
    SuiteEnded,
    SuiteReady,
    SuiteStarted,
    Synced,
    VerdictReached,
    WeightsWritten,
)
from ci.reporters.timeline import Part, parts, pending

STEP: dict[str, Any] = {"suite": "canary_step", "step": 25}


def begun(steps: list[int]) -> RolloutBegan:
    return RolloutBegan(
        at=0.0, rollout="r", service="s", image="i@sha256:1", steps=steps, who="alice", target="sandbox"
    )


def entered(at: float, phase: str, step: int | None = None) -> PhaseEntered:
    return PhaseEntered(at=at, phase=phase, step=step)


def verdict(at: float, outcome: str, gate: str = "error_rate") -> VerdictReached:
    return VerdictReached(at=at, gate=gate, outcome=outcome, sentence="", after=at, **STEP)


def wrote(at: float, canary: int, took: float = 0.5) -> WeightsWritten:
    return WeightsWritten(at=at, stable=100 - canary, canary=canary, why="", who="alice", took=took)


def suite_ended(at: float, took: float, *, passed: bool = True) -> SuiteEnded:
    return SuiteEnded(at=at, passed=passed, why="", took=took, junit="", **STEP)


#: a step of 25 % from second 10 on: ready after 2 s; the run tells its progress, so it watches traffic
CHECKS = [
    entered(10, "step", 25),
    SuiteStarted(at=10.0, command=[], **STEP),
    SuiteReady(at=12.0, gates=[], took=2.0, **STEP),
]
READY = [*CHECKS, Progress(at=12.1, step=25, gates={})]


def only(events: list[Event], now: float) -> Part:
    [part] = parts(events, now)
    return part


def test_evidence_is_what_passes_between_the_written_weight_and_the_last_verdict() -> None:
    events = [*READY, wrote(13, 25), verdict(20, "PASS", "split"), verdict(33, "PASS"), suite_ended(34, 24)]
    part = only(events, now=35)
    assert (part.label, part.took, part.evidence, part.overhead) == ("25 %", 25, 20, 5)
    assert part.causes == {"pytest": 2.0 + 1.0, "weights": 0.5}
    assert not part.failed


def test_evidence_ends_with_the_first_failure_and_pytest_s_end_is_overhead() -> None:
    events = [*READY, wrote(13, 25), verdict(15, "FAIL"), wrote(16, 0), verdict(18, "PASS", "pods")]
    part = only([*events, suite_ended(19, 9, passed=False)], now=20)
    assert (part.evidence, part.failed) == (2, True)


def test_evidence_ends_when_somebody_takes_traffic_back() -> None:
    events = [*READY, wrote(13, 25), RollbackBegan(at=17.0, reason="abort", who="bob"), wrote(17.1, 0)]
    part = only([*events, suite_ended(19, 9, passed=False)], now=20)
    assert (part.evidence, part.failed) == (4, True)


def test_a_suite_that_is_still_watching_counts_until_now() -> None:
    assert only([*READY, wrote(13, 25)], now=30).evidence == 17
    assert only([*READY], now=30).evidence == 0


def test_a_suite_that_ends_without_a_verdict_waited_until_it_ended() -> None:
    events = [*READY, wrote(13, 25), suite_ended(20, 10, passed=False)]
    assert only(events, now=21).evidence == 7


def test_where_no_weight_was_written_nothing_was_evidence() -> None:
    events = [*READY, verdict(15, "PASS"), suite_ended(16, 6)]
    assert only(events, now=16).evidence == 0


def test_a_suite_that_only_checks_waits_for_no_evidence() -> None:
    events = [entered(9, "roll back"), wrote(9.5, 0), *CHECKS[1:], verdict(15, "PASS"), suite_ended(16, 6)]
    part = only(events, now=16)
    assert (part.evidence, part.overhead) == (0, 7)
    assert part.causes == {"weights": 0.5, "pytest": 2.0 + 1.0, "checks": 3.0}


def test_two_suites_of_one_part_are_added_up() -> None:
    again = [
        SuiteStarted(at=30.0, command=[], **STEP),
        SuiteReady(at=31.0, gates=[], took=1.0, **STEP),
        Progress(at=31.1, step=25, gates={}),
    ]
    events = [
        *READY,
        wrote(13, 25),
        verdict(23, "PASS"),
        suite_ended(24, 14),
        *again,
        verdict(36, "PASS"),
        suite_ended(37, 7),
    ]
    assert only(events, now=40).evidence == 10 + 5


def test_a_part_lasts_until_the_next_begins_and_the_last_one_until_the_end() -> None:
    events = [
        begun([5]),
        entered(1, "preflight"),
        entered(3, "deploy"),
        Pushed(at=4.0, commit="c", subject="", took=1.0),
        Synced(at=7.0, commit="c", took=2.5),
        RolloutEnded(at=9.0, outcome="held", sentence="", exit_code=3),
        Note(at=50.0, text="late"),
    ]
    preflight, deploy = parts(events, now=60)
    assert (preflight.took, preflight.over) == (2, True)
    assert (deploy.took, deploy.over, deploy.causes) == (6, True, {"Git": 1.0, "Argo CD": 2.5})


def test_before_the_first_phase_there_is_nothing() -> None:
    assert parts([], now=0) == []
    assert parts([begun([5])], now=1) == []


def test_a_run_that_is_reaped_in_a_later_part_is_not_that_part_s_failure() -> None:
    events = [*READY, wrote(13, 25), verdict(15, "FAIL"), RollbackBegan(at=15.1, reason="", who=""), wrote(15.2, 0)]
    events += [entered(16, "roll back"), suite_ended(18, 8, passed=False)]
    step, back = parts(events, now=20)
    assert (step.failed, step.evidence) == (True, 2)
    assert (back.failed, back.evidence, back.overhead, back.causes) == (False, 0, 4, {})


def test_a_watch_of_the_weight_before_that_is_told_to_end_is_not_that_part_s_failure() -> None:
    told_to_end = SuiteEnded(at=31.0, passed=False, why="pytest ended with status -15", took=1.0, junit="", **STEP)
    events: list[Event] = [entered(30.0, "step", 100), SuiteStarted(at=30.0, command=(), **STEP), told_to_end]
    assert not parts(events, 40.0)[0].failed
    assert parts([entered(30.0, "step", 25), *events[1:]], 40.0)[0].failed


def test_a_hold_is_a_part_of_its_own_with_the_weight_it_holds() -> None:
    labels = [part.label for part in parts([entered(1, "step", 5), entered(2, "hold", 5), entered(3, "roll back")], 4)]
    assert labels == ["5 %", "hold 5 %", "roll back"]


def test_what_is_to_come_follows_the_steps_of_the_release() -> None:
    events: list[Event] = [begun([5, 50])]
    assert pending(events) == ["preflight", "deploy", "5 %", "50 %", "promote", "serve"]
    events += [entered(1, "preflight"), entered(2, "deploy"), entered(3, "step", 5)]
    assert pending(events) == ["50 %", "promote", "serve"]
    events += [entered(4, "hold", 5)]
    assert pending(events) == ["50 %", "promote", "serve"]
    events += [RollbackBegan(at=5.0, reason="", who="")]
    assert pending(events) == []


@pytest.mark.parametrize("recording", ["promoted", "rolled_back"])
def test_the_parts_of_a_rollout_leave_no_second_out(recording: str, request: pytest.FixtureRequest) -> None:
    events: list[Event] = request.getfixturevalue(recording)
    for seen in range(1, len(events) + 1):
        now = events[seen - 1].at
        cut = parts(events[:seen], now)
        whole = now - next((part.began for part in cut), now)
        assert sum(part.took for part in cut) == pytest.approx(whole)
        assert all(0 <= part.evidence <= part.took + 0.1 for part in cut)  # its moments are of two processes
        assert all(sum(part.causes.values()) <= part.overhead + 0.1 for part in cut)
        assert all(part.over for part in cut[:-1])
