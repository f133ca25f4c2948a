"""What an undecided gate would need: said in requests and time, and true if the traffic goes on as it was."""

import re

import pytest

from checks.error_rate import ErrorRate
from checks.evidence import Answers, Count, Terms, Tick, Traffic
from checks.gate import Decision
from checks.verdict import Outcome
from checks.wanting import fewest, told

TERMS = Terms(weight=5, split_tolerance=2, soak=1, limit=9000, group=1)


def watched(looks: int, bad_each: int, requests: int = 200) -> Decision:
    """Show so many looks of a second each."""
    decision = Decision(ErrorRate(TERMS))
    for second in range(1, looks + 1):
        decision.look(Tick(at=second, seconds=1, traffic=Traffic(Answers(Count(requests, bad_each)), Answers())))
    return decision


@pytest.mark.parametrize("bad_each", [0, 1])
def test_as_much_more_traffic_as_was_said_decides(bad_each: int) -> None:
    undecided = watched(2, bad_each)
    assert undecided.outcome is Outcome.INCONCLUSIVE
    found = re.search(r"about ([\d ]+) more requests .* decide it, (.+) at this rate", undecided.verdict.sentence)
    assert found is not None
    more = int(found[1].replace(" ", "")) / 200
    assert watched(round(2 + 0.9 * more) - 1, bad_each).outcome is Outcome.INCONCLUSIVE
    assert watched(round(2 + 1.05 * more) + 1, bad_each).outcome is Outcome.PASS


def test_a_rate_at_its_limit_is_not_decided_by_more_of_the_same() -> None:
    assert "more of this kind would not decide it" in watched(20, 2).verdict.sentence


def test_where_only_time_is_missing_no_traffic_is_asked_for() -> None:
    assert told(Count(1000, 0), 10.0, lambda _: True) == ""
    assert told(Count(), 10.0, lambda _: False) == ""


def test_the_fewest_are_found() -> None:
    assert fewest(lambda requests: requests >= 777) == pytest.approx(777, rel=0.02)
    assert fewest(lambda _: False) == float("inf")
