"""Two services released as one, on real parts: they rise together, and what the one fails takes both back."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.argocd import refresh
from fixtures.release import Application
from fixtures.sandbox import seed
from fixtures.sandbox.files import read_json
from fixtures.waiting import wait

pytestmark = [pytest.mark.long, pytest.mark.live, pytest.mark.xdist_group("live")]
ROOT = Path(__file__).parents[3]
OTHER = "rebate-points"
RATE = "300"


def renamed(text: str) -> str:
    """Make the example's text another service's; its image stays."""
    return re.sub(r"rebate-core(?!-service)", OTHER, text).replace("rebate.example.com", "points.example.com")


def git(*words: str) -> None:
    who = ["-c", "user.name=ana", "-c", "user.email=ana@example.com"]
    subprocess.run(["git", *who, *words], check=True, timeout=30, capture_output=True)


def commit_other(place: Any, work: Path) -> None:
    """Put the second service beside the first one in Git, as a team would."""
    git("clone", place.target.rewrite("https://git.example.com/shop/k8s-manifests.git"), str(work))
    folder = work / "bases" / OTHER
    folder.mkdir()
    for path in (work / "bases" / "rebate-core").glob("*.yaml"):
        (folder / path.name).write_text(renamed(path.read_text()))
    git("-C", str(work), "add", "--all")
    git("-C", str(work), "commit", "-m", f"{OTHER} begins")
    git("-C", str(work), "push")


def bring_other(place: Any, state: Path) -> None:
    """Create its traffic objects and its Application, and wait until it is at its usual size."""
    cluster = seed.Kubernetes(state)
    for path in (seed.EXAMPLE / "traffic" / "rebate-core.yaml", seed.EXAMPLE / "application.yaml"):
        for manifest in seed.manifests(path):
            other = json.loads(renamed(json.dumps(manifest)))
            if other["kind"] == "Gateway":
                other["metadata"]["name"] = "points"
            if other["kind"] == "VirtualService":
                other["spec"]["gateways"] = ["points"]
            cluster.create(other)
    refresh(place.cluster, Application(name=f"{OTHER}-prod", namespace="argocd"))
    path = seed.DEPLOYMENT.replace("rebate-core", OTHER)
    wait(lambda: cluster.get(path), what="the second service", timeout=30)
    cluster.scale(path, 4)
    wait(lambda: (cluster.get(path) or {}).get("status", {}).get("readyReplicas") == 4, what="its pods", timeout=30)
    cluster.close()


@pytest.fixture(scope="module")
def other(place: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A second service with traffic of its own; gives its release file."""
    folder = tmp_path_factory.mktemp("other")
    sandbox = read_json(place.state / "sandbox.json") or {}
    commit_other(place, folder / "checkout")
    bring_other(place, place.state)
    where = ["--gateway", sandbox["gateway"], "--host", "points.example.com", "--rate", RATE]
    files = ["--truth", str(folder / "truth.csv"), "--announce", str(folder / "load.json")]
    words = [sys.executable, "-m", "fixtures.sandbox.dataplane.load", *where, *files]
    with subprocess.Popen(words, cwd=ROOT) as load:
        release = folder / "release.yaml"
        release.write_text(renamed(place.release.read_text()).replace("gates: [own_gates.py]", ""))
        yield release
        load.terminate()


@pytest.fixture
def released(place: Any, other: Path, request: pytest.FixtureRequest) -> subprocess.CompletedProcess[str]:
    """Release both, with the images that the test names."""
    named = [word for tag in request.param for word in ("--image", place.images[tag])]
    where = ["--target", place.target.name, "--reports", str(other.parent / "-".join(request.param))]
    words = [sys.executable, "-m", "ci.rollout", "run", str(place.release), str(other), *named, *where]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


def weights(place: Any) -> list[tuple[str, int]]:
    """Give the canaries' weights one after the other, as they were written and changed."""
    found: list[tuple[str, int]] = []
    now = {"rebate-core": 0, OTHER: 0}
    for write in place.writes():
        if write["resource"] == "virtualservices":
            weight = write["body"]["spec"]["http"][0]["route"][1].get("weight", 0)
            if now[write["name"]] != weight:
                now[write["name"]] = weight
                found.append((write["name"], weight))
    return found


def images(place: Any) -> dict[str, set[str]]:
    """Give the images that each service's Deployments ask for."""
    asked = place.images_asked_for()
    return {service: {asked[service], asked[f"{service}-canary"]} for service in ("rebate-core", OTHER)}


@pytest.mark.parametrize("released", [("v2", "bad")], indirect=True)
def test_when_one_of_two_fails_both_go_back(place: Any, released: subprocess.CompletedProcess[str]) -> None:
    assert released.returncode == 1, released.stdout + released.stderr
    assert images(place) == {"rebate-core": {place.images["v1"]}, OTHER: {place.images["v1"]}}
    assert dict(weights(place)) == {"rebate-core": 0, OTHER: 0}
    assert 100 not in {weight for _, weight in weights(place)}


@pytest.mark.parametrize("released", [("v2", "v2")], indirect=True)
def test_two_good_ones_rise_step_by_step_together(place: Any, released: subprocess.CompletedProcess[str]) -> None:
    assert released.returncode == 0, released.stdout + released.stderr
    assert images(place) == {"rebate-core": {place.images["v2"]}, OTHER: {place.images["v2"]}}
    last = weights(place)[-6:]
    steps = [sorted(last[at : at + 2]) for at in (0, 2, 4)]
    assert steps == [[("rebate-core", weight), (OTHER, weight)] for weight in (25, 100, 0)]
