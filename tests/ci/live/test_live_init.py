"""A service in the story's state becomes one with a canary by what init proposes, and is released."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from fixtures.argocd import refresh
from fixtures.cluster import APPLICATIONS, DEPLOYMENTS
from fixtures.release import Application
from fixtures.sandbox import seed
from fixtures.sandbox.files import read_json
from fixtures.waiting import wait

pytestmark = [pytest.mark.long, pytest.mark.live, pytest.mark.xdist_group("live")]
ROOT = Path(__file__).parents[3]
STORY = ROOT / "examples" / "story"
NAME, HOST = "rebate-old", "old.example.com"
APPLICATION = Application(name=f"{NAME}-prod", namespace="argocd")
RATE = 400
QUICK = "steps: [25, 100]\nsoak: 1s\nlimit: 2m\nafter: 0s\ngroup: 1\nmargin: 1 point\n"


class Team:
    """A team with a checkout, kubectl and the command line."""

    def __init__(self, place: Any, folder: Path) -> None:
        self.place, self.checkout = place, folder
        self._kubectl = seed.Kubernetes(place.state)
        self.git("clone", place.target.rewrite("https://git.example.com/shop/k8s-manifests.git"), str(folder))

    def git(self, *words: str) -> None:
        who = ["-c", "user.name=ana", "-c", "user.email=ana@example.com"]
        subprocess.run(["git", *who, *words], check=True, timeout=30, capture_output=True)

    def push(self, message: str) -> None:
        for words in (["add", "--all"], ["commit", "-m", message], ["push"]):
            self.git("-C", str(self.checkout), *words)

    def begin(self) -> None:
        """Bring the service as it has been for years."""
        image = self.place.images["v1"].partition("@")[2]
        shutil.copytree(STORY, self.checkout, dirs_exist_ok=True)
        (self.checkout / "bases" / NAME).mkdir()
        for path in [*STORY.rglob("*.yaml")]:
            text = re.sub(r"rebate-core(?!-service)", NAME, path.read_text()).replace("sha256:" + "0" * 64, image)
            place = str(path.relative_to(STORY)).replace("rebate-core", NAME)
            (self.checkout / place).write_text(text)
        self.git("-C", str(self.checkout), "checkout", "--", "bases/rebate-core")
        self.push(f"{NAME} as it has been for years")
        self.create(self.checkout / "application.yaml")
        self.settle()

    def create(self, path: Path) -> None:
        for each in seed.manifests(path):
            self._kubectl.create(each)

    def settle(self) -> None:
        """Have Argo CD look, and wait until it is content."""
        refresh(self.place.cluster, APPLICATION)
        wait(self._settled, what="Argo CD", timeout=60)

    def sluicegate(self, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ci.rollout", *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)

    def close(self) -> None:
        self._kubectl.close()

    def _settled(self) -> bool:
        found = self.place.cluster.get(APPLICATIONS, APPLICATION.namespace, APPLICATION.name)
        status = found.get("status", {})
        asked = "argocd.argoproj.io/refresh" in (found["metadata"].get("annotations") or {})
        told = (status.get("sync", {}).get("status"), status.get("health", {}).get("status"))
        return not asked and told == ("Synced", "Healthy")


@pytest.fixture
def team(place: Any, tmp_path: Path) -> Iterator[Team]:
    with closing(Team(place, tmp_path / "checkout")) as team:
        yield team


@pytest.fixture
def adopted(place: Any, team: Team, tmp_path: Path) -> Iterator[Path]:
    """Do what init proposes, in its order; gives the release file."""
    team.begin()
    release = team.checkout / "release.yaml"
    words = ["init", str(team.checkout), "--path", f"bases/{NAME}", "--host", HOST, "--write"]
    done = team.sluicegate(*words)
    assert done.returncode == 0, done.stderr
    [application] = seed.manifests(team.checkout / "application.yaml")
    place.cluster.merge_patch(APPLICATIONS, "argocd", APPLICATION.name, {"spec": application["spec"]})
    team.push("ready for a canary")
    team.settle()
    team.create(team.checkout / "traffic" / f"{NAME}.yaml")
    release.write_text(release.read_text() + QUICK)
    sandbox = read_json(place.state / "sandbox.json") or {}
    where = ["--gateway", sandbox["gateway"], "--host", HOST, "--rate", str(RATE)]
    files = ["--truth", str(tmp_path / "truth.csv"), "--announce", str(tmp_path / "load.json")]
    requests.post(f"{sandbox['load']}/rate", json={"rate": 0}, timeout=5).raise_for_status()  # nobody looks at it here
    with subprocess.Popen([sys.executable, "-m", "fixtures.sandbox.dataplane.load", *where, *files], cwd=ROOT) as load:
        yield release
        load.terminate()
    requests.post(f"{sandbox['load']}/rate", json={"rate": RATE}, timeout=5).raise_for_status()


@pytest.fixture
def released(place: Any, team: Team, adopted: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    where = ["--target", place.target.name, "--reports", str(tmp_path / "reports")]
    return team.sluicegate("run", str(adopted), "--image", place.images["v2"], *where, timeout=240)


def test_its_first_canary_is_promoted(place: Any, released: subprocess.CompletedProcess[str]) -> None:
    assert released.returncode == 0, released.stdout[-3000:] + released.stderr
    asked = {name: image for name, image in place.images_asked_for().items() if name.startswith(NAME)}
    assert asked == {NAME: place.images["v2"], f"{NAME}-canary": place.images["v2"]}
    stable = place.cluster.get(DEPLOYMENTS, "production", NAME)
    assert stable["spec"]["replicas"] == 3, json.dumps(stable["spec"])
