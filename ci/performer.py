"""The one who does what the plan says: each effect, and whose deed it is."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from checks.steps import steps_from
from ci import plan
from ci.autoscaler import Autoscaler
from ci.deployer import Deployer
from ci.events import Event, RollbackMeasured, StepsChosen
from ci.holding import Holding
from ci.listener import Listener
from ci.mover import Mover
from ci.phases import Place
from ci.state import Job, State
from ci.watch import Watch
from fixtures.access_log import entries, taken_back
from fixtures.errors import ClusterRefused

Deed = Callable[[Any, Place], None]


class Performer:
    """Does effects.

    Args:
        job: what is released.
        state: what has been done; kept up to date.
        mover: for weights and record.
        deployer: for Git, Argo CD and pods.
        autoscaler: for stable's.
        listener: for suites.
        holding: for all that waits for people, or for time.
        keep_before: keeps a snapshot of before the release; gives its file.
        watch: keeps time.
        tell: hears of what happens.
    """

    def __init__(
        self,
        job: Job,
        state: State,
        *,
        mover: Mover,
        deployer: Deployer,
        autoscaler: Autoscaler,
        listener: Listener,
        holding: Holding,
        keep_before: Callable[[], Path],
        watch: Watch,
        tell: Callable[[Event], None],
    ) -> None:
        self._job = job
        self._state = state
        self._keep_before = keep_before
        self._watch = watch
        self._tell = tell
        self._deeds: Mapping[type[plan.Effect], Deed] = {
            plan.Enter: lambda _, place: mover.enter(place),
            plan.Refresh: lambda _, __: deployer.refresh(),
            plan.KeepBefore: lambda _, __: self._snapshot(),
            plan.Commit: lambda effect, _: deployer.commit(effect.role),
            plan.Settle: lambda _, __: deployer.settle(),
            plan.Provide: lambda _, place: deployer.provide(place),
            plan.Suite: listener.run,
            plan.Meet: lambda _, place: holding.meet(place),
            plan.ChooseSteps: lambda _, __: self._choose_steps(),
            plan.HoldStable: lambda _, __: autoscaler.hold(),
            plan.FreeStable: lambda _, __: autoscaler.free(),
            plan.Hold: lambda _, place: holding.hold(place),
            plan.WatchAfter: lambda _, place: holding.after(place),
            plan.Shift: lambda _, place: mover.move(place, "stable serves again"),
            plan.TakeBack: lambda _, place: mover.take_back(place),
            plan.Prove: lambda _, place: mover.prove(place),
            plan.Reap: lambda _, __: listener.reap(),
            plan.Revert: lambda effect, _: deployer.revert(effect.roles),
            plan.StableReady: lambda _, __: deployer.stable_ready(),
            plan.Rest: lambda _, __: deployer.rest(),
            plan.Measure: lambda _, __: self._measure(),
            plan.Finish: lambda _, __: mover.finish(),
            plan.Purge: lambda _, __: mover.purge(),
        }

    def perform(self, effect: plan.Effect, place: Place) -> None:
        """Do it.

        Args:
            effect: what.
            place: where the rollout is.

        Raises:
            Stop: when there is a reason to end the phase.
            SluicegateError: when it can not be done.
        """
        self._deeds[type(effect)](effect, place)

    def _snapshot(self) -> None:
        self._state.before = self._keep_before()

    def _choose_steps(self) -> None:
        """Take the steps that preflight has found, where the release file leaves them to it."""
        if self._state.steps:
            return
        found = self._state.found.get("plan_fits", {})
        if "first" not in found:
            raise ClusterRefused("preflight has not said which first step can pass", remedy="write steps: [5, 25, ...]")
        self._state.steps = steps_from(int(found["first"]))
        self._tell(StepsChosen(at=self._watch.now(), steps=self._state.steps, rate=found["rate"]))

    def _measure(self) -> None:
        """Ask Envoy's log, where there is one and the canary ever had traffic.

        The record of a driver that died while it took traffic back does not say whether there was any: the log does.
        """
        if self._job.access_log is None:
            return
        canary, since = self._job.release.names.subsets.canary, self._state.began
        log = [each for each in entries(self._job.access_log, since) if each.subset == canary and each.start >= since]
        if not log and not self._state.raised:
            return
        harm = taken_back(log, canary, since)
        measured = RollbackMeasured(
            at=self._watch.now(),
            first_bad=harm.first_bad if harm else None,
            verdict=self._state.decided,
            written=self._state.written,
            last_routed=max((each.start for each in log), default=None),
            bad=harm.bad if harm else 0,
        )
        self._tell(measured)
