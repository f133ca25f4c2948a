"""The closing screen: what happened, when, why, how long each part took, and where the evidence lies.

A pure function of a rollout's events, so that it can be drawn again from a journal.

Example:
    >>> from rich.console import Console
    >>> Console().print(closing(read(Path("reports/journal.jsonl"))))  # doctest: +SKIP
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from checks.words import count
from ci.events import (
    Asked,
    Event,
    Held,
    Note,
    Progress,
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
from ci.reporters.sentences import COMMIT, asked, moments
from ci.reporters.strings import mapped, readable
from ci.reporters.timeline import Part, parts

Some = TypeVar("Some", bound=Event)

Row = tuple[Text, Text, Text]

SHOWN = 0.05  # seconds: a cause of overhead under it is not worth a word
OUTCOMES = {"promoted": "bold green", "rolled back": "bold red", "incomplete": "bold red", "held": "bold magenta"}


def closing(events: Iterable[Event], files: Mapping[str, str] | None = None) -> RenderableType:
    """Tell a whole rollout on one screen.

    Args:
        events: all of it, in order.
        files: what else lies where, such as the journal; JUnit files are known from the events.

    Returns:
        Something that a rich console prints; readable from 80 columns on.
    """
    safe = [mapped(event, readable) for event in events]
    blocks = [_title(safe), _rollback(safe), _times(safe), _decided(safe), _changed(safe), _files(safe, files or {})]
    return Group(*(Padding(block, (0, 0, 1, 0)) for block in blocks if block is not None))


def _title(events: Sequence[Event]) -> RenderableType:
    began, ended = _first(events, RolloutBegan), _first(events, RolloutEnded)
    outcome = ended.outcome if ended else "not ended"
    lines = [Text(outcome.upper(), style=OUTCOMES.get(outcome, "bold"))]
    if began:
        last = _last_moment(events)
        lines[0].append(f"  {began.service}  {short_image(began.image)}", style="default")
        about = f"{day(began.at)} to {moment(last)}, {seconds(last - began.at)}; to {began.target} by {began.who}"
        lines.append(Text(f"{about}; rollout {began.rollout}"))
    if ended:
        lines.append(Text(f"{ended.sentence} (exit {ended.exit_code})", style="bold"))
    return Group(*lines)


def _last_moment(events: Sequence[Event]) -> float:
    """Give the end of the rollout: who could not be told of it says so only after it."""
    ended = _first(events, RolloutEnded)
    return ended.at if ended else events[-1].at if events else 0.0


def _rollback(events: Sequence[Event]) -> RenderableType | None:
    measured = _first(events, RollbackMeasured)
    if measured is None:
        return None
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    for since, at, what in moments(measured):
        grid.add_row(Text(f"{since:+.2f} s"), Text(moment(at)), Text(what))
    length = "" if measured.seconds is None else f" {measured.seconds:.2f} s"
    title = Text(f"Rollback time{length} by Envoy's log", style="bold")
    title.append(f"; {count(measured.bad)} bad answers of the canary in all", style="not bold")
    return Group(title, grid)


def _times(events: Sequence[Event]) -> RenderableType | None:
    cut = parts(events, _last_moment(events))
    if not cut:
        return None
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=QUIET)
    table.add_column("part", no_wrap=True)
    for name in ("took", "evidence", "overhead"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("of the overhead, seconds")
    for part in cut:
        table.add_row(*_row(part))
    whole = _last_moment(events) - events[0].at
    evidence = sum(part.evidence for part in cut)
    figures = [Text(seconds(each), style="bold") for each in (whole, evidence, whole - evidence)]
    table.add_row(Text("in all", style="bold"), *figures, Text("all but waiting for requests", style=QUIET))
    return table


def _row(part: Part) -> list[Text]:
    causes = {name: took for name, took in part.causes.items() if took >= SHOWN}
    other = part.overhead - sum(causes.values())
    named = causes | ({"other": other} if other >= SHOWN else {})
    evidence = seconds(part.evidence) if part.evidence else "-"
    return [
        Text.assemble(_mark("FAIL" if part.failed else "PASS"), " ", part.label),
        Text(seconds(part.took)),
        Text(evidence),
        Text(seconds(part.overhead)),
        Text(", ".join(f"{name} {took:.1f}" for name, took in named.items()), style=QUIET),
    ]


def _decided(events: Sequence[Event]) -> RenderableType | None:
    """The gates that decided: each that did not pass, else in each step the one that took longest."""
    verdicts = _all(events, VerdictReached)
    if any(ended.outcome == "promoted" for ended in _all(events, RolloutEnded)):
        return _shown(events)  # what was undecided once, before or in a hold, has decided nothing
    against = [verdict for verdict in verdicts if verdict.outcome != "PASS"]
    if against:
        return _listed("Decided by", [_verdict(each) for each in against])
    refused = [event for event in _all(events, SuiteEnded) if not event.passed]
    if refused:
        return _listed("Decided by", [(_mark("FAIL"), Text(each.suite), Text(each.why)) for each in refused])
    taken_back = _all(events, RollbackBegan)
    if taken_back:
        return _listed("Decided by", [(_mark("FAIL"), Text(each.who), Text(each.reason)) for each in taken_back])
    return _shown(events)


def _shown(events: Sequence[Event]) -> RenderableType | None:
    return _listed("Shown by the gate that took longest", [_verdict(each, name=False) for each in _slowest(events)])


def _slowest(events: Sequence[Event]) -> list[VerdictReached]:
    """Of the gates that need evidence, the one of each suite that needed the most time."""
    needing = {name for event in _all(events, Progress) for name, gate in event.gates.items() if gate.get("of")}
    slowest: dict[tuple[str, int | None], VerdictReached] = {}
    for verdict in _all(events, VerdictReached):
        known = slowest.get((verdict.suite, verdict.step))
        if verdict.gate in needing and (known is None or verdict.after > known.after):
            slowest[verdict.suite, verdict.step] = verdict
    return list(slowest.values())


def _verdict(verdict: VerdictReached, *, name: bool = True) -> Row:
    place = verdict.suite if verdict.step is None else f"{verdict.step} %"
    return _mark(verdict.outcome), Text(f"{place} {verdict.gate}" if name else place), Text(verdict.sentence)


def _mark(outcome: str) -> Text:
    mark, style = MARKS[outcome]
    return Text(mark, style=style)


def _changed(events: Sequence[Event]) -> RenderableType | None:
    rows: list[Row] = []
    for event in events:
        time = Text(moment(event.at))
        if isinstance(event, WeightsWritten):
            rows.append((time, Text(f"{event.stable}/{event.canary}"), Text(f"{event.who}: {event.why}")))
        elif isinstance(event, Pushed):
            rows.append((time, Text(event.commit[:COMMIT]), Text(event.subject)))
        elif isinstance(event, Asked):
            rows.append((time, Text(event.what), Text(asked(event))))
        elif isinstance(event, Held):
            rows.append((time, Text("held"), Text(f"at {event.step} %: {event.why}")))
        elif isinstance(event, Note):
            rows.append((time, Text("note"), Text(event.text)))
    return _listed("Written and said: weights (stable/canary), commits, people", rows)


def _listed(title: str, rows: Sequence[Row]) -> RenderableType | None:
    if not rows:
        return None
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    for row in rows:
        grid.add_row(*row)
    return Group(Text(title, style=QUIET), grid)


def _files(events: Sequence[Event], files: Mapping[str, str]) -> RenderableType | None:
    """Where the evidence lies; files of one folder stand behind its name."""
    folders: dict[str, list[str]] = {}
    for event in _all(events, SuiteEnded):
        folder, _, name = event.junit.rpartition("/")
        folders.setdefault(folder, []).append(name)
    lines = [f"JUnit    {folder}/ {' '.join(names)}" for folder, names in folders.items() if any(names)]
    lines += [f"{name:<8} {file}" for name, file in files.items()]
    return Group(*map(Text, lines)) if lines else None


def _all(events: Sequence[Event], kind: type[Some]) -> list[Some]:
    return [event for event in events if isinstance(event, kind)]


def _first(events: Sequence[Event], kind: type[Some]) -> Some | None:
    return next(iter(_all(events, kind)), None)
