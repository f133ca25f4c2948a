"""Evidence that a rate is over its objective, as one process over a whole rollout.

It is the mean of two processes, each a test supermartingale under "the rate is at most p":

(i) the mixture of checks/sequential.py, also mixed over the moment at which the harm began: half of the weight
    says "from the start", the other half is spread over the time to come: about evenly over the longest rollout, then
    ever thinner (h/(h+t)^2 a second), but never used up, because a hold may go on for longer. So a canary that was
    good for an hour and turns bad is caught about as fast as one that was bad from the start.
(ii) a bet on blocks of time. Per block with a share Y of bad requests, wealth *= 1 + c (Y/p - 1), for several c.
    It needs no group size: whatever requests of one block do together is one observation.

Cost per update is constant, and so is memory. (i) is kept as plain numbers and not as logarithms, which is three times
as fast; where a double ends it is cut off, and evidence that is cut off is too small, never too large.
"""

from dataclasses import dataclass, field
from math import exp, log, log1p
from typing import Any

from checks.evidence import Count
from checks.sequential import ABOVE, exp_sum

BLOCK_SECONDS = 30.0
_LATELY_ODDS = 3.0
_STAKES = (0.03, 0.1, 0.2, 0.4, 0.7, 0.95)
_LARGEST = 1e300
_LARGEST_LOG = 690.0


def cautious(group: float) -> float:
    """Give the group size that evidence of harm is counted with: twice what was estimated.

    The estimate is one, and a false alarm costs a release.

    Args:
        group: requests that may share one fate; 1 is a statement, and stays.
    """
    return 2 * group if group > 1 else 1.0


@dataclass
class Lately:
    """The stretch of time that looks worst, for words: where Page's cumulative sum, which never goes under 0, began.

    Attributes:
        rate: the objective, a share.
        seen: requests of the stretch, and bad ones among them.
        seconds: its length.
    """

    rate: float
    seen: Count = field(default_factory=Count)
    seconds: float = 0.0
    _sum: float = 0.0

    def add(self, requests: float, bad: float, seconds: float) -> None:
        """Take in what happened; when it speaks for no harm any more, the stretch begins anew.

        Args:
            requests: that ended.
            bad: of them.
            seconds: in which.
        """
        self._sum += bad * log(_LATELY_ODDS) - requests * log1p(self.rate * (_LATELY_ODDS - 1))
        self.seen, self.seconds = self.seen + Count(requests, bad), self.seconds + seconds
        if self._sum <= 0:
            self.seen, self.seconds, self._sum = Count(), 0.0, 0.0


class Harm:
    """The evidence that the rate of bad requests is above an objective.

    Args:
        rate: the objective, a share.
        group: requests that may share one fate.
        horizon: how long a rollout without holds can be watched, seconds.
        block: length of the blocks of (ii), seconds.
    """

    def __init__(self, rate: float, group: float, horizon: float, block: float = BLOCK_SECONDS) -> None:
        self._rate, self._group, self._horizon, self._length = rate, cautious(group), horizon, block
        self._parts = [(log(odds), log1p(rate * (odds - 1)), weight / 2) for odds, weight in ABOVE]
        self._requests = self._bad = 0.0  # from the start, in groups
        self._later = [0.0 for _ in ABOVE]
        self._unspent = 1.0
        self._wealth = [0.0 for _ in _STAKES]
        self._block = (0.0, 0.0, 0.0)
        self.lately = Lately(rate)

    def add(self, requests: float, bad: float, seconds: float) -> bool:
        """Take in what happened in a stretch of time.

        Args:
            requests: that ended in it.
            bad: of them.
            seconds: its length.

        Returns:
            Whether the evidence may have grown.
        """
        spent = min(self._unspent, self._unspent**2 * seconds / self._horizon)
        self._unspent -= spent
        groups, harmed = requests / self._group, bad / self._group
        self._requests += groups
        self._bad += harmed
        self.lately.add(requests, bad, seconds)
        self._later = [
            min((begun + weight * spent) * exp(min(harmed * up - groups * down, _LARGEST_LOG)), _LARGEST)
            for begun, (up, down, weight) in zip(self._later, self._parts, strict=True)
        ]
        return self._add_to_block(requests, bad, seconds) or bad > 0

    def _add_to_block(self, requests: float, bad: float, seconds: float) -> bool:
        length, total, harmed = self._block
        length, total, harmed = length + seconds, total + requests, harmed + bad
        if length < self._length:
            self._block = (length, total, harmed)
            return False
        if total > 0:
            excess = harmed / total / self._rate - 1
            self._wealth = [w + log(1 + stake * excess) for w, stake in zip(self._wealth, _STAKES, strict=True)]
        self._block = (0.0, 0.0, 0.0)
        return True

    @property
    def evidence(self) -> float:
        """How much speaks for harm: 1 at the start; at 1/e a decision with error probability e."""
        from_start = exp_sum([self._bad * up - self._requests * down + log(weight) for up, down, weight in self._parts])
        # The later half's weight that no moment has been given yet is worth what it was at the start.
        from_later = sum(self._later) + self._unspent / 2
        blocks = exp_sum([w - log(len(_STAKES)) for w in self._wealth])
        return (from_start + from_later + blocks) / 2

    def state(self) -> dict[str, Any]:
        """Give all that has to be known to go on in another process, as JSON."""
        return {
            "from_start": [self._requests, self._bad],
            "from_later": self._later,
            "unspent": self._unspent,
            "wealth": self._wealth,
            "block": list(self._block),
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on where another process stopped.

        Args:
            state: what ``state`` gave there.
        """
        self._requests, self._bad = state["from_start"]
        self._later = list(state["from_later"])
        self._unspent = state["unspent"]
        self._wealth = list(state["wealth"])
        length, total, harmed = state["block"]
        self._block = (length, total, harmed)
