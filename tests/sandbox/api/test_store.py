"""What the store and its watches promise, whatever is written."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fixtures.sandbox.api.store import Act, Change, Store
from fixtures.sandbox.api.watching import Watch
from fixtures.sandbox.kinds.resources import CONFIG_MAPS, PODS
from fixtures.sandbox.kinds.selectors import Selection, parse
from fixtures.sandbox.kinds.status import ApiError

ACT = Act("update", "admin")
WRITES = some.lists(
    some.tuples(some.sampled_from(["one", "two"]), some.sampled_from(["blue", "green", "gone"])), max_size=12
)


def write(store: Store, name: str, color: str, namespace: str = "prod") -> None:
    """Put the object with this colour; the colour gone removes it."""
    body = {"metadata": {"name": name, "namespace": namespace, "uid": name, "labels": {"color": color}}}
    if color != "gone":
        store.put(CONFIG_MAPS, body, ACT)
    elif store.get(CONFIG_MAPS, namespace, name):
        store.remove(CONFIG_MAPS, body, ACT)


def seen(store: Store, since: int | None, selection: Selection, **more: Any) -> list[dict[str, Any]]:
    """All that a watch says before it would wait."""
    wish = {"seconds": 0.001, "bookmarks": False, "initial_end": False, "render": lambda body: body, **more}
    watch = Watch(CONFIG_MAPS, "prod", selection, since, **wish)

    async def collect() -> list[dict[str, Any]]:
        return [json.loads(line) async for line in watch.lines(store)]

    return asyncio.run(collect())


@given(WRITES, WRITES)
def test_list_and_watch_add_up_to_what_is_there(before: list[tuple[str, str]], after: list[tuple[str, str]]) -> None:
    store, selection = Store(), parse("color=blue", "", CONFIG_MAPS)
    for name, color in before:
        write(store, name, color)
    known = {each["metadata"]["name"]: each for each in store.all(CONFIG_MAPS, "prod") if selection.holds(each)}
    listed_at = store.revision
    for name, color in after:
        write(store, name, color)

    for event in seen(store, listed_at, selection):
        name = event["object"]["metadata"]["name"]
        assert (name in known) is (event["type"] != "ADDED")
        if event["type"] == "DELETED":
            del known[name]
        else:
            known[name] = event["object"]

    assert known == {each["metadata"]["name"]: each for each in store.all(CONFIG_MAPS, "prod") if selection.holds(each)}


@given(WRITES)
def test_revisions_have_no_gaps_and_the_listener_sees_each(writes: list[tuple[str, str]]) -> None:
    heard: list[Change] = []
    store = Store(heard.append)
    for name, color in writes:
        write(store, name, color)
    assert [change.revision for change in heard] == list(range(1, store.revision + 1))
    assert all(int(change.object["metadata"]["resourceVersion"]) == change.revision for change in heard)


def test_who_asks_for_forgotten_changes_is_told_to_list_again() -> None:
    store = Store(history=3)
    for _ in range(4):
        write(store, "one", "blue")
    assert [change.revision for change in store.since(1)] == [2, 3, 4]
    with pytest.raises(ApiError) as refused:
        store.since(0)
    assert refused.value.code == 410
    write(store, "one", "green")
    [error] = seen(store, 1, Selection())
    assert (error["type"], error["object"]["code"], error["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_a_stored_object_never_changes() -> None:
    store = Store()
    write(store, "one", "blue")
    first = store.get(CONFIG_MAPS, "prod", "one")
    write(store, "one", "green")
    assert first is not None
    assert first["metadata"]["labels"] == {"color": "blue"}


def test_a_watch_sees_its_kind_and_namespace_alone() -> None:
    store = Store()
    write(store, "one", "blue", namespace="other")
    store.put(PODS, {"metadata": {"name": "one", "namespace": "prod", "uid": "p"}}, ACT)
    assert seen(store, 0, Selection()) == []


def test_an_object_that_leaves_the_selection_is_shown_as_it_last_was_in_it() -> None:
    store = Store()
    write(store, "one", "blue")
    write(store, "one", "green")
    added, deleted = seen(store, 0, parse("color=blue", "", CONFIG_MAPS))
    assert (added["type"], deleted["type"]) == ("ADDED", "DELETED")
    assert deleted["object"]["metadata"] == {**added["object"]["metadata"], "resourceVersion": "2"}


def test_bookmarks_say_how_far_a_client_has_come_though_nothing_of_its_kind_happens() -> None:
    store = Store()
    write(store, "one", "blue", namespace="other")
    [bookmark] = seen(store, 0, Selection(), bookmarks=True)
    assert (bookmark["type"], bookmark["object"]["kind"]) == ("BOOKMARK", "ConfigMap")
    assert bookmark["object"]["metadata"]["resourceVersion"] == "1"


def test_a_watch_ends_when_the_store_is_closed() -> None:
    store = Store()

    async def close_while_waiting() -> list[bytes]:
        watch = Watch(
            CONFIG_MAPS, "", Selection(), 0, 60.0, bookmarks=False, initial_end=False, render=lambda body: body
        )
        collecting = asyncio.create_task(_all(watch, store))
        await asyncio.sleep(0)
        store.close()
        return await asyncio.wait_for(collecting, 5)

    assert asyncio.run(close_while_waiting()) == []


async def _all(watch: Watch, store: Store) -> list[bytes]:
    return [line async for line in watch.lines(store)]
