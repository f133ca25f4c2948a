"""From what a person types to what is to be done: the release, its image by digest, an id, a folder."""

import getpass
import secrets
import socket
from pathlib import Path

from ci.reporting import fresh
from ci.state import Job
from fixtures.errors import InputError
from fixtures.registry import resolve
from fixtures.release import Release, load_release
from fixtures.target import Target


def job_for(file: Path, image: str, target: Target, reports: Path | None) -> Job:
    """Prepare a rollout; nothing but the reports' folder is changed.

    Args:
        file: the release file.
        image: a reference to the new image; a tag is resolved here, once.
        target: where it is released.
        reports: the folder for all evidence; None for one of its own under ``reports``.

    Raises:
        InputError: when the release file or the image is wrong.
    """
    release = load_release(file)
    _is_of(image, release, file)
    rollout = secrets.token_hex(3)
    folder = (reports or Path("reports") / f"{release.service}-{rollout}").absolute()
    published = resolve(image, rewrite=target.rewrite)
    fresh(folder)
    return Job(
        rollout=rollout,
        release=release,
        file=file.absolute(),
        image=f"{release.image}@{published.digest}",
        target=target.name,
        who=driver_name(),
        reports=folder,
        access_log=target.access_log,
    )


def driver_name() -> str:
    """Say who drives, as ``name@host``."""
    try:
        name = getpass.getuser()
    except OSError:  # a container's uid without an entry in its passwd file
        name = "somebody"
    return f"{name}@{socket.gethostname()}"


def _is_of(image: str, release: Release, file: Path) -> None:
    repository = image.partition("@")[0]
    last = repository.rpartition("/")[2]
    repository = repository.removesuffix(":" + last.partition(":")[2]) if ":" in last else repository
    if repository != release.image:
        raise InputError(
            f"{image!r} is no image of {release.image}",
            where="--image",
            remedy=f"name one of the repository that {file} says, with a tag or a digest",
        )
