"""There are enough pods: for the canary's share now, and for all the traffic when it has to go back.

Rules:
    1. stable asks for no fewer replicas than when the canary first took traffic: the way back has to be as wide as it
       was (an autoscaler that sees stable idle would shrink it)
    2. the canary has at least ceil(weight x stable's replicas) ready pods
"""

from math import ceil
from typing import Any

from checks.evidence import Capacity, Nearness, Terms, Tick
from checks.gate import Judge, Role, gate
from checks.verdict import Outcome, Proof, Verdict, failed, inconclusive, passed
from checks.words import several


def needed(weight: float, stable: int) -> int:
    """Give how many ready pods the canary needs.

    Args:
        weight: its share of the traffic, percent.
        stable: replicas that carry all of the traffic.
    """
    return ceil(weight / 100 * stable)


class EnoughPods(Judge):
    """Stable does not shrink, and the canary is large enough for its weight."""

    role = Role.GUARD

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms)
        self._first: int | None = None
        self._now: Capacity | None = None

    def look(self, tick: Tick) -> Outcome:
        """Compare the pods with what the traffic needs.

        Args:
            tick: what happened since the look before.
        """
        if tick.capacity is not None:
            self._now = tick.capacity
            self._first = tick.capacity.stable if self._first is None else self._first
        return self.verdict().outcome

    def verdict(self) -> Verdict:
        """Say how many pods there are and should be."""
        if self._now is None or self._first is None:
            return inconclusive("the number of pods has not been read yet")
        if self._now.stable < self._first:
            return failed(
                f"stable shrank from {self._first} to {self._now.stable} replicas while the canary takes traffic:"
                " it could not take all of it back (hold_stable: min_replicas keeps an autoscaler from that)",
            )
        wanted = needed(self.terms.weight, self._first)
        state = f"{several(self._now.canary_ready, 'canary pod')} ready, {wanted} needed at {self.terms.weight:g} %"
        if self._now.canary_ready < wanted:
            return inconclusive(state)
        return passed(f"{state}; stable keeps {self._now.stable} replicas", Proof(1), ready=self._now.canary_ready)

    def nearness(self) -> Nearness:
        """Say how the pods are."""
        return Nearness(self.verdict().sentence)

    def state(self) -> dict[str, Any]:
        """Keep what stable had when the canary first took traffic."""
        return {"first": self._first}

    def resume(self, state: dict[str, Any]) -> None:
        """Take what stable had when the canary first took traffic.

        Args:
            state: what ``state`` gave there.
        """
        self._first = state["first"]


@gate(EnoughPods)
def test_enough_pods(verdict: Verdict) -> None:
    """There are enough pods for the canary's share, and for all the traffic on the way back."""
    verdict.require()
