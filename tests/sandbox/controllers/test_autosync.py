"""When an Application is synced by itself, and how healthy it is."""

import pytest

from fixtures.cluster import DEPLOYMENTS, SERVICES
from fixtures.sandbox.controllers.argocd.autosync import decide, heal_delay
from fixtures.sandbox.controllers.argocd.compare import Compared
from fixtures.sandbox.controllers.argocd.health import health, overall
from fixtures.sandbox.controllers.objects import timestamp

NOW = 1_800_000_000.0
OBJECT = {"metadata": {"name": "shop"}}
DRIFTED = Compared(DEPLOYMENTS, "production", "shop", OBJECT, OBJECT, synced=False)
FINE = Compared(SERVICES, "production", "shop", OBJECT, OBJECT, synced=True)
SURPLUS = Compared(SERVICES, "production", "old", None, OBJECT, synced=False)
AUTOMATED = {"prune": True, "selfHeal": True}


def application(automated=None, last=None, **rest):
    status = {"operationState": last} if last else {}
    policy = {"automated": AUTOMATED if automated is None else automated}
    return {"metadata": {"name": "shop"}, "spec": {"syncPolicy": policy}, "status": status, **rest}


def ended(revision, phase="Succeeded", attempts=0, ago=0.0):
    operation = {"sync": {"revision": revision, "autoHealAttemptsCount": attempts}}
    at = timestamp(NOW - ago)
    return {
        "phase": phase,
        "syncResult": {"revision": revision},
        "operation": operation,
        "finishedAt": at,
        "message": "no",
    }


def test_a_new_commit_is_synced_as_a_whole():
    operation = decide(application(last=ended("old")), [DRIFTED, FINE], "new", NOW).operation
    assert (operation["sync"]["revision"], operation["sync"].get("resources")) == ("new", None)


def test_what_is_in_sync_is_left_alone():
    assert decide(application(), [FINE], "new", NOW).operation is None


@pytest.mark.parametrize(
    "thing",
    [
        {"metadata": {"name": "shop"}, "spec": {}},
        application(automated={"enabled": False}),
        application(operation={"sync": {}}),
    ],
)
def test_nothing_is_done_without_automation_or_during_another_operation(thing):
    assert decide(thing, [DRIFTED], "new", NOW).operation is None


def test_drift_of_a_synced_commit_is_healed_and_only_what_drifted():
    operation = decide(application(last=ended("same", ago=100)), [DRIFTED, FINE], "same", NOW).operation
    assert [each["kind"] for each in operation["sync"]["resources"]] == ["Deployment"]
    assert operation["sync"]["autoHealAttemptsCount"] == 1


def test_drift_stays_without_self_heal():
    assert decide(application(automated={"prune": True}, last=ended("same")), [DRIFTED], "same", NOW).operation is None


def test_the_first_healing_is_immediate_and_later_ones_wait_longer_and_longer():
    assert [heal_delay(attempts) for attempts in range(7)] == [0, 2, 6, 18, 54, 162, 300]
    waiting = decide(application(last=ended("same", attempts=2, ago=4)), [DRIFTED], "same", NOW)
    assert (waiting.operation, waiting.again_in) == (None, 2.0)
    assert decide(application(last=ended("same", attempts=2, ago=6)), [DRIFTED], "same", NOW).operation


def test_after_a_calm_time_healing_is_immediate_again():
    operation = decide(application(last=ended("same", attempts=5, ago=400)), [DRIFTED], "same", NOW).operation
    assert operation["sync"]["autoHealAttemptsCount"] == 1


def test_a_commit_whose_sync_failed_is_not_tried_again():
    decision = decide(application(last=ended("same", phase="Failed")), [DRIFTED], "same", NOW)
    assert decision.operation is None
    assert decision.error == "Failed last sync attempt to same: no"


def test_a_sync_that_would_delete_everything_is_refused_unless_allowed():
    assert "wipe out" in decide(application(), [SURPLUS], "new", NOW).error
    assert decide(application(automated={"prune": True, "allowEmpty": True}), [SURPLUS], "new", NOW).operation


def test_surplus_alone_is_no_reason_without_pruning():
    assert decide(application(automated={"selfHeal": True}), [FINE, SURPLUS], "new", NOW).operation is None


def deployment(replicas=2, updated=2, there=2, available=2, generation=1, observed=1, **more):
    status = {"updatedReplicas": updated, "replicas": there, "availableReplicas": available}
    return {
        "kind": "Deployment",
        "metadata": {"generation": generation},
        "spec": {"replicas": replicas, **more},
        "status": {"observedGeneration": observed, **status},
    }


LATE = {"type": "Progressing", "reason": "ProgressDeadlineExceeded"}


@pytest.mark.parametrize(
    ("live", "verdict"),
    [
        (deployment(), "Healthy"),
        (deployment(replicas=0, updated=0, there=0, available=0), "Healthy"),
        (deployment(updated=1), "Progressing"),
        (deployment(there=3), "Progressing"),
        (deployment(available=1), "Progressing"),
        (deployment(generation=2), "Progressing"),
        (deployment(paused=True), "Suspended"),
        ({"kind": "VirtualService"}, None),
    ],
)
def test_health_is_by_argo_cds_rules(live, verdict):
    assert health(live) == verdict


def test_a_deployment_past_its_deadline_is_degraded():
    late = deployment(available=0)
    late["status"]["conditions"] = [LATE]
    assert health(late) == "Degraded"


def test_an_application_is_as_healthy_as_its_worst_object():
    assert overall([deployment(), deployment(updated=1), {"kind": "Service"}, None]) == "Progressing"
    assert overall([]) == "Healthy"
    assert overall([None, None]) == "Missing"
