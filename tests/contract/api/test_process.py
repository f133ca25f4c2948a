"""The process of the stand-in: how it starts, what it leaves on disk, how it ends."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]


@pytest.fixture
def other(start: Callable[..., Any], tmp_path: Path) -> Any:
    """A server of one's own, which the test may end."""
    running = start(tmp_path / "state")
    yield running
    running.process.kill()
    running.process.wait(10)


def test_a_new_server_has_new_tokens_and_no_objects(start: Callable[..., Any], other: Any) -> None:
    other.process.kill()
    other.process.wait(10)
    again = start(other.state)
    try:
        assert again.known["admin_token"] != other.known["admin_token"]
        with again.session("admin_token") as session:
            listed = session.get(f"{again.known['url']}/api/v1/namespaces", timeout=5).json()
        assert [each["metadata"]["name"] for each in listed["items"]] == ["default", "kube-system"]
    finally:
        again.process.kill()
        again.process.wait(10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_its_watches(other: Any, number: int) -> None:
    with other.session("admin_token") as session:
        url = f"{other.known['url']}/api/v1/namespaces"
        with session.get(url, params={"watch": 1, "resourceVersion": 2}, stream=True, timeout=10) as watching:
            other.process.send_signal(number)
            assert list(watching.iter_lines()) == []
            assert other.process.wait(5) in (0, -number)


def test_it_ends_when_its_owner_is_gone(start: Callable[..., Any], tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    running = start(tmp_path / "state", "--lifeline", str(ours), pass_fds=[ours])
    os.close(ours)
    try:
        assert running.process.poll() is None
        os.close(theirs)
        assert running.process.wait(5) == 0
    finally:
        running.process.kill()
        running.process.wait(10)


def test_every_write_that_changed_something_is_in_the_log(other: Any, virtual_service: Json) -> None:
    url = f"{other.known['url']}/apis/networking.istio.io/v1/namespaces/default/virtualservices"
    with other.session("admin_token") as session:
        session.headers["User-Agent"] = "tester/1"
        assert session.post(url, json=virtual_service, timeout=5).status_code == 201
        merge = {"Content-Type": "application/merge-patch+json"}
        label: Json = {"metadata": {"labels": {"a": "b"}}}
        refused: Json = {"spec": {"http": []}}
        for change in (label, label, refused):
            session.patch(f"{url}/web", data=json.dumps(change), headers=merge, timeout=5)
        status = json.dumps({"status": {"observedGeneration": 1}})
        session.patch(f"{url}/web/status", data=status, headers=merge, timeout=5)
        session.delete(f"{url}/web", timeout=5)
    lines = [json.loads(line) for line in (other.state / "writes.jsonl").read_text().splitlines()]
    ours = [line for line in lines if line["resource"] == "virtualservices"]
    assert [(line["verb"], line.get("subresource")) for line in ours] == [
        ("create", None), ("patch", None), ("patch", "status"), ("delete", None),
    ]  # fmt: skip
    assert {(line["namespace"], line["name"], line["user"], line["agent"]) for line in ours} == {
        ("default", "web", "admin", "tester/1")
    }
    assert ours[1]["body"]["metadata"]["labels"] == {"a": "b"}
    assert ours[1]["body"]["metadata"]["resourceVersion"] == ours[1]["resourceVersion"]
    times = [line["at"] for line in lines]
    assert times == sorted(times)


def test_what_the_garbage_collector_deletes_is_in_the_log(other: Any) -> None:
    url = f"{other.known['url']}/api/v1/namespaces/default/configmaps"
    with other.session("admin_token") as session:
        uid = session.post(url, json={"metadata": {"name": "top"}}, timeout=5).json()["metadata"]["uid"]
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "top", "uid": uid}
        session.post(url, json={"metadata": {"name": "low", "ownerReferences": [owner]}}, timeout=5)
        session.delete(f"{url}/top", timeout=5)
    lines = [json.loads(line) for line in (other.state / "writes.jsonl").read_text().splitlines()]
    assert [(line["verb"], line["name"], line["user"]) for line in lines[-2:]] == [
        ("delete", "top", "admin"), ("garbage-collect", "low", "admin"),
    ]  # fmt: skip
