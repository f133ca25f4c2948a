"""Every decision at its moment: a lane for each gate that watches, one for gates that look once, one for people.

Where traffic was taken back, its moments have a lane too.
"""

from collections.abc import Iterator, Sequence

from ci.events import VerdictReached
from ci.reporters.figures import moment
from ci.reporters.report.axis import TimeAxis
from ci.reporters.report.harm import Harm
from ci.reporters.report.rollout import Rollout, Run
from ci.reporters.report.shapes import Label, Mark, Panel, Span

CHECKS = "gates that look once"
NOTES = "people, holds and notes"
ROLLBACK = "rollback"
SIGNS = (("PASS", "passed"), ("FAIL", "failed"), ("INCONCLUSIVE", "neither shown"))
MIDDLE = 0.66  # of a lane: its name stands over it


def decisions_panel(rollout: Rollout, hurt: Harm | None, time: TimeAxis) -> Panel:
    """Draw the decisions.

    Args:
        rollout: what happened.
        hurt: the moments of its rollback; None where there was none.
        time: the axis.
    """
    lanes = [*_lanes(rollout), *([ROLLBACK] if hurt else [])]
    dots = [(NOTES, at, text) for at, text in rollout.notes]
    dots += [(ROLLBACK, each.at, each.what) for each in hurt.moments] if hurt else []
    return Panel(
        css="decisions",
        title="Decisions",
        told=_told(rollout),
        legend=(*SIGNS, *([("dot", "said, noted or done")] if dots else [])),
        lanes=len(lanes),
        spans=[
            *(span for run in rollout.runs for span in _watching(run, lanes, time)),
            *(_hurting(hurt, lanes, time) if hurt else []),
        ],
        marks=[mark for run in rollout.runs for mark in _marks(run, lanes, time)]
        + [Mark("dot", time.x(at), _y(lane, lanes), f"{moment(at)} UTC: {text}") for lane, at, text in dots],
        labels=[Label("name", 0, _y(lane, lanes, 0.3), lane.replace("_", " ")) for lane in lanes],
    )


def _lanes(rollout: Rollout) -> list[str]:
    """Name the lanes: gates whose evidence is counted first, then guards, then all that look once, then people."""
    verdicts = [verdict for run in rollout.runs if run.watched for verdict in run.verdicts]
    counting = dict.fromkeys(verdict.gate for verdict in verdicts if _counts(verdict))
    watching = dict.fromkeys(verdict.gate for verdict in verdicts)
    others = (gate for gate in watching if gate not in counting)
    return [*counting, *others, CHECKS, *([NOTES] if rollout.notes else [])]


def _counts(verdict: VerdictReached) -> bool:
    return any("requests" in name for name in verdict.numbers)


def _y(lane: str, lanes: Sequence[str], part: float = MIDDLE) -> float:
    return round(100 * (lanes.index(lane) + part) / len(lanes), 2)


def _watching(run: Run, lanes: Sequence[str], time: TimeAxis) -> Iterator[Span]:
    """Draw from when to when each gate watched."""
    if not run.watched or run.ready is None:
        return
    for gate, verdict in run.final.items():
        if verdict is not None and gate in lanes:
            x = time.x(run.ready)
            yield Span("watch", x, round(max(0.0, time.x(verdict.at) - x), 2), _y(gate, lanes), 0)


def _hurting(hurt: Harm, lanes: Sequence[str], time: TimeAxis) -> Iterator[Span]:
    if hurt.stretch:
        begin, end = map(time.x, hurt.stretch)
        yield Span("watch hurting", begin, round(end - begin, 2), _y(ROLLBACK, lanes), 0)


def _marks(run: Run, lanes: Sequence[str], time: TimeAxis) -> Iterator[Mark]:
    for verdict in run.verdicts:
        lane = verdict.gate if run.watched and verdict.gate in lanes else CHECKS
        title = f"{moment(verdict.at)} UTC, {run.part}, {verdict.gate}: {verdict.outcome}, {verdict.sentence}"
        yield Mark(verdict.outcome, time.x(verdict.at), _y(lane, lanes), title)


def _told(rollout: Rollout) -> str:
    outcomes = [verdict.outcome for run in rollout.runs for verdict in run.final.values() if verdict]
    against = [
        f"{gate} in the part {run.part}: {verdict.outcome}"
        for run in rollout.runs
        for gate, verdict in run.final.items()
        if verdict and verdict.outcome != "PASS"
    ]
    rest = f"; {', '.join(against)}" if against else ""
    return (
        f"{outcomes.count('PASS')} of {len(outcomes)} decisions were PASS{rest}. All of them are in the table of gates."
    )
