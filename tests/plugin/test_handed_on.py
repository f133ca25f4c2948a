"""What preflight has found, and what a person has said, reaches the gates of the next run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from checks.history import Clumping, Dispersion

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "rebate-core" / "release.yaml"
FOUND = Clumping(0.002, Dispersion(0.002, 3000, 4.0, 3.5, 30), (None,), 30)
SCENARIO = """
from fixtures.surroundings import terms

def test_it(subject):
    release = subject.release.model_copy(update={"group": "auto"})
    assert terms(release, 50, "", subject.clumping).group == GROUP
    assert subject.despite == "ana@laptop: hotfix"
"""


def run(folder: Path, group: float, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "scenario.py").write_text(SCENARIO.replace("GROUP", str(group)))
    words = ["-p", "fixtures.plugin", "-p", "no:cacheprovider", "--release", EXAMPLE, "--target", "somewhere", *options]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "scenario.py", *words, "--despite", "ana@laptop: hotfix"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("group", "options"), [(8.5, ["--clumping", json.dumps(FOUND.as_json())]), (5.0, [])])
def test_a_run_is_told_and_without_that_groups_are_of_five(tmp_path: Path, group: float, options: list[str]) -> None:
    """At 50 % the objective allows 2.5 times the errors that all of stable had: 1 + 2.5 (phi - 1)."""
    done = run(tmp_path, group, *options)
    assert done.returncode == 0, done.stdout
