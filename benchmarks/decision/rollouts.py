"""Whole rollouts on a simulated service: by our judges as they run live, and by the rules of others.

The same seed gives the same bursts to every rule. Which requests are drawn depends on the weight, and so on the rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.decision.peers import Rule, Seen
from benchmarks.decision.ticks import dealt, tick
from benchmarks.decision.traffic import Model, Numbers, Random, counts, history
from checks.evidence import Answers, Count, LatencyObjective, Terms, Tick, Traffic
from checks.gate import Judge
from checks.history import History
from checks.verdict import Outcome
from ci.replay.judging import JUDGES, Step
from fixtures.recording import Look

STEPS = (5, 25, 50, 100)
OBJECTIVE_GATES = {name: JUDGES[name] for name in ("error_rate", "latency")}
_SLOW = 0.001


@dataclass(frozen=True)
class Ended:
    """How a rollout ended.

    Attributes:
        outcome: PASS is promoted, FAIL is rolled back.
        seconds: that it took.
        bad: bad answers that the canary has served.
    """

    outcome: Outcome
    seconds: float
    bad: float


class Service:
    """A service whose canary has a known error rate.

    Args:
        model: how errors cluster; both versions share the bursts.
        per_second: requests to both versions.
        canary: the canary's error rate.
        stable: stable's.
        seed: of its traffic.
    """

    def __init__(self, model: Model, per_second: float, canary: float, stable: float, seed: int) -> None:
        self._model, self._per_second, self._rates = model, per_second, (canary, stable)
        self.random: Random = np.random.default_rng(seed)
        self._multipliers = model.multipliers(self.random, 4 * 600, 1)
        self.now = 0
        self.bad = 0.0

    def history(self) -> History:
        """Give stable's half hour before the release."""
        found = History()
        past = history(self.random, self._model, self._per_second, self._rates[1], 1)
        for n, x in zip(*(column[:, 0].tolist() for column in past), strict=True):
            stable = Answers(Count(n, x), (Count(n, self.random.binomial(int(n), _SLOW)),))
            found.add(Tick(at=0, seconds=30, traffic=Traffic(stable=stable)))
        return found

    def watch(self, weight: float, seconds: int) -> Seen:
        """Give what would end at a weight in the next seconds."""
        ahead = self._multipliers[self.now : self.now + seconds]
        share = weight / 100
        canary, stable = self._rates
        return Seen(
            *counts(self.random, self._model, self._per_second * share, canary, ahead),
            *counts(self.random, self._model, self._per_second * (1 - share), stable, ahead),
        )

    def spend(self, seconds: float, bad: Numbers) -> None:
        """Let some of these seconds pass."""
        self.now += int(seconds)
        self.bad += float(bad[: int(seconds)].sum())


def ours(
    service: Service,
    gates: Mapping[str, type[Judge]] = OBJECTIVE_GATES,
    *,
    steps: Sequence[int] = STEPS,
    group: float | None = None,
    limit: int = 600,
) -> Ended:
    """Release by our gates.

    Args:
        service: with its canary.
        gates: that decide.
        steps: weights, percent.
        group: b; None takes it from history.
        limit: seconds of a step.
    """
    past, states = service.history(), dict[str, Any]()
    terms = Terms(weight=0, latency=(LatencyObjective(0.99, 0),), limit=limit, steps=len(steps))
    for weight in steps:
        now = replace(terms, weight=weight)
        step = Step(past.estimated(now) if group is None else replace(now, group=group), gates, states)
        seen = service.watch(weight, limit)
        service.spend(_until_decided(step, seen, service.random), seen.bad)
        states = step.states()
        if step.passed_at is None:
            break
    return Ended(step.outcome()[0], service.now, service.bad)


def _until_decided(step: Step, seen: Seen, random: Random) -> int:
    """Show a step second after second, and give how many it took."""
    slow = random.binomial(seen.requests.astype(int), _SLOW)
    columns = (seen.requests, seen.bad, slow, seen.stable_requests, seen.stable_bad)
    for second, row in enumerate(zip(*(column[:, 0].tolist() for column in columns), strict=True), 1):
        step.look(Look(second, step.terms.weight, tick(second, dealt(random, *row[:3]), row[3:])))
        if step.is_over or step.failed_at is not None or step.passed_at is not None:
            return second
    return len(slow)


def theirs(service: Service, rule: Rule) -> Ended:
    """Release by a rule of others."""
    rule.begin(1)
    for weight in rule.weights:
        seen = service.watch(weight, 600)
        on, back = (float(each[0]) for each in rule.step(seen))
        service.spend(min(on, back, 600), seen.bad)
        if on > back or on == np.inf:
            return Ended(Outcome.FAIL if back < np.inf else Outcome.INCONCLUSIVE, service.now, service.bad)
    return Ended(Outcome.PASS, service.now, service.bad)
