"""A driver may die at any moment: what stands in the cluster is enough to take its rollout back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ci.events import RollbackBegan, RollbackMeasured, WeightsWritten
from ci.phases import Phase
from fixtures.cluster import VIRTUAL_SERVICES

BAD = {"pods": "PASS", "error_rate": "FAIL"}
WAYS = {"promoted": {}, "taken back": {"step-50": BAD}, "restored": {"promotion-ready": BAD}}


class Killed(BaseException):
    """SIGKILL: nothing of the driver's goes on after it."""


def killing(bench: Any, write: int, *, after: bool) -> Callable[[], int]:
    """Kill the driver at one of its writes to the cluster or to Git; give how many it has made so far."""
    made = [0]

    def strike(now: bool) -> None:
        if made[0] == write and now:
            raise Killed

    def before(verb: str, name: str) -> None:
        made[0] += 1
        strike(not after)

    remember, push = bench.cluster.after, bench.git._push

    def pushing(*arguments: Any) -> str:
        before("push", "")
        commit = push(*arguments)
        strike(after)
        return commit

    bench.cluster.before = before
    bench.cluster.after = lambda verb, name: (remember(verb, name), strike(after))
    bench.git._push = pushing
    return lambda: made[0]


def survive(bench: Any) -> None:
    """Nobody kills any more."""
    bench.cluster.before = lambda verb, name: None
    bench.cluster.after = bench._remember
    del bench.git._push


def assert_as_before(bench: Any) -> None:
    assert bench.canary == 0
    assert {image[-1] for image in bench.git.images.values()} == {"1"}
    assert bench.replicas() == 1
    assert not bench.service["metadata"].get("annotations")


def writes_of(new_bench: Callable[[], Any], suites: dict[str, Any]) -> int:
    bench = new_bench()
    for name, outcomes in suites.items():
        bench.suite(name, outcomes=outcomes)
    made = killing(bench, 0, after=True)
    bench.run()
    return made()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("way", WAYS)
def test_killed_at_any_write_and_recovered_all_is_as_before(
    new_bench: Callable[[], Any], way: str, after: bool
) -> None:
    writes = writes_of(new_bench, WAYS[way])
    assert writes >= 10
    for write in range(1, writes + 1):
        bench = new_bench()
        for name, outcomes in WAYS[way].items():
            bench.suite(name, outcomes=outcomes)
        killing(bench, write, after=after)
        with pytest.raises(Killed):
            bench.run()
        survive(bench)
        if bench.record is None:  # killed after its last write, or before its first
            assert write in {1, writes}
            continue
        over = bench.record.phase is Phase.PROMOTED
        assert bench.recover().outcome in ({"promoted"} if over else {"rolled back", "refused"})
        if over:
            assert (bench.record, bench.canary, {image[-1] for image in bench.git.images.values()}) == (None, 0, {"2"})
        else:
            assert_as_before(bench)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_recovery_may_be_killed_at_any_write_as_well(new_bench: Callable[[], Any], after: bool) -> None:
    for write in range(1, 40):
        bench = new_bench()
        bench.after_entering("promote", lambda: (_ for _ in ()).throw(Killed()), later=0.5)
        with pytest.raises(Killed):
            bench.run()
        killing(bench, write, after=after)
        try:
            bench.recover()
        except Killed:
            survive(bench)
            if bench.record is not None:
                bench.recover()
            assert_as_before(bench)
        else:
            assert write > 6
            break
    else:
        pytest.fail("a recovery has an end")


def kill_in(bench: Any, phase: str, later: float = 0.5) -> None:
    bench.after_entering(phase, lambda: (_ for _ in ()).throw(Killed()), later=later)
    with pytest.raises(Killed):
        bench.run()


def test_traffic_goes_first_and_the_reason_says_who_is_gone(bench: Any) -> None:
    kill_in(bench, "step")
    began = bench.clock.now()
    ended = bench.recover()
    assert bench.told(WeightsWritten)[-1].at == began
    assert ended.sentence == "aborted by ana@laptop: recovers it; its driver ci@jenkins-7 is gone"
    assert bench.told(RollbackBegan)[-1].reason == "its driver ci@jenkins-7 is gone"


@pytest.mark.parametrize("phase", ["step", "roll back"])
def test_what_the_canary_did_before_its_driver_died_is_measured_too(bench: Any, tmp_path: Path, phase: str) -> None:
    bench.access_log = tmp_path / "access.log"
    bench.access_log.touch()
    bench.suite("step-05", outcomes=BAD)
    bench.suite("rollback", decides=5.0)
    kill_in(bench, phase, later=2)
    bad = bench.clock.now() - 2.5
    log = f"{bad:.6f} outbound|80|canary|rebate-core.production.svc.cluster.local pod-1 500 - 3\n"
    bench.access_log.write_text(log)
    bench.events.clear()
    bench.recover()
    [measured] = bench.told(RollbackMeasured)
    assert (measured.first_bad, measured.bad) == (pytest.approx(bad, abs=1e-5), 1)


def test_where_stable_may_be_half_rolled_the_canary_carries_until_it_is_put_back(bench: Any) -> None:
    kill_in(bench, "promote")
    assert bench.canary == 100
    bench.recover()
    assert bench.phases()[-2:] == ["restore", "roll back"]
    synced = [(weight, what) for _, weight, what in bench.history if what.startswith("synced")]
    assert synced[-2:] == [(100, "synced c3"), (0, "synced c4")]
    assert_as_before(bench)


def test_what_preflight_has_left_is_only_cleared_away(bench: Any) -> None:
    kill_in(bench, "preflight")
    assert bench.recover().outcome == "refused"
    assert bench.git.log == []
    assert_as_before(bench)


def test_a_rollback_that_needed_a_person_can_be_tried_again(bench: Any) -> None:
    bench.suite("step-05", outcomes=BAD)
    bench.suite("rollback", outcomes=BAD)
    assert bench.run().exit_code == 4
    del bench.scripts["rollback"]
    assert bench.recover().exit_code == 1
    assert_as_before(bench)


def test_a_driver_that_is_alive_all_the_same_sees_the_abort_and_raises_nothing(bench: Any) -> None:
    bench.after_entering("step", lambda: bench.abort("ana@laptop: recovers it at once, its driver is dead"), later=2)
    ended = bench.run()
    assert ended.sentence.startswith("aborted by ana@laptop: recovers it at once")
    assert max(bench.weights) == 5
    assert_as_before(bench)


def test_a_driver_whose_record_a_recovery_has_purged_does_not_say_promoted(bench: Any) -> None:
    def scaled(verb: str, name: str) -> None:
        bench._remember(verb, name)
        if verb == "scale 1":  # all that is left to the driver is to purge its record
            body = bench.service
            del body["metadata"]["annotations"]
            bench.cluster.after = bench._remember
            bench.cluster.put(VIRTUAL_SERVICES, "production", body)

    bench.cluster.after = scaled
    assert bench.run().outcome == "rolled back"
    assert_as_before(bench)
