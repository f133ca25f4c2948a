"""The moments of a rollback, as Envoy's log has them, or as far as they are known without it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ci.events import Event, RollbackBegan, RollbackMeasured, VerdictReached, WeightsWritten
from ci.reporters.report.collect import collect
from ci.reporters.report.harm import Harm, Moment, harm
from ci.reporters.report.harm_panel import harm_panel, near


def without_a_log(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, RollbackMeasured)]


def test_envoys_own_moments_are_taken_where_its_log_could_be_read(rollback: list[Event]) -> None:
    found = harm(collect(rollback))
    [measured] = [event for event in rollback if isinstance(event, RollbackMeasured)]
    assert found is not None
    assert found.measured
    assert found.bad == measured.bad
    assert found.stretch == (measured.first_bad, measured.last_routed)
    assert [each.what for each in found.moments] == [
        "first request that the canary answered badly",
        "last request routed to the canary",
        "rollback decided",
        "safe weights written",
    ]


def test_without_envoys_log_the_gates_looks_verdict_and_write_are_told(rollback: list[Event]) -> None:
    found = harm(collect(without_a_log(rollback)))
    [verdict] = [event for event in rollback if isinstance(event, VerdictReached) and event.outcome == "FAIL"]
    [*_, written] = [event for event in rollback if isinstance(event, WeightsWritten)]
    assert found is not None
    assert (found.measured, found.bad) == (False, None)
    looked, decided, back = found.moments
    assert (looked.what, looked.since) == ("first look that counted a bad answer of the canary", 0.0)
    assert looked.at < decided.at
    assert (decided.at, back.at) == (verdict.at, written.at)
    assert found.stretch == (looked.at, back.at)


def test_a_person_who_takes_it_back_has_decided_it(rollback: list[Event]) -> None:
    events = [
        replace(event, outcome="PASS") if isinstance(event, VerdictReached) else event
        for event in without_a_log(rollback)
    ]
    found = harm(collect(events))
    [began] = [event for event in rollback if isinstance(event, RollbackBegan)]
    assert found is not None
    assert began.at in [each.at for each in found.moments if each.what == "rollback decided"]


def test_what_never_had_a_weight_could_hurt_nobody(rollback: list[Event]) -> None:
    events = [event for event in without_a_log(rollback) if not isinstance(event, WeightsWritten)]
    assert harm(collect(events)) is None


def test_a_canary_that_answered_all_well_hurt_nobody(rollback: list[Event]) -> None:
    events = [replace(e, first_bad=None, bad=0) if isinstance(e, RollbackMeasured) else e for e in rollback]
    found = harm(collect(events))
    assert found is not None
    assert (found.bad, found.stretch) == (0, None)
    assert [each.what for each in found.moments if each.since == 0] == ["rollback decided"]
    assert not harm_panel(found, near(found)[0]).spans


SINCE = st.floats(-3600, 86_400)
MOMENTS = st.lists(SINCE, min_size=1, max_size=4).map(sorted)


@given(MOMENTS)
def test_from_near_every_moment_has_its_lane_its_place_and_its_seconds(since: list[float]) -> None:
    zero = 1_795_566_612.0
    found = Harm([Moment(each, zero + each, f"number {n}") for n, each in enumerate(since)], True, 3, None)
    time, ticks = near(found)
    panel = harm_panel(found, time)
    assert len({mark.y for mark in panel.marks}) == panel.lanes == len(since)
    assert [mark.x for mark in panel.marks] == sorted(mark.x for mark in panel.marks)
    assert all(0 < mark.x < 100 for mark in panel.marks)
    assert [label.text for label in panel.labels][1::2] == [f"{each:+.2f} s" for each in since]
    assert len(ticks) <= 8
    assert all(0 <= tick.x <= 100 for tick in ticks)
    assert len({tick.text for tick in ticks}) == len(ticks)
