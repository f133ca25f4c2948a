"""The proposal: which files change, which are new, and what a person has to do with them, in order.

Rules:
    1. What is there is changed by lines that are added, and not a byte else.
    2. What splits the traffic lies outside of the folder that Argo CD syncs: self-heal undoes a weight within a second.
    3. The labels of stable's pods come before the route that needs them: their roll is an ordinary rolling update, and
       the traffic objects are applied by hand when Argo CD has finished it.
    4. A sync may not write replicas any more; that is said in the Application, because deleting the number from the
       manifest would once set it to 1.
"""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml.nodes import Node

from checks.manifests.images import taken_apart
from ci.adopt.found import Document, Found, value_of
from ci.adopt.objects import JOINS, Wanted, canary_of, dumped, traffic_of, versions_of, versions_service
from fixtures.errors import InputError
from fixtures.yaml_insert import with_entry, with_key
from fixtures.yaml_splice import at

OPTION = "RespectIgnoreDifferences=true"
IGNORED = "{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}"


@dataclass(frozen=True)
class Proposal:
    """What init proposes.

    Attributes:
        before: path in the checkout to text, of files that change.
        after: the same files, and the new ones.
        steps: what a person does, in order.
    """

    before: dict[Path, str]
    after: dict[Path, str]
    steps: tuple[str, ...]

    def diff(self) -> str:
        """Give it as ``git diff`` would."""
        lines: list[str] = []
        for path, text in self.after.items():
            old = self.before.get(path)
            names = (f"a/{path}" if old is not None else "/dev/null", f"b/{path}")
            lines += difflib.unified_diff((old or "").splitlines(True), text.splitlines(True), *names)
        return "".join(lines)

    def write(self, root: Path) -> None:
        """Write it into the checkout.

        Args:
            root: of the checkout.

        Raises:
            InputError: when a file that should be new is there; nothing has been written.
        """
        for path in (each for each in self.after if each not in self.before and (root / each).exists()):
            raise InputError("this file is there already", str(root / path), "move it away, or go on by hand")
        for path, text in self.after.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Given:
    """What a person has said on the command line.

    Attributes:
        path: of the service's folder in the checkout.
        host: by which clients address the service.
        gateway: that serves it, ``NAMESPACE/NAME``; "" for one of its own.
        repository: of the GitOps repository; "" for what the Application says.
        prometheus: its address; "" for none.
        release: where the release file goes.
    """

    path: str
    host: str
    gateway: str = ""
    repository: str = ""
    prometheus: str = ""
    release: Path = Path("release.yaml")


def propose(found: Found, given: Given) -> Proposal:
    """Work out what a canary needs.

    Args:
        found: what there is.
        given: what a person has said.

    Raises:
        InputError: when something has to be said by a person.
    """
    application = value_of(found.application) if found.application else {}
    namespace = _namespace(found.deployment, application)
    ports = value_of(found.service)["spec"]["ports"]
    name, folder = found.deployment.name, Path(given.path)
    traffic = traffic_of(found, Wanted(given.host, given.gateway, namespace), int(ports[0]["port"]))
    made = {
        folder / f"{name}-canary.yaml": canary_of(found),
        folder / f"{name}-versions.yaml": dumped(versions_service(found, ports)),
        Path("traffic") / f"{name}.yaml": dumped(traffic),
        given.release: dumped(_release(found, given, application, namespace)),
    }
    changed = _labelled(found.deployment)
    if found.application:
        changed |= _respecting(found.application)
    before = {path: (found.root / path).read_text(encoding="utf-8") for path in changed}
    return Proposal(before, {**changed, **made}, _steps(found, given))


def _namespace(deployment: Document, application: dict[str, Any]) -> str:
    own = value_of(deployment)["metadata"].get("namespace")
    destination = application.get("spec", {}).get("destination", {}).get("namespace")
    if not (own or destination):
        what = "neither the Deployment nor an Application in this checkout says a namespace"
        raise InputError(what, str(deployment), "write metadata.namespace, or add the Application to the checkout")
    return str(own or destination)


def _labelled(deployment: Document) -> dict[Path, str]:
    """Add the labels to stable's pods that are not there yet."""
    text, wanted = deployment.text, {"version": "stable", JOINS: deployment.name}
    there = deployment.labels("spec", "template", "metadata", "labels")
    for key, value in wanted.items():
        if key not in there:
            (labels,) = at(_node(text, deployment.place), "spec", "template", "metadata", "labels")
            text = with_key(text, labels, key, value)
    return {deployment.file: text} if text != deployment.text else {}


def _respecting(application: Document) -> dict[Path, str]:
    """Let the Application leave the replicas of Deployments alone, also when it syncs."""
    text, values = application.text, value_of(application)
    spec, policy = values["spec"], values["spec"].get("syncPolicy") or {}
    if not any("/spec/replicas" in (each.get("jsonPointers") or []) for each in spec.get("ignoreDifferences") or []):
        text = _added(text, application.place, ("spec",), "ignoreDifferences", IGNORED)
    if not policy:
        text = _with_policy(text, application.place)
    elif OPTION not in (policy.get("syncOptions") or []):
        text = _added(text, application.place, ("spec", "syncPolicy"), "syncOptions", OPTION)
    return {application.file: text} if text != application.text else {}


def _with_policy(text: str, place: int) -> str:
    (spec,) = at(_node(text, place), "spec")
    return with_key(text, spec, "syncPolicy", f"{{automated: {{selfHeal: true}}, syncOptions: [{OPTION}]}}")


def _added(text: str, place: int, above: tuple[str, ...], key: str, entry: str) -> str:
    """Add an entry to a list, or the list where there is none."""
    lists = at(_node(text, place), *above, key)
    if lists:
        return with_entry(text, lists[0], entry)
    return with_key(text, at(_node(text, place), *above)[0], key, f"[{entry}]")


def _node(text: str, place: int) -> Node:
    return Document(Path(), text, place).node


def _release(found: Found, given: Given, application: dict[str, Any], namespace: str) -> dict[str, Any]:
    image = value_of(found.deployment)["spec"]["template"]["spec"]["containers"][0]["image"]
    spec, metadata = application.get("spec", {}), application.get("metadata", {})
    repository = given.repository or spec.get("source", {}).get("repoURL", "")
    if not repository:
        raise InputError("nobody says where the GitOps repository is", str(found.root), "say it with --repository URL")
    name = found.deployment.name
    branch = spec.get("source", {}).get("targetRevision", "main")
    called = {"name": metadata.get("name", name), "namespace": metadata.get("namespace", "argocd")}
    gitops = {"repository": repository, "path": given.path, "application": called}
    return {
        "service": name,
        "namespace": namespace,
        "image": taken_apart(image)[0],
        "gitops": gitops if branch in ("HEAD", "main") else {**gitops, "branch": branch},
        "objectives": {"error_rate": "1%"},
        **({"metrics": {"prometheus": given.prometheus}} if given.prometheus else {}),
        "names": {"service": versions_of(name)},
    }


def _steps(found: Found, given: Given) -> tuple[str, ...]:
    name, release = found.deployment.name, found.root / given.release
    synced = f"Argo CD rolls {name} once (new labels) and starts {name}-canary"
    if not found.application:
        synced += f"; your Application is not here: give it {OPTION} and ignoreDifferences {IGNORED} by hand"
    return (
        f"with --write the diff is written; look again: sluicegate lint {release} --manifests {found.root}",
        f"commit and push: {synced}",
        f"when it is Synced and Healthy: kubectl apply -f traffic/{name}.yaml; that is not for Argo CD to sync",
        f"sluicegate doctor {release} --target CONTEXT, and then sluicegate run",
    )
