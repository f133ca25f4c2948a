"""One JSON patch that moves the weights and the record of a VirtualService, and nothing else. Pure.

Rules:
    1. The patch replaces ``metadata.resourceVersion`` by the one that was read: when the object has changed in
       between, the server answers with a clean 409. (A ``test`` on it would be a 422 without a reason.)
    2. It tests the name and the destinations of every route it touches.
    3. It touches the routes that split between exactly our two subsets of our host, and of them the two weights.
       Other routes, matches, mirrors, retries, time-outs, headers and the order of everything stay as they are.
    4. Annotations are set and removed one by one; an object without annotations gets the whole map, and loses
       it again with our last one.

Example:
    >>> [each["op"] for each in operations(virtual_service, Change(Weights(75, 25)), split)]   # doctest: +SKIP
    ['replace', 'test', 'test', 'test', 'add', 'add']
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.evidence import Weights
from fixtures.errors import ClusterRefused

Object = dict[str, Any]
Operations = list[dict[str, Any]]


@dataclass(frozen=True)
class Split:
    """What our traffic is split between.

    Attributes:
        host: of the Service, fully qualified.
        stable: the subset that serves at rest.
        canary: the subset of the new version.
    """

    host: str
    stable: str
    canary: str


@dataclass(frozen=True)
class Change:
    """What shall be different.

    Attributes:
        weights: of all our routes; None leaves them.
        annotations: by key; None removes one.
    """

    weights: Weights | None = None
    annotations: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Carrier:
    """A route that splits between our two subsets.

    Attributes:
        path: of the route in the object, as a JSON pointer.
        name: of the route; empty when it has none.
        weights: that it has.
        destinations: by subset, the path of each and what it says.
    """

    path: str
    name: str
    weights: Weights
    destinations: Mapping[str, tuple[str, Object]]


def carriers(virtual_service: Object, split: Split) -> list[Carrier]:
    """Find the routes that split between exactly our two subsets.

    Args:
        virtual_service: as read from the cluster.
        split: host and subsets.

    Returns:
        The routes, in their order.
    """
    namespace = virtual_service["metadata"].get("namespace", "")
    routes = enumerate(virtual_service.get("spec", {}).get("http") or [])
    found = (_carrier(f"/spec/http/{index}", route, namespace, split) for index, route in routes)
    return [carrier for carrier in found if carrier]


def operations(virtual_service: Object, change: Change, split: Split) -> Operations:
    """Write the patch.

    Args:
        virtual_service: as read from the cluster.
        change: what shall be different.
        split: host and subsets.

    Returns:
        RFC 6902 operations.

    Raises:
        ClusterRefused: when weights are to move and no route splits between our subsets.
    """
    version = virtual_service["metadata"]["resourceVersion"]
    found = carriers(virtual_service, split) if change.weights else []
    if change.weights and not found:
        raise _no_carrier(virtual_service, split)
    return [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        *(operation for carrier in found for operation in _tests(carrier)),
        *(operation for carrier in found for operation in _moves(carrier, change.weights, split)),
        *_annotate(virtual_service["metadata"].get("annotations"), change.annotations),
    ]


def _carrier(path: str, route: Object, namespace: str, split: Split) -> Carrier | None:
    destinations = route.get("route") or []
    ours = {
        each["destination"].get("subset"): (f"{path}/route/{index}", each)
        for index, each in enumerate(destinations)
        if _full_host(each["destination"].get("host", ""), namespace) == split.host
    }
    if len(destinations) != len(ours) or set(ours) != {split.stable, split.canary}:
        return None
    stable, canary = (ours[subset][1].get("weight", 0) for subset in (split.stable, split.canary))
    return Carrier(path, route.get("name", ""), Weights(stable, canary), ours)


def _full_host(host: str, namespace: str) -> str:
    """A host without a dot is a Service of the VirtualService's namespace; Istio resolves no other short form."""
    return host if "." in host else f"{host}.{namespace}.svc.cluster.local"


def _tests(carrier: Carrier) -> Iterator[dict[str, Any]]:
    if carrier.name:
        yield {"op": "test", "path": f"{carrier.path}/name", "value": carrier.name}
    for path, each in carrier.destinations.values():
        yield {"op": "test", "path": f"{path}/destination", "value": each["destination"]}


def _moves(carrier: Carrier, weights: Weights | None, split: Split) -> Iterator[dict[str, Any]]:
    """Write the weights that differ; ``add``, because a weight of 0 is often left out."""
    if weights is None:
        return
    for subset, wanted in ((split.stable, weights.stable), (split.canary, weights.canary)):
        path, each = carrier.destinations[subset]
        if each.get("weight") != wanted:
            yield {"op": "add", "path": f"{path}/weight", "value": int(wanted)}


def _annotate(existing: Mapping[str, str] | None, wanted: Mapping[str, str | None]) -> Operations:
    before = existing or {}
    added = {key: value for key, value in wanted.items() if value is not None and before.get(key) != value}
    removed = [key for key, value in wanted.items() if value is None and key in before]
    if existing is None:
        return [{"op": "add", "path": "/metadata/annotations", "value": added}] if added else []
    if removed and not added and len(removed) == len(before):
        return [{"op": "remove", "path": "/metadata/annotations"}]
    return [
        *({"op": "add", "path": _annotation(key), "value": value} for key, value in added.items()),
        *({"op": "remove", "path": _annotation(key)} for key in removed),
    ]


def _annotation(key: str) -> str:
    return "/metadata/annotations/" + key.replace("~", "~0").replace("/", "~1")


def _no_carrier(virtual_service: Object, split: Split) -> ClusterRefused:
    metadata = virtual_service["metadata"]
    return ClusterRefused(
        f"no http route splits between exactly the subsets {split.stable!r} and {split.canary!r} of {split.host}",
        where=f"virtualservices {metadata.get('namespace')}/{metadata.get('name')}",
        remedy="give one route these two destinations, or name the right VirtualService in the release file",
    )
