"""A look's work: how many functions of mathematics it takes, however long the step already lasts."""

import random
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from checks.against_stable import AgainstStable
from checks.error_rate import ErrorRate
from checks.evidence import Answers, Count, LatencyObjective, Terms, Tick, Traffic
from checks.gate import Judge
from checks.latency import Latency

TERMS = Terms(weight=5, latency=(LatencyObjective(0.99, 0),), group=3, steps=4)


def calls(work: Callable[[], object]) -> int:
    """Count calls of exp, log and log1p."""
    counted = 0

    def count(_frame: FrameType, event: str, function: Any) -> None:
        nonlocal counted
        counted += event == "c_call" and getattr(function, "__module__", "") == "math"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted


def traffic() -> Traffic:
    """A canary near its objective: the evidence has to be computed at nearly every look."""
    pods = {}
    for pod in "abcd":
        errors, slow = (sum(random.random() < 0.009 for _ in range(25)) for _ in range(2))
        pods[pod] = Answers(Count(25, errors), (Count(25, slow),))
    return Traffic(sum(pods.values(), Answers()), Answers(Count(1900, 8)), pods=pods)


@pytest.mark.parametrize(("judge", "most"), [(ErrorRate, 110), (Latency, 120), (AgainstStable, 80)])
def test_a_look_takes_little_work_and_a_late_one_no_more(judge: type[Judge], most: int) -> None:
    random.seed(3)
    watching = judge(TERMS)
    looks = [Tick(at=second, seconds=1, traffic=traffic()) for second in range(1, 3001)]
    work = [calls(lambda look=look: watching.look(look)) for look in looks]
    early, late = (sum(some) / len(some) for some in (work[100:600], work[2500:]))
    assert early < most
    assert late < 1.2 * early + 5


@pytest.mark.parametrize("judge", [ErrorRate, Latency])
def test_what_has_to_be_remembered_does_not_grow(judge: type[Judge]) -> None:
    random.seed(3)
    watching, sizes = judge(TERMS), []
    for second in range(1, 1001):
        watching.look(Tick(at=second, seconds=1, traffic=traffic()))
        if second in (100, 1000):
            sizes.append(len(str(watching.state())))
    assert sizes[1] < 1.1 * sizes[0]
