"""A driver on a clock that jumps, in a world that a test can change.

A test of the driver is: a world, something that happens in it at some second, and then what was written and told.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ci.abort import taking_back
from ci.ask import ask
from ci.autoscaler import Autoscaler
from ci.companion import Companion
from ci.deployer import ArgoCD, Deployer
from ci.driver import Driver
from ci.events import Event, PhaseEntered, RolloutEnded
from ci.holding import Holding
from ci.left import left_by
from ci.listener import Listener
from ci.lockstep import Lockstep
from ci.mover import Mover
from ci.people import People
from ci.performer import Performer
from ci.phases import Phase
from ci.record import Record
from ci.state import Job, State
from ci.suite import Order
from ci.traffic import Traffic
from ci.watch import Watch
from fixtures.cluster import DEPLOYMENTS, VIRTUAL_SERVICES
from fixtures.errors import SluicegateError
from fixtures.istio import Subsets
from fixtures.manifest_images import Edit
from fixtures.release import Release
from fixtures.waiting import FakeClock, NotYet

Object = dict[str, Any]
OLD, NEW = (f"registry.example.com/shop/rebate-core-service@sha256:{digit * 64}" for digit in "12")
RELEASE = Release.model_validate(
    {
        "service": "rebate-core",
        "namespace": "production",
        "image": "registry.example.com/shop/rebate-core-service",
        "gitops": {
            "repository": "https://git.example.com/shop/k8s-manifests.git",
            "path": "bases/rebate-core",
            "application": {"name": "rebate-core-prod"},
        },
        "objectives": {"error_rate": "1%"},
        "soak": "3s",
        "limit": "1m",
        "after": "0s",
    }
)


@dataclass
class Script:
    """What a suite will say: it opens after a second, and after three more each gate has its outcome."""

    outcomes: Mapping[str, str] = field(default_factory=lambda: {"pods": "PASS", "error_rate": "PASS"})
    opens: float = 1.0
    decides: float = 4.0
    status: int | None = None
    hangs: bool = False
    numbers: Mapping[str, Any] = field(default_factory=dict)
    at: Mapping[str, float] = field(default_factory=dict)
    dies: float = float("inf")
    told: float = float("inf")  # when somebody else tells it to end

    def watched(self, began: float) -> list[tuple[float, dict[str, Any]]]:
        """Give the lines of a run that watches: a gate fails when ``at`` says so, and is silent until then."""
        opened, progress = (line for _, line in self.lines(began)[:2])
        failed = [self._verdict(gate, "FAIL", began + at) for gate, at in self.at.items()]
        return [(line["at"] - began, line) for line in (opened, progress, *failed)]

    def told_to_end(self, now: float) -> list[dict[str, Any]]:
        """Give the lines that such a run says at its end."""
        passed = [self._verdict(gate, "PASS", now) for gate in self.outcomes if gate not in self.at]
        return [*passed, {"kind": "closed", "at": now}]

    def _verdict(self, gate: str, outcome: str, at: float) -> dict[str, Any]:
        sentence = f"{gate} says {outcome}"
        about = {"at": at, "after": 3.0, "numbers": dict(self.numbers)}
        return {"kind": "verdict", "gate": gate, "outcome": outcome, "sentence": sentence, **about}

    def lines(self, began: float) -> list[tuple[float, dict[str, Any]]]:
        """Give all lines with the second at which each is said."""
        gates = {gate: {"sentence": "one so far", "evidence": 1, "of": 100} for gate in self.outcomes}
        opened = {"kind": "opened", "gates": list(self.outcomes), "at": began + self.opens}
        progress = {"kind": "progress", "gates": gates, "at": began + self.opens + 1}
        at = began + self.decides
        verdicts = [self._verdict(gate, outcome, at) for gate, outcome in self.outcomes.items() if outcome != "SILENT"]
        closed = {"kind": "closed", "at": at}
        if self.told < self.decides:
            verdicts = [{"kind": "ended", "why": "the run was ended by SIGTERM", "at": began + self.told}]
        return [(line["at"] - began, line) for line in (opened, progress, *verdicts, closed)]

    @property
    def exit_status(self) -> int:
        good = set(self.outcomes.values()) <= {"PASS", "SILENT"}
        return self.status if self.status is not None else (0 if good else 1)


class ScriptedRun:
    """A run on the fake clock."""

    command: Sequence[str] = ("pytest",)

    def __init__(self, script: Script, order: Order, clock: FakeClock) -> None:
        self.order, self.junit, self.verdicts = order, Path(f"{order.name}.xml"), Path(f"{order.name}.jsonl")
        self.ended = ""
        self._script, self._clock, self._began = script, clock, clock.monotonic()
        self._said = 0.0
        self._left = script.watched(clock.now()) if order.watch else script.lines(clock.now())

    def lines(self) -> list[dict[str, Any]]:
        due = [line for after, line in self._left if after <= self._passed + 1e-6]
        self._left = [each for each in self._left if each[0] > self._passed + 1e-6]
        if self.order.watch and not due and self._passed >= max(self._script.opens, self._said + 1):
            due = [self._script.lines(self._clock.now())[1][1]]  # its progress, each second
        self._said = self._passed if due else self._said
        return due

    def status(self) -> int | None:
        ends = self._script.dies if self.order.watch else self._script.decides + 0.5
        failed = self.order.watch and any(self._passed >= at + 0.5 for at in self._script.at.values())
        over = failed or (self._passed >= ends and not self._script.hangs)
        return self._script.exit_status if over else None

    def end(self, *, gently: bool) -> int:
        self.ended = "gently" if gently else "at once"
        self._clock.sleep(0.5)
        if self.order.watch:
            self._left += [(0.0, line) for line in self._script.told_to_end(self._clock.now())]
            return 0
        return self._script.exit_status if gently else 1

    @property
    def _passed(self) -> float:
        return self._clock.monotonic() - self._began


class MemoryGit:
    """A GitOps repository that knows two images."""

    def __init__(self) -> None:
        self.images = {"rebate-core": OLD, "rebate-core-canary": OLD}
        self.log: list[str] = []
        self.broken: SluicegateError | None = None
        self.merged: Callable[[str], str | NotYet] = lambda commit: commit
        self._before: dict[str, dict[str, str]] = {}

    def head(self) -> str:
        return self.log[-1].split()[0] if self.log else "c0"

    def commit_and_push(self, edit: Edit, message: str, *, announce: Callable[[str], None]) -> str | None:
        texts = {name: MANIFEST.format(name=name, image=image) for name, image in self.images.items()}
        changed = {name: text.rpartition("image: ")[2].strip() for name, text in edit(texts).items()}
        if not changed:
            return None
        announce(f"c{len(self.log) + 1}")
        return self._push({**self.images, **changed}, message)

    def arrived(self, commit: str) -> str | NotYet:
        return self.merged(commit)

    def revert(self, commits: Sequence[str], message: str) -> str | None:
        images = dict(self.images)
        for commit in commits:
            images |= self._before.get(commit, {})
        return self._push(images, message) if images != self.images else None

    def _push(self, images: dict[str, str], message: str) -> str:
        if self.broken:
            raise self.broken
        commit = f"c{len(self.log) + 1}"
        self._before[commit] = {name: old for name, old in self.images.items() if images[name] != old}
        self.images = images
        self.log.append(f"{commit} {message.splitlines()[0]}")
        return commit


MANIFEST = """kind: Deployment
metadata:
  name: {name}
spec:
  template:
    spec:
      containers:
      - name: app
        image: {image}
"""


class Bench:
    """A driver in a world that a test can change; ``at`` lets something happen at a second of the rollout."""

    def __init__(self, cluster: Any, clock: FakeClock, subsets: Subsets, tmp_path: Path) -> None:
        self.cluster, self.clock, self.git = cluster, clock, MemoryGit()
        self.release = RELEASE
        self.scripts: dict[str, Script] = {}
        self.runs: list[ScriptedRun] = []
        self.events: list[Event] = []
        self.history: list[tuple[float, int, str]] = []
        self.pulled, self.held = "", True
        self.argocd: SluicegateError | None = None  # what Argo CD says instead of syncing
        self.obeys = True  # whether the data plane does what the VirtualService says
        self.sync_takes = 1.0
        self.pace = Lockstep(["rebate-core"]).pace("rebate-core")
        self.lags = 0.0  # seconds until a Deployment has what Argo CD says it has synced
        self.access_log: Path | None = None
        self.despite = ""
        self._subsets, self._folder = subsets, tmp_path
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._on_phase: list[tuple[str, float, Callable[[], None]]] = []
        real_sleep = clock.sleep
        clock.sleep = lambda seconds: self._pass_time(seconds, real_sleep)  # type: ignore[method-assign]
        cluster.after = self._remember

    def at(self, second: float, act: Callable[[], None]) -> None:
        """Let something happen."""
        self._due.append((second, act))

    def after_entering(self, phase: str, act: Callable[[], None], *, later: float = 0.0) -> None:
        """Let something happen when the driver has entered a phase for the first time."""
        self._on_phase.append((phase, later, act))

    def suite(self, name: str, **script: Any) -> None:
        """Say what a suite will say; by the name of its files, such as ``step-25``."""
        self.scripts[name] = Script(**script)

    def traffic(self) -> Traffic:
        return Traffic(self.cluster, "production", ["rebate-core"], self._subsets, self.clock)

    def abort(self, why: str = "ana@laptop: wrong version") -> None:
        """Abort from a second terminal."""
        self.traffic().insist(taking_back(why), patience=5)

    def says(self, what: str, why: str = "looks good", who: str = "ana@laptop") -> None:
        """Say ``pause``, ``resume``, ``promote`` or ``force`` from a second terminal."""
        ask(self.traffic(), what, who, why, self.clock.now())

    def run(self) -> RolloutEnded:
        """Drive a rollout to its end."""
        record = Record(rollout="3f9c2a", phase=Phase.PREFLIGHT, image=NEW, who="ci@jenkins-7", before_replicas=1)
        return self._driver(State(replace(record, despite=self.despite))).run()

    def recover(self, who: str = "ana@laptop") -> RolloutEnded:
        """Take back what a dead driver has left, with nothing but the cluster's record of it."""
        record = left_by(self.traffic().look())
        assert record is not None
        self.traffic().insist(taking_back(f"{who}: recovers it", record.rollout), patience=60)
        state = State(replace(record, who=who), raised=record.step > 0)
        return self._driver(state).recover(record.place, f"its driver {record.who} is gone")

    def _driver(self, state: State) -> Driver:
        job = Job(
            rollout="3f9c2a",
            release=self.release,
            file=Path("release.yaml"),
            image=NEW,
            target="sandbox",
            who=state.record.who,
            reports=self._folder,
            access_log=self.access_log,
            links={"application": "https://argocd.example.com"},
            despite=self.despite,
        )
        people = People(self._tell, self.clock.now)
        self.words = words = people.words
        watch = Watch(state, self.traffic(), people, lambda: self.pulled, lambda: self.held, self.clock)
        mover = Mover(state, self.traffic(), watch, lambda canary: self.obeys and self.canary == canary, self._tell)
        argo = ArgoCD(lambda: None, lambda commit: self._sync(watch))
        deployer = Deployer(job, state, self.cluster, self.git, argo, watch, self._tell, mover.note_commit)
        listener = Listener(job, state, words, self._start, watch, self._tell, mover.move)
        watch.meanwhile, watch.deserted = Companion(state, listener, watch).look, self.pace.deserted
        keep = self._folder / "before.json"
        self.performer = Performer(
            job,
            state,
            mover=mover,
            deployer=deployer,
            autoscaler=Autoscaler(job, state, self.cluster, mover.note, watch, self._tell),
            listener=listener,
            holding=Holding(job, state, words, listener, mover, watch, self._tell, self.pace),
            keep_before=lambda: keep,
            watch=watch,
            tell=self._tell,
        )
        self.state = state
        return Driver(job, state, words, watch, self.performer, self._tell, self.pace.leave)

    @property
    def service(self) -> Object:
        """The VirtualService now."""
        return self.cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")

    @property
    def canary(self) -> int:
        """The canary's weight now."""
        return int(self.service["spec"]["http"][0]["route"][1]["weight"])

    @property
    def weights(self) -> list[int]:
        """The canary's weights in the order of writing, without repetitions."""
        written = [weight for _, weight, _ in self.history]
        return [each for place, each in enumerate(written) if place == 0 or written[place - 1] != each]

    @property
    def record(self) -> Record | None:
        return Record.read(self.service["metadata"].get("annotations") or {})

    def phases(self) -> list[str]:
        found = [event for event in self.events if isinstance(event, PhaseEntered)]
        return [f"{event.phase} {event.step}" if event.step else event.phase for event in found]

    def told(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def replicas(self, name: str = "rebate-core-canary") -> int:
        return int(self.cluster.get(DEPLOYMENTS, "production", name)["spec"]["replicas"])

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        if not isinstance(event, PhaseEntered):
            return
        for due in [each for each in self._on_phase if each[0] == event.phase]:
            self._on_phase.remove(due)
            _, later, act = due
            self.at(self.clock.monotonic() + later, act) if later else act()

    def _start(self, order: Order) -> ScriptedRun:
        self.runs.append(ScriptedRun(self.scripts.get(order.name, Script()), order, self.clock))
        return self.runs[-1]

    def _sync(self, watch: Watch) -> None:
        """Argo CD needs a moment; then the Deployments have Git's images."""
        watch.sleep(self.sync_takes)
        if self.argocd:
            raise self.argocd
        images = dict(self.git.images)
        if self.lags:
            self.at(self.clock.monotonic() + self.lags, lambda: self._set_images(images))
        else:
            self._set_images(images)
        self.history.append((self.clock.monotonic(), self.canary, f"synced {self.git.head()}"))

    def _set_images(self, images: Mapping[str, str]) -> None:
        for name, image in images.items():
            body = self.cluster.get(DEPLOYMENTS, "production", name)
            body["spec"]["template"]["spec"]["containers"][0]["image"] = image
            self.cluster.put(DEPLOYMENTS, "production", body)

    def _remember(self, verb: str, name: str) -> None:
        self.history.append((self.clock.monotonic(), self.canary, f"{verb} {name}"))

    def _pass_time(self, seconds: float, sleep: Callable[[float], None]) -> None:
        sleep(seconds)
        for due in [each for each in self._due if each[0] <= self.clock.monotonic()]:
            self._due.remove(due)
            due[1]()


@pytest.fixture
def new_bench(new_cluster: Callable[[], Any], subsets: Subsets, tmp_path: Path) -> Callable[[], Bench]:
    """Makes drivers, each in a world of its own."""
    return lambda: Bench(new_cluster(), FakeClock(), subsets, tmp_path)


@pytest.fixture
def bench(new_bench: Callable[[], Bench]) -> Bench:
    """A driver in a world that a test can change."""
    return new_bench()
