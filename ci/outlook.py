"""``sluicegate plan``: before a release, how long each step will take, and how soon a bad canary is stopped.

Nothing is measured and nothing changed: traffic and group size are what the person says; the arithmetic is
checks/forecast.py's.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from checks.evidence import Terms
from checks.forecast import StepForecast, StopForecast, automatic, forecast, stop_forecast
from checks.words import count, percent, seconds
from fixtures.errors import InputError
from fixtures.release import Release
from fixtures.surroundings import terms

ERROR_RATES = (0.02, 0.05, 0.20, 1.0)
_PER_SECOND = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Outlook:
    """What is to be expected of a release.

    Attributes:
        rate: requests a second.
        group: requests that may share one fate.
        steps: how long each takes for a canary as good as stable.
        stops: per step and error rate, how soon it is stopped.
    """

    rate: float
    group: float
    steps: tuple[StepForecast, ...]
    stops: tuple[StopForecast, ...]

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object; what never happens is null."""
        found = asdict(self)
        found["steps"] = [{**asdict(step), "fits": step.fits} for step in self.steps]
        return _finite(found)  # type: ignore[no-any-return]

    def lines(self) -> Iterator[str]:
        """Say it to a person."""
        yield f"at {self.rate:g} requests/s, groups of {self.group:g}, a canary as good as stable (0.1 % errors):"
        for step in self.steps:
            late = "" if step.fits else f"  <- over its limit of {seconds(step.limit)}: this release would be refused"
            yield f"  step {step}{late}"
        whole = sum(step.seconds for step in self.steps)
        if whole < float("inf"):
            yield f"  in all about {seconds(whole)}, nine times of ten, and what Git and Argo CD take"
        yield "a bad canary is stopped, in the mean:"
        for stop in self.stops:
            yield f"  {_stopped(stop)}"


def _stopped(stop: StopForecast) -> str:
    what = f"{percent(stop.error_rate):>6} errors at {stop.weight:g} %"
    if stop.seconds == float("inf"):
        return f"{what}: not within the step's limit; it would not pass either"
    return f"{what}: after {seconds(stop.seconds)} and {count(max(1, stop.bad))} bad answers"


def _finite(value: Any) -> Any:
    """Replace infinity, which JSON does not know."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if value == float("inf") else value


def rate_of(text: str) -> float:
    """Read a rate as people write it.

    Args:
        text: such as ``120/s``, ``600/m`` or ``120``.

    Raises:
        InputError: when it is none.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:/([smh]))?", text.strip())
    if found is None or float(found[1]) <= 0:
        raise InputError(f"{text!r} is no rate", where="--rate", remedy="write it as 120/s, 600/m or 9000/h")
    return float(found[1]) / _PER_SECOND[found[2] or "s"]


def outlook(release: Release, rate: float, group: float | None) -> Outlook:
    """Forecast a release.

    Args:
        release: its file.
        rate: requests a second.
        group: requests that may share one fate; None takes what the release file says.
    """
    found = release.steps or [step.weight for step in automatic(lambda weight: _terms(release, weight, group), rate)]
    steps = [_terms(release, int(weight), group) for weight in found]
    return Outlook(
        rate,
        steps[0].group,
        tuple(forecast(each, rate) for each in steps),
        tuple(stop_forecast(each, rate, bad) for each in steps[:1] for bad in ERROR_RATES),
    )


def _terms(release: Release, weight: int, group: float | None) -> Terms:
    said = terms(release, weight)
    return said if group is None else replace(said, group=group)
