"""Taking traffic back from outside: what the brake and ``sluicegate abort`` write, in one patch. Pure.

The safe weights belong to the phase that the record names, and the record gets an ``abort``: with it no driver may
raise a weight any more, and a raise that is on its way dies on its stale resourceVersion. An abort that is there
already stays; it has done all that.
"""

from collections.abc import Callable

from ci.patch import Change
from ci.phases import ENDS, Phase, safe_weights
from ci.record import ABORT, KEYS, Record
from ci.traffic import Seen
from fixtures.errors import ClusterRefused


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
