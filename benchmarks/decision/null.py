"""A canary whose true rate is exactly the objective: every PASS and every FAIL is false."""

from collections.abc import Callable

import numpy as np

from benchmarks.decision import vectorised
from benchmarks.decision.peers import Rule, Seen, rules
from benchmarks.decision.report import Bar, Part, Table
from benchmarks.decision.traffic import BURSTY, INCIDENTS, INDEPENDENT, UNSEEN, Model, Pair, Random, counts, history

OBJECTIVE, STABLE, SHARE, SECONDS = 0.01, 0.001, 0.05, 600
_AT_ONCE = 2500  # runs
Decide = Callable[[Random, Model, float, Pair], Pair]


def part(runs: int) -> Part:
    """Count false verdicts.

    Args:
        runs: of each row.
    """
    columns = [(INDEPENDENT, 20), (INDEPENDENT, 200), (INDEPENDENT, 2000), (BURSTY, 200), (BURSTY, 2000)]
    deciders: dict[str, Decide] = {
        "**Sluicegate**": by_history,
        "Sluicegate with group 1, no soak": alone,
        **{rule.name: _by(rule) for rule in rules()},
    }
    found = {name: [rates(decide, model, rate, runs) for model, rate in columns] for name, decide in deciders.items()}
    heads = ["rule, false PASS / false FAIL in %", *(f"{model.name}, {rate} req/s" for model, rate in columns)]
    table = Table("null", heads, [[name, *map(_told, row)] for name, row in found.items()])
    unseen, bars = _unseen(runs)
    return Part([table, unseen], [*_bars(columns, found["**Sluicegate**"]), *bars])


def _bars(columns: list[tuple[Model, int]], ours: list[tuple[float, float]]) -> list[Bar]:
    bars = []
    for (model, rate), (passed, failed) in zip(columns, ours, strict=True):
        where = f"{model.name}, {rate} req/s"
        bars.append(Bar(2, f"false PASS, {where}", passed, 1, " %"))
        bars.append(Bar(2, f"false FAIL, {where}", failed, 0.25 if model is INDEPENDENT else 0.5, " %"))
    return bars


def _unseen(runs: int) -> tuple[Table, list[Bar]]:
    """Look at bursts that the method was not tuned on."""
    rows, bars = [], []
    for model in (*UNSEEN, INCIDENTS):
        found = [rates(by_history, model, rate, runs) for rate in (200, 2000)]
        rows.append([model.name, *map(_told, found)])
        if model is not INCIDENTS:
            bars.append(Bar(2, f"false PASS, {model.name}", max(passed for passed, _ in found), 1, " %"))
            bars.append(Bar(2, f"false FAIL, {model.name}", max(failed for _, failed in found), 0.5, " %"))
    return Table("unseen", ["bursts, false PASS / false FAIL in %", "200 req/s", "2000 req/s"], rows), bars


def rates(decide: Decide, model: Model, per_second: float, runs: int) -> tuple[float, float]:
    """Give how many percent of runs pass and fail.

    Args:
        decide: the rule.
        model: how errors cluster.
        per_second: requests to both versions.
        runs: how many.
    """
    outcomes = np.zeros(2)
    for first in range(0, runs, _AT_ONCE):
        many = min(_AT_ONCE, runs - first)
        random = np.random.default_rng([2024, first, int(per_second)])
        past = history(random, model, per_second, STABLE, many)
        passed, failed = decide(random, model, per_second, past)
        outcomes += (passed < failed).sum(), (failed < passed).sum()
    return float(100 * outcomes[0] / runs), float(100 * outcomes[1] / runs)


def _canary(random: Random, model: Model, per_second: float, past: Pair) -> Pair:
    multipliers = model.multipliers(random, SECONDS, past[0].shape[1])
    return counts(random, model, per_second * SHARE, OBJECTIVE, multipliers)


def by_history(random: Random, model: Model, per_second: float, past: Pair) -> Pair:
    """Decide as a live gate does."""
    group, block = vectorised.estimate(*past, OBJECTIVE, SHARE)
    return vectorised.decide(*_canary(random, model, per_second, past), group, block)


def alone(random: Random, model: Model, per_second: float, past: Pair) -> Pair:
    """Decide as if every request were on its own, whatever history says."""
    requests, bad = _canary(random, model, per_second, past)
    group = np.ones(requests.shape[1])
    return vectorised.decide(requests, bad, group, 30 * group, soak=0)


def _by(rule: Rule) -> Decide:
    def decide(random: Random, model: Model, per_second: float, past: Pair) -> Pair:
        requests, bad = _canary(random, model, per_second, past)
        rule.begin(requests.shape[1])
        return rule.step(Seen(requests, bad, requests, bad))

    return decide


def _told(rates: tuple[float, float]) -> str:
    return " / ".join(f"{rate:.2f}" if rate < 10 else f"{rate:.0f}" for rate in rates)
