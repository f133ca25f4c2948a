"""Traffic whose truth is known: requests that fail alone, in bursts, with one pod, from some moment on.

A burst model multiplies the error rate in episodes and lowers it between them, so that its mean stays what it was. Bad
requests come in runs of a mean length. All arrays have a row a second and a column a run.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Pair = tuple[Numbers, Numbers]
Random = np.random.Generator


@dataclass(frozen=True)
class Model:
    """How errors cluster.

    Attributes:
        name: for tables.
        share: of the time that is spent in episodes.
        seconds: their mean length.
        factor: by which the rate is higher in them.
        run: the mean length of a run of bad requests.
        fixed: whether every episode is as long as the mean; else their lengths are exponential.
    """

    name: str
    share: float = 0.0
    seconds: float = 0.0
    factor: float = 1.0
    run: float = 1.0
    fixed: bool = False

    def multipliers(self, random: Random, seconds: int, runs: int) -> Numbers:
        """Give the factor on the error rate, second by second."""
        if not self.share:
            return np.ones((seconds, runs))
        inside = self._fixed(random, seconds, runs) if self.fixed else self._exponential(random, seconds, runs)
        outside = (1 - self.share * self.factor) / (1 - self.share)
        return np.where(inside, self.factor, outside)

    @property
    def _pause(self) -> float:
        return self.seconds * (1 - self.share) / self.share

    def _exponential(self, random: Random, seconds: int, runs: int) -> NDArray[np.bool_]:
        inside = np.empty((seconds, runs), bool)
        now = random.random(runs) < self.share
        for second in range(seconds):
            inside[second] = now
            dice = random.random(runs)
            now = np.where(now, dice >= 1 / self.seconds, dice < 1 / self._pause)
        return inside

    def _fixed(self, random: Random, seconds: int, runs: int) -> NDArray[np.bool_]:
        settle = int(5 * (self.seconds + self._pause))
        inside = np.empty((settle + seconds, runs), bool)
        left = np.zeros(runs)
        for second in range(settle + seconds):
            begins = (left <= 0) & (random.random(runs) < 1 / self._pause)
            left = np.where(begins, self.seconds, left - 1)
            inside[second] = left > 0
        return inside[settle:]

    def bad(self, random: Random, requests: NDArray[np.int64], rate: Numbers | float) -> NDArray[np.int64]:
        """Say how many of some requests are bad.

        Args:
            random: where chance comes from.
            requests: how many end.
            rate: the share of them that is bad, in the mean.
        """
        if self.run == 1:
            return random.binomial(requests, np.minimum(rate, 1.0))
        begun = random.poisson(requests * np.minimum(rate, 1.0) / self.run)
        more = random.negative_binomial(np.maximum(begun, 1), 1 / self.run)
        return np.minimum(begun + np.where(begun > 0, more, 0), requests)


INDEPENDENT = Model("independent")
BURSTY = Model("bursty", share=0.1, seconds=10, factor=5.5, run=3)
# Not used when the method was tuned: longer bursts, in the two ways in which one may read their description.
UNSEEN = (
    Model("40 s x5", share=0.1, seconds=40, factor=5, run=3),
    Model("90 s x3", share=0.1, seconds=90, factor=3, run=3),
    Model("40 s x5, all alike", share=1 / 9, seconds=40, factor=5, run=3, fixed=True),
    Model("90 s x3, all alike", share=0.2, seconds=90, factor=3, run=3, fixed=True),
)
INCIDENTS = Model("rare incidents", share=0.02, seconds=60, factor=40)


def counts(random: Random, model: Model, per_second: float, rate: float, multipliers: Numbers) -> Pair:
    """Give how many requests end each second, and how many of them are bad.

    Args:
        random: where chance comes from.
        model: how errors cluster.
        per_second: requests, in the mean.
        rate: the error rate, in the mean.
        multipliers: of the rate.
    """
    requests = random.poisson(per_second, multipliers.shape)
    return requests.astype(float), model.bad(random, requests, rate * multipliers).astype(float)


def history(random: Random, model: Model, per_second: float, rate: float, runs: int) -> Pair:
    """Give half an hour of stable's traffic, a row for each 30 seconds."""
    requests, bad = counts(random, model, per_second, rate, model.multipliers(random, 1800, runs))
    return requests.reshape(60, 30, runs).sum(1), bad.reshape(60, 30, runs).sum(1)
