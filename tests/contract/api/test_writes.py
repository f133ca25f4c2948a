"""What a write does, and what it leaves alone."""

from collections.abc import Iterator
from typing import Any

import pytest

Json = dict[str, Any]


def version(body: Json) -> int:
    return int(body["metadata"]["resourceVersion"])


class Writes:
    """What a write does, and what it leaves alone."""

    def test_a_write_that_changes_nothing_is_no_write(self, api: Any, virtual_service: Json) -> None:
        before = api.create("virtualservices", virtual_service)
        same = [
            api.patch("virtualservices/web", {"spec": {"hosts": ["web.example.com"]}}),
            api.patch(
                "virtualservices/web", [{"op": "replace", "path": "/spec/http/0/name", "value": "primary"}], "json"
            ),
            api.put("virtualservices/web", before),
        ]
        assert all(version(each) == version(before) for each in same)

    def test_a_patch_whose_body_is_long_on_its_way_undoes_nobodys(self, api: Any, virtual_service: Json) -> None:
        api.create("virtualservices", virtual_service)

        def slowly() -> Iterator[bytes]:
            yield b'{"metadata": {"labels": '
            api.patch("virtualservices/web", {"metadata": {"labels": {"quick": "yes"}}})
            yield b'{"slow": "yes"}}}'

        headers = {"Content-Type": "application/merge-patch+json"}
        answer = api.session.patch(api.url + api.path("virtualservices/web"), slowly(), headers=headers, timeout=10)
        assert answer.json()["metadata"]["labels"] == {"quick": "yes", "slow": "yes"}

    def test_only_a_change_of_the_spec_is_a_new_generation(self, api: Any, virtual_service: Json) -> None:
        api.create("virtualservices", virtual_service)
        labelled = api.patch("virtualservices/web", {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}})
        assert labelled["metadata"]["generation"] == 1
        weighed = api.patch(
            "virtualservices/web", [{"op": "replace", "path": "/spec/http/0/route/1/weight", "value": 5}], "json"
        )
        assert weighed["metadata"]["generation"] == 2
        assert version(weighed) > version(labelled)

    def test_a_deployments_annotations_are_a_new_generation_too(self, api: Any, deployment: Json) -> None:
        api.create("deployments", deployment)
        assert api.patch("deployments/web", {"metadata": {"annotations": {"a": "b"}}})["metadata"]["generation"] == 2

    def test_the_system_fields_are_not_the_clients(self, api: Any, virtual_service: Json) -> None:
        before = api.create("virtualservices", virtual_service)
        changes = {"generation": 77, "creationTimestamp": None, "uid": None, "labels": {"a": "b"}}
        after = api.patch("virtualservices/web", {"metadata": changes})
        for each in ("generation", "creationTimestamp", "uid"):
            assert after["metadata"][each] == before["metadata"][each]

    def test_one_json_patch_moves_weights_and_record_and_nothing_else(self, api: Any, virtual_service: Json) -> None:
        virtual_service["spec"]["http"].insert(0, {"match": [{"uri": {"prefix": "/x"}}], "redirect": {"uri": "/y"}})
        before = api.create("virtualservices", virtual_service)
        after = api.patch("virtualservices/web", [
            {"op": "replace", "path": "/metadata/resourceVersion", "value": before["metadata"]["resourceVersion"]},
            {"op": "test", "path": "/spec/http/1/name", "value": "primary"},
            {"op": "replace", "path": "/spec/http/1/route/0/weight", "value": 75},
            {"op": "replace", "path": "/spec/http/1/route/1/weight", "value": 25},
            {"op": "add", "path": "/metadata/annotations", "value": {"sluicegate.dev/step": "25"}},
        ], "json")  # fmt: skip
        expected = virtual_service["spec"]
        expected["http"][1]["route"][0]["weight"], expected["http"][1]["route"][1]["weight"] = 75, 25
        assert after["spec"] == expected
        assert after["metadata"]["annotations"] == {"sluicegate.dev/step": "25"}

    def test_main_writes_keep_the_status_and_status_writes_keep_the_rest(self, api: Any, virtual_service: Json) -> None:
        api.create("virtualservices", {**virtual_service, "status": {"observedGeneration": 9}})
        assert not api.get("virtualservices/web").get("status")
        told = {"status": {"observedGeneration": 1}, "metadata": {"labels": {"a": "b"}}, "spec": {"hosts": ["other"]}}
        after = api.patch("virtualservices/web/status", told)
        assert after["status"] == {"observedGeneration": 1}
        assert after["spec"] == virtual_service["spec"]
        assert "labels" not in after["metadata"]
        assert after["metadata"]["generation"] == 1
        main = api.patch(
            "virtualservices/web", {"status": {"observedGeneration": 5}, "metadata": {"labels": {"a": "b"}}}
        )
        assert main["status"] == {"observedGeneration": 1}

    def test_scale_sets_replicas_and_nothing_else(self, api: Any, deployment: Json) -> None:
        before = api.create("deployments", deployment)
        api.patch("deployments/web/scale", {"spec": {"replicas": 3}})
        api.patch("deployments/web/scale", [{"op": "replace", "path": "/spec/replicas", "value": 4}], "json")
        scale = api.get("deployments/web/scale")
        # Without the version that was read: a controller may have written the status meanwhile.
        api.put("deployments/web/scale", {**scale, "metadata": {"name": "web"}, "spec": {"replicas": 5}})
        after = api.get("deployments/web")
        assert after["spec"] == {**before["spec"], "replicas": 5}
        assert after["metadata"]["generation"] == 4

    def test_a_scale_to_nothing_leaves_the_field_out(self, api: Any, deployment: Json) -> None:
        api.create("deployments", deployment)
        assert api.patch("deployments/web/scale", {"spec": {"replicas": 0}})["spec"] == {}
        assert api.get("deployments/web")["spec"]["replicas"] == 0

    def test_a_live_scale_survives_a_write_that_does_not_name_it(self, api: Any, deployment: Json) -> None:
        api.create("deployments", deployment)
        api.patch("deployments/web/scale", {"spec": {"replicas": 4}})
        image = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "web:2"}]}}}}
        after = api.patch("deployments/web", image, "strategic")
        assert after["spec"]["replicas"] == 4
        images = [each["image"] for each in after["spec"]["template"]["spec"]["containers"]]
        assert images == ["web:2", "side:1"]

    def test_a_put_without_replicas_sets_the_default(self, api: Any, deployment: Json) -> None:
        api.create("deployments", deployment)
        api.patch("deployments/web/scale", {"spec": {"replicas": 4}})
        assert api.put("deployments/web", deployment)["spec"]["replicas"] == 1

    def test_a_dry_run_answers_and_writes_nothing(self, api: Any, deployment: Json) -> None:
        code, answer = api.ask("POST", "deployments", deployment, dryRun="All")
        assert (code, answer["spec"]["replicas"]) == (201, 1)
        assert api.ask("GET", "deployments/web")[0] == 404

    def test_a_pod_is_put_on_a_node_once(self, api: Any, pod: Json) -> None:
        api.create("pods", pod)
        binding = {"metadata": {"name": "web-1"}, "target": {"kind": "Node", "name": "node-1"}}
        assert api.ask("POST", "pods/web-1/binding", binding)[0] == 201
        assert api.get("pods/web-1")["spec"]["nodeName"] == "node-1"
        assert api.ask("POST", "pods/web-1/binding", binding)[0] == 409


class TestWritesOnTheStandIn(Writes):
    @pytest.fixture
    def server(self, stand_in: Any) -> Any:
        return stand_in


@pytest.mark.xdist_group("real")
class TestWritesOnARealServer(Writes):
    @pytest.fixture
    def server(self, real: Any) -> Any:
        return real
