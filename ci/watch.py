"""A clock that looks around while the driver sleeps on it: whatever the driver waits for, it notices a stop.

Rules:
    1. While it is ``awake`` every sleep is cut into ticks; at each the brake and the Lease are asked, and the
       VirtualServices are read. Anything that ends the phase is raised as ``Stop``.
    2. An API server that does not answer is no reason to stop: when it lasts, the Lease can not be renewed, and
       that is one.
    3. ``permit`` asks the same questions of a VirtualService that was just read, before something is written.
    4. What people have written into the record is noticed at each look, and before each write: after a ``pause`` no
       weight rises any more, not even one that is on its way.
    5. Where traffic is being taken back it sleeps as any clock does: nothing may interrupt that.
"""

from collections.abc import Callable

from checks.evidence import Weights
from ci.people import People
from ci.phases import Phase, Result
from ci.record import Record
from ci.state import State
from ci.traffic import Seen, Traffic
from fixtures.cluster import NotFound
from fixtures.errors import SluicegateError
from fixtures.waiting import Clock

TICK = 0.25  # seconds between two looks


class Stop(Exception):
    """The phase is over.

    Args:
        result: how it counts.
        reason: the first sentence that a person needs.
        who: who has decided that.
        at: when it was decided, unix seconds; 0 for the moment it is heard of.
    """

    def __init__(self, result: Result, reason: str, who: str = "", at: float = 0.0) -> None:
        super().__init__(reason)
        self.result = result
        self.reason = reason
        self.who = who
        self.at = at


class Watch:
    """Watches over one rollout; it is the clock that all its waiting sleeps on.

    Args:
        state: what the driver has last written.
        traffic: for reading the VirtualServices.
        people: notices what they say.
        pulled: the name of the signal that pulled the brake, "" for none.
        held: whether the Lease is held beyond doubt.
        clock: that really sleeps.
    """

    def __init__(
        self,
        state: State,
        traffic: Traffic,
        people: People,
        pulled: Callable[[], str],
        held: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self.awake = False
        self._state = state
        self._traffic = traffic
        self._people = people
        self._pulled = pulled
        self._held = held
        self._clock = clock
        self.meanwhile: Callable[[], None] = lambda: None  # asked at each look
        self.deserted: Callable[[], str] = lambda: ""  # why others that are released with it have turned back
        self._looked = clock.monotonic()

    def now(self) -> float:
        """Give the time of day, unix seconds."""
        return self._clock.now()

    def monotonic(self) -> float:
        """Give seconds since some moment; never goes backwards."""
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let time pass and look around meanwhile.

        Raises:
            Stop: when there is a reason to end the phase.
        """
        left = seconds
        while left > 0:
            if self.awake:
                self._look()
            self._clock.sleep(min(left, TICK))
            left -= TICK

    def permit(self, seen: Seen) -> None:
        """Ask whether something may be written now.

        Args:
            seen: the VirtualService as it was just read.

        Raises:
            Stop: when it may not.
        """
        self._ask_ourselves()
        record, ours = seen.record, self._state.record
        if record is None and ours.phase is not Phase.PREFLIGHT:
            raise Stop(Result.FAILED, f"somebody has removed the rollout's record from {seen.name}")
        if record is not None and record.rollout != ours.rollout:
            raise Stop(Result.FAILED, _unfinished(record))
        if record is not None and record.abort:
            raise Stop(Result.ABORTED, f"aborted by {record.abort}", record.abort.partition(":")[0])
        if (expected := self._state.weights) and seen.weights != {expected}:
            found = ", ".join(sorted(map(_split, seen.weights))) or "no route of ours"
            what = f"found {found}, expected {_split(expected)}"
            raise Stop(Result.FAILED, f"somebody has changed the weights of {seen.name}: {what}")
        if record is not None and seen.name == self._traffic.first:
            self._people.notice(record)

    def permit_rise(self, seen: Seen) -> None:
        """Ask whether a weight may rise now.

        Args:
            seen: the VirtualService as it was just read.

        Raises:
            Stop: when it may not.
        """
        self.permit(seen)
        if paused := self._people.words.paused:
            raise Stop(Result.HELD, paused)

    def _look(self) -> None:
        self._ask_ourselves()
        if self.monotonic() - self._looked < TICK:
            return
        self._looked = self.monotonic()
        self._read()
        self.meanwhile()

    def _read(self) -> None:
        try:
            for seen in self._traffic.look():
                self.permit(seen)
        except NotFound as error:
            raise Stop(Result.FAILED, str(error)) from error
        except SluicegateError:
            return  # see rule 2

    def _ask_ourselves(self) -> None:
        if signal := self._pulled():
            raise Stop(Result.ABORTED, f"stopped by {signal}", signal)
        if not self._held():
            raise Stop(Result.FAILED, "the Lease could not be renewed: somebody else may be releasing now")
        if reason := self.deserted():
            raise Stop(Result.FAILED, reason)


def _split(weights: Weights) -> str:
    return f"{weights.stable:g}/{weights.canary:g}"


def _unfinished(record: Record) -> str:
    """Say whose rollout is in the way; it holds no Lease, or we would not have it."""
    return (
        f"rollout {record.rollout} of {record.who} is not over ({record.phase.value}), and nobody drives it:"
        " `sluicegate recover RELEASE` takes it back"
    )
