"""Error probabilities without chance: every path of bad requests, by dynamic programming.

Requests fail independently at exactly the objective. After every single one the evidence is looked at; what has reached
the threshold is lost. Groups of five that share one fate, judged with b = 5, are the same walk five times as long.
"""

import numpy as np

from benchmarks.decision.report import Bar, Part, Table
from benchmarks.decision.traffic import Numbers
from checks.sequential import ABOVE, BELOW, Mixture

_MOST_BAD = 400


def part(requests: int) -> Part:
    """Compute how often evidence of either kind is ever enough.

    Args:
        requests: that are looked at, each.
    """
    passed = ever(BELOW, 100, requests)
    failed = ever(ABOVE, 400, requests)
    rows = [
        ["PASS, evidence 100", "1 %", f"{100 * passed:.2f} %"],
        ["FAIL, evidence 400, from the start", "0.25 %", f"{100 * failed:.2f} %"],
    ]
    heads = ["objective 1 %, true rate 1 %", "promised", f"exact, {requests:,} groups, a look after each"]
    bars = [
        Bar(1, "ever PASS, exact; also groups of 5 with b = 5", 100 * passed, 1, " %"),
        Bar(1, "ever FAIL, exact; also groups of 5 with b = 5", 100 * failed, 0.25, " %"),
    ]
    return Part([Table("exact", heads, rows)], bars)


def ever(mixture: Mixture, threshold: float, requests: int, rate: float = 0.01) -> float:
    """Give the probability that the evidence ever reaches a threshold.

    Args:
        mixture: of the evidence.
        threshold: that decides.
        requests: that are looked at, each.
        rate: the null rate and the true one.
    """
    alive, lost = np.zeros(_MOST_BAD), 0.0
    alive[0] = 1.0
    for first in range(1, requests + 1, 500):
        for reached in _reached(
            mixture, threshold, rate, np.arange(first, min(first + 500, requests + 1), dtype=float)
        ):
            alive[1:] = alive[1:] * (1 - rate) + alive[:-1] * rate
            alive[0] *= 1 - rate
            lost += alive[reached].sum()
            alive[reached] = 0
    return float(lost)


def _reached(mixture: Mixture, threshold: float, rate: float, requests: Numbers) -> np.ndarray:
    """Say for each number of requests and of bad ones whether the evidence is enough."""
    odds, weights = np.array(mixture).T[:, :, None, None]
    bad = np.arange(_MOST_BAD)
    logs = bad * np.log(odds) - requests[:, None] * np.log1p(rate * (odds - 1)) + np.log(weights)
    top = logs.max(0)
    return np.asarray(top + np.log(np.exp(logs - top).sum(0)) >= np.log(threshold))
