"""The canary's error rate is under the objective.

Rules:
    1. an error is what the counters call bad: 5xx, gRPC failures, and requests that reached nobody
    2. FAIL is looked at first: evidence of checks/harm.py, one process over the whole rollout
    3. PASS: evidence below the objective (checks/sequential.py), begun anew at each weight, and the soak is over
    4. no request, no evidence; a rate equal to the objective never decides
"""

from typing import Any, ClassVar

from checks.evidence import Count, Nearness, Terms, Tick, Traffic
from checks.gate import Judge, Role, gate
from checks.harm import Harm
from checks.sequential import evidence_below, lower_bound, upper_bound
from checks.verdict import Number, Outcome, Proof, Verdict, failed, inconclusive, passed
from checks.words import count, percent, seconds

INTERVAL_ERROR = 0.025  # a side: a 95 % interval that holds at every look


class ErrorRate(Judge):
    """The canary's error rate is shown to be under the objective."""

    role = Role.DECIDER
    version: ClassVar[str] = "canary"

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms)
        self._harm = Harm(terms.error_rate, terms.group, terms.horizon)
        self._seen = Count()  # under this weight
        self._watched = Count()  # also before it was in effect
        self._unreached = 0.0
        self._at = 0.0
        self._gap = ""
        self._shown = Outcome.INCONCLUSIVE

    def look(self, tick: Tick) -> Outcome:
        """Add the tick's requests and see what they show.

        Args:
            tick: what happened since the look before.
        """
        self._at, self._gap = tick.at, tick.gap
        if tick.traffic is not None:
            self._add(tick.traffic, tick)
        if self._harm.evidence >= 1 / self.terms.fail_error:
            self._shown = Outcome.FAIL
        elif self._evidence() >= 1 / self.terms.pass_error and tick.at >= self.terms.soak:
            self._shown = Outcome.PASS
        else:
            self._shown = Outcome.INCONCLUSIVE
        return self._shown

    def verdict(self) -> Verdict:
        """Say rate, counts, interval, objective and seconds."""
        if self._shown is Outcome.FAIL:
            sentence = f"{self._rate(self._watched)} is over the objective {self._objective()}{self._after()}"
            return failed(sentence, **self._numbers())
        if self._shown is Outcome.PASS:
            sentence = f"{self._rate(self._seen)} is under the objective {self._objective()}{self._after()}"
            return passed(sentence, Proof(self._seen.requests), **self._numbers())
        return inconclusive(self._undecided(), **self._numbers())

    def _add(self, traffic: Traffic, tick: Tick) -> None:
        ended = self._ended(traffic)
        self._watched += ended
        self._unreached += traffic.unreached
        if tick.settled:
            self._seen += ended
        self._harm.add(ended.requests, ended.bad, tick.seconds)

    def _ended(self, traffic: Traffic) -> Count:
        return traffic.canary

    def _evidence(self) -> float:
        return evidence_below(self.terms.error_rate, self._seen.requests, self._seen.bad, self.terms.group)

    def _bounds(self, seen: Count) -> tuple[float, float]:
        facts = (seen.requests, seen.bad, self.terms.group, INTERVAL_ERROR)
        return lower_bound(*facts), upper_bound(*facts)

    def _rate(self, seen: Count) -> str:
        low, high = self._bounds(seen)
        rate = percent(seen.bad / seen.requests) if seen.requests else "unknown"
        reach = f"; {count(self._unreached)} reached no pod" if self._unreached else ""
        interval = f"95 % interval {percent(low)[:-2]} to {percent(high)}"
        return f"{self.version} error rate {rate} ({count(seen.bad)} of {count(seen.requests)}, {interval}{reach})"

    def _who(self) -> str:
        return "the canary" if self.version == "canary" else self.version

    def _objective(self) -> str:
        return percent(self.terms.error_rate)

    def _after(self) -> str:
        return f"; decided after {seconds(self._at)}"

    def _undecided(self) -> str:
        if not self._seen.requests:
            reason = f" ({self._gap})" if self._gap else ""
            return f"no traffic reached {self._who()} in {seconds(self._at)}{reason}: its error rate is unknown"
        gap = f"; last look without data: {self._gap}" if self._gap else ""
        return (
            f"{self._rate(self._seen)}: neither over nor under {self._objective()} is shown in {seconds(self._at)}{gap}"
        )

    def _numbers(self) -> dict[str, Number]:
        seen = self._seen if self._seen.requests else self._watched
        low, high = self._bounds(seen)
        return {
            "requests": seen.requests,
            "errors": seen.bad,
            "lower": low,
            "upper": high,
            "objective": self.terms.error_rate,
            "group": self.terms.group,
        }

    def nearness(self) -> Nearness:
        """Say how much evidence there is, for the side that is nearer."""
        good, bad = self._evidence() * self.terms.pass_error, self._harm.evidence * self.terms.fail_error
        if bad > good:
            return Nearness(self._undecided(), self._harm.evidence, 1 / self.terms.fail_error)
        return Nearness(self._undecided(), self._evidence(), 1 / self.terms.pass_error)

    def state(self) -> dict[str, Any]:
        """Keep the evidence of harm: it is one process over the whole rollout."""
        return self._harm.state()

    def resume(self, state: dict[str, Any]) -> None:
        """Take the evidence of harm that the steps before have gathered.

        Args:
            state: what ``state`` gave there.
        """
        self._harm.resume(state)


class StableErrorRate(ErrorRate):
    """After the promotion: stable's error rate, on all the traffic, is shown to be under the objective."""

    version = "stable"

    def _ended(self, traffic: Traffic) -> Count:
        # With the canary at 0 %, a request that reached nobody was stable's.
        return traffic.stable + Count(traffic.unreached, traffic.unreached)


@gate(ErrorRate)
def test_error_rate(verdict: Verdict) -> None:
    """The canary's error rate is shown to be under the objective."""
    verdict.require()


@gate(StableErrorRate)
def test_stable_error_rate(verdict: Verdict) -> None:
    """Stable's error rate is shown to be under the objective."""
    verdict.require()
