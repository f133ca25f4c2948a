"""Argo CD: what an Application's status says after a push, and what becomes of live changes.

Each row is one that was first observed on Argo CD 3.6.1; `TestReal` asks whether it still holds.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

import pytest

from fixtures.cluster import APPLICATIONS, DEPLOYMENTS, SERVICES, VIRTUAL_SERVICES, NotFound, Object, Resource

CONFIG_MAPS = Resource("v1", "configmaps", "ConfigMap")
REFRESH = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}
TERMINATE = {"status": {"operationState": {"phase": "Terminating"}}}  # what `argocd app terminate-op` writes
FINALIZER = "resources-finalizer.argocd.argoproj.io"
REFUSED = "apiVersion: v1\nkind: Service\nmetadata: {name: Wrong_Name}\nspec: {ports: [{port: 80}]}\n"
Make = Callable[..., Any]


def service(name: str = "shop", app: str = "shop") -> str:
    spec = f"{{selector: {{app: {app}}}, ports: [{{port: 80}}]}}"
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def deployment(image: str, replicas: int | None = None, more: str = "") -> str:
    """A Deployment whose pods the sandbox's kubelet can run."""
    count = "" if replicas is None else f"\n  replicas: {replicas}"
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:{count}
  progressDeadlineSeconds: 4
  selector: {{matchLabels: {{app: shop}}}}
  template:
    metadata: {{labels: {{app: shop, version: stable{more}}}}}
    spec:
      containers:
      - name: app
        image: {image}
        ports: [{{name: http, containerPort: 8080}}]
        readinessProbe: {{httpGet: {{path: /healthz, port: http}}, periodSeconds: 1}}
"""


def routes(canary: int, timeout: str = "5s", hosts: str = "hosts: [argo.example.com]") -> str:
    return f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop}}
spec:
  {hosts}
  gateways: [none/none]
  http:
  - name: primary
    timeout: {timeout}
    route:
    - destination: {{host: shop, subset: stable}}
      weight: {100 - canary}
    - destination: {{host: shop, subset: canary}}
      weight: {canary}
"""


WEIGHTS = [f"/spec/http/0/route/{number}/weight" for number in (0, 1)]
IGNORE_WEIGHTS = [{"group": "networking.istio.io", "kind": "VirtualService", "jsonPointers": WEIGHTS}]
IGNORE_REPLICAS = [{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]


def ignoring(rules: Sequence[Object], *options: str) -> Object:
    """An Application's spec that ignores differences."""
    policy = {"automated": {"prune": True, "selfHeal": True}, "syncOptions": list(options)}
    return {"ignoreDifferences": list(rules), "syncPolicy": policy}


def row(application: Object, new: str) -> tuple[str, ...]:
    """What a status says, in words: refresh asked for, operation set, sync, at which commit, phase."""
    status = application.get("status") or {}
    asked = "refresh" if "argocd.argoproj.io/refresh" in (application["metadata"].get("annotations") or {}) else ""
    operation = "operation" if "operation" in application else ""
    at = "new" if status["sync"]["revision"] == new else "old"
    return asked, operation, status["sync"]["status"], at, (status.get("operationState") or {}).get("phase", "")


def weights(app: Any) -> list[int]:
    found = app.client.get(VIRTUAL_SERVICES, app.name, "shop")
    return [each.get("weight", 0) for each in found["spec"]["http"][0]["route"]]


def set_weights(app: Any, *shares: int) -> None:
    changes = [{"op": "replace", "path": path, "value": share} for path, share in zip(WEIGHTS, shares, strict=True)]
    app.client.json_patch(VIRTUAL_SERVICES, app.name, "shop", changes)


class Contract:
    """What is so on both."""

    slack: float  # seconds that a busy machine may take for what is done at once

    def test_before_a_refresh_the_status_is_of_the_past_and_looks_finished(self, make: Make) -> None:
        app = make(service__yaml=service())
        old = app.status()["sync"]["revision"]
        new = app.repository.push(service__yaml=service(app="other"))
        time.sleep(1)  # nothing is waited for: that nothing happens is what is looked at
        assert row(app.read(), new) == ("", "", "Synced", "old", "Succeeded")
        assert (app.status()["sync"]["revision"], app.status()["health"]["status"]) == (old, "Healthy")

    def test_after_a_push_the_status_changes_in_this_order(self, make: Make) -> None:
        app = make(service__yaml=service())
        new = app.repository.push(service__yaml=service(app="other"))
        history = len(app.status()["history"])
        rows = self.rows_until(app, new)
        order = [
            ("refresh", "", "Synced", "old", "Succeeded"),
            ("refresh", "operation", "Synced", "old", ""),
            ("", "operation", "OutOfSync", "new", "Running"),
            ("", "", "Synced", "new", "Succeeded"),
        ]
        assert [each for each, _ in groupby(each for each in rows if each in order)] == order, rows
        assert len(app.status()["history"]) == history + 1
        assert app.status()["history"][-1]["revision"] == new
        assert app.status()["operationState"]["operation"]["initiatedBy"] == {"automated": True}

    def rows_until(self, app: Any, new: str) -> list[tuple[str, ...]]:
        since = app.client.snapshot(APPLICATIONS, "argocd")[1]
        app.patch(REFRESH)
        rows: list[tuple[str, ...]] = []
        for _, seen in app.client.watch(APPLICATIONS, "argocd", since, seconds=30):
            if seen["metadata"]["name"] == app.name and row(seen, new) not in rows[-1:]:
                rows.append(row(seen, new))
            if rows and rows[-1] == ("", "", "Synced", "new", "Succeeded"):
                break
        return rows

    def test_health_follows_the_pods(self, make: Make, image: str) -> None:
        app = make(deployment__yaml=deployment(image, 1))
        commit = app.repository.push(deployment__yaml=deployment(app.images["v2"], 1))
        app.refresh()
        app.until(lambda: app.status()["health"]["status"] == "Progressing", "Progressing")
        app.until(lambda: app.settled(commit), "Healthy")
        missing = app.images["v2"].partition("@")[0] + "@sha256:" + "1" * 64
        app.repository.push(deployment__yaml=deployment(missing, 1))
        app.refresh()
        app.until(lambda: app.status()["health"]["status"] == "Degraded", "Degraded")
        assert (app.status()["sync"]["status"], app.operation()["phase"]) == ("Synced", "Succeeded")

    @pytest.mark.parametrize("how", ["normal", "hard"])
    def test_a_refresh_shows_the_new_commit_soon(self, make: Make, how: str) -> None:
        app = make(service__yaml=service())
        new = app.repository.push(service__yaml=service(app="other"))
        app.refresh(how)
        app.until(lambda: app.status()["sync"]["revision"] == new, "the new commit", timeout=3)
        app.until(lambda: app.settled(new), "all of it")

    def test_without_a_refresh_a_push_is_not_seen_even_when_something_else_is(self, make: Make) -> None:
        app = make(service__yaml=service())
        new = app.repository.push(service__yaml=service(app="other"))
        app.client.merge_patch(SERVICES, app.name, "shop", {"spec": {"selector": {"app": "live"}}})
        app.until(lambda: selector(app) == "shop", "the live change to be undone, by the old commit")
        assert app.status()["sync"]["revision"] != new

    def test_a_push_during_a_sync_waits_for_the_next_refresh(self, make: Make) -> None:
        app = make(service__yaml=service())
        first = app.repository.push(service__yaml=service(app="first"))
        app.refresh()
        second = app.repository.push(service__yaml=service(app="second"))
        app.until(lambda: app.settled(first), "the first commit")
        assert selector(app) == "first"
        app.sync(second)
        assert selector(app) == "second"

    def test_a_commit_that_changes_no_object_moves_the_revision_only(self, make: Make) -> None:
        app = make(service__yaml=service())
        before = app.status()
        commit = app.repository.push(service__yaml=service() + "# a remark\n")
        app.refresh()
        app.until(lambda: app.status()["sync"]["revision"] == commit, "the revision")
        after = app.status()
        assert after["sync"]["status"] == "Synced"
        assert (after["history"], after["operationState"]) == (before["history"], before["operationState"])

    def test_broken_yaml_is_a_comparison_error_beside_a_healthy_past(self, make: Make) -> None:
        app = make(service__yaml=service())
        app.repository.push(broken__yaml="apiVersion: v1\nkind: [Service\nmetadata: {name: a}\n")
        app.refresh()
        app.until(lambda: "ComparisonError" in app.conditions(), "the condition")
        status = app.status()
        assert (status["sync"]["status"], status["sync"]["revision"]) == ("Unknown", "main")
        assert (status["health"]["status"], status["operationState"]["phase"]) == ("Healthy", "Succeeded")
        assert "broken.yaml" in app.conditions()["ComparisonError"]

    @pytest.mark.parametrize("text", ["kind: [Service\n", "replicas: 4\n"])
    def test_a_file_that_does_not_look_like_a_manifest_is_passed_over(self, make: Make, text: str) -> None:
        app = make(service__yaml=service())
        app.sync(app.repository.push(values__yaml=text))
        assert (app.conditions(), [each["kind"] for each in app.status()["resources"]]) == ({}, ["Service"])

    def test_a_file_that_begins_as_a_manifest_has_to_be_one_to_its_end(self, make: Make) -> None:
        app = make(service__yaml=service())
        app.repository.push(service__yaml=service() + "---\nreplicas: 4\n")
        app.refresh()
        app.until(lambda: "ComparisonError" in app.conditions(), "the condition")

    def test_a_path_without_objects_is_a_sync_error_and_nothing_is_deleted(self, make: Make) -> None:
        app = make(service__yaml=service())
        app.repository.push(service__yaml=None, README__md="nothing\n")
        app.refresh()
        app.until(lambda: "SyncError" in app.conditions(), "the condition")
        assert (app.status()["sync"]["status"], app.operation()["phase"]) == ("OutOfSync", "Succeeded")
        assert "wipe out all resources" in app.conditions()["SyncError"]
        assert selector(app) == "shop"

    def test_a_refused_object_keeps_the_operation_running_and_newer_commits_waiting(self, make: Make) -> None:
        app = make(service__yaml=service())
        commit = app.repository.push(wrong__yaml=REFUSED)
        app.refresh()
        app.until(lambda: app.operation().get("retryCount") == 1, "the first retry to be planned")
        state = app.operation()
        assert (state["phase"], state["operation"]["sync"]["revision"]) == ("Running", commit)
        assert state["finishedAt"]
        assert app.conditions() == {}
        newer = app.repository.push(wrong__yaml=None, service__yaml=service(app="newer"))
        app.refresh()
        app.until(lambda: app.status()["sync"]["revision"] == newer, "the newer commit to be compared")
        assert (app.operation()["phase"], selector(app)) == ("Running", "shop")
        app.patch(TERMINATE)
        app.until(lambda: app.operation().get("phase") != "Running", "the end of the operation")
        app.until(lambda: app.settled(newer) and selector(app) == "newer", "the newer commit")

    def test_retries_come_after_doubling_pauses_until_their_limit(self, make: Make) -> None:
        retry = {"limit": 2, "backoff": {"duration": "1s", "factor": 2, "maxDuration": "1m"}}
        policy = {"automated": {"prune": True, "selfHeal": True}, "retry": retry}
        app = make({"syncPolicy": policy}, service__yaml=service())
        commit = app.repository.push(wrong__yaml=REFUSED)
        app.refresh()
        moments = [self.moment_of_retry(app, count) for count in (1, 2)]
        app.until(lambda: app.operation().get("phase") == "Failed", "the end of all retries")
        moments.append(time.monotonic())
        pauses = [later - earlier for earlier, later in pairwise(moments)]
        assert 1 < pauses[0] < 4 < pauses[1] + 1.5 < 9, pauses
        app.until(lambda: "SyncError" in app.conditions(), "the condition")
        assert commit in app.conditions()["SyncError"]
        time.sleep(1)
        assert app.operation()["phase"] == "Failed", "a commit that has failed is not tried again"

    def moment_of_retry(self, app: Any, count: int) -> float:
        app.until(lambda: app.operation().get("retryCount") == count, f"retry {count} to be planned")
        return time.monotonic()

    def test_resources_have_no_health_there(self, make: Make) -> None:
        app = make(service__yaml=service(), routes__yaml=routes(0))
        found = {each["kind"]: each for each in app.status()["resources"]}
        assert set(found) == {"Service", "VirtualService"}
        assert all(each["status"] == "Synced" and "health" not in each for each in found.values())

    def test_a_live_change_is_undone_at_once_and_then_ever_later(self, make: Make) -> None:
        """After 0, 2, 6, 18, 54 seconds; one healing may have been there at the start, to make up for defaults."""
        app = make(routes__yaml=routes(0))
        for _ in range(3):
            attempts = app.operation()["operation"]["sync"].get("autoHealAttemptsCount", 0)
            due = 2 * 3 ** (attempts - 1) if attempts else 0
            set_weights(app, 50, 50)
            began = time.monotonic()
            app.until(lambda: weights(app) == [100, 0], "Git's weights", timeout=due + self.slack)
            assert time.monotonic() - began > due - 1.5, f"the end of the last one is known to the second; {attempts}"
            app.until(app.settled, "the end of the healing")
            assert app.operation()["operation"]["sync"]["autoHealAttemptsCount"] == attempts + 1

    @pytest.mark.parametrize(("attempts", "pause"), [(4, 54), (6, 300)])
    def test_the_longest_pauses_between_two_healings(self, make: Make, attempts: int, pause: int) -> None:
        """As after so many healings in a row, the last of which ended long ago but for some seconds."""
        app = make(routes__yaml=routes(0))
        set_weights(app, 50, 50)
        app.until(lambda: weights(app) == [100, 0] and app.settled(), "the first healing")
        left = 6
        ended = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=pause - left)
        operation = {"sync": {"autoHealAttemptsCount": attempts}}
        state = {"finishedAt": ended.strftime("%Y-%m-%dT%H:%M:%SZ"), "operation": operation}
        app.patch({"status": {"operationState": state}})
        set_weights(app, 50, 50)
        app.until(lambda: weights(app) == [100, 0], "Git's weights", timeout=left + self.slack)
        assert (datetime.now(UTC) - ended).total_seconds() > pause - 0.5
        app.until(app.settled, "the end of the healing")
        assert app.operation()["operation"]["sync"]["autoHealAttemptsCount"] == attempts + 1

    def test_ignored_weights_stay_until_the_next_sync_writes_gits(self, make: Make) -> None:
        app = make(ignoring(IGNORE_WEIGHTS), routes__yaml=routes(0))
        set_weights(app, 70, 30)
        app.refresh()
        assert (app.status()["sync"]["status"], weights(app)) == ("Synced", [70, 30])
        app.sync(app.repository.push(routes__yaml=routes(0, timeout="7s")))
        assert weights(app) == [100, 0]

    def test_respected_weights_stay_and_nothing_else_of_their_list_is_applied(self, make: Make) -> None:
        app = make(ignoring(IGNORE_WEIGHTS, "RespectIgnoreDifferences=true"), routes__yaml=routes(0))
        set_weights(app, 70, 30)
        commit = app.repository.push(routes__yaml=routes(0, timeout="7s"))
        app.refresh()
        app.until(lambda: (app.operation().get("syncResult") or {}).get("revision") == commit, "the sync")
        app.until(lambda: app.operation().get("phase") == "Succeeded", "its end")
        app.refresh()
        rule = app.client.get(VIRTUAL_SERVICES, app.name, "shop")["spec"]["http"][0]
        assert (weights(app), rule["timeout"]) == ([70, 30], "5s")
        assert app.status()["sync"]["status"] == "OutOfSync"

    @pytest.mark.parametrize(("options", "afterwards"), [((), 1), (("RespectIgnoreDifferences=true",), 2)])
    def test_ignored_replicas_are_reset_by_the_next_sync_unless_that_is_respected(
        self, make: Make, image: str, options: tuple[str, ...], afterwards: int
    ) -> None:
        app = make(ignoring(IGNORE_REPLICAS, *options), deployment__yaml=deployment(image, 1))
        app.client.scale(DEPLOYMENTS, app.name, "shop", 2)
        app.until(lambda: replicas(app, "readyReplicas") == 2, "two pods: ignored, so not healed")
        app.sync(app.repository.push(service__yaml=service(), deployment__yaml=deployment(image, 1, ", a: b")))
        assert app.client.get(DEPLOYMENTS, app.name, "shop")["spec"]["replicas"] == afterwards

    def test_replicas_that_git_does_not_name_survive_a_sync(self, make: Make, image: str) -> None:
        app = make(deployment__yaml=deployment(image))
        app.client.scale(DEPLOYMENTS, app.name, "shop", 2)
        app.sync(app.repository.push(deployment__yaml=deployment(image, more=", a: b")))
        assert app.client.get(DEPLOYMENTS, app.name, "shop")["spec"]["replicas"] == 2

    @pytest.mark.parametrize(("options", "afterwards"), [((), 1), (("RespectIgnoreDifferences=true",), 2)])
    def test_replicas_that_git_names_no_more_become_one_unless_they_are_ignored_and_that_is_respected(
        self, make: Make, image: str, options: tuple[str, ...], afterwards: int
    ) -> None:
        app = make(ignoring(IGNORE_REPLICAS, *options), deployment__yaml=deployment(image, 2))
        app.sync(app.repository.push(deployment__yaml=deployment(image, more=", a: b")))
        assert app.client.get(DEPLOYMENTS, app.name, "shop")["spec"]["replicas"] == afterwards

    def test_weights_in_a_delegate_outside_of_git_are_left_alone(self, make: Make) -> None:
        root = routes(0).partition("    route:")[0].replace("name: shop", "name: root") + "    delegate: {name: shop}\n"
        app = make(root__yaml=root)
        outside = {
            "metadata": {"name": "shop"},
            "spec": {"http": [{"route": [to("stable", 100), to("canary", 0)]}]},
        }
        app.client.create(VIRTUAL_SERVICES, app.name, outside)
        set_weights(app, 60, 40)
        app.refresh("hard")
        app.sync(app.repository.push(service__yaml=service()))
        assert (app.status()["sync"]["status"], weights(app)) == ("Synced", [60, 40])

    def test_what_git_drops_is_pruned(self, make: Make) -> None:
        app = make(service__yaml=service(), extra__yaml=service("extra"))
        assert app.client.get(SERVICES, app.name, "extra")
        app.sync(app.repository.push(extra__yaml=None))
        with pytest.raises(NotFound):
            app.client.get(SERVICES, app.name, "extra")

    def test_without_prune_what_git_drops_stays_and_is_out_of_sync(self, make: Make) -> None:
        policy = {"automated": {"selfHeal": True}}
        app = make({"syncPolicy": policy}, service__yaml=service(), extra__yaml=service("extra"))
        app.repository.push(extra__yaml=None)
        app.refresh()
        app.until(lambda: app.status()["sync"]["status"] == "OutOfSync", "OutOfSync")
        assert app.client.get(SERVICES, app.name, "extra")
        assert [each["name"] for each in app.status()["resources"] if each.get("requiresPruning")] == ["extra"]

    def test_a_deleted_application_takes_with_it_what_it_made_when_its_finalizer_says_so(self, make: Make) -> None:
        app = make(finalizers=(FINALIZER,), service__yaml=service())
        app.client.delete(APPLICATIONS, "argocd", app.name)
        app.until(lambda: gone(app, APPLICATIONS, "argocd", app.name), "its end")
        assert gone(app, SERVICES, app.name, "shop")


def to(subset: str, weight: int) -> Object:
    return {"destination": {"host": "shop", "subset": subset}, "weight": weight}


def selector(app: Any) -> str:
    return str(app.client.get(SERVICES, app.name, "shop")["spec"]["selector"]["app"])


def replicas(app: Any, which: str) -> int:
    return int(app.client.get(DEPLOYMENTS, app.name, "shop").get("status", {}).get(which, 0))


def gone(app: Any, resource: Resource, namespace: str, name: str) -> bool:
    try:
        app.client.get(resource, namespace, name)
    except NotFound:
        return True
    return False


@pytest.mark.xdist_group("planes-argocd")
class TestStandIn(Contract):
    slack = 5.0

    @pytest.fixture
    def plane(self, stand_in: Any) -> Any:
        return stand_in


@pytest.mark.xdist_group("real")
class TestReal(Contract):
    slack = 8.0

    @pytest.fixture
    def plane(self, real: Any) -> Any:
        return real
