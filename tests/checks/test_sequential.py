"""The evidence: its error probabilities, computed exactly; its bounds; its state over several runs."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import Count
from checks.harm import Harm
from checks.sequential import ABOVE, Bound, evidence_above, evidence_below, lower_bound, upper_bound


def chance_of_ever(crossed: list[list[bool]], rate: float) -> float:
    """Give the exact probability that a random walk of bad requests ever stands where ``crossed[n][x]`` is true."""
    alive, lost = [1.0], 0.0
    for row in crossed:
        moved = [0.0] * (len(alive) + 1)
        for bad, chance in enumerate(alive):
            moved[bad] += chance * (1 - rate)
            moved[bad + 1] += chance * rate
        for bad, is_crossed in enumerate(row):
            if is_crossed:
                lost, moved[bad] = lost + moved[bad], 0.0
        alive = moved
    return lost


def test_a_false_pass_is_rarer_than_promised_at_every_look() -> None:
    crossed = [[evidence_below(0.05, n, x, 1) >= 20 for x in range(n + 1)] for n in range(1, 250)]
    assert 0.02 < chance_of_ever(crossed, 0.05) <= 0.05


def test_a_false_alarm_is_rarer_than_promised_at_every_look() -> None:
    crossed = [[evidence_above(0.05, n, x, 1) >= 20 for x in range(n + 1)] for n in range(1, 250)]
    assert 0.01 < chance_of_ever(crossed, 0.05) <= 0.05


def test_545_requests_without_an_error_show_less_than_one_percent() -> None:
    assert evidence_below(0.01, 544, 0, 1) < 100 <= evidence_below(0.01, 546, 0, 1)


def test_groups_of_five_need_five_times_the_requests() -> None:
    assert evidence_below(0.01, 5 * 300, 0, 5) == pytest.approx(evidence_below(0.01, 300, 0, 1))


@given(requests=st.integers(0, 5000), share=st.floats(0, 1), group=st.sampled_from([1, 5, 20]))
def test_bounds_hold_the_observed_rate(requests: int, share: float, group: int) -> None:
    bad = int(requests * share)
    seen = Count(requests, bad)
    low, high = lower_bound(seen, group, 0.025), upper_bound(seen, group, 0.025)
    observed = bad / requests if requests else 0
    assert low <= observed <= high or requests == 0
    if requests == 0:
        assert (low, high) == (0.0, 1.0)
    # The bound is where the evidence is just enough, and not beyond.
    if low > 0:
        assert evidence_above(low, requests, bad, group) >= 39.99
        assert evidence_above(min(1, low * 1.001 + 1e-9), requests, bad, group) <= 40.01
    if high < 1:
        assert evidence_below(high, requests, bad, group) >= 39.99
        assert evidence_below(high * 0.999, requests, bad, group) <= 40.01


def test_a_bound_that_is_updated_is_the_bound_that_is_found_afresh() -> None:
    random.seed(2)
    kept, seen = Bound(ABOVE, 0.005), Count()
    for _ in range(200):
        seen += Count(100, sum(random.random() < 0.01 for _ in range(100)))
        assert kept.update(seen, 1) == pytest.approx(lower_bound(seen, 1, 0.005), rel=1e-4, abs=1e-9)


def test_nothing_seen_is_no_evidence() -> None:
    assert evidence_below(0.01, 0, 0, 1) == pytest.approx(1)
    assert Harm(0.01, 1, 600).evidence == pytest.approx(1)


@given(st.lists(st.tuples(st.integers(0, 200), st.floats(0, 1)), max_size=60), st.integers(0, 60))
def test_evidence_of_harm_goes_on_in_another_process(ticks: list[tuple[int, float]], cut: int) -> None:
    whole, first = Harm(0.01, 5, 600), Harm(0.01, 5, 600)
    for index, (requests, share) in enumerate(ticks):
        if index == cut:
            second = Harm(0.01, 5, 600)
            second.resume(json.loads(json.dumps(first.state())))
            first = second
        for harm in (whole, first):
            harm.add(requests, int(requests * share), 1.0)
    assert first.evidence == whole.evidence


def test_harm_that_begins_late_is_seen_almost_as_fast_as_harm_from_the_start() -> None:
    random.seed(1)
    harm = Harm(0.01, 1, 2400)
    for _ in range(300):
        harm.add(100, sum(random.random() < 0.001 for _ in range(100)), 1.0)
    assert harm.evidence < 400
    seconds = 0
    while harm.evidence < 400:
        harm.add(100, sum(random.random() < 0.05 for _ in range(100)), 1.0)
        seconds += 1
    assert seconds <= 6


def test_everything_bad_is_seen_within_six_requests() -> None:
    harm = Harm(0.01, 1, 2400)
    for _ in range(6):
        harm.add(1, 1, 0.1)
    assert harm.evidence >= 400


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_evidence_is_a_number_whatever_the_traffic(requests: int, share: float) -> None:
    harm = Harm(0.01, 1, 600)
    for _ in range(40):
        harm.add(requests, requests * share, 1.0)
    assert harm.evidence >= 0
