"""Real signals to real processes: the brake works whatever the main thread is doing, and pulls once."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAM = """
import os, time
from ci.brake import Brake

def take_back(name):
    os.write(1, f"braked by {{name}}\\n".encode())  # one write: the main thread prints as well

with Brake(take_back) as brake:
    print("up", flush=True)
    {work}
    late = time.monotonic() + 20  # a busy machine may bring the signal after the work
    while not brake.pulled and time.monotonic() < late:
        time.sleep(0.01)
    print("pulled:", brake.pulled, flush=True)
print("over", flush=True)
{after}
"""
BUSY = {
    "sleeping": "time.sleep(0.4)",
    "computing": "until = time.monotonic() + 0.4\n    while time.monotonic() < until: sum(range(1000))",
    "waiting for bytes": "import os; r, w = os.pipe(); import threading; "
    "threading.Timer(0.4, os.close, [w]).start(); os.read(r, 1)",
    "holding a lock": "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire(timeout=0.4)",
    "deep in C": "import re; re.match('(a+)+$', 'a' * 22 + 'b')",
}

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(work: str, after: str = "") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(work=work, after=after)],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate(timeout=5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("work", BUSY.values(), ids=BUSY)
def test_the_brake_works_whatever_the_driver_is_doing(start: Start, work: str, number: signal.Signals) -> None:
    process = start(work)
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert f"braked by {number.name}\n" in out
    assert f"pulled: {number.name}\n" in out
    assert process.returncode == 0


def test_a_second_signal_changes_nothing(start: Start) -> None:
    process = start("time.sleep(0.3); time.sleep(0.3); time.sleep(0.3)")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert out.count("braked by") == 1
    assert process.returncode == 0


def test_an_error_while_braking_leaves_the_driver_alive(start: Start) -> None:
    process = start(
        "from fixtures.errors import PersonNeeded\n    def fails(name): raise PersonNeeded('no')\n"
        "    brake._take_back = fails; time.sleep(0.5)"
    )
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert "pulled: SIGTERM\n" in out
    assert process.returncode == 0


def test_leaving_waits_for_a_take_back_that_has_begun(start: Start) -> None:
    slow = "def slow(name): time.sleep(0.3); print('safe', flush=True)"
    process = start(f"{slow}\n    brake._take_back = slow; print('slow', flush=True)")
    assert process.stdout is not None
    assert process.stdout.readline() == "slow\n"  # only now is it the slow one that is waited for
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert out.index("safe") < out.index("over")


def test_afterwards_a_signal_ends_the_process_as_ever(start: Start) -> None:
    process = start("brake.pulled = 'x'", after="print('left', flush=True); time.sleep(30)")
    assert process.stdout is not None
    while "left" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM
