"""The pods of a version run the image that was meant, by digest, and are ready.

Rules:
    1. there is at least one pod, and all that the Deployment asks for are there
    2. each runs exactly the expected digest: a tag that moved since is a FAIL
    3. each is ready; an image that can not be pulled or a container that crashes is a FAIL
"""

from dataclasses import dataclass

from checks.evidence import Pod
from checks.gate import gate
from checks.verdict import Proof, Verdict, failed, inconclusive, passed
from checks.words import several

BROKEN = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "CrashLoopBackOff",
    "CreateContainerConfigError",
)


@dataclass(frozen=True)
class VersionPods:
    """The pods of one version.

    Attributes:
        version: stable or canary.
        pods: those that are not being deleted.
        expected: the digest they shall run (``sha256:...``).
        wanted: how many the Deployment asks for.
    """

    version: str
    pods: tuple[Pod, ...]
    expected: str
    wanted: int


def judge(evidence: VersionPods) -> Verdict:
    """Say whether the pods run what was meant.

    Args:
        evidence: the pods of one version and what they shall run.
    """
    version, pods = evidence.version, evidence.pods
    for pod in pods:
        if pod.waiting in BROKEN:
            return failed(f"{version} pod {pod.name} does not run: {pod.waiting}; `kubectl describe pod` says more")
    if not evidence.expected:
        return inconclusive(f"no digest is known that {version} should run: give --image NAME@sha256:...")
    if len(pods) < max(1, evidence.wanted):
        return inconclusive(f"{len(pods)} of {several(evidence.wanted, f'{version} pod')} there")
    unready = [pod.name for pod in pods if not pod.ready or not pod.digest]
    if unready:
        return inconclusive(f"{len(unready)} of {several(len(pods), f'{version} pod')} not ready: {', '.join(unready)}")
    wrong = [pod for pod in pods if pod.digest != evidence.expected]
    if wrong:
        return failed(
            f"{version} pod {wrong[0].name} runs {wrong[0].digest[:19]}, not {evidence.expected[:19]}"
            f" ({len(wrong)} of {len(pods)} pods)",
        )
    return passed(
        f"{several(len(pods), f'{version} pod')} ready, running {evidence.expected[:19]}",
        Proof(len(pods)),
        pods=len(pods),
        digest=evidence.expected,
    )


@gate(judge, evidence="canary_pods")
def test_canary_runs_the_image(verdict: Verdict) -> None:
    """Every canary pod is ready and runs the expected digest."""
    verdict.require()


@gate(judge, evidence="stable_pods")
def test_stable_runs_the_image(verdict: Verdict) -> None:
    """Every stable pod is ready and runs the expected digest."""
    verdict.require()
