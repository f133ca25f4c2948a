"""Stable's traffic before a release: from it comes how many requests share one fate, for each gate.

The last sixty stretches count, of 30 seconds each, or of one look where that is longer: half an hour or more. What they
show is fixed before the first step (``Clumping``), so that all steps are judged by the same.

Example:
    >>> History().found().applied(Terms(weight=5)).group
    5.0
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from checks.evidence import Answers, Count, Terms, Tick
from checks.group import UNKNOWN, Dispersion, GroupSize, dispersion
from checks.harm import BLOCK_SECONDS

SPAN = 1800.0  # seconds
STRETCHES = int(SPAN / BLOCK_SECONDS)
_ALL = 100


@dataclass(frozen=True)
class Clumping:
    """How stable's bad requests clumped together before the release.

    Attributes:
        rate: stable's error rate, a share.
        errors: of its errors; None where there were too few of them.
        slow: of its slow answers, for each latency objective.
        seconds: the length of the stretches that it was measured in.
    """

    rate: float
    errors: Dispersion | None
    slow: tuple[Dispersion | None, ...]
    seconds: float

    def applied(self, terms: Terms) -> Terms:
        """Put the group sizes that it means for a step into the step's terms.

        Args:
            terms: of the step; at weight 0 it is stable that is judged, on all of the traffic.
        """
        share = terms.weight / _ALL or 1.0
        errors = self._group(self.errors, terms.error_rate, share)
        slow = (*self.slow, *(None for _ in terms.latency))
        latency = (
            self._group(each, 1 - goal.share, share).size for each, goal in zip(slow, terms.latency, strict=False)
        )
        return replace(
            terms,
            group=errors.size,
            block=errors.block,
            latency_groups=tuple(latency),
            margin_group=self._group(self.errors, self.rate + terms.margin, share).size,
            stable_group=self._group(self.errors, self.rate, 1 - share).size,
        )

    def _group(self, found: Dispersion | None, objective: float, share: float) -> GroupSize:
        return found.group(objective, share) if found else GroupSize(UNKNOWN, self.seconds, measured=False)

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        return asdict(self)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Clumping":
        """Read what ``as_json`` gave.

        Args:
            kept: the JSON object.
        """
        errors, *slow = (Dispersion(**each) if each else None for each in (kept["errors"], *kept["slow"]))
        return cls(kept["rate"], errors, tuple(slow), kept["seconds"])


def span(look: float) -> float:
    """Say how far back it has to be looked.

    Args:
        look: seconds between two looks.

    Returns:
        Seconds: half an hour, or sixty looks where that is longer.
    """
    return STRETCHES * max(BLOCK_SECONDS, look)


class History:
    """What stable answered before the release."""

    def __init__(self) -> None:
        self._stretches: deque[tuple[float, Answers]] = deque(maxlen=STRETCHES)
        self._seconds = 0.0
        self._answers = Answers()

    def add(self, tick: Tick) -> None:
        """Take in a look at weight 0.

        Args:
            tick: the look.
        """
        if tick.traffic is not None:
            self._answers += tick.traffic.stable
        self._seconds += tick.seconds
        if self._seconds >= BLOCK_SECONDS:
            self._stretches.append((self._seconds, self._answers))
            self._seconds, self._answers = 0.0, Answers()

    def estimated(self, terms: Terms) -> Terms:
        """Put the group sizes that the history shows into a step's terms.

        Args:
            terms: of the step.
        """
        return self.found().applied(terms)

    def found(self) -> Clumping:
        """Give what the history shows."""
        lengths = [seconds for seconds, _ in self._stretches]
        typical = sum(lengths) / len(lengths) if lengths else BLOCK_SECONDS
        whole = sum((answers.all for _, answers in self._stretches), Count())
        objectives = max((len(answers.slow) for _, answers in self._stretches), default=0)

        def measured(bad: Callable[[Answers], Count]) -> Dispersion | None:
            return dispersion([bad(answers) for _, answers in self._stretches], typical)

        return Clumping(
            rate=whole.bad / whole.requests if whole.requests else 0.0,
            errors=measured(lambda answers: answers.all),
            slow=tuple(measured(_slow(index)) for index in range(objectives)),
            seconds=typical,
        )


def _slow(index: int) -> Callable[[Answers], Count]:
    return lambda answers: answers.slow[index] if index < len(answers.slow) else Count()
