"""A few rollouts on real parts whose driver is killed on a faulty way to the API server; ``make robustness`` runs 50.

A seed that fails here is run again by ``python -m benchmarks.robustness --seed N``.
"""

from collections.abc import Iterator

import pytest

from benchmarks.robustness.plan import draw
from benchmarks.robustness.rollouts import Bench, Course
from benchmarks.robustness.stage import stage

pytestmark = [pytest.mark.long, pytest.mark.live, pytest.mark.xdist_group("live")]
SEEDS = {"killed on the way up, a person recovers": 2, "killed in a step, nobody is awake": 33}


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with stage() as place:
        yield place


@pytest.fixture
def course(bench: Bench, seed: int) -> Course:
    """What has happened; here, because a test's own code may not take longer than a gate's."""
    return bench.once(draw(seed))


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS)
def test_after_a_kill_and_through_a_faulty_api_all_is_safe_in_time_and_as_before(course: Course) -> None:
    assert course.wrong == [], course.said
    assert course.struck
    assert course.faults
    assert not course.promoted
