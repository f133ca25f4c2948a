"""What the controllers make of Deployments: the sandbox's own, and those of a real kube-controller-manager.

No kubelet runs: the tests say when a Pod is ready, so that each step of a rollout can be looked at.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fixtures.waiting import NotInTime, wait

Json = dict[str, Any]
SECONDS = 15.0
REVISION = "deployment.kubernetes.io/revision"


class Rollout:
    """A Deployment `web` in a namespace of its own, looked at and fed by hand."""

    def __init__(self, api: Any) -> None:
        self.api = api

    def start(self, replicas: int, image: str = "web:1", **spec: Any) -> None:
        labels = {"app": "web"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": image}]}}
        spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec}
        self.api.create("deployments", {"metadata": {"name": "web"}, "spec": spec})

    def image(self, image: str) -> None:
        containers = [{"name": "app", "image": image}]
        self.api.patch("deployments/web", {"spec": {"template": {"spec": {"containers": containers}}}}, "strategic")

    def scale(self, replicas: int) -> None:
        self.api.patch("deployments/web/scale", {"spec": {"replicas": replicas}})

    def pods(self, image: str = "") -> list[Json]:
        """The Pods that are not about to go, the oldest first."""
        found = [each for each in self.api.get("pods")["items"] if "deletionTimestamp" not in each["metadata"]]
        chosen = [each for each in found if image in ("", each["spec"]["containers"][0]["image"])]
        return sorted(chosen, key=lambda each: int(each["metadata"]["resourceVersion"]))

    def ready(self, pod: Json, ready: bool = True) -> None:
        """Be the kubelet: a Pod is ready, or no more."""
        word = str(ready)
        container = {"name": "app", "ready": ready, "restartCount": 0, "image": "x", "imageID": "x"}
        status = {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": word, "lastTransitionTime": "2026-01-01T00:00:00Z"}],
            "containerStatuses": [{**container, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}],
        }
        self.api.patch(f"pods/{pod['metadata']['name']}/status", {"status": status})

    def all_ready(self, replicas: int, image: str) -> None:
        """Make every Pod of an image ready, as they come."""
        self.until(lambda: len(self.pods(image)) == replicas, f"{replicas} pods of {image}")
        for pod in self.pods(image):
            self.ready(pod)
        self.until(lambda: self.complete(replicas), f"{replicas} available pods of {image}, and no others")

    def complete(self, replicas: int) -> bool:
        """Whether the controller has seen all, and nothing is left to do."""
        seen, generation = self.status(), self.api.get("deployments/web")["metadata"]["generation"]
        counts = [seen.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
        return seen.get("observedGeneration") == generation and counts == [replicas] * 3

    def sizes(self, new: str, old: str) -> tuple[int, int]:
        """How many Pods there are of two images."""
        return len(self.pods(new)), len(self.pods(old))

    def sets(self) -> dict[str, Json]:
        """The ReplicaSets by image."""
        found = self.api.get("replicasets")["items"]
        return {each["spec"]["template"]["spec"]["containers"][0]["image"]: each for each in found}

    def status(self) -> Json:
        return dict(self.api.get("deployments/web").get("status") or {})

    def conditions(self) -> dict[str, tuple[str, str]]:
        return {each["type"]: (each["status"], each["reason"]) for each in self.status().get("conditions") or []}

    def until(self, probe: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
        wait(lambda: probe() or None, what=what, timeout=seconds, interval=0.03)

    def never(self, probe: Callable[[], object], what: str) -> None:
        """See that something does not come for a while; a controller acts within some tenths of a second."""
        with pytest.raises(NotInTime):
            self.until(probe, what, seconds=1.0)


@pytest.fixture
def rollout(server: Any) -> Rollout:
    return Rollout(server.client())


@pytest.fixture(scope="session")
def controlled(start: Any, served: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A stand-in of its own, with the controllers at work."""
    state = tmp_path_factory.mktemp("controlled")
    running = start(state)
    command = [sys.executable, "-m", "fixtures.sandbox.controllers", "--state", str(state), "--only", "deployments"]
    with (state / "controllers.log").open("wb") as log:
        controllers = subprocess.Popen([*command, "--kubeconfig", str(state / "kubeconfig")], stdout=log, stderr=log)
    with served(running) as server:
        yield server
    for process in (controllers, running.process):
        process.terminate()
        process.wait(10)


def uid_of(body: Json) -> str:
    return str(body["metadata"]["uid"])


class Deployments:
    """Rolling, recreating, failing, scaling, going."""

    def test_a_deployment_owns_a_replica_set_which_owns_the_pods(self, rollout: Rollout) -> None:
        rollout.start(2)
        rollout.until(lambda: len(rollout.pods()) == 2, "two pods")
        deployment, replica_set = rollout.api.get("deployments/web"), rollout.sets()["web:1"]
        name = replica_set["metadata"]["labels"]["pod-template-hash"]
        assert replica_set["metadata"]["name"] == f"web-{name}"
        assert replica_set["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": name}
        assert deployment["metadata"]["annotations"][REVISION] == "1"
        assert replica_set["metadata"]["annotations"][REVISION] == "1"
        [owner] = replica_set["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["kind"], owner["controller"], owner["blockOwnerDeletion"]) == (
            uid_of(deployment), "Deployment", True, True,
        )  # fmt: skip
        for pod in rollout.pods():
            [owner] = pod["metadata"]["ownerReferences"]
            assert (owner["uid"], owner["kind"], owner["controller"]) == (uid_of(replica_set), "ReplicaSet", True)
            assert pod["metadata"]["labels"] == {"app": "web", "pod-template-hash": name}
            assert pod["metadata"]["name"].startswith(f"web-{name}-")

    def test_the_status_counts_and_says_how_it_stands(self, rollout: Rollout) -> None:
        rollout.start(2)
        rollout.until(lambda: rollout.status().get("replicas") == 2, "two pods")
        rollout.until(
            lambda: rollout.conditions().get("Available") == ("False", "MinimumReplicasUnavailable"), "Available"
        )
        assert rollout.status()["unavailableReplicas"] == 2
        assert "readyReplicas" not in rollout.status()
        rollout.all_ready(2, "web:1")
        rollout.until(lambda: rollout.conditions() == {
            "Available": ("True", "MinimumReplicasAvailable"), "Progressing": ("True", "NewReplicaSetAvailable"),
        }, "both conditions")  # fmt: skip
        status = rollout.status()
        assert [status[key] for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")] == [2] * 4
        assert "unavailableReplicas" not in status
        assert status["observedGeneration"] == rollout.api.get("deployments/web")["metadata"]["generation"]

    def test_surge_adds_before_it_takes_away(self, rollout: Rollout) -> None:
        rollout.start(3, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
        rollout.all_ready(3, "web:1")
        rollout.image("web:2")
        for done in range(3):
            expected = (min(3, done + 1), 3 - done)
            rollout.until(lambda: rollout.sizes("web:2", "web:1") == expected, f"new and old {expected}")  # noqa: B023
            rollout.ready(rollout.pods("web:2")[-1])
        rollout.until(lambda: rollout.sizes("web:2", "web:1") == (3, 0), "only new pods")
        assert rollout.sets()["web:1"]["spec"]["replicas"] == 0

    def test_unavailability_takes_away_before_it_adds(self, rollout: Rollout) -> None:
        rollout.start(3, strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})
        rollout.all_ready(3, "web:1")
        rollout.image("web:2")
        for done in range(3):
            expected = (done + 1, 2 - done)
            rollout.until(lambda: rollout.sizes("web:2", "web:1") == expected, f"new and old {expected}")  # noqa: B023
            rollout.ready(rollout.pods("web:2")[-1])
        rollout.until(lambda: rollout.status().get("availableReplicas") == 3, "three available pods")

    def test_pods_that_never_get_ready_stop_a_rollout_until_its_deadline(self, rollout: Rollout) -> None:
        rollout.start(2, progressDeadlineSeconds=2, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
        rollout.all_ready(2, "web:1")
        rollout.image("web:2")
        rollout.until(lambda: rollout.sizes("web:2", "web:1") == (1, 2), "one pod more")
        late = ("False", "ProgressDeadlineExceeded")
        rollout.until(lambda: rollout.conditions()["Progressing"] == late, "the deadline")
        assert rollout.conditions()["Available"] == ("True", "MinimumReplicasAvailable")
        assert rollout.sizes("web:2", "web:1") == (1, 2)

    def test_a_template_that_comes_back_gets_its_replica_set_back(self, rollout: Rollout) -> None:
        rollout.start(1)
        rollout.all_ready(1, "web:1")
        first = uid_of(rollout.sets()["web:1"])
        for image in ("web:2", "web:1"):
            rollout.image(image)
            rollout.until(lambda: rollout.pods(image), f"a pod of {image}")  # noqa: B023
            rollout.all_ready(1, image)
        sets = rollout.sets()
        assert uid_of(sets["web:1"]) == first
        assert {image: each["metadata"]["annotations"][REVISION] for image, each in sets.items()} == {
            "web:2": "2", "web:1": "3",
        }  # fmt: skip

    def test_recreate_ends_all_before_it_begins(self, rollout: Rollout) -> None:
        rollout.start(2, strategy={"type": "Recreate"})
        rollout.all_ready(2, "web:1")
        since = rollout.api.get("pods")["metadata"]["resourceVersion"]
        rollout.image("web:2")
        rollout.until(lambda: rollout.sizes("web:2", "web:1") == (2, 0), "only new pods")
        told = [
            (event["type"], event["object"]["spec"]["containers"][0]["image"])
            for event in rollout.api.watch("pods", since, timeoutSeconds=1)
            if event["type"] in ("ADDED", "DELETED")
        ]
        assert told == [("DELETED", "web:1")] * 2 + [("ADDED", "web:2")] * 2

    def test_a_paused_deployment_waits(self, rollout: Rollout) -> None:
        rollout.start(1)
        rollout.all_ready(1, "web:1")
        rollout.api.patch("deployments/web", {"spec": {"paused": True}})
        rollout.image("web:2")
        rollout.never(lambda: rollout.pods("web:2"), "a new pod")
        rollout.api.patch("deployments/web", {"spec": {"paused": False}})
        rollout.until(lambda: rollout.pods("web:2"), "a new pod")

    def test_of_too_many_pods_those_that_are_not_ready_go_first(self, rollout: Rollout) -> None:
        rollout.start(3)
        rollout.all_ready(3, "web:1")
        sick = rollout.pods()[1]
        rollout.ready(sick, ready=False)
        rollout.until(lambda: rollout.status().get("readyReplicas") == 2, "the sick pod")
        rollout.scale(2)
        rollout.until(lambda: len(rollout.pods()) == 2, "two pods")
        assert uid_of(sick) not in map(uid_of, rollout.pods())

    def test_a_pod_that_goes_is_replaced(self, rollout: Rollout) -> None:
        rollout.start(1)
        rollout.all_ready(1, "web:1")
        [pod] = rollout.pods()
        rollout.api.delete(f"pods/{pod['metadata']['name']}")
        rollout.until(lambda: [uid_of(each) for each in rollout.pods()] not in ([], [uid_of(pod)]), "another pod")

    def test_old_replica_sets_are_forgotten(self, rollout: Rollout) -> None:
        rollout.start(1, revisionHistoryLimit=1)
        rollout.all_ready(1, "web:1")
        for image in ("web:2", "web:3"):
            rollout.image(image)
            rollout.until(lambda: rollout.pods(image), f"a pod of {image}")  # noqa: B023
            rollout.all_ready(1, image)
        rollout.until(lambda: set(rollout.sets()) == {"web:2", "web:3"}, "the end of the first ReplicaSet")

    @pytest.mark.parametrize("policy", ["Background", "Foreground"])
    def test_what_a_deployment_owned_goes_with_it(self, rollout: Rollout, policy: str) -> None:
        rollout.start(2)
        rollout.until(lambda: len(rollout.pods()) == 2, "two pods")
        rollout.api.delete("deployments/web", {"propagationPolicy": policy})
        rollout.until(lambda: not rollout.sets() and not rollout.api.get("pods")["items"], "the end of all it owned")
        rollout.until(lambda: rollout.api.ask("GET", "deployments/web")[0] == 404, "its own end, which may be last")

    def test_orphans_stay(self, rollout: Rollout) -> None:
        rollout.start(1)
        rollout.until(lambda: len(rollout.pods()) == 1, "a pod")
        pods = [uid_of(each) for each in rollout.pods()]
        rollout.api.delete("deployments/web", {"propagationPolicy": "Orphan"})
        rollout.until(lambda: "ownerReferences" not in rollout.sets()["web:1"]["metadata"], "an orphan")
        assert [uid_of(each) for each in rollout.pods()] == pods

    def test_an_autoscaler_lifts_a_deployment_to_its_least(self, rollout: Rollout) -> None:
        rollout.start(1)
        rollout.until(lambda: len(rollout.pods()) == 1, "a pod")
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
        spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 3}
        rollout.api.create("horizontalpodautoscalers", {"metadata": {"name": "web"}, "spec": spec})
        rollout.until(lambda: len(rollout.pods()) == 2, "the least number of pods", seconds=40)
        rollout.scale(5)
        rollout.until(lambda: len(rollout.pods()) == 3, "the greatest number of pods", seconds=40)


class TestDeploymentsOnTheStandIn(Deployments):
    @pytest.fixture
    def server(self, controlled: Any) -> Any:
        return controlled


@pytest.mark.xdist_group("real")
class TestDeploymentsOnARealServer(Deployments):
    @pytest.fixture
    def server(self, real: Any) -> Any:
        return real
