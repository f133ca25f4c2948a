"""How many requests share one fate: the group size b, estimated from stable's own history.

Requests that fail together (a restart, a slow database, a retry storm) carry less evidence than their number says.
Stable's bad requests are counted in blocks of 90 seconds; if requests were independent, the squared deviation of the
blocks' counts from their mean would be p (1 - p) n. How many times larger it is, is the dispersion::

    phi = sum (x_i - p n_i)^2 / (p (1 - p) sum n_i) * m / (m - 1)        over m blocks

Rules:
    1. blocks are long, for bursts that are longer than a block look harmless in it; and they overlap, one begins each
       30 seconds, which makes phi steadier
    2. phi within two standard errors of 1 means b = 1
    3. the dispersion grows with the volume of what fails together, so it is carried over to the canary in proportion to
       the bad requests that the objective allows there, to those that stable had
    4. half an hour may hold no burst of the longest kind, or a weak one. So where bursts are plain to see (five
       standard errors), b is at least what a burst of 30 seconds would make of it
    5. with too little history, b is 5

It is an estimate, not a theorem: docs/decision.md says what it was tried on.

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
_STRETCHES = 3  # of 30 seconds, in one block
_FEWEST = 20
_FEWEST_BAD = 5
_FLOOR = 5.0  # a dispersion up to here is taken as it is, however small the canary's part
_SIGNIFICANT, _PLAIN = 2.0, 5.0  # standard errors


@dataclass(frozen=True)
class GroupSize:
    """How many requests share one fate.

    Attributes:
        size: b.
        block: seconds over which they may do so.
        measured: whether it comes from history; else it is the default.
    """

    size: float
    block: float
    measured: bool


@dataclass(frozen=True)
class Dispersion:
    """How stable's bad requests came: on their own, or many at once.

    Attributes:
        rate: stable's share of bad requests.
        volume: requests in a stretch, in the mean.
        phi: how many times larger the squared deviation is than that of independent requests.
        errors: by how many standard errors phi is over 1.
        seconds: the length of a stretch.
    """

    rate: float
    volume: float
    phi: float
    errors: float
    seconds: float

    def group(self, objective: float, share: float) -> GroupSize:
        """Carry it over to a canary.

        Args:
            objective: the rate that the canary has to stay under, a share.
            share: the canary's share of the traffic.
        """
        size = 1.0 if self.errors <= _SIGNIFICANT else _carried_over(self.phi, objective * share / self.rate)
        if self.errors > _PLAIN:
            size = max(size, 1 + objective * share * self.volume)
        return GroupSize(size, self.seconds * _STRETCHES, measured=True)


def dispersion(stretches: Sequence[Count], seconds: float = BLOCK_SECONDS) -> Dispersion | None:
    """Measure how stable's bad requests came.

    Args:
        stretches: what stable answered in equal stretches of its history, the oldest first; it had all the traffic.
        seconds: the length of a stretch.

    Returns:
        None where the history is too short for it.
    """
    whole = sum(stretches, Count())
    if len(stretches) < _FEWEST or whole.bad < _FEWEST_BAD or whole.bad >= whole.requests:
        return None
    phi = _dispersion(stretches)
    errors = (phi - 1) / sqrt(2 / (len(stretches) // _STRETCHES - 1))
    return Dispersion(whole.bad / whole.requests, whole.requests / len(stretches), phi, errors, seconds)


def estimate(
    stretches: Sequence[Count], objective: float, share: float, *, seconds: float = BLOCK_SECONDS
) -> GroupSize:
    """Estimate the group size for a canary.

    Args:
        stretches: what stable answered in equal stretches of its history, the oldest first; it had all the traffic.
        objective: the rate that the canary has to stay under, a share.
        share: the canary's share of the traffic at this step.
        seconds: the length of a stretch.
    """
    found = dispersion(stretches, seconds)
    return found.group(objective, share) if found else GroupSize(UNKNOWN, seconds, measured=False)


def _carried_over(phi: float, ratio: float) -> float:
    """Give b for stable's dispersion and the ratio of the canary's bad requests to stable's."""
    if ratio >= 1:
        return 1 + (phi - 1) * ratio
    return min(phi, _FLOOR) + max(0.0, phi - _FLOOR) * ratio


def _dispersion(stretches: Sequence[Count]) -> float:
    """Give phi over all blocks of neighbouring stretches."""
    whole = sum(stretches, Count())
    rate, blocks = whole.bad / whole.requests, len(stretches) // _STRETCHES
    counted = [sum(stretches[at : at + _STRETCHES], Count()) for at in range(len(stretches) - _STRETCHES + 1)]
    squares = sum((block.bad - rate * block.requests) ** 2 for block in counted)
    expected = rate * (1 - rate) * sum(block.requests for block in counted)
    return squares / expected * blocks / (blocks - 1)
