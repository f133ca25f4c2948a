"""From jobs to an exit status: one service, or several as one, and all who listen to them."""

from collections.abc import Sequence
from contextlib import ExitStack

from ci.assembly import drive
from ci.reporting import Listeners
from ci.state import Job
from fixtures.target import Target


def release_all(jobs: Sequence[Job], target: Target, *, as_json: bool) -> int:
    """Release them, to the end.

    Args:
        jobs: what is released; more than one are released as one.
        target: where.
        as_json: JSON lines on stdout instead of something for people.

    Returns:
        The exit status: the worst of theirs.
    """
    several = len(jobs) > 1
    with ExitStack() as closing:
        told = []
        for job in jobs:
            listeners = Listeners(job, target, as_json=as_json, name=job.release.service if several else "")
            closing.callback(listeners.close)
            told.append((job, listeners.tell))
        return max(each.exit_code for each in drive(told, target))
