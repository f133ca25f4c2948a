"""A rollout's numbers, as a Pushgateway gets them and Prometheus' own parser reads them."""

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ci.events import HoldEnded, RollbackMeasured, VerdictReached, WeightsWritten
from ci.reporters.notify.metrics import Numbers

VERDICT = {"suite": "canary_step", "step": 5, "gate": "error_rate", "sentence": "x", "after": 6.0}


@pytest.fixture
def numbers(server: Any) -> Any:
    def of(request: int) -> dict[tuple[str, ...], float]:
        body = server.requests[request][3].decode()
        families = text_string_to_metric_families(body)
        return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}

    return of


def test_each_turn_replaces_the_services_numbers(told: Any, rollout: Any, held: Any, server: Any, numbers: Any) -> None:
    between = [
        WeightsWritten(at=1.0, stable=95, canary=5, why="", who="", took=0.1),
        held,
        HoldEnded(at=2.0, step=5, took=1.0),
        VerdictReached(at=3.0, outcome="FAIL", **VERDICT),
        RollbackMeasured(at=4.0, first_bad=1.0, verdict=1.5, written=1.6, last_routed=2.25, bad=7),
        WeightsWritten(at=5.0, stable=100, canary=0, why="", who="", took=0.1),
    ]
    assert told(rollout("rolled back", "", *between), {}, metrics={"pushgateway": server.url}) == []
    group = "/metrics/job/sluicegate/namespace/production/service/rebate-core/target/prod-eu"
    assert {(method, path) for method, path, *_ in server.requests} == {("PUT", group)}
    assert numbers(1)["sluicegate_rollout_canary_weight_ratio",] == 0.05
    assert [numbers(push)["sluicegate_rollout_held",] for push in (1, 2, 3)] == [0, 1, 0]
    last = numbers(-1)
    assert last["sluicegate_rollout_outcome", "rolled_back"] == 1
    assert sum(value for name, value in last.items() if name[0] == "sluicegate_rollout_outcome") == 1
    assert last["sluicegate_rollout_end_timestamp_seconds",] - last["sluicegate_rollout_begin_timestamp_seconds",] == 90
    assert last["sluicegate_rollout_verdicts", "error_rate", "FAIL"] == 1
    assert last["sluicegate_rollout_rollback_seconds",] == 1.25


def test_a_login_is_taken_from_the_environment(told: Any, rollout: Any, server: Any) -> None:
    metrics = {"pushgateway": server.url, "headers": {"Authorization": "Basic {GATEWAY_LOGIN}"}}
    assert told(rollout("promoted"), {"GATEWAY_LOGIN": "Y2k6aG9yc2U="}, metrics=metrics) == []
    assert {headers["Authorization"] for _, _, headers, _ in server.requests} == {"Basic Y2k6aG9yc2U="}
    [note] = told(rollout("promoted"), {}, metrics=metrics)
    assert note.endswith("the environment has no GATEWAY_LOGIN")


def test_a_gateway_that_refuses_is_said_once(told: Any, rollout: Any, held: Any, server: Any) -> None:
    server.status = 503
    [note] = told(rollout("promoted", "", held), {}, metrics={"pushgateway": server.url})
    assert "notify.metrics was not told" in note
    assert note.endswith("answers 503 Service Unavailable")


def test_a_rollback_that_measured_nothing_has_no_time(rollout: Any) -> None:
    made = Numbers()
    made.note(RollbackMeasured(at=4.0, first_bad=None, verdict=1.5, written=1.6, last_routed=None, bad=0))
    assert made.registry.get_sample_value("sluicegate_rollout_rollback_seconds") == 0
