"""A backtest on a terminal: a row a day, and what follows from it."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from checks.words import count
from ci.backtest.findings import Backtest, Day, gate
from ci.backtest.starts import Fate
from ci.reporters.figures import day as moment
from ci.reporters.figures import seconds
from ci.reporters.screen import QUIET

MINUTE, TENTHS = 60, 10
STYLES = {Fate.PROMOTED: "green", Fate.ROLLED_BACK: "bold red", Fate.UNDECIDED: "bold magenta"}


def screen(found: Backtest, page: str = "") -> RenderableType:
    """Tell a backtest.

    Args:
        found: what it has found.
        page: where it is drawn, if it is.

    Returns:
        Something that a rich console prints.
    """
    title = Text(f"{found.release.service}: ", style="bold")
    title.append(f"{moment(found.began)} to {moment(found.ended)}, a start every {seconds(found.every)}, ")
    title.append(f"a look every {seconds(found.stretch)}")
    said = [Text(f"* {sentence(each)}") for each in found.summary]
    drawn = [Text(f"drawn in {page}", style=QUIET)] if page else []
    return Group(title, Padding(_table(found), (1, 0)), *said, *drawn)


def sentence(text: str) -> str:
    """Begin with a capital, and end with a stop."""
    return text[0].upper() + text[1:] + "."


def _table(found: Backtest) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=QUIET)
    table.add_column("day", no_wrap=True)
    table.add_column("requests/s", justify="right")
    fates = [fate for fate in Fate if found.of(fate)]
    for fate in fates:
        table.add_column(fate.value, justify="right")
    table.add_column(f"{', '.join(map(str, found.weights))} % took" if found.weights else "took", no_wrap=True)
    table.add_column("not promoted for")
    for each in found.days:
        table.add_row(*_row(each, fates, found.weights))
    return table


def _row(day: Day, fates: Sequence[Fate], weights: Sequence[int]) -> list[Text]:
    fated = [Text(count(day.fates[fate]) if day.fates[fate] else "-", STYLES.get(fate, "")) for fate in fates]
    times = Text(", ".join(clock(day.times[weight]) if weight in day.times else "-" for weight in weights))
    why = ", ".join(dict.fromkeys(gate(name) for (_, name), _ in day.gates.most_common()))
    return [Text(day.date), Text(rate(day.rate)), *fated, times, Text(why, style=QUIET)]


def rate(number: float | None) -> str:
    """Write requests a second; a dash where nothing was seen."""
    return "-" if number is None else f"{number:.2g}" if number < TENTHS else count(number)


def clock(length: float) -> str:
    """Write a length of time as minutes and seconds."""
    return f"{int(length) // MINUTE}:{int(length) % MINUTE:02d}"
