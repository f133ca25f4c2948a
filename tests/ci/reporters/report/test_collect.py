from dataclasses import replace

import pytest

from ci.events import Event, Note, RolloutBegan, SuiteEnded, SuiteReady, SuiteStarted, VerdictReached, WeightsWritten
from ci.reporters.report.collect import collect


def verdict(gate: str, outcome: str, at: float) -> VerdictReached:
    return VerdictReached(
        at=at, suite="canary_step", step=5, gate=gate, outcome=outcome, sentence=f"{gate} says {outcome}", after=at
    )


START = SuiteStarted(at=0.0, suite="canary_step", step=5, command=["pytest"])
READY = SuiteReady(at=1.0, suite="canary_step", step=5, gates=["error_rate", "pods"], took=1.0)


def test_what_a_run_says_after_its_fail_is_still_its_own(rollback: list[Event]) -> None:
    runs = {run.part: run for run in collect(rollback).runs}
    assert list(runs) == ["preflight", "deploy", "5 %", "roll back"]
    step = runs["5 %"]
    assert step.final["canary_pods_stay_up"] is not None
    assert step.ended is not None
    assert not step.passed
    assert [gate for gate, said in step.final.items() if said and said.outcome == "FAIL"]
    assert set(step.final) == set(step.expected)


def test_the_last_word_of_a_gate_counts(rollback: list[Event]) -> None:
    [run] = collect([START, READY, verdict("pods", "PASS", 2.0), verdict("pods", "FAIL", 9.0)]).runs
    said = run.final["pods"]
    assert said is not None
    assert (said.outcome, len(run.verdicts)) == ("FAIL", 2)


def test_a_gate_that_said_nothing_is_not_forgotten() -> None:
    [run] = collect([START, READY, verdict("pods", "PASS", 2.0)]).runs
    assert run.final["error_rate"] is None
    assert not run.passed


def test_a_run_that_never_collected_is_told_with_its_reason() -> None:
    end = SuiteEnded(
        at=2.0, suite="canary_step", step=5, passed=False, why="no gate was collected", took=2.0, junit="s.xml"
    )
    [run] = collect([START, end]).runs
    assert (run.final, run.why) == ({}, "no gate was collected")


def test_foreign_texts_are_harmless_and_the_image_keeps_its_digest(rollback: list[Event]) -> None:
    digest = "sha256:" + "1f0c" * 16
    began = next(event for event in rollback if isinstance(event, RolloutBegan))
    write = next(event for event in rollback if isinstance(event, WeightsWritten))
    evil = "\x1b[2J\u202e"
    told = collect([replace(began, image=f"app@{digest}", who=f"eve{evil}"), replace(write, why=f"{digest}{evil}")])
    assert told.began is not None
    assert (told.began.image, told.began.who) == (f"app@{digest}", "eve\\x1b[2J\\u202e")
    assert told.weights[0].why == "sha256:1f0c1f0c1f0c\\x1b[2J\\u202e"


def test_a_rollout_ends_before_it_is_said_who_could_not_be_told_of_it(rollback: list[Event]) -> None:
    late = Note(at=rollback[-1].at + 10, text="notify.webhooks[0] was not told")
    told = collect([*rollback, late])
    assert told.end == rollback[-1].at
    assert told.notes[-1] == (late.at, late.text)
    assert collect([late]).end == late.at


def test_nothing_is_no_rollout() -> None:
    with pytest.raises(ValueError, match="no event"):
        collect([])
