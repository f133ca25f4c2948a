"""ci/Jenkinsfile, executed: a commit of the Java service becomes a release, or is taken back, at 500 requests a second."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ci.events import from_json
from ci.reporters.timeline import parts
from fixtures.access_log import entries
from fixtures.access_log import taken_back as rollback
from fixtures.cluster import DEPLOYMENTS, VIRTUAL_SERVICES
from fixtures.registry import resolve
from fixtures.sandbox import up
from fixtures.target import Target, of_sandbox
from fixtures.waiting import wait

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]
ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "examples" / "rebate-core-service"
RELEASE = ROOT / "examples" / "rebate-core"
NAME = "registry.example.com/shop/rebate-core-service"
RATE = 500.0
WHOLE, OVERHEAD = 300.0, 15.0  # seconds: from commit to promotion in all; what of the release waits for no requests
RELEASE_ONLY = """
pipeline {
    agent { label 'k8s-agent' }
    options { skipDefaultCheckout() }
    parameters { string(name: 'TARGET', defaultValue: 'prod-eu') }
    stages {
        stage('Release') {
            steps {
                checkout scm
                canaryRelease image: readFile('image.txt').trim(), target: params.TARGET
            }
        }
    }
}
"""
BUSY = 4  # a machine that runs other tests beside this one is so much slower, at most
ASKS = "askpass.sh"


class Shop:
    """A sandbox, and a job that builds the service and releases it there."""

    def __init__(self, job: Any, target: Target) -> None:
        self.job = job
        self.target = target
        self._state = target.state or Path()
        self.cluster = target.cluster()
        shutil.copytree(SERVICE, job.work, dirs_exist_ok=True, ignore=shutil.ignore_patterns("target"))
        shutil.copy(ROOT / "ci" / "Jenkinsfile", job.work)
        equip(job, target)
        job.environment |= {"PUSH_TO": target.rewrite(NAME), "JIB": "-Djib.allowInsecureRegistries=true"}

    def commit(self, **changes: tuple[str, str]) -> str:
        """Change the service's sources, and push."""
        for name, (old, new) in changes.items():
            [path] = self.job.work.rglob(f"{name}.java")
            assert old in path.read_text()
            path.write_text(path.read_text().replace(old, new))
        return str(self.job.commit(" and ".join(changes) or "the service"))

    def images(self) -> set[str]:
        """Give what the two Deployments ask for."""
        found = self.cluster.list(DEPLOYMENTS, "production")
        return {each["spec"]["template"]["spec"]["containers"][0]["image"] for each in found}

    def digest(self, tag: str) -> str | None:
        """Ask the registry."""
        return resolve(f"{NAME}:{tag}", rewrite=self.target.rewrite).digest

    def other_image(self) -> str:
        """Give a good image that nobody runs."""
        return str(json.loads((self._state / "sandbox.json").read_text())["images"]["v2"])

    def weights(self) -> list[int]:
        found = self.cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")
        return [each["weight"] for each in found["spec"]["http"][0]["route"]]

    def requests(self, since: float) -> list[Any]:
        assert self.target.access_log is not None
        return [each for each in entries(self.target.access_log) if each.start > since]

    def last_canary_request(self) -> float:
        return max((each.start for each in self.requests(0) if each.subset == "canary"), default=0.0)

    def canary_has_traffic(self) -> bool:
        return self.last_canary_request() > time.time() - 0.5


def equip(job: Any, target: Target) -> None:
    """Give a job its release file, its parameter, its credentials, and an agent that has sluicegate."""
    for file in (RELEASE / "release.yaml", RELEASE / "own_gates.py"):
        shutil.copy(file, job.work)
    job.asked |= {
        "param.TARGET": target.name,
        **{"credential.registry.username": "robot", "credential.registry.password": "pa55word"},
        **{"credential.gitops.username": "driver", "credential.gitops.password": "s3same"},
        "credential.kubeconfig.file": str(target.kubeconfig),
    }
    job.environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="module")
def shop(new_job: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("jenkins")
    with up.start(folder / "sandbox", rate=RATE) as sandbox:
        yield Shop(new_job(folder / "job"), of_sandbox(sandbox.state))


@dataclass(frozen=True)
class Ran:
    """A build that is over; times in unix seconds.

    Attributes:
        build: it.
        result: what Jenkins says of it.
        began: when its commit was pushed.
        ended: when it was over.
        before: the images that the Deployments asked for.
    """

    build: Any
    result: str
    began: float
    ended: float
    before: set[str]

    @property
    def events(self) -> list[Any]:
        """Give the journal that Jenkins has archived."""
        lines = (self.build.folder / "archive" / "reports" / "journal.jsonl").read_text().splitlines()
        return [each for each in map(from_json, map(json.loads, lines)) if each is not None]

    @property
    def image(self) -> str:
        """Give the image that Jenkins has archived."""
        return (self.build.folder / "archive" / "target" / "image.txt").read_text().strip()


def ran(shop: Shop, during: Callable[[Any], None] = lambda build: None, **changes: tuple[str, str]) -> Ran:
    """Commit, and let Jenkins build what was committed, while something happens to it."""
    before = shop.images()
    shop.commit(**changes)
    began = time.time()
    build = shop.job.start()
    during(build)
    result = build.end()
    print(build.console)
    return Ran(build, result, began, time.time(), before)


@pytest.fixture(scope="module")
def promoted(shop: Shop) -> Ran:
    """The first commit."""
    return ran(shop)


@pytest.fixture(scope="module")
def bad(shop: Shop, promoted: Ran) -> Ran:
    """A commit with a mistake that no test of the service finds: one request of 21 asks for a shop that is not there."""
    return ran(shop, Shops=("ALL.size()));", "ALL.size() + 1));"))


@pytest.fixture(scope="module")
def aborted(shop: Shop, bad: Ran) -> tuple[Ran, float]:
    """The mistake is mended, and somebody presses the cross while its canary is watched; with the moment of that."""
    pressed = []

    def press(build: Any) -> None:
        build.until("suite canary_step at 5 % is ready")
        wait(shop.canary_has_traffic, what="requests to the canary", timeout=20)
        pressed.append(time.time())
        build.abort()

    return ran(shop, press, Shops=("ALL.size() + 1));", "ALL.size()));")), pressed[0]


@pytest.fixture(scope="module")
def killed(shop: Shop, bad: Ran, new_job: Callable[[Path], Any]) -> tuple[Ran, float]:
    """A pipeline of one step, the shared library's, all of whose processes get SIGKILL; with the moment of that."""
    job = new_job(shop.job.folder.parent / "release-only")
    equip(job, shop.target)
    (job.work / "Jenkinsfile").write_text(RELEASE_ONLY)
    (job.work / "image.txt").write_text(shop.other_image() + "\n")
    job.asked["library"] = str(ROOT / "ci" / "shared-library")
    job.commit("a release")
    before, began = shop.images(), time.time()
    build = job.start()
    build.until("suite canary_step at 5 % is ready")
    wait(shop.canary_has_traffic, what="requests to the canary", timeout=20)
    for each in build.scripts():
        each.kill()
    moment = time.time()
    result = build.end()
    print(build.console)
    return Ran(build, result, began, time.time(), before), moment


def test_a_commit_is_promoted_within_five_minutes(shop: Shop, promoted: Ran) -> None:
    assert promoted.result == "SUCCESS", promoted.build.console[-3000:]
    assert shop.job.mails == []
    assert promoted.ended - promoted.began < WHOLE
    lost = sum(part.overhead for part in parts(promoted.events, promoted.ended))
    assert lost < OVERHEAD * BUSY, "seconds of the release that were no waiting for requests"


def test_what_is_released_is_the_digest_of_what_was_built_and_both_deployments_run_it(
    shop: Shop, promoted: Ran, bad: Ran
) -> None:
    name, _, digest = promoted.image.partition("@")
    assert bad.before == {promoted.image}
    commit = shop.job.git("rev-list", "--max-parents=0", "HEAD")
    assert name == NAME
    assert shop.digest(f"1-{commit[:7]}") == digest
    assert shop.digest("latest") != digest, "the next build has pushed its own, and nobody deploys by it"


def test_jenkins_gets_every_step_as_a_suite_the_coverage_and_a_report(promoted: Ran) -> None:
    tests = promoted.build.tests()
    assert {outcome for *_, outcome in tests} == {"passed"}
    suites = {suite for suite, *_ in tests}
    assert "com.example.rebate.CommissionTest" in suites
    assert {f"rebate-core.step-{step}" for step in ("05", "25", "50", "100")} < suites
    pages = promoted.build.folder / "htmlreports"
    assert "Commission" in (pages / "Coverage" / "index.html").read_text()
    assert "rebate-core" in (pages / "Release" / "index.html").read_text()


def test_no_secret_is_on_the_console_or_in_what_is_archived(promoted: Ran, bad: Ran) -> None:
    for each in (promoted.build.folder, bad.build.folder):
        texts = [path for path in each.rglob("*") if path.is_file() and path.name not in {"asked.properties", ASKS}]
        assert len(texts) > 20
        assert not [path for path in texts if any(secret in path.read_bytes() for secret in (b"pa55word", b"s3same"))]


def test_a_bad_build_is_taken_back_in_seconds(shop: Shop, bad: Ran) -> None:
    assert bad.result == "FAILURE"
    assert "canary error rate" in bad.events[-1].sentence
    back = rollback(shop.requests(bad.began), "canary", bad.began)
    assert back is not None
    assert back.seconds < 10 * BUSY
    assert ["rebate-core.step-05", "failed"] in [[suite, outcome] for suite, *_, outcome in bad.build.tests()]


def test_the_team_gets_a_mail_that_leads_to_the_console(shop: Shop, bad: Ran) -> None:
    mail = shop.job.mails[0]
    assert (mail["to"], mail["subject"]) == ("rebate-team@example.com", "rebate-core #2: FAILURE")
    assert "https://jenkins.example.com/job/rebate-core/2/console" in mail.get_content()


def test_an_abort_in_the_middle_of_a_step_has_the_traffic_back_within_four_seconds(
    shop: Shop, aborted: tuple[Ran, float]
) -> None:
    build, pressed = aborted
    assert build.result == "ABORTED", build.build.console[-3000:]
    gone = max(each.start for each in shop.requests(build.began) if each.subset == "canary")
    assert gone - pressed < 4
    assert (shop.images(), shop.weights()) == (build.before, [100, 0])
    assert "SIGTERM" in build.events[-1].sentence


def test_after_kill_9_of_all_that_a_build_runs_its_own_last_step_takes_the_traffic_back(
    shop: Shop, killed: tuple[Ran, float]
) -> None:
    build, moment = killed
    assert build.result == "FAILURE", build.build.console[-3000:]
    assert "script returned exit code 137" in build.build.console
    gone = max(each.start for each in shop.requests(build.began) if each.subset == "canary")
    assert gone - moment < 90
    assert (shop.images(), shop.weights()) == (build.before, [100, 0])
