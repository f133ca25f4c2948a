"""Three-way merge and the patch that brings it about."""

from hypothesis import given
from hypothesis import strategies as st

from fixtures.sandbox.controllers.argocd.merge import merge_patch, merged

NAMES = st.sampled_from("abcd")
VALUES = st.recursive(
    st.integers(0, 3) | st.booleans() | st.lists(st.integers(0, 3), max_size=2),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)


def apply(live, change):
    """Apply a JSON merge patch, word for word from RFC 7396."""
    if not isinstance(change, dict):
        return change
    result = dict(live) if isinstance(live, dict) else {}
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = apply(result.get(name), value)
    return result


def test_a_field_that_git_never_named_stays():
    assert merged({}, {"a": 1}, {"a": 0, "replicas": 4}, by_item=True) == {"a": 1, "replicas": 4}


def test_a_field_that_git_drops_goes():
    assert merged({"a": 1, "b": 1}, {"a": 1}, {"a": 1, "b": 1, "c": 1}, by_item=True) == {"a": 1, "c": 1}


def test_a_container_keeps_what_others_gave_it():
    live = {"containers": [{"name": "app", "image": "old", "terminationMessagePath": "/dev"}, {"name": "sidecar"}]}
    wanted = {"containers": [{"name": "app", "image": "new"}]}
    assert merged({}, wanted, live, by_item=True) == {
        "containers": [{"name": "app", "image": "new", "terminationMessagePath": "/dev"}, {"name": "sidecar"}]
    }


def test_a_container_that_git_drops_goes():
    last = {"containers": [{"name": "app"}, {"name": "helper"}]}
    live = {"containers": [{"name": "app"}, {"name": "helper"}, {"name": "injected"}]}
    wanted = {"containers": [{"name": "app"}]}
    assert merged(last, wanted, live, by_item=True)["containers"] == [{"name": "app"}, {"name": "injected"}]


def test_a_list_of_a_custom_resource_is_taken_from_git_as_a_whole():
    live = {"http": [{"name": "primary", "timeout": "5s", "route": [{"weight": 95}, {"weight": 5}]}]}
    wanted = {"http": [{"name": "primary", "route": [{"weight": 100}, {"weight": 0}]}]}
    assert merged(live, wanted, live, by_item=False) == wanted


@given(live=OBJECTS, goal=OBJECTS)
def test_the_patch_makes_the_goal_out_of_what_is_there(live, goal):
    assert apply(live, merge_patch(live, goal)) == goal


@given(live=OBJECTS)
def test_the_patch_of_no_change_is_empty(live):
    assert merge_patch(live, live) == {}


@given(last=OBJECTS, wanted=OBJECTS, live=OBJECTS)
def test_after_a_merge_nothing_is_left_to_merge(last, wanted, live):
    once = merged(last, wanted, live, by_item=True)
    assert merged(wanted, wanted, once, by_item=True) == once
