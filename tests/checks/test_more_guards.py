"""Guards that were added for what counters do not show: hanging, capacity, alerts, own queries, traffic at rest."""

import pytest

from checks.alerts import NoAlert, OwnQueries
from checks.at_rest import RestingTraffic, judge
from checks.capacity import EnoughPods
from checks.evidence import Answers, Capacity, Count, InFlight, Range, Terms, Tick, Traffic
from checks.gate import Decision
from checks.hanging import Hanging
from checks.verdict import Outcome

TERMS = Terms(weight=25, steps=4)


def traffic(canary: float, stable: float) -> Traffic:
    return Traffic(Answers(Count(canary)), Answers(Count(stable)))


def watched(in_flight: float | None, looks: int) -> Decision:
    decision = Decision(Hanging(TERMS))
    for second in range(1, looks + 1):
        decision.look(
            Tick(
                at=second,
                seconds=1,
                traffic=traffic(25, 75),
                in_flight=None if in_flight is None else InFlight(in_flight),
            )
        )
    return decision


def test_requests_that_do_not_end_fail_after_five_looks() -> None:
    # 25 canary requests a second, 1 s each, three times over, and ten: 85.
    assert watched(80, 10).outcome is Outcome.PASS
    assert watched(90, 4).outcome is Outcome.INCONCLUSIVE
    decision = watched(90, 5)
    assert decision.outcome is Outcome.FAIL
    assert "90 requests to the canary are in flight" in decision.verdict.sentence


def test_where_nobody_tells_what_is_in_flight_it_is_said() -> None:
    assert "not exported here" in watched(None, 1).verdict.sentence


def test_nothing_read_is_nothing_shown() -> None:
    for judge_class in (Hanging, EnoughPods):
        decision = Decision(judge_class(TERMS))
        decision.look(Tick(at=1, seconds=1))
        assert decision.outcome is Outcome.INCONCLUSIVE


def pods(stable: int, ready: int) -> Tick:
    return Tick(at=1, seconds=1, capacity=Capacity(stable, ready))


def test_stable_may_not_shrink_while_the_canary_takes_traffic() -> None:
    first = EnoughPods(TERMS)
    assert first.look(pods(8, 2)) is Outcome.PASS
    second = EnoughPods(TERMS)
    second.resume(first.state())
    assert second.look(pods(5, 2)) is Outcome.FAIL
    assert "shrank from 8 to 5" in second.verdict().sentence


def test_the_canary_needs_its_share_of_the_pods() -> None:
    assert EnoughPods(TERMS).look(pods(8, 1)) is Outcome.INCONCLUSIVE
    assert EnoughPods(TERMS).look(pods(9, 3)) is Outcome.PASS


ALERTS = Terms(weight=25, alerts={"service": "shop"})


@pytest.mark.parametrize(
    ("alerts", "gap", "outcome"),
    [
        ((), "", Outcome.PASS),
        (("QueueFull",), "", Outcome.FAIL),
        (None, "Prometheus did not answer", Outcome.INCONCLUSIVE),
    ],
)
def test_an_alert_fails_and_silence_does_not_pass(alerts, gap, outcome) -> None:
    decision = Decision(NoAlert(ALERTS))
    decision.look(Tick(at=1, seconds=1, alerts=alerts, gap=gap))
    assert decision.outcome is outcome


def test_no_alerts_named_is_none_to_fire() -> None:
    assert NoAlert(TERMS).look(Tick(at=1, seconds=1)) is Outcome.PASS


QUERIES = Terms(weight=25, queries=(Range("queue", "max(queue)", below=10),))


def asked(*values: float | None) -> Decision:
    decision = Decision(OwnQueries(QUERIES))
    for value in values:
        decision.look(Tick(at=1, seconds=1, queries={"queue": value}))
    return decision


def test_a_query_has_to_be_out_of_range_three_times() -> None:
    assert asked(3, 4).outcome is Outcome.PASS
    assert asked(3, 11, 11).outcome is Outcome.INCONCLUSIVE
    assert asked(11, 11, 3).outcome is Outcome.PASS
    decision = asked(11, 11, 12)
    assert decision.outcome is Outcome.FAIL
    assert "query queue is 12, allowed is at most 10" in decision.verdict.sentence


@pytest.mark.parametrize("value", [None, float("nan")])
def test_a_query_without_a_number_does_not_pass(value) -> None:
    assert asked(value).outcome is not Outcome.PASS


def test_a_query_that_can_not_be_asked_says_why() -> None:
    decision = asked(3)
    decision.look(Tick(at=2, seconds=1, gap="Prometheus is gone"))
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert decision.verdict.sentence == "no number for query queue: Prometheus is gone"


def test_at_rest_the_canary_answers_nothing() -> None:
    assert judge(RestingTraffic(2.0, traffic(0, 600))).outcome is Outcome.PASS
    leaking = judge(RestingTraffic(2.0, traffic(12, 600)))
    assert leaking.outcome is Outcome.FAIL
    assert "answered 12 requests in 2 s at weight 0" in leaking.sentence
    assert judge(RestingTraffic(2.0, traffic(0, 0))).outcome is Outcome.INCONCLUSIVE
