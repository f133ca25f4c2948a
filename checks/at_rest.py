"""Before a release the canary takes no traffic, and stable's traffic is seen: measured, not read from a weight.

Rules:
    1. stable's requests are counted: without metrics there would be nothing to judge a canary by
    2. a request that reaches the canary at weight 0 comes round the mesh, through a Service that selects both versions:
       its share can neither be set nor taken back, and the release is refused
"""

from dataclasses import dataclass

from checks.evidence import Traffic
from checks.gate import gate
from checks.verdict import Proof, Verdict, failed, inconclusive, passed
from checks.words import count, seconds


@dataclass(frozen=True)
class RestingTraffic:
    """What was answered while the canary had weight 0.

    Attributes:
        seconds: how long was looked.
        traffic: in that time.
        sources: who reached the canary, where the metrics say so.
    """

    seconds: float
    traffic: Traffic
    sources: tuple[str, ...] = ()

    @property
    def rate(self) -> float:
        """Stable's requests a second."""
        return self.traffic.stable.all.requests / self.seconds if self.seconds > 0 else 0.0


def judge(evidence: RestingTraffic) -> Verdict:
    """Say whether a release can begin from here.

    Args:
        evidence: what was measured.
    """
    leaked = evidence.traffic.canary.all.requests - evidence.traffic.unreached
    if leaked or evidence.sources:
        who = f" from {', '.join(evidence.sources)}" if evidence.sources else ""
        return failed(
            f"the canary answered {count(leaked)} requests{who} in {seconds(evidence.seconds)} at weight 0: a Service"
            " that selects both versions is used round the mesh; let it select version: stable only",
        )
    requests = evidence.traffic.stable.all.requests
    if not requests:
        return inconclusive(
            f"no request of stable was counted in {seconds(evidence.seconds)}: no traffic, or no metrics of it",
        )
    return passed(
        f"stable answers {count(evidence.rate)} requests a second, the canary none",
        Proof(requests),
        rate=evidence.rate,
    )


@gate(judge, evidence="resting_traffic")
def test_traffic_at_rest(verdict: Verdict) -> None:
    """The canary takes no traffic, and stable's traffic is seen."""
    verdict.require()
