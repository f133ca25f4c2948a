"""The driver in a faulty world, by the seed: no judge finds anything. ``make simulate`` runs many more.

A seed that fails here is told by ``python -m benchmarks.simulation --seed N``.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.simulation.judges import judged
from benchmarks.simulation.plan import draw
from benchmarks.simulation.simulation import History, simulate

SEEDS, AT_ONCE = 2000, 250


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_whatever_goes_wrong_no_promise_is_broken(first: int) -> None:
    found = {seed: wrong for seed in range(first, first + AT_ONCE) if (wrong := judged(simulate(draw(seed))))}
    assert not found, "\n".join(
        f"python -m benchmarks.simulation --seed {seed}: {wrong}" for seed, wrong in found.items()
    )


def log(history: History) -> list[tuple[float, str, str, str]]:
    written = [(write.at, write.who, write.verb, write.name) for write in history.store.writes]
    return written + [(at, who, "tells", type(event).__name__) for at, who, event in history.events]


@pytest.mark.parametrize("seed", [3, 28, 947])
def test_a_seed_is_always_the_same_history(seed: int) -> None:
    one, other = simulate(draw(seed)), simulate(draw(seed))
    assert log(one) == log(other)
    assert [type(event).__name__ for _, _, event in one.events] == [
        type(event).__name__ for _, _, event in other.events
    ]


def test_a_seed_is_told_by_one_command() -> None:
    root = Path(__file__).parents[2]
    words = [sys.executable, "-m", "benchmarks.simulation", "--seed", "3"]
    told = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=60, check=True).stdout
    assert told.endswith("nothing is violated\n")
    assert "PLAN seed: 3" in told
