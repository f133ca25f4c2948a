"""A rollout as its report tells it: frozen data, taken from its events by collect.py, and drawn by all the others.

Moments are unix seconds, lengths are seconds. Texts are safe to print in one line; they are not escaped for HTML.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from checks.evidence import Terms
from ci.events import (
    Asked,
    Looked,
    Pushed,
    RollbackBegan,
    RollbackMeasured,
    RolloutBegan,
    RolloutEnded,
    Scaled,
    VerdictReached,
    WeightsWritten,
)
from ci.reporters.timeline import Part


@dataclass(frozen=True, kw_only=True)
class Run:
    """One suite run.

    Attributes:
        suite: the scenario; ``step`` is the weight that it watched, percent; ``part``: of the rollout, in words.
        began: when it was started; ``ready``: when it had collected, None when it never had.
        ended: when it was over, None when that is not known.
        passed: as the driver judged it; ``why`` when not.
        junit: the JUnit file's name, "" when there is none.
        expected: the gates that were to decide.
        terms: what they judged by; None where none of them watched traffic.
        verdicts: all that they said, in order.
        looks: at the traffic, in order.
        watched: whether it watched traffic at all; ``guarded``: whether it only looked for harm.
    """

    suite: str
    step: int | None
    part: str
    began: float
    ready: float | None = None
    ended: float | None = None
    passed: bool = False
    why: str = ""
    junit: str = ""
    expected: Sequence[str] = ()
    terms: Terms | None = None
    verdicts: Sequence[VerdictReached] = ()
    looks: Sequence[Looked] = ()
    watched: bool = False
    guarded: bool = False

    @property
    def final(self) -> dict[str, VerdictReached | None]:
        """Each gate's last word, in the order in which they fell; None for a gate that said nothing."""
        said = {verdict.gate: verdict for verdict in self.verdicts}
        return said | {gate: None for gate in self.expected if gate not in said}


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """A whole rollout.

    Attributes:
        began: how it began; None when the journal does not say.
        ended: how it ended; None when it has not.
        start: its first moment; ``end``: its last.
        steps: the canary's weights, percent; empty while they are not known.
        parts: phases and steps with what they took.
        runs: of suites.
        weights: what was written to the VirtualServices, in order.
        commits: that were pushed; ``scaled``: Deployments that got their replicas.
        rollback: why traffic was taken back, None when it was not.
        measured: how long the canary could hurt, None when that was not measured.
        asked: what people have said to it.
        notes: moment and text of what else a person should know, what people said and what was held among it.
    """

    began: RolloutBegan | None
    ended: RolloutEnded | None
    start: float
    end: float
    steps: Sequence[int]
    parts: Sequence[Part]
    runs: Sequence[Run]
    weights: Sequence[WeightsWritten]
    commits: Sequence[Pushed]
    scaled: Sequence[Scaled]
    rollback: RollbackBegan | None
    measured: RollbackMeasured | None
    asked: Sequence[Asked]
    notes: Sequence[tuple[float, str]]

    @property
    def outcome(self) -> str:
        """How it ended, in one or two words."""
        return self.ended.outcome if self.ended else "not ended"

    @property
    def service(self) -> str:
        """What was released."""
        return self.began.service if self.began else "the service"

    @property
    def files(self) -> list[str]:
        """The JUnit files that the runs have left, by name."""
        return [PurePath(run.junit).name for run in self.runs if run.junit]
