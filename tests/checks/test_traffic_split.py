"""The split gate: what the data plane serves against what was written."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import Answers, Count, InFlight, Terms, Tick, Traffic, Weights
from checks.gate import Decision
from checks.traffic_split import TrafficSplit
from checks.verdict import Outcome


def served(canary: int, stable: int) -> Traffic:
    return Traffic(Answers(Count(canary)), Answers(Count(stable)))


def terms(weight: float, tolerance: float = 2) -> Terms:
    return Terms(weight=weight, split_tolerance=tolerance, soak=1, limit=120, group=1, steps=4)


@pytest.mark.parametrize(("weight", "tolerance"), [(5, 2), (25, 5), (50, 10), (100, 20)])
def test_a_split_as_written_passes(weight: float, tolerance: float) -> None:
    random.seed(weight)
    decision = Decision(TrafficSplit(terms(weight, tolerance)))
    for second in range(1, 30):
        canary = sum(random.random() < weight / 100 for _ in range(500))
        decision.look(Tick(at=second, seconds=1, traffic=served(canary, 500 - canary)))
    assert decision.outcome is Outcome.PASS
    assert "agrees with the weight" in decision.verdict.sentence


def test_a_canary_that_gets_nothing_fails_soon() -> None:
    decision = Decision(TrafficSplit(terms(5)))
    for second in range(1, 10):
        decision.look(Tick(at=second, seconds=1, traffic=served(0, 100)))
    assert decision.outcome is Outcome.FAIL
    assert 5 < decision.at <= 10
    assert "the canary served 0 %" in decision.verdict.sentence


def slow_canary(decision: Decision, in_flight: list[float]) -> Decision:
    """100 requests a second, half of them to a canary that takes over a second for each; stable answers at once."""
    decision.look(Tick(at=0, seconds=0.1, traffic=served(1, 0), settled=False))
    decision.look(Tick(at=1, seconds=0.1, traffic=Traffic(), in_flight=InFlight(in_flight[0])))
    for tenth, flying in enumerate(in_flight, start=1):
        answered = served(5 if tenth > 10 else 0, 5)
        decision.look(Tick(at=1 + tenth / 10, seconds=0.1, traffic=answered, in_flight=InFlight(flying)))
    return decision


def test_a_slow_canary_has_its_share_while_it_has_answered_nothing_yet() -> None:
    decision = slow_canary(Decision(TrafficSplit(terms(50, 10))), [min(5.0 * tenth, 50) for tenth in range(1, 60)])
    assert decision.outcome is Outcome.PASS


def test_requests_that_were_in_flight_before_are_no_share_of_this_weight() -> None:
    decision = slow_canary(Decision(TrafficSplit(terms(50, 10))), [200.0 for _ in range(10)])
    assert decision.outcome is Outcome.FAIL
    assert "served 0 % (0 of 25 requests)" in decision.verdict.sentence


def test_a_share_of_what_has_not_ended_is_told_as_such() -> None:
    decision = slow_canary(Decision(TrafficSplit(terms(50, 10))), [0.0, 5.0, 11.0])
    assert "served 42 % (11 of 26 requests, 11 not ended yet)" in decision.verdict.sentence


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 4), min_size=2))
def test_requests_in_flight_may_become_fewer_in_any_way(looks: list[tuple[int, int, int, int]]) -> None:
    judge = TrafficSplit(terms(50, 10))
    for second, (canary, stable, *flying) in enumerate(looks):
        answered = served(canary, stable)
        judge.look(Tick(at=second, seconds=1, traffic=answered, in_flight=InFlight(*map(float, flying))))
    assert judge.verdict().outcome in Outcome


def test_where_both_are_slow_what_stable_has_in_flight_counts_as_well() -> None:
    decision = Decision(TrafficSplit(terms(50, 10)))
    for tenth in range(100):
        flying = InFlight(*[5.0 * max(0, min(tenth - 10, 40))] * 2)
        ended = 5 * (tenth > 50)
        decision.look(Tick(at=tenth / 10, seconds=0.1, traffic=served(max(ended, 1), ended), in_flight=flying))
    assert decision.outcome is Outcome.PASS


def test_without_a_look_at_requests_in_flight_a_slow_canary_is_given_its_time() -> None:
    decision = Decision(TrafficSplit(terms(50, 10)))
    for tenth in range(60):
        decision.look(Tick(at=tenth / 10, seconds=0.1, traffic=served(5 if tenth > 10 else 0, 5)))
    assert decision.outcome is Outcome.PASS


def test_half_the_traffic_is_not_five_percent() -> None:
    decision = Decision(TrafficSplit(terms(5)))
    for second in (1, 2):
        decision.look(Tick(at=second, seconds=1, traffic=served(100, 100)))
    assert decision.outcome is Outcome.FAIL
    assert decision.at == 2


def test_an_envoy_whose_threads_are_late_with_the_weights_is_given_a_moment() -> None:
    decision = Decision(TrafficSplit(terms(5)))
    for tenth in range(1, 100):
        canary = 5 * (tenth > 10) * (tenth % 2)
        decision.look(Tick(at=tenth / 10, seconds=0.1, traffic=served(canary, 50), in_flight=InFlight()))
    assert decision.outcome is Outcome.PASS


def test_no_traffic_says_nothing() -> None:
    decision = Decision(TrafficSplit(terms(100, 20)))
    decision.look(Tick(at=60, seconds=60, traffic=Traffic()))
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert "the split is unknown" in decision.verdict.sentence


def test_a_weight_that_someone_else_moved_fails_at_once() -> None:
    decision = Decision(TrafficSplit(terms(25, 5)))
    decision.look(Tick(at=1, seconds=1, traffic=served(25, 75), weights=Weights(50, 50)))
    assert decision.outcome is Outcome.FAIL
    assert "changed to 50 % by someone else" in decision.verdict.sentence
