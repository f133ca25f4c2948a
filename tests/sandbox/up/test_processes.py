"""Processes end with what they have started, and nobody else does."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from fixtures.sandbox.lifeline import Lifeline
from fixtures.sandbox.processes import Identity, end, spawn, tail
from fixtures.waiting import wait

STUBBORN = 'trap "" TERM; sleep 100 & echo $! ; wait; wait'


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_stubborn_process_and_its_children_are_ended(tmp_path: Path) -> None:
    part = spawn("stubborn", ["sh", "-c", STUBBORN], tmp_path / "log")
    child = wait(lambda: tail(part.log) or None, what="its child", timeout=5, interval=0.01)
    end([part.identity], grace=0.2)
    assert part.process.wait(5) == -9
    assert gone(int(child))


def test_a_process_that_only_has_the_number_is_left_alone(tmp_path: Path) -> None:
    part = spawn("innocent", ["sleep", "100"], tmp_path / "log")
    end([Identity(part.identity.pid, part.identity.started - 60)], grace=1)
    assert part.process.poll() is None
    end([part.identity], grace=5)
    assert part.process.wait(5) == -15


def test_a_process_that_has_ended_is_none(tmp_path: Path) -> None:
    part = spawn("short", ["true"], tmp_path / "log")
    wait(lambda: part.identity.process() is None, what="its end", timeout=5, interval=0.01)
    end([part.identity], grace=1)
    assert part.process.wait(5) == 0


def test_what_it_says_is_in_its_log(tmp_path: Path) -> None:
    part = spawn("talker", ["sh", "-c", "seq 1 40; echo the disk is full >&2"], tmp_path / "log")
    part.process.wait(5)
    assert tail(part.log, lines=2) == "40\nthe disk is full"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel does not end it")
def test_a_foreign_program_is_killed_with_its_parent(tmp_path: Path) -> None:
    """The registry knows nothing of lifelines: a killed supervisor must not leave it behind."""
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom fixtures.sandbox.processes import spawn\n"
        f"print(spawn('x', ['sleep', '100'], Path({str(tmp_path)!r}) / 'log').identity.pid, flush=True)\n"
        "time.sleep(100)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert not gone(child)
        parent.kill()
    wait(lambda: gone(child), what="its end", timeout=5, interval=0.01)


def test_all_children_go_when_the_lifeline_is_cut(tmp_path: Path) -> None:
    line = Lifeline()
    follower = (
        "import sys, time; from fixtures.sandbox.lifeline import follow; follow(int(sys.argv[2])); time.sleep(100)"
    )
    command = [sys.executable, "-c", follower]
    parts = [spawn(name, command, tmp_path / name, lifeline=line.child_end) for name in ("a", "b")]
    assert [part.process.poll() for part in parts] == [None, None]
    line.cut()
    line.cut()
    assert [part.process.wait(5) for part in parts] == [0, 0]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_the_owners_end_is_not_inherited(tmp_path: Path, program: Callable[[str, str], Path]) -> None:
    """If a child held the owner's end as well, no child would ever see it close."""
    line = Lifeline()
    part = spawn("ls", [str(program("ls-fds", "ls /proc/self/fd")), "x"], tmp_path / "log", lifeline=line.child_end)
    part.process.wait(5)
    inherited = {int(number) for number in tail(part.log).split()}
    assert line.child_end in inherited
    assert len(inherited - {0, 1, 2, line.child_end}) <= 1, "only the directory that ls reads"
    line.cut()
