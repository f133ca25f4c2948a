"""The two-sample gate and the latency gate: what they say, and when they are silent."""

import random

from checks.against_stable import AgainstStable
from checks.evidence import Answers, Count, LatencyObjective, Terms, Tick, Traffic
from checks.gate import Decision
from checks.latency import Latency
from checks.verdict import Outcome

TERMS = Terms(weight=5, error_rate=0.01, margin=0.005, soak=3, limit=600, group=1, steps=4)


def bad(requests: int, rate: float) -> Count:
    return Count(requests, sum(random.random() < rate for _ in range(requests)))


def compared(canary: float, stable: float, seconds: int = 300, terms: Terms = TERMS) -> Decision:
    random.seed(3)
    decision = Decision(AgainstStable(terms))
    for second in range(1, seconds + 1):
        decision.look(
            Tick(at=second, seconds=1, traffic=Traffic(Answers(bad(100, canary)), Answers(bad(1900, stable))))
        )
        if decision.final:
            break
    return decision


def test_a_canary_as_good_as_stable_passes() -> None:
    decision = compared(0.001, 0.001)
    assert decision.outcome is Outcome.PASS
    assert "is not worse by more than 0.5 points" in decision.verdict.sentence


def test_a_canary_worse_than_stable_fails_though_it_keeps_a_loose_objective() -> None:
    decision = compared(0.03, 0.001)
    assert decision.outcome is Outcome.FAIL
    assert decision.at < 60


def test_a_shared_outage_is_not_the_canarys_fault() -> None:
    assert compared(0.2, 0.2, seconds=60).outcome is not Outcome.FAIL


def test_a_canary_exactly_at_the_margin_never_decides() -> None:
    assert compared(0.006, 0.001).outcome is Outcome.INCONCLUSIVE


def test_without_stable_there_is_nothing_to_compare() -> None:
    decision = Decision(AgainstStable(TERMS))
    decision.look(Tick(at=60, seconds=60, traffic=Traffic(Answers(Count(5000, 0)), Answers(Count()))))
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert "no traffic reached stable" in decision.verdict.sentence


LATENCY = Terms(weight=5, latency=(LatencyObjective(0.99, 0.5), LatencyObjective(0.5, 0.1)), soak=3, group=1)


def slow(*share: int, seconds: int = 30) -> Decision:
    decision = Decision(Latency(LATENCY))
    for second in range(1, seconds + 1):
        decision.look(
            Tick(at=second, seconds=1, traffic=Traffic(Answers(Count(100), tuple(Count(100, each) for each in share))))
        )
    return decision


def test_fast_answers_pass_every_percentile() -> None:
    decision = slow(0, 20)
    assert decision.outcome is Outcome.PASS
    assert "share of canary answers slower than 500 ms: 0 %" in decision.verdict.sentence


def test_thirty_percent_slow_answers_fail_with_the_bound_named() -> None:
    decision = slow(30, 40)
    assert decision.outcome is Outcome.FAIL
    assert "slower than 500 ms: 30 % (30 of 100" in decision.verdict.sentence
    assert decision.at == 1


def test_a_source_that_can_not_tell_slow_from_fast_shows_nothing() -> None:
    assert slow().outcome is Outcome.INCONCLUSIVE


def test_no_latency_objective_is_none_to_break() -> None:
    decision = Decision(Latency(TERMS))
    decision.look(Tick(at=1, seconds=1))
    assert decision.outcome is Outcome.PASS
