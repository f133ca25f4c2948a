"""How much it takes to decide: requests, seconds after a change, work for a look. All by the gates themselves."""

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

import numpy as np

from benchmarks.decision.report import Bar, Part, Table
from benchmarks.decision.ticks import dealt, tick
from benchmarks.decision.traffic import Numbers
from checks.against_stable import AgainstStable
from checks.error_rate import ErrorRate
from checks.evidence import LatencyObjective, Terms, Tick
from checks.gate import Judge
from checks.latency import Latency
from checks.verdict import Outcome

_TERMS = Terms(weight=5, latency=(LatencyObjective(0.99, 0),), group=1, steps=4)
_TO_PASS: Mapping[float, float | None] = {0.0: None, 0.001: 800, 0.003: 1650, 0.005: None}
_TO_FAIL: Mapping[float, float | None] = {0.02: 2400, 0.05: 250, 0.2: None, 1.0: None}
_CHANGED: Mapping[float, float | None] = {0.02: None, 0.05: 6, 0.2: None}
_GOOD = 0.001
_MOST = 100_000


def part(runs: int) -> Part:
    """Measure.

    Args:
        runs: of each row.
    """
    found = Part()
    for each in (_requests(runs), _changes(runs), _work()):
        found.tables += each.tables
        found.bars += each.bars
    return found


def _requests(runs: int) -> Part:
    """Count the requests to a decision, with a look after each of them, at 10 requests a second."""
    rows, bars = [], []
    for outcome, bounds in ((Outcome.PASS, _TO_PASS), (Outcome.FAIL, _TO_FAIL)):
        for rate, bound in bounds.items():
            took = _to(outcome, rate, runs)
            rows.append([f"{100 * rate:g} %", outcome.value, f"{took.mean():,.0f}", f"{np.quantile(took, 0.9):,.0f}"])
            if bound is not None:
                bars.append(Bar(3, f"mean requests to {outcome.value}, true rate {100 * rate:g} %", took.mean(), bound))
    return Part([Table("requests", ["true rate", "verdict", "requests, mean", "requests, 9 of 10 runs"], rows)], bars)


def _to(outcome: Outcome, rate: float, runs: int) -> Numbers:
    random, took = np.random.default_rng(3), []
    for _ in range(runs):
        judge = ErrorRate(Terms(weight=5, group=1, soak=0, steps=4))
        for request, bad in enumerate(_forever(random, 1, rate), 1):
            if judge.look(tick(request / 10, [(1, bad)], seconds=0.1)) is outcome or request == _MOST:
                took.append(request)
                break
    return np.array(took, float)


def _forever(random: np.random.Generator, requests: int, rate: float) -> Iterator[int]:
    while True:
        yield from random.binomial(requests, rate, 1000).tolist()


def _changes(runs: int) -> Part:
    """Count seconds from the moment at which a canary turns bad after 300 good seconds; and those of one bad pod."""
    rows, bars = [], []
    for rate, bound in _CHANGED.items():
        took = np.array([_until_failed(seed, 300, [rate] * 4) for seed in range(runs)], float)
        rows.append(
            [f"all pods to {100 * rate:g} % after 300 s", f"{took.mean():.1f}", f"{np.quantile(took, 0.9):.0f}"]
        )
        if bound is not None:
            bars.append(Bar(7, f"mean seconds to FAIL, to {100 * rate:g} % after 300 good s", took.mean(), bound, " s"))
    took = np.array([_until_failed(seed, 0, [0.03, _GOOD, _GOOD, _GOOD]) for seed in range(runs)], float)
    rows.append(["one pod of four at 3 % from the start", f"{took.mean():.1f}", f"{np.quantile(took, 0.9):.0f}"])
    return Part([Table("changes", ["100 requests a second", "seconds, mean", "seconds, 9 of 10 runs"], rows)], bars)


def _until_failed(seed: int, good: int, rates: list[float]) -> int:
    random, judge = np.random.default_rng([7, seed]), ErrorRate(_TERMS)
    for second in range(1, 3000):
        pods = [(25, int(random.binomial(25, rate if second > good else _GOOD))) for rate in rates]
        if judge.look(tick(second, pods, (1900, 2))) is Outcome.FAIL:
            return second - good
    return 3000


def _work() -> Part:
    """Measure the processor's time for one look, when a step is new and when it is old."""
    rows, bars = [], []
    for name, judge, bound in (
        ("error rate", ErrorRate, 0.05),
        ("latency", Latency, 0.05),
        ("error rate against stable", AgainstStable, 0.1),
    ):
        new, old = _milliseconds(judge)
        rows.append([name, f"{new:.3f} ms", f"{old:.3f} ms"])
        bars.append(Bar(8, f"processor time of a look, {name}", max(new, old), bound, " ms"))
        bars.append(Bar(8, f"growth from the 1st to the 10th thousand looks, {name}", old / new, 1.5, " times"))
    return Part([Table("work", ["gate, four pods", "looks 1 to 1,000", "looks 9,001 to 10,000"], rows)], bars)


def _milliseconds(judge: type[Judge]) -> tuple[float, float]:
    """Give the least of some measurements: others use the machine too."""
    found = []
    for seed in range(3):
        watching, looks = judge(_TERMS), _looks(np.random.default_rng(seed))
        times = []
        for _ in range(10):
            some = list(islice(looks, 1000))
            before = time.thread_time()
            for look in some:
                watching.look(look)
            times.append(time.thread_time() - before)
        found.append((times[0], times[-1]))
    new, old = np.array(found).min(0)
    return float(new), float(old)


def _looks(random: np.random.Generator) -> Iterator[Tick]:
    """A canary at its objective: nothing is ever decided, and something is bad in most looks."""
    second = 0
    while True:
        second += 1
        bad, slow, stable = random.binomial([100, 100, 1900], [0.009, 0.009, 0.004]).tolist()
        yield tick(second, dealt(random, 100, bad, slow), (1900, stable))


Measured = Callable[[int], Part]
