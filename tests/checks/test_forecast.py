"""Forecasts agree with what the judges then do."""

import json
import random
from dataclasses import replace

import pytest

from checks.error_rate import ErrorRate
from checks.evidence import Answers, Count, LatencyObjective, Terms, Tick, Traffic
from checks.forecast import automatic, forecast, requests_to_pass, stop_forecast
from checks.gate import Decision
from checks.group import Dispersion
from checks.history import Clumping
from checks.plan_fits import Plan, judge
from checks.steps import FIRST
from checks.verdict import Outcome

TERMS = Terms(weight=5, soak=60, limit=600, group=1, steps=4)


@pytest.mark.parametrize(("true_rate", "published"), [(0.0, 545), (0.001, 1062), (0.003, 2698)])
def test_the_need_is_about_the_ninetieth_percentile_that_was_simulated(true_rate: float, published: int) -> None:
    found = requests_to_pass(0.01, true_rate=true_rate, group=1, error=0.01)
    assert found == pytest.approx(published, rel=0.25)


def test_a_rate_at_the_objective_never_passes() -> None:
    assert requests_to_pass(0.01, true_rate=0.01, group=1, error=0.01) == float("inf")


def test_the_comparison_with_stable_is_the_slowest_at_a_small_weight() -> None:
    found = forecast(TERMS, rate=1000)
    assert found.slowest == "error rate against stable"
    assert 1900 < found.requests < 3600
    assert found.fits


def test_little_traffic_is_said_before_it_is_tried() -> None:
    steps = tuple(forecast(Terms(weight=w, limit=600, group=1, steps=4), rate=5) for w in (5, 25, 50, 100))
    verdict = judge(Plan(5, steps))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.sentence.startswith("at 5 requests a second step 5 %: about")
    assert judge(Plan(1000, tuple(forecast(TERMS, rate=1000) for _ in range(4)))).outcome is Outcome.PASS
    assert judge(Plan(0, ())).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("rate", "steps"),
    [(3000, (1, 5, 25, 50, 100)), (200, (5, 25, 50, 100)), (50, (20, 25, 50, 100)), (25, (50, 100))],
)
def test_the_first_step_is_the_smallest_that_can_pass(rate: float, steps: tuple[int, ...]) -> None:
    found = automatic(lambda weight: replace(TERMS, weight=weight), rate)
    assert tuple(step.weight for step in found) == steps
    assert not any(forecast(replace(TERMS, weight=weight), rate).fits for weight in FIRST if weight < steps[0])
    verdict = judge(Plan(rate, found, automatic=True))
    assert verdict.outcome is Outcome.PASS
    assert verdict.numbers["first"] == steps[0]
    assert f"the steps are {', '.join(map(str, steps))} %" in verdict.sentence


def test_where_no_first_step_can_pass_the_release_is_refused_with_what_is_missing() -> None:
    verdict = judge(Plan(0.5, automatic(lambda weight: replace(TERMS, weight=weight), 0.5), automatic=True))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.sentence.startswith(
        "at 0.5 requests a second no first step can pass within 10 min 0 s, not even 100 %:"
    )
    assert "more traffic, a longer limit" in verdict.sentence


def test_latency_objectives_have_their_own_need() -> None:
    strict = Terms(weight=100, soak=3, group=1, latency=(LatencyObjective(0.999, 0.5),))
    assert forecast(strict, rate=1000).slowest == "latency 0.999"


def test_a_bad_canary_is_stopped_about_when_it_is_forecast() -> None:
    random.seed(5)
    expected = stop_forecast(TERMS, rate=1000, error_rate=0.05)
    found = []
    for _ in range(60):
        decision, at = Decision(ErrorRate(TERMS)), 0.0
        while decision.outcome is not Outcome.FAIL:
            at += 0.25
            requests = 12 + (random.random() < 0.5)
            bad = sum(random.random() < 0.05 for _ in range(requests))
            decision.look(Tick(at=at, seconds=0.25, traffic=Traffic(Answers(Count(requests, bad)))))
        found.append(at)
    assert expected.seconds == pytest.approx(sum(found) / len(found), rel=0.4)


def test_what_is_not_stopped_in_time_is_said() -> None:
    assert stop_forecast(TERMS, rate=5, error_rate=0.02).seconds == float("inf")


def clumping(rate: float = 0.001, phi: float = 4.0, errors: float = 3.0) -> Clumping:
    """Give a half hour of stable with so many errors, so far from independent."""
    return Clumping(rate, Dispersion(rate, 6000, phi, errors, 30), (), 30)


def steps(found: Clumping | None, rate: float = 1000) -> Plan:
    terms = [replace(TERMS, weight=weight, group=5) for weight in (5, 25, 50, 100)]
    known = [found.applied(each) if found else each for each in terms]
    return Plan(rate, tuple(forecast(each, rate, found) for each in known), clumping=found)


def test_the_groups_that_were_measured_are_forecast_with_and_said() -> None:
    measured, assumed = steps(clumping(phi=2.0)), steps(None)
    assert measured.steps[0].seconds < assumed.steps[0].seconds
    verdict = judge(measured)
    assert verdict.sentence.endswith("; errors in groups of 2 to 11, by stable's last half hour")
    assert Clumping.read(json.loads(str(verdict.numbers["clumping"]))) == measured.clumping
    assert "clumping" not in judge(assumed).numbers


def test_a_stable_that_is_worse_needs_more_requests() -> None:
    good, worse, bad = (steps(clumping(rate)).steps[0] for rate in (0.001, 0.004, 0.02))
    assert good.requests < worse.requests
    assert str(bad) == "5 %: error rate never passes, however much traffic there is"


def test_too_few_errors_to_measure_anything_are_said() -> None:
    assert judge(steps(Clumping(0, None, (), 30))).sentence.endswith(
        "groups of 5: stable had too few errors in its last half hour to say more"
    )
    known = replace(steps(None), unmeasured="Prometheus did not answer")
    assert judge(known).sentence.endswith("; groups of 5: Prometheus did not answer")


def test_who_begins_all_the_same_is_said_with_what_speaks_against_it() -> None:
    slow = replace(steps(None, rate=5), despite="ana@laptop: the old one is worse")
    verdict = judge(slow)
    assert verdict.outcome is Outcome.PASS
    assert verdict.sentence.startswith("at 5 requests a second step 5 %: about")
    assert "can not pass within 10 min 0 s" in verdict.sentence
    assert "begun all the same by ana@laptop: the old one is worse" in verdict.sentence
    assert verdict.numbers["despite"] == "ana@laptop: the old one is worse"
    assert "all the same" not in judge(replace(steps(None), despite="ana@laptop: why not")).sentence
