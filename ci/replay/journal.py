"""A live rollout's journal, judged again: what the live gates decided, a replay decides too, at the same look.

The journal keeps every look and the terms of every step. Only gates that judge traffic are judged again; pods, Argo CD
and alerts are not in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from checks.evidence import Terms
from checks.gate import Judge
from checks.traffic_split import TrafficSplit
from ci.events import Event, Looked, RolloutBegan, SuiteReady, VerdictReached
from ci.replay.judging import JUDGES, Replay
from ci.replay.objectives import Objectives
from ci.reporters.journal import read
from fixtures.errors import InputError
from fixtures.recording import Look, journal_terms, journal_tick

SUITE = "canary_step"
_JUDGES: Mapping[str, type[Judge]] = {**JUDGES, "traffic_split": TrafficSplit}


def is_journal(path: Path) -> bool:
    """Say whether a file is a journal.

    Args:
        path: the file.

    Raises:
        InputError: when it can not be read.
    """
    try:
        with path.open("rb") as file:
            return b'"kind": "journal"' in file.readline(1000)
    except OSError as error:
        raise InputError(f"the record can not be read: {error.strerror}", str(path)) from error


def judge(path: Path, objectives: Objectives) -> dict[str, Any]:
    """Judge a rollout again.

    Args:
        path: its journal.
        objectives: of its ``changes`` and ``group``, what is set takes the place of what was judged by then.

    Returns:
        The outcome; ``live`` in each step is what the gates said then.

    Raises:
        InputError: when the journal does not say what was judged by.
    """
    events = list(read(path))
    began = next((event for event in events if isinstance(event, RolloutBegan)), None)
    replay, live = Replay(began.rollout if began else path.stem), _Live()
    for event in events:
        live.hear(event)
        if isinstance(event, SuiteReady) and event.suite == SUITE:
            judges = {name: judge for name, judge in _JUDGES.items() if name in event.gates}
            replay.begin(_terms(event, objectives, str(path)), judges, watch=event.watch)
        elif isinstance(event, Looked) and event.suite == SUITE:
            at = event.at - (began.at if began else 0.0)
            replay.look(Look(at, event.step or 0, journal_tick(vars(event))))
    return live.beside(replay.outcome())


def _terms(ready: SuiteReady, objectives: Objectives, where: str) -> Terms:
    if ready.terms is None:
        what = f"the journal does not say what step {ready.step} was judged by"
        raise InputError(what, where, "journals of this version do; an older one can not be replayed")
    terms = replace(journal_terms(ready.terms), **objectives.changes)
    if objectives.group is not None:
        terms = replace(terms, group=objectives.group, latency_groups=(), block=Terms.block)
        terms = replace(terms, margin_group=None, stable_group=None)
    return terms


class _Live:
    """What the gates said when it happened, per run of the suite; of runs that only watch, the one at the end."""

    def __init__(self) -> None:
        self._judged: list[dict[str, dict[str, Any]]] = []
        self._watched: list[dict[str, dict[str, Any]]] = []

    def hear(self, event: Event) -> None:
        if isinstance(event, SuiteReady) and event.suite == SUITE:
            self._judged += [] if event.watch else [{}]
            self._watched = [{}] if event.watch else []
        elif isinstance(event, VerdictReached) and event.suite == SUITE and self._judged:
            (self._watched or self._judged)[-1][event.gate] = {"verdict": event.outcome, "after": event.after}

    def beside(self, outcome: dict[str, Any]) -> dict[str, Any]:
        steps: Iterable[dict[str, Any]] = outcome["steps"]
        runs = zip(steps, [*self._judged, *self._watched], strict=False)
        return {**outcome, "steps": [{**step, "live": run} for step, run in runs]}
