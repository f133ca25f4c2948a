"""The rules of others, as their source says (docs/decision.md names it), on the same traffic.

A rule looks at one weight at a time: given what ended in each second, after how many does it go on, or go back?
Most look once a minute.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.decision.traffic import Numbers, Pair

MINUTE = 60
_Z_ONE_SIDED = 1.645  # 5 %
_Z_KAYENTA = 2.326  # two-sided 98 %
_TOLERANCE = 0.25


@dataclass(frozen=True)
class Seen:
    """What ended at one weight, a row a second and a column a run."""

    requests: Numbers
    bad: Numbers
    stable_requests: Numbers
    stable_bad: Numbers

    def minutes(self) -> tuple[Numbers, Numbers]:
        """Give the error rates of both versions, a row a minute."""
        rates = []
        for requests, bad in ((self.requests, self.bad), (self.stable_requests, self.stable_bad)):
            whole = len(requests) // MINUTE * MINUTE
            n, x = (each[:whole].reshape(-1, MINUTE, each.shape[1]).sum(1) for each in (requests, bad))
            rates.append(np.where(n > 0, x / np.maximum(n, 1), np.nan))
        return rates[0], rates[1]


@dataclass
class Rule(ABC):
    """A rule, and the weights at which its users apply it."""

    name: str
    weights: Sequence[int] = (5, 25, 50)
    objective: float = 0.01

    def begin(self, runs: int) -> None:  # noqa: B027 - most rules remember nothing from weight to weight
        """Begin a rollout of so many runs."""

    @abstractmethod
    def step(self, seen: Seen) -> Pair:
        """Give the seconds after which each run goes on and goes back; infinity where it does not."""


class ZTest(Rule):
    """A one-sided z-test at 5 %, looked at each second, in both directions."""

    def step(self, seen: Seen) -> Pair:
        """Stop at the first significant look."""
        n, x = seen.requests.cumsum(0), seen.bad.cumsum(0)
        expected = n * self.objective
        score = (x - expected) / np.sqrt(np.maximum(expected * (1 - self.objective), 1e-9))
        enough = expected >= 5  # as textbooks want it
        return _first(enough & (score < -_Z_ONE_SIDED)), _first(enough & (score > _Z_ONE_SIDED))


class Average(Rule):
    """The error rate of five minutes, compared once."""

    def step(self, seen: Seen) -> Pair:
        """Look once."""
        n, x = seen.requests[: 5 * MINUTE].sum(0), seen.bad[: 5 * MINUTE].sum(0)
        good = x < self.objective * n
        return np.where(good, 5.0 * MINUTE, np.inf), np.where(good, np.inf, 5.0 * MINUTE)


@dataclass
class Argo(Rule):
    """Argo Rollouts: five measurements a minute apart; failed when more than ``limit`` of them fail."""

    limit: int = 0

    def step(self, seen: Seen) -> Pair:
        """Count failures."""
        misses = (~(seen.minutes()[0][:5] < self.objective)).cumsum(0)
        back = MINUTE * _first(misses > self.limit)
        return np.where(np.isinf(back), 5.0 * MINUTE, np.inf), back


@dataclass
class Flagger(Rule):
    """Flagger: one good minute goes on; misses add up over the whole rollout, and then it goes back a tick later."""

    threshold: int = 5
    _misses: Numbers = field(default_factory=lambda: np.zeros(0))

    def begin(self, runs: int) -> None:
        """Forget the misses."""
        self._misses = np.zeros(runs)

    def step(self, seen: Seen) -> Pair:
        """Wait for a good minute."""
        misses = self._misses + (~(seen.minutes()[0] < self.objective)).cumsum(0)
        on = MINUTE * _first(np.diff(misses, axis=0, prepend=self._misses[None]) == 0)
        back = MINUTE * _first(misses >= self.threshold) + MINUTE
        waited = np.minimum(np.where(np.isinf(on), len(misses), on / MINUTE - 1), len(misses)).astype(int)
        self._misses = np.vstack([self._misses, misses])[waited, np.arange(misses.shape[1])]
        return np.where(on < back, on, np.inf), np.where(on < back, np.inf, back)


class Kayenta(Rule):
    """Kayenta's Netflix judge: Mann-Whitney on ten minutes, 98 %, with a tolerance of a quarter of the shift."""

    def step(self, seen: Seen) -> Pair:
        """Compare ten points of each version."""
        canary, stable = (rates[:10] for rates in seen.minutes())
        many = len(canary)
        shifts = np.sort((canary[:, None] - stable[None]).reshape(many * many, -1), axis=0)
        lowest = int(many * many / 2 - _Z_KAYENTA * np.sqrt(many * many * (2 * many + 1) / 12))
        worse = shifts[lowest] > _TOLERANCE * np.abs(np.median(shifts, axis=0))
        over = 10.0 * MINUTE
        return np.where(worse, np.inf, over), np.where(worse, over, np.inf)


def _first(reached: np.ndarray) -> Numbers:
    """Give the number of the first row that is true, from 1; infinity where none is."""
    return np.where(reached.any(0), reached.argmax(0) + 1.0, np.inf)


def rules() -> list[Rule]:
    """Give the rules that are compared."""
    return [
        ZTest("z-test 5 %, looked at each second"),
        Average("5-minute average", weights=(5,)),
        Argo("Argo Rollouts, 5 x 1 min, limit 3", limit=3),
        Argo("Argo Rollouts, 5 x 1 min, limit 0"),
        Flagger("Flagger, 1 min, threshold 5", weights=(10, 20, 30, 40, 50)),
    ]
