"""The picture: bad answers that a canary serves until it is taken back, by how bad it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from benchmarks.decision.peers import rules
from benchmarks.decision.releases import RATE, STABLE, released
from benchmarks.decision.report import bad
from benchmarks.decision.rollouts import Service, theirs
from benchmarks.decision.traffic import INDEPENDENT
from checks.verdict import Outcome

_RATES = (0.015, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0)


def measured(runs: int) -> Mapping[str, Sequence[float]]:
    """Give the bad answers of each rule, for each rate.

    Args:
        runs: of each point.
    """
    found = {"Sluicegate 5/25/50/100": [bad(released(runs, INDEPENDENT, rate), Outcome.FAIL) for rate in _RATES]}
    for rule in rules()[1:]:
        services = [[Service(INDEPENDENT, RATE, rate, STABLE, seed) for seed in range(runs)] for rate in _RATES]
        found[rule.name] = [bad([theirs(each, rule) for each in some], Outcome.FAIL) for some in services]
    return found


def draw(points: Mapping[str, Sequence[float]], path: Path) -> None:
    """Draw them.

    Args:
        points: of ``measured``.
        path: of the SVG file.
    """
    mpl.rcParams.update(
        {"svg.hashsalt": "sluicegate", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    figure, axes = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
    for name, answers in points.items():
        ours = name.startswith("Sluicegate")
        axes.loglog(
            100 * np.array(_RATES), answers, marker="o", markersize=3, linewidth=2.5 if ours else 1.2, label=name
        )
    axes.set_xlabel("the canary's true error rate, % (objective: 1 %)")
    axes.set_ylabel("bad answers until the rollback")
    axes.set_title("2,000 requests a second, independent errors", loc="left")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
