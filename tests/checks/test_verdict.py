"""No data never passes, by type."""

import pytest

from checks.verdict import GateNotPassedError, Outcome, Proof, Verdict, failed, inconclusive, passed


@pytest.mark.parametrize("nothing", [0, -1, float("nan"), 0.5])
def test_nothing_seen_proves_nothing(nothing: float) -> None:
    with pytest.raises(ValueError, match="at least one observation"):
        Proof(nothing)


def test_a_pass_without_proof_can_not_be_made() -> None:
    with pytest.raises(ValueError, match="needs proof"):
        Verdict(Outcome.PASS, "all is well")


def test_only_a_pass_is_let_through() -> None:
    passed("600 requests, no error", Proof(600)).require()
    with pytest.raises(GateNotPassedError, match="^error rate 5 %$"):
        failed("error rate 5 %").require()
    with pytest.raises(GateNotPassedError, match="^inconclusive: no traffic$"):
        inconclusive("no traffic").require()
