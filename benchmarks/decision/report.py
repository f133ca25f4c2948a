"""What a part of the benchmark found: tables for people, and bars that have to hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.decision.rollouts import Ended
from checks.verdict import Outcome


@dataclass(frozen=True)
class Table:
    """A table of the documentation.

    Attributes:
        name: of the place in the documentation.
        columns: their heads; the first is that of the rows' names.
        rows: of cells.
    """

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """Write it down."""
        lines = [self.columns, ["-"] * len(self.columns), *self.rows]
        return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


@dataclass(frozen=True)
class Bar:
    """A figure that has to hold.

    Attributes:
        number: of the bar; ``what`` says which of its figures.
        measured: what was found.
        limit: that it may reach, ``least`` where it must.
    """

    number: int
    what: str
    measured: float
    limit: float
    unit: str = ""
    least: bool = False

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return self.measured >= self.limit if self.least else self.measured <= self.limit

    def row(self) -> list[str]:
        """Give its row in the table of bars."""
        limit = f"{'>=' if self.least else '<='} {self.limit:g}{self.unit}"
        measured = f"{self.measured:.3g}" if abs(self.measured) < 1000 else f"{self.measured:.0f}"
        return [str(self.number), self.what, f"{measured}{self.unit}", limit, "yes" if self.holds else "**no**"]


@dataclass
class Part:
    """What a part of the benchmark found."""

    tables: list[Table] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)


def bars_table(bars: Sequence[Bar]) -> Table:
    """Put all bars into one table."""
    rows = [bar.row() for bar in sorted(bars, key=lambda bar: bar.number)]
    return Table("bars", ["bar", "what", "measured", "bound", "holds"], rows)


def share(ended: Sequence[Ended], outcome: Outcome) -> float:
    """Give how many percent of rollouts ended so."""
    return 100 * sum(each.outcome is outcome for each in ended) / len(ended)


def seconds(ended: Sequence[Ended], outcome: Outcome) -> np.ndarray:
    """Give how long those took that ended so."""
    return np.array([each.seconds for each in ended if each.outcome is outcome])


def bad(ended: Sequence[Ended], outcome: Outcome) -> float:
    """Give how many bad answers those served that ended so, in the mean."""
    found = [each.bad for each in ended if each.outcome is outcome]
    return float(np.mean(found)) if found else float("nan")


def write_into(document: Path, tables: Sequence[Table]) -> None:
    """Put tables into their places in a document: between ``<!-- name -->`` and ``<!-- end -->``.

    Args:
        document: Markdown.
        tables: those that have a place there.
    """
    text = document.read_text(encoding="utf-8")
    for table in tables:
        begin, end = f"<!-- {table.name} -->\n", "<!-- end -->"
        if begin in text:
            head, _, rest = text.partition(begin)
            text = head + begin + "\n" + table.markdown() + "\n\n" + end + rest.partition(end)[2]
    document.write_text(text, encoding="utf-8")
