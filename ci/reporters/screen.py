"""Draws a view for a terminal: 80 columns and 24 lines are enough, more are used.

Everything that colour says is said by a word or a mark as well, and only the terminal's own basic colours are
used, so that it reads on dark and on light grounds and under ``NO_COLOR``. In a low window sentences are cut to
one line first, then the oldest events are left out, then gates that only watch or have passed share lines; what one
can do now always stays, at the foot.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum

from rich.columns import Columns
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import SegmentLines
from rich.table import Table
from rich.text import Text

from checks.words import count, percent
from checks.words import seconds as whole_seconds
from ci.events import Event, Progress, RolloutBegan, SuiteStarted
from ci.reporters.figures import moment, seconds, short_image
from ci.reporters.pulse import SECONDS, Pulse, Shares
from ci.reporters.sentences import sentence
from ci.reporters.timeline import Part
from ci.reporters.view import Gate, View

MARKS = {"PASS": ("✓", "green"), "FAIL": ("✗", "bold red"), "INCONCLUSIVE": ("?", "bold magenta"), "": ("▶", "bold")}
QUIET = "dim"
BAR, NEAR = 12, 12  # characters of a bar
BESIDE = 66  # characters of a line of traffic that are no spark line, at a million requests
SPARKS = "▁▂▃▄▅▆▇█"
FEWEST_SPARKS = 8
LEAST_TOP = 0.01  # the highest spark means at least this share: a single error is no wall
NAME = 20  # characters of a gate's name
FEWEST, MOST = 1, 10  # lines for the last events


class Detail(Enum):
    """How much is said of a gate: whole sentences, a line each, or names where there is nothing to do."""

    ALL = "all"
    LINES = "lines"
    NAMES = "names"


class Screen:
    """A view, drawn into whatever room the terminal has.

    Args:
        view: what is to be seen.
        events: all so far; the last ones are listed.
        now: unix seconds.
        abort: the command that takes traffic back.
        pulse: the error rates of the last minute.
    """

    def __init__(self, view: View, events: Sequence[Event], now: float, abort: str, pulse: Pulse | None = None) -> None:
        self._view = view
        self._events = [event for event in events if not isinstance(event, Progress | SuiteStarted)]
        self._now = now
        self._abort = abort
        self._pulse = pulse or Pulse()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw as much as fits."""
        width = options.update(height=None)
        sparks = min(SECONDS, options.max_width - BESIDE)
        foot = console.render_lines(_foot(self._view, self._abort, options.max_width), width, pad=False)
        if 2 * len(foot) > options.size.height:
            only_abort = replace(self._view, choices=())
            foot = console.render_lines(_foot(only_abort, self._abort, options.max_width), width, pad=False)
        room = options.size.height - len(foot)
        for gap, detail in ((True, Detail.ALL), (False, Detail.ALL), (False, Detail.LINES), (False, Detail.NAMES)):
            body = console.render_lines(self._body(sparks, detail, gap=gap), width, pad=False)
            if len(body) + FEWEST <= room:
                break
        newest = self._events[-min(MOST, max(1, room - len(body))) :]
        recent = console.render_lines(Group(*map(_event, newest)), width, pad=False)
        yield SegmentLines([*[*body, *recent][:room], *foot], new_lines=True)

    def _body(self, sparks: int, detail: Detail, *, gap: bool) -> RenderableType:
        view = self._view
        between = [Text()] if gap else []
        blocks = [_head(view, self._now), _way(view), _traffic(view, self._pulse, sparks)]
        blocks += [_gates(view, detail)] if view.gates else []
        return Group(*(piece for block in blocks for piece in (block, *between)))


def _head(view: View, now: float) -> RenderableType:
    began = view.began
    if began is None:
        return Text("starting", style="bold")
    line = Table.grid(expand=True, padding=(0, 2, 0, 0), pad_edge=False)
    line.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    line.add_column(no_wrap=True, justify="right")
    line.add_row(_standing(began, view), Text(f"{seconds(now - began.at)} since {moment(began.at)} UTC"))
    about = f"{short_image(began.image)}  to {began.target}  by {began.who}  {began.rollout}"
    return Group(line, Text(about), *_reason(view))


def _standing(began: RolloutBegan, view: View) -> Text:
    if view.ended is not None:
        return Text(f"{began.service}: {view.ended.outcome.upper()}", style="bold")
    if view.rollback:
        return Text(f"{began.service}: ROLLING BACK", style="bold red")
    waiting = [gate.name for gate in view.gates if gate.waits and not view.held]
    what = f", waiting for {waiting[0] if len(waiting) == 1 else f'{len(waiting)} gates'}" if waiting else ""
    return Text(f"{began.service}: {view.parts[-1].label if view.parts else 'starting'}{what}", style="bold")


def _reason(view: View) -> list[Text]:
    why = view.ended.sentence if view.ended else view.rollback or view.held
    return [Text(why, style="bold")] if why else []


def _way(view: View) -> RenderableType:
    """Every part of the rollout with what it took, and those to come."""
    entered = [
        Text(f"{part.label}\n", style="" if part.over else "bold").append_text(_time(part)) for part in view.parts
    ]
    ahead = [Text(f"{label}\n·", style=QUIET) for label in view.pending]
    return Columns([*entered, *ahead], padding=(0, 2))


def _time(part: Part) -> Text:
    mark, style = MARKS["FAIL" if part.failed else "PASS" if part.over else ""]
    return Text(f"{mark} {seconds(part.took)}", style=style)


def _traffic(view: View, pulse: Pulse, sparks: int) -> RenderableType:
    if view.weights is None:
        return Text("traffic: weights untouched so far", style=QUIET)
    shown = [shares[-sparks:] if sparks >= FEWEST_SPARKS else () for shares in (pulse.stable, pulse.canary)]
    top = max([LEAST_TOP, *(share for shares in shown for share in shares if share)])
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, justify="right")
    grid.add_column(width=BAR)
    for _ in range(3):
        grid.add_column(no_wrap=True, justify="right")
    grid.add_column(no_wrap=True)
    grid.add_row(*_side("stable", view.weights.stable, view.stable), _spark(shown[0], top))
    grid.add_row(*_side("canary", view.weights.canary, view.canary), _spark(shown[1], top))
    proof = "proved on the data plane" if view.proved else "written, not yet proved on the data plane"
    scale = f"; right: error rate each second, up to {percent(top)}" if view.proved and any(shown) else ""
    return Group(grid, Text(f"weights {proof}{scale}", style=QUIET))


def _side(name: str, weight: int, seen: Mapping[str, float]) -> list[RenderableType]:
    side: list[RenderableType] = [Text(name), Text(f"{weight} %", style="bold"), _bar(weight / 100, BAR)]
    if not seen:
        return [*side, "", "", ""]
    requests, errors = seen.get("requests", 0), seen.get("errors", 0)
    rate = percent(errors / requests) if requests else "-"
    return [*side, Text(f"{count(requests)} requests"), Text(f"{count(errors)} errors"), Text(rate)]


def _spark(shares: Shares, top: float) -> Text:
    """Draw shares as a line; where there was no request there is a gap, and the least error is seen."""
    levels = [" " if share is None else SPARKS[math.ceil(share / top * (len(SPARKS) - 1))] for share in shares]
    return Text("".join(levels))


def _bar(share: float, width: int) -> Text:
    """A bar whose end is seen without colour too: the rest is a thinner line, not a paler one."""
    full = round(share * width)
    return Text("━" * full, style="bold").append("─" * (width - full), style=QUIET)


def _gates(view: View, detail: Detail) -> RenderableType:
    """Each gate in lines of its own; in a very low window those about which there is nothing to do share some."""
    quiet = [gate for gate in view.gates if detail is Detail.NAMES and gate.outcome in {"", "PASS"} and not gate.waits]
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, width=1)
    grid.add_column(no_wrap=True, max_width=NAME, overflow="ellipsis")
    grid.add_column(ratio=1)
    for gate in view.gates:
        if gate not in quiet:
            mark, style = MARKS[gate.outcome]
            grid.add_row(Text(mark, style=style), Text(gate.name, style=style), _about(gate, view, detail))
    named = [(outcome, [gate.name for gate in quiet if gate.outcome == outcome]) for outcome in ("PASS", "")]
    return Group(grid, *(Text.assemble(MARKS[outcome], f"  {', '.join(names)}") for outcome, names in named if names))


def _about(gate: Gate, view: View, detail: Detail) -> RenderableType:
    one_line = detail is not Detail.ALL or gate.outcome == "PASS"
    words = Text(gate.sentence, no_wrap=one_line, overflow="ellipsis" if one_line else "fold")
    if not gate.waits or view.held:
        return words
    return Group(_evidence(gate, view.watched), words)


def _evidence(gate: Gate, watched: float) -> Text:
    remaining = gate.remaining(watched)
    guess = "" if remaining is None else f", about {whole_seconds(remaining)} to go"
    enough = gate.evidence >= gate.of
    words = (
        "  evidence is enough, the soak goes on"
        if enough
        else f"  evidence {count(gate.evidence)} of {count(gate.of)}{guess}"
    )
    return _bar(gate.nearness, NEAR).append(words, style="not bold")


def _event(event: Event) -> Text:
    return Text(f"{moment(event.at)} {sentence(event)}", style=QUIET, no_wrap=True, overflow="ellipsis")


def _foot(view: View, abort: str, width: int) -> RenderableType:
    if view.ended is not None:
        return Text()
    if view.rollback:
        done = view.proved and view.weights is not None and view.weights.canary == 0
        where = "is back on stable, proved on the data plane" if done else "is on its way back to stable"
        return Text(f"\nTraffic {where}. Nothing to do by hand.", style="bold")
    if len(abort) + 2 > width:
        abort = abort.replace(" --", " \\\n    --")  # so that it can still be copied
    lines = Text("\nCtrl-C here takes traffic back at once; so does, in any other terminal:\n  ")
    lines.append(abort, style="bold")
    if view.choices:
        lines.append("\nIn place of abort: ")
        for place, choice in enumerate(view.choices):
            lines.append("; " if place else "").append(choice.verb, style="bold").append(f" {choice.does}")
    return lines
