"""How the server says no: code, reason and sentence of the real one."""

from typing import Any

import pytest

Json = dict[str, Any]
WEIGHT = "/spec/http/0/route/{}/weight"


def refused(answer: tuple[int, Json], code: int, reason: str | None, *words: str) -> Json:
    got, status = answer
    assert (got, status.get("code"), status.get("reason")) == (code, code, reason), status
    assert (status["kind"], status["apiVersion"], status["status"]) == ("Status", "v1", "Failure")
    for each in words:
        assert each in status["message"]
    return status


@pytest.fixture
def there(api: Any, deployment: Json, virtual_service: Json) -> Any:
    api.create("deployments", deployment)
    api.create("virtualservices", virtual_service)
    return api


def test_what_is_not_there(api: Any) -> None:
    status = refused(api.ask("GET", "deployments/web"), 404, "NotFound", 'deployments.apps "web" not found')
    assert status["details"] == {"name": "web", "group": "apps", "kind": "deployments"}
    refused(api.ask("DELETE", "pods/web"), 404, "NotFound", 'pods "web" not found')
    refused(api.ask("PATCH", "virtualservices/web", [], "json"), 404, "NotFound")
    refused(api.ask("GET", "deployments/web/scale"), 404, "NotFound")


def test_what_is_not_served(there: Any) -> None:
    for path in ("/apis/apps/v1/namespaces/default/wrongs", "/apis/apps/v1/deployments/web", "deployments/web/nope"):
        refused(there.ask("GET", path), 404, "NotFound", "the server could not find the requested resource")


def test_a_namespace_has_to_exist_first(api: Any) -> None:
    path = "/api/v1/namespaces/nobody/configmaps"
    refused(api.ask("POST", path, {"metadata": {"name": "x"}}), 404, "NotFound", 'namespaces "nobody" not found')
    body = {"metadata": {"name": "x", "namespace": "other"}}
    refused(api.ask("POST", "configmaps", body), 400, "BadRequest", "does not match the namespace sent on the request")


def test_what_exists_is_not_created_again(there: Any, deployment: Json) -> None:
    answer = there.ask("POST", "deployments", deployment)
    assert refused(answer, 409, "AlreadyExists", 'deployments.apps "web" already exists')["details"]["name"] == "web"


@pytest.mark.parametrize("kind", ["deployments", "virtualservices"])
def test_a_stale_write_is_a_conflict_however_it_is_made(there: Any, kind: str) -> None:
    old = there.get(f"{kind}/web")
    there.patch(f"{kind}/web", {"metadata": {"annotations": {"changed": "meanwhile"}}})
    version = old["metadata"]["resourceVersion"]
    for answer in (
        there.ask("PUT", f"{kind}/web", {**old, "metadata": {**old["metadata"], "labels": {"a": "b"}}}),
        there.ask("PATCH", f"{kind}/web", {"metadata": {"resourceVersion": version, "labels": {"a": "b"}}}, "merge"),
        there.ask("PATCH", f"{kind}/web", [
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
            {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}},
        ], "json"),
    ):  # fmt: skip
        refused(
            answer, 409, "Conflict", "the object has been modified; please apply your changes to the latest version"
        )
    assert there.get(f"{kind}/web")["metadata"].get("labels") == old["metadata"].get("labels")


def test_a_stale_scale_is_a_conflict(there: Any) -> None:
    old = there.get("deployments/web/scale")
    there.patch("deployments/web/scale", {"spec": {"replicas": 2}})
    refused(there.ask("PUT", "deployments/web/scale", {**old, "spec": {"replicas": 3}}), 409, "Conflict")
    assert there.get("deployments/web/scale")["spec"]["replicas"] == 2


def test_a_failed_test_operation_is_invalid_and_says_no_more(there: Any) -> None:
    operations = [{"op": "test", "path": "/spec/http/0/name", "value": "other"}]
    status = refused(there.ask("PATCH", "virtualservices/web", operations, "json"), 422, "Invalid")
    assert status["message"] == "the server rejected our request due to an error in our request"
    assert status["details"] == {}


def test_custom_resources_and_leases_are_not_replaced_blindly(there: Any, virtual_service: Json) -> None:
    answer = there.ask("PUT", "virtualservices/web", virtual_service)
    refused(answer, 422, "Invalid", "metadata.resourceVersion: Invalid value: 0: must be specified for an update")
    lease = {"metadata": {"name": "web"}, "spec": {"holderIdentity": "a"}}
    there.create("leases", lease)
    refused(there.ask("PUT", "leases/web", lease), 422, "Invalid", "must be specified for an update")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"replicas": -1}, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        ({"selector": None}, "spec.selector: Required value"),
        ({"selector": {"matchLabels": {"app": "x"}}}, "`selector` does not match template `labels`"),
        ({"template": {"metadata": {"labels": {"app": "web"}}}}, "spec.template.spec.containers: Required value"),
    ],
)
def test_a_deployment_that_can_not_be(api: Any, deployment: Json, changes: Json, words: str) -> None:
    body = {**deployment, "spec": {**deployment["spec"], **changes}}
    status = refused(api.ask("POST", "deployments", body), 422, "Invalid", 'Deployment.apps "web" is invalid', words)
    assert status["details"]["causes"][0]["field"].startswith("spec.")


def test_every_broken_rule_is_told_at_once(api: Any, deployment: Json) -> None:
    deployment["spec"]["template"]["spec"]["containers"] = [{"name": "A"}]
    status = refused(api.ask("POST", "deployments", deployment), 422, "Invalid", "a lowercase RFC 1123 label")
    assert [each["field"].rpartition(".")[2] for each in status["details"]["causes"]] == ["name", "image"]


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"name": "Bad_Name"}, "metadata.name"),
        ({"name": ""}, "metadata.name"),
        ({"name": "x" * 254}, "metadata.name"),
        ({"name": "ok", "labels": {"a b": "c"}}, "metadata.labels"),
        ({"name": "ok", "labels": {"a": "c d"}}, "metadata.labels"),
        ({"name": "ok", "labels": {"a": "x" * 64}}, "metadata.labels"),
        ({"name": "ok", "annotations": {"a b": "y"}}, "metadata.annotations"),
    ],
)
def test_names_and_labels_that_can_not_be(api: Any, metadata: Json, field: str) -> None:
    status = refused(api.ask("POST", "configmaps", {"metadata": metadata}), 422, "Invalid", field)
    assert status["details"]["causes"][0]["field"] == field


def test_a_selector_stays_as_it_was_made(there: Any) -> None:
    patch = {"spec": {"selector": {"matchLabels": {"app": "x"}}, "template": {"metadata": {"labels": {"app": "x"}}}}}
    refused(there.ask("PATCH", "deployments/web", patch, "merge"), 422, "Invalid", "field is immutable")


def test_a_pod_stays_as_it_was_made_but_for_its_image(api: Any, pod: Json) -> None:
    api.create("pods", pod)
    for spec in ({"nodeName": "node-1"}, {"containers": [{"name": "app", "image": "web:1", "command": ["x"]}]}):
        refused(api.ask("PATCH", "pods/web-1", {"spec": spec}, "strategic"), 422, "Invalid", "may not change fields")
    api.patch("pods/web-1", {"spec": {"containers": [{"name": "app", "image": "web:2"}]}}, "strategic")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{not json", "the object provided is unrecognized (must be of type Deployment)"),
        (b"", "the object provided is unrecognized"),
        (b"[]", "the object provided is unrecognized"),
        (b'{"kind": "Pod", "apiVersion": "apps/v1"}', 'no kind "Pod" is registered for version "apps/v1"'),
        (b'{"metadata": {"name": "b", "labels": {"a": 1}}}', "metadata.labels"),
        (b'{"metadata": {"name": "b"}, "spec": {"replicas": "x"}}', "spec.replicas of type int32"),
        (b'{"metadata": {"name": "b"}, "spec": "x"}', "cannot be handled as a Deployment"),
    ],
)
def test_what_can_not_be_read_is_a_bad_request(api: Any, body: bytes, words: str) -> None:
    refused(api.ask("POST", "deployments", body), 400, "BadRequest", words)


def test_a_custom_resource_has_to_say_what_it_is(api: Any, virtual_service: Json) -> None:
    del virtual_service["kind"]
    refused(api.ask("POST", "virtualservices", virtual_service), 400, "BadRequest", "Object 'Kind'")


def test_a_patch_that_makes_nonsense_is_invalid(there: Any) -> None:
    for patch in ({"spec": {"replicas": "x"}}, {"spec": "x"}, {"metadata": {"labels": {"a": 1}}}, {"kind": "Pod"}):
        refused(there.ask("PATCH", "deployments/web", patch, "merge"), 422, "Invalid", "patch: Invalid value")
    refused(there.ask("PATCH", "deployments/web", b"{no", "merge"), 400, "BadRequest", "invalid JSON patch")
    refused(there.ask("PATCH", "deployments/web", {}, "json"), 400, "BadRequest", "error decoding patch")
    refused(
        there.ask("PATCH", "deployments/web", {"metadata": None}, "merge"), 400, "BadRequest", "name must be provided"
    )


def test_a_patch_of_another_type_is_not_supported(there: Any) -> None:
    refused(there.ask("PATCH", "deployments/web", {}), 415, "UnsupportedMediaType")
    words = (
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json"
    )
    refused(there.ask("PATCH", "virtualservices/web", {}, "strategic"), 415, "UnsupportedMediaType", words)


@pytest.mark.parametrize(
    ("method", "where"),
    [
        ("POST", "deployments/web"), ("PUT", "deployments"), ("PATCH", "deployments"), ("DELETE", "/api/v1/namespaces"),
        ("POST", "/apis/apps/v1/deployments"),
    ],
)  # fmt: skip
def test_a_method_that_is_not_there(there: Any, deployment: Json, method: str, where: str) -> None:
    form = "merge" if method == "PATCH" else ""
    refused(there.ask(method, where, deployment, form), 405, "MethodNotAllowed", "does not allow this method")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"labelSelector": "a===b"}, "unable to parse requirement"),
        ({"fieldSelector": "spec.replicas=1"}, '"spec.replicas" is not a known field selector'),
        ({"limit": "abc"}, "abc"),
    ],
)
def test_a_parameter_that_can_not_be_read(api: Any, query: dict[str, str], words: str) -> None:
    refused(api.ask("GET", "deployments", **query), 400, "BadRequest", words)


def test_a_list_of_the_future_is_a_timeout(api: Any) -> None:
    refused(api.ask("GET", "deployments", resourceVersion="99999999"), 504, "Timeout", "Too large resource version")


@pytest.mark.parametrize(
    ("weights", "words"),
    [((-5, 105), "weight -5 < 0"), ((0, 0), "total destination weight = 0"), ((-1, -1), "2 errors occurred:")],
)
def test_istiod_refuses_weights_that_can_not_be(there: Any, weights: tuple[int, int], words: str) -> None:
    operations = [{"op": "replace", "path": WEIGHT.format(at), "value": each} for at, each in enumerate(weights)]
    answer = there.ask("PATCH", "virtualservices/web", operations, "json")
    refused(answer, 400, None, "admission webhook", "denied the request: configuration is invalid", words)
    assert there.get("virtualservices/web")["metadata"]["generation"] == 1


def test_istiod_lets_weights_pass_that_do_not_sum_to_100(there: Any) -> None:
    operations = [{"op": "replace", "path": WEIGHT.format(at), "value": each} for at, each in enumerate((60, 50))]
    assert there.patch("virtualservices/web", operations, "json")["metadata"]["generation"] == 2


def test_a_virtual_service_that_can_not_be(there: Any) -> None:
    def change(op: str, path: str, value: Any = None) -> tuple[int, Json]:
        answer: tuple[int, Json] = there.ask(
            "PATCH", "virtualservices/web", [{"op": op, "path": path, "value": value}], "json"
        )
        return answer

    refused(change("replace", WEIGHT.format(0), "x"), 422, "Invalid", "must be of type integer")
    refused(change("remove", "/spec/http/0/route/0/destination"), 422, "Invalid", "destination: Required value")
    refused(change("replace", "/spec/http", []), 400, None, "http, tcp or tls must be provided")
    refused(
        change("replace", "/spec/http/0/route", []), 400, None, "HTTP route, redirect or direct_response is required"
    )


def test_a_lease_that_can_not_be(api: Any) -> None:
    def lease(**spec: Any) -> tuple[int, Json]:
        answer: tuple[int, Json] = api.ask("POST", "leases", {"metadata": {"name": "web"}, "spec": spec})
        return answer

    refused(lease(leaseDurationSeconds=0), 422, "Invalid", "must be greater than 0")
    refused(lease(renewTime="2026-01-01T00:00:00Z"), 400, "BadRequest", "parsing time")
    assert lease(renewTime="2026-01-01T00:00:00.000000Z", leaseDurationSeconds=15)[0] == 201


def test_an_event_belongs_to_the_namespace_of_its_object(api: Any) -> None:
    event = {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "p", "namespace": "other"}}
    refused(api.ask("POST", "events", event), 422, "Invalid", "does not match event.namespace")


def test_a_service_with_two_ports_names_them(api: Any) -> None:
    body = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}, {"port": 81}]}}
    refused(api.ask("POST", "services", body), 422, "Invalid", "spec.ports[0].name: Required value")
    refused(api.ask("POST", "services", {**body, "spec": {}}), 422, "Invalid", "spec.ports: Required value")
