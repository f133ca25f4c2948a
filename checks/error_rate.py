"""The canary's error rate is under the objective; after the promotion, stable's is.

Rules:
    1. an error is what the counters call bad: 5xx, gRPC failures, and requests that reached nobody
    2. decided as every rate is: checks/rate.py
    3. when stable is bad too, it is an outage that both share: neither PASS nor FAIL, the weight is held, and only the
       comparison with stable can blame the canary. The evidence of harm then begins anew with the next run
"""

from collections.abc import Mapping
from typing import Any

from checks.evidence import Count, Terms, Tick, Traffic
from checks.gate import gate
from checks.harm import Harm
from checks.rate import RateJudge
from checks.verdict import Number, Outcome, Verdict, inconclusive
from checks.words import count, percent

SHARED = "shared_outage"
_EXCUSE = 20.0  # evidence that stable is over the objective too; by chance it comes in 5 % of rollouts at most


class ErrorRate(RateJudge):
    """The canary's error rate is shown to be under the objective."""

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms, terms.error_rate, f"{self.version} error rate", terms.fail_error)
        self._stable = Harm(terms.error_rate, terms.group, terms.horizon, terms.block)
        self._stable_seen = Count()

    def ended(self, traffic: Traffic) -> Count:
        """Count the canary's requests; those that reached nobody are among them.

        Args:
            traffic: of one tick.
        """
        return traffic.canary.all

    def by_pod(self, traffic: Traffic) -> Mapping[str, Count]:
        """Count the requests of each canary pod.

        Args:
            traffic: of one tick.
        """
        return {pod: answers.all for pod, answers in traffic.pods.items()}

    def look(self, tick: Tick) -> Outcome:
        """Add the tick's requests, also stable's, and see what they show.

        Args:
            tick: what happened since the look before.
        """
        if tick.traffic is not None:
            stable = tick.traffic.stable.all
            self._stable_seen += stable
            self._stable.add(stable.requests, stable.bad, tick.seconds)
        return super().look(tick)

    def excused(self) -> bool:
        """Say whether stable is bad too."""
        return self._stable.evidence >= _EXCUSE

    def _shares_an_outage(self) -> bool:
        return self._shown is Outcome.INCONCLUSIVE and self.excused() and self._against() >= _EXCUSE

    def verdict(self) -> Verdict:
        """Say rate, counts, interval, objective and seconds, and whether stable is bad too."""
        said = super().verdict()
        if not self._shares_an_outage():
            return said
        stable = self._stable_seen
        sides = f"stable has {percent(stable.bad / stable.requests)} of {count(stable.requests)}"
        numbers: dict[str, Number] = {**said.numbers, SHARED: 1}
        return inconclusive(f"both versions are bad, an outage that they share: {said.sentence}; {sides}", **numbers)

    def state(self) -> dict[str, Any]:
        """Keep the evidence of harm, but not that of an outage that stable shares."""
        if self._shares_an_outage():
            return type(self)(self.terms).state()
        return super().state()


class StableErrorRate(ErrorRate):
    """After the promotion: stable's error rate, on all the traffic, is shown to be under the objective."""

    version = "stable"

    def ended(self, traffic: Traffic) -> Count:
        """Count stable's requests; with the canary at 0 %, those that reached nobody were stable's too.

        Args:
            traffic: of one tick.
        """
        return traffic.stable.all + Count(traffic.unreached, traffic.unreached)

    def by_pod(self, traffic: Traffic) -> Mapping[str, Count]:  # noqa: ARG002 - these are the canary's
        """Count no pod: only the canary's are told apart."""
        return {}

    def excused(self) -> bool:
        """Say that nobody else can be blamed."""
        return False


@gate(ErrorRate)
def test_error_rate(verdict: Verdict) -> None:
    """The canary's error rate is shown to be under the objective."""
    verdict.require()


@gate(StableErrorRate)
def test_stable_error_rate(verdict: Verdict) -> None:
    """Stable's error rate is shown to be under the objective."""
    verdict.require()
