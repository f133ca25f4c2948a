"""No freeze window of the release file is open: nobody begins a release then.

Rules:
    1. inside a window a release is a FAIL before anything is changed; the sentence says when it is over
    2. what runs already when a window opens is not judged by this: its weight is held (ci/hold.py)
"""

from dataclasses import dataclass

from checks.gate import gate
from checks.verdict import Proof, Verdict, failed, passed


@dataclass(frozen=True)
class Calendar:
    """What the release file's freeze windows say of this moment.

    Attributes:
        windows: how many there are.
        closed: until when no release may begin, and by which window; "" while none is open.
    """

    windows: int
    closed: str


def judge(calendar: Calendar) -> Verdict:
    """Say whether a release may begin.

    Args:
        calendar: of this moment.
    """
    if calendar.closed:
        return failed(f"no release begins now: {calendar.closed}")
    if not calendar.windows:
        return passed("the release file has no freeze window", Proof(1))
    return passed("no freeze window is open", Proof(calendar.windows))


@gate(judge, evidence="calendar")
def test_no_freeze(verdict: Verdict) -> None:
    """No freeze window is open."""
    verdict.require()
