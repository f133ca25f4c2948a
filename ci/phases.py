"""The phases of a rollout: one table, one pure function, and where traffic is safe in each.

Rules:
    1. Everything that decides where a rollout goes next lives in this file; it knows no client, no clock and
       nobody who acts.
    2. ``TABLE`` is the whole truth but for the weights (``next_place``): a step that has passed is followed by the
       next step as long as there is one, a hold keeps the weight that there is.
    3. An event that the table does not list raises and changes nothing. Abort is not listed for ``restore`` and
       ``roll back``: there it has nothing to add.
    4. A weight rises after PASSED only, or where a person has skipped the gates (FORCED); it stays in a hold;
       whatever else happens leads to ``safe_weights`` of the phase it happened in.

``safe_weights`` is canary 0 everywhere, but from the commit of stable's image until stable is proved ready again:
there stable may be half rolled, the canary has just proved itself, and it carries everything.

Example:
    >>> next_place(Place(Phase.STEP, 25), Result.PASSED, (5, 25, 50, 100))
    Place(phase=<Phase.STEP: 'step'>, step=50)
    >>> next_place(Place(Phase.STEP, 25), Result.FAILED, (5, 25, 50, 100))
    Place(phase=<Phase.ROLL_BACK: 'roll back'>, step=0)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from checks.evidence import Weights


class Phase(Enum):
    """Where a rollout is; the last four are ends."""

    PREFLIGHT = "preflight"
    DEPLOY = "deploy"
    STEP = "step"
    HOLD = "hold"
    PROMOTE = "promote"
    SERVE = "serve"
    RESTORE = "restore"
    ROLL_BACK = "roll back"

    PROMOTED = "promoted"
    REFUSED = "refused"
    ROLLED_BACK = "rolled back"
    INCOMPLETE = "incomplete"


class Result(Enum):
    """How a phase went.

    INCONCLUSIVE is said only where the release file wants to hold; else it counts as FAILED. Out of a hold it leads
    back to the step: judge again. OUTAGE: both versions are bad, so nobody can judge the canary. HELD: a weight may
    not rise yet, because somebody has paused the rollout or wants to be asked. FORCED: a person has skipped the gates.
    LOST: the driver has died, and another one has come to take back what it has left (ci/recovery.py).
    """

    PASSED = "passed"
    FORCED = "forced"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    OUTAGE = "outage"
    HELD = "held"
    ABORTED = "aborted"
    LOST = "lost"


@dataclass(frozen=True)
class Place:
    """A phase, and which step it is.

    Attributes:
        phase: of the rollout.
        step: the canary's weight in percent in the phases ``step`` and ``hold``, else 0.
    """

    phase: Phase
    step: int = 0


ENDS = frozenset({Phase.PROMOTED, Phase.REFUSED, Phase.ROLLED_BACK, Phase.INCOMPLETE})
GOES_ON = frozenset({Result.PASSED, Result.FORCED})
UNDOING = frozenset({Phase.RESTORE, Phase.ROLL_BACK})
CANARY_CARRIES = frozenset({Phase.PROMOTE, Phase.RESTORE})

TABLE: Mapping[Phase, Mapping[Result, Phase]] = {
    Phase.PREFLIGHT: {
        Result.PASSED: Phase.DEPLOY,
        Result.FAILED: Phase.REFUSED,
        Result.INCONCLUSIVE: Phase.REFUSED,
        Result.ABORTED: Phase.REFUSED,
        Result.LOST: Phase.REFUSED,
    },
    Phase.DEPLOY: {
        Result.PASSED: Phase.STEP,
        Result.FAILED: Phase.ROLL_BACK,
        Result.INCONCLUSIVE: Phase.ROLL_BACK,
        Result.ABORTED: Phase.ROLL_BACK,
        Result.LOST: Phase.ROLL_BACK,
    },
    Phase.STEP: {
        Result.PASSED: Phase.PROMOTE,  # after the last step
        Result.FORCED: Phase.PROMOTE,  # after the last step
        Result.FAILED: Phase.ROLL_BACK,
        Result.INCONCLUSIVE: Phase.HOLD,
        Result.OUTAGE: Phase.HOLD,
        Result.HELD: Phase.HOLD,  # at the weight before
        Result.ABORTED: Phase.ROLL_BACK,
        Result.LOST: Phase.ROLL_BACK,
    },
    Phase.HOLD: {
        Result.PASSED: Phase.PROMOTE,  # after the last step
        Result.FORCED: Phase.PROMOTE,  # after the last step
        Result.FAILED: Phase.ROLL_BACK,
        Result.INCONCLUSIVE: Phase.STEP,  # the same again
        Result.ABORTED: Phase.ROLL_BACK,
        Result.LOST: Phase.ROLL_BACK,
    },
    Phase.PROMOTE: {
        Result.PASSED: Phase.SERVE,
        Result.HELD: Phase.HOLD,  # at the weight before
        Result.FAILED: Phase.RESTORE,
        Result.INCONCLUSIVE: Phase.RESTORE,
        Result.ABORTED: Phase.RESTORE,
        Result.LOST: Phase.RESTORE,
    },
    Phase.SERVE: {
        Result.PASSED: Phase.PROMOTED,
        Result.FAILED: Phase.ROLL_BACK,
        Result.INCONCLUSIVE: Phase.SERVE,
        Result.ABORTED: Phase.ROLL_BACK,
        Result.LOST: Phase.ROLL_BACK,
    },
    Phase.RESTORE: {
        Result.PASSED: Phase.ROLL_BACK,
        Result.LOST: Phase.RESTORE,
        Result.FAILED: Phase.INCOMPLETE,
        Result.INCONCLUSIVE: Phase.INCOMPLETE,
    },
    Phase.ROLL_BACK: {
        Result.PASSED: Phase.ROLLED_BACK,
        Result.LOST: Phase.ROLL_BACK,
        Result.FAILED: Phase.INCOMPLETE,
        Result.INCONCLUSIVE: Phase.INCOMPLETE,
    },
}


def next_place(place: Place, result: Result, steps: Sequence[int]) -> Place:
    """Say where the rollout goes.

    Args:
        place: where it is.
        result: how that went.
        steps: the canary's weights of the release, rising, percent.

    Raises:
        LookupError: when the table knows no way from here.
    """
    ways = TABLE.get(place.phase, {})
    if result not in ways:
        raise LookupError(f"no way out of {place.phase.value!r} after {result.value!r}")
    phase = ways[result]
    if result in GOES_ON and phase in {Phase.STEP, Phase.PROMOTE}:
        if not steps:
            raise LookupError(f"no way out of {place.phase.value!r}: nobody has said what the steps are")
        ahead = [step for step in steps if step > place.step]
        return Place(Phase.STEP, ahead[0]) if ahead else Place(Phase.PROMOTE)
    if result is Result.HELD:
        return Place(phase, weight_before(place, steps))
    return Place(phase, place.step if phase in {Phase.STEP, Phase.HOLD} else 0)


def weight_before(place: Place, steps: Sequence[int]) -> int:
    """Give the canary's weight before a place to which it goes on: that of the step before.

    Args:
        place: a step, or the promotion.
        steps: the canary's weights of the release, rising, percent.

    Returns:
        Percent; 0 before the first step.
    """
    below = steps if place.phase is Phase.PROMOTE else [step for step in steps if step < place.step]
    return max(below, default=0)


def weights_at(place: Place) -> Weights:
    """Give the weights that belong to a place.

    Args:
        place: where the rollout is.
    """
    if place.phase in {Phase.STEP, Phase.HOLD}:
        return Weights(stable=100 - place.step, canary=place.step)
    return safe_weights(place.phase)


def safe_weights(phase: Phase) -> Weights:
    """Give the weights that are safe whatever has happened in this phase.

    Args:
        phase: of the rollout.
    """
    return Weights(stable=0, canary=100) if phase in CANARY_CARRIES else Weights(stable=100, canary=0)
