"""How many requests share one fate: the group size b, estimated from stable's own history.

Requests that fail together (a restart, a slow database, a retry storm) carry less evidence than their number says.
Stable's errors are counted in blocks of time; if requests were independent, the squared deviation of the blocks'
errors from their mean would be p (1 - p) n. How many times larger it is, is the dispersion::

    phi = sum (x_i - p n_i)^2 / (p (1 - p) sum n_i) * m / (m - 1)        over m blocks

Blocks of 30, 60 and 120 seconds are tried and the largest phi is taken, for bursts that are longer than a block look
harmless in it. phi within two standard errors of 1 means b = 1. The dispersion grows with the volume of what fails
together, so it is carried over to the canary in proportion to the bad requests that the objective allows there.

It is an estimate, not a theorem. With too little history, b is 5.

Example:
    >>> estimate([], objective=0.01, share=0.05)
    GroupSize(size=5.0, block=30.0, measured=False)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from checks.evidence import Count
from checks.harm import BLOCK_SECONDS

UNKNOWN = 5.0
_MULTIPLES = (1, 2, 4)  # of the 30 seconds of one block
_FEWEST_BLOCKS = 20
_FEWEST_BAD = 5
_FLOOR = 5.0  # a dispersion up to here is taken as it is, however small the canary's part


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


def estimate(blocks: Sequence[Count], objective: float, share: float) -> GroupSize:
    """Estimate the group size for a canary.

    Args:
        blocks: what stable answered in each 30 seconds of its history, the oldest first.
        objective: the rate that the canary has to stay under, a share.
        share: the canary's share of the traffic at this step.
    """
    whole = sum(blocks, Count())
    if len(blocks) < _FEWEST_BLOCKS or whole.bad < _FEWEST_BAD or whole.bad >= whole.requests:
        return GroupSize(UNKNOWN, BLOCK_SECONDS, measured=False)
    dispersions = [(_dispersion(_merged(blocks, multiple)), multiple) for multiple in _MULTIPLES]
    phi, multiple = max(dispersions)
    block = BLOCK_SECONDS * multiple
    pieces = len(blocks) // multiple
    if phi <= 1 + 2 * sqrt(2 / (pieces - 1)):
        return GroupSize(1.0, block, measured=True)
    allowed = objective * share / (whole.bad / whole.requests * max(1 - share, share / 100))
    size = 1 + (phi - 1) * allowed if allowed >= 1 else min(phi, _FLOOR) + max(0.0, phi - _FLOOR) * allowed
    return GroupSize(size, block, measured=True)


def _merged(blocks: Sequence[Count], multiple: int) -> list[Count]:
    """Join neighbouring blocks into longer ones; what does not fill one at the end is left out."""
    whole = len(blocks) - len(blocks) % multiple
    return [sum(blocks[at : at + multiple], Count()) for at in range(0, whole, multiple)]


def _dispersion(blocks: Sequence[Count]) -> float:
    whole = sum(blocks, Count())
    if not 0 < whole.bad < whole.requests:
        return 0.0
    rate = whole.bad / whole.requests
    squares = sum((block.bad - rate * block.requests) ** 2 for block in blocks)
    return squares / (rate * (1 - rate) * whole.requests) * len(blocks) / (len(blocks) - 1)
