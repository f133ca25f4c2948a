"""The real kubectl against the stand-in: what a person types works and prints what a person expects."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

KUBECTL = shutil.which("kubectl")
pytestmark = pytest.mark.skipif(
    KUBECTL is None, reason="NO kubectl ON PATH: that it works with the stand-in is NOT tested here; install kubectl"
)
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: "web:1"}, {name: side, image: "side:1"}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web.example.com]
  http:
  - name: primary
    route:
    - {destination: {host: web, subset: stable}, weight: 100}
    - {destination: {host: web, subset: canary}, weight: 0}
"""
Kubectl = Callable[..., str]


@pytest.fixture
def environment(server: Any, tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(tmp_path), "KUBECONFIG": str(server.state / "kubeconfig")}


@pytest.fixture
def kubectl(api: Any, environment: dict[str, str], tmp_path: Path) -> Kubectl:
    """Runs kubectl in the test's namespace, which holds the manifest."""

    def run(*arguments: str, stdin: str = "", fails: bool = False) -> str:
        command = [str(KUBECTL), "-n", api.namespace, *arguments]
        done = subprocess.run(
            command, input=stdin, env=environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert (done.returncode != 0) is fails, done.stderr
        return done.stderr if fails else done.stdout

    assert run("create", "-f", "-", stdin=MANIFEST).splitlines() == [
        "deployment.apps/web created",
        "virtualservice.networking.istio.io/web created",
    ]
    return run


@pytest.fixture
def watching(api: Any, environment: dict[str, str], kubectl: Kubectl) -> Iterator[subprocess.Popen[str]]:
    """`kubectl get -w` on the VirtualService."""
    command = [str(KUBECTL), "-n", api.namespace, "get", "vs", "web", "-w", "-o", "jsonpath={.metadata.generation},"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate(timeout=10)


def weights(kubectl: Kubectl) -> str:
    return kubectl("get", "vs", "web", "-o", "jsonpath={.spec.http[0].route[*].weight}")


def images(kubectl: Kubectl) -> str:
    return kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[*].image}")


def test_get_prints_the_columns_of_the_real_server(kubectl: Kubectl, api: Any) -> None:
    api.patch("deployments/web/status", {"status": {"replicas": 2, "readyReplicas": 1, "updatedReplicas": 2}})
    heads, cells = (line.split() for line in kubectl("get", "deployments").splitlines())
    assert heads == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert cells[:4] == ["web", "1/1", "2", "0"]
    heads, cells = (line.split() for line in kubectl("get", "vs").splitlines())
    assert (heads, cells[:3]) == (["NAME", "GATEWAYS", "HOSTS", "AGE"], ["web", "<none>", "web.example.com"])


def test_get_all_namespaces_and_wide(kubectl: Kubectl, api: Any, pod: Any) -> None:
    pod["spec"]["nodeName"] = "node-1"
    api.create("pods", pod)
    ready = [{"name": "app", "ready": True, "restartCount": 2, "state": {"running": {}}}]
    api.patch("pods/web-1/status", {"status": {"phase": "Running", "podIP": "127.0.0.9", "containerStatuses": ready}})
    [line] = [each for each in kubectl("get", "po", "-A", "-o", "wide").splitlines() if api.namespace in each]
    cells = line.split()
    assert cells[:5] == [api.namespace, "web-1", "1/1", "Running", "2"]
    assert cells[6:] == ["127.0.0.9", "node-1"]


def test_get_yaml_is_the_object(kubectl: Kubectl, api: Any) -> None:
    printed = YAML(typ="safe").load(kubectl("get", "vs", "web", "-o", "yaml"))
    printed["metadata"]["creationTimestamp"] = api.get("virtualservices/web")["metadata"]["creationTimestamp"]
    assert printed == api.get("virtualservices/web")


def test_get_watch_prints_each_change(kubectl: Kubectl, watching: subprocess.Popen[str]) -> None:
    assert watching.stdout is not None
    assert watching.stdout.read(2) == "1,"
    kubectl("patch", "vs", "web", "--type", "merge", "-p", '{"spec":{"hosts":["other.example.com"]}}')
    assert watching.stdout.read(2) == "2,"


def test_patch_merge_and_json(kubectl: Kubectl) -> None:
    operations = [
        {"op": "replace", "path": f"/spec/http/0/route/{at}/weight", "value": to} for at, to in ((0, 75), (1, 25))
    ]
    said = kubectl("patch", "vs", "web", "--type", "json", "-p", json.dumps(operations))
    assert said == "virtualservice.networking.istio.io/web patched\n"
    assert weights(kubectl) == "75 25"
    assert "(no change)" in kubectl(
        "patch", "vs", "web", "--type", "merge", "-p", '{"spec":{"hosts":["web.example.com"]}}'
    )


def test_a_refused_patch_says_why(kubectl: Kubectl) -> None:
    operations = '[{"op":"replace","path":"/spec/http/0/route/1/weight","value":-5}]'
    said = kubectl("patch", "vs", "web", "--type", "json", "-p", operations, fails=True)
    assert "denied the request: configuration is invalid: weight -5 < 0" in said
    assert weights(kubectl) == "100 0"


def test_patch_of_the_default_type_and_set_image_find_the_container(kubectl: Kubectl) -> None:
    kubectl(
        "patch", "deploy", "web", "-p", '{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"web:2"}]}}}}'
    )
    assert images(kubectl) == "web:2 side:1"
    kubectl("set", "image", "deploy/web", "side=side:3")
    assert images(kubectl) == "web:2 side:3"


def test_scale(kubectl: Kubectl) -> None:
    assert kubectl("scale", "deploy", "web", "--replicas", "3") == "deployment.apps/web scaled\n"
    assert kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}") == "3"
    assert "Expected replicas to be 5" in kubectl(
        "scale", "deploy", "web", "--current-replicas=5", "--replicas=1", fails=True
    )


def test_label_annotate_and_select(kubectl: Kubectl) -> None:
    kubectl("label", "deploy", "web", "team=shop")
    kubectl("annotate", "vs", "web", "sluicegate.dev/step=25")
    assert kubectl("get", "deploy", "-l", "team in (shop),app", "-o", "name") == "deployment.apps/web\n"
    assert kubectl("get", "deploy", "-l", "team!=shop", "-o", "name") == ""
    assert kubectl("get", "vs", "web", "-o", r"jsonpath={.metadata.annotations.sluicegate\.dev/step}") == "25"


def test_apply_of_a_changed_manifest_keeps_what_it_does_not_name(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=MANIFEST)
    kubectl("scale", "deploy", "web", "--replicas", "4")
    kubectl("apply", "-f", "-", stdin=MANIFEST.replace("web:1", "web:2"))
    assert images(kubectl) == "web:2 side:1"
    assert kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}") == "4"


def test_events_and_describe(kubectl: Kubectl, api: Any) -> None:
    uid = api.get("deployments/web")["metadata"]["uid"]
    about = {"kind": "Deployment", "name": "web", "namespace": api.namespace, "uid": uid, "apiVersion": "apps/v1"}
    seen = "2026-01-01T00:00:00Z"
    api.create("events", {
        "metadata": {"name": "web.1"}, "involvedObject": about, "type": "Normal", "reason": "ScalingReplicaSet",
        "message": "Scaled up", "firstTimestamp": seen, "lastTimestamp": seen, "count": 1,
    })  # fmt: skip
    heads, cells = (line.split() for line in kubectl("get", "events").splitlines())
    assert heads == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert cells[1:] == ["Normal", "ScalingReplicaSet", "deployment/web", "Scaled", "up"]
    described = kubectl("describe", "deploy", "web")
    assert "Replicas:               1 desired" in described
    assert "ScalingReplicaSet" in described


def test_delete_waits_until_it_is_gone(kubectl: Kubectl) -> None:
    assert (
        kubectl("delete", "-f", "-", "--wait=true", stdin=MANIFEST).splitlines()[0] == 'deployment.apps "web" deleted'
    )
    assert "NotFound" in kubectl("get", "deploy", "web", fails=True)


def test_the_gates_may_look_and_not_touch(kubectl: Kubectl, environment: dict[str, str], server: Any) -> None:
    environment["KUBECONFIG"] = str(server.state / "gates_kubeconfig")
    assert kubectl("get", "vs", "-o", "name") == "virtualservice.networking.istio.io/web\n"
    said = kubectl("scale", "deploy", "web", "--replicas", "0", fails=True)
    assert 'User "gates" cannot patch resource "deployments" in API group "apps" in the namespace' in said
