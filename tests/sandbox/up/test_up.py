"""A sandbox is there in seconds, is one of several, and is gone with its owner."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from fixtures.errors import InputError, SluicegateError
from fixtures.sandbox import up
from fixtures.sandbox.files import read_json
from fixtures.target import of_sandbox
from fixtures.waiting import wait

HOST = {"Host": "rebate.example.com"}
OWNER = """
import sys
from pathlib import Path
from fixtures.sandbox.up import start
kept = [start(Path(folder), prometheus=False) for folder in sys.argv[1:]]
print("up", flush=True)
sys.stdin.read()
"""


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def processes(state: Path) -> list[int]:
    """Give the supervisor and all processes that come from it, pods too."""
    supervisor = psutil.Process(read_json(state / "sandbox.json")["pid"])
    return [supervisor.pid, *(child.pid for child in supervisor.children(recursive=True))]


def pod_behind(state: Path) -> str:
    answer = requests.get(read_json(state / "sandbox.json")["gateway"], headers=HOST, timeout=5)
    assert answer.status_code == 200
    return str(answer.headers["x-pod"])


def all_gone(pids: list[int]) -> None:
    wait(lambda: not [pid for pid in pids if lives(pid)], what="the end of all", timeout=10, interval=0.02)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "sandbox"
    yield folder
    up.stop(folder)


@pytest.fixture
def states(tmp_path: Path) -> Iterator[list[Path]]:
    folders = [tmp_path / "one", tmp_path / "two"]
    yield folders
    for folder in folders:
        up.stop(folder)


def test_two_side_by_side_serve_and_end_with_their_killed_owner(states: list[Path]) -> None:
    command = [sys.executable, "-c", OWNER, *map(str, states)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        assert owner.stdout.readline() == "up\n"
        assert pod_behind(states[0]) != pod_behind(states[1])
        pids = [pid for state in states for pid in processes(state)]
        assert len(pids) >= 2 * 12, "supervisor, six parts, five pods"
        owner.kill()
    all_gone(pids)
    assert not any((state / "sandbox.json").exists() for state in states)


def test_what_a_killed_supervisor_left_is_cleared_by_the_next_start(state: Path) -> None:
    """Git is stopped, so that it can not see the end of its lifeline: it is left over, and found again."""
    with up.start(state, prometheus=False) as first:
        with pytest.raises(InputError, match="runs here already"):
            up.start(state)
        pids, git = processes(state), first.info["pids"]["git"]
        os.kill(git, signal.SIGSTOP)
        os.kill(first.info["pid"], signal.SIGKILL)
        first.supervisor.wait(5)
        all_gone([pid for pid in pids if pid != git])
        assert lives(git)
        assert up.running(state) is None
        with up.start(state, rate=50, prometheus=False) as second:
            all_gone([git])
            assert second.info["pid"] != first.info["pid"]
            assert requests.get(f"{second.info['load']}/stats", timeout=5).json()["rate"] == 50
            assert pod_behind(state)
            pids = processes(state)
    all_gone(pids)


def test_a_kept_one_outlives_the_command_and_is_as_described(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(what: str) -> tuple[int, str]:
        code = up.main([what, "--state", str(state)])
        return code, capsys.readouterr().out

    by_a_person = [sys.executable, "-m", "fixtures.sandbox.up", "up", "--state", str(state)]
    behind_a_proxy = {**os.environ, "http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"}
    said = subprocess.run(
        by_a_person, env=behind_a_proxy, check=True, capture_output=True, text=True, timeout=60
    ).stdout
    assert command("status") == command("up") == (0, said), "the second up finds the first"
    info = read_json(state / "sandbox.json")
    assert f"export KUBECONFIG={state}/kubeconfig\n" in said
    assert f"promql    {info['prometheus']}\n" in said
    assert of_sandbox(state).rewrite("http://prometheus.istio-system:9090") == info["prometheus"]
    assert_private(state)
    assert_at_rest(info)
    pids = processes(state)
    assert command("down") == (0, "")
    all_gone(pids)
    assert command("status")[0] == 1


def assert_private(state: Path) -> None:
    """Nobody else may read a token, nor anything beside it."""
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    tokens = ("api.json", "kubeconfig", "gates_kubeconfig", "sandbox.json", "processes.json")
    assert {name: stat.S_IMODE((state / name).stat().st_mode) for name in tokens} == dict.fromkeys(tokens, 0o600)


def assert_at_rest(info: dict[str, Any]) -> None:
    """Stable has its four pods of the first image, by digest, and all images are in the registry."""
    target = of_sandbox(Path(info["kubeconfig"]).parent)
    api = json.loads((Path(info["kubeconfig"]).parent / "api.json").read_text())
    with requests.Session() as http:
        http.trust_env = False
        http.verify, http.headers["Authorization"] = api["ca"], f"Bearer {api['reader_token']}"
        pods = http.get(
            f"{api['url']}/api/v1/namespaces/production/pods?labelSelector=version=stable", timeout=5
        ).json()["items"]
    images = {status["imageID"] for pod in pods for status in pod["status"]["containerStatuses"]}
    assert (len(pods), images) == (4, {info["images"]["v1"]})
    assert set(info["images"]) == {"v1", "v2", "fair", "bad", "hopeless", "slow"}
    for image in info["images"].values():
        place, _, digest = target.rewrite(image).partition("@")
        host, _, name = place.partition("/")
        accept = {"Accept": "application/vnd.oci.image.index.v1+json"}
        assert requests.head(f"http://{host}/v2/{name}/manifests/{digest}", headers=accept, timeout=5).ok
    git = target.rewrite("https://git.example.com/shop/k8s-manifests.git")
    shown = subprocess.run(["git", "ls-remote", git, "main"], capture_output=True, text=True, check=True, timeout=10)
    assert shown.stdout


def test_a_part_that_does_not_come_up_is_named_with_the_end_of_its_log(
    state: Path, program: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = 'test "$1" = --version && exec echo distribution; echo "no space left on device"; exit 3'
    monkeypatch.setenv("SLUICEGATE_REGISTRY", str(program("registry", broken)))
    with pytest.raises(SluicegateError, match=r"(?s)registry ended with 3.*no space left on device"):
        up.start(state)
    assert not (state / "processes.json").exists()


def test_a_directory_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("ten years")
    with pytest.raises(InputError, match="not a sandbox's"):
        up.start(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "ten years"
