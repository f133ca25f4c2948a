"""Draws a view for a terminal: 80 columns and 24 lines are enough, more are used.

Everything that colour says is said by a word or a mark as well, and only the terminal's own basic colours are
used, so that it reads on dark and on light grounds and under ``NO_COLOR``. In a low window sentences are cut to
one line first, then the oldest events are left out; what one can do now always stays, at the foot.
"""

from collections.abc import Mapping, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.segment import SegmentLines
from rich.table import Table
from rich.text import Text

from checks.words import count, percent
from ci.events import Event, Progress
from ci.reporters.figures import day, moment, seconds, short_image
from ci.reporters.sentences import sentence
from ci.reporters.timeline import Part
from ci.reporters.view import Gate, View

MARKS = {"PASS": ("✓", "green"), "FAIL": ("✗", "bold red"), "INCONCLUSIVE": ("?", "bold magenta"), "": ("▶", "bold")}
QUIET = "dim"
BAR = 20  # characters


class Screen:
    """A view, drawn into whatever room the terminal has.

    Args:
        view: what is to be seen.
        events: all so far; the last ones are listed.
        now: unix seconds.
        abort: the command that takes traffic back.
    """

    def __init__(self, view: View, events: Sequence[Event], now: float, abort: str) -> None:
        self._view = view
        self._events = [event for event in events if not isinstance(event, Progress)]
        self._now = now
        self._abort = abort

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw as much as fits."""
        width = options.update(height=None)
        foot = console.render_lines(_foot(self._view, self._abort), width, pad=False)
        room = options.size.height - len(foot)
        body = console.render_lines(self._body(compact=False), width, pad=False)
        if len(body) + 3 > room:  # not even three events would fit
            body = console.render_lines(self._body(compact=True), width, pad=False)
        newest = self._events[-max(0, room - len(body)) :] if room > len(body) else []
        recent = console.render_lines(Group(*map(_event, newest)), width, pad=False) if newest else []
        yield SegmentLines([*body[:room], *recent, *foot], new_lines=True)

    def _body(self, *, compact: bool) -> RenderableType:
        view = self._view
        gap = [] if compact else [Text()]
        gates = [_gate(gate, compact=compact) for gate in view.gates]
        return Group(_head(view, self._now), *gap, _way(view), *gap, _traffic(view), *gap, *gates, *gap)


def _head(view: View, now: float) -> RenderableType:
    began = view.began
    if began is None:
        return Text("starting", style="bold")
    line = Table.grid(expand=True)
    line.add_column(no_wrap=True, overflow="ellipsis")
    line.add_column(no_wrap=True, justify="right")
    line.add_row(_standing(view), Text(f"{seconds(now - began.at)} since {day(began.at)}"))
    about = f"{short_image(began.image)}  to {began.target}  by {began.who}  rollout {began.rollout}"
    return Group(line, Text(about, no_wrap=True, overflow="ellipsis"), *_reason(view))


def _standing(view: View) -> Text:
    service = view.began.service if view.began else ""
    if view.ended is not None:
        return Text(f"{service}: {view.ended.outcome.upper()}", style="bold")
    if view.rollback:
        return Text(f"{service}: ROLLING BACK", style="bold red")
    return Text(f"{service}: {view.parts[-1].label if view.parts else 'starting'}", style="bold")


def _reason(view: View) -> list[Text]:
    why = view.ended.sentence if view.ended else view.rollback
    return [Text(why, style="bold")] if why else []


def _way(view: View) -> RenderableType:
    """Every part of the rollout with what it took, and those to come."""
    names = [Text(part.label, style="" if part.over else "bold") for part in view.parts]
    times = [_time(part) for part in view.parts]
    ahead = [Text(label, style=QUIET) for label in view.pending]
    grid = Table.grid(expand=True)
    for _ in [*names, *ahead]:
        grid.add_column(no_wrap=True, overflow="ellipsis")
    grid.add_row(*names, *ahead)
    grid.add_row(*times, *(Text("·", style=QUIET) for _ in ahead))
    return grid


def _time(part: Part) -> Text:
    mark, style = MARKS["FAIL" if part.failed else "PASS" if part.over else ""]
    return Text(f"{mark} {seconds(part.took)}", style=style)


def _traffic(view: View) -> RenderableType:
    if view.weights is None:
        return Text("traffic: weights untouched so far", style=QUIET)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, justify="right")
    grid.add_column(width=BAR)
    for _ in range(3):
        grid.add_column(no_wrap=True, justify="right")
    grid.add_row(*_side("stable", view.weights.stable, view.stable))
    grid.add_row(*_side("canary", view.weights.canary, view.canary))
    proof = "proved on the data plane" if view.proved else "written, not yet proved on the data plane"
    return Group(grid, Text(proof, style=QUIET))


def _side(name: str, weight: int, seen: Mapping[str, float]) -> list[RenderableType]:
    requests, errors = seen.get("requests", 0), seen.get("errors", 0)
    rate = percent(errors / requests) if requests else "-"
    figures = [f"{count(requests)} requests", f"{count(errors)} errors", rate]
    return [Text(name), Text(f"{weight} %", style="bold"), _bar(weight / 100), *map(Text, figures)]


def _bar(share: float, style: str = "bold") -> ProgressBar:
    return ProgressBar(total=1, completed=share, width=BAR, style=QUIET, complete_style=style, finished_style=style)


def _gate(gate: Gate, *, compact: bool) -> RenderableType:
    mark, style = MARKS[gate.outcome]
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, width=1)
    grid.add_column(no_wrap=True, width=14, overflow="ellipsis")
    grid.add_column(ratio=1)
    words = Text(gate.sentence, no_wrap=compact, overflow="ellipsis" if compact else "fold")
    about = Group(_evidence(gate), words) if gate.of else words
    grid.add_row(Text(mark, style=style), Text(gate.name, style=style), about)
    return grid


def _evidence(gate: Gate) -> RenderableType:
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_row(_bar(gate.nearness), Text(f"evidence {count(gate.evidence)} of {count(gate.of)}"))
    return line


def _event(event: Event) -> Text:
    return Text(f"{moment(event.at)} {sentence(event)}", style=QUIET, no_wrap=True, overflow="ellipsis")


def _foot(view: View, abort: str) -> RenderableType:
    if view.ended is not None:
        return Text()
    if view.rollback:
        return Text("traffic is on its way back; nothing has to be done", style="bold")
    return Text.assemble((abort, "bold"), "  takes traffic back at once; so does Ctrl-C")
