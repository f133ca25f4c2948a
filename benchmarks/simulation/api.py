"""A process's way to the API server: ``fixtures.cluster.Cluster`` with weather on it, and death at a write."""

# ruff: noqa: ARG002 - its methods are those of the real client

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import jsonpatch

from benchmarks.simulation.store import Object, Store, copied
from benchmarks.simulation.timeline import Killed, Process, Timeline
from benchmarks.simulation.weather import Weather
from fixtures.cluster import LEASES, VIRTUAL_SERVICES, Forbidden, Invalid, Resource
from fixtures.errors import SluicegateError, Unreachable

CONNECT, READ, WEBHOOK = 3.0, 10.0, 5.0  # seconds


@dataclass
class Death:
    """At which write a process dies; both counted over API and Git.

    Attributes:
        write: which one, counted from 1; 0 for never.
        after: whether the write is made first.
    """

    write: int = 0
    after: bool = False
    made: int = 0

    def at_write(self, process: Process, make: Callable[[], Any]) -> Any:
        """Make a write, or die of it."""
        self.made += 1
        if self.made == self.write and not self.after:
            process.dead = True
            raise Killed
        answer = make()
        if self.made == self.write:
            process.dead = True
            raise Killed
        return answer


class Api:
    """One process's client.

    Args:
        process: whose it is.
        store: what the server knows.
        timeline: its time.
        weather: on the way.
        death: of the process.
        random: for the time that calls take.
    """

    def __init__(
        self, process: Process, store: Store, timeline: Timeline, weather: Weather, death: Death, random: Random
    ) -> None:
        self._process, self._store, self._timeline = process, store, timeline
        self._weather, self._death, self._random = weather, death, random

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        self._way()
        found = self._store.get(resource, name)
        self._back()
        return found

    def list(self, resource: Resource, namespace: str, selector: str = "", *, fields: str = "") -> "list[Object]":
        self._way()
        return [copied(body) for (kind, _), body in self._store.objects.items() if kind == resource.plural]

    def create(self, resource: Resource, namespace: str, body: Object) -> Object:
        name = body["metadata"]["name"]
        return self._write(resource, name, lambda: self._put("create", resource, name, body))

    def replace(self, resource: Resource, namespace: str, name: str, body: Object) -> Object:
        return self._write(resource, name, lambda: self._put("replace", resource, name, body))

    def json_patch(self, resource: Resource, namespace: str, name: str, operations: Sequence[Object]) -> Object:
        def make() -> Object:
            try:
                changed = jsonpatch.apply_patch(self._store.get(resource, name), [*operations])
            except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
                raise Invalid(str(error)) from error
            return self._put("patch", resource, name, changed)

        return self._write(resource, name, make)

    def merge_patch(self, resource: Resource, namespace: str, name: str, body: Object) -> Object:
        def make() -> Object:
            there = self._store.get(resource, name)
            annotations = there["metadata"].get("annotations", {}) | body["metadata"]["annotations"]
            there["metadata"]["annotations"] = annotations
            return self._put("patch", resource, name, there)

        return self._write(resource, name, make)

    def scale(self, resource: Resource, namespace: str, name: str, replicas: int, version: str = "") -> Object:
        def make() -> Object:
            body = self._store.get(resource, name)
            body["metadata"]["resourceVersion"] = version or body["metadata"]["resourceVersion"]
            body["spec"]["replicas"] = replicas
            return self._put("scale", resource, name, body)

        return self._write(resource, name, make)

    def _put(self, verb: str, resource: Resource, name: str, body: Object) -> Object:
        return self._store.put(self._process.name, verb, resource, name, body)

    def _write(self, resource: Resource, name: str, make: Callable[[], Object]) -> Object:
        """Send a write: it may not arrive, arrive late, be made without an answer, or kill the process."""
        self._way()
        weather, now = self._weather, self._timeline.now
        if resource is VIRTUAL_SERVICES and weather.until("webhook", now):
            self._timeline.sleep(WEBHOOK)
            raise Unreachable("failed calling webhook (500)", name)
        if resource is not LEASES and weather.hits("touched", now) and (resource.plural, name) in self._store.objects:
            self._store.change("somebody", resource, name, _touch)
        if weather.hits("late", now):
            self._timeline.after(READ + self._random.uniform(0, 8), lambda: _silently(make))
            self._timeline.sleep(READ)
            raise Unreachable("no answer in time", name)
        answer: Object = self._death.at_write(self._process, make)
        if weather.hits("lost", now):
            self._timeline.sleep(self._random.choice((0.01, READ)))
            raise Unreachable("the connection was reset", name)
        self._back()
        return answer

    def _way(self) -> None:
        """Reach the server."""
        now = self._timeline.now
        slow = self._weather.hits("slow", now)
        self._timeline.sleep(self._random.uniform(1, 9) if slow else self._random.uniform(0.002, 0.03))
        if self._weather.until("partitions", self._timeline.now):
            self._timeline.sleep(CONNECT)
            raise Unreachable("no route to the API server")
        if self._weather.until("unauthorized", self._timeline.now):
            raise Forbidden("the token has expired (401)")
        if self._weather.hits("refused", self._timeline.now):
            raise Unreachable("the API server is not able to do it now (500)")

    def _back(self) -> None:
        self._timeline.sleep(self._random.uniform(0.001, 0.02))


def _touch(body: Object) -> None:
    status = body.setdefault("status", {})
    status["touched"] = status.get("touched", 0) + 1


def _silently(make: Callable[[], Object]) -> None:
    try:
        make()
    except SluicegateError:
        return  # nobody waits for the answer any more
