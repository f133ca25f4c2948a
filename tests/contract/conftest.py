"""One live sandbox for this folder: a canary whose pods fail on demand, and real Prometheus servers beside it.

Real control planes, where they may be started (SLUICEGATE_CONTRACT) and are there, run one set at a time.
"""

import csv
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from checks.gate import Judge
from checks.verdict import Verdict
from fixtures.arranged import EXAMPLE, scale, weigh
from fixtures.cluster import DEPLOYMENTS, PODS, VIRTUAL_SERVICES, Cluster
from fixtures.errors import SluicegateError
from fixtures.observation import Observation
from fixtures.release import Release, load_release
from fixtures.sandbox import up
from fixtures.sandbox.binaries import PROMETHEUS, find
from fixtures.sandbox.dataplane import prometheus
from fixtures.sandbox.real.choice import Real, running_plane
from fixtures.sandbox.real.planes import check
from fixtures.subject import Subject
from fixtures.target import Target, of_sandbox
from fixtures.verdict_log import VerdictLog
from fixtures.waiting import NotYet, wait
from scenarios import canary_step

NO_REAL = "NO REAL CONTROL PLANES: that the stand-ins behave as they do is NOT tested here (docs/contract.md): "


@pytest.fixture(scope="session")
def in_turn() -> Iterator[Callable[..., Any]]:
    """Enter what runs on real control planes, and end what ran on some before; skip where there are none."""
    with ExitStack() as running:

        def enter(plane: Callable[..., AbstractContextManager[Any]], *arguments: Any) -> Any:
            if not os.environ.get("SLUICEGATE_CONTRACT") and not running_plane():
                pytest.skip(f"{NO_REAL}make contract")
            try:
                check(frozenset(Real))
            except SluicegateError as missing:
                pytest.skip(f"{NO_REAL}{missing}")
            running.close()
            return running.enter_context(plane(*arguments))

        yield enter


@dataclass
class Stage:
    """The sandbox, with hands on its traffic and its pods."""

    state: Path
    info: dict[str, Any]
    target: Target
    cluster: Cluster
    release: Release = field(default_factory=lambda: load_release(EXAMPLE))

    def rate(self, rate: float) -> None:
        requests.post(f"{self.info['load']}/rate", json={"rate": rate}, timeout=5).raise_for_status()

    def quiet(self) -> None:
        """Stop the load and wait for the last answer."""
        self.rate(0)
        wait(self._all_answered, what="the last answers", timeout=40, interval=0.02)
        wait(self._all_written, what="the last rows and lines", timeout=5, interval=0.02)

    def _all_answered(self) -> bool:
        told = requests.get(f"{self.info['load']}/stats", timeout=5).json()
        return bool(told["sent"] == told["answered"])

    def _all_written(self) -> bool:
        sent = requests.get(f"{self.info['load']}/stats", timeout=5).json()["sent"]
        return len(self.truth()) == sent <= len(self.logged())

    def canary(self, weight: int) -> None:
        """Give the canary its pods and its weight, healthy, with the route as it came."""
        scale(self.cluster, self.release, weight)
        self.fail("canary")
        self.fail("stable")
        weigh(self.cluster, self.release, weight)
        self.timeout("5s")

    def no_canary(self) -> None:
        """Take its pods away, and leave it its weight."""
        self.cluster.scale(DEPLOYMENTS, self.release.namespace, self.release.names.canary, 0)

    def timeout(self, text: str | None) -> None:
        """Set the route's timeout, or take it away."""
        name, namespace = self.release.names.virtual_services[0], self.release.namespace
        path = "/spec/http/0/timeout"
        operations: list[Any] = [{"op": "add", "path": path, "value": text or "5s"}]
        operations += [] if text else [{"op": "remove", "path": path}]
        self.cluster.json_patch(VIRTUAL_SERVICES, namespace, name, operations)

    def pods(self, version: str) -> dict[str, str]:
        """Give name and address of a version's pods."""
        found = self.cluster.list(PODS, self.release.namespace, f"version={version}")
        return {
            pod["metadata"]["name"]: pod["status"]["podIP"]
            for pod in found
            if "deletionTimestamp" not in pod["metadata"]
        }

    def fail(self, version: str, **faults: float) -> None:
        """Change what goes wrong in all pods of a version; one that has just been killed comes back first."""
        for address in self.pods(version).values():
            wait(partial(_told, address, faults), what=f"the pod at {address}", timeout=20, interval=0.05)

    @property
    def _kubelet(self) -> psutil.Process:
        return psutil.Process(self.info["pids"]["controllers"])

    @contextmanager
    def unnoticed(self) -> Iterator[None]:
        """Let nobody in the cluster see what happens: a pod that is dead keeps its traffic."""
        self._kubelet.suspend()
        try:
            yield
        finally:
            self._kubelet.resume()

    def kill(self, pod: str) -> None:
        """Let a pod's process crash."""
        for process in self._kubelet.children():
            with suppress(psutil.NoSuchProcess):  # the kubelet has just reaped it
                if process.status() != psutil.STATUS_ZOMBIE and pod in process.cmdline():
                    process.kill()

    def truth(self) -> list[dict[str, str]]:
        """Give what the load generator knows of each request; whole when it is quiet."""
        with (self.state / "truth.csv").open(newline="") as lines:
            return list(csv.DictReader(lines))

    def logged(self) -> list[list[str]]:
        """Give the fields of Envoy's own log: start, cluster, pod, code, flags, milliseconds."""
        lines = (self.state / "access.log").read_text().splitlines(keepends=True)
        return [line.split() for line in lines if line.endswith("\n")]

    def subject(self, weight: int, *, through: str = "", **release: Any) -> Subject:
        """Give the release under judgement.

        Args:
            weight: the canary's.
            through: a Prometheus, as the only source of traffic; none for the Envoys.
            **release: what its file says otherwise.
        """
        target = self.target
        if through:
            target = replace(target, envoys=(), rewrites={**target.rewrites, prometheus.NAME: through})
        fast = self.release.objectives.model_copy(update={"latency": {0.99: 0.5}})
        said = {"soak": 1.0, "objectives": fast, **release}
        return Subject(self.release.model_copy(update=said), target, weight)


def _told(address: str, faults: dict[str, float]) -> bool | NotYet:
    try:
        requests.post(f"http://{address}:8080/_sandbox/faults", json=faults, timeout=5).raise_for_status()
    except requests.ConnectionError as error:
        return NotYet(str(error))
    return True


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    state = tmp_path_factory.mktemp("live") / "sandbox"
    with up.start(state) as sandbox:
        target = of_sandbox(state)
        yield Stage(state, sandbox.info, target, target.cluster())


@dataclass
class Scraper:
    """A Prometheus of the tests' own."""

    url: str
    process: subprocess.Popen[bytes]
    command: list[str]
    log: Path

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def restart(self) -> None:
        """Start it again, on its data, at its address."""
        same = self.url.removeprefix("http://")
        self.process = _spawn([word.replace("127.0.0.1:0", same) for word in self.command], self.log)


def _spawn(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=output)


@pytest.fixture(scope="module")
def scraper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Scraper]]:
    """Start a Prometheus that scrapes an address; its first scrape comes some seconds later."""
    started: list[Scraper] = []

    def start(scraped: str, binary: Path | None = None) -> Scraper:
        folder = tmp_path_factory.mktemp("prometheus")
        command, log = (
            prometheus.command(binary or find(PROMETHEUS), prometheus.prepare(folder, scraped)),
            folder / "log",
        )
        process = _spawn(command, log)
        url = wait(lambda: prometheus.url(log), what="a Prometheus", timeout=20, interval=0.02)
        wait(lambda: requests.get(f"{url}/-/ready", timeout=5).ok or None, what="its storage", timeout=30)
        started.append(Scraper(url, process, command, log))
        return started[-1]

    yield start
    for each in started:
        each.kill()


@dataclass
class Proxy:
    """Stands before a Prometheus: passes its answers on, changed, late or not at all."""

    url: str
    changed: Callable[[bytes], bytes] = lambda body: body
    status: int = 200
    late: bool = False
    over: threading.Event = field(default_factory=threading.Event)


@pytest.fixture(scope="module")
def proxy() -> Iterator[Callable[[str], Proxy]]:
    """Put a proxy before a server."""
    with ExitStack() as ends:

        def start(upstream: str) -> Proxy:
            server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(upstream, lambda: made))
            made = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            for end in (thread.join, server.server_close, server.shutdown, made.over.set):
                ends.callback(end)
            return made

        yield start


def _handler(upstream: str, proxy: Callable[[], Proxy]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            how = proxy()
            if how.late:
                how.over.wait(10)
            answer = requests.get(upstream + self.path, timeout=10) if how.status == 200 else None
            body = how.changed(answer.content) if answer else b"no upstream"
            self.send_response(answer.status_code if answer else how.status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    return Handler


class Watch:
    """An observation that runs, and what it has said so far."""

    def __init__(self, subject: Subject, judges: dict[str, type[Judge]], lines: Path) -> None:
        self._lines, self._gates = lines, list(judges)
        self._log = VerdictLog(lines, "n1")
        self._observation: Observation = subject.observe(judges, self._log, {"state": {}, "counters": {}})
        self._observation.open()
        self._observation.start()

    def said(self, kind: str) -> list[dict[str, Any]]:
        lines = self._lines.read_text().splitlines(keepends=True)
        return [line for text in lines if text.endswith("\n") and (line := json.loads(text))["kind"] == kind]

    def settled(self) -> bool:
        """Say whether it counts for PASS."""
        return any(line["settled"] for line in self.said("tick"))

    def gap(self) -> str:
        """Give what the last word says is not seen."""
        return str(self.said("progress")[-1]["gap"])

    def verdicts(self) -> dict[str, Verdict]:
        """Wait for the end."""
        found = {gate: self._observation.verdict(gate) for gate in self._gates}
        self._observation.close()
        self._log.close()
        return found


@pytest.fixture(scope="session")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Watch]:
    """Begin to watch a step."""

    def start(subject: Subject, **judges: type[Judge]) -> Watch:
        return Watch(subject, judges or _gates_of_a_step(), tmp_path_factory.mktemp("watch") / "verdicts.jsonl")

    return start


def _gates_of_a_step() -> dict[str, type[Judge]]:
    tests = {name: test for name, test in vars(canary_step).items() if name.startswith("test_")}
    return {name.removeprefix("test_"): test.pytestmark[0].args[0] for name, test in tests.items()}
