"""The points at which a process can die: each of its writes has a name, and a moment before and after it."""

from collections.abc import Iterator

from benchmarks.simulation.store import Object
from ci.phases import ENDS, Phase
from ci.record import Record
from fixtures.errors import ClusterRefused

Point = str
REFUSED: Point = "a write that would be refused"
POINTS: tuple[Point, ...] = (
    "Argo CD: asked to look",
    *("Lease: taken", "Lease: renewed", "Lease: given back"),
    *("autoscaler: raised", "autoscaler: put back"),
    *("canary: scaled up", "canary: scaled down"),
    *("push: canary", "push: stable", "push: back"),
    *("record: a commit", "record: the autoscaler", "record: purged"),
    "record and weights: an abort",
    *(f"record and weights: {phase.value}" for phase in Phase if phase not in ENDS - {Phase.PROMOTED}),
)


def point_of(kind: str, before: Object | None, after: Object) -> Point:
    """Name a write to the API server by what it changes.

    Args:
        kind: plural of the resource.
        before: the object before; None when it is created.
        after: the object after.
    """
    match kind:
        case "virtualservices":
            return next(_of_traffic(_record(before), _record(after)))
        case "leases":
            return _of_lease(_holder(before), _holder(after))
        case "deployments":
            return "canary: scaled up" if _replicas(after) > _replicas(before) else "canary: scaled down"
        case "horizontalpodautoscalers":
            return "autoscaler: raised" if _least(after) > _least(before) else "autoscaler: put back"
        case _:
            return "Argo CD: asked to look"


def point_of_push(subject: str) -> Point:
    """Name a push by its commit's subject, such as ``shop: canary runs ...`` or ``shop: back to before ...``."""
    return f"push: {subject.split()[1]}"


def _of_traffic(old: Record | None, new: Record | None) -> Iterator[Point]:
    if new is None:
        yield "record: purged"
        return
    if old is not None and new.abort != old.abort:
        yield "record and weights: an abort"
    if old is not None and new.commits != old.commits:
        yield "record: a commit"
    if old is not None and new.before_min != old.before_min:
        yield "record: the autoscaler"
    yield f"record and weights: {new.phase.value}"


def _of_lease(old: str, new: str) -> Point:
    if not new:
        return "Lease: given back"
    return "Lease: renewed" if old == new else "Lease: taken"


def _record(body: Object | None) -> Record | None:
    try:
        return Record.read((body or {}).get("metadata", {}).get("annotations") or {})
    except ClusterRefused:
        return None


def _holder(body: Object | None) -> str:
    return (body or {}).get("spec", {}).get("holderIdentity") or ""


def _replicas(body: Object | None) -> int:
    return int(body["spec"]["replicas"]) if body else 0


def _least(body: Object | None) -> int:
    return int(body["spec"].get("minReplicas", 1)) if body else 0
