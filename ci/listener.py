"""The effects that wait for evidence: suites are started, heard line by line, and judged.

Rules:
    1. A weight rises when the suite says that it is ready to watch, not before.
    2. The first FAIL ends the phase at once; the run may go on to write its JUnit file, and is reaped after traffic
       has gone to safety.
    3. A run that says nothing for too long is as good as one that failed.
"""

import secrets
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ci.conclusion import Conclusion, Line, conclude
from ci.events import Event, Looked, Progress, SuiteEnded, SuiteReady, SuiteStarted, VerdictReached
from ci.phases import Phase, Place, Result
from ci.plan import Suite
from ci.state import Job, State
from ci.suite import LOOK, Order, Run, Suites
from ci.watch import Stop, Watch
from fixtures.release import OnInconclusive

OVERHEAD = 120.0  # seconds that a run may take besides watching


@dataclass
class Heard:
    """A run, and what it has said.

    Attributes:
        order: what was wanted.
        run: the run.
        place: where the rollout was when it was started.
        began: when it was started, by the watch.
        lines: without progress.
        failed: whether one of them was a FAIL.
    """

    order: Order
    run: Run
    place: Place
    began: float
    lines: list[Line] = field(default_factory=list)
    failed: bool = False
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
        suites: starts runs.
        watch: keeps time.
        tell: hears of what happens.
        move: writes the weights of a place.
    """

    def __init__(
        self,
        job: Job,
        state: State,
        suites: Suites,
        watch: Watch,
        tell: Callable[[Event], None],
        move: Callable[[Place, str], None],
    ) -> None:
        self._job = job
        self._state = state
        self._suites = suites
        self._watch = watch
        self._tell = tell
        self._move = move
        self._current: Heard | None = None
        self._names: list[str] = []

    def run(self, suite: Suite, place: Place) -> None:
        """Run a suite to its end.

        Args:
            suite: which one.
            place: where the rollout is.

        Raises:
            Stop: when it is not passed; the run may then still be there for ``reap``.
        """
        order = self._order(suite, place)
        heard = Heard(order, self._suites(order), place, self._watch.monotonic())
        self._current = heard
        command = heard.run.command
        self._tell(SuiteStarted(at=self._watch.now(), suite=order.scenario, step=_step(place), command=command))
        status = self._listen(heard, suite)
        self._current = None
        conclusion = self._ended(heard, status)
        if suite.scenario == "canary_step":
            self._state.carry = heard.run.verdicts
        if conclusion.result is not Result.PASSED:
            raise Stop(self._counts_as(conclusion.result), conclusion.why)

    def reap(self) -> None:
        """See to the end of a run that was left behind."""
        heard, self._current = self._current, None
        if heard is not None:
            status = heard.run.end(gently=heard.failed)
            for line in heard.hear():
                self._note(line, heard)
            self._ended(heard, status)

    def _listen(self, heard: Heard, suite: Suite) -> int:
        """Hear a run until it ends; give its exit status."""
        deadline = heard.began + self._job.release.limit + OVERHEAD
        while True:
            status = heard.run.status()
            for line in heard.hear():
                self._note(line, heard)
                if line["kind"] == "opened" and suite.rises:
                    self._move(heard.place, f"step {heard.place.step} %")
                if line.get("outcome") == "FAIL":
                    raise Stop(Result.FAILED, line["sentence"], f"gate {line['gate']}", line["at"])
            if status is not None:
                return status
            if self._watch.monotonic() > deadline:
                raise Stop(Result.FAILED, f"the suite {heard.order.name} does not end")
            self._watch.sleep(LOOK)

    def _note(self, line: Line, heard: Heard) -> None:
        """Keep a line, and tell it on as an event."""
        about: dict[str, Any] = {"suite": heard.order.scenario, "step": _step(heard.place)}
        match line["kind"]:
            case "opened":
                took = self._watch.monotonic() - heard.began
                self._tell(SuiteReady(at=line["at"], gates=line["gates"], took=took, **about))
            case "tick":
                seen = {key: line[key] for key in ("at", "t", "seconds", "settled", "gap", "traffic")}
                self._tell(Looked(**about, **seen))
                return
            case "progress":
                self._tell(_progress(line, heard.place))
                return
            case "verdict":
                heard.failed = heard.failed or line["outcome"] == "FAIL"
                said = {key: line[key] for key in ("at", "gate", "outcome", "sentence", "after", "numbers")}
                self._tell(VerdictReached(**about, **said))
            case _:
                return
        heard.lines.append(line)

    def _ended(self, heard: Heard, status: int) -> Conclusion:
        conclusion = conclude(heard.lines, status)
        event = SuiteEnded(
            at=self._watch.now(),
            suite=heard.order.scenario,
            step=_step(heard.place),
            passed=conclusion.result is Result.PASSED,
            why=conclusion.why,
            took=self._watch.monotonic() - heard.began,
            junit=str(heard.run.junit),
        )
        self._tell(event)
        return conclusion

    def _counts_as(self, result: Result) -> Result:
        """INCONCLUSIVE holds only where the release file says so."""
        hold = self._job.release.on_inconclusive is OnInconclusive.HOLD
        return result if hold or result is not Result.INCONCLUSIVE else Result.FAILED

    def _order(self, suite: Suite, place: Place) -> Order:
        name = f"step-{place.step:02d}" if place.step else "-".join(filter(None, (suite.scenario, suite.part)))
        self._names.append(name)
        times = self._names.count(name)
        unique = name if times == 1 else f"{name}-{times}"
        return Order(suite.scenario, unique, secrets.token_hex(8), self._options(suite, place))

    def _options(self, suite: Suite, place: Place) -> Mapping[str, str]:
        # A rollback is proved by what was before, not by the image that was to come.
        wanted = {
            "--release": str(self._job.file),
            "--target": self._job.target,
            "--rollout": self._job.rollout,
            "--image": "" if suite.scenario == "rollback" else self._job.image,
            "--commit": self._state.commit,
            "--part": suite.part,
            "--step": "0" if suite.part == "serving" else str(place.step or ""),
            "--before": str(self._state.before or "") if suite.scenario == "rollback" else "",
            "--carry": str(self._state.carry or "") if suite.scenario == "canary_step" else "",
        }
        return {option: value for option, value in wanted.items() if value}


def _step(place: Place) -> int | None:
    return place.step if place.phase in {Phase.STEP, Phase.HOLD} else None


def _progress(line: Line, place: Place) -> Progress:
    counts = {side: line.get(side, {}) for side in ("canary", "stable")}
    return Progress(at=line["at"], step=_step(place), gates=line["gates"], **counts)
