"""A rollback from near: its moments in a lane each, on an axis of its own that is as long as the harm was.

On the axis of the whole rollout verdict, write and last request are one point; what matters are the parts of a second
between them.
"""

from collections.abc import Iterator
from math import ceil, floor

from ci.reporters.figures import moment
from ci.reporters.report.axis import Tick, TimeAxis, rate_ticks
from ci.reporters.report.harm import Harm
from ci.reporters.report.shapes import Label, Mark, Panel, Span

MARGIN = 0.06  # of the axis, before the first moment and after the last
SHORTEST = 0.05  # seconds: moments that fall together still have an axis
NAME, SIGN = 0.32, 0.7  # of a lane, from its top
MIDDLE = 50.0  # percent of the axis


def harm_panel(found: Harm, time: TimeAxis) -> Panel:
    """Draw a rollback.

    Args:
        found: its moments.
        time: the axis, see ``near``.
    """
    said = [f"{each.what} {each.since:+.2f} s" for each in found.moments]
    return Panel(
        css="harm",
        title="From near",
        told=f"The moments of the rollback, in seconds: {', '.join(said)}.",
        legend=(("harm", "from the first bad answer to the last request"),) if found.measured and found.stretch else (),
        lanes=len(found.moments),
        spans=list(_stretch(found, time)),
        marks=[
            Mark("dot", time.x(each.at), _y(found, lane, SIGN), f"{moment(each.at)} UTC: {each.what}")
            for lane, each in enumerate(found.moments)
        ],
        labels=[label for lane in range(len(found.moments)) for label in _labels(found, lane, time)],
    )


def near(found: Harm) -> tuple[TimeAxis, list[Tick]]:
    """Make the axis on which a rollback is drawn from near.

    Args:
        found: its moments.

    Returns:
        The axis, and what is marked on it: the seconds of the moments' ``since``.
    """
    first, last = found.moments[0], found.moments[-1]
    length = max(last.at - first.at, SHORTEST)
    time = TimeAxis(first.at - MARGIN * length, last.at + MARGIN * length)
    step, zero = rate_ticks(length)[0], first.at - first.since
    marked = (number * step for number in range(ceil(first.since / step), floor((last.at - zero) / step) + 1))
    return time, [Tick(time.x(zero + since), f"{since:g} s", 1) for since in marked]


def _stretch(found: Harm, time: TimeAxis) -> Iterator[Span]:
    if found.stretch:
        begin, end = map(time.x, found.stretch)
        yield Span("harm", begin, round(end - begin, 2), 0, 100, "the canary could hurt")


def _labels(found: Harm, lane: int, time: TimeAxis) -> Iterator[Label]:
    """Name the moment over its lane, and say how late it was beside its sign."""
    each = found.moments[lane]
    yield Label("name", 0, _y(found, lane, NAME), each.what)
    x = time.x(each.at)
    css, anchor = ("after", "start") if x < MIDDLE else ("before", "end")
    yield Label(css, x, _y(found, lane, SIGN), f"{each.since:+.2f} s", anchor=anchor)


def _y(found: Harm, lane: int, part: float) -> float:
    return round(100 * (lane + part) / len(found.moments), 2)
