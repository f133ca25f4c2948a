"""How many requests share one fate: the group size b, estimated from stable's own history.

Requests that fail together (a restart, a slow database, a retry storm) carry less evidence than their number says.
Stable's bad requests are counted in blocks of time; if requests were independent, the squared deviation of the
blocks' counts from their mean would be p (1 - p) n. How many times larger it is, is the dispersion::

    phi = sum (x_i - p n_i)^2 / (p (1 - p) sum n_i) * m / (m - 1)        over m blocks

Rules:
    1. blocks of 30, 60 and 120 seconds are tried and the largest phi is taken, for bursts that are longer than a block
       look harmless in it. Blocks may overlap, which makes phi steadier
    2. phi within two standard errors of 1 means b = 1
    3. the dispersion grows with the volume of what fails together, so it is carried over to the canary in proportion to
       the bad requests that the objective allows there, to those that stable had
    4. half an hour may hold no burst of the longest kind, or only a weak one. So where bursts are plain to see (five
       standard errors), b is at least what a burst of 30 seconds would make of it
    5. with too little history, b is 5

It is an estimate, not a theorem: docs/decision.md says what it was tried on.

Example:
    >>> estimate([], objective=0.01, share=0.05)
    GroupSize(size=5.0, block=30.0, measured=False)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt

from checks.evidence import Count
from checks.harm import BLOCK_SECONDS

UNKNOWN = 5.0
_MULTIPLES = (1, 2, 4)  # of the 30 seconds of one block
_FEWEST_BLOCKS = 20
_FEWEST_BAD = 5
_FLOOR = 5.0  # a dispersion up to here is taken as it is, however small the canary's part
_SIGNIFICANT, _PLAIN = 2.0, 5.0  # standard errors


@dataclass(frozen=True)
class GroupSize:
    """How many requests share one fate.

    Attributes:
        size: b.
        block: the length of block that showed it, seconds.
        measured: whether it comes from history; else it is the default.
    """

    size: float
    block: float
    measured: bool


def estimate(blocks: Sequence[Count], objective: float, share: float, *, seconds: float = BLOCK_SECONDS) -> GroupSize:
    """Estimate the group size for a canary.

    Args:
        blocks: what stable answered in equal stretches of its history, when it had all the traffic; the oldest first.
        objective: the rate that the canary has to stay under, a share.
        share: the canary's share of the traffic at this step.
        seconds: the length of a stretch.
    """
    whole = sum(blocks, Count())
    if len(blocks) < _FEWEST_BLOCKS or whole.bad < _FEWEST_BAD or whole.bad >= whole.requests:
        return GroupSize(UNKNOWN, seconds, measured=False)
    phi, multiple = max((_dispersion(blocks, multiple), multiple) for multiple in _MULTIPLES)
    errors = (phi - 1) / sqrt(2 / (len(blocks) // multiple - 1))
    size = 1.0 if errors <= _SIGNIFICANT else _carried_over(phi, objective * share / (whole.bad / whole.requests))
    if errors > _PLAIN:
        size = max(size, 1 + objective * share * whole.requests / len(blocks))
    return GroupSize(size, seconds * multiple, measured=True)


def _carried_over(phi: float, ratio: float) -> float:
    """Give b for stable's dispersion and the ratio of the canary's bad requests to stable's."""
    if ratio >= 1:
        return 1 + (phi - 1) * ratio
    return min(phi, _FLOOR) + max(0.0, phi - _FLOOR) * ratio


def _dispersion(blocks: Sequence[Count], multiple: int) -> float:
    """Give phi over all stretches of several neighbouring blocks."""
    whole = sum(blocks, Count())
    rate, pieces = whole.bad / whole.requests, len(blocks) // multiple
    bad = list(accumulate((block.bad for block in blocks), initial=0.0))
    requests = list(accumulate((block.requests for block in blocks), initial=0.0))
    spans = range(len(blocks) - multiple + 1)
    counted = [(requests[at + multiple] - requests[at], bad[at + multiple] - bad[at]) for at in spans]
    squares = sum((x - rate * n) ** 2 for n, x in counted)
    return squares / (rate * (1 - rate) * sum(n for n, _ in counted)) * pieces / (pieces - 1)
