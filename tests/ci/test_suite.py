"""A run is heard line by line, lives in an environment of its own, and always ends."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from ci.suite import Order, PytestRun, command, environment
from fixtures.waiting import wait

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
ORDER = Order("canary_step", "step-05", "n1", {"--release": "release.yaml", "--step": "5"})


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], PytestRun]]:
    """Start a Python program as a run; it may write lines to the file that is its first argument."""
    started: list[subprocess.Popen[bytes]] = []

    def run(program: str) -> PytestRun:
        verdicts = tmp_path / "verdicts.jsonl"
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(verdicts)], stdout=subprocess.PIPE, start_new_session=True
        )
        started.append(process)
        return PytestRun(process, [], tmp_path / "junit.xml", verdicts, "n1")

    yield run
    for process in started:
        process.kill()
        process.communicate(timeout=5)


def line(**members: object) -> str:
    return json.dumps({"nonce": "n1", **members}) + "\n"


def test_lines_are_given_once_and_only_when_they_are_whole(start: Callable[[str], PytestRun]) -> None:
    run = start("pass")
    assert run.lines() == []
    with run.verdicts.open("a") as file:
        file.write(line(kind="opened") + line(kind="verdict")[:9])
        file.flush()
        assert [each["kind"] for each in run.lines()] == ["opened"]
        assert run.lines() == []
        file.write(line(kind="verdict")[9:])
        file.flush()
        assert [each["kind"] for each in run.lines()] == ["verdict"]


@pytest.mark.parametrize("foreign", ['{"nonce": "other", "kind": "verdict"}', "{}", "[]", "7", "half a line", "\udcff"])
def test_what_is_not_the_runs_own_is_nobodys_verdict(start: Callable[[str], PytestRun], foreign: str) -> None:
    run = start("pass")
    run.verdicts.write_text(foreign + "\n" + line(kind="closed"), encoding="utf-8", errors="surrogateescape")
    assert [each["kind"] for each in run.lines()] == ["closed"]


def test_the_status_is_known_when_the_run_has_ended(start: Callable[[str], PytestRun]) -> None:
    run = start("raise SystemExit(3)")
    assert wait(run.status, what="the end", timeout=10, interval=0.01) == 3


def test_a_run_that_is_nearly_done_may_end_by_itself(start: Callable[[str], PytestRun]) -> None:
    assert start("import time; time.sleep(0.2)").end(gently=True) == 0


def test_a_run_is_ended_by_sigterm(start: Callable[[str], PytestRun]) -> None:
    assert start("import time; time.sleep(60)").end(gently=False) == -15


def test_a_run_that_does_not_end_is_killed(start: Callable[[str], PytestRun], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ci.suite.GRACE", 0.3)
    run = start(STUBBORN)
    assert run._process.stdout is not None
    assert run._process.stdout.readline() == b"up\n"
    assert run.end(gently=False) == -9


def test_what_the_run_has_started_ends_with_it(start: Callable[[str], PytestRun]) -> None:
    run = start(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    assert run._process.stdout is not None
    child = int(run._process.stdout.readline())
    run.end(gently=False)
    wait(lambda: not alive(child), what="the child's end", timeout=5, interval=0.01)


def alive(pid: int) -> bool:
    """Say whether a process runs; a zombie that init has not yet collected does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_command_can_be_typed_by_a_person(tmp_path: Path) -> None:
    words = command(ORDER, "rebate-core", tmp_path / "step-05.xml", tmp_path / "v.jsonl")
    assert words[:3] == [sys.executable, "-m", "pytest"]
    assert words[3:8] == ["scenarios/canary_step.py", "--release", "release.yaml", "--step", "5"]
    assert "junit_suite_name=rebate-core.step-05" in words
    assert f"--junitxml={tmp_path}/step-05.xml" in words


def test_a_run_that_only_watches_says_so(tmp_path: Path) -> None:
    watching = replace(ORDER, watch=True)
    assert "--watch" in command(watching, "rebate-core", tmp_path / "watch-05.xml", tmp_path / "v.jsonl")
    assert "--watch" not in command(ORDER, "rebate-core", tmp_path / "step-05.xml", tmp_path / "v.jsonl")


def test_no_secret_of_the_driver_reaches_the_gates(tmp_path: Path) -> None:
    ours = {
        "PATH": "/bin",
        "GIT_PASSWORD": "hunter2",
        "DOCKER_AUTH_CONFIG": "{}",
        "HOME": "/root",
        "KUBECONFIG": "/admin",
    }
    built = environment(ours, tmp_path, tmp_path / "reader")
    assert (built["PATH"], built["HOME"], built["KUBECONFIG"]) == ("/bin", str(tmp_path), f"{tmp_path}/reader")
    assert not {"GIT_PASSWORD", "DOCKER_AUTH_CONFIG"} & set(built)


def test_without_a_kubeconfig_of_their_own_the_gates_use_the_usual_one() -> None:
    built = environment({"HOME": "/home/ana", "KUBECONFIG": "/admin", "GIT_PASSWORD": "x"}, Path("/empty"), None)
    assert (built["HOME"], built["KUBECONFIG"]) == ("/home/ana", "/admin")
    assert "GIT_PASSWORD" not in built


def test_the_built_environment_is_enough_for_python(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import pytest, fixtures.release"],
        env=environment(os.environ, tmp_path, tmp_path),
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
