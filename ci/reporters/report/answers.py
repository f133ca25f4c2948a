"""What was answered at each weight, as the table behind the curves."""

from collections.abc import Sequence
from dataclasses import dataclass

from checks.words import percent
from ci.reporters.report.rate_panel import interval
from ci.reporters.report.rates import Rates, Side
from ci.reporters.report.rollout import Run


@dataclass(frozen=True)
class Row:
    """One rate of one run: what it counts, canary and stable in words, and the objective."""

    what: str
    canary: str
    stable: str
    objective: str


@dataclass(frozen=True)
class Answered:
    """All rates of one run."""

    run: Run
    rows: Sequence[Row]


def answered(rates: Sequence[Rates]) -> list[Answered]:
    """Put the last point of every curve into words.

    Args:
        rates: of a rollout.

    Returns:
        One entry a run that watched, in order.
    """
    runs = {curve.run.began: curve.run for each in rates for curve in each.curves}
    return [Answered(run, [_row(each, run) for each in rates]) for run in runs.values()]


def _row(rates: Rates, run: Run) -> Row:
    objective = f"under {percent(rates.objective)}"
    return Row(rates.bad, _cell(rates, run, "canary"), _cell(rates, run, "stable"), objective)


def _cell(rates: Rates, run: Run, side: Side) -> str:
    found = [curve for curve in rates.curves if curve.run is run and curve.side == side]
    return interval(found[0].last) if found else "no requests"
