"""An API server alone, and a faulty way to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.robustness.proxy import FaultyApi
from fixtures.sandbox.files import read_json, write_json
from fixtures.sandbox.lifeline import Lifeline
from fixtures.sandbox.processes import module, spawn
from fixtures.waiting import wait


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sandbox's folder of which the API server runs, and nothing else."""
    folder, line = tmp_path_factory.mktemp("api"), Lifeline()
    command = module("fixtures.sandbox.api", "--state", str(folder))
    part = spawn("api", command, folder / "api.log", lifeline=line.child_end)
    wait(lambda: read_json(folder / "api.json"), what="the API server", timeout=20)
    nowhere = {"rewrites": {}, "envoy_admin": "http://127.0.0.1:1", "envoy_access_log": "/dev/null"}
    write_json(folder / "sandbox.json", nowhere)
    yield folder
    line.cut()
    part.process.wait(10)


@pytest.fixture
def api(state: Path, tmp_path: Path) -> Iterator[FaultyApi]:
    with FaultyApi(state, tmp_path / "faulty") as proxy:
        yield proxy
