"""Of any number of drivers one holds the service; a dead one's Lease is taken only after it has been watched."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from ci.lease import Held, Holder, Lease, lease_name
from fixtures.cluster import LEASES
from fixtures.errors import Unreachable
from fixtures.waiting import FakeClock

ANA, BEN = "ana@jenkins-7/3f9c2a", "ben@laptop/77aa01"


def never(renew: Callable[[], None]) -> None:
    """Start no thread: the test renews, or the driver is dead."""


@pytest.fixture
def lease(cluster: Any, clock: FakeClock) -> Callable[[str], Lease]:
    return lambda identity: Lease(cluster, "production", "shop", identity, clock=clock, renewing=never)


def holder(cluster: Any) -> Holder:
    return Holder.of(cluster.get(LEASES, "production", lease_name("shop")))


def while_somebody_waits(clock: FakeClock, every: float, act: Callable[[], None]) -> None:
    """Do something again and again while somebody sleeps on the clock."""
    sleep = clock.sleep
    due = [clock.monotonic() + every]

    def acting(seconds: float) -> None:
        sleep(seconds)
        if clock.monotonic() >= due[0]:
            due[0] += every
            act()

    clock.sleep = acting  # type: ignore[method-assign]


def test_a_first_lease_is_created_and_given_back_at_the_end(cluster: Any, lease: Callable[[str], Lease]) -> None:
    with lease(ANA) as ours:
        assert ours.held
        assert holder(cluster).identity == ANA
    assert not ours.held
    assert holder(cluster).identity == ""


def test_a_lease_that_was_given_back_is_taken_at_once(clock: FakeClock, lease: Callable[[str], Lease]) -> None:
    with lease(ANA):
        pass
    with lease(BEN) as ours:
        assert ours.held
    assert clock.monotonic() == 0


def test_a_living_holder_is_named_with_host_time_and_what_to_do(
    clock: FakeClock, lease: Callable[[str], Lease]
) -> None:
    with lease(ANA) as hers:
        while_somebody_waits(clock, 5, hers.renew)
        with pytest.raises(Held) as caught, lease(BEN):
            pytest.fail("two drivers")
    assert str(caught.value).startswith(
        "shop: ana@jenkins-7 is releasing it since 2023-11-14T22:13:20.000000Z (rollout 3f9c2a); look with"
    )
    assert "sluicegate status RELEASE" in caught.value.remedy
    assert caught.value.exit_code == 3
    assert clock.monotonic() <= 5.5


def test_a_dead_holder_is_watched_for_the_whole_duration_whatever_its_clock_says(
    cluster: Any, clock: FakeClock, lease: Callable[[str], Lease]
) -> None:
    lease(ANA).__enter__()
    body = cluster.get(LEASES, "production", lease_name("shop"))
    body["spec"]["renewTime"] = "1999-01-01T00:00:00.000000Z"
    cluster.put(LEASES, "production", body)
    with lease(BEN) as ours:
        assert ours.held
        assert clock.monotonic() == 15
        assert holder(cluster).identity == BEN


def test_belief_ends_before_anybody_else_may_take_the_lease(
    cluster: Any, clock: FakeClock, lease: Callable[[str], Lease]
) -> None:
    with lease(ANA) as ours:
        cluster.broken = Unreachable("partition")
        clock.sleep(9.9)
        with pytest.raises(Unreachable):
            ours.renew()
        assert ours.held
        clock.sleep(0.1)
        assert not ours.held
        cluster.broken = None


def test_a_slow_renewal_counts_from_when_it_was_sent(
    cluster: Any, clock: FakeClock, lease: Callable[[str], Lease]
) -> None:
    with lease(ANA) as ours:
        clock.sleep(5)
        cluster.after = lambda verb, name: clock.sleep(8)
        ours.renew()
        cluster.after = lambda verb, name: None
        assert ours.held
        clock.sleep(2)
        assert not ours.held


def test_a_holder_that_was_replaced_stops_and_leaves_the_lease_alone(
    cluster: Any, clock: FakeClock, lease: Callable[[str], Lease]
) -> None:
    with lease(ANA) as hers:
        clock.sleep(1)
        with lease(BEN):
            with pytest.raises(Held, match="ben@laptop"):
                hers.renew()
            assert not hers.held
            hers.__exit__(None, None, None)
            assert holder(cluster).identity == BEN


@pytest.mark.parametrize("there", [False, True])
def test_of_two_who_take_a_free_lease_at_once_one_gets_it(
    cluster: Any, clock: FakeClock, lease: Callable[[str], Lease], there: bool
) -> None:
    if there:
        with lease(ANA):
            pass
    ben = lease(BEN)

    def ben_is_faster(verb: str, name: str) -> None:
        cluster.before = lambda verb, name: None
        ben.__enter__()
        while_somebody_waits(clock, 5, ben.renew)

    cluster.before = ben_is_faster
    with pytest.raises(Held, match="ben@laptop"), lease(ANA):
        pytest.fail("two drivers")
    assert ben.held


def test_the_lease_is_renewed_in_the_background(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ci.lease.RENEWAL", 0.01)
    renewed = threading.Event()
    with Lease(cluster, "production", "shop", ANA):
        cluster.after = lambda verb, name: renewed.set() if verb == "replace" else None
        assert renewed.wait(5)


def test_a_person_who_knows_that_the_holder_is_dead_takes_it_at_once(cluster: Any, clock: FakeClock) -> None:
    hers = Lease(cluster, "production", "shop", ANA, clock=clock, renewing=never)
    hers.__enter__()
    with Lease(cluster, "production", "shop", BEN, clock=clock, renewing=never, dead="3f9c2a") as ours:
        assert ours.held
        assert clock.monotonic() == 0
        with pytest.raises(Held, match="ben@laptop"):
            hers.renew()


def test_the_watching_of_a_lease_begins_when_it_has_been_read(
    cluster: Any, clock: FakeClock, lease: Callable[[str], Lease], monkeypatch: pytest.MonkeyPatch
) -> None:
    lease(ANA).__enter__()
    get, slow = cluster.get, [9.0]

    def slowly(*arguments: Any) -> Any:
        clock.sleep(slow.pop() if slow else 0)
        return get(*arguments)

    monkeypatch.setattr(cluster, "get", slowly)
    with lease(BEN):
        assert clock.monotonic() >= 9 + 15


@pytest.mark.parametrize("patience", [0.0, 60.0])
def test_an_api_server_that_does_not_answer_is_asked_again_by_who_has_patience(
    cluster: Any, clock: FakeClock, patience: float
) -> None:
    cluster.broken = Unreachable("500")
    ours = Lease(cluster, "production", "shop", BEN, clock=clock, renewing=never, patience=patience)
    while_somebody_waits(clock, 20, lambda: setattr(cluster, "broken", None))
    if patience:
        with ours:
            assert ours.held
    else:
        with pytest.raises(Unreachable):
            ours.__enter__()


def test_a_recovery_takes_nothing_from_the_driver_of_another_rollout(cluster: Any, clock: FakeClock) -> None:
    hers = Lease(cluster, "production", "shop", ANA, clock=clock, renewing=never)
    hers.__enter__()
    while_somebody_waits(clock, 5, hers.renew)
    late = Lease(cluster, "production", "shop", "cy@laptop/0a0a0a", clock=clock, renewing=never, dead="0a0a0a")
    with pytest.raises(Held, match="ana@jenkins-7"):
        late.__enter__()
    assert holder(cluster).identity == ANA
