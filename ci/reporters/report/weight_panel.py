"""The canary's weight as it was written, and by whom."""

from collections.abc import Iterator

from ci.events import WeightsWritten
from ci.reporters.figures import moment
from ci.reporters.report.axis import TimeAxis, room
from ci.reporters.report.harm import Harm
from ci.reporters.report.rollout import Rollout
from ci.reporters.report.shapes import Label, Mark, Panel, Path, Rule, path

FULL, TOP = 100, 112.0  # percent of weight: above is room for the words over 100 %
LINES = (25, 50, 75, FULL)
HIGH, LOW = 87.5, 62.5  # percent of weight: where the words beside a line stand
MIDDLE = 50.0  # percent of the axis


def weight_panel(rollout: Rollout, hurt: Harm | None, time: TimeAxis) -> Panel:
    """Draw the weight.

    Args:
        rollout: in which at least one weight was written.
        hurt: the moments of its rollback; None where there was none.
        time: the axis.
    """
    corners = _corners(rollout, time)
    authors = ", ".join(dict.fromkeys(write.who for write in rollout.weights))
    return Panel(
        css="weight",
        title="Canary weight",
        told=_told(rollout),
        legend=(("canary", "written weight"), ("dot", f"a write by {authors}")),
        rules=[Rule("grid", _y(line), f"{line} %") for line in LINES],
        paths=[
            Path("canary area", path([(0, _y(0)), *corners, (100, _y(0))], closed=True)),
            Path("canary line", path(corners)),
        ],
        marks=[Mark("dot", time.x(write.at), _y(write.canary), _title(write)) for write in rollout.weights],
        labels=[*_weights(rollout, time), *_rollback(rollout, hurt, time)],
    )


def _y(weight: float) -> float:
    return round(100 * (1 - weight / TOP), 2)


def _corners(rollout: Rollout, time: TimeAxis) -> list[tuple[float, float]]:
    """Give the corners of the steps; before the first write the canary has nothing."""
    points, weight = [(0.0, _y(0))], 0
    for write in rollout.weights:
        points += [(time.x(write.at), _y(weight)), (time.x(write.at), _y(write.canary))]
        weight = write.canary
    return [*points, (100.0, _y(weight))]


def _title(write: WeightsWritten) -> str:
    return f"{moment(write.at)} UTC, {write.who}: stable {write.stable} %, canary {write.canary} % ({write.why})"


def _weights(rollout: Rollout, time: TimeAxis) -> Iterator[Label]:
    """Write each weight over its beginning."""
    ends = [*(write.at for write in rollout.weights[1:]), rollout.end]
    for write, end in zip(rollout.weights, ends, strict=False):
        text = f"{write.canary} %"
        yield Label("name", time.x(write.at), _y(write.canary), text, room(time.x(end) - time.x(write.at), text))


def _rollback(rollout: Rollout, hurt: Harm | None, time: TimeAxis) -> Iterator[Label]:
    """Name the lines that go through all panels: the first bad answer, and who took traffic back."""
    if hurt and hurt.stretch:
        yield _beside(time.x(hurt.stretch[0]), LOW, "first bad answer")
    if rollout.rollback:
        yield _beside(time.x(rollout.rollback.at), HIGH, f"taken back by {rollout.rollback.who}")


def _beside(x: float, height: float, text: str) -> Label:
    after = x < MIDDLE
    return Label("rollback", x, _y(height), text, room(100 - x if after else x, text), "start" if after else "end")


def _told(rollout: Rollout) -> str:
    said = [
        f"{write.canary} % at {moment(write.at)}" + (f" by {write.who}" if who != write.who else "")
        for who, write in zip(["", *(write.who for write in rollout.weights)], rollout.weights, strict=False)
    ]
    return f"The canary's weight, as it was written: {', '.join(said)}."
