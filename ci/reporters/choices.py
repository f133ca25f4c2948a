"""What a person can say to a rollout now, besides ``abort``: it depends on where it is, and on what holds it.

Example:
    >>> [choice.verb for choice in choices(held="pause", phase="hold")]
    ['resume']
"""

from dataclasses import dataclass

from ci.ask import WAITS
from ci.hold import Cause


@dataclass(frozen=True)
class Choice:
    """A command and what it does, in a few words."""

    verb: str
    does: str


PAUSE = Choice("pause", "lets no weight rise")
FORCE = Choice("promote --force --reason TEXT", "skips the gates of this weight")
HELD: dict[str, tuple[Choice, ...]] = {
    Cause.PAUSE.value: (Choice("resume", "lets it go on"),),
    Cause.APPROVAL.value: (Choice("promote", "lets it go on"), PAUSE),
    Cause.FREEZE.value: (Choice("promote", "goes on in the freeze window"), PAUSE),
    Cause.UNDECIDED.value: (Choice("resume", "lets the gates judge again"), FORCE),
    Cause.OUTAGE.value: (Choice("resume", "lets the gates judge again"), FORCE),
}


def choices(held: str, phase: str) -> tuple[Choice, ...]:
    """Say what can be said.

    Args:
        held: the cause of a hold, a value of ``ci.hold.Cause``; "" while nothing is held.
        phase: where the rollout is, a value of ``ci.phases.Phase``; "" before the first.

    Returns:
        What makes sense now; nothing where only ``abort`` does.
    """
    if held:
        return HELD.get(held, ())
    if phase in {each.value for each in WAITS}:
        return (PAUSE, Choice("promote", "waits for no person"))
    return ()
