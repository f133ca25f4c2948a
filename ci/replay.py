"""Judges recorded traffic again, offline: the same judges, the same looks, other objectives if one likes.

Rules:
    1. a run passes a weight when all gates have passed at it, and fails at the first FAIL; after that it is over
    2. a run whose lines go on after it has passed is watched on, as a hold is: it can still fail
    3. what is undecided at the end, or at the step's limit, is INCONCLUSIVE
    4. the lines at weight 0 before the first step are stable's history, from which ``--group auto`` is estimated

Example:
    >>> replay = Replay("a", Objectives())
    >>> replay.outcome()["verdict"]
    'INCONCLUSIVE'
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from checks.against_stable import AgainstStable
from checks.error_rate import ErrorRate
from checks.evidence import Count, LatencyObjective, Terms, Tick
from checks.gate import Decision, Judge
from checks.group import UNKNOWN, estimate
from checks.harm import BLOCK_SECONDS
from checks.latency import Latency
from checks.verdict import Outcome
from fixtures.recording import Look

JUDGES: Mapping[str, type[Judge]] = {
    "error_rate": ErrorRate,
    "error_rate_against_stable": AgainstStable,
    "latency": Latency,
}


@dataclass(frozen=True)
class Objectives:
    """What the recorded traffic is judged by.

    Attributes:
        terms: of every step; the weight is the record's.
        group: requests that may share one fate; None estimates it from the record's history.
    """

    terms: Terms = Terms(weight=0, latency=(LatencyObjective(0.99, 0),))  # noqa: RUF009 - Terms are frozen
    group: float | None = None


@dataclass
class History:
    """Stable's traffic before the release, in blocks of 30 seconds."""

    blocks: list[Count] = field(default_factory=list)
    _seconds: float = 0.0
    _count: Count = field(default_factory=Count)

    def add(self, tick: Tick) -> None:
        """Take in a look at weight 0.

        Args:
            tick: the look.
        """
        if tick.traffic is not None:
            self._count += tick.traffic.stable.all
        self._seconds += tick.seconds
        if self._seconds >= BLOCK_SECONDS:
            self.blocks.append(self._count)
            self._seconds, self._count = 0.0, Count()


class Replay:
    """One recorded run under judgement.

    Args:
        run: its name.
        objectives: what it is judged by.
    """

    def __init__(self, run: str, objectives: Objectives) -> None:
        self.run = run
        self._objectives = objectives
        self._history = History()
        self._weight: float | None = None
        self._decisions: dict[str, Decision] = {}
        self._gates: dict[str, tuple[Outcome, float]] = dict.fromkeys(JUDGES, (Outcome.INCONCLUSIVE, 0.0))
        self._failed_at: float | None = None
        self._left_open = False
        self._over = False

    def look(self, look: Look) -> None:
        """Show the run's next look to all gates.

        Args:
            look: the look.
        """
        if self._failed_at is not None or self._over:
            return
        if look.weight <= 0:
            self._history.add(look.tick)
            return
        if look.weight != self._weight:
            self._begin(look.weight)
        for name, decision in self._decisions.items():
            self._show(name, decision, look)
        self._over = not self._passed() and look.tick.at >= self._objectives.terms.limit

    def _show(self, name: str, decision: Decision, look: Look) -> None:
        before = decision.outcome
        decision.look(look.tick)
        if decision.outcome is not before:
            self._gates[name] = (decision.outcome, look.t)
        if decision.outcome is Outcome.FAIL and self._failed_at is None:
            self._failed_at = look.t

    def _begin(self, weight: float) -> None:
        """Begin a step: PASS evidence anew, evidence of harm carried on."""
        # Whoever recorded it went on before we would have: it can not pass any more, but it can still fail.
        self._left_open |= self._weight is not None and not self._passed()
        states = {name: decision.judge.state() for name, decision in self._decisions.items()}
        self._weight, terms = weight, self._terms(weight)
        self._decisions = {name: Decision(judge(terms)) for name, judge in JUDGES.items()}
        for name, state in states.items():
            self._decisions[name].judge.resume(state)
            self._gates[name] = (Outcome.INCONCLUSIVE, 0.0)

    def _terms(self, weight: float) -> Terms:
        terms = self._objectives.terms
        if self._objectives.group is not None:
            return replace(terms, weight=weight, group=self._objectives.group)
        found = estimate(self._history.blocks, terms.error_rate, weight / 100)
        return replace(terms, weight=weight, group=found.size if found.measured else UNKNOWN, block=found.block)

    def _passed(self) -> bool:
        return bool(self._decisions) and all(each.outcome is Outcome.PASS for each in self._decisions.values())

    def outcome(self) -> dict[str, Any]:
        """Give the verdicts as they stand: per gate and in all, each with the ``t`` of its decision."""
        verdict, at = Outcome.INCONCLUSIVE, None
        if self._failed_at is not None:
            verdict, at = Outcome.FAIL, self._failed_at
        elif self._passed() and not self._left_open:
            verdict, at = Outcome.PASS, max(at for _, at in self._gates.values())
        return {
            "run": self.run,
            "gates": {name: self._gate(name) for name in self._gates},
            "verdict": verdict.value,
            "at": at,
        }

    def _gate(self, name: str) -> dict[str, Any]:
        outcome, at = self._gates[name]
        decision = self._decisions.get(name)
        sentence = decision.verdict.sentence if decision else "nothing was recorded at a weight over 0"
        return {
            "verdict": outcome.value,
            "at": at if outcome is not Outcome.INCONCLUSIVE else None,
            "sentence": sentence,
            "numbers": dict(decision.verdict.numbers) if decision else {},
        }
