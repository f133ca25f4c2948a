"""Evidence about a rate that is valid at every look.

For a null rate p and an odds factor k, after n requests of which x were bad::

    ln E_k = (x ln k - n ln(1 + p (k - 1))) / b          E = sum over k of weight_k E_k

Under the null hypothesis E is a test supermartingale, so the probability that it *ever* reaches 1/a is at most a
(Ville's inequality): one may look each second and stop at once. Factors k < 1 gather evidence that the rate is
below p (for PASS), k > 1 that it is above (for FAIL). It is a mixture of Wald's likelihood ratios, or a bet on a
bounded mean (Waudby-Smith and Ramdas, arXiv 2010.09686). With b > 1 whole groups of up to b requests may share
one fate.

E is monotone in p. Solving E(p) = 1/a gives bounds on the rate that hold at all looks together (Howard, Ramdas,
McAuliffe, Sekhon, Annals of Statistics 49, 2021).

Example:
    >>> evidence_below(0.01, requests=600, bad=0, group=1) > 100
    True
"""

from math import exp, inf, log, log1p

from checks.evidence import Count

Mixture = tuple[tuple[float, float], ...]

BELOW: Mixture = (
    (0.02, 0.20),
    (0.1, 0.25),
    (0.2, 0.20),
    (0.33, 0.13),
    (0.5, 0.10),
    (0.67, 0.07),
    (0.83, 0.05),
)
ABOVE: Mixture = (
    (1.2, 0.06),
    (1.5, 0.10),
    (2.0, 0.14),
    (3.0, 0.14),
    (5.0, 0.14),
    (10.0, 0.12),
    (30.0, 0.10),
    (100.0, 0.10),
    (1000.0, 0.10),
)
_STEPS = 60
_PRECISION = 1e-6
_SMALLEST = 1e-12


def evidence(mixture: Mixture, rate: float, requests: float, bad: float, group: float) -> float:
    """Give E of the module's formula.

    Args:
        mixture: pairs of odds factor and weight; the weights add up to 1.
        rate: the null rate, a share.
        requests: how many ended.
        bad: how many of them were bad.
        group: requests that may share one fate.

    Returns:
        The evidence against the null, 0 to infinity; 1 at the start.
    """
    groups, harmed = requests / group, bad / group
    return exp_sum([harmed * log(odds) - groups * log1p(rate * (odds - 1)) + log(weight) for odds, weight in mixture])


def exp_sum(logs: list[float]) -> float:
    """Add numbers given by their logarithms; infinity rather than an overflow.

    Args:
        logs: natural logarithms.
    """
    top = max(logs)
    if top > 700:  # noqa: PLR2004 - exp(709) is the largest double
        return inf
    return sum(exp(value) for value in logs)


def evidence_below(rate: float, requests: float, bad: float, group: float) -> float:
    """Give the evidence that the true rate is below ``rate`` (a share)."""
    return evidence(BELOW, rate, requests, bad, group)


def evidence_above(rate: float, requests: float, bad: float, group: float) -> float:
    """Give the evidence that the true rate is above ``rate`` (a share)."""
    return evidence(ABOVE, rate, requests, bad, group)


class Bound:
    """A bound on a rate that holds at all looks, found again at each look from where it was at the last.

    E is monotone in p and its logarithm's slope is known, so Newton's method needs three or four steps; bisection
    stands in where a step would leave the bracket.

    Args:
        mixture: ABOVE for a lower bound (what is shown to be under the rate), BELOW for an upper one.
        error: probability that the bound is ever wrong.
    """

    def __init__(self, mixture: Mixture, error: float) -> None:
        self._goal = -log(error)
        self._parts = [(odds - 1, log(odds), log(weight)) for odds, weight in mixture]
        self._is_lower = mixture[0][0] > 1
        self.value = 0.0 if self._is_lower else 1.0

    def update(self, seen: Count, group: float) -> float:
        """Find the bound for all that was seen so far.

        Args:
            seen: the requests that ended, and the bad ones among them.
            group: requests that may share one fate.

        Returns:
            A share; 0 (a lower bound) or 1 (an upper bound) while nothing is shown.
        """
        # A lower bound's evidence falls with p, an upper bound's grows: the goal is crossed once at most.
        low, high = 0.0, 1.0
        rate = self.value if 0 < self.value < 1 else seen.bad / seen.requests if seen.requests else 0.5
        for _ in range(_STEPS):
            rate = min(max(rate, _SMALLEST), 1 - _SMALLEST)
            excess, slope = self._excess(rate, seen, group)
            is_under_it = (excess >= 0) == self._is_lower
            low, high = (rate, high) if is_under_it else (low, rate)
            if high - low < _PRECISION * high or abs(excess) < _PRECISION:
                break
            step = rate - excess / slope if slope else low
            rate = step if low < step < high else (low + high) / 2
        # The side of the bracket on which nothing false is claimed.
        self.value = low if self._is_lower else high
        return self.value

    def _excess(self, rate: float, seen: Count, group: float) -> tuple[float, float]:
        """Give ln E(rate) - ln(1/error), and its slope."""
        bad, requests = seen.bad / group, seen.requests / group
        logs = [bad * up - requests * log1p(rate * more) + weight for more, up, weight in self._parts]
        top = max(logs)
        parts = [exp(value - top) for value in logs]
        total = sum(parts)
        slope = sum([part * more / (1 + rate * more) for part, (more, _, _) in zip(parts, self._parts, strict=True)])
        return top + log(total) - self._goal, -requests * slope / total


def upper_bound(seen: Count, group: float, error: float) -> float:
    """Give the smallest rate that is shown to be over the true one.

    Args:
        seen: the requests that ended, and the bad ones among them.
        group: requests that may share one fate.
        error: probability that the bound is ever wrong.

    Returns:
        A share; 1.0 while nothing is shown.
    """
    return Bound(BELOW, error).update(seen, group)


def lower_bound(seen: Count, group: float, error: float) -> float:
    """Give the largest rate that is shown to be under the true one; arguments as ``upper_bound``."""
    return Bound(ABOVE, error).update(seen, group)
