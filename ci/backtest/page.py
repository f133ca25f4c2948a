"""Draws a backtest: a page with its style sheet, as a rollout's report is one (ci/reporters/report/page.py)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate
from math import ceil
from pathlib import Path

from checks.words import count
from ci.backtest.findings import Backtest, Day
from ci.backtest.starts import Fate
from ci.backtest.told import clock, rate, sentence
from ci.reporters.report.axis import Tick
from ci.reporters.report.page import put
from ci.reporters.report.shapes import Panel, Rule, Span

FILES = {"backtest.html": "backtest.html", "report.css": "report.css"}
CLASSES = {fate: fate.value.replace(" ", "-") for fate in Fate}
HOURS = (6, 12, 18)
NARROW, WIDE = 6, 14  # dates under the drawing
LINES = 4  # across it
_DAY, _MINUTE = 86_400, 60


def write(found: Backtest, folder: Path) -> Path:
    """Write the page.

    Args:
        found: what the backtest has found.
        folder: for it; made where it is missing.

    Returns:
        The page.

    Raises:
        InputError: when the folder can not be written.
    """
    known = {
        "found": found,
        "verdict": _sign(found),
        "sentences": [sentence(each) for each in found.summary],
        "panels": [fates(found), *([times(found)] if any(day.times for day in found.days) else [])],
        "ticks": list(_ticks(found)),
        "classes": CLASSES,
        "rate": rate,
        "clock": clock,
    }
    put(FILES, known, folder, "--reports")
    return folder / "backtest.html"


def _sign(found: Backtest) -> str:
    if found.of(Fate.ROLLED_BACK):
        return "FAIL"
    return "PASS" if found.of(Fate.PROMOTED) and not found.of(Fate.UNDECIDED) else "INCONCLUSIVE"


def fates(found: Backtest) -> Panel:
    """Draw what became of each start: a column a day, its hours from above to below."""
    width, height = 100 / len(found.days), 100 * min(1.0, found.every / _DAY)
    spans = [
        Span(
            CLASSES[start.fate],
            round(place * width, 3),
            round(width, 3),
            round(100 * (start.at % _DAY) / _DAY, 3),
            round(height, 3),
            f"{_moment(start.at)} UTC, {rate(start.rate)} requests/s: {start.fate.value}"
            f"{f', {start.why}' if start.why else f' in {clock(start.seconds)}' if start.steps else ''}",
        )
        for place, day in enumerate(found.days)
        for start in day.starts
    ]
    told = ", ".join(f"{fate.value} {count(len(found.of(fate)))}" for fate in Fate if found.of(fate))
    return Panel(
        css="fates",
        title="What would have become of each start",
        told=f"Starts by day and hour: {told}.",
        legend=[(CLASSES[fate], fate.value) for fate in Fate if found.of(fate)],
        rules=[Rule("grid", 100 * hour / 24, f"{hour}:00") for hour in HOURS],
        spans=spans,
    )


def times(found: Backtest) -> Panel:
    """Draw how long the steps of promoted starts took: a bar a day, its steps from below to above."""
    top = _top(max(sum(day.times.values()) for day in found.days))
    said = (f"{day.date} {clock(sum(day.times.values()))}" for day in found.days if day.times)
    return Panel(
        css="times",
        title="How long the steps of those that were promoted took",
        told=f"Minutes and seconds, in the median of each day: {', '.join(said)}.",
        legend=[("evidence", f"from below: {', '.join(map(str, found.weights))} %")],
        rules=[Rule("grid", 100 - 100 * line / LINES, clock(top * line / LINES)) for line in range(1, LINES + 1)],
        spans=[span for place, day in enumerate(found.days) for span in _bar(day, place, len(found.days), top)],
    )


def _top(longest: float) -> float:
    """Give the height of the drawing, seconds: so that its lines are at whole minutes."""
    return LINES * _MINUTE * ceil(longest / LINES / _MINUTE)


def _bar(day: Day, place: int, days: int, top: float) -> Iterator[Span]:
    width = 100 / days
    for (weight, took), until in zip(day.times.items(), accumulate(day.times.values()), strict=True):
        title = f"{day.date}: {weight} % took {clock(took)}"
        x, y = round((place + 0.1) * width, 3), round(100 - 100 * until / top, 3)
        yield Span("evidence taken", x, round(0.8 * width, 3), y, round(100 * took / top, 3), title)


def _ticks(found: Backtest) -> Iterator[Tick]:
    """Mark the days, as many as there is room for."""
    days = found.days
    fine = ceil(len(days) / WIDE)
    coarse = fine * ceil(len(days) / NARROW / fine)
    for place, day in enumerate(days):
        if room := 1 if place % coarse == 0 else 2 if place % fine == 0 else 0:
            yield Tick(round(100 * place / len(days), 3), day.date[5:], room)


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"
