"""The state of a commit, told to a real HTTP server by a template of the release file."""

import time
from typing import Any

import pytest

ENVIRON = {"GIT_COMMIT": "9fceb02d", "GIT_TOKEN": "s3cret-token", "BUILD_URL": "https://jenkins.example.com/job/1/"}
BODY = {"state": "{state}", "context": "sluicegate/{service}", "description": "{short}", "target_url": "{BUILD_URL}"}


def status(url: str, **how: Any) -> dict[str, Any]:
    headers = {"Authorization": "token {GIT_TOKEN}"}
    return {"url": url + "/statuses/{GIT_COMMIT}", "headers": headers, "body": BODY, **how}


def test_a_commit_is_pending_until_its_rollout_has_ended(told: Any, rollout: Any, held: Any, server: Any) -> None:
    assert told(rollout("rolled back", "", held), ENVIRON, webhooks=[status(server.url)]) == []
    method, path, headers, _ = server.requests[0]
    assert (method, path) == ("POST", "/statuses/9fceb02d")
    assert headers["Authorization"] == "token s3cret-token"
    assert headers["Content-Type"] == "application/json"
    assert [body["state"] for body in server.bodies] == ["pending", "pending", "failure"]
    assert server.bodies[0] == {
        "state": "pending",
        "context": "sluicegate/rebate-core",
        "description": "rebate-core-service@sha256:1f0c1f0c1f0c to prod-eu, steps 5, 100 %",
        "target_url": "https://jenkins.example.com/job/1/",
    }


def test_another_hosts_words_for_a_state_stand_in_the_file(told: Any, rollout: Any, server: Any) -> None:
    states = {"started": "running", "promoted": "success", "rolled_back": "failed"}
    told(rollout("rolled back"), ENVIRON, webhooks=[status(server.url, states=states)])
    assert [body["state"] for body in server.bodies] == ["running", "failed"]


def test_a_description_is_as_short_as_a_git_host_takes_it(told: Any, rollout: Any, server: Any) -> None:
    told(rollout("rolled back", "why " * 100), ENVIRON, webhooks=[status(server.url, on=["rolled_back"])])
    [body] = server.bodies
    assert len(body["description"]) == 140
    assert body["description"].endswith("…")


def test_foreign_words_stay_in_the_place_that_they_were_given(told: Any, rollout: Any, server: Any) -> None:
    evil = '", "state": "success'
    webhook = {"url": server.url + "/x/{sentence}/{GIT_COMMIT}", "body": {"text": "{sentence}", "state": "{state}"}}
    told(rollout("rolled back", evil), {"GIT_COMMIT": "../../admin?x=#"}, webhooks=[{**webhook, "on": ["rolled_back"]}])
    assert server.bodies == [{"text": evil, "state": "failure"}]
    [(_, path, _, _)] = server.requests
    assert path == "/x/%22%2C%20%22state%22%3A%20%22success/..%2F..%2Fadmin%3Fx%3D%23"


def test_a_refusal_is_said_once_however_often_it_comes(told: Any, rollout: Any, held: Any, server: Any) -> None:
    server.status = 401
    [note] = told(rollout("promoted", "", held), ENVIRON, webhooks=[status(server.url)])
    assert note.startswith("notify.webhooks[0] was not told, the rollout goes on: 127.0.0.1:")
    assert note.endswith("answers 401 Unauthorized")
    assert len(server.requests) == 3


def test_a_redirection_is_not_followed_it_would_take_the_token_along(told: Any, rollout: Any, server: Any) -> None:
    server.status = 307
    [note] = told(rollout("promoted"), ENVIRON, webhooks=[status(server.url)])
    assert "answers 307" in note


def test_a_token_that_is_no_header_is_said_without_it(told: Any, rollout: Any, server: Any) -> None:
    [note] = told(rollout("promoted"), {**ENVIRON, "GIT_TOKEN": "two\nlines"}, webhooks=[status(server.url)])
    assert note.endswith("can be made of it (InvalidHeader)")
    assert "lines" not in note


@pytest.mark.parametrize(
    ("environ", "why"),
    [({}, "BUILD_URL, GIT_COMMIT, GIT_TOKEN"), ({"GIT_COMMIT": "9f", "BUILD_URL": "https://b"}, "GIT_TOKEN")],
)
def test_what_the_environment_lacks_is_named_as_soon_as_a_rollout_begins(
    told: Any, rollout: Any, server: Any, environ: dict[str, str], why: str
) -> None:
    only_its_end = status(server.url, on=["rolled_back"])
    [note] = told(rollout("promoted")[:1], environ, webhooks=[only_its_end])
    assert note.endswith(f"the environment has no {why}")
    assert server.requests == []


def test_nobody_there_is_said_with_the_host(told: Any, rollout: Any, port: Any) -> None:
    host = f"127.0.0.1:{port(accepts=False)}"
    [note] = told(rollout("promoted"), ENVIRON, webhooks=[status(f"http://{host}")])
    assert note.endswith(f"{host} can not be reached")


def test_a_server_that_hangs_holds_nobody_up_and_takes_no_other_channel_with_it(
    told: Any, rollout: Any, server: Any, port: Any
) -> None:
    hangs = status(f"http://127.0.0.1:{port(accepts=True)}")
    began = time.monotonic()
    notes = told(rollout("promoted"), ENVIRON, patience=0.5, webhooks=[hangs, hangs, status(server.url)])
    assert time.monotonic() - began < 2, "all of them share one patience"
    assert sorted(note.partition(" was")[0] for note in notes) == ["notify.webhooks[0]", "notify.webhooks[1]"]
    assert all(note.endswith("still busy after 0.5 s, left alone") for note in notes)
    assert [body["state"] for body in server.bodies] == ["pending", "success"]
