"""The patch moves the weights and the record; everything else stays, byte for byte."""

import copy
import json
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import Weights
from ci.patch import Change, operations
from ci.record import PREFIX, PURGED
from fixtures.errors import ClusterRefused
from fixtures.istio import Subsets, owned_routes

HOST = "rebate-core.production.svc.cluster.local"
SUBSETS = Subsets(HOST, "stable", "canary")
QUARTER = Weights(75, 25)


def destination(subset: str, weight: int | None = None, host: str = HOST, **more: Any) -> dict[str, Any]:
    share = {} if weight is None else {"weight": weight}
    return {"destination": {"host": host, "subset": subset, **more}, **share}


def primary(**more: Any) -> dict[str, Any]:
    return {"name": "primary", "route": [destination("stable", 100), destination("canary", 0)], **more}


def virtual_service(*routes: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {
            "name": "rebate-core",
            "namespace": "production",
            "resourceVersion": "41",
            "generation": 3,
            **metadata,
        },
        "spec": {"hosts": ["rebate.example.com"], "gateways": ["rebate"], "http": list(routes)},
    }


def applied(before: dict[str, Any], change: Change) -> dict[str, Any]:
    """Apply the patch as the API server would."""
    return jsonpatch.apply_patch(copy.deepcopy(before), operations(before, change, SUBSETS))  # type: ignore[no-any-return]


# Routes that are none of ours: other hosts, other subsets, one destination, three destinations.
foreign_routes = st.sampled_from(
    [
        {"match": [{"headers": {"x-test~er": {"exact": "a/b"}}}], "route": [destination("canary")]},
        {"name": "other", "route": [destination("stable", 50, "other"), destination("canary", 50, "other")]},
        {"route": [destination("stable", 90), destination("canary", 5), destination("shadow", 5)]},
        {"route": [destination("stable", 50), destination("stable", 50)]},
        {"redirect": {"uri": "/elsewhere"}},
    ]
)
our_routes = st.sampled_from(
    [
        primary(),
        primary(
            match=[{"uri": {"prefix": "/v1"}}],
            timeout="5s",
            retries={"attempts": 0},
            mirror={"host": "shadow"},
            mirrorPercentage={"value": 1.5},
            headers={"response": {"set": {"x-route": "a/b~c"}}},
        ),
        {"route": [destination("canary"), destination("stable", 100, port={"number": 80})]},
        {"route": [destination("stable", 60, "rebate-core"), destination("canary", 40, "rebate-core")]},
    ]
)
annotation_maps = st.one_of(
    st.none(), st.dictionaries(st.sampled_from(["a/b", "x~y/z", PREFIX + "abort"]), st.text(max_size=5))
)
objects = st.builds(
    lambda ours, others, at, annotations: virtual_service(
        *others[:at], *ours, *others[at:], **({} if annotations is None else {"annotations": annotations})
    ),
    st.lists(our_routes, min_size=1, max_size=2),
    st.lists(foreign_routes, max_size=3),
    st.integers(0, 3),
    annotation_maps,
)


@given(objects, st.integers(0, 100))
def test_the_weights_move_and_all_else_stays_byte_for_byte(before: dict[str, Any], canary: int) -> None:
    after = applied(before, Change(Weights(100 - canary, canary)))
    assert {weights for _, _, weights in owned_routes(after, SUBSETS)} == {Weights(100 - canary, canary)}
    assert without_weights(after) == without_weights(before)


def without_weights(virtual_service: dict[str, Any]) -> str:
    """Write an object down without the weights of our routes."""
    rest = copy.deepcopy(virtual_service)
    for _, route, _ in owned_routes(rest, SUBSETS):
        for entry in route["route"]:
            entry.pop("weight", None)
    return json.dumps(rest)


@given(objects)
def test_a_record_comes_and_goes_without_a_trace(before: dict[str, Any]) -> None:
    before["metadata"].get("annotations", {}).pop(PREFIX + "abort", None)
    there = applied(before, Change(annotations={PREFIX + "rollout": "3f9c2a", PREFIX + "phase": "step"}))
    assert there["metadata"]["annotations"][PREFIX + "rollout"] == "3f9c2a"
    gone = applied(there, Change(annotations=PURGED))
    kept = before["metadata"].pop("annotations", None) or None
    assert (gone["metadata"].pop("annotations", None) or None) == kept
    assert json.dumps(gone) == json.dumps(before)


@given(objects)
def test_the_version_that_was_read_is_always_sent(before: dict[str, Any]) -> None:
    first = operations(before, Change(QUARTER), SUBSETS)[0]
    assert first == {"op": "replace", "path": "/metadata/resourceVersion", "value": "41"}


@pytest.mark.parametrize(
    ("meanwhile", "value"),
    [
        ("/spec/http/0/name", "another"),
        ("/spec/http/0/route/1/destination/subset", "shadow"),
        ("/spec/http/0/route/0/destination/host", "elsewhere"),
    ],
)
def test_a_route_that_is_another_now_fails_the_patch(meanwhile: str, value: str) -> None:
    before = virtual_service(primary())
    patch = operations(before, Change(QUARTER), SUBSETS)
    changed = jsonpatch.apply_patch(before, [{"op": "replace", "path": meanwhile, "value": value}])
    with pytest.raises(jsonpatch.JsonPatchTestFailed):
        jsonpatch.apply_patch(changed, patch)


def test_only_what_differs_is_written() -> None:
    before = virtual_service(primary(), annotations={PREFIX + "rollout": "3f9c2a"})
    patch = operations(before, Change(Weights(100, 0), {PREFIX + "rollout": "3f9c2a"}), SUBSETS)
    assert {each["op"] for each in patch[1:]} == {"test"}


def test_a_record_alone_needs_no_route() -> None:
    before = virtual_service({"redirect": {"uri": "/"}})
    assert applied(before, Change(annotations={PREFIX + "abort": "ana"}))["spec"] == before["spec"]


def test_without_a_route_of_ours_it_says_what_is_missing() -> None:
    before = virtual_service({"route": [destination("stable", 100)]})
    with pytest.raises(ClusterRefused, match=r"production/rebate-core: no http route splits between exactly"):
        operations(before, Change(QUARTER), SUBSETS)
