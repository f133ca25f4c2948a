"""Scales: moments across the width of the page, rates up the height of a panel, both in percent.

Percent, because a panel is as wide as whoever looks has room for: lines stretch, words and marks do not. What has
to fit between two things on the axis is told how wide the axis must be for it (``room``); the style sheet hides it
where it is narrower.

Example:
    >>> time = TimeAxis(start=100.0, end=160.0)
    >>> time.x(130.0)
    50.0
    >>> [(tick.x, tick.text) for tick in time.ticks() if tick.room == 1]
    [(0.0, '0:00'), (33.33, '0:20'), (66.67, '0:40'), (100.0, '1:00')]
    >>> nice_top(0.034), rate_ticks(0.04)
    (0.04, [0.01, 0.02, 0.03, 0.04])
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
WIDTHS: Mapping[int, float] = {1: 280, 2: 600, 3: 1000}  # CSS pixels; the style sheet has the same
CHARACTER = 8  # CSS pixels, of a label's wider letters
NARROW_TICKS, WIDE_TICKS = 4, 14
LINES = 4  # across a panel
HOUR, MINUTE = 3600, 60


@dataclass(frozen=True)
class Tick:
    """A moment that is marked.

    Attributes:
        x: percent of the width.
        text: since the start.
        room: shown from which width on, see ``WIDTHS``.
    """

    x: float
    text: str
    room: int


@dataclass(frozen=True)
class TimeAxis:
    """The rollout's time.

    Attributes:
        start: unix seconds at the left; ``end``: at the right.
    """

    start: float
    end: float

    @property
    def length(self) -> float:
        """Seconds in all; never 0."""
        return max(self.end - self.start, 0.001)

    def x(self, at: float) -> float:
        """Give the place of a moment, percent; what lies outside is moved to the edge."""
        return round(100 * min(max((at - self.start) / self.length, 0.0), 1.0), 2)

    def ticks(self) -> list[Tick]:
        """Mark few moments for a narrow page, and more between them for a wide one."""
        coarse = _step(self.length, NARROW_TICKS)
        fine = next(each for each in SECONDS if coarse % each == 0 and self.length / each <= WIDE_TICKS)
        return [
            Tick(self.x(self.start + second), self._text(second), 1 if second % coarse == 0 else 2)
            for second in range(0, math.floor(self.length) + 1, fine)
        ]

    def _text(self, second: int) -> str:
        minutes, seconds = divmod(second, MINUTE)
        if self.length < HOUR:
            return f"{minutes}:{seconds:02d}"
        return f"{minutes // MINUTE}:{minutes % MINUTE:02d}:{seconds:02d}"


def room(share: float, text: str) -> int:
    """Say from which width on a text fits into a part of the axis.

    Args:
        share: of the axis, percent.
        text: what has to fit.

    Returns:
        A key of ``WIDTHS``; 0 when it fits into none.
    """
    wanted = CHARACTER * (len(text) + 1)
    return next((size for size, width in WIDTHS.items() if share / 100 * width >= wanted), 0)


def nice_top(highest: float) -> float:
    """Round the highest rate up to where a scale ends well; at most 1."""
    return min(1.0, rate_ticks(highest)[-1])


def rate_ticks(top: float) -> list[float]:
    """Give the rates at which lines are drawn, from the first over 0 to the first that is not under ``top``."""
    rough = max(top, 1e-4) / LINES
    magnitude = 10 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough * 0.999)
    return [round(step * number, 10) for number in range(1, math.ceil(top / step - 1e-6) + 1)]


def _step(length: float, most: int) -> int:
    return next((each for each in SECONDS if length / each <= most), SECONDS[-1])
