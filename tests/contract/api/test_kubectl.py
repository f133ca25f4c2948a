"""kubectl, two versions of it: what a person types works, and prints what a person expects.

The first that is there of each version: on PATH, or built by `make contract-kubectl` into the user's cache.
On a real server, SLUICEGATE_RECORD=1 writes the requests that kubectl made into the corpus, beside its answers.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from fixtures.sandbox.binaries import cache as cache_folder
from fixtures.waiting import wait

Json = dict[str, Any]
VERSIONS = ("1.32", "1.37")
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 0
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
QUESTIONS = Path(__file__).parent / "corpus" / "questions"
SEEN = ["kind", "apiVersion", "spec", "data", "metadata.labels", "rows[*].cells", "items[*].spec"]
WEIGHTS = "jsonpath={.spec.http[0].route[*].weight}"
IMAGES = "jsonpath={.spec.template.spec.containers[*].image}"


@cache
def program(version: str) -> Path | None:
    """The kubectl of this version."""
    there = (shutil.which("kubectl"), shutil.which(f"kubectl-{version}"), cache_folder() / "bin" / f"kubectl-{version}")
    for path in filter(None, there):
        if Path(path).exists():
            said = subprocess.run(
                [path, "version", "--client", "-o", "json"], capture_output=True, text=True, check=True
            )
            if json.loads(said.stdout)["clientVersion"]["gitVersion"].startswith(f"v{version}."):
                return Path(path)
    return None


class Kubectl:
    """One kubectl, on one server, in one namespace."""

    def __init__(self, path: Path, proxy: Any, namespace: str, home: Path) -> None:
        self.path, self.proxy, self.namespace, self.home = path, proxy, namespace, home
        self.began, self.steady = len(proxy.asked), True

    def command(self, *arguments: str) -> list[str]:
        return [str(self.path), "--server", self.proxy.url, "-n", self.namespace, *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "HOME": str(self.home), "KUBECONFIG": os.devnull, "NO_PROXY": "127.0.0.1", **more}

    def __call__(self, *arguments: str, stdin: str = "", fails: bool = False, **variables: str) -> str:
        done = subprocess.run(
            self.command(*arguments), input=stdin, env=self.environment(**variables),
            capture_output=True, text=True, timeout=50, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) is fails, done.stderr
        return done.stderr if fails else done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Run it beside the test."""
        return subprocess.Popen(self.command(*arguments), env=self.environment(), stdout=subprocess.PIPE, text=True)


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    if program(request.param) is None:
        pytest.skip(f"NO kubectl {request.param}: that it works is NOT tested here; `make contract-kubectl` builds it")
    return str(request.param)


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A home for each version, where it keeps what it has discovered."""
    return cache(lambda version: tmp_path_factory.mktemp(f"kubectl-{version}"))


@pytest.fixture
def empty(
    request: pytest.FixtureRequest, server: Any, version: str, before: Any, homes: Callable[[str], Path]
) -> Iterator[Kubectl]:
    """kubectl in an empty namespace."""
    kubectl = Kubectl(program(version), before(server, "admin"), server.client().namespace, homes(version))
    yield kubectl
    if os.environ.get("SLUICEGATE_RECORD") and server.accounts:
        record(version, request.node.originalname.removeprefix("test_").replace("_", " "), steps(kubectl))


def steps(kubectl: Kubectl) -> list[Json]:
    """What kubectl and the test have asked, as questions of the corpus; discovery, which is cached, is none of it."""
    asked = [
        each for each in kubectl.proxy.asked[kubectl.began :]
        if kubectl.namespace in each["do"] or "/namespaces/" in each["do"]
    ]  # fmt: skip
    if not kubectl.steady or any("protobuf" in each.get("form", "") for each in asked):
        return []
    answers = [each.pop("answer", None) for each in asked]
    return [question(each, answers[:at], kubectl.namespace) for at, each in enumerate(asked)]


def question(step: Json, answers: list[Any], namespace: str) -> Json:
    """One step, with holes for what the server had made up before it."""
    text = json.dumps(step).replace(namespace, "{namespace}")
    for at, answer in enumerate(answers):
        metadata = answer.get("metadata", {}) if isinstance(answer, dict) else {}
        for field in ("resourceVersion", "uid"):
            if metadata.get(field):
                whole = re.compile(rf"(?<![\w-]){re.escape(metadata[field])}(?![\w-])")
                text = whole.sub(f"{{{at}.metadata.{field}}}", text)
    step = json.loads(text)
    if "protobuf" in step.get("accept", ""):
        del step["accept"]  # the answer in JSON will do, which it takes too
    if "fieldSelector" in step.get("query", {}):
        step["query"]["fieldSelector"] = ",".join(sorted(step["query"]["fieldSelector"].split(",")))
    if step.get("query", {}).pop("watch", None):
        step["query"].pop("resourceVersion", None)
        return {**step, "do": step["do"].replace("GET", "WATCH"), "events": 0}
    return {**step, "see": SEEN}


def record(version: str, case: str, asked: list[Json]) -> None:
    """Write down what was asked, once for both versions unless they ask otherwise."""
    path = QUESTIONS / "kubectl.json"
    known = {each["case"]: each["steps"] for each in json.loads(path.read_text())} if path.exists() else {}
    name = case if version == VERSIONS[0] or asked == known.get(case) else f"{case}, {version}"
    cases = ({"case": name, "steps": each} for name, each in sorted({**known, name: asked}.items()) if each)
    lines = json.dumps(list(cases), separators=(",", ":")).replace('{"do"', '\n{"do"').replace('{"case"', '\n{"case"')
    path.write_text(lines + "\n")


@pytest.fixture
def kubectl(empty: Kubectl) -> Kubectl:
    """kubectl in a namespace that holds the manifest, as applied."""
    assert empty("apply", "-f", "-", stdin=MANIFEST).splitlines() == [
        "deployment.apps/web created",
        "virtualservice.networking.istio.io/web created",
    ]
    return empty


@pytest.fixture
def api(server: Any, empty: Kubectl) -> Any:
    """The administrator in the namespace of kubectl, through the same door."""
    client = server.client("admin", empty.namespace)
    return type(client)(empty.proxy.url, client.session, empty.namespace)


@pytest.fixture
def watching(kubectl: Kubectl) -> Iterator[subprocess.Popen[str]]:
    """`kubectl get -w` on the VirtualService."""
    process = kubectl.start("get", "vs", "web", "-w", "-o", "jsonpath={.metadata.generation},")
    yield process
    process.kill()
    process.communicate(timeout=10)


@pytest.fixture
def editor(tmp_path: Path) -> Callable[[str, str], str]:
    """An editor that replaces one text by another in the file that it is given."""

    def editor(old: str, new: str) -> str:
        script = tmp_path / "editor.py"
        script.write_text(
            "import pathlib, sys\n"
            "file = pathlib.Path(sys.argv[1])\n"
            f"file.write_text(file.read_text().replace({old!r}, {new!r}))\n"
        )
        return f"{sys.executable} {script}"

    return editor


def settle(api: Any) -> None:
    """Let the Deployment's controller have looked at it: where none runs, the test speaks for it."""
    made = api.get("deployments/web")
    wanted = made["metadata"]["generation"]
    if "deployment.kubernetes.io/revision" not in (made["metadata"].get("annotations") or {}):
        api.patch("deployments/web/status", {"status": {"observedGeneration": wanted}})
    there = lambda: api.get("deployments/web").get("status", {}).get("observedGeneration", 0) >= wanted or None  # noqa: E731
    wait(there, what="the controller's look at the Deployment", timeout=10, interval=0.05)


class KubectlWorks:
    """What a person types."""

    def test_get_prints_the_columns(self, kubectl: Kubectl) -> None:
        heads, cells = (line.split() for line in kubectl("get", "deployments").splitlines())
        assert heads == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
        assert cells[:4] == ["web", "0/0", "0", "0"]
        heads, cells = (line.split() for line in kubectl("get", "vs").splitlines())
        assert (heads, cells[:2]) == (["NAME", "GATEWAYS", "HOSTS", "AGE"], ["web", '["web.example.com"]'])

    def test_get_all_namespaces_and_wide(self, empty: Kubectl, api: Any, pod: Json) -> None:
        pod["spec"]["nodeName"] = "node-1"
        api.create("pods", pod)
        ready = [
            {
                "name": "app",
                "ready": True,
                "restartCount": 2,
                "image": "web:1",
                "imageID": "x",
                "state": {"running": {}},
            }
        ]
        api.patch(
            "pods/web-1/status", {"status": {"phase": "Running", "podIP": "127.0.0.9", "containerStatuses": ready}}
        )
        [line] = [each for each in empty("get", "po", "-A", "-o", "wide").splitlines() if empty.namespace in each]
        cells = line.split()
        assert cells[:5] == [empty.namespace, "web-1", "1/1", "Running", "2"]
        assert cells[6:] == ["127.0.0.9", "node-1", "<none>", "<none>"]

    def test_get_yaml_is_the_object(self, kubectl: Kubectl, api: Any) -> None:
        printed, made = YAML(typ="safe").load(kubectl("get", "vs", "web", "-o", "yaml")), api.get("virtualservices/web")
        made["metadata"].pop("managedFields", None)
        assert printed["spec"] == made["spec"]
        assert printed["metadata"]["uid"] == made["metadata"]["uid"]

    def test_get_watch_prints_each_change(self, kubectl: Kubectl, watching: subprocess.Popen[str]) -> None:
        assert watching.stdout is not None
        assert watching.stdout.read(2) == "1,"
        kubectl("patch", "vs", "web", "--type", "merge", "-p", '{"spec":{"hosts":["other.example.com"]}}')
        assert watching.stdout.read(2) == "2,"

    def test_apply_again_changes_only_what_the_manifest_changes(self, kubectl: Kubectl) -> None:
        assert kubectl("apply", "-f", "-", stdin=MANIFEST).splitlines() == [
            "deployment.apps/web unchanged",
            "virtualservice.networking.istio.io/web unchanged",
        ]
        changed = (
            MANIFEST.replace("web:1", "web:2").replace("weight: 100", "weight: 90").replace("weight: 0", "weight: 10")
        )
        without_replicas = changed.replace("  replicas: 0\n", "")
        assert kubectl("apply", "-f", "-", stdin=changed).count("configured") == 2
        assert kubectl("get", "deploy", "web", "-o", IMAGES) == "web:2 side:1"
        assert kubectl("get", "vs", "web", "-o", WEIGHTS) == "90 10"
        assert "deployment.apps/web configured" in kubectl("apply", "-f", "-", stdin=without_replicas)

    def test_a_typo_is_refused_before_it_does_harm(self, kubectl: Kubectl) -> None:
        said = kubectl("apply", "-f", "-", stdin=MANIFEST.replace("weight: 100", "wieght: 100"), fails=True)
        assert 'unknown field "spec.http[0].route[0].wieght"' in said
        said = kubectl("apply", "-f", "-", stdin=MANIFEST.replace("replicas:", "replcias:"), fails=True)
        assert 'unknown field "spec.replcias"' in said
        assert kubectl("get", "vs", "web", "-o", WEIGHTS) == "100 0"

    def test_edit_of_both_sorts_of_kinds(self, kubectl: Kubectl, editor: Callable[[str, str], str]) -> None:
        said = kubectl("edit", "deploy", "web", KUBE_EDITOR=editor("image: side:1", "image: side:2"))
        assert said == "deployment.apps/web edited\n"
        assert kubectl("get", "deploy", "web", "-o", IMAGES) == "web:1 side:2"
        kubectl("edit", "vs", "web", KUBE_EDITOR=editor("weight: 100", "weight: 95"))
        assert kubectl("get", "vs", "web", "-o", WEIGHTS) == "95 0"

    def test_edit_that_is_refused_says_why(self, kubectl: Kubectl, editor: Callable[[str, str], str]) -> None:
        said = kubectl("edit", "vs", "web", KUBE_EDITOR=editor("weight: 0", "weight: -5"), fails=True)
        assert "weight -5 < 0" in said
        assert kubectl("get", "vs", "web", "-o", WEIGHTS) == "100 0"

    def test_patch_merge_and_json(self, kubectl: Kubectl) -> None:
        operations = [
            {"op": "replace", "path": f"/spec/http/0/route/{at}/weight", "value": to} for at, to in ((0, 75), (1, 25))
        ]
        said = kubectl("patch", "vs", "web", "--type", "json", "-p", json.dumps(operations))
        assert said == "virtualservice.networking.istio.io/web patched\n"
        assert kubectl("get", "vs", "web", "-o", WEIGHTS) == "75 25"
        same = kubectl("patch", "vs", "web", "--type", "merge", "-p", '{"spec":{"hosts":["web.example.com"]}}')
        assert "(no change)" in same

    def test_a_refused_patch_says_why(self, kubectl: Kubectl) -> None:
        operations = '[{"op":"replace","path":"/spec/http/0/route/1/weight","value":-5}]'
        said = kubectl("patch", "vs", "web", "--type", "json", "-p", operations, fails=True)
        assert "denied the request: configuration is invalid: weight -5 < 0" in said

    def test_patch_of_the_default_type_and_set_image_find_the_container(self, kubectl: Kubectl) -> None:
        one = '{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"web:2"}]}}}}'
        kubectl("patch", "deploy", "web", "-p", one)
        kubectl("set", "image", "deploy/web", "side=side:3")
        assert kubectl("get", "deploy", "web", "-o", IMAGES) == "web:2 side:3"

    def test_scale(self, kubectl: Kubectl) -> None:
        assert kubectl("scale", "deploy", "web", "--replicas", "3") == "deployment.apps/web scaled\n"
        assert kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}") == "3"
        said = kubectl("scale", "deploy", "web", "--current-replicas=5", "--replicas=1", fails=True)
        assert "xpected replicas to be 5" in said

    def test_rollout_status_and_restart(self, kubectl: Kubectl, api: Any) -> None:
        kubectl.steady = False  # what is asked depends on when the controller looks
        settle(api)
        assert 'deployment "web" successfully rolled out' in kubectl("rollout", "status", "deploy/web", "--timeout=20s")
        assert kubectl("rollout", "restart", "deploy/web") == "deployment.apps/web restarted\n"
        annotations = api.get("deployments/web")["spec"]["template"]["metadata"]["annotations"]
        assert "kubectl.kubernetes.io/restartedAt" in annotations
        settle(api)
        assert "successfully rolled out" in kubectl("rollout", "status", "deploy/web", "--timeout=20s")

    def test_label_annotate_and_select(self, kubectl: Kubectl) -> None:
        kubectl("label", "deploy", "web", "team=shop")
        kubectl("annotate", "vs", "web", "sluicegate.dev/step=25")
        assert kubectl("get", "deploy", "-l", "team in (shop),app", "-o", "name") == "deployment.apps/web\n"
        assert kubectl("get", "deploy", "-l", "team!=shop", "-o", "name") == ""
        assert kubectl("get", "vs", "web", "-o", r"jsonpath={.metadata.annotations.sluicegate\.dev/step}") == "25"

    def test_events_and_describe(self, kubectl: Kubectl, api: Any) -> None:
        kubectl.steady = False  # whether there is a ReplicaSet to describe depends on the controller
        uid = api.get("deployments/web")["metadata"]["uid"]
        about = {
            "kind": "Deployment",
            "name": "web",
            "namespace": kubectl.namespace,
            "uid": uid,
            "apiVersion": "apps/v1",
        }
        seen = "2026-01-01T00:00:00Z"
        api.create("events", {
            "metadata": {"name": "web.1"}, "involvedObject": about, "type": "Normal", "reason": "Told",
            "message": "Something happened", "firstTimestamp": seen, "lastTimestamp": seen, "count": 1,
        })  # fmt: skip
        lines = [line.split() for line in kubectl("get", "events").splitlines()]
        assert lines[0] == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
        assert ["Normal", "Told", "deployment/web", "Something", "happened"] in [line[1:] for line in lines]
        described = kubectl("describe", "deploy", "web")
        assert re.search(r"Replicas: +0 desired", described)
        assert "Something happened" in described
        assert re.search(r"Weight: +100", kubectl("describe", "vs", "web"))

    def test_describe_a_pod(self, empty: Kubectl, api: Any, pod: Json) -> None:
        api.create("pods", pod)
        described = empty("describe", "pod", "web-1")
        assert re.search(r"Status: +Pending", described)
        assert re.search(r"Image: +web:1", described)

    def test_logs_of_a_pod_that_runs_nowhere_yet_are_empty(self, empty: Kubectl, api: Any, pod: Json) -> None:
        api.create("pods", pod)
        assert empty("logs", "web-1") == ""
        assert "not found" in empty("logs", "nobody", fails=True)
        assert "container other is not valid for pod web-1" in empty("logs", "web-1", "-c", "other", fails=True)

    def test_delete_waits_until_it_is_gone(self, kubectl: Kubectl) -> None:
        said = kubectl("delete", "-f", "-", "--wait=true", stdin=MANIFEST).splitlines()
        assert [line.split(" from ")[0].removesuffix(" namespace") for line in said] == [
            'deployment.apps "web" deleted',
            'virtualservice.networking.istio.io "web" deleted',
        ]
        assert "NotFound" in kubectl("get", "deploy", "web", fails=True)

    def test_create_and_replace(self, empty: Kubectl) -> None:
        assert empty("create", "configmap", "x", "--from-literal=color=blue") == "configmap/x created\n"
        said = empty("create", "configmap", "x", "--from-literal=color=red", fails=True)
        assert 'configmaps "x" already exists' in said
        body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"color":"green"}}'
        assert empty("replace", "-f", "-", stdin=body) == "configmap/x replaced\n"
        assert empty("get", "cm", "x", "-o", "jsonpath={.data.color}") == "green"

    def test_explain_knows_the_fields(self, empty: Kubectl) -> None:
        assert re.search(r"replicas\s+<integer>", empty("explain", "deployment.spec"))
        assert re.search(r"weight\s+<integer>", empty("explain", "virtualservice.spec.http.route"))

    def test_api_resources(self, empty: Kubectl) -> None:
        listed = empty("api-resources", "--namespaced=true", "-o", "name").split()
        assert {"deployments.apps", "virtualservices.networking.istio.io", "pods"} <= set(listed)

    def test_may_i(self, empty: Kubectl) -> None:
        assert empty("auth", "can-i", "create", "deployments").strip() == "yes"

    def test_the_reader_may_look_and_not_touch(self, kubectl: Kubectl, server: Any, before: Any, version: str) -> None:
        reader = Kubectl(kubectl.path, before(server, "reader"), kubectl.namespace, kubectl.home)
        assert reader("get", "vs", "-o", "name") == "virtualservice.networking.istio.io/web\n"
        said = reader("scale", "deploy", "web", "--replicas", "0", fails=True)
        assert 'User "gates" cannot patch resource "deployments/scale" in API group "apps"' in said
        assert reader("auth", "can-i", "create", "deployments", fails=True) == ""


class TestKubectlOnTheStandIn(KubectlWorks):
    @pytest.fixture
    def server(self, stand_in: Any) -> Any:
        return stand_in

    def test_logs_and_logs_as_they_come(self, empty: Kubectl, api: Any, pod: Json, alone: Any) -> None:
        api.create("pods", {**pod, "metadata": {"name": f"{empty.namespace}"}})
        binding = {"target": {"kind": "Node", "name": "node-1"}}
        api.ask("POST", f"pods/{empty.namespace}/binding", binding)
        (alone.state / "pods").mkdir(exist_ok=True)
        log = alone.state / "pods" / f"{empty.namespace}.log"
        log.write_text("one\ntwo\nthree\n")
        assert empty("logs", empty.namespace) == "one\ntwo\nthree\n"
        assert empty("logs", empty.namespace, "-c", "app", "--tail", "1") == "three\n"
        following = empty.start("logs", "-f", "--tail", "1", empty.namespace)
        assert following.stdout is not None
        try:
            assert following.stdout.readline() == "three\n"
            with log.open("a") as file:
                file.write("four\n")
            assert following.stdout.readline() == "four\n"
            api.delete(f"pods/{empty.namespace}", {"gracePeriodSeconds": 0})
            assert following.wait(10) == 0
        finally:
            following.kill()
            following.communicate(timeout=10)
        api.ask("POST", "pods", {**pod, "metadata": {"name": "timed"}, "spec": {**pod["spec"], "nodeName": "node-1"}})
        assert "the sandbox's API has no timestamps for logs" in empty("logs", "timed", "--timestamps", fails=True)


@pytest.mark.xdist_group("real")
class TestKubectlOnARealServer(KubectlWorks):
    @pytest.fixture
    def server(self, real: Any) -> Any:
        return real
