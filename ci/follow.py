"""A running rollout, seen from any terminal: what the cluster shows of it, once a second, until it is over.

It needs nothing of the driver, wherever that runs: the record and the weights, the data plane, the pods, and the
Kubernetes Events that the driver writes at its turning points.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ci.status import Status, status
from ci.traffic import traffic_of
from fixtures.cluster import VIRTUAL_SERVICES, Cluster, Object
from fixtures.errors import Unreachable
from fixtures.object_events import COMPONENT, about
from fixtures.release import Release
from fixtures.target import Target
from fixtures.waiting import SYSTEM_CLOCK, Clock

PERIOD = 1.0  # seconds between two looks
LAST_WORD = 3.0  # seconds that the Event of the end may come later than the end
ENDS = ("RolloutPromoted", "RolloutRolledBack", "RolloutRefused", "RolloutIncomplete")


@dataclass(frozen=True)
class Glance:
    """One look.

    Attributes:
        status: of the service.
        events: Kubernetes Events that are new since the look before: moment, reason and message.
    """

    status: Status
    events: tuple[tuple[str, str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        keys = ("at", "reason", "message")
        return {**self.status.as_json(), "events": [dict(zip(keys, each, strict=True)) for each in self.events]}


def follow(release: Release, target: Target, show: Callable[[Glance], None], clock: Clock = SYSTEM_CLOCK) -> None:
    """Show a rollout until it is over; where none is going on, show that.

    Args:
        release: of the service.
        target: where it runs.
        show: is given each look.
        clock: keeps time.

    Raises:
        SluicegateError: when the cluster can not be read from the first.
    """
    teller = _Teller(release, target.cluster())
    glance = Glance(status(release, target), teller.new())
    show(glance)
    while glance.status.record is not None:
        clock.sleep(PERIOD)
        try:
            glance = Glance(status(release, target), teller.new())
        except Unreachable:
            continue  # a watcher outlasts what the driver outlasts
        if glance.status.record is None:
            glance = Glance(glance.status, (*glance.events, *_last_word(glance, teller, clock)))
        show(glance)


def _last_word(glance: Glance, teller: "_Teller", clock: Clock) -> tuple[tuple[str, str, str], ...]:
    """Wait for the Event of the end, where the driver was to write one."""
    until = clock.monotonic() + LAST_WORD
    found = glance.events
    while not any(reason in ENDS for _, reason, _ in found) and clock.monotonic() < until:
        clock.sleep(PERIOD / 2)
        found = teller.new()
    return found if found is not glance.events else ()


class _Teller:
    """Tells each Event once; those from before the rollout's last beginning never."""

    def __init__(self, release: Release, cluster: Cluster) -> None:
        self._cluster = cluster
        self._service = {"kind": VIRTUAL_SERVICES.kind, **traffic_of(release, cluster).look()[0].object}
        self._told: set[str] = set()

    def new(self) -> tuple[tuple[str, str, str], ...]:
        """Give the Events that are new."""
        found = [each for each in about(self._cluster, self._service) if each["source"].get("component") == COMPONENT]
        begins = [place for place, each in enumerate(found) if each["reason"] == "RolloutBegan"]
        fresh = [each for each in found[max(begins, default=0) :] if each["metadata"]["name"] not in self._told]
        self._told |= {each["metadata"]["name"] for each in found}
        return tuple(map(_told, fresh))


def _told(event: Object) -> tuple[str, str, str]:
    return event["lastTimestamp"], event["reason"], event["message"]
