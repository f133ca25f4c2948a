"""One recorded run under judgement, look by look.

Rules:
    1. a run passes a weight when all gates have passed at it and the traffic is seen, and fails at the first FAIL
    2. a run whose looks go on after it has passed is watched on, as a hold is: it can still fail
    3. a run that goes on to the next weight before it has passed this one can not pass any more, but it can still fail
    4. what is undecided at the end, or at the step's limit, is INCONCLUSIVE
    5. when one gate has failed the run is over, but the others are still heard at this weight: whoever replays wants to
       know what each of them says

Example:
    >>> Replay("a").outcome()["verdict"]
    'INCONCLUSIVE'
"""

from collections.abc import Mapping
from typing import Any

from checks.against_stable import AgainstStable
from checks.error_rate import ErrorRate
from checks.evidence import Terms
from checks.gate import Decision, Judge
from checks.latency import Latency
from checks.verdict import Outcome
from fixtures.recording import Look

JUDGES: Mapping[str, type[Judge]] = {
    "error_rate": ErrorRate,
    "error_rate_against_stable": AgainstStable,
    "latency": Latency,
}


class Step:
    """One weight under judgement.

    Args:
        terms: of the step.
        judges: per gate name.
        carried: the judges' states at the end of the step before.
    """

    def __init__(self, terms: Terms, judges: Mapping[str, type[Judge]], carried: Mapping[str, Any]) -> None:
        self.terms = terms
        self._decisions = {name: Decision(judge(terms)) for name, judge in judges.items()}
        self._at: dict[str, float] = {}
        self.failed_at: float | None = None
        self.passed_at: float | None = None
        self.is_over = False
        for name, state in carried.items():
            if name in self._decisions:
                self._decisions[name].judge.resume(state)

    def look(self, look: Look) -> None:
        """Show a look to all gates.

        Args:
            look: the look.
        """
        if self.is_over:
            return
        for name, decision in self._decisions.items():
            before = decision.outcome
            decision.look(look.tick)
            if decision.outcome is not before:
                self._at[name] = look.t
        outcomes = {decision.outcome for decision in self._decisions.values()}
        if self.failed_at is None and Outcome.FAIL in outcomes:
            self.failed_at = look.t
        if self.passed_at is None and outcomes == {Outcome.PASS} and look.tick.traffic is not None:
            self.passed_at = look.t
        self.is_over = self.passed_at is None and look.tick.settled and look.tick.at >= self.terms.limit

    def states(self) -> dict[str, Any]:
        """Give what the next step has to know of this one."""
        return {name: decision.judge.state() for name, decision in self._decisions.items()}

    def outcome(self) -> tuple[Outcome, float | None]:
        """Give the verdict as it stands, and since when."""
        if self.failed_at is not None:
            return Outcome.FAIL, self.failed_at
        return (Outcome.PASS if self.passed_at is not None else Outcome.INCONCLUSIVE), self.passed_at

    def as_json(self) -> dict[str, Any]:
        """Give weight, verdict and gates."""
        verdict, at = self.outcome()
        gates = {name: self._gate(name, decision) for name, decision in self._decisions.items()}
        return {"weight": self.terms.weight, "verdict": verdict.value, "at": at, "gates": gates}

    def _gate(self, name: str, decision: Decision) -> dict[str, Any]:
        decided = decision.outcome is not Outcome.INCONCLUSIVE
        verdict = decision.verdict
        return {
            "verdict": decision.outcome.value,
            "at": self._at[name] if decided else None,
            "after": decision.at if decided else None,
            "sentence": verdict.sentence,
            "numbers": dict(verdict.numbers),
        }


class Replay:
    """One recorded run under judgement.

    Args:
        run: its name.
    """

    def __init__(self, run: object) -> None:
        self._run = run
        self._steps: list[Step] = []
        self._watching: Step | None = None
        self._left_open = False

    @property
    def _current(self) -> Step | None:
        return self._watching or (self._steps[-1] if self._steps else None)

    def begin(self, terms: Terms, judges: Mapping[str, type[Judge]] = JUDGES, *, watch: bool = False) -> None:
        """Begin to watch a weight: PASS evidence anew, evidence of harm carried on.

        Args:
            terms: of the step.
            judges: per gate name.
            watch: whether only harm is looked for, as in a hold.
        """
        before = self._current
        if before is not None and (before.failed_at is not None or before.is_over):
            before.is_over = True
            return
        step = Step(terms, judges, before.states() if before else {})
        self._watching = step if watch else None
        if not watch:
            self._left_open |= bool(self._steps) and self._steps[-1].passed_at is None
            self._steps.append(step)

    def look(self, look: Look) -> None:
        """Show the run's next look to all gates.

        Args:
            look: the look.
        """
        if self._current is not None:
            self._current.look(look)

    def outcome(self) -> dict[str, Any]:
        """Give the verdicts as they stand: per gate and in all, each with the ``t`` of its decision."""
        steps = self._steps
        verdict, at = steps[-1].outcome() if steps else (Outcome.INCONCLUSIVE, None)
        if verdict is Outcome.PASS and self._left_open:
            verdict, at = Outcome.INCONCLUSIVE, None
        if self._watching is not None and self._watching.failed_at is not None:
            verdict, at = Outcome.FAIL, self._watching.failed_at
            steps = [*self._steps, self._watching]
        told = [step.as_json() for step in steps]
        gates = told[-1]["gates"] if told else {}
        return {"run": self._run, "gates": gates, "verdict": verdict.value, "at": at, "steps": told}
