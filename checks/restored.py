"""After a rollback, Git, cluster and data plane are as they were before the release.

Rules:
    1. data plane: Envoy routes nothing to the canary, and its routes are those of before
    2. cluster: the VirtualService's routes, both Deployments' images and the canary's replicas are those of before
    3. Git: the tree under the release's path is that of before; where someone else changed it since, it is named

At rest (``judge_at_rest``) is the first rule alone, with the weights of the VirtualService.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from checks.evidence import Weights
from checks.gate import gate
from checks.verdict import Proof, Verdict, failed, inconclusive, passed


@dataclass(frozen=True)
class Snapshot:
    """The release's three places at one moment.

    Attributes:
        weights: what the VirtualService says; None when it could not be read.
        routed: the canary's share in the routes that Envoy really has, percent; None where no Envoy can be asked.
        specs: per VirtualService a fingerprint of its spec.
        images: per Deployment the image that it asks for.
        replicas: per Deployment the replicas that it asks for.
        tree: Git's hash of the tree under the release's path; empty where Git was not asked.
    """

    weights: Weights | None
    routed: float | None
    specs: Mapping[str, str]
    images: Mapping[str, str]
    replicas: Mapping[str, int]
    tree: str


@dataclass(frozen=True)
class BeforeAndAfter:
    """A snapshot of before the release (None: not known), and one of now."""

    before: Snapshot | None
    now: Snapshot
    canary: str


def judge_at_rest(now: Snapshot) -> Verdict:
    """Say whether the canary takes no traffic.

    Args:
        now: the present state.
    """
    if now.weights is None:
        return inconclusive("the VirtualService could not be read: the weights are unknown")
    if now.weights.canary != 0:
        return failed(f"the canary has weight {now.weights.canary:g} %, not 0: a release begins and ends at rest")
    if now.routed:
        return failed(f"the VirtualService says 0 %, but Envoy routes {now.routed:g} % to the canary")
    proof = "" if now.routed is None else ", and Envoy routes nothing to it"
    return passed(f"the canary has weight 0 %{proof}", Proof(1))


def differences(before: Snapshot, now: Snapshot, canary: str) -> list[str]:
    """Name what is not as before.

    Args:
        before: the state before the release.
        now: the present state.
        canary: name of the canary's Deployment, whose replicas count; those of stable may be an autoscaler's.
    """
    found = [f"VirtualService {name}'s spec" for name in before.specs if now.specs.get(name) != before.specs[name]]
    found += [
        f"Deployment {name}'s image ({now.images.get(name, 'gone')}, was {image})"
        for name, image in before.images.items()
        if now.images.get(name) != image
    ]
    if now.replicas.get(canary) != before.replicas.get(canary):
        found.append(f"Deployment {canary}'s replicas ({now.replicas.get(canary)}, were {before.replicas.get(canary)})")
    if before.tree and now.tree != before.tree:
        found.append("the GitOps path")
    return found


def judge_restored(evidence: BeforeAndAfter) -> Verdict:
    """Say whether all three places are as before.

    Args:
        evidence: the snapshots of before and now.
    """
    rest = judge_at_rest(evidence.now)
    if evidence.before is None:
        return inconclusive("nothing is known of before the release: give --before FILE")
    different = differences(evidence.before, evidence.now, evidence.canary)
    if different:
        return failed(f"not as before the release: {'; '.join(different)}")
    return passed("Git, cluster and data plane are as before the release", Proof(3)) if rest.proof else rest


@gate(judge_at_rest, evidence="snapshot")
def test_at_rest(verdict: Verdict) -> None:
    """The canary takes no traffic."""
    verdict.require()


@gate(judge_restored, evidence="before_and_after")
def test_restored(verdict: Verdict) -> None:
    """Git, cluster and data plane are as before the release."""
    verdict.require()
