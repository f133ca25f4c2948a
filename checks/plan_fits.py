"""The release can end: every step can pass within its time limit at the present traffic.

Rules:
    1. the traffic is measured (checks/at_rest.py), the need is forecast (checks/forecast.py) for a canary as good as
       stable, by the slowest gate, in nine cases of ten
    2. a step that can not pass is a FAIL before anything is changed: it says which, and what could be changed
    3. where the steps are found by this forecast (``steps: auto``), they are said with it, and the driver takes them
    4. so is what stable's last half hour shows of requests that fail together (``group: auto``): all steps are judged
       by it
    5. a person may begin all the same, and says why; that is said too
"""

import json
from dataclasses import dataclass

from checks.forecast import StepForecast
from checks.gate import gate
from checks.group import UNKNOWN
from checks.history import Clumping
from checks.verdict import Number, Proof, Verdict, failed, inconclusive, passed
from checks.words import count, seconds


@dataclass(frozen=True)
class Plan:
    """What is to be expected of a release.

    Attributes:
        rate: requests a second, measured.
        steps: their forecasts.
        automatic: whether nobody has written the steps down.
        clumping: what stable's last half hour shows; None where nobody wants to know, or nobody could say.
        unmeasured: why nobody could say; "" where nobody wants to know.
        despite: who begins although a step can not pass, and why; "" for nobody.
    """

    rate: float
    steps: tuple[StepForecast, ...]
    automatic: bool = False
    clumping: Clumping | None = None
    unmeasured: str = ""
    despite: str = ""


def judge(plan: Plan) -> Verdict:
    """Say whether every step can pass in time.

    Args:
        plan: what is to be expected.
    """
    if plan.rate <= 0:
        return inconclusive("there is no traffic: no step could pass")
    late = [step for step in plan.steps if not step.fits]
    numbers: dict[str, Number] = {"rate": plan.rate, "first": plan.steps[0].weight}
    if plan.clumping is not None:
        numbers["clumping"] = json.dumps(plan.clumping.as_json())
    if late and not plan.despite:
        return failed(_too_late(plan, late[0]) + _groups(plan), **numbers)
    if late:
        sentence = f"{_too_late(plan, late[0])}; begun all the same by {plan.despite}{_ways(plan)}{_groups(plan)}"
        return passed(sentence, Proof(len(plan.steps)), **numbers, despite=plan.despite)
    whole = sum(step.seconds for step in plan.steps)
    through = f"at {_spoken(plan.rate)} requests a second a good canary is through in about {seconds(whole)}"
    return passed(f"{through}{_ways(plan)}{_groups(plan)}", Proof(len(plan.steps)), **numbers, seconds=whole)


def _ways(plan: Plan) -> str:
    """Say the steps, where nobody has written them down."""
    return f"; the steps are {', '.join(f'{step.weight:g}' for step in plan.steps)} %" if plan.automatic else ""


def _groups(plan: Plan) -> str:
    """Say how many requests are taken to fail together, where that was to be measured."""
    if plan.clumping is None:
        return f"; groups of {UNKNOWN:g}: {plan.unmeasured}" if plan.unmeasured else ""
    if plan.clumping.errors is None:
        return f"; groups of {UNKNOWN:g}: stable had too few errors in its last half hour to say more"
    sizes = sorted({f"{step.group:.2g}": step.group for step in plan.steps}.items(), key=lambda each: each[1])
    return (
        f"; errors in groups of {' to '.join(dict.fromkeys((sizes[0][0], sizes[-1][0])))}, by stable's last half hour"
    )


def _spoken(rate: float) -> str:
    return count(rate) if rate >= 1 else f"{rate:.1g}"


def _too_late(plan: Plan, step: StepForecast) -> str:
    """Say which step can not pass, and what helps."""
    if step.requests == float("inf"):
        whose = (
            "stable's own rate is too near the objective or over it" if plan.clumping else "the objective is too strict"
        )
        return f"step {step}: {whose}; a looser objective or a wider margin helps, or mending stable"
    at, limit = f"at {_spoken(plan.rate)} requests a second", seconds(step.limit)
    helps = "a longer limit, a wider margin or a looser objective helps"
    if plan.automatic and step is plan.steps[0]:
        return f"{at} no first step can pass within {limit}, not even {step}: more traffic, {helps}"
    return f"{at} step {step} can not pass within {limit}: a bigger first weight, {helps}"


@gate(judge, evidence="plan")
def test_plan_fits(verdict: Verdict) -> None:
    """Every step can pass within its limit at the present traffic."""
    verdict.require()
