"""Journals of many rollouts, made from the two recorded ones: other days, other lengths, other ends."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path

import pytest

from ci.events import Event, Looked, RollbackMeasured, RolloutBegan, RolloutEnded, SuiteEnded
from ci.reporters.journal import JOURNAL, Journal, read

RECORDED = Path(__file__).parents[1] / "reporters" / "report" / "recorded"
MONDAY = 1_795_996_800.0  # 2026-11-30 00:00 UTC
HOUR, DAY = 3600.0, 86_400.0
Written = Callable[..., Path]


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

    def moved(at: float | None) -> float | None:
        return None if at is None else began + (at - start) * stretch

    told = []
    for event in events:
        moments = {"at"} | ({each.name for each in fields(event)} - {"bad"} if isinstance(event, RollbackMeasured) else set())
        event = replace(event, **{name: moved(getattr(event, name)) for name in moments})
        if isinstance(event, RolloutBegan):
            event = replace(event, rollout=rollout, service=service)
        told.append(event)
    return told


def write(folder: Path, events: Sequence[Event]) -> Path:
    """Write a journal as a driver does; gives the file."""
    journal = Journal(folder / JOURNAL)
    for event in events:
        journal.tell(event)
    journal.close()
    return journal.path


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes the journal of a made rollout into a build's folder; gives the file."""

    def make(kind: str, began: float = MONDAY, stretch: float = 1.0, service: str = "rebate-core", build: str = "") -> Path:
        name = build or f"{service}-{began:.0f}"
        return write(tmp_path / "builds" / name, retold(KINDS[kind], name, began, stretch, service))

    return make
