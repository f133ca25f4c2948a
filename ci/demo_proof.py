"""Looks for itself whether Git, cluster and data plane agree after a release, without asking the driver."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from checks.digest import VersionPods
from checks.evidence import Weights
from fixtures.git import GitOps
from fixtures.release import Release
from fixtures.release_image import find_image_of
from fixtures.snapshot import take
from fixtures.surroundings import Service
from fixtures.target import Target
from fixtures.workload import digest_of


@dataclass(frozen=True)
class Found:
    """What one place says, and whether it is what is wanted."""

    where: str
    says: str
    as_wanted: bool


@dataclass(frozen=True)
class Places:
    """The three places after a release.

    Attributes:
        git: the image that Git wants for stable.
        pods: those of stable.
        weights: of the VirtualService.
        routed: the canary's share in Envoy's routes, percent.
    """

    git: str
    pods: VersionPods
    weights: Weights | None
    routed: float | None

    def against(self, image: str) -> Iterator[Found]:
        """Compare all places with what is wanted.

        Args:
            image: the reference, with digest, that stable shall run.
        """
        digest = digest_of(image)
        running = {pod.digest for pod in self.pods.pods}
        at_rest = self.weights == Weights(100, 0)
        yield Found("Git", f"wants {digest_of(self.git)[:19]} for stable", digest_of(self.git) == digest)
        ready = sum(pod.ready for pod in self.pods.pods)
        said = ", ".join(sorted(each[:19] for each in running))
        yield Found("cluster", f"runs {said} in {ready} ready stable pods", running == {digest} and ready > 0)
        yield Found("mesh", "the VirtualService says stable 100 %, canary 0 %", at_rest)
        yield Found("Envoy", f"routes {self.routed or 0:g} % to the canary", self.routed == 0)


def look(target: Target, release: Release) -> Places:
    """Read all places.

    Args:
        target: where the release runs.
        release: its file.
    """
    service = Service(target.gates_cluster(), release)
    names, gitops = release.names, release.gitops
    with TemporaryDirectory(prefix="sluicegate-") as work:
        repository = GitOps(target.rewrite(gitops.repository), gitops.path, Path(work), branch=gitops.branch)
        wanted = find_image_of(release, "stable", repository.files()).image
    now = take(service, release, target.admins, "")
    return Places(wanted, service.version_pods(names.stable, "stable", ""), now.weights, now.routed)
