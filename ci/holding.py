"""The effects that wait for people, or for time, while the canary or stable's new version is watched.

Rules:
    1. Whenever the canary has a weight and no step's suite runs, one runs that can only fail (``--watch``); its FAIL
       takes traffic back as that of a step does.
    2. A hold ends when nothing keeps the weight any more (ci/hold.py). After an undecided step that needs a person's
       word; an outage that both versions share is also judged again by itself, every ``RETRY`` seconds.
    3. A weight is held for ``hold_limit`` at most, all its holds together: then traffic is taken back. The hours of a
       freeze window do not count: who has written them down knows how long they are.
"""

from collections.abc import Callable

from checks.words import seconds
from ci.events import Event, Held, HoldEnded, Note
from ci.hold import JUDGED_AGAIN, Cause, Hold, Words, keeps
from ci.listener import Listener
from ci.lockstep import Pace
from ci.mover import Mover
from ci.phases import Place, Result, next_place
from ci.plan import Suite
from ci.state import Job, State
from ci.suite import LOOK
from ci.watch import Stop, Watch

RETRY = 120.0  # seconds


class Holding:
    """Holds one rollout.

    Args:
        job: what is released.
        state: what has been done.
        words: what people say.
        listener: runs the suite that watches.
        mover: writes the record.
        watch: keeps time.
        tell: hears of what happens.
        pace: knows the services that are released together with this one.
    """

    def __init__(
        self,
        job: Job,
        state: State,
        words: Words,
        listener: Listener,
        mover: Mover,
        watch: Watch,
        tell: Callable[[Event], None],
        pace: Pace,
    ) -> None:
        self._pace = pace
        self._release = job.release
        self._state = state
        self._words = words
        self._listener = listener
        self._mover = mover
        self._watch = watch
        self._tell = tell
        self._since = (-1, 0.0)  # the weight that was held last, and since when

    def hold(self, place: Place) -> None:
        """Keep the weight, and watch, until nothing keeps it any more.

        Args:
            place: where the rollout is.

        Raises:
            LookupError: when nobody has said what keeps it.
            Stop: where it does not simply go on: judge again, gates skipped, too long, harm.
        """
        hold = self._state.hold
        if hold is None:
            raise LookupError(f"nobody has said why {place.step} % is held")
        began = self._watch.monotonic()
        if self._since[0] != place.step:
            self._since = (place.step, began)
        self._words.urged = False
        self._say(place, hold)
        self._listener.leave()
        result = self._wait(place, lambda: self._end(place, hold.cause, began))
        self._tell(HoldEnded(at=self._watch.now(), step=place.step, took=self._watch.monotonic() - began))
        if result is not Result.PASSED:
            raise Stop(result, f"a person has skipped the gates of {place.step} %" if result is Result.FORCED else "")

    def after(self, place: Place) -> None:
        """Watch stable's new version for as long as the release file says, and as the others watch theirs.

        Args:
            place: where the rollout is.
        """
        began: list[float] = []

        def over() -> bool | None:
            began.append(self._watch.monotonic())
            long_enough = began[-1] - began[0] >= self._release.after
            return (long_enough and not self._pace.come(place, over=True)) or None

        if self._release.after:
            self._listener.watch(Suite("promotion", part="serving"), place, over)
        else:
            self.meet(place, over=True)

    def meet(self, place: Place, *, over: bool = False) -> None:
        """Wait for the others that are released together with this one.

        Args:
            place: where it would go on.
            over: whether all that can be watched there is over.

        Raises:
            Stop: when there is a reason to end the phase.
        """
        if missing := self._pace.come(place, over=over):
            self._tell(Note(at=self._watch.now(), text=f"waits for {', '.join(missing)}: they are released as one"))
        while self._pace.come(place, over=over):
            self._watch.sleep(LOOK)

    def _wait(self, place: Place, over: Callable[[], Result | None]) -> Result:
        """Wait for the end of a hold; where the canary has no traffic there is nothing to watch."""
        if place.step:
            return self._listener.watch(Suite("canary_step"), place, over)
        while (result := over()) is None:
            self._watch.sleep(LOOK)
        return result

    def _end(self, place: Place, cause: Cause, began: float) -> Result | None:
        """Say how the hold ends; None while it goes on."""
        now, limit = self._watch.monotonic(), self._release.hold_limit
        if self._release.frozen(self._watch.now()):
            self._since = (place.step, now)
        if self._words.forced == place.step and not self._kept(place):  # else it would come back here at once
            return Result.FORCED
        if cause in JUDGED_AGAIN:
            again = self._words.urged or (cause is Cause.OUTAGE and now - began >= RETRY)
            result = Result.INCONCLUSIVE if again and not self._words.pause else None
        else:
            result = None if self._kept(place) else Result.PASSED
        if result is None and now - self._since[1] >= limit:
            held = f"held at {place.step} % for {seconds(limit)}, the longest that the release file allows"
            raise Stop(Result.FAILED, f"{held}: {self._state.record.held}")
        return result

    def _kept(self, place: Place) -> bool:
        """Say whether something keeps the weight; what that is may change meanwhile."""
        after = next_place(place, Result.PASSED, self._state.steps)
        frozen = self._release.frozen(self._watch.now())
        hold = keeps(after, self._state.steps, self._release.approve, self._words, frozen)
        if hold is not None and str(hold) != self._state.record.held:
            self._say(place, hold)
        return hold is not None

    def _say(self, place: Place, hold: Hold) -> None:
        self._mover.enter(place, str(hold))
        held = Held(
            at=self._watch.now(),
            step=place.step,
            cause=hold.cause.value,
            why=hold.sentence,
            limit=self._release.hold_limit,
        )
        self._tell(held)
