"""The four moments of a rollback: first bad answer, verdict, write, last request to the canary.

Rules:
    1. Where Envoy's access log could be read they are its own (``RollbackMeasured``).
    2. Elsewhere they are what the driver and the gates have seen: the look that first counted a bad answer, and no
       last request. The report says which of the two it is.

Example:
    >>> harm(collect(read(Path("reports/journal.jsonl")))).moments[0].what  # doctest: +SKIP
    'first request that the canary answered badly'
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ci.reporters.report.rollout import Rollout
from ci.reporters.sentences import moments


@dataclass(frozen=True)
class Moment:
    """Something that happened at a rollback.

    Attributes:
        since: seconds since the harm began; where there was none, or it is not known: since the verdict.
        at: unix seconds.
        what: in words.
    """

    since: float
    at: float
    what: str


@dataclass(frozen=True)
class Harm:
    """A rollback as a line of time.

    Attributes:
        moments: in order.
        measured: whether they are Envoy's own.
        bad: how many answers were bad; None where nobody has counted them.
        stretch: from when to when the canary could hurt, unix seconds; None where it did not, or that is not known.
    """

    moments: Sequence[Moment]
    measured: bool
    bad: int | None
    stretch: tuple[float, float] | None


def harm(rollout: Rollout) -> Harm | None:
    """Tell a rollback as a line of time.

    Args:
        rollout: as far as it went.

    Returns:
        None where traffic was not taken back.
    """
    if measured := rollout.measured:
        told = [Moment(*each) for each in moments(measured)]
        known = measured.first_bad is not None and measured.last_routed is not None
        stretch = (measured.first_bad or 0.0, measured.last_routed or 0.0) if known else None
        return Harm(told, measured=True, bad=measured.bad, stretch=stretch)
    return _seen(rollout) if rollout.rollback and rollout.weights else None


def _seen(rollout: Rollout) -> Harm:
    decided = _decided(rollout)
    seen = _first_bad_look(rollout)
    written = next((write.at for write in rollout.weights if write.at >= decided), None)
    found = [
        (seen, "first look that counted a bad answer of the canary"),
        (decided, "rollback decided"),
        (written, "weights written"),
    ]
    start = decided if seen is None else seen
    told = sorted((Moment(at - start, at, what) for at, what in found if at is not None), key=lambda each: each.at)
    stretch = None if seen is None or written is None else (seen, written)
    return Harm(told, measured=False, bad=None, stretch=stretch)


def _decided(rollout: Rollout) -> float:
    """Give the moment of the verdict that led to it; where a person did, that of the rollback itself."""
    began = rollout.rollback.at if rollout.rollback else rollout.end
    fails = [said.at for run in rollout.runs for said in run.verdicts if said.outcome == "FAIL" and said.at <= began]
    return fails[-1] if fails else began


def _first_bad_look(rollout: Rollout) -> float | None:
    looks = (look for run in rollout.runs for look in run.looks)
    return min((look.at for look in looks if look.traffic and look.traffic["canary"]["all"]["bad"]), default=None)
