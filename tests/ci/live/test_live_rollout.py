"""Whole rollouts on real parts: Envoy, registry, Git, live load, and the command line in processes of its own."""

import json
import signal
import time
from typing import Any

import pytest

from fixtures.access_log import entries
from fixtures.cluster import VIRTUAL_SERVICES
from fixtures.waiting import wait

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


def test_a_good_image_is_promoted_and_a_second_driver_is_refused_meanwhile(place: Any, start: Any) -> None:
    rollout = start("v2")
    rollout.until(kind="weights_written", canary=25)
    assert json.loads(place.run("status", "--json").stdout)["record"]["step"] == 25
    second = place.run("run", "--image", place.images["v2"])
    assert second.returncode == 3
    assert "is releasing it since" in second.stderr
    ended = rollout.end()
    assert (ended["outcome"], ended["exit_code"]) == ("promoted", 0)
    assert set(place.images_asked_for().values()) == {place.images["v2"]}
    left = place.cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")
    assert [entry["weight"] for entry in left["spec"]["http"][0]["route"]] == [100, 0]
    assert not [key for key in left["metadata"].get("annotations", {}) if key.startswith("sluicegate.dev/")]
    assert place.canary_pods_lost_under_traffic() == []
    assert place.most_canary_replicas() == 4


@pytest.mark.usefixtures("as_before")
def test_a_bad_image_is_taken_back_in_seconds(place: Any, start: Any) -> None:
    rollout = start("bad")
    ended = rollout.end()
    assert (ended["outcome"], ended["exit_code"]) == ("rolled back", 1)
    assert "canary error rate" in ended["sentence"]
    [measured] = rollout.kinds("rollback_measured")
    assert measured["last_routed"] - measured["first_bad"] < 10
    assert measured["last_routed"] - measured["verdict"] < 0.5


@pytest.mark.usefixtures("as_before")
def test_what_can_not_pass_in_time_is_refused_and_begins_only_for_a_person_who_says_why(place: Any, start: Any) -> None:
    """At 1 % there are four requests a second for the canary, and four seconds."""
    with place.promising(steps="[1, 100]", limit="4s"):
        refused = start("fair").end()
        assert (refused["outcome"], refused["exit_code"]) == ("refused", 1)
        assert "can not pass within 4 s" in refused["sentence"]
        begun = start("fair", "--force", "--reason", "the old one is worse")
        begun.until(kind="weights_written", canary=1)
        record = json.loads(place.run("status", "--json").stdout)["record"]
        assert record["despite"].endswith(": the old one is worse")
        ended = begun.end()
    assert (ended["outcome"], ended["exit_code"]) == ("rolled back", 1), "no gate was skipped"
    [said] = begun.kinds("asked")
    assert (said["what"], said["why"]) == ("begin", "the old one is worse")
    [plan] = [each for each in begun.kinds("verdict_reached") if each["gate"] == "plan_fits"]
    assert "can not pass within 4 s" in plan["sentence"]
    assert f"begun all the same by {record['despite']}" in plan["sentence"]


@pytest.mark.usefixtures("as_before")
@pytest.mark.parametrize("how", ["abort", "SIGTERM", "SIGINT"])
def test_traffic_is_back_within_a_second_of_a_stop(place: Any, start: Any, how: str) -> None:
    rollout = start("v1")
    rollout.until(kind="weights_written", canary=25)
    wait(lambda: place.last_canary_request() > time.time() - 0.5 or None, what="canary traffic", timeout=10)
    if how == "abort":
        aborted = place.run("abort", "--reason", "wrong version", "--json")
        assert json.loads(aborted.stdout)["canary"] == 0
        stopped = time.time()
    else:
        stopped = time.time()
        rollout.process.send_signal(getattr(signal, how))
    ended = rollout.end()
    assert (ended["outcome"], ended["exit_code"]) == ("rolled back", 1)
    assert ("wrong version" if how == "abort" else how) in ended["sentence"]
    assert place.last_canary_request() - stopped < 1


@pytest.mark.usefixtures("as_before")
def test_after_kill_9_anybody_can_take_the_traffic_back(place: Any, start: Any) -> None:
    rollout = start("v1")
    rollout.until(kind="weights_written", canary=25)
    rollout.process.kill()
    rollout.process.wait(10)
    assert place.run("abort", "--reason", "its driver is dead").returncode == 0
    stopped = time.time()
    record = json.loads(place.run("status", "--json").stdout)["record"]
    assert record["abort"].endswith(": its driver is dead")
    wait(lambda: time.time() > stopped + 1 or None, what="a second of silence", timeout=5)
    assert place.last_canary_request() < stopped + 0.5
    place.put_back(list(record["commits"].values()))
    assert not [each for each in entries(place.target.access_log) if each.code >= 500 and each.subset == "stable"]


@pytest.mark.usefixtures("as_before")
@pytest.mark.parametrize("when", ["step 25", "promote"])
def test_after_kill_9_a_person_has_all_of_it_taken_back_at_once(place: Any, start: Any, when: str) -> None:
    rollout = start(place.another())
    phase, _, step = when.partition(" ")
    moment = {"kind": "weights_written", "canary": int(step)} if step else {"kind": "phase_entered", "phase": phase}
    rollout.until(**moment)
    rollout.process.kill()
    rollout.process.wait(10)
    began = time.time()
    done = place.run("recover", "--now", "--json")
    assert done.returncode == 1, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert (told[-1]["kind"], told[-1]["outcome"]) == ("rollout_ended", "rolled back")
    assert "is gone" in told[-1]["sentence"]
    back = next(event for event in told if event["kind"] == "weights_proved" and event["canary"] == 0)
    assert back["at"] - began < (10 if step else 20)  # 2 s on a machine that nobody else uses
    assert place.run("recover", "--now").stdout.endswith("nothing to recover: no rollout is going on\n")


@pytest.mark.usefixtures("as_before")
def test_a_dead_drivers_services_are_recovered_with_nobody_awake(place: Any, start: Any) -> None:
    rollout = start(place.another())
    rollout.until(kind="weights_written", canary=25)
    alive = place.recover_all()
    assert (alive.returncode, "alive" in alive.stdout) == (0, True)
    rollout.process.kill()
    rollout.process.wait(10)
    died = time.time()
    done = place.recover_all()
    assert done.returncode == 1
    assert "rebate-core: rolled back" in done.stdout
    assert place.last_canary_request() - died < 90 - 60  # a Job is there each minute
