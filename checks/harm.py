"""Evidence that a rate is over its objective, as one process over a whole rollout.

It is the mean of two processes, each a test supermartingale under "the rate is at most p":

(i) the mixture of checks/sequential.py, also mixed over the moment at which the harm began: half of the weight
    says "from the start", the other half is spread over the time to come: about evenly over the longest rollout, then
    ever thinner (h/(h+t)^2 a second), but never used up, because a hold may go on for longer. So a canary that was
    good for an hour and turns bad is caught about as fast as one that was bad from the start.
(ii) a bet on blocks of time. Per block with a share Y of bad requests, wealth *= 1 + c (Y/p - 1), for several c.
    It needs no group size: whatever requests of one block do together is one observation.

Cost per update is constant, and so is memory.
"""

from math import exp, inf, log
from typing import Any

from checks.sequential import ABOVE, exp_sum, log_factor

BLOCK_SECONDS = 30.0
_STAKES = (0.03, 0.1, 0.2, 0.4, 0.7, 0.95)
_NEVER = -1e300  # the logarithm of no weight at all; JSON has no minus infinity


class Harm:
    """The evidence that the rate of bad requests is above an objective.

    Args:
        rate: the objective, a share.
        group: requests that may share one fate.
        horizon: how long a rollout without holds can be watched, seconds.
        block: length of the blocks of (ii), seconds.
    """

    def __init__(self, rate: float, group: float, horizon: float, block: float = BLOCK_SECONDS) -> None:
        self.rate = rate
        # Twice the group: the estimate of b is one, and a false alarm costs a release.
        self.group = 2 * group if group > 1 else 1.0
        self.horizon = horizon
        self.block = block
        self._from_start = [log(weight / 2) for _, weight in ABOVE]
        self._from_later = [_NEVER for _ in ABOVE]
        self._unspent = 1.0
        self._wealth = [0.0 for _ in _STAKES]
        self._block = (0.0, 0.0, 0.0)

    def add(self, requests: float, bad: float, seconds: float) -> None:
        """Take in what happened in a stretch of time.

        Args:
            requests: that ended in it.
            bad: of them.
            seconds: its length.
        """
        spent = min(self._unspent, self._unspent**2 * seconds / self.horizon)
        self._unspent -= spent
        for index, (odds, weight) in enumerate(ABOVE):
            factor = log_factor(odds, self.rate, requests, bad, self.group)
            self._from_start[index] += factor
            begun = _log_sum(self._from_later[index], log(weight * spent / 2) if spent > 0 else _NEVER)
            self._from_later[index] = begun + factor
        self._add_to_block(requests, bad, seconds)

    def _add_to_block(self, requests: float, bad: float, seconds: float) -> None:
        length, total, harmed = self._block
        length, total, harmed = length + seconds, total + requests, harmed + bad
        if length < self.block:
            self._block = (length, total, harmed)
            return
        if total > 0:
            excess = harmed / total / self.rate - 1
            self._wealth = [w + log(1 + stake * excess) for w, stake in zip(self._wealth, _STAKES, strict=True)]
        self._block = (0.0, 0.0, 0.0)

    @property
    def evidence(self) -> float:
        """How much speaks for harm: 1 at the start; at 1/e a decision with error probability e."""
        mixture = exp_sum([*self._from_start, *self._from_later])
        # The later half's weight that no moment has been given yet is worth what it was at the start.
        mixture += self._unspent / 2
        blocks = exp_sum([w - log(len(_STAKES)) for w in self._wealth])
        return (mixture + blocks) / 2

    def state(self) -> dict[str, Any]:
        """Give all that has to be known to go on in another process, as JSON."""
        return {
            "from_start": self._from_start,
            "from_later": self._from_later,
            "unspent": self._unspent,
            "wealth": self._wealth,
            "block": list(self._block),
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on where another process stopped.

        Args:
            state: what ``state`` gave there.
        """
        self._from_start = list(state["from_start"])
        self._from_later = list(state["from_later"])
        self._unspent = state["unspent"]
        self._wealth = list(state["wealth"])
        length, total, harmed = state["block"]
        self._block = (length, total, harmed)


def _log_sum(left: float, right: float) -> float:
    """Add two numbers given by their logarithms."""
    high, low = max(left, right), min(left, right)
    if high == -inf:
        return high
    return high + log(1 + exp(low - high))
