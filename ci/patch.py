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
    >>> [each["op"] for each in operations(virtual_service, Change(Weights(75, 25)), subsets)]   # doctest: +SKIP
    ['replace', 'test', 'test', 'add', 'test', 'add']
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.evidence import Weights
from fixtures.errors import ClusterRefused
from fixtures.istio import Subsets, owned_routes

Object = dict[str, Any]
Operation = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """What shall be different.

    Attributes:
        weights: of all our routes; None leaves them.
        annotations: by key; None removes one.
    """

    weights: Weights | None = None
    annotations: Mapping[str, str | None] = field(default_factory=dict)


def operations(virtual_service: Object, change: Change, subsets: Subsets) -> list[Operation]:
    """Write the patch.

    Args:
        virtual_service: as read from the cluster.
        change: what shall be different.
        subsets: of the release.

    Returns:
        RFC 6902 operations.

    Raises:
        ClusterRefused: when weights are to move and no route splits between our subsets.
    """
    metadata = virtual_service["metadata"]
    return [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        *(_move(virtual_service, change.weights, subsets) if change.weights else []),
        *_annotate(metadata.get("annotations"), change.annotations),
    ]


def _move(virtual_service: Object, weights: Weights, subsets: Subsets) -> list[Operation]:
    wanted = {subsets.stable: weights.stable, subsets.canary: weights.canary}
    routes = list(owned_routes(virtual_service, subsets))
    if not routes:
        raise _nothing_to_move(virtual_service, subsets)
    return [operation for index, route, _ in routes for operation in _move_route(index, route, wanted)]


def _move_route(index: int, route: Mapping[str, Any], wanted: Mapping[str, float]) -> Iterator[Operation]:
    """Test that the route is the one that was read, then write what differs."""
    if "name" in route:
        yield {"op": "test", "path": f"/spec/http/{index}/name", "value": route["name"]}
    for number, entry in enumerate(route["route"]):
        path = f"/spec/http/{index}/route/{number}"
        yield {"op": "test", "path": f"{path}/destination", "value": entry["destination"]}
        weight = int(wanted[entry["destination"]["subset"]])
        if entry.get("weight") != weight:
            # add, not replace: a weight of 0 is often left out, and add overwrites one that is there
            yield {"op": "add", "path": f"{path}/weight", "value": weight}


def _annotate(existing: Mapping[str, str] | None, wanted: Mapping[str, str | None]) -> list[Operation]:
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


def _nothing_to_move(virtual_service: Object, subsets: Subsets) -> ClusterRefused:
    metadata = virtual_service["metadata"]
    return ClusterRefused(
        f"no http route splits between exactly the subsets {subsets.stable!r} and {subsets.canary!r} of {subsets.host}",
        where=f"virtualservices {metadata['namespace']}/{metadata['name']}",
        remedy="give one route these two destinations, or name the right VirtualService in the release file",
    )
