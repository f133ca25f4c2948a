"""One start in the past: would a canary as good as stable have been promoted, and how long would each step have taken.

Rules:
    1. preflight's forecast comes first, with the traffic of the half hour before: a release that could not end in time
       would not have been started
    2. steps are judged as live ones are: by the same judges and the same terms, evidence of harm carried on, a look for
       each stretch of the past. A live step looks more often, so it decides no later
    3. between two steps no time passes; what pods and Argo CD take comes on top
    4. a start whose steps go on beyond the end of the past is nobody's
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Any

from checks.error_rate import SHARED
from checks.evidence import Count, Tick
from checks.gate import Judge
from checks.history import SPAN, Clumping, History, span
from checks.plan_fits import Plan, judge
from checks.verdict import Outcome
from ci.backtest.thinning import thinned
from ci.replay.judging import JUDGES, Step
from fixtures.past import Stretch, tick
from fixtures.planned import planned
from fixtures.recording import Look
from fixtures.release import Release
from fixtures.surroundings import terms

OUTAGE = "an outage that both share"
# Why preflight would have refused:
QUIET, WORSE, SILENT = "too little traffic", "stable's own answers", "no traffic"
BURSTS = "errors that come in bursts"
_ALL = 100


class Fate(Enum):
    """What would have become of a start."""

    PROMOTED = "promoted"
    ROLLED_BACK = "rolled back"
    UNDECIDED = "undecided"
    REFUSED = "not started"
    UNSEEN = "no data"


FATES = {Outcome.PASS: Fate.PROMOTED, Outcome.FAIL: Fate.ROLLED_BACK, Outcome.INCONCLUSIVE: Fate.UNDECIDED}


@dataclass(frozen=True)
class Taken:
    """A step that was judged.

    Attributes:
        weight: of the canary, percent.
        seconds: until it was decided.
        outcome: of the step.
    """

    weight: int
    seconds: float
    outcome: Outcome


@dataclass(frozen=True)
class Start:
    """A start, and what would have become of it.

    Attributes:
        at: unix seconds.
        fate: what would have become of it.
        rate: stable's requests a second in the half hour before.
        steps: in order.
        group: requests that share one fate, at the first step.
        gates: that decided so, where it was not promoted.
        why: their first sentence.
        needs: seconds that the slowest step would have needed, by preflight's forecast.
    """

    at: float
    fate: Fate
    rate: float = 0.0
    steps: tuple[Taken, ...] = ()
    group: float = 0.0
    gates: tuple[str, ...] = ()
    why: str = ""
    needs: float = 0.0

    @property
    def seconds(self) -> float:
        """How long all its steps took."""
        return sum(step.seconds for step in self.steps)


class Starts:
    """Judges starts.

    Args:
        release: what is promised.
        stretches: the past; it begins half an hour before the first start, or sixty stretches where that is longer.
        begin: of it, unix seconds.
        seconds: the length of a stretch.
    """

    def __init__(self, release: Release, stretches: Sequence[Stretch | None], begin: float, seconds: float) -> None:
        self._release, self._stretches = release, stretches
        self._begin, self._seconds = begin, seconds
        self._judges: Mapping[str, type[Judge]] = {
            name: each for name, each in JUDGES.items() if name != "latency" or release.objectives.latency
        }

    def at(self, moment: float) -> Start | None:
        """Judge a start.

        Args:
            moment: unix seconds, half an hour after the beginning of the past at least.

        Returns:
            None when the past ends before anything was decided.
        """
        index = int((moment - self._begin) // self._seconds)
        before = self._stretches[max(0, index - int(SPAN // self._seconds)) : index]
        seen = [each for each in before if each is not None]
        if not seen or index >= len(self._stretches) or self._stretches[index] is None:
            return Start(moment, Fate.UNSEEN)
        rate = sum((each.stable.all for each in seen), Count()).requests / len(seen) / self._seconds
        clumping = self._clumping(index)
        plan = planned(self._release, rate, clumping)
        foreseen, group = judge(plan), plan.steps[0].group
        if foreseen.outcome is not Outcome.PASS:
            needs, cause = max(step.seconds for step in plan.steps), self._cause(plan)
            return Start(moment, Fate.REFUSED, rate, (), group, (cause,), foreseen.sentence, needs)
        return self._run(moment, index, rate, [int(step.weight) for step in plan.steps], clumping, group)

    def _cause(self, plan: Plan) -> str:
        """Say in a word why preflight would have refused."""
        if plan.rate <= 0:
            return SILENT
        if any(step.requests == float("inf") for step in plan.steps):
            return WORSE
        alone = planned(self._release.model_copy(update={"group": 1}), plan.rate)
        return BURSTS if all(step.fits for step in alone.steps) else QUIET

    def _clumping(self, index: int) -> Clumping | None:
        if self._release.group != "auto":
            return None
        history, longest = History(), int(span(self._seconds) // self._seconds)
        for stretch in self._stretches[max(0, index - longest) : index]:
            history.add(tick(stretch, self._seconds))
        return history.found()

    def _run(
        self, moment: float, index: int, rate: float, weights: Sequence[int], clumping: Clumping | None, group: float
    ) -> Start | None:
        """Go through the steps."""
        chance, taken = Random(int(moment)), []  # noqa: S311 - a lot, not a secret
        carried: Mapping[str, Any] = {}
        for weight in weights:
            step = Step(terms(self._release, weight, "", clumping), self._judges, carried)
            looks = self._judged(step, index, chance)
            if looks is None:
                return None
            index += looks
            outcome, _ = step.outcome()
            taken.append(Taken(weight, looks * self._seconds, outcome))
            if outcome is not Outcome.PASS:
                gates, why = _reasons(step.as_json()["gates"], outcome)
                return Start(moment, FATES[outcome], rate, tuple(taken), group, gates, why)
            carried = step.states()
        return Start(moment, Fate.PROMOTED, rate, tuple(taken), group)

    def _judged(self, step: Step, first: int, chance: Random) -> int | None:
        """Show a step the past until it is decided; give the number of looks, None when the past ends before."""
        share = step.terms.weight / _ALL
        for looks, place in enumerate(range(first, len(self._stretches)), 1):
            stretch = self._stretches[place]
            traffic = thinned(stretch, share, chance) if stretch is not None else None
            at = looks * self._seconds
            gap = "" if stretch is not None else "Prometheus has no data of this time"
            look = Tick(at=at, seconds=self._seconds if stretch is not None else 0.0, traffic=traffic, gap=gap)
            step.look(Look(at, step.terms.weight, look))
            if step.is_over or step.failed_at is not None or step.passed_at is not None:
                return looks
        return None


def _reasons(gates: Mapping[str, Mapping[str, Any]], outcome: Outcome) -> tuple[tuple[str, ...], str]:
    """Give the gates that have decided so, and the sentence of the first; an outage that both share says it itself."""
    found = {name: each for name, each in gates.items() if each["verdict"] == outcome.value}
    shared = [each["sentence"] for each in found.values() if each["numbers"].get(SHARED)]
    if shared:
        return (OUTAGE,), shared[0]
    return tuple(found), next((each["sentence"] for each in found.values()), "")
