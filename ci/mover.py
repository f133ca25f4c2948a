"""The effects on the VirtualServices: the record, the weights, and the proof that they are in effect."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from checks.evidence import Weights
from ci.abort import readable
from ci.events import Event, Note, WeightsProved, WeightsWritten
from ci.patch import Change
from ci.phases import CANARY_CARRIES, Phase, Place, Result, safe_weights, weights_at
from ci.record import PURGED, Record, as_utc
from ci.state import State
from ci.traffic import Seen, Traffic
from ci.watch import Stop, Watch
from fixtures.errors import ClusterRefused, PersonNeeded
from fixtures.waiting import wait

PATIENCE = 600.0  # seconds: how long traffic is tried to be taken back
PURGE_PATIENCE = 60.0
IN_EFFECT_WITHIN = 30.0

RoutesGive = Callable[[float], bool]
"""Says whether every sending Envoy gives the canary that share, percent."""


class Mover:
    """Moves the weights of one rollout.

    Args:
        state: what has been done; kept up to date.
        traffic: the release's VirtualServices.
        watch: permits, and keeps time.
        routes_give: asks the data plane; None where it can not be asked.
        tell: hears of what happens.
    """

    def __init__(
        self,
        state: State,
        traffic: Traffic,
        watch: Watch,
        routes_give: RoutesGive | None,
        tell: Callable[[Event], None],
    ) -> None:
        self._state = state
        self._traffic = traffic
        self._watch = watch
        self._routes_give = routes_give
        self._tell = tell

    def enter(self, place: Place, held: str = "") -> None:
        """Write the record only; the weights have to be those of the place already.

        Args:
            place: where the rollout is now.
            held: why it is held there.
        """
        if place.phase is not Phase.PREFLIGHT:
            self._state.weights = weights_at(place)
        self._keep(place, held)
        self._traffic.write(Change(None, self._state.record.annotations()), self._watch.permit)

    def note(self, **facts: Any) -> None:
        """Write facts into the record.

        Args:
            **facts: values by the record's attributes.
        """
        self._state.record = replace(self._state.record, **facts)
        self._traffic.write(Change(None, self._state.record.annotations()), self._watch.permit)

    def note_commit(self, role: str, commit: str) -> None:
        """Write a commit of ours into the record.

        Args:
            role: stable or canary.
            commit: its hash.
        """
        self.note(commits={**self._state.record.commits, role: commit})

    def move(self, place: Place, why: str) -> None:
        """Write weights and record, if nothing speaks against it.

        Args:
            place: where the rollout is now.
            why: for people.
        """
        began = self._watch.monotonic()
        wanted = weights_at(place)
        rises = self._state.weights is None or wanted.canary > self._state.weights.canary
        self._keep(place)
        self._state.raised = self._state.raised or wanted.canary > 0
        permit = self._watch.permit_rise if rises else self._watch.permit
        self._traffic.write(Change(wanted, self._state.record.annotations()), permit)
        self._written(wanted, why, began)

    def take_back(self, place: Place) -> None:
        """Write weights and record, whatever it takes.

        The canary is made to carry everything only where it does so already, by the record in the cluster: what the
        driver believes is not enough, an abort or a recovery may have been there before it.

        Args:
            place: where the rollout is now.

        Raises:
            PersonNeeded: when it can not be done, or another rollout has taken over, which is left alone.
            Stop: when stable has not been touched, so that there is nothing to restore.
        """
        began = self._watch.monotonic()
        self._keep(place)
        record = self._state.record
        untouched = replace(record, phase=Phase.ROLL_BACK, step=0)
        others: set[str] = set()
        taken: dict[str, Record] = {}

        def change(seen: Seen) -> Change | None:
            there = readable(seen)
            if there is not None and there.rollout != record.rollout:
                others.add(there.rollout)
                return None
            self._state.aborted = (there.abort if there else "") or self._state.aborted
            taken[seen.name] = untouched if place.phase is Phase.RESTORE and not _carries(seen) else record
            return Change(weights_at(taken[seen.name].place), taken[seen.name].annotations())

        self._traffic.insist(change, PATIENCE)
        if others:
            raise PersonNeeded(
                f"rollout {' and '.join(others)} has taken over: its weights were left alone",
                remedy="look with `sluicegate status RELEASE`",
            )
        self._state.record = record if record in taken.values() else untouched
        self._written(weights_at(self._state.record.place), "traffic goes to safety", began)
        self._state.written = self._watch.now()
        if self._state.record != record:
            raise Stop(Result.PASSED, "")

    def prove(self, place: Place) -> None:
        """Wait until the data plane routes by the weights of the place.

        Args:
            place: where the rollout is now.

        Raises:
            NotInTime: when it does not.
        """
        wanted = weights_at(place)
        if self._routes_give is None:
            text = "no sending Envoy can be asked here: that the weights are in effect is not proved"
            self._tell(Note(at=self._watch.now(), text=text))
            return
        began, routes_give = self._watch.monotonic(), self._routes_give
        wait(
            lambda: routes_give(wanted.canary),
            what=f"every sending Envoy giving the canary {wanted.canary:g} %",
            timeout=IN_EFFECT_WITHIN,
            interval=0.05,
            clock=self._watch,
        )
        took = self._watch.monotonic() - began
        proved = WeightsProved(at=self._watch.now(), stable=int(wanted.stable), canary=int(wanted.canary), took=took)
        self._tell(proved)

    def finish(self) -> None:
        """Say in the record that the image is promoted, if nobody has aborted meanwhile.

        The record is purged by another write: were it this one, and its answer lost, nobody could tell who has done it.
        """
        self._keep(Place(Phase.PROMOTED))
        self._traffic.write(Change(None, self._state.record.annotations()), self._watch.permit)

    def purge(self) -> None:
        """Purge the record, whatever it takes; another rollout's is left alone."""
        rollout = self._state.record.rollout

        def change(seen: Seen) -> Change | None:
            there = readable(seen)
            return Change(None, PURGED) if there is not None and there.rollout == rollout else None

        self._traffic.insist(change, PURGE_PATIENCE)

    def _keep(self, place: Place, held: str = "") -> None:
        """Say in the record where the rollout is, and why it stays; since when, only where that changes."""
        record = replace(self._state.record, held=held)
        self._state.record = record
        if record.place != place or not record.since:
            since = as_utc(self._watch.now())
            self._state.record = replace(record, phase=place.phase, step=place.step, since=since)

    def _written(self, weights: Weights, why: str, began: float) -> None:
        self._state.weights = weights
        written = WeightsWritten(
            at=self._watch.now(),
            stable=int(weights.stable),
            canary=int(weights.canary),
            why=why,
            who=self._state.record.who,
            took=self._watch.monotonic() - began,
        )
        self._tell(written)


def _carries(seen: Seen) -> bool:
    """Say whether the canary carries everything while stable may be half rolled; without a record the weights tell."""
    try:
        record = seen.record
    except ClusterRefused:
        record = None
    return seen.weights == {safe_weights(Phase.RESTORE)} if record is None else record.phase in CANARY_CARRIES
