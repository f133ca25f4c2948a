"""Simulated time: any number of threads, of which one runs at a time, and the seed decides which.

Code of the driver runs unchanged in threads. Whoever sleeps hands on to whoever is to wake next; time is what the next
one waits for. Two that wake at the same moment are drawn by lot, so that another seed is another order.

A process is a group of threads that die together: once it is killed, none of its threads gets through its next call
that takes time, not even those that clear up.
"""

import heapq
import threading
from collections.abc import Callable
from random import Random

MOST = 1_000_000  # things that may happen in one run

threading.stack_size(512 * 1024)


class Killed(BaseException):
    """SIGKILL."""


class Process:
    """A group of threads that die together.

    Args:
        name: for people.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.busy = 0  # threads that have not ended


class _Fiber:
    def __init__(self, process: Process) -> None:
        self.process = process
        self.wake = threading.Lock()
        self.wake.acquire()


class Timeline:
    """What happens when.

    Args:
        random: draws who is first.
    """

    def __init__(self, random: Random) -> None:
        self.now = 0.0
        self.crashes: list[tuple[str, BaseException]] = []
        self._random = random
        self._due: list[tuple[float, float, int, Callable[[], None] | _Fiber]] = []
        self._count = 0
        self._fibers: set[_Fiber] = set()
        self._current: _Fiber | None = None
        self._until = 0.0
        self._runner = threading.Lock()
        self._runner.acquire()
        self._ending = False

    def at(self, when: float, act: Callable[[], None]) -> None:
        """Let something happen."""
        self._push(max(when, self.now), act)

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Let something happen later."""
        self._push(self.now + seconds, act)

    def start(self, process: Process, work: Callable[[], object]) -> None:
        """Start a thread of a process."""
        fiber = _Fiber(process)
        self._fibers.add(fiber)
        process.busy += 1
        threading.Thread(target=self._live, args=(fiber, work), daemon=True).start()
        self._push(self.now, fiber)

    def sleep(self, seconds: float) -> None:
        """Let time pass for the thread that calls."""
        me = self._current
        assert me is not None
        self._still_lives(me)
        self._push(self.now + max(seconds, 0.0), me)
        if self._hand_on() is not me:
            me.wake.acquire()
        self._still_lives(me)

    def run(self, until: float) -> None:
        """Run to a moment, then end all threads."""
        self._until = until
        self._hand_on()
        self._runner.acquire()
        self._ending = True
        for fiber in list(self._fibers):
            fiber.process.dead = True
            self._current = fiber
            fiber.wake.release()
            self._runner.acquire()

    def stop(self) -> None:
        """End the run at this moment."""
        self._until = self.now

    def _push(self, when: float, what: "Callable[[], None] | _Fiber") -> None:
        self._count += 1
        if self._count == MOST:
            self.crashes.append(("timeline", RuntimeError(f"{MOST:,} things have happened: it does not end")))
            self._until = self.now
        heapq.heappush(self._due, (when, self._random.random(), self._count, what))

    def _hand_on(self) -> "_Fiber | None":
        """Let happen what is due until it is a thread's turn; give that thread."""
        while self._due and self._due[0][0] <= self._until:
            self.now, _, _, what = heapq.heappop(self._due)
            if isinstance(what, _Fiber):
                before, self._current = self._current, what
                if what is not before:
                    what.wake.release()
                return what
            self._happen(what)
        self._runner.release()
        return None

    def _happen(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception as error:  # noqa: BLE001 - a mistake of the simulation
            self.crashes.append(("timeline", error))

    def _live(self, fiber: _Fiber, work: Callable[[], object]) -> None:
        fiber.wake.acquire()
        try:
            self._still_lives(fiber)
            work()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - the judges have to hear of it
            self.crashes.append((fiber.process.name, error))
        self._fibers.discard(fiber)
        fiber.process.busy -= 1
        self._current = None
        if self._ending:
            self._runner.release()
        else:
            self._hand_on()

    def _still_lives(self, fiber: _Fiber) -> None:
        if fiber.process.dead or self._ending:
            raise Killed


class SimulatedClock:
    """The clock of a process.

    Args:
        timeline: its time.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def now(self) -> float:
        return 1_700_000_000.0 + self._timeline.now

    def monotonic(self) -> float:
        return round(self._timeline.now, 9)

    def sleep(self, seconds: float) -> None:
        self._timeline.sleep(seconds)


class SimulatedEvent(threading.Event):
    """An event that is waited for in simulated time; it wakes nobody early."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self._timeline = timeline

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set():
            self._timeline.sleep(timeout or 0.0)
        return self.is_set()
