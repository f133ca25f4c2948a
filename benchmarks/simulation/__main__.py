"""``python -m benchmarks.simulation``: seeds by the thousand; ``--seed N`` tells the story of one.

``--kills 20`` kills at every write that there is, so often before it and so often after it.
"""

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing import Pool

from benchmarks.simulation.judges import judged
from benchmarks.simulation.kills import Kills
from benchmarks.simulation.plan import draw
from benchmarks.simulation.simulation import simulate
from benchmarks.simulation.story import outcome, story

CHUNK = 50


def tried(seed: int) -> tuple[int, list[str], str]:
    """Run a seed; give what is wrong, and how it went in a word."""
    history = simulate(draw(seed))
    return seed, judged(history), outcome(history)


def many(seeds: range, processes: int) -> Iterator[tuple[int, list[str], str]]:
    """Run many seeds."""
    if processes == 1:
        yield from map(tried, seeds)
        return
    with Pool(processes, maxtasksperchild=2000) as pool:
        yield from pool.imap_unordered(tried, seeds, CHUNK)


def main() -> int:
    """Run what the command line says; exit status 1 when a judge has found something."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="tell the story of this one")
    parser.add_argument("--seeds", type=int, default=2000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--stop", action="store_true", help="end with the first seed in which a judge finds something")
    parser.add_argument("--kills", type=int, help="kill at each write so often, before it and after it each")
    parser.add_argument("-j", type=int, default=1, dest="processes", help="processes")
    options = parser.parse_args()
    if options.seed is not None:
        history = simulate(draw(options.seed))
        print("\n".join(story(history)))
        found = judged(history)
        print("\n".join(f"VIOLATED {each}" for each in found) or "nothing is violated")
        return bool(found)
    if options.kills:
        return _kills(options.kills, range(options.first, options.first + options.seeds), options.processes)
    return _all(range(options.first, options.first + options.seeds), options.processes, stop=options.stop)


def _all(seeds: range, processes: int, *, stop: bool) -> int:
    began, ways, violated = time.monotonic(), Counter[str](), 0
    for seed, found, way in many(seeds, processes):
        ways[way] += 1
        violated += bool(found)
        for each in found:
            print(f"seed {seed}: {each}\n    python -m benchmarks.simulation --seed {seed}", flush=True)
        if found and stop:
            break
    took = time.monotonic() - began
    print(f"{ways.total()} seeds in {took:.0f} s: {violated} with violations; {dict(ways.most_common())}")
    return bool(violated)


def swept(least: int, seeds: range) -> Kills:
    """Kill at every write of some seeds."""
    kills = Kills(least)
    kills.sweep(seeds)
    return kills


def _kills(least: int, seeds: range, processes: int) -> int:
    """Share the seeds, and what is wanted of them, among processes."""
    began, total = time.monotonic(), Kills(least)
    with Pool(processes) as pool:
        shares = [(math.ceil(least / processes), seeds[number::processes]) for number in range(processes)]
        for each in pool.starmap(swept, shares):
            total.times += each.times
            total.wrong += each.wrong
    print("\n".join([*total.table(), *total.wrong]))
    wanting = ", ".join(sorted({point for point, _ in total.wanting}))
    print(
        f"{total.times.total()} deaths in {time.monotonic() - began:.0f} s: {len(total.wrong)} violations;"
        f" killed less than {least} times: {wanting or 'none'}"
    )
    return bool(total.wrong or wanting)


if __name__ == "__main__":
    sys.exit(main())
