"""Several services released as one: each has its own driver, and none goes where not all can go."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

from ci.events import WeightsWritten
from ci.lockstep import Lockstep
from ci.phases import Phase, Place

BAD = {"error_rate": "FAIL"}


@pytest.fixture
def both(new_bench: Callable[[], Any]) -> list[Any]:
    """Two worlds on clocks of their own; each releases its service, together with the other."""
    lockstep = Lockstep(["shop", "till"])
    benches = [new_bench() for _ in lockstep.services]
    for bench, service in zip(benches, lockstep.services, strict=True):
        bench.pace = lockstep.pace(service)
    return benches


def run(both: list[Any]) -> list[Any]:
    with ThreadPoolExecutor(len(both)) as pool:
        return [each.result(timeout=60) for each in [pool.submit(bench.run) for bench in both]]


def test_both_are_promoted_when_both_are_good(both: list[Any]) -> None:
    assert [ended.outcome for ended in run(both)] == ["promoted", "promoted"]
    for bench in both:
        assert bench.weights == [0, 5, 25, 50, 100, 0]


def test_no_weight_rises_before_the_others_suite_has_passed(both: list[Any]) -> None:
    order: list[tuple[str, int]] = []
    for bench in both:
        name, tell = bench.pace.service, bench.events.append

        def hear(event: Any, name: str = name, tell: Callable[[Any], None] = tell) -> None:
            tell(event)
            if isinstance(event, WeightsWritten):
                order.append((name, event.canary))

        bench.events = type("Heard", (list,), {"append": lambda _, event, hear=hear: hear(event)})()
    run(both)
    assert len([weight for _, weight in order if weight]) == 8
    for (_, before), (_, after) in pairwise(each for each in order if each[1]):
        assert after >= before


@pytest.mark.parametrize(
    "suite", ["preflight", "deployed", "step-05", "step-50", "step-100", "promotion-ready", "promotion-serving"]
)
def test_one_that_fails_takes_the_other_back_wherever_it_is(both: list[Any], suite: str) -> None:
    shop, till = both
    shop.suite(suite, outcomes=BAD)
    ends = run(both)
    outcome = "refused" if suite == "preflight" else "rolled back"
    assert ends[0].outcome == outcome
    assert ends[1].outcome in {outcome, "refused"}, "who has not begun yet has nothing to take back"
    assert "shop, released together with it, is taken back: error_rate says FAIL" in ends[1].sentence
    assert till.canary == 0
    assert {image[-1] for image in till.git.images.values()} == {"1"}


def test_an_abort_of_one_is_an_abort_of_all(both: list[Any]) -> None:
    shop, till = both
    shop.after_entering("step", shop.abort, later=2)
    ends = run(both)
    assert [ended.outcome for ended in ends] == ["rolled back", "rolled back"]
    assert "shop, released together with it, is taken back: aborted by ana@laptop: wrong version" in ends[1].sentence
    assert (shop.canary, till.canary) == (0, 0)


def test_a_pause_of_one_holds_all(both: list[Any]) -> None:
    shop, till = both
    shop.after_entering("step", lambda: shop.says("pause", "lunch"), later=2)
    shop.after_entering("hold", lambda: till_at.append(till.canary), later=60)
    shop.after_entering("hold", lambda: shop.says("resume", "back"), later=61)
    till_at: list[int] = []
    assert [ended.outcome for ended in run(both)] == ["promoted", "promoted"]
    assert till_at == [5]


def test_stable_is_watched_until_all_have_been_watched_for_long_enough(both: list[Any]) -> None:
    shop, till = both
    shop.release = shop.release.model_copy(update={"after": 10.0})
    till.pace.come(Place(Phase.SERVE))  # it is watched for longer
    shop.suite("watch-promotion-serving", at={"error_rate": 300.0})
    shop.after_entering("serve", lambda: till.pace.come(Place(Phase.SERVE), over=True), later=900)
    ended = shop.run()
    assert (ended.outcome, ended.sentence) == ("rolled back", "error_rate says FAIL")
