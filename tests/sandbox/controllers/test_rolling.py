"""The arithmetic of a rolling update, against what Kubernetes does and against its own promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.sandbox.controllers.deployments.rolling import (
    Margin,
    Size,
    margin,
    next_sizes,
    recreate_sizes,
)

COUNTS = st.integers(0, 12)


@pytest.mark.parametrize(
    ("surge", "unavailable", "desired", "expected"),
    [
        ("25%", "25%", 1, Margin(1, 0)),
        ("25%", "25%", 4, Margin(1, 1)),
        ("25%", "25%", 10, Margin(3, 2)),
        ("25%", 0, 10, Margin(3, 0)),
        (2, 1, 10, Margin(2, 1)),
        (0, 0, 3, Margin(0, 1)),
        ("0%", "10%", 5, Margin(0, 1)),
        ("100%", "0%", 0, Margin(0, 1)),
    ],
)
def test_percentages_are_rounded_up_for_surge_and_down_for_unavailable(surge, unavailable, desired, expected):
    assert margin(surge, unavailable, desired) == expected


def test_the_new_version_grows_only_as_far_as_the_surge_lets_it():
    assert next_sizes(4, Margin(1, 0), Size("new", 0, 0), [Size("old", 4, 4)]) == {"new": 1}


def test_the_old_version_shrinks_only_when_the_new_one_is_available():
    old = [Size("old", 4, 4)]
    assert next_sizes(4, Margin(1, 0), Size("new", 1, 0), old) == {}
    assert next_sizes(4, Margin(1, 0), Size("new", 1, 1), old) == {"old": 3}


def test_broken_old_pods_stay_as_long_as_new_ones_are_not_yet_available():
    assert next_sizes(4, Margin(1, 0), Size("new", 1, 0), [Size("old", 4, 3)]) == {}


def test_old_pods_that_serve_nobody_go_first():
    old = [Size("broken", 2, 0), Size("serving", 3, 3)]
    assert next_sizes(3, Margin(1, 0), Size("new", 0, 0), old) == {"broken": 0}


def test_a_smaller_number_is_reached_at_once_by_the_only_version():
    assert next_sizes(2, Margin(1, 0), Size("new", 5, 5), []) == {"new": 2}


def test_recreate_waits_for_the_last_old_pod():
    assert recreate_sizes(2, 3, Size("new", 0, 0), [Size("old", 3, 3)]) == {"old": 0}
    assert recreate_sizes(2, 1, Size("new", 0, 0), [Size("old", 0, 0)]) == {}
    assert recreate_sizes(2, 0, Size("new", 0, 0), [Size("old", 0, 0)]) == {"new": 2}


@given(desired=COUNTS, surge=st.integers(0, 5), missing=st.integers(0, 5), data=st.data())
def test_an_update_ends_and_never_leaves_its_margin(desired, surge, missing, data):
    """Pods become ready in any order; each step keeps the promises, and the end is the new version alone."""
    allowed = margin(surge, missing, desired)
    new, old = Size("new", 0, 0), Size("old", desired, desired)
    for _ in range(200):
        sizes = next_sizes(desired, allowed, new, [old])
        new = _resized(new, sizes)
        old = _resized(old, sizes)
        assert new.replicas + old.replicas <= desired + allowed.surge
        assert new.available + old.available >= desired - allowed.unavailable
        if (new, old) == (Size("new", desired, desired), Size("old", 0, 0)):
            return
        ready = data.draw(st.integers(new.available, new.replicas)) if sizes else new.replicas
        new = Size("new", new.replicas, ready)
    raise AssertionError(f"no end: {new}, {old}")


def _resized(size, sizes):
    replicas = sizes.get(size.name, size.replicas)
    return Size(size.name, replicas, min(size.available, replicas))


@given(desired=COUNTS, new=st.tuples(COUNTS, COUNTS), old=st.lists(st.tuples(COUNTS, COUNTS), max_size=4))
def test_from_any_state_sizes_stay_possible_and_capacity_is_not_lost(desired, new, old):
    allowed = margin("25%", "25%", desired)
    present = [Size(f"old{n}", max(pair), min(pair)) for n, pair in enumerate(old)]
    fresh = Size("new", max(new), min(new))
    sizes = next_sizes(desired, allowed, fresh, present)
    assert all(count >= 0 for count in sizes.values())
    assert all(sizes.get(each.name, each.replicas) <= each.replicas for each in present)
    before = fresh.available + sum(each.available for each in present)
    after = [min(each.available, sizes.get(each.name, each.replicas)) for each in (fresh, *present)]
    assert sum(after) >= min(before, desired - allowed.unavailable)
