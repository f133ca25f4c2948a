"""A cluster in memory with the conflicts of a real one, and a release that stands in it at rest."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import jsonpatch
import pytest

from fixtures.cluster import (
    DEPLOYMENTS,
    VIRTUAL_SERVICES,
    AlreadyExists,
    Conflict,
    Invalid,
    NotFound,
    Resource,
)
from fixtures.errors import SluicegateError
from fixtures.istio import Subsets
from fixtures.waiting import FakeClock

Object = dict[str, Any]
OLD = "registry.example.com/shop/rebate-core-service@sha256:" + "1" * 64
HOST = "rebate-core.production.svc.cluster.local"


class MemoryCluster:
    """Objects by kind, namespace and name; a write with a stale resourceVersion is a conflict.

    ``before`` and ``after`` are called around each write with (verb, name): the place where a test lets somebody
    else be faster, or lets an answer get lost. ``writes`` is the log of what was really done.
    """

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.writes: list[tuple[str, str, str]] = []
        self.before: Callable[[str, str], None] = lambda verb, name: None
        self.after: Callable[[str, str], None] = lambda verb, name: None
        self.broken: SluicegateError | None = None
        self._version = 100

    def put(self, resource: Resource, namespace: str, body: Object) -> Object:
        """Change the world behind everybody's back."""
        self._version += 1
        body = copy.deepcopy(body)
        body["metadata"] |= {"namespace": namespace, "resourceVersion": str(self._version)}
        self.objects[resource.plural, namespace, body["metadata"]["name"]] = body
        return copy.deepcopy(body)

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        self._works()
        try:
            return copy.deepcopy(self.objects[resource.plural, namespace, name])
        except KeyError:
            raise NotFound("there is none", f"{resource.plural} {namespace}/{name}") from None

    def create(self, resource: Resource, namespace: str, body: Object) -> Object:
        name = body["metadata"]["name"]
        self.before("create", name)
        if (resource.plural, namespace, name) in self.objects:
            raise AlreadyExists("there is one", f"{resource.plural} {namespace}/{name}")
        return self._write("create", resource, namespace, name, body)

    def replace(self, resource: Resource, namespace: str, name: str, body: Object) -> Object:
        self.before("replace", name)
        self._fresh(resource, namespace, name, body["metadata"].get("resourceVersion"))
        return self._write("replace", resource, namespace, name, body)

    def delete(self, resource: Resource, namespace: str, name: str) -> Object:
        self._works()
        return self.objects.pop((resource.plural, namespace, name))

    def json_patch(self, resource: Resource, namespace: str, name: str, operations: Sequence[dict[str, Any]]) -> Object:
        self.before("patch", name)
        current = self.get(resource, namespace, name)
        try:
            changed = jsonpatch.apply_patch(current, [*operations])
        except jsonpatch.JsonPatchTestFailed as error:
            raise Invalid(str(error)) from error
        self._fresh(resource, namespace, name, changed["metadata"].get("resourceVersion"))
        return self._write("patch", resource, namespace, name, changed)

    def scale(self, resource: Resource, namespace: str, name: str, replicas: int, version: str = "") -> Object:
        body = self.get(resource, namespace, name)
        self._fresh(resource, namespace, name, version or body["metadata"]["resourceVersion"])
        body["spec"]["replicas"] = replicas
        body["status"] |= dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas"), replicas)
        return self._write(f"scale {replicas}", resource, namespace, name, body)

    def list(self, resource: Resource, namespace: str, selector: str = "", *, fields: str = "") -> "list[Object]":
        self._works()
        wanted = {namespace} if namespace else {where for _, where, _ in self.objects}
        there = [each for (kind, where, _), each in self.objects.items() if kind == resource.plural and where in wanted]
        return copy.deepcopy(there)

    def _works(self) -> None:
        if self.broken:
            raise self.broken

    def _fresh(self, resource: Resource, namespace: str, name: str, version: str | None) -> None:
        if version != self.get(resource, namespace, name)["metadata"]["resourceVersion"]:
            raise Conflict("it has changed", f"{resource.plural} {namespace}/{name}")

    def _write(self, verb: str, resource: Resource, namespace: str, name: str, body: Object) -> Object:
        self._works()
        written = self.put(resource, namespace, body)
        self.writes.append((verb, resource.plural, name))
        self.after(verb, name)
        return written


def virtual_service(name: str = "rebate-core", **annotations: str) -> Object:
    destinations = [
        {"destination": {"host": HOST, "subset": "stable"}, "weight": 100},
        {"destination": {"host": HOST, "subset": "canary"}, "weight": 0},
    ]
    return {
        "metadata": {"name": name, "uid": f"uid-of-{name}"} | ({"annotations": annotations} if annotations else {}),
        "spec": {
            "hosts": ["rebate.example.com"],
            "http": [{"name": "primary", "timeout": "5s", "route": destinations}],
        },
    }


def deployment(name: str, replicas: int, image: str) -> Object:
    return {
        "metadata": {"name": name, "generation": 1},
        "spec": {
            "replicas": replicas,
            "template": {"spec": {"containers": [{"name": "app", "image": image}]}},
        },
        "status": {"observedGeneration": 1} | dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas"), replicas),
    }


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def subsets() -> Subsets:
    return Subsets(HOST, "stable", "canary")


def at_rest() -> MemoryCluster:
    """A cluster where the release is at rest: four stable pods, one canary pod, no traffic to it."""
    cluster = MemoryCluster()
    cluster.put(VIRTUAL_SERVICES, "production", virtual_service())
    cluster.put(DEPLOYMENTS, "production", deployment("rebate-core", 4, OLD))
    cluster.put(DEPLOYMENTS, "production", deployment("rebate-core-canary", 1, OLD))
    return cluster


@pytest.fixture
def cluster() -> MemoryCluster:
    """A cluster where the release is at rest."""
    return at_rest()


@pytest.fixture
def new_cluster() -> Callable[[], MemoryCluster]:
    """Makes such clusters."""
    return at_rest
