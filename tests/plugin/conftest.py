"""A pytest run of its own, in a folder of its own, with the plugin and a subject that the test sets."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[2]
SUBJECT = """
import pytest
from checks.evidence import Answers, ApplicationState, Capacity, Count, Pod, Terms, Traffic, Weights
from fixtures.observation import Observation
from fixtures.watching import Watching

class World:
    settle_limit = 30.0
    def __init__(self, bad): self.bad = bad
    def read(self): return Traffic(Answers(Count(400, self.bad)), Answers(Count(400)))
    def in_effect(self, canary): return True
    def counters(self): return {}
    def in_flight(self): return None
    def capacity(self): return Capacity(4, 4)
    def alerts(self): return ()
    def queries(self): return {}
    def weights(self): return Weights(50, 50)
    def pods(self): return (Pod("canary-1", True, 0, "sha256:new"),)
    def application(self): return ApplicationState("shop", "Synced", "Healthy", "abc")

class Subject:
    def observe(self, judges, log, left, watch):
        terms = Terms(weight=50, split_tolerance=10, soak=SOAK, limit=20, group=1)
        world = World(BAD)
        kind = Watching if watch else Observation
        return kind({name: judge(terms) for name, judge in judges.items()}, world, world, terms, log)

@pytest.fixture(scope="session")
def subject(): return Subject()
"""


@dataclass(frozen=True)
class Run:
    """What a run left: exit status, output, verdict lines, JUnit cases."""

    status: int
    output: str
    lines: list[dict]
    cases: dict[str, ET.Element]

    def verdicts(self) -> dict[str, str]:
        return {line["gate"]: line["outcome"] for line in self.lines if line["kind"] == "verdict"}


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen]:
    """Start pytest on one scenario; ``bad`` of 400 canary requests a look are errors."""

    def run(
        scenario: str, *options: str, bad: int = 0, soak: float = 0.5, name: str = "scenario.py"
    ) -> subprocess.Popen:
        (tmp_path / "conftest.py").write_text(SUBJECT.replace("BAD", str(bad)).replace("SOAK", str(soak)))
        (tmp_path / name).write_text(scenario)
        arguments = ["-p", "fixtures.plugin", "--verdicts", "v.jsonl", "--nonce", "n1", "--junitxml", "j.xml"]
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", name, "-p", "no:cacheprovider", *arguments, *options],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return run


@pytest.fixture
def finish(tmp_path: Path) -> Callable[[subprocess.Popen], Run]:
    """Wait for a run and read what it left."""

    def end(process: subprocess.Popen) -> Run:
        output, _ = process.communicate(timeout=60)
        verdicts, junit = tmp_path / "v.jsonl", tmp_path / "j.xml"
        lines = [json.loads(line) for line in verdicts.read_text().splitlines()] if verdicts.exists() else []
        cases = ET.parse(junit).getroot().iter("testcase") if junit.exists() else []
        return Run(process.returncode, output, lines, {case.get("name"): case for case in cases})

    return end


@pytest.fixture
def judge(start, finish) -> Callable[..., Run]:
    """Run a scenario to its end."""
    return lambda *arguments, **facts: finish(start(*arguments, **facts))


@pytest.fixture
def terminate(tmp_path: Path) -> Callable[[subprocess.Popen], None]:
    """Send SIGTERM once the run watches."""

    def send(process: subprocess.Popen) -> None:
        deadline = time.monotonic() + 20
        while not ((tmp_path / "v.jsonl").exists() and "progress" in (tmp_path / "v.jsonl").read_text()):
            assert time.monotonic() < deadline, "the run never began to watch"
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)

    return send
