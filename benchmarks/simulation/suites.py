"""Runs of pytest, simulated: each looks at the simulated truth, and says so line by line, as the plugin does."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.simulation.outside import CANARY, STABLE, Mesh, canary_weight, rolled, services
from benchmarks.simulation.repository import Git, tree
from benchmarks.simulation.store import Store
from benchmarks.simulation.timeline import Timeline
from benchmarks.simulation.weather import Weather
from ci.suite import Order, Run

GATE = "truth"
Line = dict[str, Any]


@dataclass
class Judged:
    """How a run really ended, for the judges.

    Attributes:
        rollout: for which it judged.
        scenario: of the run.
        step: percent, 0 where there is none.
        at: when it passed, seconds; infinite when it did not.
    """

    rollout: str
    scenario: str
    step: int
    at: float = float("inf")


@dataclass(frozen=True)
class Truth:
    """What a run can look at.

    Attributes:
        store: the cluster.
        git: the repository.
        mesh: the data plane.
        bad: images whose requests fail.
        bad_stable: images that fail only as stable.
    """

    store: Store
    git: Git
    mesh: Mesh
    bad: frozenset[str]
    bad_stable: frozenset[str]

    def harm(self, image: str) -> str:
        """Say whether the canary harms; seen only while it has traffic."""
        return "the canary's error rate is 5 %" if image in self.bad and self.mesh.canary else ""

    def problem(self, order: Order) -> str:
        """Say what a scenario finds, "" when it passes."""
        options = order.options
        image, part = options.get("--image", ""), options.get("--part", "")
        match order.scenario:
            case "preflight":
                return self._at_rest() or ("" if self._synced() else "Argo CD is not synced")
            case "deployed":
                return "" if self._runs(CANARY, image) and self._synced() else "the canary is not there"
            case "canary_step":
                return self.harm(image) or ("" if self.mesh.gives(int(options["--step"])) else "no traffic")
            case "promotion" if part == "ready":
                return self.harm(image) or ("" if self._runs(STABLE, image) else "stable is not there")
            case "promotion":
                wrong = image in self.bad_stable or not self._runs(STABLE, image) or self.mesh.canary
                return "stable does not serve" if wrong else ""
            case _:
                return self._not_as_before(options)

    def _at_rest(self) -> str:
        if any(map(canary_weight, services(self.store))):
            return "traffic is not at rest"
        images = {self._image(STABLE), self._image(CANARY)}
        return "" if all(self._runs(name, self._image(name)) for name in (STABLE, CANARY)) and images else "not ready"

    def _synced(self) -> bool:
        status = self.store.objects["applications", "shop-prod"].get("status", {})
        sync, health = status.get("sync", {}), status.get("health", {})
        return (sync.get("status"), health.get("status")) == ("Synced", "Healthy")

    def _runs(self, name: str, image: str) -> bool:
        body = self.store.objects.get(("deployments", name))
        return body is not None and rolled(body) and self._image(name) == image

    def _image(self, name: str) -> str:
        body = self.store.objects.get(("deployments", name))
        return body["spec"]["template"]["spec"]["containers"][0]["image"] if body else ""

    def _not_as_before(self, options: Mapping[str, str]) -> str:
        if "--before" not in options:
            return "nothing is known of before the release"
        before = json.loads(Path(options["--before"]).read_text())
        if self._at_rest():
            return "not at rest"
        if self.mesh.canary:
            return "Envoy routes to the canary"
        now = {name: self._image(name) for name in (STABLE, CANARY)}
        replicas = self.store.objects["deployments", CANARY]["spec"]["replicas"]
        if now != before["images"] or replicas != before["replicas"][CANARY]:
            return "not as before the release: images or replicas"
        return "" if tree(self.git.head) == before["tree"] else "not as before the release: the GitOps path"


class SimulatedRun:
    """A run on the simulated clock; one that watches goes on until it is ended.

    Args:
        order: what is wanted.
        truth: what it looks at.
        timeline: its time.
        weather: may crash it.
        random: draws how long it takes.
        judged: its entry for the judges.
    """

    command: Sequence[str] = ("pytest",)

    def __init__(
        self, order: Order, truth: Truth, timeline: Timeline, weather: Weather, random: Random, judged: Judged
    ) -> None:
        self.order, self.junit = order, Path(f"{order.name}.xml")
        self.verdicts = Path(f"{order.name}.verdicts.jsonl")
        self._truth, self._timeline, self._judged = truth, timeline, judged
        self._began = timeline.now
        self._opens = random.uniform(0.3, 1.0)
        self._decides = self._opens + random.uniform(0.5, 2.5)
        self._mishap = random.choice(("crash", "hang", "silent")) if weather.hits("runs", timeline.now) else ""
        self._opened = self._decided = False
        self._status: int | None = None
        self._said = 0.0

    def lines(self) -> list[Line]:
        passed, found = self._timeline.now - self._began, []
        if not self._opened and passed >= self._opens:
            self._opened = True
            found.append({"kind": "opened", "gates": [GATE], "at": self._at})
        if self._opened and not self._decided:
            found += self._look(passed)
        return found

    def status(self) -> int | None:
        passed = self._timeline.now - self._began
        if self._mishap == "crash" and passed > self._decides / 2:
            self._status = 3
        return self._status

    def end(self, *, gently: bool) -> int:  # noqa: ARG002
        self._timeline.sleep(0.2)
        if self.order.watch and not self._decided:
            self._decided = True
        return self._status or 0

    def _look(self, passed: float) -> list[Line]:
        image = self.order.options.get("--image", "")
        if self._mishap == "hang":
            return []
        if self.order.scenario == "canary_step" and passed > self._opens + 0.5 and (harm := self._truth.harm(image)):
            return self._say("FAIL", harm)
        if not self.order.watch and passed >= self._decides:
            problem = self._truth.problem(self.order)
            if self._mishap == "silent" and not problem:
                self._decided, self._status = True, 0
                return [{"kind": "closed", "at": self._at}]
            unclear = problem == "no traffic"
            return self._say("INCONCLUSIVE" if unclear else "FAIL" if problem else "PASS", problem or "it is good")
        if passed - self._said >= 1:
            self._said = passed
            return [{"kind": "progress", "gates": {}, "at": self._at}]
        return []

    def _say(self, outcome: str, sentence: str) -> list[Line]:
        self._decided, self._status = True, 0 if outcome == "PASS" else 1
        if outcome == "PASS":
            self._judged.at = self._timeline.now
        about = {"sentence": sentence, "at": self._at, "after": 1.0, "numbers": {}}
        verdict = {"kind": "verdict", "gate": GATE, "outcome": outcome, **about}
        return [verdict, {"kind": "closed", "at": self._at}]

    @property
    def _at(self) -> float:
        return 1_700_000_000.0 + self._timeline.now


def suites(
    truth: Truth, timeline: Timeline, weather: Weather, random: Random, rollout: str, log: list[Judged]
) -> Callable[[Order], Run]:
    """Start runs of a rollout, and keep for the judges how they ended."""

    def start(order: Order) -> Run:
        step = 0 if order.watch else int(order.options.get("--step", "0"))
        log.append(Judged(rollout, "watch" if order.watch else order.scenario, step))
        return SimulatedRun(order, truth, timeline, weather, random, log[-1])

    return start
