"""What a Deployment says about its rollout."""

import pytest

from fixtures.sandbox.controllers.deployments.progress import Rollout, seconds_to_deadline, status_change
from fixtures.sandbox.controllers.objects import moment, timestamp

NOW = 1_800_000_000.0


def deployment(replicas=2, generation=1, deadline=60, status=None):
    return {
        "metadata": {"name": "shop", "generation": generation},
        "spec": {"replicas": replicas, "progressDeadlineSeconds": deadline},
        "status": status or {},
    }


def replica_set(name, replicas, there=0, ready=0):
    counts = {"replicas": there, "readyReplicas": ready, "availableReplicas": ready}
    return {"metadata": {"name": name}, "spec": {"replicas": replicas}, "status": counts}


def said(change, kind):
    return next((each["status"], each["reason"]) for each in change["conditions"] if each["type"] == kind)


def after(thing, new, old=(), now=NOW):
    """Give the Deployment with the status that follows."""
    change = status_change(Rollout(thing, new, list(old), 0), now)
    return {**thing, "status": {**thing["status"], **change}}


def test_a_new_rollout_progresses_and_is_not_yet_available():
    change = status_change(Rollout(deployment(), replica_set("new", 2), [], 0), NOW)
    assert said(change, "Progressing") == ("True", "ReplicaSetUpdated")
    assert said(change, "Available") == ("False", "MinimumReplicasUnavailable")
    assert (change["observedGeneration"], change["unavailableReplicas"]) == (1, 2)


def test_a_complete_rollout_says_so_and_then_is_silent():
    thing = after(deployment(), replica_set("new", 2, 2, 2))
    assert said(thing["status"], "Progressing") == ("True", "NewReplicaSetAvailable")
    assert said(thing["status"], "Available") == ("True", "MinimumReplicasAvailable")
    assert status_change(Rollout(thing, replica_set("new", 2, 2, 2), [], 0), NOW + 1000) == {}


def test_a_rollout_that_does_not_move_is_late_after_its_deadline():
    thing = after(deployment(deadline=60), replica_set("new", 2, 2, 0))
    assert seconds_to_deadline(thing, NOW + 20) == 40
    assert status_change(Rollout(thing, replica_set("new", 2, 2, 0), [], 0), NOW + 59) == {}
    late = after(thing, replica_set("new", 2, 2, 0), now=NOW + 60)
    assert said(late["status"], "Progressing") == ("False", "ProgressDeadlineExceeded")
    assert seconds_to_deadline(late, NOW + 61) is None


def test_every_pod_that_becomes_ready_gives_it_its_time_again():
    thing = after(deployment(deadline=60), replica_set("new", 2, 2, 0))
    thing = after(thing, replica_set("new", 2, 2, 1), now=NOW + 50)
    assert seconds_to_deadline(thing, NOW + 100) == 10


def test_a_finished_rollout_whose_pod_crashes_is_not_late():
    thing = after(deployment(deadline=60), replica_set("new", 2, 2, 2))
    thing = after(thing, replica_set("new", 2, 2, 1), now=NOW + 10)
    thing = after(thing, replica_set("new", 2, 2, 1), now=NOW + 1000)
    assert said(thing["status"], "Progressing") == ("True", "NewReplicaSetAvailable")
    assert said(thing["status"], "Available") == ("False", "MinimumReplicasUnavailable")


def test_a_new_template_begins_anew_even_after_a_late_one():
    thing = after(deployment(deadline=60), replica_set("new", 2, 2, 0))
    thing = after(thing, replica_set("new", 2, 2, 0), now=NOW + 60)
    again = {**thing, "metadata": {**thing["metadata"], "generation": 2}}
    again = after(again, replica_set("newer", 1), [replica_set("new", 2, 2, 0)], now=NOW + 70)
    assert said(again["status"], "Progressing") == ("True", "ReplicaSetUpdated")


def test_a_count_of_0_is_left_out_as_the_real_one_does():
    thing = after(deployment(replicas=1), replica_set("new", 1, 1, 1))
    change = status_change(Rollout({**thing, "spec": {"replicas": 0}}, replica_set("new", 0), [], 0), NOW)
    assert change["readyReplicas"] is None


@pytest.mark.parametrize("text", ["2026-11-24T22:39:54Z", "1970-01-01T00:00:00Z"])
def test_timestamps_are_read_as_they_are_written(text):
    assert timestamp(moment(text)) == text
