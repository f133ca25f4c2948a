"""The phases of a rollout as boxes, and in each the time in which only requests were waited for."""

from ci.reporters.figures import seconds
from ci.reporters.report.axis import TimeAxis, room
from ci.reporters.report.rollout import Rollout
from ci.reporters.report.shapes import Label, Panel, Span
from ci.reporters.timeline import Part


def phases_panel(rollout: Rollout, time: TimeAxis) -> Panel:
    """Draw the phases.

    Args:
        rollout: what happened.
        time: the axis.
    """
    said = [f"{part.label} {seconds(part.took)}" for part in rollout.parts]
    return Panel(
        css="phases",
        title="Phases",
        told=f"Phases with their lengths: {', '.join(said)}.",
        legend=(("evidence", "waiting for requests"), ("overhead", "everything else")),
        spans=[span for part in rollout.parts for span in (_box(part, time), *_watches(part, time))],
        labels=[label for part in rollout.parts for label in _labels(part, time)],
    )


def _box(part: Part, time: TimeAxis) -> Span:
    title = f"{part.label}: {seconds(part.took)}, of which {seconds(part.evidence)} were waiting for requests"
    css = "overhead failed" if part.failed else "overhead"
    return Span(css, time.x(part.began), _width(part, time), 0, 100, title)


def _watches(part: Part, time: TimeAxis) -> list[Span]:
    return [
        Span("evidence", time.x(first), round(time.x(last) - time.x(first), 2), 0, 100, f"{part.label}: watching")
        for first, last in part.watches
    ]


def _labels(part: Part, time: TimeAxis) -> list[Label]:
    x, width = time.x(part.began), _width(part, time)
    words = (("name", 40, part.label), ("length", 80, seconds(part.took)))
    return [Label(css, x, y, text, size) for css, y, text in words if (size := room(width, text))]


def _width(part: Part, time: TimeAxis) -> float:
    return round(time.x(part.began + part.took) - time.x(part.began), 2)
