"""Stable's traffic before a release: from it comes how many requests share one fate, for each gate.

The last sixty stretches count, of 30 seconds each, or of one look where that is longer: half an hour or more.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from checks.evidence import Answers, Count, Terms, Tick
from checks.group import GroupSize, estimate
from checks.harm import BLOCK_SECONDS

SPAN = 1800.0  # seconds


class History:
    """What stable answered before the release."""

    def __init__(self) -> None:
        self._stretches: deque[tuple[float, Answers]] = deque(maxlen=int(SPAN / BLOCK_SECONDS))
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
        share, stable = terms.weight / 100, self._rate()
        errors = self._group(_errors, terms.error_rate, share)
        return replace(
            terms,
            group=errors.size,
            block=errors.block,
            latency_groups=tuple(self._group(_slow, 1 - each.share, share).size for each in terms.latency),
            margin_group=self._group(_errors, stable + terms.margin, share).size,
            stable_group=self._group(_errors, stable, 1 - share).size,
        )

    def _rate(self) -> float:
        """Give stable's error rate."""
        whole = sum((answers.all for _, answers in self._stretches), Count())
        return whole.bad / whole.requests if whole.requests else 0.0

    def _group(self, bad: Callable[[Answers], Count], objective: float, share: float) -> GroupSize:
        lengths = [seconds for seconds, _ in self._stretches]
        typical = sum(lengths) / len(lengths) if lengths else BLOCK_SECONDS
        return estimate([bad(answers) for _, answers in self._stretches], objective, share, seconds=typical)


def _errors(answers: Answers) -> Count:
    return answers.all


def _slow(answers: Answers) -> Count:
    return answers.slow[0] if answers.slow else Count()
