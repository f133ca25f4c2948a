"""Every write killed before and after it: each seed is run again with a death at the writes that are still wanting.

Up to that death the second history is the first: a death set on the write that the seed is known to make is met.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.simulation.judges import judged
from benchmarks.simulation.plan import Strike, draw
from benchmarks.simulation.points import POINTS, Point
from benchmarks.simulation.simulation import simulate


@dataclass
class Kills:
    """Who was killed where.

    Attributes:
        least: how often each write is to be killed, before it and after it each.
        times: how often it was so far, by point and by whether the write was made first.
        wrong: what the judges have found, by the strike.
    """

    least: int
    times: Counter[tuple[Point, bool]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def wanting(self) -> list[tuple[Point, bool]]:
        """The points at which nobody was killed often enough."""
        return [(point, after) for point in POINTS for after in (False, True) if self.times[point, after] < self.least]

    def table(self) -> list[str]:
        """Say how often each was killed, a line each."""
        return [
            f"  {point:32} {self.times[point, False]:4} before {self.times[point, True]:4} after" for point in POINTS
        ]

    def sweep(self, seeds: Sequence[int]) -> None:
        """Kill at what is wanting, once a seed each, until nothing is."""
        for seed in seeds:
            for strike in self._strikes(seed):
                self._strike(seed, strike)
            if not self.wanting:
                return

    def _strikes(self, seed: int) -> Iterator[Strike]:
        """Find the first time that this seed makes each write that is wanting."""
        wanting = set(self.wanting)
        for process, death in enumerate(simulate(draw(seed)).deaths):
            for write, point in enumerate(death.passed, start=1):
                for after in (False, True):
                    if (point, after) in wanting:
                        wanting.remove((point, after))
                        yield Strike(process, write, after)

    def _strike(self, seed: int, strike: Strike) -> None:
        history = simulate(replace(draw(seed), strike=strike))
        self.times.update((death.point, death.after) for death in history.deaths if death.point)
        self.wrong += [f"seed {seed}, {strike}: {found}" for found in judged(history)]
