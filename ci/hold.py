"""What keeps a weight where it is, and what lets it go on. Pure.

Rules:
    1. A weight rises only when nothing keeps it: nobody has paused the rollout, no freeze window of the release file
       is open, and where it wants a person to be asked (``approve``) one has said ``promote`` at the weight before.
       Who says that in a freeze window means it: the window does not keep what comes after this weight.
    2. A step that ends undecided is held where the release file says so; one whose both versions are bad always is.
    3. ``promote`` skips the waiting, not the gates: after an undecided step they judge again.

Example:
    >>> nobody = Words()
    >>> keeps(Place(Phase.PROMOTE), (5, 100), ("stable",), nobody).sentence
    'a person has to say `sluicegate promote` before the promotion into stable'
    >>> keeps(Place(Phase.STEP, 100), (5, 100), ("stable",), nobody) is None
    True
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ci.phases import Phase, Place, weight_before
from fixtures.release_values import STABLE


class Cause(Enum):
    """Why a weight is held."""

    PAUSE = "pause"
    FREEZE = "freeze"
    APPROVAL = "approval"
    UNDECIDED = "undecided"
    OUTAGE = "outage"


JUDGED_AGAIN = frozenset({Cause.UNDECIDED, Cause.OUTAGE})


@dataclass(frozen=True)
class Hold:
    """A weight is held.

    Attributes:
        cause: of it.
        sentence: that a person needs.
    """

    cause: Cause
    sentence: str

    def __str__(self) -> str:
        """Write it as the record does."""
        return f"{self.cause.value}: {self.sentence}"


@dataclass
class Words:
    """What people have said so far.

    Attributes:
        pause: who has paused the rollout and why; "" while it is not paused.
        approved: the weight at which somebody has last said ``promote``: it may go on from there.
        forced: the weight whose gates somebody has last skipped.
        urged: somebody has said something that ends a hold, since it began.
        skipped: a sentence for each weight whose gates were skipped, and for a forecast that was.
    """

    pause: str = ""
    approved: int | None = None
    forced: int | None = None
    urged: bool = False
    skipped: tuple[str, ...] = ()

    @property
    def paused(self) -> str:
        """Why no weight may rise, and what ends that; "" while it is not paused."""
        return f"paused by {self.pause}; `sluicegate resume` lets it go on" if self.pause else ""


def keeps(
    after: Place, steps: Sequence[int], approve: Sequence[int | str], words: Words, frozen: str = ""
) -> Hold | None:
    """Say what keeps a rollout from going on.

    Args:
        after: where it would go: a step that it has not been at, or the promotion.
        steps: the canary's weights, rising, percent.
        approve: the release file's: weights before which a person is asked, and ``stable``.
        words: what people have said.
        frozen: until when no weight may rise; "" while no freeze window is open.

    Returns:
        What keeps it; None when it may go on.
    """
    before = weight_before(after, steps)
    if words.paused:
        return Hold(Cause.PAUSE, words.paused)
    if frozen and words.approved != before:
        return Hold(Cause.FREEZE, f"{frozen}; `sluicegate promote` goes on to {_goal(after)} all the same")
    if words.approved != before and _asks(after, before, approve):
        return Hold(Cause.APPROVAL, f"a person has to say `sluicegate promote` before {_goal(after)}")
    return None


def _asks(after: Place, before: int, approve: Sequence[int | str]) -> bool:
    """Say whether a person wants to be asked on this way; a weight that is no step counts for the next one."""
    if after.phase is Phase.PROMOTE:
        return STABLE in approve
    return any(isinstance(weight, int) and before < weight <= after.step for weight in approve)


def _goal(place: Place) -> str:
    return "the promotion into stable" if place.phase is Phase.PROMOTE else f"{place.step} %"
