"""Whole releases: how long, and how many bad answers, by our gates and by the rules of others."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.decision.peers import Rule, rules
from benchmarks.decision.report import Bar, Part, Table, bad, seconds, share
from benchmarks.decision.rollouts import OBJECTIVE_GATES, Ended, Service, ours, theirs
from benchmarks.decision.traffic import BURSTY, INDEPENDENT, Model
from checks.gate import Judge
from checks.verdict import Outcome
from ci.replay.judging import JUDGES

RATE, STABLE = 2000, 0.001
BAD = (0.02, 0.05, 0.2, 1.0)
# What the method was measured at before it was built: mean seconds and bad answers to the rollback.
_PLANNED = {0.02: (23, 58), 0.05: (3, 16), 0.2: (1, 21), 1.0: (1, 100)}
_FEWEST_BAD_ANSWERS = 120


def part(runs: int) -> Part:
    """Release many times.

    Args:
        runs: of each row.
    """
    found = Part()
    for each in (_beside_others(runs), _good(runs), _bursts(runs)):
        found.tables += each.tables
        found.bars += each.bars
    return found


def released(runs: int, model: Model, canary: float, gates: Mapping[str, type[Judge]] = OBJECTIVE_GATES) -> list[Ended]:
    """Release so many times by our gates.

    Args:
        runs: how many.
        model: how errors cluster.
        canary: its true error rate.
        gates: that decide.
    """
    return [ours(Service(model, RATE, canary, STABLE, seed), gates) for seed in range(runs)]


def _beside_others(runs: int) -> Part:
    """Roll back a bad canary, independent errors."""
    mine = [released(runs, INDEPENDENT, rate) for rate in BAD]
    rows = [["**Sluicegate**, 5/25/50/100", *map(_back, mine), _promoted(released(runs, INDEPENDENT, 0.01))]]
    for rule in rules():
        at = [_theirs(runs, rule, rate) for rate in (*BAD, 0.01)]
        steps = "/".join(map(str, rule.weights))
        rows.append([f"{rule.name}, {steps}", *map(_back, at[:-1]), _promoted(at[-1])])
    heads = ["seconds / bad answers to rollback", *(f"{100 * rate:g} % errors" for rate in BAD), "at 1 % promoted"]
    bars = [bar for rate, ended in zip(BAD, mine, strict=True) for bar in _row(rate, ended)]
    return Part([Table("rollback", heads, rows)], bars)


def _theirs(runs: int, rule: Rule, rate: float) -> list[Ended]:
    return [theirs(Service(INDEPENDENT, RATE, rate, STABLE, seed), rule) for seed in range(runs)]


def _row(rate: float, ended: Sequence[Ended]) -> list[Bar]:
    """Hold a row against what was planned, a fifth more at most; a look is a second."""
    took, served = _PLANNED[rate]
    which = f"{100 * rate:g} % errors"
    bars = [
        Bar(4, f"mean seconds to rollback, {which}", seconds(ended, Outcome.FAIL).mean(), 1.2 * took, " s"),
        Bar(4, f"mean bad answers to rollback, {which}", bad(ended, Outcome.FAIL), 1.2 * served),
    ]
    if rate == 1:
        bars.append(Bar(4, "mean bad answers, all bad, 2000 req/s", bad(ended, Outcome.FAIL), _FEWEST_BAD_ANSWERS))
    return bars


def _good(runs: int) -> Part:
    """Promote a good canary, independent errors."""
    rows, bars = [], []
    for gates, names, rates in (
        (OBJECTIVE_GATES, "error rate, latency", (0.001, 0.003, 0.005)),
        (JUDGES, "and against stable", (0.001, 0.003)),
    ):
        for rate in rates:
            ended = released(runs, INDEPENDENT, rate, gates)
            took, promoted = seconds(ended, Outcome.PASS), share(ended, Outcome.PASS)
            what = f"{100 * rate:g} %, {names}"
            rows.append([what, f"{promoted:.1f} %", f"{took.mean():.0f}", f"{np.quantile(took, 0.99):.0f}"])
            bars.append(Bar(5, f"promoted, {what}", promoted, 99.5, " %", least=True))
            bars.append(Bar(5, f"mean seconds to promote, {what}", took.mean(), 300, " s"))
    heads = ["true error rate, gates", "promoted", "seconds, mean", "seconds, 99 of 100"]
    return Part([Table("promoted", heads, rows)], bars)


def _bursts(runs: int) -> Part:
    """Release under bursts."""
    rows, found = [], {}
    for rate in (0.001, 0.003, *BAD):
        found[rate] = ended = released(runs, BURSTY, rate)
        rows.append([f"{100 * rate:g} %", *(_ended(ended, outcome) for outcome in Outcome)])
    heads = ["bursty, true error rate", "promoted, mean s", "rolled back, median s, bad answers", "undecided"]
    good, worse, bad_ones = found[0.001], found[0.02], found[0.05]
    bars = [
        Bar(6, "promoted, 0.1 %", share(good, Outcome.PASS), 95, " %", least=True),
        Bar(6, "mean minutes to promote, 0.1 %", seconds(good, Outcome.PASS).mean() / 60, 20, " min"),
        Bar(6, "rolled back, 5 %", share(bad_ones, Outcome.FAIL), 95, " %", least=True),
        Bar(6, "median seconds to rollback, 5 %", float(np.median(seconds(bad_ones, Outcome.FAIL))), 220, " s"),
        Bar(6, "promoted, 2 %", share(worse, Outcome.PASS), 0, " %"),
    ]
    return Part([Table("bursts", heads, rows)], bars)


def _back(ended: Sequence[Ended]) -> str:
    took = seconds(ended, Outcome.FAIL)
    return f"{took.mean():,.0f} / {bad(ended, Outcome.FAIL):,.0f}" if len(took) else "never"


def _promoted(ended: Sequence[Ended]) -> str:
    return f"{share(ended, Outcome.PASS):.0f} %"


def _ended(ended: Sequence[Ended], outcome: Outcome) -> str:
    took = seconds(ended, outcome)
    told = f"{share(ended, outcome):.1f} %"
    if not len(took) or outcome is Outcome.INCONCLUSIVE:
        return told
    if outcome is Outcome.PASS:
        return f"{told}, {took.mean():,.0f}"
    return f"{told}, {np.median(took):.0f}, {bad(ended, outcome):,.0f}"
