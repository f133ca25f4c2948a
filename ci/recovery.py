"""``sluicegate recover``: brings services back to a safe state whose driver has died, from the cluster alone.

Rules:
    1. It is a rollout that goes on where the dead driver stopped, by the same table, plan and performer, and only back:
       the result is LOST (ci/phases.py). What has not been committed to is taken back; a rollback goes on.
    2. Whether the driver is dead is known by watching its Lease; one that is alive is left alone, and named. ``now``
       is for a person who knows better: traffic goes first, the Lease after it. ``wait`` is for a pipeline whose build
       was aborted: its driver may still be taking back, and is waited for.
    3. It can be killed at any point and begun again: the record stays until all is proved to be as before.
    4. Of many services each has a thread of its own: the dead are not kept waiting by each other.

Example:
    >>> recover_one(Path("release.yaml"), target, Path("reports"), now=False).exit_code      # doctest: +SKIP
    1
"""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ci.abort import PATIENCE
from ci.assembly import recover
from ci.events import RolloutEnded
from ci.lease import Held
from ci.left import RELEASE_FILE, job_of, left_by, release_of
from ci.record import KEYS
from ci.reporting import Listeners, fresh
from ci.state import Job
from ci.traffic import traffic_of
from ci.who import driver_name
from ci.world import Tell
from fixtures.cluster import VIRTUAL_SERVICES, Cluster
from fixtures.errors import SluicegateError
from fixtures.release import load_release
from fixtures.target import Target
from fixtures.waiting import SYSTEM_CLOCK

AT_ONCE = 32  # services


@dataclass(frozen=True)
class Recovered:
    """How a recovery ended.

    Attributes:
        service: its name.
        outcome: ``nothing to recover``, ``alive``, ``failed``, or that of the rollout.
        sentence: for people.
        exit_code: as of ``sluicegate run``; 0 when there was nothing to do.
        reports: the folder with its journal and report; "" where there is none.
    """

    service: str
    outcome: str
    sentence: str
    exit_code: int
    reports: str = ""

    def __str__(self) -> str:
        """Give it as a line."""
        return f"{self.service}: {self.outcome}: {self.sentence}" + (f" ({self.reports})" if self.reports else "")

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        return asdict(self)


def recover_one(
    file: Path,
    target: Target,
    reports: Path,
    *,
    now: bool,
    alone: bool = True,
    as_json: bool = False,
    wait: float = 0.0,
) -> Recovered:
    """Recover one service.

    Args:
        file: its release file.
        target: where it runs.
        reports: the folder in which the recovery gets one of its own.
        now: whether somebody knows that the driver is dead.
        alone: whether it is shown on the screen; one of many is not.
        as_json: events as JSON lines on stdout.
        wait: seconds for which a driver that is alive is waited for.

    Raises:
        Held: when the driver is alive, and was for so long.
        SluicegateError: when nothing could begin.
    """
    release = load_release(file)
    record = left_by(traffic_of(release, target.cluster()).look_again(PATIENCE))
    if record is None:
        return Recovered(release.service, "nothing to recover", "no rollout is going on", 0)
    folder = (reports / f"{release.service}-{record.rollout}-recovery-{secrets.token_hex(2)}").absolute()
    fresh(folder)
    release, file = release_of(record, file, folder)
    job = job_of(record, release, file, target, who=driver_name(), reports=folder)
    listeners = Listeners(job, target, as_json=as_json, alone=alone)
    try:
        ended = _recover(job, target, listeners.tell, now=now, until=SYSTEM_CLOCK.monotonic() + wait)
    finally:
        listeners.close()
    return _recovered(release.service, ended, folder)


def recover_all(target: Target, reports: Path) -> Iterator[Recovered]:
    """Recover all services of a cluster whose driver is dead.

    Args:
        target: the cluster.
        reports: the folder in which each recovery gets one of its own.

    Yields:
        How each ended, as soon as it has.
    """
    cluster = target.cluster()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="recover") as threads:
        waiting = [threads.submit(_one_of_many, service, text, target, reports) for service, text in all_left(cluster)]
        for done in as_completed(waiting):
            yield done.result()


def all_left(cluster: Cluster) -> list[tuple[str, str]]:
    """Find all rollouts that are not over, by their records.

    Args:
        cluster: with the right to list VirtualServices everywhere.

    Returns:
        Namespace and name of the first VirtualService of each, and its release file's content.
    """
    found: dict[str, tuple[str, str]] = {}
    for each in cluster.list(VIRTUAL_SERVICES, ""):
        metadata = each["metadata"]
        annotations = metadata.get("annotations") or {}
        if KEYS["rollout"] in annotations:
            place = f"{metadata['namespace']}/{metadata['name']}"
            found.setdefault(annotations[KEYS["rollout"]], (place, annotations.get(KEYS["release"], "")))
    return list(found.values())


def _recover(job: Job, target: Target, tell: Tell, *, now: bool, until: float) -> RolloutEnded | None:
    """Recover, or find each time that the driver renews its Lease that it is alive, and look again."""
    while True:
        try:
            return recover(job, target, tell, now=now)
        except Held:
            if SYSTEM_CLOCK.monotonic() >= until:
                raise


def _one_of_many(service: str, text: str, target: Target, reports: Path) -> Recovered:
    """Recover one; what goes wrong with it keeps nobody else waiting."""
    try:
        if not text:
            return Recovered(service, "failed", "its record names no release file: `sluicegate recover RELEASE`", 4)
        reports.mkdir(parents=True, exist_ok=True)
        file = reports / f"{service.replace('/', '-')}-{RELEASE_FILE}"
        file.write_text(text + "\n", encoding="utf-8")
        return recover_one(file, target, reports, now=False, alone=False)
    except Held as held:
        return Recovered(service, "alive", str(held), 0)
    except SluicegateError as error:
        return Recovered(service, "failed", str(error), 4)


def _recovered(service: str, ended: RolloutEnded | None, folder: Path) -> Recovered:
    if ended is None:
        return Recovered(service, "nothing to recover", "the rollout has ended meanwhile", 0)
    return Recovered(service, ended.outcome, ended.sentence, ended.exit_code, str(folder))
