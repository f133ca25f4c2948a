"""The effects on Git, Argo CD and the number of pods.

Rules:
    1. A commit's message names the rollout, and the commit stands in the record before it is pushed: a driver that
       dies in between leaves nothing in Git that nobody knows of.
    2. The canary's pods only grow in number between deploy and the end: each step adds what its weight needs.
       They shrink after traffic has left, and then to the number that they had at rest.
    3. A Deployment is scaled as it was read, or not at all: a request that the API server comes to only after we have
       given it up must not undo what has been put right since.
    4. Where the branch takes pull requests only, a commit of ours counts from when it has been merged.
    5. Nothing here is believed because it was asked for: Argo CD is waited for until it has synced our commit and is
       healthy, pods until they are ready.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ci.events import Event, Note, Pushed, Scaled, Synced
from ci.lease import BELIEF
from ci.phases import Place
from ci.plan import Role
from ci.state import Job, State
from ci.watch import Watch
from fixtures.cluster import DEPLOYMENTS, Cluster, Conflict, Object
from fixtures.errors import Unreachable
from fixtures.manifest_images import Edit
from fixtures.release import Scale
from fixtures.release_image import set_image_of
from fixtures.waiting import NotYet, wait
from fixtures.workload import image_of

READY_WITHIN = 300.0  # seconds: pull an image, start, become ready
SCALED_WITHIN = 30.0  # seconds: a Deployment whose pods come and go changes all the time


class Repository(Protocol):
    """What is needed of ``fixtures.git.GitOps``."""

    def head(self) -> str:
        """Give the branch's newest commit."""

    def commit_and_push(self, edit: Edit, message: str, *, announce: Callable[[str], None]) -> str | None:
        """Make an edit, announce the commit and push it; None when there is nothing to change."""

    def arrived(self, commit: str) -> str | NotYet:
        """Give the commit by which a change of ours is on the branch; at once where we push to that."""

    def revert(self, commits: Sequence[str], message: str) -> str | None:
        """Take those commits of ours back that have arrived; None when there is nothing left to take back."""


@dataclass(frozen=True)
class ArgoCD:
    """What is needed of Argo CD, for the service's Application.

    Attributes:
        refresh: asks it to look at Git now.
        wait_synced: refreshes, and waits until it has synced a commit and is healthy.
    """

    refresh: Callable[[], None]
    wait_synced: Callable[[str], object]


class Deployer:
    """Brings images into the cluster by way of Git.

    Args:
        job: what is released.
        state: what has been done; kept up to date.
        cluster: with the right to scale the canary.
        repository: the GitOps repository.
        argocd: the service's Application.
        watch: keeps time.
        tell: hears of what happens.
        note_commit: writes a commit of ours into the record.
    """

    def __init__(
        self,
        job: Job,
        state: State,
        cluster: Cluster,
        repository: Repository,
        argocd: ArgoCD,
        watch: Watch,
        tell: Callable[[Event], None],
        note_commit: Callable[[str, str], None],
    ) -> None:
        self._job = job
        self._state = state
        self._cluster = cluster
        self._repository = repository
        self._argocd = argocd
        self._watch = watch
        self._tell = tell
        self._note_commit = note_commit

    def commit(self, role: Role) -> None:
        """Bring the new image of one Deployment into Git.

        Args:
            role: which of the two.
        """
        began = self._watch.monotonic()
        edit = set_image_of(self._job.release, role, self._job.image)
        subject = f"{self._job.release.service}: {role} runs {self._job.image.rpartition('/')[2]}"
        commit = self._repository.commit_and_push(
            edit, self._message(subject), announce=lambda made: self._note_commit(role, made)
        )
        if commit is None:
            self._state.commit = self._repository.head()
            self._note(f"Git has this image for {role} already: nothing to commit")
            return
        self._pushed(commit, subject, began)
        self._state.commit = self._merged(commit)
        if self._state.commit != commit:
            self._note_commit(role, self._state.commit)

    def revert(self, roles: Sequence[Role]) -> None:
        """Take our commits back in Git.

        Args:
            roles: of which Deployments.
        """
        began = self._watch.monotonic()
        ours = self._state.record.commits
        commits = [ours[role] for role in ("canary", "stable") if role in roles and role in ours]
        if not commits:
            return
        subject = f"{self._job.release.service}: back to before rollout {self._job.rollout}"
        commit = self._repository.revert(commits, self._message(subject))
        if commit:
            self._pushed(commit, subject, began)
        self._state.commit = self._merged(commit) if commit else self._repository.head()

    def refresh(self) -> None:
        """Let Argo CD look at Git now."""
        self._argocd.refresh()

    def settle(self) -> None:
        """Wait until Argo CD runs our newest commit and is healthy; with none of ours there is nothing to wait for."""
        if self._state.commit:
            began = self._watch.monotonic()
            self._argocd.wait_synced(self._state.commit)
            took = self._watch.monotonic() - began
            self._tell(Synced(at=self._watch.now(), commit=self._state.commit, took=took))

    def provide(self, place: Place) -> None:
        """See to it that the canary can carry the weight of the place, or before the steps that of the first one.

        Args:
            place: where the rollout is.
        """
        began = self._watch.monotonic()
        names = self._job.release.names
        step = place.step or self._state.steps[0]
        ready = self._deployment(names.stable).get("status", {}).get("readyReplicas", 0)
        needed = max(1, math.ceil(step * ready / 100))
        if _replicas(self._deployment(names.canary)) < needed and self._job.release.scale is Scale.AUTO:
            self._scale(names.canary, needed)
        self._wait_ready(names.canary, needed)
        self._scaled(names.canary, began)

    def stable_ready(self) -> None:
        """Wait until stable's image is not ours any more, and every pod of it is of its newest revision and ready.

        An Argo CD that was at our commit a moment ago may still bring it, after the one that takes it back.
        """
        stable = self._job.release.names.stable
        if "stable" in self._state.record.commits:
            wait(
                lambda: self._left_behind(stable),
                what=f"the image of before in Deployment {stable}",
                timeout=READY_WITHIN,
                clock=self._watch,
            )
        self._wait_ready(stable, max(1, _replicas(self._deployment(stable))))

    def _merged(self, commit: str) -> str:
        """Wait until a change of ours is on the branch that Argo CD follows."""
        review = self._job.release.gitops.pull_request
        return wait(
            lambda: self._repository.arrived(commit),
            what=f"the pull request of our commit {commit[:12]} merged into {self._job.release.gitops.branch}",
            timeout=review.within if review else 0,
            clock=self._watch,
        )

    def _left_behind(self, name: str) -> bool | NotYet:
        image = image_of(self._deployment(name), self._job.release.names.container)
        return NotYet(f"it still asks for {image}") if image == self._job.image else True

    def rest(self) -> None:
        """Give the canary its number of replicas at rest, where it was the driver who changed it."""
        began = self._watch.monotonic()
        canary = self._job.release.names.canary
        ours = self._job.release.scale is Scale.AUTO
        if ours and _replicas(self._deployment(canary)) != self._state.record.before_replicas:
            self._scale(canary, self._state.record.before_replicas)
            self._scaled(canary, began)

    def _deployment(self, name: str) -> Object:
        """Read it; an API server that stumbles is asked again, for as long as the Lease would be believed in."""
        until = self._watch.monotonic() + BELIEF
        while True:
            try:
                return self._cluster.get(DEPLOYMENTS, self._job.release.namespace, name)
            except Unreachable:
                if self._watch.monotonic() >= until:
                    raise
                self._watch.sleep(0.5)

    def _scale(self, name: str, replicas: int) -> None:
        """Set the number of replicas of what was just read: a request that is late changes nothing any more."""
        wait(
            lambda: self._scaled_now(name, replicas),
            what=f"{replicas} replicas of Deployment {name}",
            timeout=SCALED_WITHIN,
            interval=0.05,
            clock=self._watch,
        )

    def _scaled_now(self, name: str, replicas: int) -> bool | NotYet:
        found = self._deployment(name)
        version = found["metadata"]["resourceVersion"]
        try:
            self._cluster.scale(DEPLOYMENTS, self._job.release.namespace, name, replicas, version)
        except (Conflict, Unreachable) as error:
            return NotYet(str(error))
        return True

    def _wait_ready(self, name: str, needed: int) -> None:
        wait(
            lambda: rolled_out(self._deployment(name), needed),
            what=f"{needed} ready pods of Deployment {name}",
            timeout=READY_WITHIN,
            clock=self._watch,
        )

    def _scaled(self, name: str, began: float) -> None:
        replicas = _replicas(self._deployment(name))
        took = self._watch.monotonic() - began
        self._tell(Scaled(at=self._watch.now(), deployment=name, replicas=replicas, took=took))

    def _pushed(self, commit: str, subject: str, began: float) -> None:
        took = self._watch.monotonic() - began
        self._tell(Pushed(at=self._watch.now(), commit=commit, subject=subject, took=took))

    def _note(self, text: str) -> None:
        self._tell(Note(at=self._watch.now(), text=text))

    def _message(self, subject: str) -> str:
        return f"{subject}\n\nRollout: {self._job.rollout}\nDriven-by: {self._job.who}"


def rolled_out(deployment: Object, needed: int) -> bool | NotYet:
    """Say whether a Deployment has that many ready pods, all of its newest revision.

    Args:
        deployment: the object.
        needed: how many.
    """
    status: dict[str, Any] = deployment.get("status", {})
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return NotYet("the controller has not seen the change")
    there, new, ready = (status.get(each, 0) for each in ("replicas", "updatedReplicas", "readyReplicas"))
    if new < needed or ready < needed or there > new:
        return NotYet(f"{ready} ready, {new} of {there} pods of the newest revision")
    return True


def _replicas(deployment: Object) -> int:
    return int(deployment["spec"].get("replicas", 1))
