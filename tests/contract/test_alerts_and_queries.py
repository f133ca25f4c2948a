"""A team's own alerting rules and queries, evaluated by a real Prometheus, decide with the gates."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from checks.alerts import NoAlert, OwnQueries
from checks.verdict import Outcome, Verdict
from fixtures.release import Query
from fixtures.sandbox.files import write_json

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

WEIGHT = 50
RATE = 60
BUCKETS = 'istio_request_duration_milliseconds_bucket{destination_version="canary"}'
MEDIAN = f"histogram_quantile(0.5, sum by (le) (rate({BUCKETS}[5s])))"
SLOW = 250  # milliseconds
ALERTS = [
    {"alert": "RebateAnswersSlowly", "expr": f"{MEDIAN} > {SLOW}", "labels": {"service": "rebate-core"}},
    {"alert": "CartIsDown", "expr": "vector(1)", "labels": {"service": "cart"}},
]


def rules(stage: Any, *alerts: dict[str, Any]) -> None:
    """Give Prometheus alerting rules."""
    write_json(stage.state / "prometheus" / "rules.yaml", {"groups": [{"name": "team", "rules": alerts}]})
    requests.post(f"{stage.info['prometheus']}/-/reload", timeout=10).raise_for_status()


@pytest.fixture
def canary(stage: Any) -> Iterator[Any]:
    rules(stage, *ALERTS)
    stage.canary(WEIGHT)
    stage.rate(RATE)
    yield stage
    stage.quiet()
    rules(stage)


def test_a_firing_alert_and_a_query_out_of_range_fail_the_step(canary: Any, watch: Any) -> None:
    """All is well, though an alert of another service fires; then, in the middle of a step, the canary is slow."""
    query = Query(name="median", promql=MEDIAN, below=SLOW)
    release = {"alerts": {"service": "rebate-core"}, "queries": (query,)}

    def steps(soak: float) -> list[Any]:
        subject = canary.subject(WEIGHT, soak=soak, limit=30.0, **release)
        return [watch(subject, no_alert_fires=NoAlert), watch(subject, own_queries_in_range=OwnQueries)]

    def told(steps: list[Any]) -> dict[str, Verdict]:
        return {gate: verdict for step in steps for gate, verdict in step.verdicts().items()}

    good = told(steps(1))
    assert {each.outcome for each in good.values()} == {Outcome.PASS}, good
    assert good["no_alert_fires"].sentence == "no alert fires"
    watched = steps(30)
    canary.fail("canary", latency_ms=2 * SLOW)
    bad = told(watched)
    assert {each.outcome for each in bad.values()} == {Outcome.FAIL}, bad
    assert bad["no_alert_fires"].sentence == "alert RebateAnswersSlowly fires"
    assert bad["own_queries_in_range"].sentence.startswith("query median is ")
    assert bad["own_queries_in_range"].sentence.endswith("allowed is at most 250")


def test_labels_that_no_rule_can_give_are_not_passed(canary: Any, watch: Any) -> None:
    """A typo in the release file must not silence the team's own alerts; nor may a rule without labels count as one."""
    subject = canary.subject(WEIGHT, soak=1.0, limit=3.0, alerts={"service": "rebate-cor"})
    verdict = watch(subject, no_alert_fires=NoAlert).verdicts()["no_alert_fires"]
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "none of the 2 alerting rules in Prometheus can give service=rebate-cor" in verdict.sentence
    rules(canary, *ALERTS, {"alert": "OfAnyService", "expr": "absent(vector(1))"})
    verdict = watch(subject, no_alert_fires=NoAlert).verdicts()["no_alert_fires"]
    assert verdict.outcome is Outcome.PASS, verdict
