"""One rollout that is over, as far as the trend needs it: from its events, which may stand in several journals.

Rules:
    1. A rollout whose driver died, or that needed a person, goes on in the journal of ``sluicegate recover``: all
       journals of one id tell one rollout, and the last end counts.
    2. It has *reached production* when the canary had a weight: what preflight refuses has hurt nobody.
    3. Evidence is the time in which only requests were waited for (ci/reporters/timeline.py); a hold is counted apart.
    4. Moments and numbers that can not be are an error: better one journal less than a wrong figure.

Example:
    >>> finished([Path("reports/journal.jsonl")], read(Path("reports/journal.jsonl"))).outcome  # doctest: +SKIP
    'promoted'
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ci.events import Event, Progress, RolloutBegan, VerdictReached
from ci.reporters.report.collect import collect
from ci.reporters.report.harm import Harm, harm
from ci.reporters.report.headline import headline
from ci.reporters.report.rollout import Rollout
from ci.reporters.sentences import label
from ci.reporters.strings import harmless
from ci.reporters.timeline import Part

PROMOTED, ROLLED_BACK, REFUSED, INCOMPLETE = "promoted", "rolled back", "refused", "incomplete"
Key = tuple[str, str, str]  # service, id, image: an id alone may come twice in years
FAR = 1e11  # unix seconds: no moment is later
SUITE = "canary_step"


@dataclass(frozen=True)
class Step:
    """What one weight took.

    Attributes:
        weight: of the canary, percent.
        evidence: seconds in which only requests were waited for.
        requests: that the canary had answered when it was over.
        gate: the one that took longest, of those that count requests; "" where none did.
        passed: whether its gates passed.
    """

    weight: int
    evidence: float
    requests: float
    gate: str
    passed: bool


@dataclass(frozen=True, kw_only=True)
class Finished:
    """One rollout.

    Attributes:
        journals: that tell it, the earliest first.
        service: what was released; ``image``: to what; ``rollout``: its id.
        began: its first moment, unix seconds; ``ended``: its last.
        outcome: how it ended; ``why``: the first sentence of its report.
        raised: whether the canary ever had a weight.
        taken_back_by: the gate, the person or the driver that decided the rollback; "" where there was none.
        forced: whether a person has skipped gates.
        held: seconds for which a weight was held.
        steps: that it went through, in order.
        hurt: seconds from the first bad answer to the last request to the canary, by Envoy's log; None where that is
            not known, or nothing was bad.
        reaction: seconds from the verdict to the write; None where nothing was taken back.
        bad: answers of the canary that were bad, by Envoy's log; None where it could not be read.
    """

    journals: Sequence[Path]
    service: str
    image: str
    rollout: str
    began: float
    ended: float
    outcome: str
    why: str
    raised: bool
    taken_back_by: str
    forced: bool
    held: float
    steps: Sequence[Step]
    hurt: float | None
    reaction: float | None
    bad: float | None

    @property
    def took(self) -> float:
        """The whole length, in seconds."""
        return self.ended - self.began

    @property
    def evidence(self) -> float:
        """Seconds in which the steps only waited for requests."""
        return sum(step.evidence for step in self.steps)

    @property
    def failed(self) -> bool:
        """Whether it changed production and had to be taken back."""
        return self.raised and self.outcome in (ROLLED_BACK, INCOMPLETE)

    @property
    def reached(self) -> bool:
        """Whether it changed production at all."""
        return self.outcome == PROMOTED or self.failed

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        return {**asdict(self), "journals": [str(each) for each in self.journals], "took": self.took}


def finished(journals: Sequence[Path], events: Iterable[Event]) -> Finished:
    """Take out of a rollout's events what the trend needs.

    Args:
        journals: in which they stand.
        events: all of them, in order.

    Raises:
        ValueError: when they tell no rollout that is over; the sentence says why.
    """
    told = list(events)
    if not all(0 < event.at < FAR for event in told):
        raise ValueError("it has moments that can not be")
    service, rollout_id, image = key_of(told)
    rollout = collect(told)
    if rollout.ended is None:
        last = rollout.parts[-1].label if rollout.parts else "its beginning"
        raise ValueError(f"it ends in “{last}”: its driver works still, or was killed and nobody has recovered it")
    if not isinstance(rollout.outcome, str):
        raise TypeError("it does not say how it ended")
    found = harm(rollout)
    return Finished(
        journals=tuple(journals),
        service=service,
        image=image,
        rollout=rollout_id,
        began=rollout.start,
        ended=rollout.end,
        outcome=rollout.outcome,
        why=headline(rollout),
        raised=any(write.canary > 0 for write in rollout.weights),
        taken_back_by=str(rollout.rollback.who) if rollout.rollback else "",
        forced=any(each.what == "force" for each in rollout.asked),
        held=sum(part.took for part in rollout.parts if part.label.startswith("hold ")),
        steps=tuple(_step(weight, rollout, told) for weight in _weights(rollout)),
        hurt=_sound(rollout.measured.seconds) if rollout.measured else None,
        reaction=_sound(_reaction(found), least=-FAR) if found else None,
        bad=_sound(rollout.measured.bad) if rollout.measured else None,
    )


def key_of(events: Iterable[Event]) -> Key:
    """Say which rollout it is, reading no more than is needed for that.

    Args:
        events: of a journal, in order.

    Raises:
        ValueError: when they do not say.
    """
    began = next((event for event in events if isinstance(event, RolloutBegan)), None)
    key = (began.service, began.rollout, began.image) if began else ()
    if not key or not all(isinstance(each, str) for each in key):
        raise ValueError("it does not say what was released")
    return tuple(map(harmless, key))  # type: ignore[return-value]


def _weights(rollout: Rollout) -> list[int]:
    """Give the weights whose step was entered."""
    entered = {part.label for part in rollout.parts}
    return [int(weight) for weight in rollout.steps if label("step", weight) in entered]


def _step(weight: int, rollout: Rollout, events: Sequence[Event]) -> Step:
    """Add up the parts of a weight: after an undecided hold it was judged again."""
    parts = [part for part in rollout.parts if part.label == label("step", weight)]
    own = [event for event in events if any(_within(event, part) for part in parts)]
    progress = [event for event in own if isinstance(event, Progress)]
    counting = {name for event in progress for name, gate in event.gates.items() if gate.get("of")}
    said = [each for each in own if isinstance(each, VerdictReached) and each.suite == SUITE and each.gate in counting]
    return Step(
        weight=weight,
        evidence=sum(part.evidence for part in parts),
        requests=_sound(max((float(event.canary.get("requests", 0)) for event in progress), default=0.0)) or 0.0,
        gate=max(said, key=lambda each: each.after).gate if said else "",
        passed=not parts[-1].failed,
    )


def _within(event: Event, part: Part) -> bool:
    return part.began <= event.at <= part.began + part.took


def _reaction(found: Harm) -> float | None:
    at = {each.what: each.at for each in found.moments}
    written = next((moment for what, moment in at.items() if what.endswith("weights written")), None)
    return None if written is None else written - at["rollback decided"]


def _sound(number: float | None, least: float = 0.0) -> float | None:
    """Let only a number pass that can be a length of time, or a count."""
    if number is not None and not least <= number < FAR:
        raise ValueError("it has numbers that can not be")
    return number
