"""What goes wrong with calls to an API server: drawn from a seed, call by call.

A call's fate depends on the seed, on what is called and on how often that has been called before, not on how fast
others are: the same seed does the same to the same calls, as far as a rollout on a live sandbox is ever the same.

Example:
    >>> fate(Faults(seed=7, refused=1.0), "GET", "/api/v1/pods", 0)
    <Fault.REFUSED: '500, and the server never hears of it'>
"""

from dataclasses import dataclass
from enum import Enum
from random import Random

Spell = tuple[float, float]


class Fault(Enum):
    """What happens to a call."""

    NONE = "nothing"
    REFUSED = "500, and the server never hears of it"
    THROTTLED = "429 with Retry-After, and the server never hears of it"
    LOST = "made, and the connection is reset instead of an answer"
    HUNG = "no answer until the caller gives up, and the server never hears of it"


@dataclass(frozen=True)
class Faults:
    """What goes wrong, and how often.

    Attributes:
        seed: that the fate of each call is drawn from.
        latency: seconds that every call takes longer on its way.
        refused: the share of calls that are answered with 500.
        throttled: the share of calls that are answered with 429.
        lost: the share of calls that are made, and whose answer is lost.
        hung: the share of calls that are never answered.
        partitions: spells in which nobody is reached, seconds since these faults began; what comes then hangs, and is
            reset at the end of the spell.
    """

    seed: int = 0
    latency: float = 0.0
    refused: float = 0.0
    throttled: float = 0.0
    lost: float = 0.0
    hung: float = 0.0
    partitions: tuple[Spell, ...] = ()


def fate(faults: Faults, method: str, path: str, before: int) -> Fault:
    """Draw what happens to a call.

    Args:
        faults: what goes wrong.
        method: of the call.
        path: that is called.
        before: how often it has been called before.
    """
    drawn = Random(f"{faults.seed} {method} {path} {before}").random()
    shares = {
        Fault.REFUSED: faults.refused,
        Fault.THROTTLED: faults.throttled,
        Fault.LOST: faults.lost,
        Fault.HUNG: faults.hung,
    }
    for fault, share in shares.items():
        if drawn < share:
            return fault
        drawn -= share
    return Fault.NONE
