"""How a patch and an object become the object that is proposed."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fixtures.sandbox.kinds.patches import chosen, merge, operations, strategic
from fixtures.sandbox.kinds.resources import DEPLOYMENTS, VIRTUAL_SERVICES
from fixtures.sandbox.kinds.status import ApiError

JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=3),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text("abc", max_size=1), inner, max_size=3),
    max_leaves=8,
)
POD_SPEC = {"$ref": "#/components/schemas/io.k8s.api.core.v1.PodSpec"}
METADATA = {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
OBJECTS = some.dictionaries(some.text("abc", max_size=1), JSON, max_size=3)


@pytest.mark.parametrize(
    ("current", "patch", "merged"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": 1}, {"a": None}, {"b": 1}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_follows_rfc_7386(current: Any, patch: Any, merged: Any) -> None:
    assert merge(current, patch) == merged


@given(OBJECTS, OBJECTS)
def test_patches_leave_what_they_were_given_alone(current: dict[str, Any], patch: dict[str, Any]) -> None:
    before = copy.deepcopy((current, patch))
    merge(current, patch)
    strategic(POD_SPEC, current, patch)
    assert (current, patch) == before


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_applied_twice_is_applied_once(current: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merge(current, patch)
    assert merge(once, patch) == once


def test_strategic_patch_finds_a_container_by_its_name() -> None:
    current = {"containers": [{"name": "app", "image": "a:1", "args": ["x"]}, {"name": "side", "image": "s:1"}]}
    patched = strategic(
        POD_SPEC, current, {"containers": [{"name": "app", "image": "a:2"}, {"name": "new", "image": "n:1"}]}
    )
    assert patched["containers"] == [
        {"name": "app", "image": "a:2", "args": ["x"]},
        {"name": "new", "image": "n:1"},
        {"name": "side", "image": "s:1"},
    ]


@pytest.mark.parametrize(
    ("patch", "left"),
    [
        ({"containers": [{"name": "side", "$patch": "delete"}]}, {"containers": [{"name": "app"}], "args": ["x"]}),
        ({"containers": [{"$patch": "replace"}, {"name": "new"}]}, {"containers": [{"name": "new"}], "args": ["x"]}),
        ({"$retainKeys": ["args"]}, {"args": ["x"]}),
        (
            {"$setElementOrder/containers": [{"name": "side"}, {"name": "app"}]},
            {"containers": [{"name": "side"}, {"name": "app"}], "args": ["x"]},
        ),
        ({"args": ["y"]}, {"containers": [{"name": "app"}, {"name": "side"}], "args": ["y"]}),
        ({"$patch": "replace", "args": []}, {"args": []}),
    ],
)  # fmt: skip
def test_strategic_patch_knows_the_directives_of_kubectl(patch: dict[str, Any], left: dict[str, Any]) -> None:
    current = {"containers": [{"name": "app"}, {"name": "side"}], "args": ["x"]}
    assert strategic(POD_SPEC, current, patch) == left


def test_finalizers_are_merged_and_taken_out_one_by_one() -> None:
    current = {"finalizers": ["a", "b"]}
    assert strategic(METADATA, current, {"finalizers": ["b", "c"]}) == {"finalizers": ["a", "b", "c"]}
    assert strategic(METADATA, current, {"$deleteFromPrimitiveList/finalizers": ["a"]}) == {"finalizers": ["b"]}


def test_json_patch_does_all_or_nothing() -> None:
    current = {"weight": 5, "name": "primary"}
    with pytest.raises(ApiError) as refused:
        operations(current, [
            {"op": "replace", "path": "/weight", "value": 25},
            {"op": "test", "path": "/name", "value": "other"},
        ])  # fmt: skip
    assert refused.value.code == 422
    assert current == {"weight": 5, "name": "primary"}


@pytest.mark.parametrize(
    "patch",
    [
        [{"op": "replace", "path": "/nope", "value": 1}],
        [{"op": "remove", "path": "/nope"}],
        [{"op": "wat", "path": "/weight"}],
        [{"op": "replace", "value": 1}],
        [{"op": "replace", "path": "no slash", "value": 1}],
        [{"op": "add", "path": "/weight/deeper", "value": 1}],
        ["no operation"],
        [None],
        [{"op": "add", "path": 3, "value": 1}],
    ],
)
def test_a_bad_operation_is_refused_and_never_breaks_the_server(patch: list[Any]) -> None:
    with pytest.raises(ApiError) as refused:
        operations({"weight": 5}, patch)
    assert refused.value.code == 422


def test_custom_resources_take_no_strategic_patch() -> None:
    kind = "application/strategic-merge-patch+json"
    assert chosen(DEPLOYMENTS, kind)({"a": 1}, b'{"b": 2}') == {"a": 1, "b": 2}
    with pytest.raises(ApiError) as refused:
        chosen(VIRTUAL_SERVICES, kind)
    assert refused.value.code == 415
