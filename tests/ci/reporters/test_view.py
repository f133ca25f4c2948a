from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.events import (
    Event,
    Progress,
    RollbackBegan,
    SuiteReady,
    SuiteStarted,
    VerdictReached,
    WeightsProved,
    WeightsWritten,
)
from ci.reporters.view import Gate, gates, seen

STEP: dict[str, Any] = {"suite": "canary_step", "step": 25}
READY = SuiteReady(at=1.0, gates=["error_rate", "pods"], took=0.9, **STEP)


def progress(at: float, **evidence: float) -> Progress:
    near = {name: {"sentence": f"{name} so far", "evidence": value, "of": 100.0} for name, value in evidence.items()}
    return Progress(at=at, step=25, gates=near, canary={"requests": 100, "errors": 1})


def verdict(gate: str, outcome: str) -> VerdictReached:
    return VerdictReached(at=4.0, gate=gate, outcome=outcome, sentence=f"{gate} decided", after=3.0, **STEP)


def wrote(at: float, canary: int) -> WeightsWritten:
    return WeightsWritten(at=at, stable=100 - canary, canary=canary, why="", who="", took=0.1)


def proved(at: float, canary: int) -> WeightsProved:
    return WeightsProved(at=at, stable=100 - canary, canary=canary, took=0.2)


def test_gates_are_shown_before_they_know_anything() -> None:
    assert gates([READY]) == [Gate("error_rate", "", ""), Gate("pods", "", "")]


def test_a_decided_gate_stays_decided_while_others_go_on() -> None:
    events = [
        READY,
        progress(2, error_rate=3.0, pods=0.0),
        verdict("pods", "PASS"),
        progress(3, error_rate=40.0, pods=1.0),
    ]
    error_rate, pods = sorted(gates(events), key=lambda gate: gate.name)
    assert (error_rate.outcome, error_rate.evidence, error_rate.waits) == ("", 40.0, True)
    assert (pods.outcome, pods.sentence, pods.waits) == ("PASS", "pods decided", False)


def test_the_last_verdict_of_a_gate_counts() -> None:
    assert [gate.outcome for gate in gates([READY, verdict("pods", "PASS"), verdict("pods", "FAIL")])] == ["", "FAIL"]


def test_a_new_suite_begins_with_a_clean_list() -> None:
    assert gates([READY, verdict("pods", "PASS"), SuiteStarted(at=9.0, command=[], **STEP)]) == []


def test_once_traffic_is_taken_back_only_what_decided_is_shown() -> None:
    events: list[Event] = [READY, progress(2, error_rate=3.0), verdict("error_rate", "FAIL")]
    events.append(RollbackBegan(at=5.0, reason="why", who="alice"))
    assert [gate.name for gate in seen(events, 6.0).gates] == ["error_rate"]
    assert seen(events, 6.0).rollback == "why"


def test_weights_are_proved_only_by_the_data_plane_and_only_these() -> None:
    assert not seen([wrote(1, 5)], 2).proved
    assert seen([wrote(1, 5), proved(2, 5)], 2).proved
    assert not seen([wrote(1, 5), proved(2, 5), wrote(3, 25)], 3).proved
    assert not seen([wrote(1, 5), wrote(3, 25), proved(4, 5)], 4).proved
    assert not seen([proved(2, 5)], 2).proved
    assert not seen([wrote(1, 5), proved(2, 5), wrote(3, 5)], 3).proved


def test_a_step_s_requests_prove_its_weights_since_they_are_counted_only_then() -> None:
    counted, none_yet = progress(2), Progress(at=2, step=25, gates={}, canary={"requests": 0})
    assert seen([wrote(1, 5), counted], 3).proved
    assert not seen([wrote(1, 5), none_yet], 3).proved
    again = replace(none_yet, at=9.0)
    assert seen([wrote(1, 5), counted, READY, again], 9).proved, "another suite counts anew, the weights are the same"
    assert not seen([wrote(1, 5), counted, RollbackBegan(at=3.0, reason="", who=""), wrote(3.1, 0)], 4).proved


def test_gates_that_need_evidence_come_first_and_stay_there() -> None:
    events = [READY, progress(2, pods=2.0)]
    assert [gate.name for gate in gates(events)] == ["pods", "error_rate"]
    assert [gate.name for gate in gates([*events, verdict("pods", "PASS")])] == ["pods", "error_rate"]


def test_requests_of_the_weights_before_are_not_shown_with_the_new_ones() -> None:
    events: list[Event] = [wrote(1, 5), progress(2)]
    assert seen(events, 3).canary["requests"] == 100
    assert seen([*events, wrote(3, 25)], 3).canary == {}


def test_what_the_canary_answered_is_still_shown_while_traffic_is_taken_back() -> None:
    events = [wrote(1, 5), progress(2), RollbackBegan(at=3.0, reason="x", who="y"), wrote(3.1, 0)]
    assert seen(events, 4).canary["errors"] == 1


@given(
    evidence=st.floats(allow_nan=True, allow_infinity=True),
    of=st.floats(allow_nan=True, allow_infinity=True),
    watched=st.floats(0, 1e6),
)
def test_nearness_is_a_share_whatever_the_numbers(evidence: float, of: float, watched: float) -> None:
    gate = Gate("error_rate", "", "", evidence, of)
    assert 0 <= gate.nearness <= 1
    remaining = gate.remaining(watched)
    assert remaining is None or remaining >= 0


def test_evidence_that_multiplies_evenly_gives_an_even_bar_and_the_right_guess() -> None:
    after_4_of_10_seconds = Gate("error_rate", "", "", evidence=100**0.4, of=100.0)
    assert after_4_of_10_seconds.nearness == pytest.approx(0.4)
    assert after_4_of_10_seconds.remaining(4.0) == pytest.approx(6.0)


def test_nothing_is_guessed_from_next_to_nothing() -> None:
    assert Gate("error_rate", "", "", evidence=1.2, of=100.0).remaining(4.0) is None
    assert Gate("error_rate", "", "", evidence=100.0, of=100.0).remaining(4.0) is None
    assert Gate("pods", "", "").remaining(4.0) is None
