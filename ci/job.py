"""From what a person types to what is to be done: the release, its image by digest, an id, a folder."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from ci.links import links
from ci.reporting import fresh
from ci.state import Job
from ci.who import driver_name
from fixtures.errors import InputError
from fixtures.image_reference import parse
from fixtures.registry import resolve
from fixtures.release import Release
from fixtures.target import Target


def job_for(release: Release, file: Path, image: str, target: Target, reports: Path | None, reason: str = "") -> Job:
    """Prepare a rollout; nothing but the reports' folder is changed.

    Args:
        release: what is released.
        file: that says so.
        image: a reference to the new image; a tag is resolved here, once.
        target: where it is released.
        reports: the folder for all evidence; None for one of its own under ``reports``.
        reason: why it shall begin although a step can not pass in time; "" where it shall not.

    Raises:
        InputError: when the image is wrong.
    """
    is_of(image, release, file)
    rollout = secrets.token_hex(3)
    folder = (reports or Path("reports") / f"{release.service}-{rollout}").absolute()
    by_digest = f"{release.image}@{digest(image, target)}"
    fresh(folder)
    who = driver_name()
    return Job(
        rollout=rollout,
        release=release,
        file=file.absolute(),
        image=by_digest,
        target=target.name,
        who=who,
        reports=folder,
        access_log=target.access_log,
        links=links(release, by_digest, target.rewrite),
        despite=f"{who}: {reason}" if reason else "",
    )


def as_one(releases: Mapping[Path, Release], images: Sequence[str]) -> None:
    """Check that several services can be released as one, or that there is only one; nothing is changed.

    Args:
        releases: by their files.
        images: the new images, in the same order.

    Raises:
        InputError: when they can not.
    """
    files = " and ".join(map(str, releases))
    if len(releases) != len(images):
        what = f"{len(releases)} different release files and {len(images)} images"
        raise InputError(what, remedy="name an --image for each file, in the order of the files")
    if len(releases) == 1:
        return
    if len({release.service for release in releases.values()}) < len(releases):
        raise InputError("the same service twice", where=files, remedy="name each service once")
    if len({release.steps for release in releases.values()}) > 1 or not all(each.steps for each in releases.values()):
        steps = "; ".join(f"{file}: {list(each.steps) or 'auto'}" for file, each in releases.items())
        what = f"services that are released as one need the same steps, written down; {steps}"
        raise InputError(what, where=files, remedy="write the same `steps: [...]` into each file")
    if len({(each.gitops.repository, each.gitops.path) for each in releases.values()}) < len(releases):
        what = "two of them lie in one folder of Git: a commit for the one would be foreign to the other"
        raise InputError(what, where=files, remedy="give each its own gitops.path")


def digest(image: str, target: Target) -> str:
    """Ask the registry, once, what the reference means: a tag moves, a digest does not.

    Args:
        image: the reference.
        target: knows where the registry is.

    Raises:
        InputError: when the registry does not have it, or could not say.
    """
    published = resolve(image, rewrite=target.rewrite)
    if published.digest is None:
        raise InputError(
            f"the registry gives no digest for it: {published.problem}",
            where=image,
            remedy="push the image, mend the reference, or log in with docker's configuration",
        )
    return published.digest


def is_of(image: str, release: Release, file: Path) -> None:
    """Check that an image is one of the release's repository.

    Args:
        image: the reference.
        release: says which.
        file: that says so.

    Raises:
        InputError: when it is not.
    """
    asked, ours = parse(image), parse(f"{release.image}:any")
    if (asked.host, asked.name) != (ours.host, ours.name):
        raise InputError(
            f"{image!r} is no image of {release.image}",
            where="--image",
            remedy=f"name one of the repository that {file} says, with a tag or a digest",
        )
