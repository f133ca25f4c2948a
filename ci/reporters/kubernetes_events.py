"""The turning points of a rollout as Kubernetes Events on its VirtualService.

``kubectl describe virtualservice rebate-core`` then tells whoever looks at the cluster first. Begin, holds, what people
say, roll back and end are written, nothing in between: the API server is no log. The driver's account must be allowed
to create events; one that is not loses these events and nothing else. Stands ``Aside``, because it talks to a network.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from ci.events import BEGIN, Asked, Event, Held, RollbackBegan, RolloutBegan, RolloutEnded
from ci.reporters.sentences import sentence
from fixtures.cluster import EVENTS, VIRTUAL_SERVICES, Object, Resource

LONGEST = 1024  # characters of a message that an API server takes
SAID: Mapping[str, str] = {
    "pause": "Paused",
    "resume": "Resumed",
    "promote": "Approved",
    "force": "Forced",
    BEGIN: "BegunByForce",
}
REASONS: Mapping[str, str] = {"promoted": "RolloutPromoted", "rolled back": "RolloutRolledBack"}


class Objects(Protocol):
    """What is needed of a ``fixtures.cluster.Cluster``."""

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """Read an object."""

    def create(self, resource: Resource, namespace: str, body: Object) -> Object:
        """Create an object."""


class KubernetesEvents:
    """Writes Events.

    Args:
        cluster: where.
        namespace: of the VirtualService, and of its Events.
        name: of the VirtualService.
    """

    def __init__(self, cluster: Objects, namespace: str, name: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._driver = ""
        self._uid = ""

    def tell(self, event: Event) -> None:
        """Write an Event when this is a turning point.

        Raises:
            SluicegateError: when the API server refuses it or can not be reached.
        """
        if isinstance(event, RolloutBegan):
            self._driver = event.who
            self._write(event, "Normal", "RolloutBegan")
        elif isinstance(event, Held):
            self._write(event, "Warning", "RolloutHeld")
        elif isinstance(event, Asked):
            self._write(event, "Warning" if event.what in {"force", BEGIN} else "Normal", f"Rollout{SAID[event.what]}")
        elif isinstance(event, RollbackBegan):
            self._write(event, "Warning", "RollingBack")
        elif isinstance(event, RolloutEnded):
            kind = "Normal" if event.outcome == "promoted" else "Warning"
            reason = REASONS.get(event.outcome, "Rollout" + event.outcome.title().replace(" ", ""))
            self._write(event, kind, reason)

    def close(self) -> None:
        """Nothing to finish: the connection is not ours."""

    def _write(self, event: Event, kind: str, reason: str) -> None:
        """Write one; its name is unique by the moment, as the official client makes it."""
        at = f"{datetime.fromtimestamp(event.at, UTC):%Y-%m-%dT%H:%M:%SZ}"
        body = {
            "metadata": {"name": f"{self._name}.{round(event.at * 1e9):x}", "namespace": self._namespace},
            "involvedObject": self._involved(),
            "type": kind,
            "reason": reason,
            "message": sentence(event)[:LONGEST],
            "source": {"component": "sluicegate", "host": self._driver},
            "firstTimestamp": at,
            "lastTimestamp": at,
            "count": 1,
        }
        self._cluster.create(EVENTS, self._namespace, body)

    def _involved(self) -> Object:
        """Name the VirtualService, with the uid by which ``kubectl describe`` finds its Events."""
        if not self._uid:
            found = self._cluster.get(VIRTUAL_SERVICES, self._namespace, self._name)
            self._uid = found["metadata"].get("uid", "")
        kind = {"apiVersion": VIRTUAL_SERVICES.api_version, "kind": VIRTUAL_SERVICES.kind}
        return {**kind, "namespace": self._namespace, "name": self._name, "uid": self._uid}
