"""Rates as the gates saw them, look by look, each with the interval in which the true rate lies.

Rules:
    1. counted is what the gate's own sentence counts: from the moment the weight was in effect, or, where a gate has
       failed, all that was watched
    2. counting begins anew at each weight, as the evidence for PASS does
    3. the interval is that of the verdicts (checks/rate.py): 95 %, right at all looks together, with the group size
       that the step's gates used
    4. a curve has so many points as can be told apart; the last look is always one of them
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from checks.evidence import Answers, Count, LatencyObjective, Terms, Traffic
from checks.rate import INTERVAL_ERROR
from checks.sequential import ABOVE, BELOW, Bound
from checks.words import milliseconds
from ci.events import Looked
from ci.reporters.report.rollout import Rollout, Run
from fixtures.recording import journal_tick

POINTS = 500  # in the width of the page
FEWEST = 60  # of one curve

Side = Literal["canary", "stable"]


@dataclass(frozen=True)
class Watch:
    """What one run saw.

    Attributes:
        run: that watched.
        terms: that its gates judged by.
        seen: at each look its moment, and the traffic since the look before; never empty.
        share: of the rollout's time.
    """

    run: Run
    terms: Terms
    seen: Sequence[tuple[float, Traffic]]
    share: float


@dataclass(frozen=True)
class Estimate:
    """A rate as it was known at one moment.

    Attributes:
        at: unix seconds.
        seen: requests that had ended, and the bad ones among them.
        low: the interval's lower end, a share; ``high``: its upper end.
    """

    at: float
    seen: Count
    low: float
    high: float

    @property
    def rate(self) -> float:
        """The share of bad ones; ``seen`` is never empty."""
        return self.seen.bad / self.seen.requests


@dataclass(frozen=True)
class Curve:
    """One side's rate while one run watched.

    Attributes:
        side: whose.
        run: that watched.
        estimates: in order; never empty.
    """

    side: Side
    run: Run
    estimates: Sequence[Estimate]

    @property
    def last(self) -> Estimate:
        """What was known in the end."""
        return self.estimates[-1]


@dataclass(frozen=True)
class Rates:
    """One rate over a whole rollout.

    Attributes:
        what: in words, such as ``error rate``.
        bad: what one of the bad ones is called.
        objective: the share that it has to stay under.
        gates: the names of the gates that judge it.
        curves: of both sides, run by run.
    """

    what: str
    bad: str
    objective: float
    gates: Sequence[str]
    curves: Sequence[Curve]


def rates(rollout: Rollout) -> list[Rates]:
    """Give the error rate, and for each latency objective the share of answers that were too slow.

    Args:
        rollout: with the looks of its runs, and the terms that they judged by.

    Returns:
        Nothing where no run tells its terms.
    """
    length = max(rollout.end - rollout.start, 0.001)
    watches = [
        Watch(run, run.terms, seen, (seen[-1][0] - seen[0][0]) / length)
        for run in rollout.runs
        if run.terms and (seen := _seen(run))
    ]
    if not watches:
        return []
    terms = watches[0].terms
    errors = Rates(
        "Error rate",
        "errors",
        terms.error_rate,
        ("error_rate", "stable_error_rate"),
        _curves(watches, lambda answers: answers.all),
    )
    return [errors, *(_slowness(watches, *objective) for objective in enumerate(terms.latency))]


def _slowness(watches: Sequence[Watch], index: int, objective: LatencyObjective) -> Rates:
    slow = f"slower than {milliseconds(objective.bound)}"

    def pick(answers: Answers) -> Count:
        return answers.slow[index] if index < len(answers.slow) else Count()

    return Rates(f"Answers {slow}", slow, 1 - objective.share, ("latency",), _curves(watches, pick))


def _curves(watches: Sequence[Watch], pick: Callable[[Answers], Count]) -> list[Curve]:
    """Give the curves of both sides; a side without traffic has none."""
    curves = []
    for watch in watches:
        sides: dict[Side, Iterator[Count]] = {
            "stable": (pick(traffic.stable) for _, traffic in watch.seen),
            "canary": (pick(traffic.canary) for _, traffic in watch.seen),
        }
        for side, counts in sides.items():
            moments = (at for at, _ in watch.seen)
            known = [(at, total) for at, total in zip(moments, accumulate(counts), strict=True) if total.requests]
            if known:
                thinned = _thin(known, max(FEWEST, round(POINTS * watch.share)))
                curves.append(Curve(side, watch.run, _estimates(thinned, watch.terms.group)))
    return curves


def _seen(run: Run) -> list[tuple[float, Traffic]]:
    """Give what each look saw, and when; pods are not told apart here."""
    looks = ((look, look.traffic) for look in _counted(run))
    ticks = ((look.at, journal_tick({**vars(look), "traffic": {**seen, "pods": {}}})) for look, seen in looks if seen)
    return [(at, tick.traffic) for at, tick in ticks if tick.traffic is not None]


def _counted(run: Run) -> Sequence[Looked]:
    """Leave out what a gate that passes does not count."""
    settled = [look for look in run.looks if look.settled]
    failed = any(verdict.outcome == "FAIL" for verdict in run.verdicts)
    return run.looks if failed or not settled else settled


def _thin(known: Sequence[tuple[float, Count]], most: int) -> Sequence[tuple[float, Count]]:
    every = -(-len(known) // most)
    return known[::-every][::-1]


def _estimates(known: Sequence[tuple[float, Count]], group: float) -> list[Estimate]:
    low, high = Bound(ABOVE, INTERVAL_ERROR), Bound(BELOW, INTERVAL_ERROR)
    return [
        # Without a bad request nothing is shown from below, and it would take long to find that out.
        Estimate(at, seen, low.update(seen, group) if seen.bad else 0.0, high.update(seen, group))
        for at, seen in known
    ]
