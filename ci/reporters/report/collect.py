"""From a rollout's events to what its report tells.

Everything foreign is made harmless here: no text of it moves a cursor or turns the reading direction, and digests are
as short as people compare them. Only the image keeps its whole digest.

Example:
    >>> collect(read(Path("reports/journal.jsonl"))).outcome  # doctest: +SKIP
    'rolled back'
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ci.events import (
    Asked,
    Event,
    Held,
    HoldEnded,
    Looked,
    Note,
    PhaseEntered,
    Progress,
    Pushed,
    RollbackBegan,
    RollbackMeasured,
    RolloutBegan,
    RolloutEnded,
    Scaled,
    StepsChosen,
    SuiteEnded,
    SuiteReady,
    SuiteStarted,
    VerdictReached,
    WeightsWritten,
)
from ci.reporters.report.rollout import Rollout, Run
from ci.reporters.sentences import label, sentence
from ci.reporters.strings import harmless, mapped, readable
from ci.reporters.timeline import parts
from fixtures.recording import journal_terms

Some = TypeVar("Some", bound=Event)

NOTED = (Note, StepsChosen, Held, HoldEnded, Asked)


def collect(events: Iterable[Event]) -> Rollout:
    """Take a rollout out of its events.

    Args:
        events: all of them, in order.

    Raises:
        ValueError: when there is none.
    """
    told = [_safe(event) for event in events]
    if not told:
        raise ValueError("there is no event in it")
    start = min(event.at for event in told)
    # A note makes no rollout longer: who could not be told of its end is said after it.
    end = max((event.at for event in told if not isinstance(event, Note)), default=start)
    return Rollout(
        began=next(iter(_all(told, RolloutBegan)), None),
        ended=next(reversed(_all(told, RolloutEnded)), None),
        start=start,
        end=end,
        steps=next((event.steps for event in reversed(told) if isinstance(event, RolloutBegan | StepsChosen)), ()),
        parts=parts(told, end),
        runs=_runs(told),
        weights=_all(told, WeightsWritten),
        commits=_all(told, Pushed),
        scaled=_all(told, Scaled),
        rollback=next(iter(_all(told, RollbackBegan)), None),
        measured=next(iter(_all(told, RollbackMeasured)), None),
        asked=_all(told, Asked),
        notes=[(event.at, _note(event)) for event in told if isinstance(event, NOTED)],
    )


def _note(event: Event) -> str:
    return event.text if isinstance(event, Note) else sentence(event)


def _safe(event: Event) -> Event:
    if isinstance(event, Looked):
        return event  # nothing but its numbers is shown, and there are many
    return mapped(event, harmless if isinstance(event, RolloutBegan) else readable)


@dataclass
class _Heard:
    """A run whose events come in."""

    started: SuiteStarted
    part: str
    ready: SuiteReady | None = None
    ended: SuiteEnded | None = None
    verdicts: list[VerdictReached] = field(default_factory=list)
    looks: list[Looked] = field(default_factory=list)
    watched: bool = False

    def run(self) -> Run:
        """Give what was heard."""
        ended = self.ended
        return Run(
            suite=self.started.suite,
            step=self.started.step,
            part=self.part,
            began=self.started.at,
            ready=self.ready.at if self.ready else None,
            ended=ended.at if ended else None,
            passed=ended is not None and ended.passed,
            why=ended.why if ended else "it did not end",
            junit=ended.junit if ended else "",
            expected=self.ready.gates if self.ready else (),
            terms=journal_terms(self.ready.terms) if self.ready and self.ready.terms else None,
            verdicts=self.verdicts,
            looks=self.looks,
            watched=self.watched,
            guarded=self.ready is not None and self.ready.watch,
        )


def _runs(events: Sequence[Event]) -> list[Run]:
    """Give each event to its run; one that was left behind after a FAIL goes on in the phase that follows."""
    heard: list[_Heard] = []
    newest: dict[str, _Heard] = {}
    part = ""
    for event in events:
        match event:
            case PhaseEntered():
                part = label(event.phase, event.step)
            case SuiteStarted():
                newest[event.suite] = _Heard(event, part)
                heard.append(newest[event.suite])
            case SuiteReady() | Looked() | VerdictReached() | SuiteEnded() if event.suite in newest:
                _hear(newest[event.suite], event)
            case Progress() if heard:
                heard[-1].watched = True
            case _:
                pass
    return [each.run() for each in heard]


def _hear(run: _Heard, event: Event) -> None:
    match event:
        case SuiteReady():
            run.ready = event
        case Looked():
            run.looks.append(event)
            run.watched = True
        case VerdictReached():
            run.verdicts.append(event)
        case SuiteEnded():
            run.ended = event
        case _:
            pass


def _all(events: Sequence[Event], kind: type[Some]) -> list[Some]:
    return [event for event in events if isinstance(event, kind)]
