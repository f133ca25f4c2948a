"""Every write of a driver or a recovery, killed before and after: ``python -m benchmarks.simulation --kills 20``."""

import pytest

from benchmarks.simulation.kills import Kills
from benchmarks.simulation.plan import draw
from benchmarks.simulation.points import POINTS, REFUSED
from benchmarks.simulation.simulation import simulate

LEAST, PARTS = 20, 2


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_least_twenty_times_before_and_after_each_write_no_promise_is_broken(part: int) -> None:
    kills = Kills(LEAST // PARTS)
    kills.sweep(range(part, 4000, PARTS))
    assert not kills.wanting, "\n".join(kills.table())
    assert not kills.wrong


def test_there_is_no_write_without_a_name() -> None:
    passed = {point for seed in range(150) for death in simulate(draw(seed)).deaths for point in death.passed}
    assert passed - {REFUSED} <= set(POINTS)
    assert len(passed) > 20


def test_a_sweep_that_does_not_come_to_a_write_says_so() -> None:
    kills = Kills(1)
    kills.sweep(range(1))
    assert ("push: stable", False) in kills.wanting
    assert len(kills.wanting) + len(kills.times) == 2 * len(POINTS)


def test_a_strike_is_met_at_its_write_and_what_came_before_is_as_it_was() -> None:
    """A seed with a death of its own that is not drawn differs from it only from there on."""
    kills = Kills(1)
    [*strikes] = kills._strikes(5)
    assert strikes
    for strike in strikes:
        kills._strike(5, strike)
    wanted = {simulate(draw(5)).deaths[each.process].passed[each.write - 1] for each in strikes}
    assert wanted <= {point for point, _ in kills.times}
