"""The group size from stable's history: independent, bursty, too little."""

import random

import pytest

from checks.evidence import Count
from checks.group import estimate


def history(blocks: int, requests: int, rate: float, together: int) -> list[Count]:
    """Give blocks in which ``together`` requests always fail as one."""
    groups = requests // together
    return [Count(requests, together * sum(random.random() < rate for _ in range(groups))) for _ in range(blocks)]


def test_independent_requests_are_on_their_own() -> None:
    random.seed(1)
    sizes = [estimate(history(60, 3000, 0.001, 1), 0.01, 0.05).size for _ in range(20)]
    assert sizes.count(1.0) >= 15


def test_requests_that_fail_ten_at_a_time_are_seen() -> None:
    random.seed(2)
    found = estimate(history(60, 3000, 0.01, 10), objective=0.01, share=0.5)
    assert found.measured
    assert 6 < found.size < 16


def test_a_small_share_has_smaller_bursts_but_not_below_five() -> None:
    random.seed(3)
    blocks = history(60, 3000, 0.01, 50)
    small, large = (estimate(blocks, objective=0.01, share=share).size for share in (0.05, 0.5))
    assert 5 <= small < large


@pytest.mark.parametrize("blocks", [[], [Count(3000, 3)] * 10, [Count(3000, 0)] * 60])
def test_too_little_history_means_five(blocks: list[Count]) -> None:
    found = estimate(blocks, objective=0.01, share=0.05)
    assert (found.size, found.measured) == (5.0, False)
