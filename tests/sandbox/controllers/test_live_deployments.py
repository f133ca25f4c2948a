"""Deployments and their pods on the running cluster."""

import http.client
import re
from contextlib import closing

import psutil
import pytest

from fixtures.cluster import DEPLOYMENTS, EVENTS, PODS, REPLICASETS

pytestmark = pytest.mark.xdist_group("controllers")


def deployment(name, image, **spec):
    labels = {"app": name, "version": "stable"}
    container = {
        "name": "app",
        "image": image,
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "production"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            **spec,
        },
    }


def pods(world, name):
    return world.client.list(PODS, "production", f"app={name}")


def live(world, name):
    return [pod for pod in pods(world, name) if "deletionTimestamp" not in pod["metadata"]]


def status(world, name):
    return world.client.get(DEPLOYMENTS, "production", name).get("status", {})


def complete(world, name, replicas):
    thing = world.client.get(DEPLOYMENTS, "production", name)
    seen = thing.get("status", {})
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return seen.get("observedGeneration") == thing["metadata"]["generation"] and all(
        seen.get(count) == replicas for count in counts
    )


def image_patch(image):
    return {"spec": {"template": deployment("x", image)["spec"]["template"] | {"metadata": {}}}}


def ask(pod, path="/"):
    with closing(http.client.HTTPConnection(pod["status"]["podIP"], 8080, timeout=5)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer


def process_of(world, pod):
    """Find the process of a pod among the controllers' children, by its command line."""
    children = psutil.Process(world.controllers.pid).children()
    return next(each for each in children if pod["metadata"]["name"] in each.cmdline())


def test_a_pod_serves_at_its_address_and_says_what_it_runs(world):
    world.create(deployment("serves", world.images.v1, replicas=1))
    world.until(lambda: complete(world, "serves", 1), "a complete Deployment")
    (pod,) = pods(world, "serves")
    answer = ask(pod)
    assert (answer.status, answer.headers["x-pod"], answer.headers["x-image"]) == (
        200,
        pod["metadata"]["name"],
        world.images.v1,
    )
    assert pod["status"]["containerStatuses"][0]["imageID"] == world.images.v1
    assert re.fullmatch(r"127\.[1-9]\d*\.\d+\.\d+", pod["status"]["podIP"])


def test_the_image_says_how_its_pods_misbehave(world):
    world.create(deployment("faulty", world.images.v2, replicas=1))
    world.until(lambda: complete(world, "faulty", 1), "a complete Deployment")
    (pod,) = pods(world, "faulty")
    assert {ask(pod).status for _ in range(60)} == {200, 500}


def test_a_rolling_update_keeps_the_number_of_ready_pods(world):
    strategy = {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}}
    world.create(deployment("rolls", world.images.v1, replicas=4, strategy=strategy))
    world.until(lambda: complete(world, "rolls", 4), "four pods")
    first = world.client.list(PODS, "production", "app=rolls")
    since = world.client.snapshot(PODS, "production")[1]
    world.client.merge_patch(DEPLOYMENTS, "production", "rolls", image_patch(world.images.v2))
    world.until(lambda: complete(world, "rolls", 4), "four new pods")
    assert {pod["status"]["containerStatuses"][0]["imageID"] for pod in live(world, "rolls")} == {world.images.v2}
    everyone = {pod["metadata"]["name"]: pod for pod in first}
    fewest, most = 4, 4
    for _, pod in world.client.watch(PODS, "production", since, "app=rolls", seconds=1):
        everyone[pod["metadata"]["name"]] = pod
        there = [each for each in everyone.values() if "deletionTimestamp" not in each["metadata"]]
        ready = [each for each in there if each["status"].get("containerStatuses", [{}])[0].get("ready")]
        fewest, most = min(fewest, len(ready)), max(most, len(there))
    assert (fewest, most) == (4, 5)


def test_a_template_that_comes_back_gets_its_replica_set_back(world):
    world.create(deployment("back", world.images.v1, replicas=1))
    world.until(lambda: complete(world, "back", 1), "the first version")
    for image in (world.images.v2, world.images.v1):
        world.client.merge_patch(DEPLOYMENTS, "production", "back", image_patch(image))
        world.until(lambda: complete(world, "back", 1), image)
    sets = world.client.list(REPLICASETS, "production", "app=back")
    revisions = {each["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for each in sets}
    assert (len(sets), revisions) == (2, {"2", "3"})


def test_a_missing_image_is_image_pull_back_off_and_later_past_the_deadline(world):
    missing = world.images.v1[:-6] + "abcdef"
    world.create(deployment("missing", missing, replicas=1, progressDeadlineSeconds=2))

    def waiting():
        state = [pod["status"].get("containerStatuses", [{}])[0] for pod in pods(world, "missing")]
        return [each.get("state", {}).get("waiting", {}).get("reason") for each in state]

    world.until(lambda: waiting() == ["ErrImagePull"], "ErrImagePull")
    world.until(lambda: waiting() == ["ImagePullBackOff"], "ImagePullBackOff")
    reasons = {
        "Progressing": ("False", "ProgressDeadlineExceeded"),
        "Available": ("False", "MinimumReplicasUnavailable"),
    }

    def conditions():
        return {
            each["type"]: (each["status"], each["reason"]) for each in status(world, "missing").get("conditions", [])
        }

    world.until(lambda: conditions() == reasons, "the deadline")
    events = world.client.list(EVENTS, "production", fields="involvedObject.kind=Pod,reason=Failed")
    assert any("not found" in each["message"] for each in events)


def test_a_crashed_process_is_started_again_and_counted(world):
    world.create(deployment("crashes", world.images.v1, replicas=1))
    world.until(lambda: complete(world, "crashes", 1), "one pod")
    (pod,) = pods(world, "crashes")
    process_of(world, pod).kill()

    def container():
        return pods(world, "crashes")[0]["status"]["containerStatuses"][0]

    world.until(lambda: container()["restartCount"] == 1 and container()["ready"], "the pod's second process")
    assert container()["lastState"]["terminated"]["exitCode"] == 137
    assert ask(pods(world, "crashes")[0]).status == 200


def test_a_process_that_can_not_start_is_in_crash_loop_back_off(world):
    world.create(deployment("loops", world.images.crashing, replicas=1))

    def looping():
        for pod in pods(world, "loops"):
            container = pod["status"].get("containerStatuses", [{}])[0]
            waiting = container.get("state", {}).get("waiting", {}).get("reason")
            if waiting == "CrashLoopBackOff" and container["restartCount"] >= 2:
                return pod["metadata"]["name"]
        return None

    name = world.until(looping, "CrashLoopBackOff")
    assert "errors" in (world.state / "pods" / f"{name}.log").read_text()


def test_of_too_many_pods_those_that_are_not_ready_go_first(world):
    wanted = deployment("shrinks", world.images.v1, replicas=2)
    wanted["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["failureThreshold"] = 1
    world.create(wanted)
    world.until(lambda: complete(world, "shrinks", 2), "two pods")
    two = {pod["metadata"]["name"] for pod in pods(world, "shrinks")}
    victim = pods(world, "shrinks")[0]
    process_of(world, victim).suspend()  # it does not answer, it is not ready
    world.until(lambda: status(world, "shrinks").get("readyReplicas") == 1, "one pod that is not ready", timeout=30)
    world.client.scale(DEPLOYMENTS, "production", "shrinks", 1)
    world.until(lambda: complete(world, "shrinks", 1), "one pod")
    assert {pod["metadata"]["name"] for pod in live(world, "shrinks")} == two - {victim["metadata"]["name"]}


def test_a_pod_goes_on_serving_for_a_moment_after_its_deletion(world):
    world.create(deployment("leaves", world.images.v1, replicas=1))
    world.until(lambda: complete(world, "leaves", 1), "one pod")
    (pod,) = pods(world, "leaves")
    world.client.scale(DEPLOYMENTS, "production", "leaves", 0)
    world.until(lambda: not live(world, "leaves"), "its deletion")
    assert ask(pod).status == 200
    world.until(lambda: not pods(world, "leaves"), "its end")
    with pytest.raises(OSError):
        ask(pod)


def test_no_process_is_left_when_a_deployment_is_deleted(world):
    world.create(deployment("goes", world.images.v1, replicas=2))
    world.until(lambda: complete(world, "goes", 2), "two pods")
    processes = [process_of(world, pod) for pod in pods(world, "goes")]
    world.client.delete(DEPLOYMENTS, "production", "goes")
    world.until(lambda: not pods(world, "goes"), "the end of its pods")
    assert not any(each.is_running() for each in processes)
    assert not world.client.list(REPLICASETS, "production", "app=goes")
