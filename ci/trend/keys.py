"""DORA's four keys, as far as journals know them; what they can not know is said beside each figure.

Rules:
    1. A deployment is a rollout that reached production: promoted, or taken back after the canary had a weight. What
       was changed in other ways (by hand, ``sluicegate bump``, another tool) left no journal and is not counted.
    2. A frequency needs a week of time at least: from two rollouts of one afternoon nobody knows how many there are
       in a month.
    3. Nothing is guessed. A figure that the journals do not hold is None, and the words say so.

Example:
    >>> keys([]).failed, keys([]).frequency
    (0, None)
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from checks.words import count, percent, several
from ci.reporters.figures import seconds
from ci.trend.finished import PROMOTED, Finished

DAY, WEEK = 86_400.0, 604_800.0


@dataclass(frozen=True)
class Keys:
    """The four keys of some rollouts.

    Attributes:
        promoted: how many were promoted; ``reached``: how many changed production; ``failed``: how many of them had
            to be taken back.
        span: from the beginning of the first to the end of the last, seconds.
        lead: how long a promoted one took, seconds, in the median; None where there was none.
        recovery: from the first bad answer to the last request to the canary, seconds, in the median of the
            ``measured`` ones; None where there is none.
        reaction: from the verdict to the write, seconds, in the median of all that were taken back; None for none.
    """

    promoted: int
    reached: int
    failed: int
    span: float
    lead: float | None
    recovery: float | None
    measured: int
    reaction: float | None

    @property
    def frequency(self) -> float | None:
        """Promotions a week; None where the time is too short to say."""
        return self.promoted / self.span * WEEK if self.span >= WEEK else None

    @property
    def failure_rate(self) -> float | None:
        """The share of deployments that had to be taken back; None where there was none."""
        return self.failed / self.reached if self.reached else None

    def as_json(self) -> dict[str, Any]:
        """Give them as a JSON object."""
        return {**asdict(self), "frequency": self.frequency, "failure_rate": self.failure_rate}


@dataclass(frozen=True)
class Told:
    """One key in words.

    Attributes:
        name: as DORA calls it.
        figure: for these rollouts.
        counted: what it is made of here.
        unknown: what a journal can not know of it.
    """

    name: str
    figure: str
    counted: str
    unknown: str


def keys(rollouts: Sequence[Finished]) -> Keys:
    """Work out the four keys.

    Args:
        rollouts: that are over.
    """
    promoted = [each.took for each in rollouts if each.outcome == PROMOTED]
    failed = [each for each in rollouts if each.failed]
    hurt = [each.hurt for each in failed if each.hurt is not None]
    began, ended = (
        min((each.began for each in rollouts), default=0.0),
        max((each.ended for each in rollouts), default=0.0),
    )
    return Keys(
        promoted=len(promoted),
        reached=sum(each.reached for each in rollouts),
        failed=len(failed),
        span=ended - began,
        lead=_middle(promoted),
        recovery=_middle(hurt),
        measured=len(hurt),
        reaction=_middle([each.reaction for each in failed if each.reaction is not None]),
    )


def in_words(found: Keys) -> list[Told]:
    """Tell the four keys, each with what it is made of and what is not in it.

    Args:
        found: the figures.
    """
    return [
        Told(
            "Deployment frequency",
            _frequency(found),
            "Rollouts that ended with the new version in stable.",
            "Changes that reached production without sluicegate run left no journal.",
        ),
        Told(
            "Lead time for changes",
            "nothing was promoted" if found.lead is None else f"{seconds(found.lead)}, the release's part of it",
            "From the start of sluicegate run to its end, with the watching after the promotion; the median.",
            "When the change was written, reviewed and built: a journal begins with a finished image.",
        ),
        Told(
            "Change fail rate",
            _failures(found),
            "Of the rollouts in which the new version had traffic, those that were taken back. Most hurt a few percent "
            "of the requests for seconds. What preflight refused is not in it.",
            "Failures that show after the watching has ended, and are mended by hand or by the next release.",
        ),
        Told(
            "Failed deployment recovery time",
            _recovery(found),
            "From the start of the first request that the canary answered badly to the start of the last one routed "
            "to it, by Envoy's access log; the median.",
            "Recovery from what was found after the promotion; and the first bad answer where no log could be read.",
        ),
    ]


def _middle(numbers: Sequence[float]) -> float | None:
    return median(numbers) if numbers else None


def _frequency(found: Keys) -> str:
    if found.frequency is None:
        return f"{several(found.promoted, 'promotion')} in {_long(found.span)}: too short a time for a frequency"
    if found.frequency >= 7:  # noqa: PLR2004 - once a day
        return f"{found.frequency / 7:.1f} a day ({count(found.promoted)} in {_long(found.span)})"
    return f"{found.frequency:.1f} a week ({count(found.promoted)} in {_long(found.span)})"


def _long(span: float) -> str:
    return f"{span / DAY:.0f} days" if span >= 2 * DAY else seconds(span)


def _failures(found: Keys) -> str:
    if found.failure_rate is None:
        return "no rollout reached production"
    return f"{percent(found.failure_rate)} ({count(found.failed)} of {count(found.reached)})"


def _recovery(found: Keys) -> str:
    if not found.failed:
        return "nothing had to be taken back"
    known = f"{seconds(found.recovery)} (of {count(found.measured)})" if found.recovery is not None else "not known"
    reaction = "" if found.reaction is None else f"; verdict to write {found.reaction:.2f} s"
    return known + reaction
