"""The mirror of the API server: what comes in twice, late or in the wrong order does no harm."""

from hypothesis import given
from hypothesis import strategies as st

from fixtures.sandbox.controllers.mirror import Kept


def thing(name="pod", version=1, uid="u1"):
    return {"metadata": {"namespace": "n", "name": name, "resourceVersion": str(version), "uid": uid}}


def versions(kept):
    return {each["metadata"]["name"]: int(each["metadata"]["resourceVersion"]) for each in kept.all()}


def test_the_newest_version_stays_whatever_comes_later():
    kept = Kept()
    assert [kept.see(thing(version=n)) for n in (2, 1, 3, 3)] == [True, False, True, False]
    assert versions(kept) == {"pod": 3}


def test_what_we_deleted_does_not_come_back_by_late_news():
    kept = Kept()
    kept.see(thing(version=1))
    kept.drop(thing(version=1))
    assert not kept.see(thing(version=2))
    assert kept.all() == []


def test_what_the_watch_saw_deleted_does_not_come_back_by_our_own_late_answer():
    kept = Kept()
    kept.see(thing(version=1))
    kept.drop(thing(version=3))
    assert not kept.see(thing(version=2))
    assert kept.all() == []


def test_a_successor_of_the_same_name_is_another_object():
    kept = Kept()
    kept.see(thing(version=1, uid="u1"))
    kept.drop(thing(version=1, uid="u1"))
    kept.see(thing(version=3, uid="u2"))
    kept.drop(thing(version=2, uid="u1"))
    assert versions(kept) == {"pod": 3}


def test_a_list_drops_what_is_gone_and_keeps_what_was_written_after_it():
    kept = Kept()
    for each in (thing("old", 1, "a"), thing("changed", 5, "b"), thing("new", 9, "c")):
        kept.see(each)
    kept.replace([thing("changed", 4, "b"), thing("other", 3, "d")], "6")
    assert versions(kept) == {"changed": 4, "other": 3, "new": 9}


def test_a_list_that_is_older_than_our_deletion_does_not_bring_the_object_back():
    kept = Kept()
    kept.see(thing(version=1))
    kept.drop(thing(version=1))
    kept.replace([thing(version=1)], "1")
    assert kept.all() == []


@given(st.permutations(range(1, 7)))
def test_in_whatever_order_versions_come_the_newest_is_kept(order):
    kept = Kept()
    for version in order:
        kept.see(thing(version=version))
    assert versions(kept) == {"pod": 6}
