"""A run passes only when every announced gate has said PASS; everything else is not passed, and says why."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.conclusion import Conclusion, conclude
from ci.phases import Result


def opened(*gates: str) -> dict[str, Any]:
    return {"kind": "opened", "gates": list(gates)}


def said(gate: str, outcome: str, sentence: str = "") -> dict[str, Any]:
    return {"kind": "verdict", "gate": gate, "outcome": outcome, "sentence": sentence or f"{gate} {outcome}"}


BOTH = [opened("pods", "split"), said("pods", "PASS"), said("split", "PASS")]


def test_all_gates_passed_and_status_0_is_passed() -> None:
    assert conclude(BOTH, 0) == Conclusion(Result.PASSED)


@pytest.mark.parametrize(
    ("lines", "status", "why"),
    [
        ([], 0, "before it could watch anything"),
        ([], 4, "pytest ended with status 4 before"),
        ([opened()], 0, "no gate decided anything"),
        ([opened("pods", "split"), said("pods", "PASS")], 0, "no verdict came from split"),
        ([*BOTH, said("alerts", "PASS")], 0, "gates that nobody had announced: alerts"),
        (BOTH, 1, "every gate has passed, but pytest ended with status 1"),
        (BOTH, -9, "every gate has passed, but pytest ended with status -9"),
    ],
)
def test_what_is_not_all_gates_passed_is_failed(lines: list[dict[str, Any]], status: int, why: str) -> None:
    conclusion = conclude(lines, status)
    assert conclusion.result is Result.FAILED
    assert why in conclusion.why


def test_the_first_failure_is_the_reason() -> None:
    lines = [opened("pods", "split"), said("split", "FAIL", "all go to stable"), said("pods", "FAIL")]
    assert conclude(lines, 1) == Conclusion(Result.FAILED, "all go to stable")


def test_a_failure_counts_more_than_an_inconclusive_gate() -> None:
    lines = [opened("pods", "split"), said("pods", "INCONCLUSIVE"), said("split", "FAIL", "broken")]
    assert conclude(lines, 1) == Conclusion(Result.FAILED, "broken")


def test_inconclusive_is_not_failed() -> None:
    lines = [opened("pods", "split"), said("pods", "PASS"), said("split", "INCONCLUSIVE", "no traffic")]
    assert conclude(lines, 1) == Conclusion(Result.INCONCLUSIVE, "no traffic")


def test_an_outage_of_both_versions_is_not_just_undecided() -> None:
    outage = said("error_rate", "INCONCLUSIVE", "both versions are bad") | {"numbers": {"shared_outage": 1}}
    lines = [opened("split", "error_rate"), said("split", "INCONCLUSIVE"), outage]
    assert conclude(lines, 1) == Conclusion(Result.OUTAGE, "both versions are bad")


def test_a_failure_counts_more_than_an_outage() -> None:
    outage = said("error_rate", "INCONCLUSIVE") | {"numbers": {"shared_outage": 1}}
    assert conclude([opened("error_rate", "pods"), outage, said("pods", "FAIL")], 1).result is Result.FAILED


def test_an_outage_that_is_over_at_the_end_is_none() -> None:
    outage = said("error_rate", "INCONCLUSIVE") | {"numbers": {"shared_outage": 1}}
    assert conclude([opened("error_rate"), outage, said("error_rate", "PASS")], 0).result is Result.PASSED


def test_the_last_word_of_a_gate_counts() -> None:
    lines = [opened("pods"), said("pods", "INCONCLUSIVE"), said("pods", "PASS")]
    assert conclude(lines, 0).result is Result.PASSED


def test_fail_is_final() -> None:
    lines = [opened("pods"), said("pods", "FAIL"), said("pods", "PASS")]
    assert conclude(lines, 0).result is Result.FAILED


gates = st.sampled_from(["pods", "split", "error rate"])
some_lines = st.lists(
    st.one_of(
        st.builds(said, gates, st.sampled_from(["PASS", "FAIL", "INCONCLUSIVE"])),
        st.builds(lambda names: opened(*names), st.lists(gates, unique=True)),
    ),
    max_size=8,
)


@given(some_lines, st.integers(-15, 5))
def test_no_run_passes_without_a_pass_of_every_gate_it_announced(lines: list[dict[str, Any]], status: int) -> None:
    if conclude(lines, status).result is Result.PASSED:
        announced = {gate for line in lines if line["kind"] == "opened" for gate in line["gates"]}
        assert announced == {line["gate"] for line in lines if line.get("outcome") == "PASS"} != set()
        assert not [line for line in lines if line.get("outcome") == "FAIL"]
        assert status == 0
