"""Taking traffic back from outside: what the brake and ``sluicegate abort`` write, in one patch.

The safe weights belong to the phase that the record names, and the record gets an ``abort``: with it no driver may
raise a weight any more, and a raise that is on its way dies on its stale resourceVersion. An abort that is there
already stays; it has done all that.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from ci.patch import Change
from ci.phases import ENDS, Phase, safe_weights
from ci.record import ABORT, KEYS, Record
from ci.traffic import Seen, traffic_of
from fixtures.errors import ClusterRefused, InputError
from fixtures.release import Release
from fixtures.target import Target
from fixtures.waiting import SYSTEM_CLOCK

PATIENCE = 60.0  # seconds


def taking_back(who_and_why: str, rollout: str = "") -> Callable[[Seen], Change | None]:
    """Work out the abort from what a VirtualService says at the moment.

    Args:
        who_and_why: such as ``ana@laptop: wrong version``.
        rollout: the only one to be aborted; "" for whichever is going on.

    Returns:
        What ``Traffic.insist`` asks after each read; its answer is None where nothing is going on.
    """

    def change(seen: Seen) -> Change | None:
        record = readable(seen)
        if record is None or record.phase in ENDS or rollout not in ("", record.rollout):
            return None
        return Change(safe_weights(record.phase), {} if record.abort else {ABORT: who_and_why})

    return change


def readable(seen: Seen) -> Record | None:
    """Give the record; one that somebody has made unreadable counts as that of a step.

    Args:
        seen: a VirtualService.
    """
    try:
        return seen.record
    except ClusterRefused:
        annotations = seen.object["metadata"]["annotations"]
        return Record(rollout=annotations[KEYS["rollout"]], phase=Phase.STEP, abort=annotations.get(ABORT, ""))


@dataclass(frozen=True)
class Aborted:
    """What an abort has done.

    Attributes:
        rollout: that was aborted.
        phase: it was in.
        stable: its weight now, percent; ``canary`` the other's.
        took: seconds until that was read back.
    """

    rollout: str
    phase: str
    stable: int
    canary: int
    took: float

    @property
    def sentence(self) -> str:
        """The same for people."""
        weights = f"stable {self.stable} %, canary {self.canary} %, read back after {self.took:.2f} s"
        rest = (
            "; its driver takes the rest back"
            if not self.canary
            else ("; stable may be half rolled: the canary carries the traffic until the driver has put stable back")
        )
        return f"rollout {self.rollout} is aborted (it was in {self.phase}): {weights}{rest}"

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        return asdict(self)


def abort_now(release: Release, target: Target, who_and_why: str) -> Aborted:
    """Take back the traffic of whatever rollout is going on.

    Args:
        release: of the service.
        target: where it runs.
        who_and_why: stands in the record.

    Raises:
        InputError: when no rollout is going on.
        PersonNeeded: when it can not be done.
    """
    traffic = traffic_of(release, target.cluster())
    record = readable(traffic.look()[0])
    if record is None or record.phase in ENDS:
        raise InputError(
            "no rollout is going on",
            where=f"{release.service} in {release.namespace}",
            remedy="`sluicegate status RELEASE` shows the weights as they are",
        )
    began = SYSTEM_CLOCK.monotonic()
    traffic.insist(taking_back(who_and_why), PATIENCE)
    weights = safe_weights(record.phase)
    took = SYSTEM_CLOCK.monotonic() - began
    return Aborted(record.rollout, record.phase.value, int(weights.stable), int(weights.canary), took)
