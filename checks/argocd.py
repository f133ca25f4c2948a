"""Argo CD runs our commit, and it is healthy.

Rules (Argo CD's status has two loops; just after a push it still shows the past as Synced and Healthy):
    1. nothing counts while a refresh is asked for or an operation runs
    2. a condition that ends in Error, Degraded or Missing is a FAIL
    3. a revision in which someone else changed the release's own path is a FAIL
    4. PASS needs Synced, Healthy, and where a commit of ours is known, that the revision is ours or descends
"""

from checks.evidence import ApplicationState, Nearness, Terms, Tick
from checks.gate import Judge, Role, gate
from checks.verdict import Outcome, Proof, Verdict, failed, inconclusive, passed


def judge(state: ApplicationState) -> Verdict:
    """Say whether Argo CD has brought our commit to the cluster.

    Args:
        state: of the release's Application.
    """
    who = f"Argo CD application {state.name}"
    at = f"revision {state.revision[:10] or 'unknown'}"
    if state.refreshing:
        return inconclusive(f"{who} has not finished its refresh: what it says is about the past")
    if state.errors:
        return failed(f"{who} reports {state.errors[0]}")
    if state.health in ("Degraded", "Missing"):
        return failed(f"{who} is {state.health} at {at}")
    if state.ours is False:
        return failed(f"{who} is at {at}, in which someone else changed this release's path")
    if state.operating or state.sync != "Synced" or state.health != "Healthy":
        operation = ", an operation runs" if state.operating else ""
        return inconclusive(f"{who} is {state.sync} and {state.health} at {at}{operation}")
    return passed(f"{who} is Synced and Healthy at {at}", Proof(1), revision=state.revision)


class ArgoCd(Judge):
    """Argo CD stays synced to our commit and healthy while the canary takes traffic."""

    role = Role.GUARD

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms)
        self._last = inconclusive("Argo CD has not been asked yet")

    def look(self, tick: Tick) -> Outcome:
        """Judge the latest status; a tick without one changes nothing.

        Args:
            tick: what happened since the look before.
        """
        if tick.application is not None:
            self._last = judge(tick.application)
        return self._last.outcome

    def verdict(self) -> Verdict:
        """Say what the last look showed."""
        return self._last

    def nearness(self) -> Nearness:
        """Say what Argo CD said last."""
        return Nearness(self._last.sentence)


@gate(judge, evidence="application")
def test_argocd_synced(verdict: Verdict) -> None:
    """Argo CD is synced to our commit and healthy."""
    verdict.require()


@gate(ArgoCd)
def test_argocd_stays_synced(verdict: Verdict) -> None:
    """Argo CD stays synced to our commit and healthy."""
    verdict.require()
