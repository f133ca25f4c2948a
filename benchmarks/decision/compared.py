"""The gate against stable alone, at weight 5 and 2000 requests a second: time to decide, and false verdicts."""

import numpy as np

from benchmarks.decision.peers import Kayenta
from benchmarks.decision.report import Bar, Part, Table, seconds, share
from benchmarks.decision.rollouts import Ended, Service, ours, theirs
from benchmarks.decision.traffic import BURSTY, INDEPENDENT, UNSEEN
from checks.verdict import Outcome
from ci.replay.judging import JUDGES

_GATE = {"error_rate_against_stable": JUDGES["error_rate_against_stable"]}
_AT_THE_MARGIN = ((0.006, 0.001), (0.01, 0.005))  # canary and stable: what is shown is false
_TRUE = ((0.001, 0.001), (0.003, 0.001), (0.01, 0.001), (0.02, 0.001), (0.05, 0.001))


def part(runs: int) -> Part:
    """Compare.

    Args:
        runs: of each row.
    """
    rows, bars = [], []
    for canary, stable in (*_TRUE, *_AT_THE_MARGIN):
        cells = []
        for model in (INDEPENDENT, BURSTY, UNSEEN[0]):
            ended = [ours(Service(model, 2000, canary, stable, seed), _GATE, steps=(5,)) for seed in range(runs)]
            cells.append(_cell(ended))
            if (canary, stable) in _AT_THE_MARGIN:
                where = f"against stable, {100 * canary:g} % and {100 * stable:g} %, {model.name}"
                bars.append(Bar(2, f"false PASS, {where}", share(ended, Outcome.PASS), 1, " %"))
                bars.append(Bar(2, f"false FAIL, {where}", share(ended, Outcome.FAIL), 0.5, " %"))
        rows.append([f"{100 * canary:g} % and {100 * stable:g} %", *cells])
    heads = ["canary and stable", "independent", "bursty", UNSEEN[0].name]
    return Part([Table("compared", heads, rows), _kayenta(runs)], bars)


def _cell(ended: list[Ended]) -> str:
    told = [
        f"{outcome.value} {share(ended, outcome):.1f} %, median {np.median(seconds(ended, outcome)):.0f} s"
        for outcome in (Outcome.PASS, Outcome.FAIL)
        if len(seconds(ended, outcome))
    ]
    return "; ".join(told) or "undecided"


def _kayenta(runs: int) -> Table:
    """Show what Mann-Whitney on ten minutes sees of little traffic."""
    rows = []
    for canary in (0.001, 0.02, 0.05):
        rule = Kayenta("Kayenta", weights=(5,))
        ended = [theirs(Service(INDEPENDENT, 20, canary, 0.001, seed), rule) for seed in range(runs)]
        rows.append(
            [f"{100 * canary:g} %", f"{share(ended, Outcome.PASS):.0f} %", f"{share(ended, Outcome.FAIL):.0f} %"]
        )
    return Table("kayenta", ["20 req/s, ten points; canary, stable has 0.1 %", "passes", "fails"], rows)
