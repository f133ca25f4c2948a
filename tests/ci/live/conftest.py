"""A sandbox under live load, and the command line as a person types it."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fixtures.access_log import entries
from fixtures.argocd import refresh
from fixtures.cluster import (
    APPLICATIONS,
    DEPLOYMENTS,
    DESTINATION_RULES,
    GATEWAYS,
    SERVICES,
    VIRTUAL_SERVICES,
)
from fixtures.release import Application
from fixtures.sandbox import up
from fixtures.target import Target, of_sandbox
from fixtures.waiting import wait

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "rebate-core" / "release.yaml"
RATE = 400.0
WHOLE = 240.0  # seconds that a whole rollout may take on a busy machine


@dataclass
class Rollout:
    """``sluicegate run`` in a process of its own; its events are read as they come."""

    process: subprocess.Popen[str]
    events: list[dict[str, Any]] = field(default_factory=list)

    def until(self, **members: Any) -> dict[str, Any]:
        """Read on until an event has these members."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if members.items() <= self.events[-1].items():
                return self.events[-1]
        pytest.fail(f"the rollout ended with {self.process.wait(10)} before {members}: {self.events[-3:]}")

    def end(self) -> dict[str, Any]:
        """Read to the end; give the last word."""
        ended = self.until(kind="rollout_ended")
        assert self.process.wait(WHOLE) == ended["exit_code"]
        return ended

    def kinds(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["kind"] == kind]


class Place:
    """A sandbox with the example's release on it."""

    def __init__(self, state: Path, folder: Path) -> None:
        self.state = state
        self.target: Target = of_sandbox(state)
        self.cluster = self.target.cluster()
        self.images: dict[str, str] = json.loads((state / "sandbox.json").read_text())["images"]
        self.release = folder / "release.yaml"
        steps = EXAMPLE.read_text().replace("[5, 25, 50, 100]", "[25, 100]").replace("soak: 3s", "soak: 1s")
        self.release.write_text(steps)
        shutil.copy(EXAMPLE.with_name("own_gates.py"), folder)
        self._folder = folder

    def command(self, *words: str) -> list[str]:
        verb, *rest = words
        return [sys.executable, "-m", "ci.rollout", verb, str(self.release), "--target", self.target.name, *rest]

    def writes(self) -> list[dict[str, Any]]:
        """Give what the API server has written, in order."""
        return [json.loads(line) for line in (self.state / "writes.jsonl").read_text().splitlines()]

    def canary_pods_lost_under_traffic(self) -> list[str]:
        """Name the canary's pods that were deleted while it had a weight: none, whatever Git's sync did meanwhile."""
        lost, weight = [], 0
        for write in self.writes():
            if write["resource"] == "virtualservices":
                weight = write["body"]["spec"]["http"][0]["route"][1].get("weight", 0)
            elif write["resource"] == "pods" and write["verb"] == "delete" and "-canary-" in write["name"] and weight:
                lost.append(write["name"])
        return lost

    def most_canary_replicas(self) -> int:
        """Give the most replicas that the canary ever had, as its pods were made."""
        pods: set[str] = set()
        most = 0
        for write in self.writes():
            if write["resource"] == "pods" and "-canary-" in write["name"]:
                (pods.discard if write["verb"] == "delete" else pods.add)(write["name"])
                most = max(most, len(pods))
        return most

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Type a command and wait for its end."""
        return subprocess.run(self.command(*words), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    def recover_all(self) -> subprocess.CompletedProcess[str]:
        """Do what a CronJob does: it has no release file."""
        words = [sys.executable, "-m", "ci.rollout", "recover", "--all", "--expired", "--target", self.target.name]
        reports = ["--reports", str(self._folder / "recovered")]
        return subprocess.run([*words, *reports], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    def start(self, tag: str, *options: str) -> Rollout:
        """Begin a release."""
        reports = self._folder / f"reports-{tag}"
        words = self.command("run", "--image", self.images[tag], "--reports", str(reports), "--json", *options)
        return Rollout(subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True))

    @contextmanager
    def promising(self, **said: str) -> Iterator[None]:
        """Let the release file say other things for a while."""
        before = self.release.read_text()
        kept = [line for line in before.splitlines() if line.partition(":")[0] not in said]
        self.release.write_text("\n".join([*kept, *(f"{key}: {value}" for key, value in said.items())]))
        yield
        self.release.write_text(before)

    def specs(self) -> dict[str, Any]:
        """Give the spec of everything there is around the release."""
        kinds = (DEPLOYMENTS, SERVICES, VIRTUAL_SERVICES, DESTINATION_RULES, GATEWAYS, APPLICATIONS)
        return {
            f"{kind.kind} {each['metadata']['name']}": each["spec"]
            for kind in kinds
            for each in self.cluster.list(kind, "")
        }

    def images_asked_for(self) -> dict[str, str]:
        deployments = self.cluster.list(DEPLOYMENTS, "production")
        return {
            each["metadata"]["name"]: each["spec"]["template"]["spec"]["containers"][0]["image"] for each in deployments
        }

    def another(self) -> str:
        """Give a good image that does not run yet: there is something to be committed."""
        return next(tag for tag in ("v1", "v2") if self.images[tag] not in self.images_asked_for().values())

    def last_canary_request(self) -> float:
        """Give the moment at which Envoy last began a request that it routed to the canary, unix seconds."""
        assert self.target.access_log is not None
        return max(each.start for each in entries(self.target.access_log) if each.subset == "canary")

    def put_back(self, commits: Sequence[str]) -> None:
        """Do by hand what a dead driver has left undone."""
        work = self._folder / "by-hand"
        url = self.target.rewrite("https://git.example.com/shop/k8s-manifests.git")
        git = ["git", "-c", "user.name=ana", "-c", "user.email=ana@example.com"]
        for words in (["clone", url, "."], ["revert", "--no-edit", *commits], ["push"]):
            work.mkdir(exist_ok=True)
            subprocess.run([*git, *words], cwd=work, check=True, timeout=30, capture_output=True)
        record = [{"op": "remove", "path": "/metadata/annotations"}]
        self.cluster.json_patch(VIRTUAL_SERVICES, "production", "rebate-core", record)
        refresh(self.cluster, Application(name="rebate-core-prod", namespace="argocd"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("live")
    with up.start(folder / "sandbox", rate=RATE) as sandbox:
        yield Place(sandbox.state, folder)


@pytest.fixture
def start(place: Place) -> Iterator[Callable[..., Rollout]]:
    """Begin a release; what still runs at the end of the test is stopped, and then put back by itself."""
    begun: list[Rollout] = []

    def begin(tag: str, *options: str) -> Rollout:
        begun.append(place.start(tag, *options))
        return begun[-1]

    yield begin
    for rollout in begun:
        if rollout.process.poll() is None:
            rollout.process.send_signal(signal.SIGTERM)
        rollout.process.communicate(timeout=WHOLE)


@pytest.fixture
def as_before(place: Place) -> Iterator[None]:
    """Everything around the release is the same after the test as before it."""
    before = place.specs()
    yield
    wait(lambda: place.specs() == before or None, what="all objects as before", timeout=10)
