"""The answer to "is it safe, what happened, who moved the weight?", from the cluster alone."""

from dataclasses import asdict, dataclass
from typing import Any

from ci.abort import readable
from ci.lease import Holder, lease_name
from ci.record import Record
from ci.traffic import traffic_of
from fixtures.cluster import LEASES, Cluster, NotFound
from fixtures.istio import routed_share
from fixtures.release import Release
from fixtures.surroundings import Service, subsets
from fixtures.target import Target
from fixtures.workload import image_of


@dataclass(frozen=True)
class Version:
    """One of the two Deployments.

    Attributes:
        deployment: its name.
        image: that it asks for.
        ready: pods.
        replicas: that it asks for.
    """

    deployment: str
    image: str
    ready: int
    replicas: int


@dataclass(frozen=True)
class Status:
    """A service as it is now.

    Attributes:
        service: its name.
        record: of the rollout that is going on; None when none is.
        weights: per VirtualService, such as ``100/0`` (stable/canary).
        routed: the canary's shares in the routes that the Envoys really have, percent.
        holder: who holds the Lease.
        stable: its Deployment; ``canary`` the other.
    """

    service: str
    record: Record | None
    weights: dict[str, str]
    routed: tuple[float, ...]
    holder: Holder
    stable: Version
    canary: Version

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        found = asdict(self)
        if self.record is not None:
            found["record"]["phase"] = self.record.phase.value
        return found

    def lines(self) -> list[str]:
        """Give it as lines for people."""
        routed = ", ".join(f"{share:g} %" for share in self.routed) or "nobody to ask"
        return [
            self._rollout(),
            *self._waits(),
            *(f"weights    {name}: stable/canary {weights}" for name, weights in self.weights.items()),
            f"data plane the canary's share: {routed}",
            *(_version(name, each) for name, each in (("stable", self.stable), ("canary", self.canary))),
            self._driver(),
        ]

    def _rollout(self) -> str:
        record = self.record
        if record is None:
            return f"{self.service}: no rollout is going on"
        step = f" {record.step} %" if record.step else ""
        abort = f"; ABORTED by {record.abort}" if record.abort else ""
        began = f"{self.service}: rollout {record.rollout} of {record.image} by {record.who}"
        return f"{began}, in {record.phase.value}{step} since {record.since}{abort}"

    def _waits(self) -> list[str]:
        record = self.record
        if record is None:
            return []
        said = {"held": record.held, "paused by": record.pause, "gates skipped by": record.force}
        said |= {"begun whatever the forecast by": record.despite}
        return [f"{what:10} {text}" for what, text in said.items() if text]

    def _driver(self) -> str:
        if self.holder.identity:
            return f"driver     {self.holder.identity} since {self.holder.since}, last renewed {self.holder.renewed}"
        lost = ", although a rollout is not over: `sluicegate recover` takes it back" if self.record else ""
        return "driver     none" + lost


def status(release: Release, target: Target) -> Status:
    """Look at a service.

    Args:
        release: its release file.
        target: where it runs.

    Raises:
        SluicegateError: when the cluster can not be read.
    """
    cluster, ours = target.cluster(), subsets(release)
    service = Service(cluster, release)
    seen = traffic_of(release, cluster).look()
    shares = [routed_share(admin, each.object, ours) for admin in target.admins for each in seen]
    return Status(
        service=release.service,
        record=readable(seen[0]),
        weights={each.name: _weights(each.weights) for each in seen},
        routed=tuple(share for some in shares for share in some),
        holder=_holder(cluster, release),
        stable=_of(service, release.names.stable, release.names.container),
        canary=_of(service, release.names.canary, release.names.container),
    )


def _weights(found: Any) -> str:
    return ", ".join(sorted(f"{each.stable:g}/{each.canary:g}" for each in found)) or "no route of ours"


def _holder(cluster: Cluster, release: Release) -> Holder:
    try:
        return Holder.of(cluster.get(LEASES, release.namespace, lease_name(release.service)))
    except NotFound:
        return Holder("", "", "")


def _of(service: Service, name: str, container: str | None) -> Version:
    found = service.deployment(name)
    ready = found.get("status", {}).get("readyReplicas", 0)
    return Version(name, image_of(found, container), ready, found["spec"].get("replicas", 1))


def _version(role: str, version: Version) -> str:
    return f"{role:10} {version.ready} of {version.replicas} pods ready, {version.image}"
