"""Sets an image in a GitOps repository, as the driver does it, and leaves the rest to Argo CD: no canary, no gates.

Rules:
    1. the same edit as the driver's: one place, found by fixtures/manifest_images.py; else nothing is changed
    2. who loses a race against another pusher makes the same edit on what is there now, and pushes that
    3. nothing to change is no commit
    4. the message ends the subject with [skip ci]: a pipeline of the repository must not start another

Example:
    $ sluicegate bump release.yaml --image registry.example.com/shop/app@sha256:... --dry-run
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ci.who import driver_name
from fixtures.git_review import branch_of, to_write
from fixtures.manifest_images import Files
from fixtures.release import Release
from fixtures.release_image import Role, find_image_of, set_image_of


@dataclass(frozen=True)
class Bumped:
    """What was done.

    Attributes:
        place: where the image is set, file and line.
        before: what stood there: an image, or the part of it that this place holds.
        image: that was asked for.
        commit: ours; "" when there was nothing to change, and for a dry run.
        changes: whether the place says something else than what was asked for.
        waits_on: the branch that has to be merged; "" where we push to the one that Argo CD follows.
    """

    place: str
    before: str
    image: str
    commit: str
    changes: bool
    waits_on: str = ""

    def __str__(self) -> str:
        """Say it to a person."""
        if not self.changes:
            return f"{self.place} has {self.image} already: nothing to commit"
        merge = f" on {self.waits_on}, to be merged" if self.waits_on else ""
        done = f"commit {self.commit}{merge}" if self.commit else "a dry run, nothing is committed"
        return f"{self.place}: {self.before} becomes {self.image} ({done})"

    def as_json(self) -> dict[str, object]:
        """Say it to a program."""
        return asdict(self)


def bump(release: Release, role: Role, image: str, address: str, *, dry: bool = False) -> Bumped:
    """Set the image of one of a release's Deployments.

    Args:
        release: says which repository and place.
        role: which Deployment.
        image: the whole reference, with a tag or a digest.
        address: of the repository, as it is reached from here.
        dry: whether to push nothing.

    Raises:
        InputError: when there is not exactly one place, or no room there for this image; nothing was changed.
        GitRefused: when the server does not take it.
        Unreachable: when it is not known to have arrived.
        NotInTime: when others kept pushing first for three minutes.
    """
    edit = set_image_of(release, role, image)
    seen: list[tuple[str, str, bool]] = []

    def noted(files: Files) -> Files:
        place = find_image_of(release, role, files)
        changed = edit(files)
        seen.append((str(place), place.image, bool(changed)))
        return {} if dry else changed

    subject = f"{release.service}: {role} runs {image.rpartition('/')[2]} [skip ci]"
    with TemporaryDirectory(prefix="sluicegate-") as work:
        gitops = to_write(release.gitops, address, Path(work))
        commit = gitops.commit_and_push(noted, f"{subject}\n\nBumped-by: {driver_name()}")
    place, before, changes = seen[-1]
    waits_on = branch_of(subject) if commit and release.gitops.pull_request else ""
    return Bumped(place, before, image, commit or "", changes, waits_on)
