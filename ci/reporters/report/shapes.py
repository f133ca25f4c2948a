"""What a panel is drawn of. Places are percent of the panel: x from the left, y from the top.

The template panel.svg draws them; colours and sizes stand in report.css, by the names in ``css``.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Path:
    """A line or a filled area: ``d`` as in SVG, in a box of 1000 by 1000."""

    css: str
    d: str


@dataclass(frozen=True)
class Rule:
    """A line across the panel, at a height or at a moment, with its words."""

    css: str
    at: float
    text: str = ""


@dataclass(frozen=True)
class Span:
    """A stretch of time: a box, or a bar where a lane is; ``title`` is told to who points at it."""

    css: str
    x: float
    width: float
    y: float
    height: float
    title: str = ""


@dataclass(frozen=True)
class Mark:
    """A sign at a point; ``kind`` is PASS, FAIL, INCONCLUSIVE or dot."""

    kind: str
    x: float
    y: float
    title: str


@dataclass(frozen=True)
class Label:
    """Words at a point; ``room`` as in axis.py, ``anchor`` as in SVG."""

    css: str
    x: float
    y: float
    text: str
    room: int = 1
    anchor: str = "start"


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One drawing on the common axis of time.

    Attributes:
        css: its name for the style sheet.
        title: what it shows; ``legend``: pairs of a name in the style sheet and the words.
        told: the same in words, for who can not see it.
        lanes: into how many lanes it is cut, 0 for none; they make it high.
    """

    css: str
    title: str
    told: str
    legend: Sequence[tuple[str, str]] = ()
    lanes: int = 0
    rules: Sequence[Rule] = ()
    spans: Sequence[Span] = ()
    paths: Sequence[Path] = ()
    marks: Sequence[Mark] = ()
    labels: Sequence[Label] = ()


def path(points: Sequence[tuple[float, float]], *, closed: bool = False) -> str:
    """Write points (percent) as the data of an SVG path in a box of 1000 by 1000.

    Args:
        points: x and y of each.
        closed: whether it is an area.
    """
    words = " ".join(f"{10 * x:.4g},{10 * min(max(y, -50.0), 150.0):.4g}" for x, y in points)
    return f"M{words}{'Z' if closed else ''}"
