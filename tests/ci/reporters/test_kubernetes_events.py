from typing import Any

import pytest

from ci.events import Event, RollbackBegan, RolloutEnded
from ci.reporters.kubernetes_events import KubernetesEvents
from fixtures.cluster import EVENTS, VIRTUAL_SERVICES, Object, Resource


class Remembering:
    """What a cluster was asked for."""

    def __init__(self) -> None:
        self.created: list[tuple[Resource, str, Any]] = []

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        assert (resource, namespace, name) == (VIRTUAL_SERVICES, "production", "rebate-core")
        return {"metadata": {"name": name, "uid": "6b1d"}}

    def create(self, resource: Resource, namespace: str, body: Object) -> Object:
        self.created.append((resource, namespace, body))
        return body


def written(events: list[Event]) -> list[Any]:
    cluster = Remembering()
    reporter = KubernetesEvents(cluster, "production", "rebate-core")
    for event in events:
        reporter.tell(event)
    reporter.close()
    assert {(resource, namespace) for resource, namespace, _ in cluster.created} <= {(EVENTS, "production")}
    return [body for _, _, body in cluster.created]


def test_only_turning_points_are_written(promoted: list[Event], rolled_back: list[Event]) -> None:
    assert [body["reason"] for body in written(promoted)] == ["RolloutBegan", "RolloutPromoted"]
    reasons = [(body["type"], body["reason"]) for body in written(rolled_back)]
    assert reasons == [("Normal", "RolloutBegan"), ("Warning", "RollingBack"), ("Warning", "RolloutRolledBack")]


@pytest.mark.parametrize("outcome", ["held", "incomplete", "refused"])
def test_every_other_end_is_a_warning(outcome: str) -> None:
    [body] = written([RolloutEnded(at=1.0, outcome=outcome, sentence="why", exit_code=3)])
    assert (body["type"], body["reason"]) == ("Warning", "Rollout" + outcome.title())


def test_describe_finds_them_by_the_virtual_service(rolled_back: list[Event]) -> None:
    bodies = written(rolled_back)
    involved = {"kind": "VirtualService", "namespace": "production", "name": "rebate-core", "uid": "6b1d"}
    for body in bodies:
        assert involved.items() <= body["involvedObject"].items()
        assert body["source"] == {"component": "sluicegate", "host": "alice@build-7"}
    assert len({body["metadata"]["name"] for body in bodies}) == 3
    assert bodies[0]["firstTimestamp"] == "2026-11-24T22:56:02Z"


def test_a_message_is_no_longer_than_an_api_server_takes() -> None:
    [body] = written([RollbackBegan(at=1.0, reason="word " * 1000, who="alice")])
    assert len(body["message"]) == 1024
