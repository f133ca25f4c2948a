"""The canary answers as fast as promised, for every percentile that the release file names.

Rules:
    1. "99 % within 500 ms" means: at most 1 % of the requests take longer than 500 ms. That share is a rate, and it is
       decided as every rate is (checks/rate.py); a quantile of a histogram is only an interpolation
    2. so the bound has to be an edge of the histogram's buckets; whoever fills the counts refuses any other
    3. all percentiles have to pass, the first that fails decides
    4. a source that can not tell slow from fast is no data
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from checks.evidence import Answers, Count, Nearness, Terms, Tick, Traffic
from checks.gate import Decision, Judge, Role, gate
from checks.rate import RateJudge
from checks.verdict import Outcome, Proof, Verdict, failed, inconclusive, passed
from checks.words import milliseconds, percent


class _Slowness(RateJudge):
    """One percentile."""

    def __init__(self, terms: Terms, index: int) -> None:
        objective = terms.latency[index]
        bound = f"slower than {milliseconds(objective.bound)}" if objective.bound else "that are slow"
        what = f"share of canary answers {bound}:"
        if terms.latency_groups:
            terms = replace(terms, group=terms.latency_groups[index])
        super().__init__(terms, 1 - objective.share, what, terms.fail_error / len(terms.latency))
        self._index = index

    def ended(self, traffic: Traffic) -> Count:
        return self._slow(traffic.canary)

    def by_pod(self, traffic: Traffic) -> Mapping[str, Count]:
        return {pod: self._slow(answers) for pod, answers in traffic.pods.items()}

    def _slow(self, answers: Answers) -> Count:
        return answers.slow[self._index] if self._index < len(answers.slow) else Count()


class Latency(Judge):
    """Every latency objective is shown to be kept."""

    role = Role.DECIDER

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms)
        self._parts = [Decision(_Slowness(terms, index)) for index in range(len(terms.latency))]

    def look(self, tick: Tick) -> Outcome:
        """Show the tick to every percentile.

        Args:
            tick: what happened since the look before.
        """
        for part in self._parts:
            part.look(tick)
        return self._outcome()

    def _outcome(self) -> Outcome:
        outcomes = {part.outcome for part in self._parts}
        for outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE):
            if outcome in outcomes:
                return outcome
        return Outcome.PASS

    def verdict(self) -> Verdict:
        """Give the sentence of the percentile that decides, or of all when they pass."""
        if not self._parts:
            return passed("the release file sets no latency objective: there is none to break", Proof(1))
        outcome = self._outcome()
        speaking = [part.verdict for part in self._parts if part.outcome is outcome]
        sentence = "; ".join(each.sentence for each in speaking)
        numbers = {
            f"{name}_over_{percent(objective.share)[:-2]}": value
            for objective, part in zip(self.terms.latency, self._parts, strict=True)
            for name, value in part.verdict.numbers.items()
        }
        if outcome is Outcome.FAIL:
            return failed(sentence, **numbers)
        if outcome is Outcome.INCONCLUSIVE:
            return inconclusive(sentence, **numbers)
        return passed(sentence, Proof(len(self._parts)), **numbers)

    def nearness(self) -> Nearness:
        """Say how near the slowest percentile is."""
        if not self._parts:
            return Nearness(self.verdict().sentence)
        open_parts = [part for part in self._parts if not part.final] or self._parts
        return min((part.judge.nearness() for part in open_parts), key=lambda each: each.evidence)

    def state(self) -> dict[str, Any]:
        """Keep the evidence of harm of every percentile."""
        return {"parts": [part.judge.state() for part in self._parts]}

    def resume(self, state: dict[str, Any]) -> None:
        """Take the evidence of harm that the steps before have gathered.

        Args:
            state: what ``state`` gave there.
        """
        for part, kept in zip(self._parts, state["parts"], strict=True):
            part.judge.resume(kept)


@gate(Latency)
def test_latency(verdict: Verdict) -> None:
    """Every latency objective is shown to be kept."""
    verdict.require()
