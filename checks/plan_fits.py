"""The release can end: every step can pass within its time limit at the present traffic.

Rules:
    1. the traffic is measured (checks/at_rest.py), the need is forecast (checks/forecast.py) for a canary as good as
       stable, by the slowest gate, in nine cases of ten
    2. a step that can not pass is a FAIL before anything is changed: it says which, and what could be changed
    3. where the steps are found by this forecast (``steps: auto``), they are said with it, and the driver takes them
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
        automatic: whether nobody has written the steps down.
    """

    rate: float
    steps: tuple[StepForecast, ...]
    automatic: bool = False


def judge(plan: Plan) -> Verdict:
    """Say whether every step can pass in time.

    Args:
        plan: what is to be expected.
    """
    if plan.rate <= 0:
        return inconclusive("there is no traffic: no step could pass")
    late = [step for step in plan.steps if not step.fits]
    if late:
        return failed(_too_late(plan, late[0]), rate=plan.rate)
    whole = sum(step.seconds for step in plan.steps)
    ways = ", ".join(f"{step.weight:g}" for step in plan.steps)
    found = f"; the steps are {ways} %" if plan.automatic else ""
    return passed(
        f"at {_spoken(plan.rate)} requests a second a good canary is through in about {seconds(whole)}{found}",
        Proof(len(plan.steps)),
        rate=plan.rate,
        seconds=whole,
        first=plan.steps[0].weight,
    )


def _spoken(rate: float) -> str:
    return count(rate) if rate >= 1 else f"{rate:.1g}"


def _too_late(plan: Plan, step: StepForecast) -> str:
    """Say which step can not pass, and what helps."""
    at, limit = f"at {_spoken(plan.rate)} requests a second", seconds(step.limit)
    helps = "a longer limit, a wider margin or a looser objective helps"
    if plan.automatic and step is plan.steps[0]:
        return f"{at} no first step can pass within {limit}, not even {step}: more traffic, {helps}"
    return f"{at} step {step} can not pass within {limit}: a bigger first weight, {helps}"


@gate(judge, evidence="plan")
def test_plan_fits(verdict: Verdict) -> None:
    """Every step can pass within its limit at the present traffic."""
    verdict.require()
