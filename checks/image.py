"""The image exists, for every platform that the cluster's nodes have.

Rules:
    1. the registry was asked and has the reference; what it could not answer is INCONCLUSIVE, not FAIL
    2. it is known by digest, since a tag moves
    3. every platform of the cluster's nodes is among the image's platforms
"""

from dataclasses import dataclass

from checks.gate import gate
from checks.verdict import Proof, Verdict, failed, inconclusive, passed


@dataclass(frozen=True)
class PublishedImage:
    """What a registry says of an image.

    Attributes:
        reference: as it was asked for.
        repository: without tag and digest.
        digest: ``sha256:...``; None when the registry does not have it or could not say.
        platforms: such as ``linux/amd64``.
        problem: why there is no answer; None when there is one.
        missing: whether the registry says plainly that it does not have it.
    """

    reference: str
    repository: str
    digest: str | None
    platforms: tuple[str, ...] = ()
    problem: str | None = None
    missing: bool = False


@dataclass(frozen=True)
class ImageForCluster:
    """An image and the platforms it has to run on."""

    image: PublishedImage
    needed: tuple[str, ...]


def judge(evidence: ImageForCluster) -> Verdict:
    """Say whether the cluster can run the image.

    Args:
        evidence: the registry's answer and the nodes' platforms.
    """
    image = evidence.image
    if image.missing:
        return failed(f"image {image.reference} is not in its registry: {image.problem}; push it, or mend the name")
    if image.digest is None:
        return inconclusive(f"no answer about image {image.reference}: {image.problem}")
    if not evidence.needed:
        return inconclusive("the cluster's nodes say no platform: is it reachable, has it nodes?")
    lacking = sorted(set(evidence.needed) - set(image.platforms))
    if lacking:
        has = ", ".join(image.platforms) or "no platform"
        return failed(f"image {image.reference} is not built for {', '.join(lacking)}; it has {has}")
    return passed(
        f"image {image.repository} exists as {image.digest[:19]} for {', '.join(evidence.needed)}",
        Proof(len(image.platforms)),
        digest=image.digest,
    )


@gate(judge, evidence="published_image")
def test_image_exists(verdict: Verdict) -> None:
    """The image exists in its registry for every platform of the cluster."""
    verdict.require()
