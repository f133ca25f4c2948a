"""Whole releases on one sandbox, one after the other, for what is measured live."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from fixtures.arranged import EXAMPLE
from fixtures.sandbox import up
from fixtures.sandbox.real.choice import Real

Event = dict[str, Any]


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
    events: Sequence[Event]

    def one(self, kind: str) -> Event:
        """Give the event of a kind that comes once; empty when it did not come."""
        return next((event for event in self.events if event["kind"] == kind), {})


@dataclass(frozen=True)
class Live:
    """A sandbox under load, and a release file that is the example's but for a few keys.

    Attributes:
        sandbox: that runs.
        folder: for reports.
        release: the file.
        target: on which releases run; the sandbox's own, or a faulty way to it.
    """

    sandbox: up.Sandbox
    folder: Path
    release: Path
    target: str

    def image(self, tag: str) -> str:
        """Give the reference of an image of the sandbox's."""
        return str(self.sandbox.info["images"][tag])

    def words(self, *words: str) -> list[str]:
        """Write a command line of ours, as a person types it."""
        return [sys.executable, "-m", "ci.rollout", *words, "--target", self.target]

    def releasing(self, image: str, name: str) -> list[str]:
        """Write the command line that releases an image; evidence goes into the folder of that name."""
        where = ["--reports", str(self.folder / name), "--json"]
        return self.words("run", str(self.release), "--image", self.image(image), *where)

    def run(self, image: str, name: str, hear: Callable[[Event], None] = lambda _: None) -> Released:
        """Release an image of the sandbox's, and read what is said of it; ``hear`` is told of each event."""
        command = self.releasing(image, name)
        events, said = [], []
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            assert process.stdout
            for line in process.stdout:
                said.append(line)
                if line.startswith("{"):
                    events.append(json.loads(line))
                    hear(events[-1])
        return Released(process.returncode, "".join(said), self.folder / name / "journal.jsonl", events)


@contextmanager
def live(rate: float, real: frozenset[Real] = frozenset(), **changes: Any) -> Iterator[Live]:
    """Start a sandbox, and end it.

    Args:
        rate: requests a second.
        real: control planes that are not stood in for.
        **changes: of the example's release file.
    """
    with TemporaryDirectory() as folder, up.start(Path(folder) / "sandbox", rate=rate, real=real) as sandbox:
        release = Path(folder) / "release.yaml"
        release.write_text(yaml.safe_dump(yaml.safe_load(EXAMPLE.read_text()) | {"gates": [], **changes}))
        yield Live(sandbox, Path(folder), release, f"sandbox:{sandbox.state}")
