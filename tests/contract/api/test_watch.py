"""Watching over HTTP: what comes, in which order, from where on, for how long."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import pytest

Json = dict[str, Any]


def told(event: Json) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"]["name"]


def make(api: Any, name: str, **labels: str) -> Json:
    created: Json = api.create("secrets", {"metadata": {"name": name, "labels": labels}})
    return created


class Watches:
    """What a watch tells."""

    def test_a_watch_goes_on_from_a_list(self, api: Any) -> None:
        make(api, "before")
        since = api.get("secrets")["metadata"]["resourceVersion"]
        make(api, "x")
        api.patch("secrets/x", {"metadata": {"labels": {"a": "b"}}})
        last = api.delete("secrets/x")
        events = list(islice(api.watch("secrets", since), 3))
        assert [told(each) for each in events] == [("ADDED", "x"), ("MODIFIED", "x"), ("DELETED", "x")]
        versions = [int(each["object"]["metadata"]["resourceVersion"]) for each in events]
        assert versions == sorted(set(versions))
        assert events[2]["object"]["metadata"]["uid"] == last["details"]["uid"]
        assert events[0]["object"]["kind"] == "Secret"

    def test_a_watch_from_nowhere_begins_with_what_is_there(self, api: Any) -> None:
        make(api, "x")
        for since in (None, "0"):
            assert told(next(api.watch("secrets", since))) == ("ADDED", "x")

    def test_a_bookmark_ends_the_first_objects_where_it_is_asked_for(self, api: Any) -> None:
        make(api, "x")
        wish = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
        added, bookmark = islice(api.watch("secrets", None, **wish), 2)
        assert told(added) == ("ADDED", "x")
        assert bookmark["type"] == "BOOKMARK"
        assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}

    def test_a_change_comes_at_once(self, api: Any) -> None:
        since = api.get("secrets")["metadata"]["resourceVersion"]
        with ThreadPoolExecutor(1) as pool:
            watching = pool.submit(lambda: (next(api.watch("secrets", since, timeoutSeconds=8)), time.monotonic()))
            time.sleep(0.2)  # so that the watch waits; if it does not yet, the test still holds
            written = time.monotonic()
            make(api, "x")
            event, at = watching.result(10)
        assert told(event) == ("ADDED", "x")
        assert at - written < 1

    def test_selectors_make_a_change_an_arrival_or_a_departure(self, api: Any) -> None:
        since = api.get("secrets")["metadata"]["resourceVersion"]
        make(api, "x", color="green")
        api.patch("secrets/x", {"metadata": {"labels": {"color": "blue"}}})
        api.patch("secrets/x", {"metadata": {"annotations": {"a": "b"}}})
        api.patch("secrets/x", {"metadata": {"labels": {"color": "green"}}})
        api.delete("secrets/x")
        events = [told(each)[0] for each in islice(api.watch("secrets", since, labelSelector="color=blue"), 3)]
        assert events == ["ADDED", "MODIFIED", "DELETED"]
        make(api, "y")
        assert told(next(api.watch("secrets", since, fieldSelector="metadata.name=y"))) == ("ADDED", "y")

    def test_a_write_that_changes_nothing_is_no_event(self, api: Any) -> None:
        since = make(api, "x", a="b")["metadata"]["resourceVersion"]
        api.patch("secrets/x", {"metadata": {"labels": {"a": "b"}}})
        api.patch("secrets/x", {"metadata": {"labels": {"a": "c"}}})
        assert next(api.watch("secrets", since))["object"]["metadata"]["labels"] == {"a": "c"}

    def test_a_watch_ends_in_time(self, api: Any) -> None:
        since, began = api.get("secrets")["metadata"]["resourceVersion"], time.monotonic()
        assert list(api.watch("secrets", since, timeoutSeconds=1)) == []
        assert 0.9 < time.monotonic() - began < 3

    def test_ten_watchers_see_each_change_once(self, api: Any) -> None:
        since = api.get("secrets")["metadata"]["resourceVersion"]
        with ThreadPoolExecutor(10) as pool:
            watching = [
                pool.submit(lambda: [told(each) for each in islice(api.watch("secrets", since, timeoutSeconds=8), 20)])
                for _ in range(10)
            ]
            for at in range(20):
                make(api, f"x{at:02}")
            seen = [each.result(10) for each in watching]
        assert seen == [[("ADDED", f"x{at:02}") for at in range(20)]] * 10


class TestWatchesOnTheStandIn(Watches):
    @pytest.fixture
    def server(self, stand_in: Any) -> Any:
        return stand_in


@pytest.mark.xdist_group("real")
class TestWatchesOnARealServer(Watches):
    @pytest.fixture
    def server(self, real: Any) -> Any:
        return real
