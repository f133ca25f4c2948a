"""Ctrl-C goes to all processes of a terminal: to the driver, which brakes, and not to the Git that is pushing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from fixtures.waiting import wait

ROOT = Path(__file__).parents[2]
SLOW = """#!/bin/sh
touch "$GIT_DIR/pushing"
while [ ! -e "$GIT_DIR/braked" ]; do sleep 0.02; done
"""
DRIVER = """
import sys
from pathlib import Path
from ci.brake import Brake
from fixtures.git import GitOps

bare = Path(sys.argv[1])
with Brake(lambda name: (bare / "braked").touch()) as brake:
    gitops = GitOps(f"file://{bare}", ".", bare.parent / "work", files=True)
    commit = gitops.commit_and_push(lambda files: {"image.yaml": "new\\n"}, "a new image")
    print(brake.pulled, commit)
"""


def git(*words: str) -> str:
    who = ["-c", "user.name=ana", "-c", "user.email=ana@example.com"]
    return subprocess.run(["git", *who, *words], check=True, capture_output=True, text=True, timeout=30).stdout.strip()


def repository(folder: Path) -> Path:
    """A bare repository whose pushes wait until the brake has been pulled."""
    bare, work = folder / "remote.git", folder / "person"
    git("init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    git("clone", "--quiet", str(bare), str(work))
    (work / "image.yaml").write_text("old\n")
    git("-C", str(work), "add", "--all")
    git("-C", str(work), "commit", "--quiet", "-m", "begin")
    git("-C", str(work), "push", "--quiet", "origin", "HEAD:main")
    hook = bare / "hooks" / "pre-receive"
    hook.write_text(SLOW)
    hook.chmod(0o755)
    return bare


def test_a_push_that_is_on_its_way_arrives_and_its_driver_knows(tmp_path: Path) -> None:
    bare = repository(tmp_path)
    words = [sys.executable, "-c", DRIVER, str(bare)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True) as driver:
        wait((bare / "pushing").exists, what="the push", timeout=30, interval=0.02)
        os.killpg(driver.pid, signal.SIGINT)
        said, _ = driver.communicate(timeout=30)
    assert driver.returncode == 0
    assert said.split() == ["SIGINT", git("-C", str(bare), "rev-parse", "main")]
    assert git("-C", str(bare), "show", "main:image.yaml") == "new"
