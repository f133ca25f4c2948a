"""The rate gate of checks/ for many runs at once, in numpy: for tables of ten thousand runs.

tests/benchmarks/test_vectorised.py holds it against the gate itself, look by look.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.decision.traffic import Numbers, Pair
from checks.group import _FEWEST_BAD, _FLOOR, _PLAIN, _SIGNIFICANT, _STRETCHES, UNKNOWN
from checks.harm import _STAKES, BLOCK_SECONDS
from checks.rate import POOLED
from checks.sequential import ABOVE, BELOW, Mixture

_STAKE = np.array(_STAKES)[:, None]


def _split(mixture: Mixture, rate: float) -> tuple[Numbers, Numbers, Numbers]:
    odds, weights = np.array(mixture).T[:, :, None]
    return np.log(odds), np.log1p(rate * (odds - 1)), np.log(weights)


def _log_sum(logs: Numbers) -> Numbers:
    top = logs.max(0)
    return np.asarray(top + np.log(np.exp(logs - top).sum(0)))


def estimate(requests: Numbers, bad: Numbers, objective: float, share: float) -> Pair:
    """Give group size and block length for each run, as checks/group.py does for one."""
    stretches = len(requests)
    whole, whole_bad = requests.sum(0), bad.sum(0)
    rate = whole_bad / whole
    rows = range(stretches - _STRETCHES + 1)
    n = np.array([requests[at : at + _STRETCHES].sum(0) for at in rows])
    x = np.array([bad[at : at + _STRETCHES].sum(0) for at in rows])
    blocks = stretches // _STRETCHES
    with np.errstate(invalid="ignore", divide="ignore"):
        phi = ((x - rate * n) ** 2).sum(0) / (rate * (1 - rate) * n.sum(0)) * blocks / (blocks - 1)
        ratio = objective * share / rate
    errors = (phi - 1) / np.sqrt(2 / (blocks - 1))
    carried = np.where(ratio >= 1, 1 + (phi - 1) * ratio, np.minimum(phi, _FLOOR) + np.maximum(0, phi - _FLOOR) * ratio)
    size = np.where(errors <= _SIGNIFICANT, 1.0, carried)
    size = np.where(errors > _PLAIN, np.maximum(size, 1 + objective * share * whole / stretches), size)
    few = whole_bad < _FEWEST_BAD
    return np.where(few, UNKNOWN, size), np.where(few, BLOCK_SECONDS, BLOCK_SECONDS * _STRETCHES)


class Passing:
    """Evidence that the rate is below the objective."""

    def __init__(self, rate: float, group: Numbers) -> None:
        self._up, self._down, self._weight = _split(BELOW, rate)
        self._group, self._requests, self._bad = group, np.zeros_like(group), np.zeros_like(group)

    def look(self, requests: Numbers, bad: Numbers) -> Numbers:
        """Take a second in, and give the logarithm of the evidence."""
        self._requests += requests
        self._bad += bad
        return _log_sum((self._bad * self._up - self._requests * self._down) / self._group + self._weight)


@dataclass
class Failing:
    """Evidence of harm: checks/harm.py and, for a canary with one pod, checks/harm_by_pod.py."""

    rate: float
    group: Numbers
    block: Numbers
    horizon: float

    def __post_init__(self) -> None:
        self._up, self._down, self._weight = _split(ABOVE, self.rate)
        self._cautious = np.where(self.group > 1, 2 * self.group, 1.0)
        self._start = np.zeros((len(self._up), len(self.group)))
        self._later = np.full_like(self._start, -1e300)
        self._unspent = 1.0
        self._wealth = np.zeros((len(_STAKES), len(self.group)))
        self._length, self._requests, self._bad = np.zeros((3, len(self.group)))
        self._over = np.zeros((2, len(self.group)))

    def look(self, requests: Numbers, bad: Numbers) -> Numbers:
        """Take a second in, and give the logarithm of the evidence."""
        spent = self._unspent**2 / self.horizon
        self._unspent -= spent
        factor = (bad * self._up - requests * self._down) / self._cautious
        self._start += factor
        self._later = np.logaddexp(self._later, self._weight + np.log(spent / 2)) + factor
        self._bet(requests, bad)
        parts = (_log_sum(self._start + self._weight) - np.log(2), _log_sum(self._later), np.log(self._unspent / 2))
        pooled = np.logaddexp.reduce(np.broadcast_arrays(*parts))
        blocks = _log_sum(self._wealth) - np.log(len(_STAKES))
        whole = np.logaddexp(pooled, blocks) - np.log(2)
        return np.asarray(np.logaddexp(whole + np.log(POOLED), self._by_pod(requests, bad) + np.log(1 - POOLED)))

    def _bet(self, requests: Numbers, bad: Numbers) -> None:
        self._length += 1
        self._requests += requests
        self._bad += bad
        over = self._length >= self.block
        share = self._bad / np.maximum(self._requests, 1)
        gained = np.log1p(_STAKE * (share / self.rate - 1))
        self._wealth += np.where(over & (self._requests > 0), gained, 0)
        for kept in (self._length, self._requests, self._bad):
            kept[over] = 0

    def _by_pod(self, requests: Numbers, bad: Numbers) -> Numbers:
        self._over += (requests, bad)
        n, x = self._over
        evidence = np.exp(np.minimum(_log_sum((x * self._up - n * self._down) / self._cautious + self._weight), 690))
        return np.log(np.where(x > self.rate * n, evidence, 0) / 2 + 0.5)


def first(evidence: Numbers, threshold: float, before: Numbers, second: int, *, soak: float = 0) -> Numbers:
    """Give when evidence first reached a threshold; infinity while it has not."""
    reached = np.isinf(before) & (evidence >= np.log(threshold)) & (second >= soak)
    return np.where(reached, float(second), before)


def decide(
    requests: Numbers,
    bad: Numbers,
    group: Numbers,
    block: Numbers,
    *,
    objective: float = 0.01,
    soak: float = 60,
    horizon: float = 2400,
) -> Pair:
    """Give for each run the second of its PASS and of its FAIL, each as if the other had not been.

    Args:
        requests: a row a second, a column a run.
        bad: of them.
        group: b of each run.
        block: length of its blocks, seconds.
        objective: the error rate to stay under.
        soak: seconds before which nothing passes.
        horizon: the longest rollout, seconds.
    """
    passing, failing = Passing(objective, group), Failing(objective, group, block, horizon)
    passed, failed = np.full((2, len(group)), np.inf)
    for second, (n, x) in enumerate(zip(requests, bad, strict=True), 1):
        failed = first(failing.look(n, x), 400, failed, second)
        passed = first(passing.look(n, x), 100, passed, second, soak=soak)
    return passed, failed
