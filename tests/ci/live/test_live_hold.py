"""A held release on real parts: a person lets it go on, is held again, and the canary turns bad meanwhile."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from fixtures.cluster import PODS

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


@pytest.fixture
def asks(place: Any) -> Iterator[None]:
    """The release wants a person to be asked before 100 %, and before the promotion into stable."""
    text = place.release.read_text()
    place.release.write_text(text + "approve: [100, stable]\n")
    yield
    place.release.write_text(text)


@pytest.fixture
def watcher(place: Any) -> Iterator[Any]:
    """Begins to watch from another terminal."""
    begun: list[subprocess.Popen[str]] = []

    def begin() -> subprocess.Popen[str]:
        words = place.command("watch", "--json")
        begun.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        return begun[-1]

    yield begin
    for process in begun:
        process.terminate()
        process.communicate(timeout=20)


def answers(place: Any, version: str, errors: float) -> None:
    """Let each pod of a version answer a share of requests with an error, from now on."""
    for pod in place.cluster.list(PODS, "production", f"version={version}"):
        address = f"http://{pod['status']['podIP']}:8080/_sandbox/faults"
        requests.post(address, json={"errors": errors}, timeout=5).raise_for_status()


@pytest.mark.usefixtures("asks", "as_before")
def test_a_canary_that_turns_bad_while_it_is_held_is_taken_back_in_seconds(
    place: Any, start: Any, watcher: Any
) -> None:
    rollout = start("v2")
    held = rollout.until(kind="held")
    assert (held["step"], held["cause"]) == (25, "approval")
    rollout.until(kind="suite_ready", suite="canary_step", step=25)

    elsewhere = watcher()
    first = json.loads(elsewhere.stdout.readline())
    assert first["record"]["held"].startswith("approval: a person has to say `sluicegate promote` before 100 %")
    assert place.run("resume").returncode == 2
    assert place.run("promote", "--reason", "looks good").returncode == 0

    assert rollout.until(kind="asked")["why"].startswith("looks good (")
    rollout.until(kind="weights_written", canary=100)
    assert rollout.until(kind="held")["step"] == 100
    rollout.until(kind="progress", step=100)

    answers(place, "canary", errors=0.3)
    ended = rollout.end()
    assert (ended["outcome"], ended["exit_code"]) == ("rolled back", 1)
    assert "canary error rate" in ended["sentence"]
    [measured] = rollout.kinds("rollback_measured")
    assert measured["last_routed"] - measured["first_bad"] < 10
    assert measured["last_routed"] - measured["verdict"] < 0.5

    glances = [json.loads(line) for line in elsewhere.communicate(timeout=30)[0].splitlines()]
    assert glances[-1]["record"] is None
    told = [event["reason"] for glance in (first, *glances) for event in glance["events"]]
    assert [each for each in told if each != "RolloutBegan"] == [
        *("RolloutHeld", "RolloutApproved", "RolloutHeld", "RollingBack", "RolloutRolledBack"),
    ]


@pytest.fixture
def hurried(place: Any) -> Iterator[None]:
    """A step is given up sooner."""
    text = place.release.read_text()
    place.release.write_text(text.replace("limit: 2m", "limit: 20s"))
    yield
    place.release.write_text(text)


@pytest.mark.usefixtures("as_before", "hurried")
def test_an_outage_that_both_versions_share_is_held_and_not_held_against_the_canary(place: Any, start: Any) -> None:
    rollout = start("v2")
    rollout.until(kind="weights_written", canary=25)
    for version in ("stable", "canary"):
        answers(place, version, errors=0.3)
    held = rollout.until(kind="held")
    assert (held["step"], held["cause"]) == (25, "outage")
    assert "stable" in held["why"]
    for version in ("stable", "canary"):
        answers(place, version, errors=0)
    assert place.run("abort", "--reason", "enough was seen").returncode == 0
    assert rollout.end()["outcome"] == "rolled back"
