"""The API server's memory, and its write log; the judges read the log."""

import marshal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fixtures.cluster import AlreadyExists, Conflict, NotFound, Resource

Object = dict[str, Any]


@dataclass(frozen=True)
class Write:
    """A change that was made.

    Attributes:
        at: when, seconds.
        who: the process; people and controllers have names as well.
        verb: of the request.
        kind: plural of the resource; ``name`` of the object.
        before: the object before, None when it was created.
        after: the object after, None when it was deleted.
        holder: who held the Lease at that moment.
    """

    at: float
    who: str
    verb: str
    kind: str
    name: str
    before: Object | None
    after: Object | None
    holder: str


def copied(body: Object) -> Object:
    """Copy plain data."""
    found: Object = marshal.loads(marshal.dumps(body))
    return found


class Store:
    """All objects, and what was written.

    Args:
        now: gives the simulated time.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.objects: dict[tuple[str, str], Object] = {}
        self.writes: list[Write] = []
        self.listeners: list[Callable[[Write], None]] = []
        self._now = now
        self._version = 100

    def get(self, resource: Resource, name: str) -> Object:
        try:
            return copied(self.objects[resource.plural, name])
        except KeyError:
            raise NotFound("there is none", f"{resource.plural} {name}") from None

    def put(self, who: str, verb: str, resource: Resource, name: str, body: Object) -> Object:
        """Write an object; a resourceVersion in it has to be the present one."""
        there = self.objects.get((resource.plural, name))
        if verb == "create" and there is not None:
            raise AlreadyExists("there is one", f"{resource.plural} {name}")
        if verb != "create" and there is None:
            raise NotFound("there is none", f"{resource.plural} {name}")
        version = body["metadata"].get("resourceVersion")
        if there is not None and version not in (None, there["metadata"]["resourceVersion"]):
            raise Conflict("it has changed", f"{resource.plural} {name}")
        body = copied(body)
        self._version += 1
        body["metadata"] |= {"name": name, "namespace": "production", "resourceVersion": str(self._version)}
        if there is not None and body.get("spec") != there.get("spec"):
            body["metadata"]["generation"] = there["metadata"].get("generation", 1) + 1
        self._keep(who, verb, resource.plural, name, body)
        return copied(body)

    def change(self, who: str, resource: Resource, name: str, edit: Callable[[Object], None]) -> None:
        """Let a controller or a person change an object that is there."""
        body = self.get(resource, name)
        edit(body)
        self.put(who, "edit", resource, name, body)

    def delete(self, who: str, resource: Resource, name: str) -> None:
        self._keep(who, "delete", resource.plural, name, None)

    @property
    def holder(self) -> str:
        """Who holds the Lease."""
        lease = self.objects.get(("leases", "sluicegate-shop"), {})
        return lease.get("spec", {}).get("holderIdentity") or ""

    def _keep(self, who: str, verb: str, kind: str, name: str, body: Object | None) -> None:
        before = self.objects.pop((kind, name), None)
        if body is not None:
            self.objects[kind, name] = body
        write = Write(self._now(), who, verb, kind, name, before, body, self.holder)
        self.writes.append(write)
        for listener in self.listeners:
            listener(write)
