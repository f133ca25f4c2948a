"""The API client of the house on an API server that really listens: the stand-in, or a real one."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from fixtures.cluster import (
    DEPLOYMENTS,
    LEASES,
    SERVICES,
    VIRTUAL_SERVICES,
    AlreadyExists,
    Cluster,
    Conflict,
    Invalid,
    NotFound,
)
from fixtures.errors import InputError
from fixtures.object_events import about, record

ROUTE = {
    "metadata": {"name": "web"},
    "spec": {
        "hosts": ["web.example.com"],
        "http": [
            {
                "name": "primary",
                "route": [
                    {"destination": {"host": "web", "subset": "stable"}, "weight": 100},
                    {"destination": {"host": "web", "subset": "canary"}, "weight": 0},
                ],
            }
        ],
    },
}


@pytest.fixture
def cluster(server: Any) -> Iterator[Cluster]:
    client = Cluster(server.kubeconfigs["admin"])
    yield client
    client.close()


@pytest.fixture
def namespace(server: Any) -> str:
    return str(server.client().namespace)


def weights(route: dict[str, Any]) -> list[int]:
    return [each.get("weight", 0) for each in route["spec"]["http"][0]["route"]]


def patch(route: dict[str, Any], stable: int, canary: int) -> list[dict[str, Any]]:
    version = route["metadata"]["resourceVersion"]
    first = [{"op": "replace", "path": "/metadata/resourceVersion", "value": version}]
    test = [{"op": "test", "path": "/spec/http/0/name", "value": "primary"}]
    pairs = enumerate((stable, canary))
    return [*first, *test, *({"op": "add", "path": f"/spec/http/0/route/{n}/weight", "value": w} for n, w in pairs)]


class ApiClient:
    """What the API client of the house makes of an API server."""

    def test_what_is_created_is_read_listed_and_deleted(self, cluster: Cluster, namespace: str) -> None:
        made = cluster.create(VIRTUAL_SERVICES, namespace, ROUTE)
        assert made["kind"] == "VirtualService"
        assert cluster.get(VIRTUAL_SERVICES, namespace, "web")["spec"] == made["spec"]
        assert [each["metadata"]["name"] for each in cluster.list(VIRTUAL_SERVICES, namespace)] == ["web"]
        cluster.delete(VIRTUAL_SERVICES, namespace, "web")
        with pytest.raises(NotFound, match=f"virtualservices {namespace}/web: the API server refuses to read it"):
            cluster.get(VIRTUAL_SERVICES, namespace, "web")

    def test_one_patch_moves_weights_and_annotations(self, cluster: Cluster, namespace: str) -> None:
        route = cluster.create(VIRTUAL_SERVICES, namespace, ROUTE)
        note = {"op": "add", "path": "/metadata/annotations", "value": {"sluicegate.dev/step": "25"}}
        now = cluster.json_patch(VIRTUAL_SERVICES, namespace, "web", [*patch(route, 75, 25), note])
        assert (weights(now), now["metadata"]["annotations"]) == ([75, 25], {"sluicegate.dev/step": "25"})

    def test_a_patch_of_what_has_changed_since_is_a_conflict_and_changes_nothing(
        self, cluster: Cluster, namespace: str
    ) -> None:
        route = cluster.create(VIRTUAL_SERVICES, namespace, ROUTE)
        cluster.json_patch(VIRTUAL_SERVICES, namespace, "web", patch(route, 75, 25))
        with pytest.raises(Conflict, match="read it again and decide anew"):
            cluster.json_patch(VIRTUAL_SERVICES, namespace, "web", patch(route, 50, 50))
        assert weights(cluster.get(VIRTUAL_SERVICES, namespace, "web")) == [75, 25]

    def test_a_patch_whose_test_fails_is_invalid_and_changes_nothing(self, cluster: Cluster, namespace: str) -> None:
        route = cluster.create(VIRTUAL_SERVICES, namespace, ROUTE)
        other = [{"op": "test", "path": "/spec/http/0/name", "value": "secondary"}]
        with pytest.raises(Invalid):
            cluster.json_patch(VIRTUAL_SERVICES, namespace, "web", [*patch(route, 75, 25), *other])
        assert weights(cluster.get(VIRTUAL_SERVICES, namespace, "web")) == [100, 0]

    def test_an_impossible_weight_is_refused_in_the_servers_words(self, cluster: Cluster, namespace: str) -> None:
        route = cluster.create(VIRTUAL_SERVICES, namespace, ROUTE)
        with pytest.raises(Invalid, match="weight"):
            cluster.json_patch(VIRTUAL_SERVICES, namespace, "web", patch(route, 103, -3))

    def test_a_lease_is_taken_once_and_renewed_by_the_version_that_was_read(
        self, cluster: Cluster, namespace: str
    ) -> None:
        lease = cluster.create(LEASES, namespace, {"metadata": {"name": "l"}, "spec": {"holderIdentity": "a"}})
        with pytest.raises(AlreadyExists, match=f"leases {namespace}/l: the API server refuses to create it"):
            cluster.create(LEASES, namespace, {"metadata": {"name": "l"}})
        renewed = cluster.replace(LEASES, namespace, "l", {**lease, "spec": {"holderIdentity": "b"}})
        assert renewed["spec"]["holderIdentity"] == "b"
        with pytest.raises(Conflict) as caught:
            cluster.replace(LEASES, namespace, "l", {**lease, "spec": {"holderIdentity": "c"}})
        assert not isinstance(caught.value, AlreadyExists)

    def test_scaling_changes_the_replicas_only(self, cluster: Cluster, namespace: str) -> None:
        labels = {"app": "web"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "r/a:1"}]}}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        made = cluster.create(DEPLOYMENTS, namespace, {"metadata": {"name": "web"}, "spec": spec})
        assert cluster.scale(DEPLOYMENTS, namespace, "web", 3)["spec"]["replicas"] == 3
        assert cluster.scale(DEPLOYMENTS, namespace, "web", 0)["spec"].get("replicas", 0) == 0
        now = cluster.get(DEPLOYMENTS, namespace, "web")["spec"]
        assert now == {**made["spec"], "replicas": 0}

    def test_what_has_changed_since_it_was_read_is_not_scaled(self, cluster: Cluster, namespace: str) -> None:
        labels = {"app": "web"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "r/a:1"}]}}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        made = cluster.create(DEPLOYMENTS, namespace, {"metadata": {"name": "web"}, "spec": spec})
        cluster.merge_patch(DEPLOYMENTS, namespace, "web", {"metadata": {"labels": {"changed": "yes"}}})
        with pytest.raises(Conflict):
            cluster.scale(DEPLOYMENTS, namespace, "web", 3, made["metadata"]["resourceVersion"])
        now = cluster.get(DEPLOYMENTS, namespace, "web")
        assert now["spec"]["replicas"] == 1

    def test_a_merge_patch_takes_a_key_away_with_null(self, cluster: Cluster, namespace: str) -> None:
        cluster.create(LEASES, namespace, {"metadata": {"name": "l", "annotations": {"a": "1", "b": "2"}}})
        now = cluster.merge_patch(LEASES, namespace, "l", {"metadata": {"annotations": {"a": None}}})
        assert now["metadata"]["annotations"] == {"b": "2"}

    def test_a_selector_picks(self, cluster: Cluster, namespace: str) -> None:
        for name in ("stable", "canary"):
            cluster.create(
                SERVICES,
                namespace,
                {"metadata": {"name": name, "labels": {"v": name}}, "spec": {"ports": [{"port": 80}]}},
            )
        assert [each["metadata"]["name"] for each in cluster.list(SERVICES, namespace, "v=canary")] == ["canary"]

    def test_a_watch_goes_on_where_the_snapshot_was_taken(self, cluster: Cluster, namespace: str) -> None:
        route = cluster.create(VIRTUAL_SERVICES, namespace, ROUTE)
        items, version = cluster.snapshot(VIRTUAL_SERVICES, namespace)
        assert len(items) == 1
        thread = threading.Thread(
            target=cluster.json_patch, args=(VIRTUAL_SERVICES, namespace, "web", patch(route, 75, 25))
        )
        changes = cluster.watch(VIRTUAL_SERVICES, namespace, version, seconds=10)
        thread.start()
        kind, seen = next(changes)
        thread.join()
        changes.close()  # type: ignore[attr-defined]
        assert (kind, weights(seen)) == ("MODIFIED", [75, 25])

    def test_a_watch_ends_when_its_time_is_over(self, cluster: Cluster, namespace: str) -> None:
        _, version = cluster.snapshot(LEASES, namespace)
        assert list(cluster.watch(LEASES, namespace, version, seconds=1)) == []

    def test_an_event_stands_beside_its_object(self, cluster: Cluster, namespace: str) -> None:
        route = cluster.create(VIRTUAL_SERVICES, namespace, ROUTE)
        record(cluster, route, reason="WeightRaised", message="canary 25 %", at=1_700_000_000.0)
        record(cluster, route, reason="RolledBack", message="x" * 2000, at=1_700_000_060.0, warning=True)
        seen = about(cluster, route)
        assert [(each["reason"], each["type"]) for each in seen] == [
            ("WeightRaised", "Normal"),
            ("RolledBack", "Warning"),
        ]
        assert seen[0]["firstTimestamp"] == "2023-11-14T22:13:20Z"

    def test_the_context_of_the_kubeconfig_must_be_there(self, server: Any) -> None:
        with pytest.raises(InputError, match="no-such-context"):
            Cluster(server.kubeconfigs["admin"], "no-such-context")


class TestApiClientOnTheStandIn(ApiClient):
    @pytest.fixture
    def server(self, stand_in: Any) -> Any:
        return stand_in


@pytest.mark.xdist_group("real")
class TestApiClientOnARealServer(ApiClient):
    @pytest.fixture
    def server(self, real: Any) -> Any:
        return real
