"""Evidence that a single pod does harm, though the canary as a whole does not.

One pod of four at 3 % errors and the rest at 0.1 % are 0.8 % in all: pooled, that is never over 1 %. So each pod has
evidence of its own (checks/sequential.py), and their weighted mean is evidence too: it can only grow large when at
least one pod is over the objective. The j-th pod that is seen gets the weight 1 / (j (j + 1)), decided when it comes;
these add up to 1 however many pods come and go. A pod that is not over the objective would count for less than its
weight; it is left out, which makes the evidence smaller and never larger.

Example:
    >>> pods = HarmByPod(rate=0.01, group=1)
    >>> pods.add({"a": Count(300, 0), "b": Count(100, 30)})
    >>> pods.evidence > 400, pods.culprits
    (True, ('b',))
"""

from collections.abc import Mapping
from typing import Any

from checks.ebh import singled_out
from checks.evidence import Count
from checks.harm import cautious
from checks.sequential import evidence_above

_MOST = 100  # pods that are remembered: more would come only from a canary that crashes without end
_FALSELY_BLAMED = 0.05  # of the pods that are named, at most, in the mean


class HarmByPod:
    """The evidence that the rate of bad requests of at least one pod is above an objective.

    Args:
        rate: the objective, a share.
        group: requests that may share one fate.
    """

    def __init__(self, rate: float, group: float) -> None:
        self._rate, self._group = rate, cautious(group)
        self._seen: dict[str, Count] = {}

    def add(self, pods: Mapping[str, Count]) -> None:
        """Take in what every pod answered.

        Args:
            pods: per pod.
        """
        for pod, ended in pods.items():
            if pod in self._seen or len(self._seen) < _MOST:
                self._seen[pod] = self._seen.get(pod, Count()) + ended

    def _of(self, pod: str) -> float:
        seen = self._seen[pod]
        if seen.bad <= self._rate * seen.requests:
            return 0.0
        return evidence_above(self._rate, seen.requests, seen.bad, self._group)

    @property
    def evidence(self) -> float:
        """How much speaks for harm by a pod: 1 at the start; at 1/e a decision with error probability e."""
        parts = (self._of(pod) / (place * (place + 1)) for place, pod in enumerate(self._seen, start=1))
        return sum(parts) + 1 / (len(self._seen) + 1)

    @property
    def culprits(self) -> tuple[str, ...]:
        """The pods that stand out, or else the worst, the worst first; none while none was seen."""
        evidence = {pod: self._of(pod) for pod in self._seen}
        worst = max(evidence, key=lambda pod: evidence[pod], default=None)
        return singled_out(evidence, _FALSELY_BLAMED) or (() if worst is None else (worst,))

    @property
    def seen(self) -> int:
        """How many pods there were."""
        return len(self._seen)

    def of(self, pod: str) -> Count:
        """Give what one pod answered."""
        return self._seen.get(pod, Count())

    def state(self) -> dict[str, Any]:
        """Give all that has to be known to go on in another process, as JSON."""
        return {pod: [seen.requests, seen.bad] for pod, seen in self._seen.items()}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on where another process stopped.

        Args:
            state: what ``state`` gave there.
        """
        self._seen = {pod: Count(*seen) for pod, seen in state.items()}
