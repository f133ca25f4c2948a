"""The closing screen: what happened, when, why, how long each part took, and where the evidence lies.

A pure function of a rollout's events, so that it can be drawn again from a journal.

Example:
    >>> from rich.console import Console
    >>> Console().print(closing(list(read(Path("reports/journal.jsonl"))), "reports/journal.jsonl"))  # doctest: +SKIP
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from checks.words import count
from ci.events import (
    Event,
    Note,
    Pushed,
    RollbackBegan,
    RollbackMeasured,
    RolloutBegan,
    RolloutEnded,
    SuiteEnded,
    VerdictReached,
    WeightsWritten,
)
from ci.reporters.figures import day, moment, seconds, short_image
from ci.reporters.screen import MARKS, QUIET
from ci.reporters.sentences import COMMIT
from ci.reporters.strings import harmless, mapped
from ci.reporters.timeline import Part, parts

Some = TypeVar("Some", bound=Event)

SHOWN = 0.05  # seconds: a cause of overhead under it is not worth a word
OUTCOMES = {"promoted": "bold green", "rolled back": "bold red", "incomplete": "bold red", "held": "bold magenta"}


def closing(events: Iterable[Event], journal: str = "") -> RenderableType:
    """Tell a whole rollout on one screen.

    Args:
        events: all of it, in order.
        journal: where the journal lies, "" when there is none.

    Returns:
        Something that a rich console prints; readable from 80 columns on.
    """
    safe = [mapped(event, harmless) for event in events]
    blocks = [_title(safe), _rollback(safe), _times(safe), _decided(safe), _changed(safe), _files(safe, journal)]
    return Group(*(Padding(block, (0, 0, 1, 0)) for block in blocks if block is not None))


def _title(events: Sequence[Event]) -> RenderableType:
    began, ended = _first(events, RolloutBegan), _first(events, RolloutEnded)
    outcome = ended.outcome if ended else "not ended"
    lines = [Text(outcome.upper(), style=OUTCOMES.get(outcome, "bold"))]
    if began:
        last = events[-1].at
        lines[0].append(f"  {began.service}  {short_image(began.image)}", style="default")
        about = f"{day(began.at)} to {moment(last)}, {seconds(last - began.at)}; to {began.target} by {began.who}"
        lines.append(Text(f"{about}; rollout {began.rollout}"))
    if ended:
        lines.append(Text(f"{ended.sentence} (exit {ended.exit_code})", style="bold"))
    return Group(*lines)


def _rollback(events: Sequence[Event]) -> RenderableType | None:
    measured = _first(events, RollbackMeasured)
    if measured is None:
        return None
    start = measured.first_bad if measured.first_bad is not None else measured.verdict
    moments = [
        (measured.first_bad, "first request that the canary answered badly"),
        (measured.verdict, "rollback decided"),
        (measured.written, "safe weights written"),
        (measured.last_routed, "last request routed to the canary"),
    ]
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    for at, what in moments:
        if at is not None:
            grid.add_row(Text(f"{at - start:+.2f} s"), Text(moment(at)), Text(what))
    length = "" if measured.seconds is None else f" {measured.seconds:.2f} s"
    title = Text(f"Rollback time{length} by Envoy's log", style="bold")
    title.append(f"; {count(measured.bad)} bad answers of the canary in all", style="not bold")
    return Group(title, grid)


def _times(events: Sequence[Event]) -> RenderableType | None:
    cut = parts(events, events[-1].at if events else 0.0)
    if not cut:
        return None
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=QUIET)
    table.add_column("part", no_wrap=True)
    for name in ("took", "evidence", "overhead"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("of the overhead")
    for part in cut:
        table.add_row(*_row(part))
    whole = events[-1].at - events[0].at
    evidence = sum(part.evidence for part in cut)
    figures = [Text(seconds(each), style="bold") for each in (whole, evidence, whole - evidence)]
    table.add_row(Text("in all", style="bold"), *figures, Text("all but waiting for requests", style=QUIET))
    return table


def _row(part: Part) -> list[Text]:
    mark, style = MARKS["FAIL" if part.failed else "PASS"]
    causes = {name: took for name, took in part.causes.items() if took >= SHOWN}
    other = part.overhead - sum(causes.values())
    named = causes | ({"other": other} if other >= SHOWN else {})
    evidence = seconds(part.evidence) if part.evidence else "-"
    return [
        Text.assemble((f"{mark} ", style), part.label),
        Text(seconds(part.took)),
        Text(evidence),
        Text(seconds(part.overhead)),
        Text(", ".join(f"{name} {seconds(took)}" for name, took in named.items()), style=QUIET),
    ]


def _decided(events: Sequence[Event]) -> RenderableType | None:
    """The gates that decided: each that did not pass, else in each step the one that took longest."""
    verdicts = _all(events, VerdictReached)
    against = [verdict for verdict in verdicts if verdict.outcome != "PASS"]
    slowest = {verdict.step: verdict for verdict in sorted(verdicts, key=lambda each: each.after) if verdict.step}
    refused = [event for event in _all(events, SuiteEnded) if not event.passed]
    rows = [_verdict(each) for each in against or slowest.values()]
    if not against:
        rows += [(Text("✗", style="bold red"), Text(event.suite), Text(event.why)) for event in refused]
    by_hand = [event for event in _all(events, RollbackBegan) if not against and not refused]
    rows += [(Text("✗", style="bold red"), Text(f"by {event.who}"), Text(event.reason)) for event in by_hand]
    return _listed("Decided by", rows)


def _verdict(verdict: VerdictReached) -> tuple[Text, Text, Text]:
    mark, style = MARKS[verdict.outcome]
    place = verdict.suite if verdict.step is None else f"{verdict.step} %"
    return Text(mark, style=style), Text(f"{place} {verdict.gate}"), Text(verdict.sentence)


def _changed(events: Sequence[Event]) -> RenderableType | None:
    writes = [
        (Text(moment(event.at)), Text(f"{event.stable}/{event.canary}"), Text(f"{event.who}: {event.why}"))
        for event in _all(events, WeightsWritten)
    ]
    commits = [
        (Text(moment(event.at)), Text(event.commit[:COMMIT]), Text(event.subject)) for event in _all(events, Pushed)
    ]
    notes = [(Text(moment(event.at)), Text("note"), Text(event.text)) for event in _all(events, Note)]
    return _listed("Weights (stable/canary), commits, notes", sorted([*writes, *commits, *notes], key=_when))


def _when(row: tuple[Text, Text, Text]) -> str:
    return row[0].plain


def _listed(title: str, rows: Sequence[tuple[Text, Text, Text]]) -> RenderableType | None:
    if not rows:
        return None
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    for row in rows:
        grid.add_row(*row)
    return Group(Text(title, style=QUIET), grid)


def _files(events: Sequence[Event], journal: str) -> RenderableType | None:
    junit = [event.junit for event in _all(events, SuiteEnded) if event.junit]
    rows = [Text(f"JUnit    {path}") for path in junit] + ([Text(f"journal  {journal}")] if journal else [])
    return Group(*rows) if rows else None


def _all(events: Sequence[Event], kind: type[Some]) -> list[Some]:
    return [event for event in events if isinstance(event, kind)]


def _first(events: Sequence[Event], kind: type[Some]) -> Some | None:
    return next(iter(_all(events, kind)), None)
