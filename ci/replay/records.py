"""Records as JSON Lines: the runs of a file, each judged in one of several processes.

The lines of many runs may be mixed. A first pass only finds out whose line is whose and remembers its place, so that
files larger than the memory can be judged.
"""

import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from checks.history import History
from ci.replay.judging import JUDGES, Replay
from ci.replay.objectives import Objectives
from fixtures.errors import InputError
from fixtures.recording import Recorded

_RUN_FIRST = re.compile(rb'\s*\{\s*"run"\s*:\s*("[^"\\]*"|-?[0-9]+)\s*,')
_FEW = 2_000  # lines that are judged faster than a second process is started


@dataclass
class Lines:
    """Where the lines of one run are.

    Attributes:
        run: its name.
        places: offset, length and first line number of each stretch of neighbouring lines.
        count: of lines.
    """

    run: object
    places: list[tuple[int, int, int]] = field(default_factory=list)
    count: int = 0

    def add(self, offset: int, length: int, number: int) -> None:
        """Remember a line.

        Args:
            offset: of its first byte.
            length: with its end.
            number: from 1.
        """
        self.count += 1
        if self.places and sum(self.places[-1][:2]) == offset:
            begin, size, first = self.places[-1]
            self.places[-1] = (begin, size + length, first)
        else:
            self.places.append((offset, length, number))

    def read(self, path: Path) -> Iterator[tuple[int, bytes]]:
        """Give number and text of each line.

        Args:
            path: the file.
        """
        with path.open("rb") as file:
            for offset, length, first in self.places:
                file.seek(offset)
                yield from enumerate(file.read(length).splitlines(), first)


def index(path: Path) -> list[Lines]:
    """Find the runs of a file, in the order of their first lines.

    Args:
        path: the file.

    Raises:
        InputError: when it can not be read, or a line is no JSON object.
    """
    runs: dict[object, Lines] = {}
    offset = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.isspace():
                    run = _run_of(line, f"{path}:{number}")
                    runs.setdefault(run, Lines(run)).add(offset, len(line), number)
                offset += len(line)
    except OSError as error:
        raise InputError(f"the record can not be read: {error.strerror}", str(path)) from error
    if not runs:
        raise InputError("the record is empty", str(path), "a line is a look: see sluicegate replay --help")
    return list(runs.values())


def _run_of(line: bytes, where: str) -> object:
    found = _RUN_FIRST.match(line)
    run = json.loads(found[1]) if found else _parsed(line, where).get("run", "")
    if not isinstance(run, str | int):
        raise InputError(f"run is {json.dumps(run)}", where, "write a name or a number")
    return run


def _parsed(line: bytes, where: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise InputError(f"this is no JSON: {error}", where) from error
    if not isinstance(found, dict):
        raise InputError("this is no JSON object", where)
    return found


def judge(path: Path, objectives: Objectives, lines: Lines) -> dict[str, Any]:
    """Judge one run.

    Args:
        path: the file.
        objectives: what it is judged by.
        lines: where its lines are.

    Raises:
        InputError: when a line is no look.
    """
    texts = [(number, text) for number, text in lines.read(path) if text.strip()]
    looks = [(number, _parsed(text, f"{path}:{number}")) for number, text in texts]
    weights = {look["weight"] for _, look in looks if isinstance(look.get("weight"), int | float)} - {0}
    terms = objectives.judged_by(weights=len(weights), tells_time=any(b'"slow"' in text for _, text in texts))
    judges = {name: each for name, each in JUDGES.items() if name != "latency" or terms.latency}
    recorded, replay, history, weight = Recorded(), Replay(lines.run), History(), 0.0
    for number, line in looks:
        look = recorded.look(line, f"{path}:{number}")
        if look is None:
            continue
        if look.weight != weight and look.weight > 0:
            weight = look.weight
            replay.begin(objectives.at(weight, terms, history), judges)
        if weight == 0:
            history.add(look.tick)
        elif look.weight == weight:
            replay.look(look)
    return replay.outcome()


def judged(path: Path, runs: list[Lines], objectives: Objectives) -> Iterator[dict[str, Any]]:
    """Judge all runs of a file.

    Args:
        path: the file.
        runs: its runs.
        objectives: what they are judged by.

    Yields:
        Their outcomes, in the order of the runs.
    """
    one = partial(judge, path, objectives)
    processes = min(len(os.sched_getaffinity(0)), len(runs))
    if processes == 1 or sum(lines.count for lines in runs) <= _FEW:
        yield from map(one, runs)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(one, runs, chunksize=max(1, min(16, len(runs) // (4 * processes))))
