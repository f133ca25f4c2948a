"""Which objects are in sync, and what a sync would write."""

import json

import pytest

from fixtures.cluster import DEPLOYMENTS, SERVICES, VIRTUAL_SERVICES
from fixtures.sandbox.controllers.argocd.compare import (
    LAST_APPLIED,
    TRACKING,
    Ignored,
    apply_change,
    compare,
    to_create,
)

RESPECT = {"syncOptions": ["RespectIgnoreDifferences=true"]}


def application(ignore=(), policy=None):
    spec = {"destination": {"namespace": "production"}, "ignoreDifferences": list(ignore), "syncPolicy": policy or {}}
    return {"metadata": {"name": "shop"}, "spec": spec}


def deployment(**spec):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": spec}


def route(**rule):
    rule = {"route": [{"weight": 100}, {"weight": 0}], **rule}
    head = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "shop"}}
    return {**head, "spec": {"http": [rule]}}


def applied(app, wanted, **live_spec):
    """Give the live object that a sync has made, with what others changed in it since."""
    (each,) = compare(app, [wanted], {DEPLOYMENTS: [], SERVICES: [], VIRTUAL_SERVICES: []})
    live = to_create(each)
    return {**live, "spec": {**live["spec"], **live_spec}, "status": {"replicas": 1}}


def look(app, wanted, live):
    there = {DEPLOYMENTS: [], SERVICES: [], VIRTUAL_SERVICES: []}
    kind = next(each for each in there if each.kind == live["kind"])
    return compare(app, [wanted] if wanted else [], {**there, kind: [live]})[0]


def test_what_has_just_been_created_is_in_sync():
    wanted = deployment(paused=False)
    assert look(application(), wanted, applied(application(), wanted)).synced


def test_a_field_that_git_does_not_name_is_no_difference():
    wanted = deployment(paused=False)
    live = applied(application(), wanted, replicas=4)
    assert look(application(), wanted, live).synced
    assert "spec" not in apply_change(look(application(), wanted, live), Ignored.of(application()))


def test_a_field_that_git_names_is_set_back():
    wanted = deployment(replicas=2)
    live = applied(application(), wanted, replicas=4)
    each = look(application(), wanted, live)
    assert not each.synced
    assert apply_change(each, Ignored.of(application()))["spec"] == {"replicas": 2}


def test_a_field_that_git_drops_is_removed():
    live = applied(application(), deployment(replicas=2, paused=False))
    each = look(application(), deployment(paused=False), live)
    assert not each.synced
    assert apply_change(each, Ignored.of(application()))["spec"] == {"replicas": None}


REPLICAS = {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}


@pytest.mark.parametrize(("policy", "written"), [({}, {"replicas": 2}), (RESPECT, None)])
def test_ignored_differences_are_hidden_but_written_unless_they_are_respected(policy, written):
    app = application([REPLICAS], policy)
    wanted = deployment(replicas=2)
    each = look(app, wanted, applied(app, wanted, replicas=4))
    assert each.synced
    assert apply_change(each, Ignored.of(app)).get("spec") == written


WEIGHTS = {
    "group": "networking.istio.io",
    "kind": "VirtualService",
    "jsonPointers": ["/spec/http/0/route/0/weight", "/spec/http/0/route/1/weight"],
}


def test_respected_weights_keep_every_other_change_of_the_routes_from_being_applied():
    app = application([WEIGHTS], RESPECT)
    live = applied(app, route())
    live["spec"]["http"][0]["route"] = [{"weight": 95}, {"weight": 5}]
    each = look(app, route(timeout="5s"), live)
    assert not each.synced
    assert "spec" not in apply_change(each, Ignored.of(app))


def test_weights_that_are_only_ignored_are_reset_by_the_next_change():
    app = application([WEIGHTS])
    live = applied(app, route())
    live["spec"]["http"][0]["route"] = [{"weight": 95}, {"weight": 5}]
    assert look(app, route(), live).synced
    change = apply_change(look(app, route(timeout="5s"), live), Ignored.of(app))
    assert change["spec"]["http"] == route(timeout="5s")["spec"]["http"]


def test_what_is_ours_and_not_in_git_needs_pruning():
    each = look(application(), None, applied(application(), deployment()))
    assert each.status() == {
        "group": "apps",
        "version": "v1",
        "kind": "Deployment",
        "namespace": "production",
        "name": "shop",
        "status": "OutOfSync",
        "requiresPruning": True,
    }


def test_what_somebody_else_made_is_not_looked_at():
    foreign = {**deployment(), "metadata": {"name": "shop", "namespace": "production"}}
    copied = {**applied(application(), deployment())}
    copied["metadata"] = {**copied["metadata"], "name": "copy"}
    assert compare(application(), [], {DEPLOYMENTS: [foreign, copied]}) == []


def test_a_kind_that_the_cluster_does_not_have_is_an_error():
    with pytest.raises(ValueError, match="could not find batch/v1/Job"):
        compare(
            application(), [{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}}], {DEPLOYMENTS: []}
        )


def test_a_rule_that_is_not_known_is_an_error():
    with pytest.raises(ValueError, match="jqPathExpressions"):
        Ignored.of(application([{"kind": "Deployment", "jqPathExpressions": [".spec.replicas"]}]))


def test_services_come_before_what_they_select_and_custom_resources_last():
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"}, "spec": {}}
    found = compare(
        application(), [route(), deployment(), service], {VIRTUAL_SERVICES: [], DEPLOYMENTS: [], SERVICES: []}
    )
    assert [each.resource.kind for each in found] == ["Service", "Deployment", "VirtualService"]


def test_what_is_created_carries_our_mark_and_what_was_applied():
    (each,) = compare(application(), [deployment(replicas=2)], {DEPLOYMENTS: []})
    annotations = to_create(each)["metadata"]["annotations"]
    assert annotations[TRACKING] == "shop:apps/Deployment:production/shop"
    assert json.loads(annotations[LAST_APPLIED])["spec"] == {"replicas": 2}
