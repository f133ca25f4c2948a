"""How the tests themselves are run: xdist keeps groups together, and what is not tested is said once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.xdist_group("kept-together")
def test_a_group_is_part_of_the_id_by_which_xdist_schedules(request: pytest.FixtureRequest) -> None:
    grouped = bool(request.config.getoption("loadgroup", default=False))
    assert request.node.nodeid.endswith("@kept-together") is grouped


def test_what_is_not_tested_for_want_of_a_real_part_is_said_once() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract/api/test_recorded.py"]
    named = {name: value for name, value in os.environ.items() if not name.startswith("SLUICEGATE_")}
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, env=named, capture_output=True, text=True, timeout=60, check=False)
    said = [line for line in done.stdout.splitlines() if "NO REAL" in line]
    assert len(said) == 1, done.stdout
    assert said[0].startswith("3 tests skipped: NO REAL CONTROL PLANES: ")
