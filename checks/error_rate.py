"""The canary's error rate is under the objective; after the promotion, stable's is.

Rules:
    1. an error is what the counters call bad: 5xx, gRPC failures, and requests that reached nobody
    2. decided as every rate is: checks/rate.py
"""

from collections.abc import Mapping

from checks.evidence import Count, Terms, Traffic
from checks.gate import gate
from checks.rate import RateJudge
from checks.verdict import Verdict


class ErrorRate(RateJudge):
    """The canary's error rate is shown to be under the objective."""

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms, terms.error_rate, f"{self.version} error rate", terms.fail_error)

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


@gate(ErrorRate)
def test_error_rate(verdict: Verdict) -> None:
    """The canary's error rate is shown to be under the objective."""
    verdict.require()


@gate(StableErrorRate)
def test_stable_error_rate(verdict: Verdict) -> None:
    """Stable's error rate is shown to be under the objective."""
    verdict.require()
