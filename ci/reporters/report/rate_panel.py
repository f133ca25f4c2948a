"""A rate of canary and stable over time, each within its interval, and the objective that it must stay under."""

from collections.abc import Iterator

from checks.words import count, percent
from ci.events import VerdictReached
from ci.reporters.figures import moment
from ci.reporters.report.axis import TimeAxis, nice_top, rate_ticks, room
from ci.reporters.report.rates import Curve, Estimate, Rates
from ci.reporters.report.shapes import Label, Mark, Panel, Path, Rule, path

ENOUGH = 50  # requests: a rate of fewer says little, and may leave the panel
HEADROOM = 2.2  # the objective stands under the middle


def rate_panel(rates: Rates, time: TimeAxis) -> Panel:
    """Draw one rate.

    Args:
        rates: its curves.
        time: the axis.
    """
    top = _top(rates)
    lines = [Rule("grid", _y(tick, top), percent(tick)) for tick in rate_ticks(top)]
    return Panel(
        css="rate",
        title=rates.what,
        told=_told(rates),
        legend=(
            ("canary", "canary"),
            ("stable", "stable"),
            ("interval", "95 % intervals"),
            ("objective", f"objective: under {percent(rates.objective)}"),
        ),
        rules=[*lines, Rule("objective", _y(rates.objective, top))],
        paths=[
            *(_band(curve, time, top) for curve in rates.curves),
            *(_line(curve, time, top) for curve in rates.curves),
        ],
        marks=[mark for curve in rates.curves for mark in _marks(rates, curve, time, top)],
        labels=[label for curve in rates.curves for label in _labels(curve, time, top)],
    )


def interval(estimate: Estimate) -> str:
    """Say an estimate: the rate, what it was counted of, and the interval."""
    seen = f"{count(estimate.seen.bad)} of {count(estimate.seen.requests)}"
    return f"{percent(estimate.rate)} ({seen}, 95 % interval {percent(estimate.low)[:-2]} to {percent(estimate.high)})"


def _top(rates: Rates) -> float:
    """Give the rate at the panel's top: what was decided is in sight, the first uncertain moments may not be."""
    known = [estimate for curve in rates.curves for estimate in curve.estimates if estimate.seen.requests >= ENOUGH]
    highest = [estimate.rate * 1.1 for estimate in known]
    ends = [curve.last.high * 1.1 for curve in rates.curves if curve.side == "canary"]
    return nice_top(max([HEADROOM * rates.objective, *highest, *ends, 1e-3]))


def _y(rate: float, top: float) -> float:
    return round(100 - 100 * rate / top * 0.94, 2)


def _band(curve: Curve, time: TimeAxis, top: float) -> Path:
    upper = [(time.x(each.at), _y(each.high, top)) for each in curve.estimates]
    lower = [(time.x(each.at), _y(each.low, top)) for each in curve.estimates]
    return Path(f"{curve.side} band", path([*upper, *reversed(lower)], closed=True))


def _line(curve: Curve, time: TimeAxis, top: float) -> Path:
    return Path(f"{curve.side} line", path([(time.x(each.at), _y(each.rate, top)) for each in curve.estimates]))


def _marks(rates: Rates, curve: Curve, time: TimeAxis, top: float) -> Iterator[Mark]:
    """Put the decisions on the curve that they are about."""
    for verdict in curve.run.verdicts:
        if verdict.gate in rates.gates and curve.side == _about(verdict):
            at = min(curve.estimates, key=lambda each, said=verdict.at: abs(each.at - said))  # type: ignore[misc]
            title = f"{moment(verdict.at)} UTC, {verdict.gate}: {verdict.outcome}, {verdict.sentence}"
            yield Mark(verdict.outcome, time.x(verdict.at), _y(at.rate, top), title)


def _about(verdict: VerdictReached) -> str:
    return "stable" if verdict.gate.startswith("stable") else "canary"


def _labels(curve: Curve, time: TimeAxis, top: float) -> list[Label]:
    if curve.side == "stable":
        return []
    text = percent(curve.last.rate)
    share = time.x(curve.last.at) - time.x(curve.estimates[0].at)
    size = room(share, text)
    y = _y(curve.last.rate, top)
    return [Label("value", time.x(curve.last.at), y, text, size, "end")] if size else []


def _told(rates: Rates) -> str:
    said = [
        f"{curve.side} {'' if curve.run.step is None else f'at {curve.run.step} % '}{interval(curve.last)}"
        for curve in rates.curves
    ]
    return f"{rates.what}: {', '.join(said)}; the objective is under {percent(rates.objective)}."
