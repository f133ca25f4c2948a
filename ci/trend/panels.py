"""Rollout by rollout as drawings: a column each, the newest at the right.

Columns and not a scale of time: ten releases on a Friday and none for a week would be one blot and a hole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil
from statistics import median

from checks.words import count, percent
from ci.reporters.figures import MINUTE, day, seconds
from ci.reporters.report.axis import SECONDS, Tick, rate_ticks
from ci.reporters.report.shapes import Label, Panel, Path, Rule, Span, path
from ci.trend.findings import OUTCOMES
from ci.trend.finished import Finished

DRAWN, FEWEST = 200, 12  # columns: more can not be told apart, and two alone would be walls
GAP = 0.12  # of a column, at each side
LINES = 4  # across a drawing
BEYOND = 6  # times the median: what took longer is cut off, or nothing else could be seen
LAST = 20  # rollouts over which the share of those taken back is told
NARROW, WIDE = 5, 12  # dates under the drawing
BAR, NAME = (0.44, 0.4), 0.32  # of a lane: where its bars are and how high, and where its name is
SHADES = 6  # of steps; report.css has as many


@dataclass(frozen=True)
class Columns:
    """Places of the rollouts, percent of the width.

    Attributes:
        rollouts: the newest ones, the oldest of them first.
    """

    rollouts: Sequence[Finished]

    @property
    def width(self) -> float:
        """Of a column, percent of the panel."""
        return 100 / max(FEWEST, len(self.rollouts))

    @property
    def empty(self) -> int:
        """How many columns at the left wait for a rollout; the words of the scale stand there."""
        return max(0, FEWEST - len(self.rollouts))

    def box(self, place: int, css: str, y: float, height: float, title: str) -> Span:
        """Draw a bar in a column; ``y`` and ``height`` in percent of the panel."""
        x = (place + self.empty + GAP) * self.width
        return Span(css, round(x, 3), round((1 - 2 * GAP) * self.width, 3), round(y, 2), round(height, 2), title)

    def middle(self, place: int) -> float:
        """Give the middle of a column."""
        return round((place + self.empty + 0.5) * self.width, 3)


@dataclass(frozen=True)
class Scale:
    """Heights of lengths of time.

    Attributes:
        top: seconds at the panel's top.
        step: seconds from line to line.
    """

    top: float
    step: float

    @classmethod
    def of(cls, lengths: Sequence[float]) -> "Scale":
        """Make one on which the usual ones can be seen.

        Args:
            lengths: seconds; at least one.
        """
        top = min(max(lengths), BEYOND * median(lengths)) or max(lengths)
        step = next((each for each in SECONDS if each * LINES >= top > LINES), 0.0) or rate_ticks(top)[0]
        return cls(step * ceil(max(top, step) / step), step)

    def height(self, length: float) -> float:
        """Give a height in percent; what is too long ends at the top."""
        return min(100.0, 100 * length / self.top)

    @property
    def rules(self) -> list[Rule]:
        """Lines across the panel."""
        marks = range(1, round(self.top / self.step) + 1)
        return [Rule("grid", round(100 - self.height(mark * self.step), 2), _text(mark * self.step)) for mark in marks]


def drawings(rollouts: Sequence[Finished], stairs: Sequence[int]) -> tuple[list[Panel], list[Tick]]:
    """Draw the newest rollouts.

    Args:
        rollouts: all, the earliest first; at least one.
        stairs: all weights that there were.

    Returns:
        The panels, and what is marked on their common axis.
    """
    columns = Columns(rollouts[-DRAWN:])
    panels = [ends(columns), lengths(columns)]
    panels += [evidence(columns, stairs)] if any(each.evidence for each in columns.rollouts) else []
    panels += [hurting(columns)] if any(each.hurt for each in columns.rollouts) else []
    panels += [share(columns)] if sum(each.reached for each in columns.rollouts) >= LAST else []
    return panels, list(_ticks(columns))


def ends(columns: Columns) -> Panel:
    """Draw how each ended: a lane for each way, so that nobody has to tell colours apart."""
    found = [each.outcome for each in columns.rollouts]
    lanes = [outcome for outcome in OUTCOMES if outcome in found]
    lanes += sorted(set(found) - set(lanes))
    return Panel(
        css="ends",
        title="How they ended",
        told=", ".join(f"{count(found.count(lane))} {lane}" for lane in lanes),
        lanes=len(lanes),
        spans=[
            columns.box(
                place,
                _css(each),
                100 * (lanes.index(each.outcome) + BAR[0]) / len(lanes),
                100 * BAR[1] / len(lanes),
                _title(each),
            )
            for place, each in enumerate(columns.rollouts)
        ],
        labels=[
            Label("name", 0, round(100 * (lane + NAME) / len(lanes), 2), f"{outcome} {count(found.count(outcome))}")
            for lane, outcome in enumerate(lanes)
        ],
    )


def lengths(columns: Columns) -> Panel:
    """Draw how long each took: evidence below, holds and all the rest above."""
    rollouts = columns.rollouts
    scale = Scale.of([each.took for each in rollouts])
    cut = sum(each.took > scale.top for each in rollouts)
    held = [("held", "held")] if any(each.held for each in rollouts) else []
    return Panel(
        css="times",
        title="How long they took",
        told=_range([each.took for each in rollouts]),
        legend=(
            ("evidence", "waiting for requests"),
            *held,
            ("rest", "everything else"),
            *([("", f"{count(cut)} took longer than the drawing is high")] if cut else []),
        ),
        rules=scale.rules,
        spans=[span for place, each in enumerate(rollouts) for span in _length(columns, place, each, scale)],
    )


def evidence(columns: Columns, stairs: Sequence[int]) -> Panel:
    """Draw how long each step waited for requests, one above the other."""
    scale = Scale.of([each.evidence for each in columns.rollouts if each.evidence])
    return Panel(
        css="times",
        title="Evidence per step",
        told=_range([each.evidence for each in columns.rollouts]),
        legend=[(_shade(place), f"{weight} %") for place, weight in enumerate(stairs)],
        rules=scale.rules,
        spans=[
            span for place, each in enumerate(columns.rollouts) for span in _steps(columns, place, each, stairs, scale)
        ],
    )


def hurting(columns: Columns) -> Panel:
    """Draw how long the canary could hurt, where that was measured."""
    known = [(place, each.hurt, each) for place, each in enumerate(columns.rollouts) if each.hurt is not None]
    scale = Scale.of([hurt for _, hurt, _ in known])
    return Panel(
        css="times",
        title="Rollback time",
        told=f"Of {count(len(known))} rollbacks: {_range([hurt for _, hurt, _ in known])}",
        legend=(("rolled-back", "from the first bad answer to the last request to the canary, by Envoy's log"),),
        rules=scale.rules,
        spans=[
            columns.box(
                place, "rolled-back", 100 - scale.height(hurt), scale.height(hurt), f"{seconds(hurt)}; {_title(each)}"
            )
            for place, hurt, each in known
        ],
    )


def share(columns: Columns) -> Panel:
    """Draw the share of deployments that were taken back, of the last ``LAST`` up to each."""
    reached = [(columns.middle(place), each) for place, each in enumerate(columns.rollouts) if each.reached]
    known = [
        (reached[last][0], sum(each.failed for _, each in reached[last + 1 - LAST : last + 1]) / LAST)
        for last in range(LAST - 1, len(reached))
    ]
    rates = [rate for _, rate in known]
    top = rate_ticks(max([0.05, *rates]))[-1]
    points = [(x, round(100 - 100 * rate / top * 0.94, 2)) for x, rate in known]
    return Panel(
        css="times",
        title=f"Taken back, of the last {LAST} that reached production",
        told=f"{percent(known[-1][1])} at the end, between {percent(min(rates))} and {percent(max(rates))}.",
        rules=[Rule("grid", round(100 - 100 * tick / top * 0.94, 2), percent(tick)) for tick in rate_ticks(top)],
        paths=[Path("failing line", path(points))] if len(points) > 1 else [],
        labels=[Label("value", points[-1][0], points[-1][1], percent(known[-1][1]), anchor="end")],
    )


def _length(columns: Columns, place: int, each: Finished, scale: Scale) -> Iterator[Span]:
    parts = (
        ("evidence", each.evidence),
        ("held", each.held),
        ("rest", max(0.0, each.took - each.evidence - each.held)),
    )
    words = f"{seconds(each.took)}, of which {seconds(each.evidence)} were waiting for requests"
    words += f" and {seconds(each.held)} held" if each.held else ""
    yield from _stack(columns, place, parts, scale, f"{words}; {_title(each)}")


def _steps(columns: Columns, place: int, each: Finished, stairs: Sequence[int], scale: Scale) -> Iterator[Span]:
    parts = [(_shade(stairs.index(step.weight)), step.evidence) for step in each.steps]
    words = ", ".join(f"{step.weight} % {seconds(step.evidence)}" for step in each.steps)
    yield from _stack(columns, place, parts, scale, f"{words}; {_title(each)}")


def _stack(
    columns: Columns, place: int, parts: Sequence[tuple[str, float]], scale: Scale, title: str
) -> Iterator[Span]:
    """Draw parts of a column from below to above."""
    ends = accumulate((length for _, length in parts), initial=0.0)
    for (css, _), (first, last) in zip(parts, pairwise(ends), strict=True):
        low, high = scale.height(first), scale.height(last)
        if high > low:
            yield columns.box(place, css, 100 - high, high - low, title)


def _ticks(columns: Columns) -> Iterator[Tick]:
    """Mark where days begin, or hours where all is of one day, as many as there is room for."""
    dates = [day(each.began) for each in columns.rollouts]
    texts = [date[5:10] for date in dates]
    if len(set(texts)) == 1:
        texts = [date[11:16] for date in dates]
    narrow = wide = -float("inf")
    for place, text in enumerate(texts):
        x = columns.middle(place)
        if (place and text == texts[place - 1]) or x - wide < 100 / WIDE:
            continue
        first = x - narrow >= 100 / NARROW
        narrow, wide = x if first else narrow, x
        yield Tick(x, text, 1 if first else 2)


def _text(at: float) -> str:
    return f"{at:g} s" if at < MINUTE else seconds(at)


def _range(lengths: Sequence[float]) -> str:
    return f"{seconds(median(lengths))} in the median, from {seconds(min(lengths))} to {seconds(max(lengths))}."


def _title(each: Finished) -> str:
    return f"{day(each.began)}: {each.why}"


def _css(each: Finished) -> str:
    return {"promoted": "promoted", "rolled back": "rolled-back", "refused": "not-started"}.get(
        each.outcome, "undecided"
    )


def _shade(place: int) -> str:
    return f"stair-{min(place, SHADES - 1)}"
