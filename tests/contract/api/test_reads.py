"""Reading: one object, lists, pages, tables, discovery."""

from typing import Any

import pytest

Json = dict[str, Any]


@pytest.fixture
def three(api: Any) -> Any:
    for name, color in (("a", "blue"), ("b", "green"), ("c", "blue")):
        api.create("configmaps", {"metadata": {"name": name, "labels": {"color": color}}})
    return api


def names(answer: Json) -> list[str]:
    return [each["metadata"]["name"] for each in answer["items"]]


class Reads:
    """What is read, listed, paged."""

    def test_a_new_object_has_what_the_system_gives(self, api: Any, deployment: Json) -> None:
        created = api.create("deployments", deployment)
        metadata = created["metadata"]
        assert (metadata["namespace"], metadata["generation"]) == (api.namespace, 1)
        assert metadata["uid"]
        assert metadata["creationTimestamp"].endswith("Z")
        assert int(metadata["resourceVersion"]) > 0
        assert (created["apiVersion"], created["kind"], created["spec"]["replicas"]) == ("apps/v1", "Deployment", 1)

    def test_a_generated_name_begins_as_wished(self, api: Any) -> None:
        created = [
            api.create("configmaps", {"metadata": {"generateName": "web-"}})["metadata"]["name"] for _ in range(3)
        ]
        assert all(name.startswith("web-") and len(name) == 9 for name in created)
        assert len(set(created)) == 3

    def test_a_list_selects_by_label_and_field(self, three: Any) -> None:
        assert names(three.get("configmaps", labelSelector="color")) == ["a", "b", "c"]
        assert names(three.get("configmaps", labelSelector="color=blue")) == ["a", "c"]
        assert names(three.get("configmaps", labelSelector="color=blue", fieldSelector="metadata.name=c")) == ["c"]

    def test_items_of_a_builtin_list_carry_no_kind(self, three: Any, virtual_service: Json) -> None:
        three.create("virtualservices", virtual_service)
        assert "kind" not in three.get("configmaps")["items"][0]
        assert three.get("virtualservices")["items"][0]["kind"] == "VirtualService"

    def test_a_list_over_all_namespaces_and_an_unknown_namespace(self, three: Any) -> None:
        everywhere = three.get("/api/v1/configmaps", labelSelector="color=green")
        assert three.namespace in [each["metadata"]["namespace"] for each in everywhere["items"]]
        assert three.get("/api/v1/namespaces/nobody/configmaps")["items"] == []

    def test_pages_give_every_object_once_at_one_revision(self, three: Any) -> None:
        wish = {"labelSelector": "color"}
        first = three.get("configmaps", limit=2, **wish)
        three.create("configmaps", {"metadata": {"name": "z"}})
        second = three.get("configmaps", limit=2, **wish, **{"continue": first["metadata"]["continue"]})
        assert (names(first), names(second)) == (["a", "b"], ["c"])
        assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        assert not second["metadata"].get("continue")

    def test_a_table_has_a_row_an_object(self, three: Any) -> None:
        accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
        table = three.send("GET", "configmaps", accept=accept, labelSelector="color").json()
        assert table["kind"] == "Table"
        assert [each["name"] for each in table["columnDefinitions"]] == ["Name", "Data", "Age"]
        assert [each["cells"][0] for each in table["rows"]] == ["a", "b", "c"]
        assert table["rows"][0]["object"]["metadata"]["labels"] == {"color": "blue"}

    def test_a_scale_says_replicas_and_selector(self, api: Any, deployment: Json) -> None:
        api.create("deployments", deployment)
        scale = api.get("deployments/web/scale")
        assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
        assert (scale["spec"]["replicas"], scale["status"]["selector"]) == (1, "app=web")

    def test_discovery_names_every_kind_with_its_subresources(self, api: Any) -> None:
        groups = {each["name"] for each in api.get("/apis")["groups"]}
        assert {"apps", "coordination.k8s.io", "autoscaling", "networking.istio.io"} <= groups
        listed = {each["name"]: each for each in api.get("/apis/apps/v1")["resources"]}
        assert {"deployments", "deployments/status", "deployments/scale", "replicasets"} <= set(listed)
        assert listed["deployments/scale"]["kind"] == "Scale"
        assert listed["deployments"]["shortNames"] == ["deploy"]


class TestReadsOnTheStandIn(Reads):
    @pytest.fixture
    def server(self, stand_in: Any) -> Any:
        return stand_in


@pytest.mark.xdist_group("real")
class TestReadsOnARealServer(Reads):
    @pytest.fixture
    def server(self, real: Any) -> Any:
        return real
