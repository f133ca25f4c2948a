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
    found = estimate(history(60, 600, 0.01, 10), objective=0.01, share=0.5)
    assert found.measured
    assert 5 < found.size < 10


def test_the_canarys_bursts_grow_with_the_bad_requests_that_it_may_have() -> None:
    random.seed(3)
    blocks = history(60, 600, 0.001, 10)
    half, all_of_it = (estimate(blocks, objective=0.01, share=share).size for share in (0.5, 1.0))
    assert all_of_it - 1 == pytest.approx(2 * (half - 1))


def test_where_bursts_are_plain_b_is_at_least_what_thirty_seconds_of_them_would_make() -> None:
    random.seed(3)
    blocks = history(60, 60_000, 0.001, 5)
    assert estimate(blocks, objective=0.01, share=0.05).size == pytest.approx(1 + 0.01 * 0.05 * 60_000)


def test_the_same_bad_requests_in_longer_bursts_make_larger_groups() -> None:
    in_bursts = [Count(3000, 30 if at % 20 < 4 else 1) for at in range(60)]
    scattered = [Count(3000, 30 if at % 5 == 0 else 1) for at in range(60)]
    longer, shorter = (estimate(blocks, objective=0.01, share=0.25).size for blocks in (in_bursts, scattered))
    assert longer > 2 * shorter


@pytest.mark.parametrize("blocks", [[], [Count(3000, 3)] * 10, [Count(3000, 0)] * 60])
def test_too_little_history_means_five(blocks: list[Count]) -> None:
    found = estimate(blocks, objective=0.01, share=0.05)
    assert (found.size, found.measured) == (5.0, False)
