"""The canary's pods stay up while they take traffic.

Rules:
    1. a container that restarts, crashes or can not be pulled while it is watched is a FAIL: the errors of a
       crashed process since the last scrape are lost, so the error rate can not be trusted to show it
    2. a pod that runs another image than expected is a FAIL
    3. PASS needs at least one pod, all of them ready at the last look
"""

from typing import Any

from checks.digest import BROKEN
from checks.evidence import Nearness, Pod, Terms, Tick
from checks.gate import Judge, Role, gate
from checks.verdict import Outcome, Proof, Verdict, failed, inconclusive, passed
from checks.words import several


class CanaryPods(Judge):
    """No canary pod restarts, crashes or runs another image."""

    role = Role.GUARD

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms)
        self._restarts: dict[str, int] = {}
        self._last = inconclusive("the canary's pods have not been read yet")

    def look(self, tick: Tick) -> Outcome:
        """Judge the latest list of pods; a tick without one changes nothing.

        Args:
            tick: what happened since the look before.
        """
        if tick.pods is not None:
            self._last = self._harmed(tick.pods) or self._standing(tick.pods)
            self._restarts |= {pod.name: pod.restarts for pod in tick.pods}
        return self._last.outcome

    def verdict(self) -> Verdict:
        """Say what the last look showed."""
        return self._last

    def _harmed(self, pods: tuple[Pod, ...]) -> Verdict | None:
        for pod in pods:
            # A pod that is first seen during the observation has no right to a restart either.
            before = self._restarts.get(pod.name, pod.restarts if not self._restarts else 0)
            if pod.restarts > before:
                times = "once" if pod.restarts - before == 1 else f"{pod.restarts - before} times"
                return failed(f"canary pod {pod.name} restarted {times} while it was watched")
            if pod.waiting in BROKEN:
                return failed(f"canary pod {pod.name} does not run: {pod.waiting}")
            if self.terms.digest and pod.digest and pod.digest != self.terms.digest:
                return failed(f"canary pod {pod.name} runs {pod.digest[:19]}, not {self.terms.digest[:19]}")
        return None

    def _standing(self, pods: tuple[Pod, ...]) -> Verdict:
        ready = sum(pod.ready for pod in pods)
        if not pods or ready < len(pods):
            return inconclusive(f"{ready} of {several(len(pods), 'canary pod')} ready")
        return passed(f"{several(ready, 'canary pod')} stayed up, no restart", Proof(ready), pods=ready)

    def nearness(self) -> Nearness:
        """Say how the pods are."""
        return Nearness(self._last.sentence)

    def state(self) -> dict[str, Any]:
        """Keep the restarts, so that one between two steps is seen."""
        return {"restarts": self._restarts}

    def resume(self, state: dict[str, Any]) -> None:
        """Take the restarts that the step before has seen.

        Args:
            state: what ``state`` gave there.
        """
        self._restarts = dict(state["restarts"])


@gate(CanaryPods)
def test_canary_pods_stay_up(verdict: Verdict) -> None:
    """No canary pod restarts, crashes or runs another image."""
    verdict.require()
