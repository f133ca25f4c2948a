"""Recorded runs, made: cumulative counters per pod, a line a second."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ci.replay.command import replay

Line = dict[str, Any]
Made = Callable[..., Iterator[Line]]


def _made(
    stretches: list[tuple[int, float, float]], *, rate: int = 2000, slow: float = 0.0, stable: float = 0.001
) -> Iterator[Line]:
    totals, t = {"canary": [0, 0, 0], "stable": [0, 0, 0]}, 0
    for seconds, weight, error_rate in stretches:
        for _ in range(seconds):
            t += 1
            canary = round(rate * weight / 100)
            for side, requests, bad in (("canary", canary, error_rate), ("stable", rate - canary, stable)):
                errors = sum(random.random() < bad for _ in range(requests))
                more = (requests, errors, int(requests * slow))
                totals[side] = [a + b for a, b in zip(totals[side], more, strict=True)]
            sides = {s: [{"pod": s, "requests": n, "errors": x, "slow": y}] for s, (n, x, y) in totals.items()}
            yield {"t": float(t), "weight": weight, **sides}


@pytest.fixture
def made() -> Made:
    """Makes the lines of a run: for each (seconds, weight, error rate of the canary)."""
    random.seed(7)
    return _made


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines into a file; the lines of several runs are mixed."""

    def write(lines: Iterator[Line] | list[Line], **runs: Iterator[Line]) -> Path:
        mixed = [
            {"run": name, **line}
            for several in zip(*runs.values(), strict=False)
            for name, line in zip(runs, several, strict=True)
        ]
        path = tmp_path / "runs.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, *mixed]))
        return path

    return write


@pytest.fixture
def replayed() -> Callable[..., list[dict[str, Any]]]:
    """Runs the command, and gives what it says as JSON."""

    def run(file: Path, release: Path | None = None, **options: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in replay(file, as_json=True, release=release, options=options)]

    return run
