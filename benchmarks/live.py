"""Whole releases on one sandbox, one after the other, for what is measured live."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from fixtures.arranged import EXAMPLE
from fixtures.sandbox import up


@dataclass(frozen=True)
class Released:
    """How one release went.

    Attributes:
        exit_code: of ``sluicegate run``.
        said: what it printed.
        journal: its file.
        events: that are in it.
    """

    exit_code: int
    said: str
    journal: Path
    events: Sequence[dict[str, Any]]

    def one(self, kind: str) -> dict[str, Any]:
        """Give the event of a kind that comes once; empty when it did not come."""
        return next((event for event in self.events if event["kind"] == kind), {})


@dataclass(frozen=True)
class Live:
    """A sandbox under load, and a release file that is the example's but for a few keys."""

    sandbox: up.Sandbox
    folder: Path
    release: Path

    def run(self, image: str, name: str) -> Released:
        """Release an image of the sandbox's, and read what the journal says of it."""
        reports = self.folder / name
        target, reference = f"sandbox:{self.sandbox.state}", self.sandbox.info["images"][image]
        words = [str(self.release), "--image", reference, "--target", target, "--reports", str(reports)]
        command = [sys.executable, "-m", "ci.rollout", "run", *words]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        journal = reports / "journal.jsonl"
        return Released(done.returncode, done.stdout, journal, [json.loads(line) for line in journal.open()])


@contextmanager
def live(rate: float, **changes: Any) -> Iterator[Live]:
    """Start a sandbox, and end it.

    Args:
        rate: requests a second.
        **changes: of the example's release file.
    """
    with TemporaryDirectory() as folder, up.start(Path(folder) / "sandbox", rate=rate) as sandbox:
        release = Path(folder) / "release.yaml"
        release.write_text(yaml.safe_dump(yaml.safe_load(EXAMPLE.read_text()) | {"gates": [], **changes}))
        yield Live(sandbox, Path(folder), release)
