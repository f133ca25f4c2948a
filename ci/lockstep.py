"""Several services released as one: a weight rises for all when it may rise for each, and one failure takes all back.

Every service has its own driver, Lease, record and evidence, in a thread of its own; all that they share is this.

Rules:
    1. Nobody goes past a place before everybody has come to it: the end of preflight, each step, the promotion into
       stable, the way of the traffic back to stable, and the end of the watching that follows. Until then the weight
       stays, and the canary is watched (ci/companion.py).
    2. Who turns back says why, once; the others hear of it at their next look, and before any write that raises.
    3. Behind the last place each clears up for itself. One that fails there goes back alone, and says so.

Example:
    >>> both = Lockstep(["shop", "till"])
    >>> shop, till = both.pace("shop"), both.pace("till")
    >>> shop.come(Place(Phase.STEP, 5)), till.come(Place(Phase.STEP, 25))
    (['till'], ['shop'])
    >>> shop.leave("its error rate is over 1 %")
    >>> till.deserted()
    'shop, released together with it, is taken back: its error rate is over 1 %'
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ci.phases import Phase, Place

ORDER = (Phase.PREFLIGHT, Phase.STEP, Phase.PROMOTE, Phase.SERVE)
Mark = tuple[int, int]
START: Mark = (-1, 0)


@dataclass
class Lockstep:
    """What several rollouts know of each other.

    Attributes:
        services: their names, each once.
        marks: how far each has come.
        reasons: why those have turned back that have.
    """

    services: Sequence[str]
    marks: dict[str, Mark] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def pace(self, service: str) -> "Pace":
        """Give one service's part in it.

        Args:
            service: its name.
        """
        return Pace(self, service)


@dataclass(frozen=True)
class Pace:
    """One service among those that are released as one; only its own driver's thread uses it.

    Attributes:
        all: what it shares.
        service: its name.
    """

    all: Lockstep
    service: str

    def come(self, place: Place, *, over: bool = False) -> list[str]:
        """Say that it has come to a place.

        Args:
            place: where it would go on.
            over: whether all that can be watched there is over.

        Returns:
            Whom it has to wait for.
        """
        mark = (ORDER.index(place.phase) + over, place.step)
        self.all.marks[self.service] = max(mark, self.all.marks.get(self.service, START))
        return [each for each in self.all.services if self.all.marks.get(each, START) < mark]

    def leave(self, reason: str) -> None:
        """Say that it turns back.

        Args:
            reason: the first sentence that a person needs.
        """
        self.all.reasons.setdefault(self.service, reason)

    def deserted(self) -> str:
        """Say why it can not go on; "" while all others go on."""
        others = [(each, why) for each, why in tuple(self.all.reasons.items()) if each != self.service]
        return f"{others[0][0]}, released together with it, is taken back: {others[0][1]}" if others else ""
