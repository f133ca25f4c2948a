"""No release begins in a freeze window."""

from checks.freeze import Calendar, judge
from checks.verdict import Outcome


def test_an_open_window_refuses_and_says_until_when() -> None:
    verdict = judge(Calendar(2, "frozen until Mon 30 Nov 2026 08:00 Europe/Berlin"))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.sentence == "no release begins now: frozen until Mon 30 Nov 2026 08:00 Europe/Berlin"


def test_no_open_window_lets_it_begin() -> None:
    assert judge(Calendar(2, "")).sentence == "no freeze window is open"
    assert judge(Calendar(0, "")).outcome is Outcome.PASS
