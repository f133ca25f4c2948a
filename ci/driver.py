"""Goes from phase to phase: does what the plan says, and asks the table what comes next.

Rules:
    1. Whatever goes wrong in a phase, an error of the driver itself included, is a result of that phase; the table
       then leads to the safe weights. Effects marked ``again`` are tried for as long as the Lease is believed in where
       the API server stumbles; weights, pods and suites have rules of their own.
    2. Where traffic is being taken back, nothing interrupts: no brake, no abort, no Lease; who can not be reached
       is tried again for minutes, a suite that is undecided is asked again, and effects marked ``always`` are done
       whatever else has failed.
    3. Where a phase is passed and something keeps the weight (a pause, an approval that is missing), it is held first.
    4. A person is called (exit status 4) only when that is over and something is still not as it should be.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from ci.events import BEGIN, Asked, Event, Note, PhaseEntered, RollbackBegan, RolloutBegan, RolloutEnded
from ci.hold import Cause, Hold, Words, keeps
from ci.lease import BELIEF
from ci.phases import ENDS, GOES_ON, UNDOING, Phase, Place, Result, next_place
from ci.plan import PLAN, Effect
from ci.record import as_utc, from_utc
from ci.state import Job, State
from ci.watch import Stop, Watch
from fixtures.argocd import NotSynced
from fixtures.errors import PersonNeeded, SluicegateError, Unreachable
from fixtures.waiting import NotInTime, NotYet, wait

Troubles = tuple[type[SluicegateError], ...]

OUTLAST = 300.0  # seconds: how long a rollback waits for Git, Argo CD or the API server to come back
CAUSES = {Result.INCONCLUSIVE: Cause.UNDECIDED, Result.OUTAGE: Cause.OUTAGE, Result.HELD: Cause.PAUSE}
EXIT = {Phase.PROMOTED: 0, Phase.ROLLED_BACK: 1, Phase.REFUSED: 1, Phase.INCOMPLETE: 4}


class Performs(Protocol):
    """Who does the effects."""

    def perform(self, effect: Effect, place: Place) -> None:
        """Do one."""


class Driver:
    """Drives one rollout.

    Args:
        job: what is released.
        state: what has been done.
        words: what people say.
        watch: looks around while the driver waits.
        performer: does the effects.
        tell: hears of what happens.
        leave: tells those that are released together with it that it turns back, and why.
    """

    def __init__(
        self,
        job: Job,
        state: State,
        words: Words,
        watch: Watch,
        performer: Performs,
        tell: Callable[[Event], None],
        leave: Callable[[str], None],
    ) -> None:
        self._leave_others = leave
        self._job = job
        self._state = state
        self._words = words
        self._watch = watch
        self._performer = performer
        self._tell = tell
        self._reasons: list[str] = []
        self._serves_since = 0.0

    def run(self) -> RolloutEnded:
        """Drive the rollout to its end.

        Returns:
            How it ended; the exit status is in it.
        """
        self._begin()
        return self._go_on(Place(Phase.PREFLIGHT))

    def recover(self, left: Place, why: str) -> RolloutEnded:
        """Take a rollout back, to its end, whose driver has died.

        Args:
            left: where it was.
            why: the first sentence that a person needs.

        Returns:
            How it ended; the exit status is in it.
        """
        self._begin()
        if left.phase in ENDS:  # all that its driver had left to do was to purge the record
            return self._end(left)
        return self._go_on(self._leave(left, Stop(Result.LOST, why)))

    def _go_on(self, place: Place) -> RolloutEnded:
        while place.phase not in ENDS:
            place = self._leave(place, self._go_through(place))
        return self._end(place)

    def _leave(self, place: Place, stop: Stop) -> Place:
        """Say where the rollout goes, and keep the reason where that is back."""
        after = self._onward(place, stop)
        if after.phase in UNDOING | ENDS and stop.reason:
            self._reasons.append(stop.reason)
        if after.phase in UNDOING | ENDS - {Phase.PROMOTED}:
            self._leave_others(self._with_abort(stop.reason))
        if after.phase in UNDOING and (place.phase not in UNDOING or stop.result is Result.LOST):
            self._begin_rollback(stop)
        return after

    def _onward(self, place: Place, stop: Stop) -> Place:
        """Say where the rollout goes, and what holds it where it does not go on."""
        steps = self._state.steps
        if place.phase is not Phase.SERVE:
            self._serves_since = self._watch.monotonic()
        elif stop.result is Result.INCONCLUSIVE and self._served_too_long():
            return next_place(place, Result.FAILED, steps)
        after = next_place(place, stop.result, steps)
        if stop.result in GOES_ON and after.phase in {Phase.STEP, Phase.PROMOTE}:
            hold = self._keeps(after)
            if hold is not None:
                self._state.hold = hold
                return next_place(after, Result.HELD, steps)
        elif after.phase is Phase.HOLD:
            self._state.hold = Hold(CAUSES[stop.result], stop.reason)
        return after

    def _keeps(self, after: Place) -> Hold | None:
        release = self._job.release
        return keeps(after, self._state.steps, release.approve, self._words, release.frozen(self._watch.now()))

    def _served_too_long(self) -> bool:
        """Say whether stable's new version has been undecided for as long as a weight may be held."""
        return self._watch.monotonic() - self._serves_since >= self._job.release.hold_limit

    def _begin(self) -> None:
        job, record, now = self._job, self._state.record, self._watch.now()
        self._state.steps = job.release.steps
        self._state.began = from_utc(record.began) or now  # one that is recovered began earlier
        self._state.record = replace(record, began=as_utc(self._state.began))
        began = RolloutBegan(
            at=now,
            rollout=job.rollout,
            service=job.release.service,
            image=job.image,
            steps=job.release.steps,
            who=job.who,
            target=job.target,
            links=job.links,
        )
        self._tell(began)
        if job.despite:
            who, _, why = job.despite.partition(": ")
            self._tell(Asked(at=self._watch.now(), what=BEGIN, who=who, why=why, step=None))
            self._words.skipped += (f"it was begun whatever its forecast said, by {job.despite}",)

    def _go_through(self, place: Place) -> Stop:
        """Do all that belongs to a place, and say how it went."""
        self._watch.awake = place.phase not in UNDOING
        self._tell(PhaseEntered(at=self._watch.now(), phase=place.phase.value, step=place.step or None))
        stops: list[Stop] = []
        for effect in PLAN[place.phase]:
            if not stops or (effect.always and not self._watch.awake):
                stops += self._attempt(effect, place)
        return stops[0] if stops else Stop(Result.PASSED, "")

    def _attempt(self, effect: Effect, place: Place) -> list[Stop]:
        """Do one effect; give the reason when the phase can not go on."""
        try:
            if not self._watch.awake:
                self._outlast(effect, place, OUTLAST, (Unreachable, NotSynced))
            elif effect.again:
                self._outlast(effect, place, BELIEF, (Unreachable,))
            else:
                self._performer.perform(effect, place)
        except Stop as stop:
            return [stop]
        except SluicegateError as error:
            return [Stop(Result.FAILED, str(error))]
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not leave traffic where it is
            return [Stop(Result.FAILED, f"the driver has made a mistake: {error!r}")]
        return []

    def _outlast(self, effect: Effect, place: Place, patience: float, troubles: Troubles) -> None:
        """Do an effect although somebody may be out of reach, or Argo CD at odds with our commit, for a while."""

        def attempt() -> bool | NotYet:
            try:
                self._performer.perform(effect, place)
            except troubles as error:
                return NotYet(str(error))
            except Stop as stop:  # a suite that could not see whether all is as before may see it a moment later
                if stop.result is not Result.INCONCLUSIVE:
                    raise
                return NotYet(stop.reason)
            return True

        what = f"an answer ({type(effect).__name__})"
        try:
            wait(attempt, what=what, timeout=patience, interval=1.0, clock=self._watch)
        except NotInTime as error:
            if error.awaited != what:
                raise
            raise PersonNeeded(error.last) from error

    def _begin_rollback(self, stop: Stop) -> None:
        self._state.decided = stop.at or self._watch.now()
        who = stop.who or self._job.who
        self._tell(RollbackBegan(at=self._watch.now(), reason=stop.reason, who=who))

    def _end(self, place: Place) -> RolloutEnded:
        """Clear up, and tell how it ended."""
        self._watch.awake = False
        for effect in PLAN[place.phase]:
            for stop in self._attempt(effect, place):
                self._tell(Note(at=self._watch.now(), text=f"the end is not as clean as it should be: {stop.reason}"))
        ended = RolloutEnded(
            at=self._watch.now(),
            outcome=place.phase.value,
            sentence=self._sentence(place),
            exit_code=EXIT[place.phase],
        )
        self._tell(ended)
        return ended

    def _with_abort(self, reason: str) -> str:
        """Put an abort first: a gate may have been faster to see what it did to the weights."""
        abort = f"aborted by {self._state.aborted}" if self._state.aborted else ""
        return reason if abort in reason else f"{abort}; {reason}"

    def _sentence(self, place: Place) -> str:
        service, image = self._job.release.service, self._job.image
        reason = self._reasons[0] if self._reasons else ""
        match place.phase:
            case Phase.PROMOTED:
                return "; ".join([f"{service} runs {image}", *self._words.skipped])
            case Phase.REFUSED:
                return f"nothing was changed: {reason}"
            case Phase.ROLLED_BACK:
                return self._with_abort(reason)
            case _:
                rest = "; ".join(self._reasons[1:])
                return f"{reason}; the rollback is not complete and a person is needed: {rest}"
