"""What many rollouts say together: by weight, by who took traffic back, by service."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

from checks.words import count, several
from ci.trend.finished import INCOMPLETE, PROMOTED, REFUSED, ROLLED_BACK, Finished, Step
from ci.trend.keys import Keys, keys

OUTCOMES = (PROMOTED, ROLLED_BACK, REFUSED, INCOMPLETE)
MOST = 0.9  # of the steps


@dataclass(frozen=True)
class PassedOver:
    """A journal that is not counted.

    Attributes:
        journal: the file.
        why: in words.
    """

    journal: Path
    why: str


@dataclass(frozen=True)
class Weight:
    """What one weight takes until its gates have passed.

    Attributes:
        weight: of the canary, percent.
        entered: how many rollouts came to it; ``passed``: how many passed it.
        evidence: seconds until it passed, in the median of those; ``most``: within which nine of ten passed.
        requests: that the canary had answered then, in the median.
        slowest: the gate that most often took longest; "" where none counted requests.
    """

    weight: int
    entered: int
    passed: int
    evidence: float | None
    most: float | None
    requests: float | None
    slowest: str


@dataclass(frozen=True)
class Trend:
    """All that was found.

    Attributes:
        rollouts: that are over, the earliest first.
        passed_over: journals that are not counted.
    """

    rollouts: Sequence[Finished]
    passed_over: Sequence[PassedOver]

    @cached_property
    def keys(self) -> Keys:
        """DORA's four, of all of them."""
        return keys(self.rollouts)

    @cached_property
    def services(self) -> dict[str, Sequence[Finished]]:
        """The rollouts of each service, by its name."""
        names = sorted({each.service for each in self.rollouts})
        return {name: [each for each in self.rollouts if each.service == name] for name in names}

    @cached_property
    def weights(self) -> list[Weight]:
        """What each weight takes, the lowest first."""
        steps = [step for each in self.rollouts for step in each.steps]
        return [_weight(weight, [step for step in steps if step.weight == weight]) for weight in self.stairs]

    @cached_property
    def stairs(self) -> list[int]:
        """All weights that there were, the lowest first."""
        return sorted({step.weight for each in self.rollouts for step in each.steps})

    @cached_property
    def takers(self) -> list[tuple[str, int]]:
        """Who took traffic back, and how often; the most frequent first."""
        return Counter(each.taken_back_by for each in self.rollouts if each.failed).most_common()

    @property
    def headline(self) -> str:
        """Say all of it in one sentence."""
        if not self.rollouts:
            return "No rollout that is over"
        whose = next(iter(self.services)) if len(self.services) == 1 else f"{count(len(self.services))} services"
        fates = ", ".join(f"{count(number)} {outcome}" for outcome, number in self.outcomes.items())
        return f"{whose}: {several(len(self.rollouts), 'rollout')}, {fates}"

    @property
    def outcomes(self) -> dict[str, int]:
        """How many ended in which way; those that none did are left out."""
        found = Counter(each.outcome for each in self.rollouts)
        known = {outcome: found.pop(outcome) for outcome in OUTCOMES if outcome in found}
        return known | dict(sorted(found.items()))

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        return {
            "keys": self.keys.as_json(),
            "outcomes": self.outcomes,
            "services": {name: keys(each).as_json() for name, each in self.services.items()},
            "steps": [asdict(each) for each in self.weights],
            "taken_back_by": dict(self.takers),
            "rollouts": [each.as_json() for each in self.rollouts],
            "passed_over": [{"journal": str(each.journal), "why": each.why} for each in self.passed_over],
        }


def _weight(weight: int, steps: Sequence[Step]) -> Weight:
    passed = [step for step in steps if step.passed]
    taken = sorted(step.evidence for step in passed)
    slowest = Counter(step.gate for step in passed if step.gate).most_common(1)
    return Weight(
        weight=weight,
        entered=len(steps),
        passed=len(passed),
        evidence=median(taken) if taken else None,
        most=taken[ceil(MOST * len(taken)) - 1] if taken else None,
        requests=median(step.requests for step in passed) if passed else None,
        slowest=slowest[0][0] if slowest else "",
    )
