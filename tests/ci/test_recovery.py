"""``sluicegate recover`` on the command line: whom it leaves alone, what it finds, with which exit status."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from click.testing import CliRunner, Result

from checks.evidence import Weights
from ci.events import RolloutEnded
from ci.lease import Lease
from ci.left import text_of
from ci.patch import Change
from ci.phases import Phase
from ci.record import KEYS, Record
from ci.recovery import all_left
from ci.rollout import main
from ci.traffic import traffic_of
from fixtures.cluster import VIRTUAL_SERVICES
from fixtures.errors import Unreachable
from fixtures.release import load_release

EXAMPLE = Path(__file__).parents[2] / "examples" / "rebate-core" / "release.yaml"


@dataclass(frozen=True)
class Place:
    """A target whose cluster is in memory and where no Envoy can be asked."""

    in_memory: Any
    name: str = "memory"
    admins: tuple[Any, ...] = ()
    access_log: Path | None = None
    gates_kubeconfig: Path | None = None

    def rewrite(self, address: str) -> str:
        return address

    def cluster(self) -> Any:
        return self.in_memory


@pytest.fixture
def type_in(cluster: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Type ``recover`` on a target in memory."""
    monkeypatch.setattr("fixtures.target.resolve", lambda name: Place(cluster))
    words = ["recover", "--reports", str(tmp_path)]
    return lambda *more: CliRunner().invoke(main, [*words, *map(str, more)])


@pytest.fixture
def at_25(cluster: Any) -> Any:
    """The same cluster with a rollout at 25 %."""
    record = Record(rollout="3f9c2a", phase=Phase.STEP, step=25, who="ci@jenkins-7", release=text_of(EXAMPLE))
    step = Change(Weights(75, 25), record.annotations())
    traffic_of(load_release(EXAMPLE), cluster).write(step, lambda seen: None)
    return cluster


@pytest.fixture
def recovered(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The jobs that were recovered; the recovery itself is seen in tests of the driver, and live."""
    jobs: list[Any] = []

    def recover(job: Any, target: Any, tell: Any, *, now: bool) -> RolloutEnded:
        jobs.append((job, now))
        return RolloutEnded(at=0.0, outcome="rolled back", sentence="its driver is gone", exit_code=1)

    monkeypatch.setattr("ci.recovery.recover", recover)
    return jobs


@pytest.mark.parametrize("words", [[], [EXAMPLE, "--all", "--expired"], ["--all"], ["--all", "--expired", "--now"]])
def test_what_is_meant_has_to_be_said(type_in: Callable[..., Result], words: list[Any]) -> None:
    assert type_in(*words).exit_code == 2


def test_where_no_rollout_is_going_on_there_is_nothing_to_do(type_in: Callable[..., Result], cluster: Any) -> None:
    for words in ([EXAMPLE], [EXAMPLE, "--now"], ["--all", "--expired"]):
        assert type_in(*words).exit_code == 0
    assert type_in(EXAMPLE).output == "rebate-core: nothing to recover: no rollout is going on\n"
    assert cluster.writes == []


def test_a_living_driver_is_left_alone_and_named(
    type_in: Callable[..., Result], at_25: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ci.lease.RENEWAL", 0.05)
    with Lease(at_25, "production", "rebate-core", "ci@jenkins-7/3f9c2a"):
        one, every = type_in(EXAMPLE), type_in("--all", "--expired")
    assert one.exit_code == 3
    assert "rebate-core: ci@jenkins-7 is releasing it since" in every.output
    assert "ci@jenkins-7 is releasing it since" in one.stderr
    assert "look with `sluicegate status RELEASE`" in one.stderr
    assert every.exit_code == 0
    assert [
        entry["weight"]
        for entry in at_25.get(VIRTUAL_SERVICES, "production", "rebate-core")["spec"]["http"][0]["route"]
    ] == [75, 25]


def test_a_driver_that_is_alive_is_waited_for_where_that_is_said(
    type_in: Callable[..., Result], at_25: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the post section of an aborted build does: its driver is still taking back, and then is through."""
    monkeypatch.setattr("ci.lease.RENEWAL", 0.05)
    with Lease(at_25, "production", "rebate-core", "ci@jenkins-7/3f9c2a") as lease:
        assert type_in(EXAMPLE, "--wait", "500ms").exit_code == 3, "for so long, and no longer"

        def come_to_an_end() -> None:
            end = Change(Weights(100, 0), dict.fromkeys(KEYS.values()))
            traffic_of(load_release(EXAMPLE), at_25).write(end, lambda seen: None)
            lease.__exit__(None, None, None)

        driver = Timer(1.5, come_to_an_end)
        driver.start()
        done = type_in(EXAMPLE, "--wait", "1m")
        driver.join()
    assert (done.exit_code, done.stdout) == (0, "rebate-core: nothing to recover: the rollout has ended meanwhile\n")
    assert type_in(EXAMPLE, "--wait", "soon").exit_code == 2


def test_the_exit_status_is_that_of_the_rollout(
    type_in: Callable[..., Result], at_25: Any, recovered: list[Any]
) -> None:
    assert type_in(EXAMPLE, "--now").exit_code == 1
    [(job, now)] = recovered
    assert (job.rollout, now, job.file.name) == ("3f9c2a", True, "release.json")


def test_all_services_are_found_by_their_records_without_a_release_file(
    type_in: Callable[..., Result], at_25: Any, recovered: list[Any]
) -> None:
    [(name, text)] = all_left(at_25)
    assert (name, json.loads(text)["service"]) == ("production/rebate-core", "rebate-core")
    done = type_in("--all", "--expired", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["outcome"] == "rolled back"
    assert [now for _, now in recovered] == [False]


def test_a_service_that_can_not_be_recovered_keeps_no_other_waiting(
    type_in: Callable[..., Result], at_25: Any, recovered: list[Any]
) -> None:
    body = at_25.get(VIRTUAL_SERVICES, "production", "rebate-core")
    body["metadata"] |= {"name": "broken", "annotations": {"sluicegate.dev/rollout": "77aa01"}}
    at_25.put(VIRTUAL_SERVICES, "production", body)
    done = type_in("--all", "--expired")
    assert done.exit_code == 4
    assert "production/broken: failed: its record names no release file" in done.output
    assert "rebate-core: rolled back" in done.output


def test_an_api_server_that_does_not_answer_yet_is_asked_again(
    type_in: Callable[..., Result], at_25: Any, recovered: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    get, refused = at_25.get, [Unreachable("500"), Unreachable("500")]

    def at_last(*arguments: Any) -> Any:
        if refused:
            raise refused.pop()
        return get(*arguments)

    monkeypatch.setattr(at_25, "get", at_last)
    assert type_in(EXAMPLE).exit_code == 1
