"""The curves are the gates' own numbers."""

from dataclasses import replace
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.evidence import Count
from checks.rate import INTERVAL_ERROR
from checks.sequential import lower_bound, upper_bound
from ci.events import Event, Looked
from ci.reporters.report.collect import collect
from ci.reporters.report.rate_panel import interval
from ci.reporters.report.rates import POINTS, Rates, _estimates, rates


def error_rates(events: list[Event]) -> Rates:
    return rates(collect(events))[0]


@pytest.mark.parametrize("recording", ["promotion", "rollback"])
def test_at_the_moment_of_a_verdict_the_curve_says_what_the_gate_said(
    recording: str, request: pytest.FixtureRequest
) -> None:
    events: list[Event] = request.getfixturevalue(recording)
    seen = 0
    for curve in error_rates(events).curves:
        for verdict in curve.run.verdicts:
            if (
                verdict.gate == {"canary": "error_rate", "stable": "stable_error_rate"}[curve.side]
                and not curve.run.guarded
            ):
                assert any(interval(estimate) in verdict.sentence for estimate in curve.estimates), verdict.sentence
                seen += 1
    assert seen == len([run for run in collect(events).runs if run.watched and not run.guarded])


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.floats(0, 1)), min_size=1, max_size=40),
    st.sampled_from([1.0, 5.0, 17.0]),
)
def test_an_interval_is_that_of_its_counts_however_one_came_there(parts: list[tuple[int, float]], group: float) -> None:
    counts = accumulate(Count(requests, round(requests * share)) for requests, share in parts)
    known = [(float(at), seen) for at, seen in enumerate(counts) if seen.requests]
    for estimate in _estimates(known, group):
        low = lower_bound(estimate.seen, group, INTERVAL_ERROR)
        high = upper_bound(estimate.seen, group, INTERVAL_ERROR)
        assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=1e-4)
        assert 0 <= estimate.low <= estimate.rate <= estimate.high <= 1


def test_every_latency_objective_has_its_own_rates(promotion: list[Event]) -> None:
    found = rates(collect(promotion))
    assert [(each.bad, each.objective) for each in found] == [
        ("errors", 0.01),
        ("slower than 500 ms", pytest.approx(0.01)),
        ("slower than 100 ms", pytest.approx(0.05)),
    ]
    assert all(each.curves for each in found)


def test_a_side_without_traffic_has_no_curve(promotion: list[Event]) -> None:
    sides = [(curve.run.part, curve.side) for curve in error_rates(promotion).curves]
    assert ("100 %", "stable") not in sides
    assert ("serve", "canary") not in sides
    assert {("100 %", "canary"), ("serve", "stable"), ("50 %", "canary"), ("50 %", "stable")} <= set(sides)


def test_what_ran_under_the_old_weight_is_not_counted_for_a_pass(promotion: list[Event]) -> None:
    [curve] = [each for each in error_rates(promotion).curves if (each.run.part, each.side) == ("25 %", "canary")]
    before = [look for look in curve.run.looks if not look.settled]
    assert sum(look.traffic["canary"]["all"]["requests"] for look in before if look.traffic) > 0
    assert curve.estimates[0].at > before[-1].at


def test_a_look_without_data_is_a_gap_in_time_and_nothing_else(promotion: list[Event]) -> None:
    gaps = [
        replace(event, traffic=None, gap="no answer") if isinstance(event, Looked) and place % 2 else event
        for place, event in enumerate(promotion)
    ]
    whole, holed = error_rates(promotion), error_rates(gaps)
    assert [curve.run.part for curve in holed.curves] == [curve.run.part for curve in whole.curves]
    for some, every in zip(holed.curves, whole.curves, strict=True):
        assert 0 < some.last.seen.requests < every.last.seen.requests


def test_a_hold_of_a_night_has_no_more_points_than_can_be_told_apart(promotion: list[Event]) -> None:
    last = next(event for event in reversed(promotion) if isinstance(event, Looked) and event.step == 5)
    place = promotion.index(last)
    night = [replace(last, at=last.at + second, t=last.t + second) for second in range(1, 8 * 3600, 4)]
    later = [replace(event, at=event.at + 8 * 3600) for event in promotion[place + 1 :]]
    [curve] = [
        each
        for each in error_rates([*promotion[: place + 1], *night, *later]).curves
        if (each.run.part, each.side) == ("5 %", "canary")
    ]
    assert len(curve.estimates) <= POINTS + 1
    assert curve.last.at == night[-1].at


def test_a_journal_without_looks_has_no_curves(promotion: list[Event]) -> None:
    assert rates(collect([event for event in promotion if not isinstance(event, Looked)])) == []
