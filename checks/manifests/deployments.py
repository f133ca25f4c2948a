"""The service runs as two Deployments, and nobody can take one's pods for the other's."""

from collections.abc import Iterator

from checks.gate import gate
from checks.manifests.evidence import Manifests
from checks.manifests.pods import labels, selects
from checks.manifests.rule import Flaw, judging, rule
from checks.manifests.words import listed, meant
from checks.verdict import Verdict

VERSION = "version"


@rule(
    "two-deployments",
    "stable and canary are a Deployment each, in the folder that Argo CD syncs",
    why="a canary is a second version beside the first; the release edits one image in each of the two",
    remedy="add the Deployment there, or say what it is called: names in the release file",
)
def two_deployments(manifests: Manifests) -> Iterator[Flaw]:
    """Both Deployments exist once: with a single one, a commit of the new image replaces what all users have."""
    names = manifests.names
    there = [each for each in manifests.of("Deployment") if each.synced]
    for role, name in (("stable", names.stable), ("canary", names.canary)):
        found = [each for each in there if each.name == name]
        if not found:
            known = [each.name for each in there]
            what = f"there is no Deployment {name} for {role}, only {listed(known)}{meant(name, known)}"
            yield Flaw(names.path, what)
        for again in found[1:]:
            yield Flaw(again.root["metadata", "name"].where, f"Deployment {name} is there already: {found[0].file}")


@rule(
    "selectors-apart",
    "each Deployment selects its own pods and not the other's",
    why="two Deployments that select the same pods kill each other's, and the weights mean nothing",
    remedy="give selector and pod template of each the label version, with different values",
)
def selectors_apart(manifests: Manifests) -> Iterator[Flaw]:
    """Selectors are disjoint and match their own templates: a canary that is a mere copy of stable adopts its pods."""
    for each in manifests.deployments:
        selector = each.root["spec", "selector"]
        if not selects(each, labels(each)):
            yield Flaw(selector.where, f"{each} does not select the pods that it makes")
        for other in manifests.deployments:
            if other is not each and selects(each, labels(other)):
                yield Flaw(selector.where, f"{each} selects the pods of {other} too")


@rule(
    "version-label",
    "the pods of the two Deployments differ in the label version",
    why="the subsets, and Istio's metrics, tell the versions apart by it: without it they are one",
    remedy="write `version: stable` and `version: canary` into the labels of the pod templates",
)
def version_label(manifests: Manifests) -> Iterator[Flaw]:
    """Pods carry the label ``version``: without it a failing canary is invisible among the service's own metrics."""
    seen: dict[str, str] = {}
    for each in manifests.deployments:
        where, version = each.root["spec", "template", "metadata", "labels", VERSION].where, labels(each).get(VERSION)
        if version is None:
            yield Flaw(where, f"the pods of {each} have no label version")
        elif str(version) in seen:
            yield Flaw(where, f"the pods of {each} have the same version as those of {seen[str(version)]}: {version}")
        seen[str(version)] = str(each)


RULES = (two_deployments, selectors_apart, version_label)


@gate(judging(RULES), evidence="manifests")
def test_versions_are_apart(verdict: Verdict) -> None:
    """Stable and canary are two Deployments that can not be mistaken for each other."""
    verdict.require()
