"""Journals of many rollouts, made from the two recorded ones: other days, other lengths, other ends."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

from ci.events import Event, Looked, RollbackMeasured, RolloutBegan, RolloutEnded, SuiteEnded
from ci.reporters.journal import JOURNAL, Journal, read

RECORDED = Path(__file__).parents[1] / "reporters" / "report" / "recorded"
MONDAY = 1_795_996_800.0  # 2026-11-30 00:00 UTC
HOUR, DAY = 3600.0, 86_400.0


def recorded(name: str) -> list[Event]:
    return [event for event in read(RECORDED / f"{name}.jsonl") if not isinstance(event, Looked)]


def refused(promotion: Sequence[Event]) -> list[Event]:
    """What preflight has refused."""
    place = next(place for place, event in enumerate(promotion) if isinstance(event, SuiteEnded))
    end = RolloutEnded(at=promotion[place].at, outcome="refused", sentence="nothing was changed: no image", exit_code=1)
    return [*promotion[: place + 1], end]


PROMOTION, ROLLBACK = recorded("promotion"), recorded("rollback")
KINDS = {"promoted": PROMOTION, "rolled back": ROLLBACK, "refused": refused(PROMOTION)}


def retold(
    events: Sequence[Event], rollout: str, began: float, stretch: float = 1.0, service: str = "rebate-core"
) -> list[Event]:
    """Tell a rollout again as one of another moment, and as long as ``stretch`` times it."""
    start = events[0].at

    def moved(event: Event) -> Event:
        names = {each.name for each in fields(event)} - {"bad"} if isinstance(event, RollbackMeasured) else {"at"}
        known = {name: at for name in names if (at := getattr(event, name)) is not None}
        there = replace(event, **{name: began + (at - start) * stretch for name, at in known.items()})
        return replace(there, rollout=rollout, service=service) if isinstance(there, RolloutBegan) else there

    return list(map(moved, events))


def write(folder: Path, events: Sequence[Event]) -> Path:
    """Write a journal as a driver does; gives the file."""
    journal = Journal(folder / JOURNAL)
    for event in events:
        journal.tell(event)
    journal.close()
    return journal.path
