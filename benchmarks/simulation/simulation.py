"""One seed from its plan to its history: the real driver, Lease, abort and recovery in a simulated world."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.simulation.api import Api, Death
from benchmarks.simulation.meddling import meddle
from benchmarks.simulation.outside import (
    APPLICATION,
    CANARY,
    HOST,
    STABLE,
    Argo,
    Mesh,
    Pod,
    Pods,
    Routes,
    Shrinker,
    canary_weight,
    put_all,
    services,
)
from benchmarks.simulation.plan import Driving, Plan, Recovering
from benchmarks.simulation.repository import Git, Repository, tree
from benchmarks.simulation.store import Store
from benchmarks.simulation.suites import Judged, Truth, suites
from benchmarks.simulation.timeline import Process, SimulatedClock, SimulatedEvent, Timeline
from checks.evidence import Weights
from checks.restored import Snapshot
from ci.abort import PATIENCE, taking_back
from ci.ask import ask
from ci.deployer import ArgoCD
from ci.events import Event, RolloutEnded
from ci.lease import Lease
from ci.left import left_by
from ci.phases import Phase
from ci.record import KEYS, Record
from ci.state import Job, State
from ci.traffic import Traffic
from ci.world import World, driver_in, recover_in
from fixtures import argocd
from fixtures.cluster import DEPLOYMENTS
from fixtures.errors import SluicegateError
from fixtures.istio import Subsets
from fixtures.release import Application, Release
from fixtures.waiting import Clock

EVERY = 60.0  # seconds between two CronJobs
AFTERWARDS = 1500.0  # seconds after it is calm, at most
REST = 20.0  # seconds that all has to be at rest
IMAGE = "registry.example.com/shop/shop"
OLD = f"{IMAGE}@sha256:{'0' * 64}"


@dataclass(frozen=True)
class End:
    """How a process ended, and what was there at that moment.

    Attributes:
        at: when, seconds.
        who: the process.
        end: what it said; an error, or None when there was nothing to do.
        image: that was released.
        weight: of the canary, percent; ``share`` that the data plane gave it.
        files: in Git.
    """

    at: float
    who: str
    end: RolloutEnded | SluicegateError | None
    image: str
    weight: float
    share: float
    files: dict[str, str]


@dataclass
class History:
    """What happened; the judges see nothing else.

    Attributes:
        plan: of the seed.
        store: with the write log.
        git: with its commits.
        pods: of the Deployments, as they changed.
        routes: the canary's share that the data plane gave, as it changed.
        judged: how the runs of suites ended.
        events: of each process, with the moment.
        ends: how each rollout or recovery ended.
        crashes: of the driver's code.
        over: when the simulation ended, seconds.
        meddled: what people did to the release in fact.
        deaths: of the processes, in the order of their beginning, whether they came to that or not.
    """

    plan: Plan
    store: Store
    git: Git
    pods: list[Pods]
    routes: list[Routes]
    judged: list[Judged]
    events: list[tuple[float, str, Event]] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    crashes: list[tuple[str, BaseException]] = field(default_factory=list)
    over: float = 0.0
    meddled: list[tuple[float, str]] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)


class Simulation:
    """One seed.

    Args:
        plan: of it.
        folder: for the files that suites read.
    """

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self._folder = plan, folder
        self._random = Random(plan.seed)
        self.timeline = Timeline(Random(plan.seed))
        now = lambda: self.timeline.now  # noqa: E731
        self.store = Store(now)
        self.git = Git({STABLE: OLD, CANARY: OLD}, now)
        self.release = Release.model_validate(_release(plan))
        broken = {_image(each.rollout) for each in plan.drivers if plan.bad == "never ready"}
        about = (self.timeline, plan.weather, self._random)
        self.pods = Pod(self.store, *about, broken)
        self.argo = Argo(self.store, self.git, *about)
        self.mesh = Mesh(self.store, *about)
        put_all(self.store, plan.services, OLD, plan.replicas)
        for name in (STABLE, CANARY):
            self.pods.settle(name)
        if plan.release["hold_stable"] == "min_replicas":
            Shrinker(self.store, self.timeline, self.mesh)
        images = frozenset(_image(each.rollout) for each in plan.drivers)
        bad = {"canary": (images, frozenset()), "stable": (frozenset(), images)}
        self.truth = Truth(self.store, self.git, self.mesh, *bad.get(plan.bad, (frozenset(), frozenset())))
        self.history = History(plan, self.store, self.git, self.pods.log, self.mesh.log, [])
        self._cron, self._processes = list(plan.cron), 0
        self._driving: list[Process] = []
        self._quiet = 0.0
        self._images: dict[str, str] = {}
        self._told_end: dict[str, tuple[float, float, dict[str, str]]] = {}

    def run(self) -> History:
        """Run it to its end."""
        for driving in self.plan.drivers:
            self.timeline.at(driving.at, partial(self._drive, driving))
        for recovering in self.plan.recoveries:
            self.timeline.at(recovering.at, partial(self._recover, recovering))
        for at, word in self.plan.words:
            self.timeline.at(at, partial(self._say, word))
        for at, what in self.plan.meddling:
            self.timeline.at(at, partial(self._meddle, what))
        self.timeline.after(EVERY, self._look_after)
        self.timeline.after(REST, self._end_when_at_rest)
        self.timeline.run(self.plan.weather.calm + AFTERWARDS)
        self.history.over, self.history.crashes = self.timeline.now, self.timeline.crashes
        return self.history

    def _drive(self, driving: Driving) -> None:
        process = self._process(f"driver-{driving.rollout}")
        self._driving.append(process)
        death = self._death(driving.dies_at, after=driving.dies_after)
        pulled: list[str] = []
        world = self._world(process, death, driving.rollout)

        def work() -> None:
            self._ends(process, lambda: self._release(process, world, driving.rollout, pulled))

        def stop() -> None:
            if process.busy and not process.dead:
                pulled.append("SIGTERM")
                why = taking_back(f"{process.name}: SIGTERM", driving.rollout)
                self.timeline.start(process, partial(_quietly, partial(world.traffic.insist, why, PATIENCE)))

        self.timeline.start(process, work)
        if driving.killed:
            self.timeline.at(driving.killed, lambda: setattr(process, "dead", True))
        if driving.stopped:
            self.timeline.at(driving.stopped, stop)

    def _release(self, process: Process, world: World, rollout: str, pulled: list[str]) -> RolloutEnded:
        record = Record(
            rollout=rollout,
            phase=Phase.PREFLIGHT,
            image=_image(rollout),
            who=process.name,
            before_replicas=self.plan.replicas,
        )
        with world.lease(f"{process.name}/{rollout}") as lease:
            job, tell = self._job(process, record), self._tell(process)
            driver = driver_in(
                world, job, State(record), tell, pulled=lambda: "".join(pulled[:1]), held=lambda: lease.held
            )
            return driver.run()

    def _recover(self, recovering: Recovering) -> None:
        process = self._process("person" if recovering.now else "cron")

        def work() -> RolloutEnded | None:
            death = self._death(recovering.dies_at, after=recovering.dies_after)
            traffic = self._traffic(self._api(process, death), SimulatedClock(self.timeline))
            record = left_by(traffic.look_again(PATIENCE))
            if record is None:
                return None
            world = self._world(process, death, record.rollout)
            return recover_in(world, self._job(process, record), self._tell(process), now=recovering.now)

        self.timeline.start(process, lambda: self._ends(process, work))

    def _look_after(self) -> None:
        """The CronJob: it starts a recovery each minute, where there is something to recover at all."""
        if self._recorded():
            self._recover(self._cron.pop(0) if self._cron else Recovering(0, now=False))
        self.timeline.after(EVERY, self._look_after)

    def _say(self, word: str) -> None:
        process = self._process("person")
        traffic = self._traffic(self._api(process, Death()), SimulatedClock(self.timeline))

        def work() -> None:
            if word == "abort":
                traffic.insist(taking_back(f"{process.name}: wrong version"), PATIENCE)
            else:
                ask(traffic, word, process.name, "because", SimulatedClock(self.timeline).now())

        self.timeline.start(process, partial(_quietly, work))

    def _meddle(self, what: str) -> None:
        if meddle(what, self.store, self.git):
            self.history.meddled.append((self.timeline.now, what))

    def _end_when_at_rest(self) -> None:
        """End as soon as nothing more will happen."""
        now = self.timeline.now
        pending = any(now < at for at in (each.at for each in self.plan.drivers))
        busy = any(each.busy and not each.dead for each in self._driving)
        resting = not (pending or busy or self._recorded()) and now > self.plan.weather.calm
        self._quiet = self._quiet + 5 if resting else 0
        if self._quiet >= REST + 30:
            self.timeline.stop()
        self.timeline.after(5.0, self._end_when_at_rest)

    def _ends(self, process: Process, work: Callable[[], RolloutEnded | None]) -> None:
        try:
            end: RolloutEnded | SluicegateError | None = work()
        except SluicegateError as error:
            end = error
        image = self._images.get(process.name, "")
        there = self._told_end.get(process.name) or self._there()
        self.history.ends.append(End(self.timeline.now, process.name, end, image, *there))

    def _there(self) -> tuple[float, float, dict[str, str]]:
        """Give the canary's weight and its share at this moment, and what is in Git."""
        weight = max(map(canary_weight, services(self.store)), default=0.0)
        return weight, self.mesh.canary, self.git.head.files

    def _recorded(self) -> bool:
        """Say whether a VirtualService has a record."""
        notes = [body["metadata"].get("annotations") or {} for body in services(self.store)]
        return any(KEYS["rollout"] in each for each in notes)

    def _death(self, write: int, *, after: bool) -> Death:
        """Give the next process its death."""
        strike = self.plan.strike
        struck = strike is not None and strike.process == len(self.history.deaths)
        self.history.deaths.append(Death(strike.write, strike.after) if strike and struck else Death(write, after))
        return self.history.deaths[-1]

    def _process(self, name: str) -> Process:
        self._processes += 1
        return Process(f"{name}-{self._processes}")

    def _job(self, process: Process, record: Record) -> Job:
        self._images[process.name] = record.image
        reports = self._folder / process.name
        reports.mkdir(exist_ok=True)
        return Job(
            rollout=record.rollout,
            release=self.release,
            file=Path("release.yaml"),
            image=record.image,
            target="simulation",
            who=process.name,
            reports=reports,
        )

    def _tell(self, process: Process) -> Callable[[Event], None]:
        def hear(event: Event) -> None:
            self.history.events.append((self.timeline.now, process.name, event))
            if isinstance(event, RolloutEnded):
                self._told_end[process.name] = self._there()

        return hear

    def _api(self, process: Process, death: Death) -> Api:
        return Api(process, self.store, self.timeline, self.plan.weather, death, self._random)

    def _traffic(self, api: Api, clock: Clock) -> Traffic:
        return Traffic(api, "production", self.plan.services, Subsets(HOST, "stable", "canary"), clock)

    def _world(self, process: Process, death: Death, rollout: str) -> World:
        api, clock = self._api(process, death), SimulatedClock(self.timeline)
        about = (self.timeline, self.plan.weather)
        repository = Repository(process, self.git, *about, death, self._random)
        application = Application(name=APPLICATION)

        def argo(watch: Clock) -> ArgoCD:
            wait = partial(argocd.wait_synced, api, application, history=repository, timeout=300.0, clock=watch)
            return ArgoCD(partial(argocd.refresh, api, application), wait)

        def lease(identity: str, **how: object) -> Lease:
            over = SimulatedEvent(self.timeline)
            renewing = lambda keep: self.timeline.start(process, keep)  # noqa: E731
            return Lease(api, "production", "shop", identity, clock=clock, renewing=renewing, over=over, **how)

        return World(
            clock=clock,
            cluster=api,
            traffic=self._traffic(api, clock),
            repository=repository,
            argocd=argo,
            suites=suites(self.truth, *about, self._random, rollout, self.history.judged),
            routes_give=self.mesh.gives,
            snapshot=self._snapshot,
            lease=lease,
        )

    def _snapshot(self) -> Snapshot:
        deployments = {name: self.store.get(DEPLOYMENTS, name) for name in (STABLE, CANARY)}
        return Snapshot(
            weights=Weights(100, 0),
            routed=0.0,
            specs={},
            images={
                name: body["spec"]["template"]["spec"]["containers"][0]["image"] for name, body in deployments.items()
            },
            replicas={name: body["spec"]["replicas"] for name, body in deployments.items()},
            tree=tree(self.git.head),
        )


def simulate(plan: Plan) -> History:
    """Run a plan in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="sluicegate-", dir=_fastest()) as folder:
        return Simulation(plan, Path(folder)).run()


def _fastest() -> str | None:
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() else None


def _quietly(work: Callable[[], object]) -> None:
    try:
        work()
    except SluicegateError:
        return  # a person reads it


def _image(rollout: str) -> str:
    return f"{IMAGE}@sha256:{rollout[-1] * 64}"


def _release(plan: Plan) -> dict[str, object]:
    return {
        "service": STABLE,
        "namespace": "production",
        "image": IMAGE,
        "gitops": {
            "repository": "https://git.example.com/shop/manifests.git",
            "path": "bases/shop",
            "application": {"name": APPLICATION},
        },
        "objectives": {"error_rate": "1%"},
        "soak": "1s",
        "limit": "20s",
        "steps": list(plan.steps),
        "names": {"virtual_services": list(plan.services)},
        **{key: list(value) if isinstance(value, tuple) else value for key, value in plan.release.items()},
    }
