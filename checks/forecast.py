"""How much traffic a decision needs: said before a release, so that none begins that can not end.

A forecast is the judges' own arithmetic, run on the traffic to be expected: the number of bad requests that a good
canary has with probability 90 % at most (mean plus 1.28 standard deviations of a binomial), and the mean for a bad
one. It is the median to 90 % case of people, not a bound. As good as stable means stable's own rates where they were
measured (checks/history.py), else 0.1 % errors, and a tenth of the slow answers that are allowed.

Example:
    >>> 900 < requests_to_pass(0.01, true_rate=0.001, group=1, error=0.01) < 1300
    True
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from checks.evidence import Count, Terms
from checks.history import Clumping
from checks.rate import POOLED
from checks.sequential import evidence_above, evidence_below, lower_bound
from checks.steps import FIRST, steps_from
from checks.wanting import fewest
from checks.words import count, seconds

GOOD = 0.001  # the error rate of a stable that nobody has measured
_P90 = 1.2816  # standard deviations


@dataclass(frozen=True)
class StepForecast:
    """What one step will take for a good canary.

    Attributes:
        weight: of the canary, percent.
        seconds: until all gates have passed; infinity when one never will.
        requests: of the canary, that the slowest gate needs.
        slowest: the gate that needs most.
        limit: the step's time limit, seconds.
        group: requests that may share one fate.
    """

    weight: float
    seconds: float
    requests: float
    slowest: str
    limit: float
    group: float = 1.0

    @property
    def fits(self) -> bool:
        """Whether the step can pass within its limit."""
        return self.seconds <= self.limit

    def __str__(self) -> str:
        """Say it to a person."""
        if self.seconds == float("inf"):
            return f"{self.weight:g} %: {self.slowest} never passes, however much traffic there is"
        needs = f"{count(self.requests)} canary requests for {self.slowest}"
        return f"{self.weight:g} %: about {seconds(self.seconds)} ({needs})"


@dataclass(frozen=True)
class StopForecast:
    """How soon a bad canary is stopped at a step.

    Attributes:
        weight: of the canary, percent.
        error_rate: that it really has.
        seconds: until FAIL; infinity when it is not stopped within the limit.
        bad: bad answers until then.
    """

    weight: float
    error_rate: float
    seconds: float
    bad: float


def _bad(requests: float, rate: float, group: float) -> float:
    """Give the bad requests that are exceeded in one case of ten, when groups fail together."""
    return requests * rate + _P90 * sqrt(requests * rate * (1 - rate) * group)


def requests_to_pass(objective: float, *, true_rate: float, group: float, error: float) -> float:
    """Give the requests until a rate is shown to be under an objective, in nine cases of ten.

    Args:
        objective: a share.
        true_rate: that the canary really has.
        group: requests that may share one fate.
        error: probability of a false PASS.

    Returns:
        Requests of the canary; infinity when it is never shown.
    """
    return fewest(lambda n: evidence_below(objective, n, min(n, _bad(n, true_rate, group)), group) >= 1 / error)


def requests_against_stable(terms: Terms, true_rate: float) -> float:
    """Give the requests until the canary is shown to be as good as stable, in nine cases of ten.

    Args:
        terms: of the step.
        true_rate: that both really have.

    Returns:
        Requests of the canary.
    """
    per_canary = (100 - terms.weight) / terms.weight
    group, stable_group = terms.margin_group or terms.group, terms.stable_group or terms.group

    def shown(n: float) -> bool:
        stable = Count(n * per_canary, n * per_canary * true_rate)
        limit = lower_bound(stable, stable_group, terms.pass_error / 2) + terms.margin
        bad = min(n, _bad(n, true_rate, group))
        return evidence_below(limit, n, bad, group) >= 2 / terms.pass_error

    return fewest(shown)


def forecast(terms: Terms, rate: float, clumping: Clumping | None = None) -> StepForecast:
    """Say how long a step takes for a canary that is as good as stable.

    Args:
        terms: of the step.
        rate: requests a second to both versions.
        clumping: stable's own rates; None where nobody has measured them.
    """
    measured = clumping.errors if clumping else None
    true_rate = measured.rate if measured else GOOD
    needs = {
        "error rate": requests_to_pass(
            terms.error_rate, true_rate=true_rate, group=terms.group, error=terms.pass_error
        ),
    }
    if terms.weight < 100:  # noqa: PLR2004 - at 100 % there is no stable
        needs["error rate against stable"] = requests_against_stable(terms, true_rate)
    needs |= _latency_needs(terms, clumping)
    slowest = max(needs, key=lambda gate: needs[gate])
    canary = rate * terms.weight / 100
    duration = needs[slowest] / canary if canary > 0 else float("inf")
    return StepForecast(terms.weight, max(terms.soak, duration), needs[slowest], slowest, terms.limit, terms.group)


def _latency_needs(terms: Terms, clumping: Clumping | None) -> dict[str, float]:
    needs = {}
    for index, objective in enumerate(terms.latency):
        slow = 1 - objective.share
        measured = clumping.slow[index] if clumping and index < len(clumping.slow) else None
        group = terms.latency_groups[index] if terms.latency_groups else terms.group
        needs[f"latency {objective.share:.4g}"] = requests_to_pass(
            slow, true_rate=measured.rate if measured else slow / 10, group=group, error=terms.pass_error
        )
    return needs


def automatic(
    terms_at: Callable[[int], Terms], rate: float, clumping: Clumping | None = None
) -> tuple[StepForecast, ...]:
    """Choose steps: the smallest first one that can pass within its limit, then the usual ones.

    Args:
        terms_at: gives the terms of a step by its weight, percent.
        rate: requests a second to both versions.
        clumping: as ``forecast``.

    Returns:
        Their forecasts; where not even all of the traffic is enough, that of 100 % alone.
    """
    fits = (weight for weight in FIRST if forecast(terms_at(weight), rate, clumping).fits)
    return tuple(forecast(terms_at(weight), rate, clumping) for weight in steps_from(next(fits, FIRST[-1])))


def stop_forecast(terms: Terms, rate: float, error_rate: float) -> StopForecast:
    """Say how soon a canary with an error rate is stopped, in the mean.

    Args:
        terms: of the step.
        rate: requests a second to both versions.
        error_rate: that the canary has.
    """
    canary = rate * terms.weight / 100
    group = 2 * terms.group if terms.group > 1 else 1.0

    def stopped(n: float) -> bool:
        # Of checks/harm.py's evidence, the part that says "from the start": half of one of two halves.
        return POOLED / 4 * evidence_above(terms.error_rate, n, n * error_rate, group) >= 1 / terms.fail_error

    requests = fewest(stopped) if error_rate > terms.error_rate else float("inf")
    duration = requests / canary if canary > 0 else float("inf")
    if duration > terms.limit:
        return StopForecast(terms.weight, error_rate, float("inf"), float("inf"))
    return StopForecast(terms.weight, error_rate, duration, requests * error_rate)
