"""What a person sees of a rollout at one moment, out of its events: no drawing, no clock.

Example:
    >>> ready = SuiteReady(at=1.0, suite="canary_step", step=25, gates=["error_rate", "pods"], took=0.9)
    >>> passed = {"suite": "canary_step", "step": 25, "gate": "pods", "outcome": "PASS", "sentence": "2 pods ready"}
    >>> [(gate.name, gate.outcome) for gate in gates([ready, VerdictReached(at=4.0, after=3.0, **passed)])]
    [('error_rate', ''), ('pods', 'PASS')]
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ci.events import (
    Event,
    Held,
    HoldEnded,
    PhaseEntered,
    Progress,
    RollbackBegan,
    RolloutBegan,
    RolloutEnded,
    SuiteReady,
    SuiteStarted,
    VerdictReached,
    WeightsProved,
    WeightsWritten,
)
from ci.reporters.choices import Choice, choices
from ci.reporters.timeline import Part, parts, pending

Some = TypeVar("Some", bound=Event)

CLEAR = 0.2  # of the way to a decision: before that no guess of the rest is worth a word


@dataclass(frozen=True)
class Gate:
    """One gate of the suite that runs.

    Attributes:
        name: of the gate.
        outcome: PASS, FAIL or INCONCLUSIVE; "" while it is open.
        sentence: how things stand, in words.
        evidence: how much there is; ``of``: how much decides, 0 for a gate that only watches.
    """

    name: str
    outcome: str
    sentence: str
    evidence: float = 0.0
    of: float = 0.0

    @property
    def waits(self) -> bool:
        """It has not decided, and more requests will make it."""
        return not self.outcome and self.of > 0

    @property
    def nearness(self) -> float:
        """How near the decision is, 0 to 1.

        Evidence multiplies with every request, so its logarithm is what grows evenly with the traffic.
        """
        if self.of <= 1 or not self.evidence > 1:
            return 0.0
        return min(1.0, math.log(self.evidence) / math.log(self.of))

    def remaining(self, watched: float) -> float | None:
        """Guess how long it still takes if it goes on as it has.

        Args:
            watched: seconds it took to come this far.

        Returns:
            Seconds; None while too little is known to guess.
        """
        if not CLEAR <= self.nearness < 1:
            return None
        return watched * (1 / self.nearness - 1)


@dataclass(frozen=True)
class View:
    """A rollout at one moment.

    Attributes:
        began: how it began; None before that.
        parts: what has been entered; ``pending``: labels of what is still to come.
        weights: as written last; ``proved`` when the data plane is known to route by them.
        gates: of the suite that runs or ran last; once traffic is taken back, those that have decided.
        canary, stable: requests and errors since the weights; ``watched``: in how many seconds.
        rollback: why traffic is taken back, "" when it is not; ``held``: why the weight is held, "" when it is not.
        choices: what a person can say to it now, besides ``abort``.
        ended: the end; None before it.
    """

    began: RolloutBegan | None
    parts: Sequence[Part]
    pending: Sequence[str]
    weights: WeightsWritten | None
    proved: bool
    gates: Sequence[Gate]
    canary: Mapping[str, float]
    stable: Mapping[str, float]
    watched: float
    rollback: str
    held: str
    choices: Sequence[Choice]
    ended: RolloutEnded | None


def seen(events: Sequence[Event], now: float) -> View:
    """Fold the events into what is to be seen.

    Args:
        events: all so far, in order.
        now: unix seconds.

    Returns:
        The view.
    """
    progress, rollback, hold = _last(events, Progress), _last(events, RollbackBegan), _hold(events)
    phase = _last(events, PhaseEntered)
    weights, proof = _last(events, WeightsWritten), _last(events, WeightsProved)
    if progress and weights and progress.at < weights.at and not rollback:
        progress = None  # it speaks of the weights before these
    # A step's requests are counted only once the data plane has been seen to route by the new weights.
    served = weights is not None and not rollback and any(_serves(event, weights) for event in events)
    return View(
        began=_last(events, RolloutBegan),
        parts=parts(events, now),
        pending=pending(events),
        weights=weights,
        proved=weights is not None and (served or _proves(proof, weights)),
        gates=[gate for gate in gates(events) if gate.outcome or not rollback],
        canary=progress.canary if progress else {},
        stable=progress.stable if progress else {},
        watched=max(0.0, progress.at - weights.at) if progress and weights else 0.0,
        rollback=rollback.reason if rollback else "",
        held=hold.why if hold else "",
        choices=() if rollback else choices(hold.cause if hold else "", phase.phase if phase else ""),
        ended=_last(events, RolloutEnded),
    )


def gates(events: Sequence[Event]) -> list[Gate]:
    """Give the gates of the suite that was started last, those that need evidence first.

    Args:
        events: all so far, in order.

    Returns:
        One entry a gate; a verdict counts more than the progress before it.
    """
    started = max((place for place, event in enumerate(events) if isinstance(event, SuiteStarted)), default=0)
    found: dict[str, Gate] = {}
    for event in events[started:]:
        if isinstance(event, SuiteReady):
            found |= {name: Gate(name, "", "") for name in event.gates}
        elif isinstance(event, VerdictReached):
            of = found[event.gate].of if event.gate in found else 0.0
            found[event.gate] = Gate(event.gate, event.outcome, event.sentence, of=of)
        elif isinstance(event, Progress):
            still_open = {name: state for name, state in event.gates.items() if not _decided(found.get(name))}
            found |= {name: _open(name, state) for name, state in still_open.items()}
    return sorted(found.values(), key=lambda gate: not gate.of)


def _hold(events: Sequence[Event]) -> Held | None:
    """Give what holds the weight now; what was said before the phase began is over."""
    since = max((place for place, event in enumerate(events) if isinstance(event, PhaseEntered)), default=0)
    return _last(events[since:], Held) if _last(events[since:], HoldEnded) is None else None


def _serves(event: Event, weights: WeightsWritten) -> bool:
    return isinstance(event, Progress) and event.at >= weights.at and bool(event.canary.get("requests"))


def _proves(proof: WeightsProved | None, weights: WeightsWritten) -> bool:
    return proof is not None and proof.at >= weights.at and proof.canary == weights.canary


def _decided(gate: Gate | None) -> bool:
    return gate is not None and gate.outcome != ""


def _open(name: str, state: Mapping[str, Any]) -> Gate:
    return Gate(name, "", state.get("sentence", ""), state.get("evidence") or 0.0, state.get("of") or 0.0)


def _last(events: Sequence[Event], kind: type[Some]) -> Some | None:
    return next((event for event in reversed(events) if isinstance(event, kind)), None)
