"""A thousand recorded runs through ``sluicegate replay``, as anyone would check it: its verdicts, and its time."""

import json
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.decision.report import Bar, Part, Table
from benchmarks.decision.traffic import INDEPENDENT, counts

_SECONDS, _PODS = 600, 4


def part(runs: int) -> Part:
    """Write the runs, and replay them.

    Args:
        runs: how many, each of 600 looks.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.jsonl"
        write(path, runs)
        before = _spent()
        command = [sys.executable, "-m", "ci.rollout", "replay", str(path), "--json", "--group", "1"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        took = _spent() - before
    found = [json.loads(line) for line in done.stdout.splitlines()]
    verdicts = {gate: Counter(each["gates"][gate]["verdict"] for each in found) for gate in found[0]["gates"]}
    rows = [
        [gate, *(f"{100 * said[verdict] / runs:.2f} %" for verdict in ("PASS", "FAIL", "INCONCLUSIVE"))]
        for gate, said in verdicts.items()
    ]
    bars = [
        Bar(
            2,
            "false PASS of the error rate, through files and the command",
            100 * verdicts["error_rate"]["PASS"] / runs,
            1,
            " %",
        ),
        Bar(
            2,
            "false FAIL of the error rate, through files and the command",
            100 * verdicts["error_rate"]["FAIL"] / runs,
            0.25,
            " %",
        ),
        Bar(8, "processor time of a replay, 1,000 runs of 600 looks, all gates", took * 1000 / runs, 200, " s"),
    ]
    return Part(
        [Table("recorded", ["gate; canary 1 %, stable 0.1 %, 2000 req/s", "PASS", "FAIL", "INCONCLUSIVE"], rows)], bars
    )


def _spent() -> float:
    """Give the processor's time of all processes that were started from here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def write(path: Path, runs: int) -> None:
    """Write runs of a canary at its objective, 1 %.

    Args:
        path: the file.
        runs: how many.
    """
    random = np.random.default_rng(9)
    with path.open("w") as file:
        for run in range(runs):
            sides = {"canary": _side(random, 100, 0.01), "stable": _side(random, 1900, 0.001)}
            for second in range(_SECONDS):
                pods = {
                    side: [_pod(name, pod[second]) for name, pod in enumerate(many)] for side, many in sides.items()
                }
                file.write(json.dumps({"run": run, "t": second + 1, "weight": 5, **pods}) + "\n")


def _side(random: np.random.Generator, per_second: float, rate: float) -> list[list[list[int]]]:
    """Give cumulative requests, errors and slow answers of each pod, second by second."""
    ones = INDEPENDENT.multipliers(random, _SECONDS, _PODS)
    requests, bad = counts(random, INDEPENDENT, per_second / _PODS, rate, ones)
    slow = random.binomial(requests.astype(int), 0.001)
    columns = np.stack([requests, bad, slow]).cumsum(1).astype(int)
    return [columns[:, :, pod].T.tolist() for pod in range(_PODS)]


def _pod(name: int, counted: list[int]) -> dict[str, int | str]:
    requests, errors, slow = counted
    return {"pod": f"p-{name}", "requests": requests, "errors": errors, "slow": slow}
