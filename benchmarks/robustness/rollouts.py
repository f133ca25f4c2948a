"""One seed on a live sandbox: a rollout whose driver is killed, its recovery, and whether all is safe after that.

A seed is safe when no driver, no record and no canary weight is left, all around the release is as it was before (or
with the new image, where the rollout was over already), the last canary request that the Envoy has seen came in time,
and no process of the rollout is left. No request was answered with an error, but for those of a bad image's canary; and
where stable was serving with the new image already, the few that an ordinary rolling update under traffic costs.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.live import Live
from benchmarks.robustness.around import Around, Tail, look, requests
from benchmarks.robustness.plan import Killing, Plan
from benchmarks.robustness.proxy import Death, FaultyApi
from ci.phases import CANARY_CARRIES, Phase
from fixtures.access_log import Entry
from fixtures.cluster import Cluster
from fixtures.release import load_release
from fixtures.sandbox.seed import GIT_REPOSITORY
from fixtures.target import of_sandbox
from fixtures.waiting import NotInTime, wait

BAR = 90.0  # seconds from a driver's death to the canary's last request
NEXT_JOB = 60.0  # seconds until a CronJob looks again: it is started at once here
WHOLE = 240.0  # seconds that a rollout may take, or a recovery
ORPHANS = 15.0  # seconds that a run of pytest may outlive its driver
TRIES = 4  # recoveries, until nothing is left
ROLLED_UNDER_TRAFFIC = (
    0.01  # the share of requests that may fail while stable, serving again, goes back to its old image
)
LOOK = 0.05


@dataclass
class Course:
    """How a seed went.

    Attributes:
        plan: of the seed.
        struck: whether somebody was killed before all was over.
        died: when the last one was killed, driver or recovery, unix seconds; else when the rollout ended.
        phase: in which the driver was last.
        gone: seconds from then to the start of the last request that was routed to the canary.
        whole: seconds from then until nothing was left to be done.
        said: what driver and recoveries printed last.
        faults: how many calls went wrong.
        promoted: whether the new image has stayed.
        wrong: what is not as it should be.
    """

    plan: Plan
    struck: bool = False
    died: float = 0.0
    phase: str = ""
    gone: float = 0.0
    whole: float = 0.0
    said: list[str] = field(default_factory=list)
    faults: int = 0
    promoted: bool = False
    wrong: list[str] = field(default_factory=list)

    @property
    def carries(self) -> bool:
        """Whether stable may be half rolled, so that the canary has to carry everything until it is not."""
        return self.phase in {phase.value for phase in CANARY_CARRIES}

    @property
    def bar(self) -> float:
        """Seconds within which the canary has to be gone."""
        return BAR if self.plan.now else BAR - NEXT_JOB


class Bench:
    """A sandbox with a faulty way to it.

    Args:
        live: the sandbox; its target is that way.
        api: the way.
    """

    def __init__(self, live: Live, api: FaultyApi) -> None:
        self._live, self._api = live, api
        self._state = live.sandbox.state
        self._straight = Cluster(self._state / "kubeconfig")
        self._release = load_release(live.release)
        self._log = Tail(of_sandbox(self._state).access_log or Path())

    def close(self) -> None:
        """Close what is read from."""
        self._log.close()

    def around(self) -> Around:
        """Look around, past the faulty way."""
        return look(self._straight, self._release, self._state / "git" / GIT_REPOSITORY)

    def once(self, plan: Plan) -> Course:
        """Let a plan happen."""
        course, before = Course(plan), self.around()
        self._log.lines()
        self._api.begin(plan.faults)
        tag = "hopeless" if plan.image == "bad" else self._other(before)
        name = f"seed-{plan.seed}"
        family = self._strike(plan.killing, self._live.releasing(tag, name), course)
        self._recover(plan, name, course)
        course.whole = time.time() - course.died
        course.faults = len(self._api.done)
        self._api.begin(type(plan.faults)())
        course.wrong = [*self._judged(course, before, self._live.image(tag)), *_left(family)]
        return course

    def _other(self, before: Around) -> str:
        """Give a good image that does not run yet."""
        return next(tag for tag in ("v1", "v2") if self._live.image(tag) not in before.images)

    def _strike(self, killing: Killing, command: list[str], course: Course) -> list[psutil.Process]:
        """Start a rollout, and kill; give the processes that it had."""
        family, file = list[psutil.Process](), self._live.folder / "driver.log"
        with file.open("w") as said:
            process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)

        def strike() -> None:
            driver, runs = _family(process.pid)
            family.extend([*driver, *runs])
            for each in {"driver": driver, "pytest": runs, "both": [*driver, *runs]}[killing.who]:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
                course.struck, course.died = True, time.time()

        if killing.write:
            self._api.set(Death(killing.write, killing.made, strike))
        elif _until(killing, process, file):
            strike()
        process.wait(WHOLE)
        self._api.set(None)
        self._hear(course, file.read_text(), process.returncode)
        return family

    def _hear(self, course: Course, said: str, status: int) -> None:
        """Keep what a driver has said."""
        course.phase = next(reversed(_phases(said)), "")
        course.said += [] if status < 0 else [_last_words(said, status)]
        course.died = course.died or time.time()

    def _recover(self, plan: Plan, name: str, course: Course) -> None:
        """Recover until nothing is left to be done; who recovers may be killed as well, once."""
        how = [str(self._live.release), "--now"] if plan.now else ["--all", "--expired"]
        reports = str(self._live.folder / f"{name}-back")
        for again in (plan.again, *[0] * TRIES):
            words = self._live.words("recover", *how, "--reports", reports, "--json")
            with (self._live.folder / "recovery.log").open("w+") as said:
                process = subprocess.Popen(words, stdout=said, stderr=subprocess.STDOUT)

                def strike(victim: "subprocess.Popen[str]" = process) -> None:
                    victim.kill()
                    course.died = time.time()

                self._api.set(Death(again, plan.killing.made, strike) if again else None)
                process.wait(WHOLE)
                said.seek(0)
                course.said.append(_last_words(said.read(), process.returncode))
            if not self._recorded():
                return

    def _recorded(self) -> bool:
        return any(each["record"] for each in self.around().objects.values())

    def _judged(self, course: Course, before: Around, image: str) -> Iterator[str]:
        """Say what is not as it should be."""
        plan, after, log = course.plan, self.around(), self._requests()
        course.promoted = after.images == {image} and before.images != {image}
        if course.promoted and plan.image == "bad":
            yield "a bad image was promoted"
        yield from (before.with_image(image, after.folder) if course.promoted else before).differences(after)
        course.gone = max([0.0, *(each.start - course.died for each in log.values() if each.subset == "canary")])
        if course.gone > course.bar:
            yield f"the canary had a request {course.gone:.1f} s after the death, {course.bar:g} s are allowed"
        bad = [line for line, each in log.items() if _is_bad(each) and (plan.image, each.subset) != ("bad", "canary")]
        if len(bad) > (ROLLED_UNDER_TRAFFIC * len(log) if course.phase == Phase.SERVE.value else 0):
            yield f"{len(bad)} of {len(log)} requests were answered with an error: {bad[0]} ... {bad[-1]}"

    def _requests(self) -> dict[str, Entry]:
        """Read Envoy's log until it has caught up with this moment."""
        now, log = time.time(), dict[str, Entry]()

        def caught_up() -> bool:
            new = requests(self._log.lines())
            log.update(new)
            return any(each.start > now for each in new.values())

        wait(caught_up, what="Envoy's log", timeout=20, interval=LOOK)
        return log


def _is_bad(request: Entry) -> bool:
    return not 0 < request.code < 500


def _until(killing: Killing, process: "subprocess.Popen[bytes]", file: Path) -> bool:
    """Wait for the moment of a killing; False when the rollout ends before it."""

    def come() -> bool:
        there = killing.who != "pytest" or _family(process.pid)[1]
        return process.poll() is not None or (bool(there) and _begun(killing.phase, _events(file.read_text())))

    wait(come, what=f"{killing.phase.value}, or the end", timeout=WHOLE, interval=LOOK)
    with suppress(subprocess.TimeoutExpired):
        process.wait(killing.after)
    return process.poll() is None


def _family(driver: int) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """Give a driver, and all that it has started."""
    try:
        process = psutil.Process(driver)
        return [process], process.children(recursive=True)
    except psutil.NoSuchProcess:
        return [], []


def _left(family: list[psutil.Process]) -> Iterator[str]:
    """Name the processes that do not end, and end them."""
    try:
        wait(lambda: not any(map(_lives, family)), what="their end", timeout=ORPHANS)
    except NotInTime:
        for each in filter(_lives, family):
            yield f"{' '.join(each.cmdline())[:120]} is still there {ORPHANS:g} s after the recovery"
            each.kill()


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _events(said: str) -> list[dict[str, Any]]:
    whole = said[: said.rfind("\n") + 1]
    return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]


def _begun(phase: Phase, events: list[dict[str, Any]]) -> bool:
    """Say whether a phase has begun; a step has when its weight is written."""
    if phase is Phase.STEP:
        return any(each["kind"] == "weights_written" for each in events)
    return any(each["kind"] == "phase_entered" and each["phase"] == phase.value for each in events)


def _phases(said: str) -> list[str]:
    return [each["phase"] for each in _events(said) if each["kind"] == "phase_entered"]


def _last_words(said: str, status: int) -> str:
    """Give what a command said at its end, and its exit status."""
    lines = said.strip().splitlines() or ["nothing"]
    sentences = [each["sentence"] for each in _events(said) if isinstance(each.get("sentence"), str)]
    return f"({status}) {(sentences or lines)[-1].strip()}"
