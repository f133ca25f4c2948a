"""The release can end: every step can pass within its time limit at the present traffic.

Rules:
    1. the traffic is measured (checks/at_rest.py), the need is forecast (checks/forecast.py) for a canary as good as
       stable, by the slowest gate, in nine cases of ten
    2. a step that can not pass is a FAIL before anything is changed: it says which, and what could be changed
"""

from dataclasses import dataclass

from checks.forecast import StepForecast
from checks.gate import gate
from checks.verdict import Proof, Verdict, failed, inconclusive, passed
from checks.words import count, seconds


@dataclass(frozen=True)
class Plan:
    """What is to be expected of a release.

    Attributes:
        rate: requests a second, measured.
        steps: their forecasts.
    """

    rate: float
    steps: tuple[StepForecast, ...]


def judge(plan: Plan) -> Verdict:
    """Say whether every step can pass in time.

    Args:
        plan: what is to be expected.
    """
    if plan.rate <= 0:
        return inconclusive("there is no traffic: no step could pass")
    late = [step for step in plan.steps if not step.fits]
    if late:
        first = late[0]
        return failed(
            f"at {count(plan.rate)} requests a second step {first} can not pass within {seconds(first.limit)}: a bigger"
            " first weight, a longer limit, a wider margin or a looser objective helps",
            rate=plan.rate,
        )
    whole = sum(step.seconds for step in plan.steps)
    return passed(
        f"at {count(plan.rate)} requests a second a good canary is through in about {seconds(whole)}",
        Proof(len(plan.steps)),
        rate=plan.rate,
        seconds=whole,
    )


@gate(judge, evidence="plan")
def test_plan_fits(verdict: Verdict) -> None:
    """Every step can pass within its limit at the present traffic."""
    verdict.require()
