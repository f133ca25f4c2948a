"""What Argo CD does to weights and replicas, by how its Application is set up."""

from dataclasses import replace

import pytest

from checks.manifests.evidence import Manifest
from checks.manifests.gitops import TRACKED, weights_and_argocd
from checks.manifests.rule import Level, findings

APP, VS = "application.yaml", "traffic/shop.yaml"
IGNORE, OPTIONS = "ignoreDifferences: []", "[CreateNamespace=true]"
BY_PATH = "ignoreDifferences: [{group: networking.istio.io, kind: VirtualService, jqPathExpressions: [%s]}]"
WEIGHT = BY_PATH % "'.spec.http[].route[].weight'"
REPLICAS = "ignoreDifferences: [{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}]"
RESPECT = "[RespectIgnoreDifferences=true]"


@pytest.fixture
def synced(texts, lint):
    """Lint with the traffic's objects in the folder that Argo CD syncs."""
    return lambda *edits: lint((VS, texts()[VS], "{}\n"), ("traffic.yaml", "", texts()[VS]), *edits)


@pytest.mark.parametrize(
    ("ignore", "options", "words"),
    [
        (IGNORE, OPTIONS, "sets back every weight, and self-heal does it within a second"),
        (REPLICAS, RESPECT, "self-heal does it within a second"),
        (WEIGHT, OPTIONS, "ignored in comparing only"),
        (WEIGHT, RESPECT, "no later change in Git of a timeout"),
        (
            BY_PATH % "'.spec.http[0].route[0].weight', '.spec.http[0].route[1].weight'",
            RESPECT,
            "no later change in Git",
        ),
        (
            WEIGHT.replace("jqPathExpressions", "jsonPointers").replace(
                ".spec.http[].route[].", "/spec/http/0/route/0/"
            ),
            OPTIONS,
            "ignored in comparing only",
        ),
        (BY_PATH.replace("jqPathExpressions", "jsonPointers") % "/spec", OPTIONS, "ignored in comparing only"),
        (WEIGHT.replace("jqPathExpressions", "managedFieldsManagers"), RESPECT, "owns all of spec.http"),
        (WEIGHT.replace("VirtualService", "VirtualService, name: other"), OPTIONS, "sets back every weight"),
    ],
)
def test_a_virtual_service_in_the_synced_folder_is_refused_whatever_is_ignored(ignore, options, words, synced) -> None:
    linted = synced((APP, IGNORE, ignore), (APP, OPTIONS, options))
    assert linted.rules() == ["weights-and-argocd"]
    assert words in linted.of("weights-and-argocd").flaw.what
    assert ("self-heal" in linted.of("weights-and-argocd").flaw.what) is ("every weight" in words or "self" in words)
    assert linted.of("weights-and-argocd").flaw.where.startswith("bases/shop/traffic.yaml:22 ")


def test_without_self_heal_it_is_refused_all_the_same(synced) -> None:
    """The sync of our own commit, in the middle of a promotion, sets the weights back."""
    linted = synced((APP, ", selfHeal: true", ""))
    assert linted.rules() == ["weights-and-argocd"]
    assert linted.of("weights-and-argocd").flaw.what.endswith("own commits sets back every weight")


@pytest.mark.parametrize(("tracker", "level"), [("shop-prod", Level.FAIL), ("mesh", Level.NOTE)])
def test_a_live_virtual_service_that_an_application_applies_is_named(tracker, level, texts, gathered) -> None:
    good = gathered(texts())
    body = good.named("VirtualService", "shop").body
    tracked = {**body["metadata"], "annotations": {TRACKED: f"{tracker}:networking.istio.io/VirtualService:prod/shop"}}
    live = Manifest("VirtualService prod/shop in the cluster", {**body, "metadata": tracked})
    others = [each for each in good.found if each.kind != "VirtualService"]
    (found,) = findings([weights_and_argocd], replace(good, found=(*others, live)))
    assert found.flaw.level is level
    assert "in the cluster" in found.flaw.where


@pytest.mark.parametrize(
    ("ignore", "options", "rules"),
    [
        (IGNORE, OPTIONS, ["replicas-and-argocd"]),
        (REPLICAS, OPTIONS, ["replicas-and-argocd"]),  # the story's: ignored in comparing, written in syncing
        (IGNORE, RESPECT, ["replicas-and-argocd"]),
        (REPLICAS, RESPECT, []),
        (REPLICAS.replace("/spec/replicas", "/spec/replicasX"), RESPECT, ["replicas-and-argocd"]),
        (REPLICAS.replace("jsonPointers: [/spec/", "jqPathExpressions: [.spec."), RESPECT, []),
        (REPLICAS.replace("kind: Deployment", "kind: Deployment, name: other"), RESPECT, ["replicas-and-argocd"]),
        (REPLICAS.replace("kind: Deployment", "kind: StatefulSet"), RESPECT, ["replicas-and-argocd"]),
        (REPLICAS.replace("kind: Deployment", "kind: '*'"), RESPECT, []),
    ],
)
def test_replicas_in_git_are_safe_only_when_ignored_and_respected(ignore, options, rules, lint) -> None:
    replicas = ("canary.yaml", "spec:\n  sel", "spec:\n  replicas: 1\n  sel")
    assert lint(replicas, (APP, IGNORE, ignore), (APP, OPTIONS, options)).rules() == rules


def test_an_autoscaler_whose_work_a_sync_undoes_is_named(lint) -> None:
    target = "{scaleTargetRef: {kind: Deployment, name: shop}}"
    hpa = f"kind: HorizontalPodAutoscaler\nmetadata: {{name: scaler}}\nspec: {target}"
    linted = lint(("stable.yaml", "spec:\n  sel", "spec:\n  replicas: 3\n  sel"), ("hpa.yaml", "", hpa))
    assert "what HorizontalPodAutoscaler scaler has set" in linted.of("replicas-and-argocd").flaw.what


def test_without_an_application_nothing_is_said_of_replicas(lint) -> None:
    linted = lint(("stable.yaml", "spec:\n  sel", "spec:\n  replicas: 3\n  sel"), without=(APP,))
    assert [each.rule.id for each in linted.found] == ["application"]


def test_automated_sync_that_is_switched_off_is_none(lint) -> None:
    assert lint((APP, "{prune: true, selfHeal: true}", "{enabled: false}")).rules() == ["application"]
