"""An image is set in Git by hand or by a pipeline: once, in one place, whoever else pushes at the same time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from ci.bump import bump
from fixtures.release import PullRequest, Release, load_release
from fixtures.waiting import wait

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "rebate-core" / "release.yaml"
OLD, NEW = (f"registry.example.com/shop/rebate-core-service@sha256:{letter * 64}" for letter in "ab")
MANIFEST = """kind: Deployment
metadata: {{name: {service}}}
spec: {{template: {{spec: {{containers: [{{image: {image}}}]}}}}}}
"""
SERVICES = [f"service-{number:02}" for number in range(50)]


@dataclass
class Server:
    """A repository with many services in it, as a Git server has it."""

    address: str
    bare: Path

    def git(self, *words: str) -> str:
        return _git(self.bare, *words)

    def image(self, service: str) -> str:
        return self.git("show", f"main:bases/{service}/deployment.yaml")


def _git(at: Path, *words: str) -> str:
    who = ["-c", "user.name=p", "-c", "user.email=p@example.test"]
    done = subprocess.run(["git", "-C", str(at), *who, *words], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    bare, clone, announce = tmp_path / "shop.git", tmp_path / "clone", tmp_path / "git.json"
    _git(tmp_path, "init", "-b", "main", "--bare", str(bare))
    _git(tmp_path, "clone", str(bare), str(clone))
    for service in ("rebate-core", *SERVICES):
        path = clone / "bases" / service / "deployment.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(MANIFEST.format(service=service, image=OLD))
    _git(clone, "add", ".")
    _git(clone, "commit", "-m", "first")
    _git(clone, "push", "origin", "HEAD:main")
    words = ["-m", "fixtures.sandbox.dataplane.githttp", "--root", str(tmp_path), "--announce", str(announce)]
    with subprocess.Popen([sys.executable, *words], cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        wait(announce.exists, what="Git over HTTP", timeout=20, interval=0.02)
        yield Server(f"{json.loads(announce.read_text())['url'].rstrip('/')}/shop.git", bare)
        process.terminate()


def service(name: str, folder: Path) -> Release:
    file = folder / f"{name}.yaml"
    text = EXAMPLE.read_text().replace("service: rebate-core\n", f"service: {name}\n")
    file.write_text(text.replace("bases/rebate-core", f"bases/{name}").replace("gates: [own_gates.py]", ""))
    return load_release(file)


def test_a_bump_is_one_commit_and_none_for_a_dry_run_or_the_same_again(server: Server) -> None:
    release = load_release(EXAMPLE)
    dry = bump(release, "stable", NEW, server.address, dry=True)
    assert (dry.changes, dry.commit, dry.before) == (True, "", OLD)
    assert server.git("log", "--format=%s", "main").splitlines() == ["first"]
    done = bump(release, "stable", NEW, server.address)
    assert server.git("rev-parse", "main").strip() == done.commit
    assert server.git("log", "-1", "--format=%s", "main").strip().endswith("[skip ci]")
    assert server.image("rebate-core") == MANIFEST.format(service="rebate-core", image=NEW)
    again = bump(release, "stable", NEW, server.address)
    assert (again.changes, again.commit) == (False, "")
    assert "nothing to commit" in str(again)


def test_where_only_pull_requests_are_taken_it_says_which_branch_waits(server: Server) -> None:
    release = load_release(EXAMPLE)
    reviewed = release.model_copy(update={"gitops": release.gitops.model_copy(update={"pull_request": PullRequest()})})
    done = bump(reviewed, "stable", NEW, server.address)
    assert done.waits_on.startswith("sluicegate/rebate-core-stable-runs-")
    assert f"on {done.waits_on}, to be merged" in str(done)
    assert server.git("rev-parse", done.waits_on).strip() == done.commit
    assert server.git("log", "--format=%s", "main").splitlines() == ["first"]


@pytest.fixture
def fifty(server: Server, tmp_path: Path) -> list[str]:
    """Fifty services' pipelines bump at the same moment; gives their commits."""
    releases = [service(name, tmp_path) for name in SERVICES]
    with ThreadPoolExecutor(len(SERVICES)) as pipelines:
        bumps = [pipelines.submit(bump, each, "stable", NEW, server.address) for each in releases]
        return [each.result(timeout=240).commit for each in bumps]


@pytest.mark.long
def test_fifty_services_that_are_bumped_at_the_same_time_all_arrive(server: Server, fifty: list[str]) -> None:
    assert [server.image(name) for name in SERVICES] == [MANIFEST.format(service=name, image=NEW) for name in SERVICES]
    assert len(set(fifty)) == len(SERVICES)
    assert int(server.git("rev-list", "--count", "main")) == 1 + len(SERVICES)
