"""The trend on a terminal."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from checks.words import count
from ci.reporters.figures import seconds
from ci.reporters.screen import QUIET
from ci.reporters.strings import harmless
from ci.trend.findings import Trend
from ci.trend.keys import in_words

NAMED = 10  # journals that are passed over; the page names all


def screen(found: Trend) -> RenderableType:
    """Tell what many rollouts say together.

    Args:
        found: what their journals say.

    Returns:
        Something that a rich console prints.
    """
    tables = [Padding(each, (1, 0, 0, 0)) for each in (_keys(found), _steps(found))]
    return Group(Text(found.headline, style="bold"), *tables)


def files(found: Trend, page: Path) -> Iterator[str]:
    """Name the journals that are not counted, and the page: a line each, as they are, so that they can be copied.

    Args:
        found: what the journals say.
        page: where it is drawn.
    """
    passed = found.passed_over
    yield from (f"passed over: {harmless(str(each.journal))}: {each.why}" for each in passed[:NAMED])
    if len(passed) > NAMED:
        yield f"passed over: {count(len(passed) - NAMED)} more"
    yield f"drawn in {page}"


def _keys(found: Trend) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for key in in_words(found.keys):
        table.add_row(Text(key.name, style=QUIET), Text(key.figure))
    return table


def _steps(found: Trend) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=QUIET)
    for name in ("weight", "passed", "median", "nine of ten", "answers"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("slowest gate")
    for each in found.weights:
        figures = [
            f"{each.weight} %",
            f"{count(each.passed)} of {count(each.entered)}",
            *("-" if length is None else seconds(length) for length in (each.evidence, each.most)),
            "-" if each.requests is None else count(each.requests),
        ]
        table.add_row(*map(Text, figures), Text(each.slowest.replace("_", " ")))
    return table
