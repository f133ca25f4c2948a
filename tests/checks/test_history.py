"""Group sizes from stable's half hour: one for each gate, from what that gate counts."""

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest

from checks.evidence import Answers, Count, LatencyObjective, Terms, Tick, Traffic
from checks.history import Clumping, History

TERMS = Terms(weight=5, latency=(LatencyObjective(0.99, 0.5),))


def history(errors: Iterable[int], slow: Iterable[int], seconds: float = 30) -> History:
    """Give a history with so many errors and slow answers in each look; each has 60,000 requests."""
    past = History()
    for bad, late in zip(errors, slow, strict=True):
        stable = Answers(Count(60_000, bad), (Count(60_000, late),))
        past.add(Tick(at=0, seconds=seconds, traffic=Traffic(stable=stable)))
    return past


STEADY = [60, 52, 68, 57, 63, 55] * 10
BURSTS = [21, 21, 21, 21, 21, 300, 21, 21, 21, 21] * 6


def test_slow_answers_may_come_in_bursts_while_errors_do_not() -> None:
    found = history(STEADY, BURSTS).estimated(TERMS)
    assert found.group == 1
    assert found.latency_groups[0] > 20


def test_a_boundary_that_allows_fewer_bad_requests_has_smaller_groups_and_stable_has_its_own() -> None:
    found = history(BURSTS, STEADY).estimated(TERMS)
    assert found.margin_group < found.group < found.stable_group


def test_only_the_last_half_hour_counts() -> None:
    past = history([*BURSTS, *STEADY], [*STEADY, *STEADY])
    assert past.estimated(TERMS).group == 1


def test_short_looks_are_put_together_and_long_ones_are_taken_as_they_are() -> None:
    third = [Answers(Count(20_000, bad // 3), (Count(20_000, 0),)) for bad in BURSTS for _ in range(3)]
    past = History()
    for answers in third:
        past.add(Tick(at=0, seconds=10, traffic=Traffic(stable=answers)))
    assert past.estimated(TERMS).group == pytest.approx(history(BURSTS, STEADY).estimated(TERMS).group, rel=0.05)
    assert history(BURSTS, STEADY, seconds=60).estimated(TERMS).block == 180


def test_a_gap_in_the_history_is_time_without_requests() -> None:
    past = history(STEADY, STEADY)
    past.add(Tick(at=0, seconds=30, gap="no answer"))
    assert past.estimated(TERMS).group == 1


def test_no_history_is_five_for_all() -> None:
    found = History().estimated(TERMS)
    assert {found.group, found.margin_group, found.stable_group, *found.latency_groups} == {5}


def test_each_latency_objective_has_its_own() -> None:
    past = History()
    for burst, steady in zip(BURSTS, STEADY, strict=True):
        slow = (Count(60_000, steady), Count(60_000, burst))
        past.add(Tick(at=0, seconds=30, traffic=Traffic(stable=Answers(Count(60_000), slow))))
    two = replace(TERMS, latency=(LatencyObjective(0.99, 0.5), LatencyObjective(0.95, 0.25)))
    first, second = past.estimated(two).latency_groups
    assert first == 1
    assert second > 20


@pytest.mark.parametrize("past", [history(BURSTS, STEADY), history([0] * 60, BURSTS), History()])
def test_what_was_found_can_be_written_down_and_read_again(past: History) -> None:
    found = past.found()
    assert Clumping.read(json.loads(json.dumps(found.as_json()))) == found


def test_at_weight_0_it_is_stable_that_is_judged_on_all_of_the_traffic() -> None:
    found = history(BURSTS, STEADY).found()
    assert found.applied(replace(TERMS, weight=0)).group == found.applied(replace(TERMS, weight=100)).group
    assert found.applied(replace(TERMS, weight=0)).group > found.applied(TERMS).group
