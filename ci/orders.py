"""Which run of pytest a suite is at a place: its name, and the options that say what is judged."""

import secrets
from collections.abc import Mapping

from ci.phases import Place
from ci.plan import Suite
from ci.state import Job, State
from ci.suite import Order


class Orders:
    """Writes the orders of one rollout; each has a name of its own, because its files have.

    Args:
        job: what is released.
        state: what has been done.
    """

    def __init__(self, job: Job, state: State) -> None:
        self._job = job
        self._state = state
        self._names: list[str] = []

    def __call__(self, suite: Suite, place: Place, *, watch: bool = False) -> Order:
        """Write an order.

        Args:
            suite: what is to run.
            place: where the rollout is.
            watch: whether it only looks for harm.
        """
        name = _name(suite, place, watch=watch)
        self._names.append(name)
        times = self._names.count(name)
        unique = name if times == 1 else f"{name}-{times}"
        return Order(suite.scenario, unique, secrets.token_hex(8), self._options(suite, place, watch=watch), watch)

    def _options(self, suite: Suite, place: Place, *, watch: bool) -> Mapping[str, str]:
        # What stable serves after the weights have moved has nothing to do with what it served before.
        carries = suite.scenario == "canary_step" or watch
        # A rollback is proved by what was before, not by the image that was to come.
        wanted = {
            "--release": str(self._job.file),
            "--target": self._job.target,
            "--rollout": self._job.rollout,
            "--image": "" if suite.scenario == "rollback" else self._job.image,
            "--commit": self._state.commit,
            "--part": suite.part,
            "--step": "0" if suite.part == "serving" else str(place.step or ""),
            "--despite": self._job.despite if suite.scenario == "preflight" else "",
            "--clumping": str(self._state.found.get("plan_fits", {}).get("clumping", "")),
            "--before": str(self._state.before or "") if suite.scenario == "rollback" else "",
            "--carry": str(self._state.carry.get(suite.scenario, "")) if carries else "",
        }
        return {option: value for option, value in wanted.items() if value}


def _name(suite: Suite, place: Place, *, watch: bool) -> str:
    if place.step:
        return f"{'watch' if watch else 'step'}-{place.step:02d}"
    return "-".join(filter(None, ("watch" if watch else "", suite.scenario, suite.part)))
