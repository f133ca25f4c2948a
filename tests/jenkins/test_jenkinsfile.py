"""ci/Jenkinsfile, executed: a commit of the Java service is promoted or taken back, at 500 requests a second."""

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
from fixtures.access_log import entries, entry
from fixtures.access_log import taken_back as rollback
from fixtures.cluster import DEPLOYMENTS, VIRTUAL_SERVICES
from fixtures.registry import resolve
from fixtures.sandbox import up
from fixtures.target import Target, of_sandbox
from fixtures.waiting import wait

pytestmark = [pytest.mark.long, pytest.mark.live, pytest.mark.xdist_group("live")]
ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "examples" / "rebate-core-service"
RELEASE = ROOT / "examples" / "rebate-core"
NAME = "registry.example.com/shop/rebate-core-service"
RATE = 500.0
WHOLE, OVERHEAD = 300.0, 15.0  # seconds: from commit to promotion in all; what of the release waits for no requests
ONE_STEP = """
pipeline {
    agent { label 'k8s-agent' }
    options { skipDefaultCheckout() }
    parameters { string(name: 'TARGET', defaultValue: 'prod-eu') }
    stages {
        stage('Release') {
            steps {
                checkout scm
                canaryRelease image: readFile('target/image.txt').trim(), target: params.TARGET
            }
        }
    }
}
"""
ASKS = "askpass.sh"


def busy() -> float:
    """Say how many times longer than alone work takes here: what waits for a core is not what is measured."""
    return max(1.0, os.getloadavg()[1] / (os.cpu_count() or 1))


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
        job.environment |= {
            "PUSH_TO": target.rewrite(NAME),
            "JIB": "-Djib.allowInsecureRegistries=true",
            "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # short lives: half of the time
        }

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
        return max(each.start for each in self.requests(0) if each.subset == "canary")

    def canary_has_traffic(self) -> bool:
        """Look at the last seconds of the log: the whole of it is long."""
        assert self.target.access_log is not None
        with self.target.access_log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 100_000))
            recent = map(entry, log.read().decode().splitlines()[1:])
        return any(each.subset == "canary" and each.start > time.time() - 1 for each in recent if each)


def equip(job: Any, target: Target) -> None:
    """Give a job its release file, its parameter, its credentials, and an agent that has sluicegate."""
    # A machine that is busy has less traffic, and needs more time for as many requests.
    release = (RELEASE / "release.yaml").read_text().replace("limit: 2m", "limit: 10m")
    (job.work / "release.yaml").write_text(release)
    shutil.copy(RELEASE / "own_gates.py", job.work)
    job.asked |= {
        "param.TARGET": target.name,
        "credential.registry.username": "robot",
        "credential.registry.password": "pa55word",
        "credential.gitops.username": "driver",
        "credential.gitops.password": "s3same",
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
        began: when its commit was pushed, or something was done to it.
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


def ran(shop: Shop, **changes: tuple[str, str]) -> Ran:
    """Commit, and let Jenkins build what was committed."""
    before = shop.images()
    shop.commit(**changes)
    began = time.time()
    build, result = shop.job.run()
    return Ran(build, result, began, time.time(), before)


@pytest.fixture(scope="module")
def promoted(shop: Shop) -> Ran:
    """The first commit."""
    return ran(shop)


@pytest.fixture(scope="module")
def bad(shop: Shop, promoted: Ran) -> Ran:
    """A mistake that no test of the service finds: one request of 21 asks for a shop that is not there."""
    return ran(shop, Shops=("ALL.size()));", "ALL.size() + 1));"))


@pytest.fixture(scope="module")
def aborted(release_only: Callable[..., Ran]) -> Ran:
    """The last stage of the Jenkinsfile; somebody presses the cross while its canary is watched."""
    text = (ROOT / "ci" / "Jenkinsfile").read_text()
    first, last = text.index("        stage('Checkout & Lint')"), text.index("        stage('Release')")
    built = "        stage('Checkout') { steps { checkout scm } }\n"

    def abort(build: Any) -> None:
        build.abort()

    return release_only(text[:first] + built + text[last:], abort)


@pytest.fixture(scope="module")
def killed(release_only: Callable[..., Ran]) -> Ran:
    """A pipeline of one step, the shared library's; all that it runs gets SIGKILL while its canary is watched."""

    def kill(build: Any) -> None:
        for each in build.scripts():
            each.kill()

    return release_only(ONE_STEP, kill)


@pytest.fixture(scope="module")
def release_only(shop: Shop, new_job: Callable[[Path], Any]) -> Callable[..., Ran]:
    """Let a pipeline release an image that is built already, and do something to it while its canary is watched."""

    def release(pipeline: str, what: Callable[[Any], None]) -> Ran:
        job = new_job(shop.job.folder / f"release-only-{what.__name__}")
        equip(job, shop.target)
        job.asked["library"] = str(ROOT / "ci" / "shared-library")
        shutil.copy(SERVICE / "Makefile", job.work)
        (job.work / "Jenkinsfile").write_text(pipeline)
        (job.work / "target").mkdir()
        (job.work / "target" / "image.txt").write_text(shop.other_image() + "\n")
        job.commit("a release")
        before, build = shop.images(), job.start()
        build.until("suite canary_step at 5 % is ready")
        wait(shop.canary_has_traffic, what="requests to the canary", timeout=60)
        began = time.time()
        what(build)
        return Ran(build, build.end(), began, time.time(), before)

    return release


def test_a_commit_is_promoted_within_five_minutes(shop: Shop, promoted: Ran) -> None:
    assert promoted.result == "SUCCESS", promoted.build.console[-3000:]
    assert shop.job.mails == []
    assert promoted.ended - promoted.began < WHOLE * busy()
    lost = sum(part.overhead for part in parts(promoted.events, promoted.ended))
    assert lost < OVERHEAD * busy(), "seconds of the release that were no waiting for requests"


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
    assert "com.example.rebate" in (pages / "Coverage" / "index.html").read_text()
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
    assert back.seconds < 10 * busy()
    assert ["rebate-core.step-05", "failed"] in [[suite, outcome] for suite, *_, outcome in bad.build.tests()]


def test_the_team_gets_a_mail_that_leads_to_the_console(shop: Shop, bad: Ran) -> None:
    mail = shop.job.mails[0]
    assert (mail["to"], mail["subject"]) == ("rebate-team@example.com", "rebate-core #2: FAILURE")
    assert "https://jenkins.example.com/job/rebate-core/2/console" in mail.get_content()


def test_an_abort_in_the_middle_of_a_step_has_the_traffic_back_within_four_seconds(shop: Shop, aborted: Ran) -> None:
    assert aborted.result == "ABORTED", aborted.build.console[-3000:]
    assert shop.last_canary_request() - aborted.began < 4
    assert (shop.images(), shop.weights()) == (aborted.before, [100, 0])


def test_the_post_section_of_an_aborted_build_waits_for_its_driver_and_has_all_evidence(aborted: Ran) -> None:
    console = aborted.build.console
    assert "+ make recover" in console
    assert "nothing to recover" in console, "its driver has taken all back itself"
    assert aborted.events[-1].outcome == "rolled back"
    assert "rebate-core.step-05" in {suite for suite, *_ in aborted.build.tests()}


def test_after_kill_9_of_all_that_a_build_runs_its_own_last_step_takes_the_traffic_back(
    shop: Shop, killed: Ran
) -> None:
    assert killed.result == "FAILURE", killed.build.console[-3000:]
    assert "script returned exit code 137" in killed.build.console
    assert shop.last_canary_request() - killed.began < 90
    assert "rebate-core.rollback" in {suite for suite, *_ in killed.build.tests()}, "of the recovery, in its own folder"
    assert (shop.images(), shop.weights()) == (killed.before, [100, 0])
