"""A process's way to the API server: ``fixtures.cluster.Cluster`` with weather on it, and death at a write."""

# ruff: noqa: ARG002 - its methods are those of the real client

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import jsonpatch

from benchmarks.simulation.points import REFUSED, Point, point_of
from benchmarks.simulation.store import Object, Store, copied
from benchmarks.simulation.timeline import Killed, Process, Timeline
from benchmarks.simulation.weather import Weather
from fixtures.cluster import LEASES, VIRTUAL_SERVICES, Forbidden, Invalid, Resource
from fixtures.errors import SluicegateError, Unreachable

CONNECT, READ, WEBHOOK = 3.0, 10.0, 5.0  # seconds


@dataclass
class Death:
    """At which write a process dies; all are counted over API and Git.

    Attributes:
        write: which one, counted from 1; 0 for never.
        after: whether the write is made first.
        passed: the names of its writes so far.
        point: the write at which it has died; "" as long as it has not.
    """

    write: int = 0
    after: bool = False
    passed: list[Point] = field(default_factory=list)
    point: Point = ""

    def at_write(self, process: Process, point: Point, make: Callable[[], Any]) -> Any:
        """Make a write, or die of it."""
        self.passed.append(point)
        if len(self.passed) != self.write:
            return make()
        if self.after:
            make()
        self.point, process.dead = point, True
        raise Killed


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
        return self._write("create", resource, body["metadata"]["name"], lambda: body)

    def replace(self, resource: Resource, namespace: str, name: str, body: Object) -> Object:
        return self._write("replace", resource, name, lambda: body)

    def json_patch(self, resource: Resource, namespace: str, name: str, operations: Sequence[Object]) -> Object:
        def patched() -> Object:
            try:
                return jsonpatch.apply_patch(self._store.get(resource, name), [*operations])
            except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
                raise Invalid(str(error)) from error

        return self._write("patch", resource, name, patched)

    def merge_patch(self, resource: Resource, namespace: str, name: str, body: Object) -> Object:
        def merged() -> Object:
            there = self._store.get(resource, name)
            annotations = there["metadata"].get("annotations", {}) | body["metadata"]["annotations"]
            there["metadata"]["annotations"] = annotations
            return there

        return self._write("patch", resource, name, merged)

    def scale(self, resource: Resource, namespace: str, name: str, replicas: int, version: str = "") -> Object:
        def scaled() -> Object:
            body = self._store.get(resource, name)
            body["metadata"]["resourceVersion"] = version or body["metadata"]["resourceVersion"]
            body["spec"]["replicas"] = replicas
            return body

        return self._write("scale", resource, name, scaled)

    def _write(self, verb: str, resource: Resource, name: str, changed: Callable[[], Object]) -> Object:
        """Send a write: it may not arrive, arrive late, be made without an answer, or kill the process."""

        def make() -> Object:
            return self._store.put(self._process.name, verb, resource, name, changed())

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
        answer: Object = self._death.at_write(self._process, self._point(resource, name, changed), make)
        if weather.hits("lost", now):
            self._timeline.sleep(self._random.choice((0.01, READ)))
            raise Unreachable("the connection was reset", name)
        self._back()
        return answer

    def _point(self, resource: Resource, name: str, changed: Callable[[], Object]) -> Point:
        try:
            return point_of(resource.plural, self._store.objects.get((resource.plural, name)), changed())
        except SluicegateError:
            return REFUSED

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
