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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
WIDTHS: Mapping[int, float] = {1: 280, 2: 600, 3: 1000}  # CSS pixels; the style sheet has the same
CHARACTER = 8  # CSS pixels, of a label's wider letters
NARROW_TICKS, WIDE_TICKS = 4, 14
LINES = 4  # across a panel
EDGE = 2.0  # percent: a tick that is nearer has its words beside it, see panel.svg
SHORTEST = 0.001  # seconds: a rollout has some length
LONG, OUT_OF_SCALE = 120.0, 3.0  # a part so many seconds long, and so many times as long as all others together,
ROOM_FOR_SHORTENED = 50.0  # percent, is drawn in so much
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
    """The rollout's time; a stretch that would leave no room for all the others is drawn shorter than it was.

    Attributes:
        start: unix seconds at the left; ``end``: at the right.
        shortened: from when to when it is shorter; None where one scale does for all.
    """

    start: float
    end: float
    shortened: tuple[float, float] | None = None

    @property
    def knots(self) -> list[tuple[float, float]]:
        """Moments and their places, percent; between them the scale is even."""
        end = max(self.end, self.start + SHORTEST)
        if self.shortened is None:
            return [(self.start, 0.0), (end, 100.0)]
        first, last = self.shortened
        scale = (100 - ROOM_FOR_SHORTENED) / ((end - self.start) - (last - first))
        left = (first - self.start) * scale
        return [(self.start, 0.0), (first, left), (last, left + ROOM_FOR_SHORTENED), (end, 100.0)]

    def x(self, at: float) -> float:
        """Give the place of a moment, percent; what lies outside is moved to the edge."""
        knots = self.knots
        at = min(max(at, knots[0][0]), knots[-1][0])
        (begin, left), (end, right) = next(piece for piece in pairwise(knots) if at <= piece[1][0])
        return round(left + (right - left) * (at - begin) / (end - begin), 2) if end > begin else round(right, 2)

    def ticks(self) -> list[Tick]:
        """Mark few moments for a narrow page, and more between them for a wide one."""
        kept: list[Tick] = []
        narrow: Tick | None = None  # the last one for a narrow page
        for tick in self._candidates():
            if kept and not _apart(kept[-1], tick, WIDTHS[2]):
                continue
            first = tick.room == 1 and (narrow is None or _apart(narrow, tick, WIDTHS[1]))
            kept.append(replace(tick, room=1 if first else 2))
            narrow = kept[-1] if first else narrow
        return kept

    def _candidates(self) -> Iterator[Tick]:
        """Give the round moments of each piece, those for a narrow page as ``room`` 1."""
        for (begin, left), (end, right) in pairwise(self.knots):
            length, share = end - begin, (right - left) / 100
            coarse = _step(length, NARROW_TICKS * share)
            nested = (each for each in SECONDS if coarse % each == 0 and length / each <= WIDE_TICKS * share)
            fine = next(nested, coarse)
            since = begin - self.start
            for second in range(math.ceil(since / fine) * fine, math.floor(since + length) + 1, fine):
                yield Tick(self.x(self.start + second), self._text(second), 1 if second % coarse == 0 else 2)

    def _text(self, second: int) -> str:
        minutes, seconds = divmod(second, MINUTE)
        if self.end - self.start < HOUR:
            return f"{minutes}:{seconds:02d}"
        return f"{minutes // MINUTE}:{minutes % MINUTE:02d}:{seconds:02d}"


def time_axis(start: float, end: float, stretches: Sequence[tuple[float, float]]) -> TimeAxis:
    """Make the axis of a rollout.

    Args:
        start: its first moment, unix seconds.
        end: its last.
        stretches: from when to when each of its parts lasted.
    """
    first, last = max(stretches, key=lambda stretch: stretch[1] - stretch[0], default=(start, start))
    length = last - first
    others = (end - start) - length
    return TimeAxis(start, end, (first, last) if length > max(LONG, OUT_OF_SCALE * others) and others > 1 else None)


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


def _apart(one: Tick, other: Tick, width: float) -> bool:
    """Say whether the words of two ticks have room beside each other; at an edge they stand to one side of it."""
    words = CHARACTER * (len(other.text) + 1) / width * 100
    edge = one.x < EDGE or other.x > 100 - EDGE
    return other.x - one.x >= words * (1.5 if edge else 1.0)


def _step(length: float, most: float) -> int:
    return next((each for each in SECONDS if length / each <= most), SECONDS[-1])
