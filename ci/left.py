"""What a driver has left that died: read from the cluster, enough to take its rollout back without any file of its own.

Rules:
    1. One rollout, even where a release has several VirtualServices and the driver died between two of them: the one
       that says that stable may be half rolled is believed, else the first. Commits of all of them count.
    2. The release file and the snapshot of before the release stand in the record; they are written to files again,
       because the suite that proves the rollback reads files.
    3. The service's own gates are left out of the release: they lie beside the file, and a rollback asks none.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ci.links import links
from ci.phases import CANARY_CARRIES
from ci.record import Record
from ci.state import Job
from ci.traffic import Seen
from fixtures.errors import PersonNeeded
from fixtures.release import Release, load_release
from fixtures.target import Target
from fixtures.yaml_document import load

RELEASE_FILE, BEFORE_FILE = "release.json", "before.json"


def left_by(seen: Sequence[Seen]) -> Record | None:
    """Put together what the VirtualServices of a release say of its rollout.

    Args:
        seen: all of them.

    Returns:
        The record; None when no rollout is going on.

    Raises:
        PersonNeeded: when it can not be known what to take back.
    """
    records = [record for each in seen if (record := each.record) is not None]
    if not records:
        return None
    if len({each.rollout for each in records}) > 1:
        raise PersonNeeded(
            f"two rollouts at once: {', '.join(sorted({each.rollout for each in records}))}",
            where=f"virtualservices {', '.join(each.name for each in seen)}",
            remedy="set the weights by hand, and remove the annotations of the one that is wrong",
        )
    furthest = next((each for each in records if each.phase in CANARY_CARRIES), records[0])
    return replace(
        furthest,
        commits={role: commit for each in reversed(records) for role, commit in each.commits.items()},
        before=_first(each.before for each in records),
        before_min=_first(each.before_min for each in records),
    )


def text_of(file: Path) -> str:
    """Give a release file as the record keeps it.

    Args:
        file: the release file.
    """
    data = {key: value for key, value in load(file).data.items() if key != "gates"}
    return json.dumps(data, separators=(",", ":"), default=str)


def release_of(record: Record, file: Path, folder: Path) -> tuple[Release, Path]:
    """Give the release as it was when the rollout began, and a file that says so.

    Args:
        record: of the rollout.
        file: the release file of today, for a record that has none.
        folder: where the file is written.
    """
    if record.release:
        file = folder / RELEASE_FILE
        file.write_text(record.release + "\n", encoding="utf-8")
    return load_release(file), file


def before_of(record: Record, folder: Path) -> Path | None:
    """Write the snapshot of before the release to a file again.

    Args:
        record: of the rollout.
        folder: where the file is written.

    Returns:
        The file; None where the rollout had not come so far.
    """
    if not record.before:
        return None
    file = folder / BEFORE_FILE
    file.write_text(record.before + "\n", encoding="utf-8")
    return file


def job_of(record: Record, release: Release, file: Path, target: Target, *, who: str, reports: Path) -> Job:
    """Say what is to be taken back.

    Args:
        record: of the rollout.
        release: that it is of.
        file: that says so.
        target: where.
        who: takes it back.
        reports: the folder for all evidence.
    """
    return Job(
        rollout=record.rollout,
        release=release,
        file=file,
        image=record.image,
        target=target.name,
        who=who,
        reports=reports,
        access_log=target.access_log,
        links=links(release, record.image, target.rewrite),
    )


def _first(texts: Iterable[str]) -> str:
    return next(filter(None, texts), "")
