"""Forty metrics with nothing wrong, looked at 300 times: how often is there any alarm?"""

import numpy as np

from benchmarks.decision.report import Bar, Part, Table
from benchmarks.decision.traffic import Numbers
from checks.ebh import singled_out
from checks.sequential import ABOVE

_METRICS, _LOOKS, _REQUESTS, _RATE, _ERROR = 40, 300, 20, 0.01, 0.05


def part(runs: int) -> Part:
    """Look.

    Args:
        runs: how many.
    """
    random = np.random.default_rng(8)
    alarms = np.zeros((runs, 3), bool)
    for run in range(runs):
        bad = random.binomial(_REQUESTS, _RATE, (_LOOKS, _METRICS)).cumsum(0)
        alarms[run] = _alarms(_evidence(bad), _p_values(bad))
    ebh, alone, classical = 100 * alarms.mean(0)
    rows = [
        ["e-BH, 5 %", f"{ebh:.1f} %"],
        ["each by itself, evidence 20", f"{alone:.0f} %"],
        ["Benjamini-Hochberg on p-values, 5 %", f"{classical:.0f} %"],
    ]
    bars = [Bar(9, "e-BH: any alarm among 40 good metrics", ebh, 5, " %")]
    return Part([Table("many", [f"{_METRICS} good metrics, {_LOOKS} looks", "any alarm"], rows)], bars)


def _alarms(evidence: Numbers, p_values: Numbers) -> tuple[bool, bool, bool]:
    at_risk = evidence[evidence.max(1) >= _METRICS / _ERROR / _METRICS]  # below that e-BH can take none
    ebh = any(singled_out(dict(enumerate(look)), _ERROR) for look in at_risk)  # type: ignore[arg-type]
    steps = np.arange(1, _METRICS + 1) * _ERROR / _METRICS
    return ebh, bool((evidence >= 1 / _ERROR).any()), bool((np.sort(p_values, 1) <= steps).any())


def _evidence(bad: Numbers) -> Numbers:
    odds, weights = np.array(ABOVE).T[:, :, None, None]
    requests = (np.arange(_LOOKS) + 1)[:, None] * _REQUESTS
    logs = bad * np.log(odds) - requests * np.log1p(_RATE * (odds - 1)) + np.log(weights)
    return np.asarray(np.exp(logs).sum(0))


def _p_values(bad: Numbers) -> Numbers:
    """Give exact one-sided p-values: the probability of so many bad ones or more."""
    found = np.ones(bad.shape)
    for look in range(_LOOKS):
        requests, most = (look + 1) * _REQUESTS, int(bad[look].max())
        chances = np.empty(most + 1)
        chances[0] = (1 - _RATE) ** requests
        for number in range(1, most + 1):
            chances[number] = chances[number - 1] * (requests - number + 1) / number * _RATE / (1 - _RATE)
        found[look] = 1 - np.concatenate([[0.0], chances.cumsum()])[bad[look]]
    return found
