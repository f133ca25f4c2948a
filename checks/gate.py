"""What makes a test a gate, and what a live judge is.

A gate is an ordinary test with the mark ``@gate(judge)``. Two kinds of judges stand behind one ``verdict``:

- a **function** of one piece of evidence. ``evidence`` names the fixture that brings it::

      @gate(judge, evidence="published_image")
      def test_image_exists(verdict: Verdict) -> None:
          verdict.require()

- a **class** derived from ``Judge``, which looks at every tick of the step's one observation::

      @gate(ErrorRate)
      def test_error_rate(verdict: Verdict) -> None:
          verdict.require()

Live judges are *deciders* (the observation ends when all of them have decided and the soak is over) or *guards*
(they pass if they have not failed by then). The first FAIL ends the observation at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import Any, ClassVar

import pytest

from checks.evidence import Nearness, Terms, Tick
from checks.verdict import Outcome, Verdict


class Role(Enum):
    """Whether the observation waits for a judge."""

    DECIDER = "decider"
    GUARD = "guard"


class Judge(ABC):
    """One promise, watched over a whole step.

    Args:
        terms: what the release file promises for this step.
    """

    role: ClassVar[Role]

    def __init__(self, terms: Terms) -> None:
        self.terms = terms

    @abstractmethod
    def look(self, tick: Tick) -> Outcome:
        """Take one look and say what is shown so far; INCONCLUSIVE while nothing is.

        Args:
            tick: what happened since the look before.
        """

    @abstractmethod
    def verdict(self) -> Verdict:
        """Put what the last look showed into words; called only when somebody reads it."""

    @abstractmethod
    def nearness(self) -> Nearness:
        """Say how near a decision is."""

    def state(self) -> dict[str, Any]:
        """Give what has to survive into the next step's run, as JSON."""
        return {}

    def resume(self, state: dict[str, Any]) -> None:  # noqa: B027 - most judges start afresh at each step
        """Go on from the state that the run before has left.

        Args:
            state: what ``state`` gave there.
        """


class Decision:
    """The standing verdict of one judge over an observation: FAIL is final, PASS stands unless FAIL comes.

    Attributes:
        judge: the judge to ask at each tick.
        at: when it decided, or else last looked; seconds of watching.
        outcome: what is shown so far.
    """

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.at = 0.0
        self.outcome = Outcome.INCONCLUSIVE
        self._fallen: Verdict | None = None

    def look(self, tick: Tick) -> None:
        """Let the judge look, and keep what is decided.

        Args:
            tick: what happened since the look before.
        """
        if self.outcome is Outcome.FAIL:
            return
        said = self.judge.look(tick)
        # A decider's PASS is kept as it was when it fell; a guard's is only as good as its last look.
        kept = self.outcome is Outcome.PASS and self.judge.role is Role.DECIDER
        if kept and said is not Outcome.FAIL:
            return
        self.outcome, self.at = said, tick.at
        decided = said is Outcome.FAIL or (said is Outcome.PASS and self.judge.role is Role.DECIDER)
        self._fallen = self.judge.verdict() if decided else None

    @property
    def verdict(self) -> Verdict:
        """The verdict as it fell, or what is shown so far."""
        return self._fallen or self.judge.verdict()

    @property
    def final(self) -> bool:
        """Whether nothing but harm can change it any more."""
        return self._fallen is not None


def gate(judge: type[Judge] | Callable[[Any], Verdict], evidence: str | None = None) -> pytest.MarkDecorator:
    """Mark a test as a release gate.

    Args:
        judge: a ``Judge`` class for live traffic, or a function from evidence to a verdict.
        evidence: for a function, the name of the fixture that brings the evidence.

    Returns:
        The mark; the test then takes the fixture ``verdict``.
    """
    return pytest.mark.gate(judge, evidence)
