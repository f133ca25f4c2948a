"""What a suite's run says, as the driver judges it: from its verdict lines and its exit status. Pure.

A run is passed when, and only when,

1. it ended with status 0, and
2. it said before which gates will decide (``opened``), at least one, and
3. each of those gates, and no other, has said PASS and never FAIL.

So a skip, an xfail, a deselected test, a crash, a lost line or a line of another run is not passed: a suite whose
tests are all skipped ends with status 0 as well. Lines are believed only with the run's own nonce.

Example:
    >>> conclude([{"kind": "opened", "gates": ["pods"]}], status=0).why
    'pytest ended with status 0, but no verdict came from pods'
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checks.error_rate import SHARED
from ci.phases import Result

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Conclusion:
    """How a run counts.

    Attributes:
        result: PASSED, FAILED, INCONCLUSIVE, or OUTAGE where a gate says that both versions are bad.
        why: the first sentence a person needs when it is not passed; "" when it is.
    """

    result: Result
    why: str = ""


def _shared(verdicts: Iterable[Line]) -> Conclusion | None:
    """Say whether a gate is undecided because both versions are bad: nobody can judge the canary by that."""
    said = [line for line in verdicts if line["outcome"] == "INCONCLUSIVE" and line.get("numbers", {}).get(SHARED)]
    return Conclusion(Result.OUTAGE, said[0]["sentence"]) if said else None


def conclude(lines: Sequence[Line], status: int) -> Conclusion:
    """Judge a run that has ended.

    Args:
        lines: its verdict lines, those with its nonce only.
        status: its exit status.
    """
    verdicts = [line for line in lines if line["kind"] == "verdict"]
    # A gate's last word counts, but FAIL is final.
    last = _last_words(verdicts)
    if why := _first(verdicts, "FAIL"):
        return Conclusion(Result.FAILED, why)
    if outage := _shared(last):
        return outage
    if why := _first(last, "INCONCLUSIVE"):
        return Conclusion(Result.INCONCLUSIVE, why)
    doubt = _doubt(lines, verdicts, status)
    return Conclusion(Result.FAILED, doubt) if doubt else Conclusion(Result.PASSED)


def _first(verdicts: Iterable[Line], outcome: str) -> str:
    return next((line["sentence"] for line in verdicts if line["outcome"] == outcome), "")


def _last_words(verdicts: Iterable[Line]) -> list[Line]:
    return list({line["gate"]: line for line in verdicts}.values())


def _doubt(lines: Iterable[Line], verdicts: Iterable[Line], status: int) -> str:
    """Say why a run without a bad verdict is not passed all the same."""
    opened = [line for line in lines if line["kind"] == "opened"]
    passed = {line["gate"] for line in verdicts if line["outcome"] == "PASS"}
    if not opened:
        return f"pytest ended with status {status} before it could watch anything"
    expected = {gate for line in opened for gate in line["gates"]}
    if silent := expected - passed:
        return f"pytest ended with status {status}, but no verdict came from {', '.join(sorted(silent))}"
    if surplus := passed - expected:
        return f"verdicts came from gates that nobody had announced: {', '.join(sorted(surplus))}"
    if not expected:
        return "no gate decided anything"
    return f"every gate has passed, but pytest ended with status {status}" if status else ""
