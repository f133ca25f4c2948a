"""The effects that wait for evidence: suites are started, heard line by line, and judged.

Rules:
    1. A weight rises when the suite says that it is ready to watch, not before.
    2. The first FAIL ends the phase at once; the run may go on to write its JUnit file, and is reaped after traffic
       has gone to safety.
    3. A run that says nothing for too long is as good as one that failed; so is one that shall watch and has ended.
    4. A run that is left behind for another reason than its FAIL (somebody has paused the rollout, or skipped the
       gates) is ended before the next one begins, and its FAIL counts to the last moment.
    5. Jenkins ends the children of a build first, and waits for each: a run that says that somebody else has told it
       to end is not waited for.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ci.conclusion import Conclusion, Line, conclude
from ci.events import Event, Looked, Progress, SuiteEnded, SuiteReady, SuiteStarted, VerdictReached
from ci.hold import Words
from ci.orders import Orders
from ci.phases import UNDOING, Phase, Place, Result
from ci.plan import Suite
from ci.state import Job, State
from ci.suite import LOOK, Order, Run, Suites
from ci.watch import Stop, Watch
from fixtures.release import OnInconclusive

T = TypeVar("T")

OVERHEAD = 120.0  # seconds that a run may take besides watching
SILENCE = 60.0  # seconds without a line of a run that watches
_SEEN = ("at", "t", "seconds", "settled", "gap", "traffic", "in_flight", "weights")  # by a look


@dataclass
class Heard:
    """A run, and what it has said.

    Attributes:
        order: what was wanted.
        run: the run.
        place: where the rollout was when it was started.
        began: when it was started, by the watch.
        heard: when it has last said something, by the watch.
        lines: without progress.
        failed: whether one of them was a FAIL.
        opened: whether it has begun to watch.
    """

    order: Order
    run: Run
    place: Place
    began: float
    heard: float
    lines: list[Line] = field(default_factory=list)
    failed: bool = False
    opened: bool = False
    _unheard: deque[Line] = field(default_factory=deque)

    def hear(self) -> Iterator[Line]:
        """Give what is new, line by line; whoever stops in the middle finds the rest at the next call."""
        self._unheard.extend(self.run.lines())
        while self._unheard:
            yield self._unheard.popleft()


class Listener:
    """Runs the suites of one rollout.

    Args:
        job: what is released.
        state: what has been done; kept up to date.
        words: what people say.
        suites: starts runs.
        watch: keeps time.
        tell: hears of what happens.
        move: writes the weights of a place.
    """

    def __init__(
        self,
        job: Job,
        state: State,
        words: Words,
        suites: Suites,
        watch: Watch,
        tell: Callable[[Event], None],
        move: Callable[[Place, str], None],
    ) -> None:
        self._job = job
        self._state = state
        self._words = words
        self._suites = suites
        self._watch = watch
        self._tell = tell
        self._move = move
        self.current: Heard | None = None  # the run that was started last, until it has ended
        self.attended = False  # whether somebody waits for it
        self.free_since = 0.0  # since when nobody does, by the watch
        self._orders = Orders(job, state)

    def run(self, suite: Suite, place: Place) -> None:
        """Run a suite to its end.

        Args:
            suite: which one.
            place: where the rollout is.

        Raises:
            Stop: when it is not passed; the run may then still be there for ``reap``.
        """
        heard = self.start(suite, place)
        with self._attending():
            status = self._listen(heard, suite)
        self.current = None
        conclusion = self._ended(heard, status)
        if conclusion.result is not Result.PASSED:
            raise Stop(self._counts_as(conclusion.result, place), conclusion.why)

    def watch(self, suite: Suite, place: Place, over: Callable[[], T | None]) -> T:
        """Let a suite look for harm, until somebody says that it is over.

        Args:
            suite: which one.
            place: where the rollout is.
            over: is asked again and again, once the suite watches; its first answer is the end.

        Returns:
            That answer.

        Raises:
            Stop: when harm is shown, or nobody watches any more.
        """
        heard = self.start(suite, place, watch=True)
        with self._attending():
            answer = self._listen_until(heard, suite, over)
        self.leave()
        return answer

    def reap(self) -> None:
        """See to the end of a run that was left behind."""
        heard, self.current = self.current, None
        if heard is not None:
            status = heard.run.end(gently=heard.failed)
            for line in heard.hear():
                self._note(line, heard)
            self._ended(heard, status)

    def leave(self) -> None:
        """See to the end of a run that was left behind for another reason than its FAIL.

        Raises:
            Stop: when that is what it says at last.
        """
        heard = self.current
        self.reap()
        if heard is not None and heard.failed:
            raise _failed(next(line for line in heard.lines if line.get("outcome") == "FAIL"))

    def start(self, suite: Suite, place: Place, *, watch: bool = False) -> Heard:
        """Start a run; one that is still there is seen to first.

        Args:
            suite: which one.
            place: where the rollout is.
            watch: whether it only looks for harm.

        Raises:
            Stop: when the one that is still there ends with a FAIL.
        """
        self.leave()
        order, now = self._orders(suite, place, watch=watch), self._watch.monotonic()
        self.current = heard = Heard(order, self._suites(order), place, now, now)
        command = heard.run.command
        self._tell(SuiteStarted(at=self._watch.now(), suite=order.scenario, step=_step(place), command=command))
        return heard

    def overhear(self, heard: Heard, suite: Suite) -> None:
        """Hear what a run that watches has to say; its own end is too early.

        Args:
            heard: the run.
            suite: which one it is.

        Raises:
            Stop: when harm is shown, or it does not watch any more.
        """
        name, status = heard.order.name, heard.run.status()
        self._hear(heard, suite)
        if status is not None:
            why = conclude(heard.lines, status).why or f"pytest ended with status {status}"
            raise Stop(Result.FAILED, f"the suite {name}, which watches, has ended by itself: {why}")
        if self._watch.monotonic() - heard.heard > SILENCE:
            raise Stop(Result.FAILED, f"the suite {name}, which watches, is silent for {SILENCE:g} s")

    def _listen(self, heard: Heard, suite: Suite) -> int:
        """Hear a run until it ends; give its exit status."""
        deadline = heard.began + self._job.release.limit + OVERHEAD
        while True:
            status = heard.run.status()
            self._hear(heard, suite)
            if status is not None:
                return status
            if suite.rises and self._words.forced == heard.place.step:
                raise Stop(Result.FORCED, f"a person has skipped the gates of {heard.place.step} %")
            if self._watch.monotonic() > deadline:
                raise Stop(Result.FAILED, f"the suite {heard.order.name} does not end")
            self._watch.sleep(LOOK)

    def _listen_until(self, heard: Heard, suite: Suite, over: Callable[[], T | None]) -> T:
        """Hear a run that watches until it is over."""
        while True:
            self.overhear(heard, suite)
            if heard.opened and (answer := over()) is not None:
                return answer
            self._watch.sleep(LOOK)

    @contextmanager
    def _attending(self) -> Iterator[None]:
        self.attended = True
        try:
            yield
        finally:
            self.attended, self.free_since = False, self._watch.monotonic()

    def _hear(self, heard: Heard, suite: Suite) -> None:
        """Hear what is new."""
        for line in heard.hear():
            self._note(line, heard)
            if line["kind"] == "opened" and suite.rises:
                self._move(heard.place, f"step {heard.place.step} %")
            if line.get("outcome") == "FAIL":
                raise _failed(line)
            if line["kind"] == "ended":
                raise Stop(Result.FAILED, f"the suite {heard.order.name}: {line['why']}", at=line["at"])

    def _note(self, line: Line, heard: Heard) -> None:
        """Keep a line, and tell it on as an event."""
        about: dict[str, Any] = {"suite": heard.order.scenario, "step": _step(heard.place)}
        heard.heard = self._watch.monotonic()
        match line["kind"]:
            case "opened":
                heard.opened = True
                took = self._watch.monotonic() - heard.began
                promised = {key: line[key] for key in ("terms", "watch") if key in line}
                self._tell(SuiteReady(at=line["at"], gates=line["gates"], took=took, **promised, **about))
            case "tick":
                self._tell(Looked(**about, **{key: line[key] for key in _SEEN if key in line}))
                return
            case "progress":
                self._tell(_progress(line, heard.place))
                return
            case "verdict":
                heard.failed = heard.failed or line["outcome"] == "FAIL"
                self._state.found[line["gate"]] = line["numbers"]
                said = {key: line[key] for key in ("at", "gate", "outcome", "sentence", "after", "numbers")}
                self._tell(VerdictReached(**about, **said))
            case "closed":
                self._state.carry[heard.order.scenario] = heard.run.verdicts
                return
            case _:
                return
        heard.lines.append(line)

    def _ended(self, heard: Heard, status: int) -> Conclusion:
        conclusion = conclude(heard.lines, status)
        event = SuiteEnded(
            at=self._watch.now(),
            suite=heard.order.scenario,
            step=_step(heard.place),
            passed=conclusion.result is Result.PASSED or (heard.order.watch and conclusion.result is not Result.FAILED),
            why=conclusion.why,
            took=self._watch.monotonic() - heard.began,
            junit=str(heard.run.junit),
        )
        self._tell(event)
        return conclusion

    def _counts_as(self, result: Result, place: Place) -> Result:
        """Tell undecided from failed where that makes a difference.

        A step holds only where the release file says so, or in an outage that both share; a rollback asks again.
        """
        if result is Result.OUTAGE and place.phase is not Phase.STEP:
            result = Result.INCONCLUSIVE
        hold = self._job.release.on_inconclusive is OnInconclusive.HOLD or place.phase in UNDOING
        return result if hold or result is not Result.INCONCLUSIVE else Result.FAILED


def _failed(line: Line) -> Stop:
    return Stop(Result.FAILED, line["sentence"], f"gate {line['gate']}", line["at"])


def _step(place: Place) -> int | None:
    return place.step if place.phase in {Phase.STEP, Phase.HOLD} else None


def _progress(line: Line, place: Place) -> Progress:
    counts = {side: line.get(side, {}) for side in ("canary", "stable")}
    return Progress(at=line["at"], step=_step(place), gates=line["gates"], **counts)
