"""The faulty way to the API server, fault by fault, as the real client meets it."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from benchmarks.robustness.faults import Fault, Faults, fate
from benchmarks.robustness.proxy import Death, FaultyApi
from fixtures.cluster import LEASES, Cluster, Forbidden, NotFound
from fixtures.errors import Unreachable
from fixtures.target import resolve
from fixtures.waiting import wait

HERE = "default"


@pytest.fixture
def cluster(api: FaultyApi) -> Cluster:
    return Cluster(resolve(api.target).kubeconfig, read=1.0)


@pytest.fixture
def behind(state: Path) -> Cluster:
    """The same server, without faults."""
    return Cluster(state / "kubeconfig")


def lease(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"holderIdentity": "ana"}}


def there(behind: Cluster, name: str) -> bool:
    try:
        return bool(behind.get(LEASES, HERE, name))
    except NotFound:
        return False


def test_without_faults_all_goes_through_and_the_gates_access_can_only_read(api: FaultyApi, cluster: Cluster) -> None:
    cluster.create(LEASES, HERE, lease("through"))
    assert cluster.get(LEASES, HERE, "through")["spec"]["holderIdentity"] == "ana"
    gates = resolve(api.target).gates_cluster()
    assert gates.get(LEASES, HERE, "through")
    with pytest.raises(Forbidden):
        gates.create(LEASES, HERE, lease("forbidden"))
    assert api.done == []


@pytest.mark.parametrize("fault", ["refused", "throttled", "hung"])
def test_what_is_refused_or_hangs_is_an_outage_to_the_client_and_was_never_made(
    fault: str, api: FaultyApi, cluster: Cluster, behind: Cluster
) -> None:
    api.begin(Faults(**{fault: 1.0}))
    with pytest.raises(Unreachable):
        cluster.create(LEASES, HERE, lease(fault))
    assert not there(behind, fault)
    assert api.done == [(Fault[fault.upper()], "POST /apis/coordination.k8s.io/v1/namespaces/default/leases")]


def test_what_is_lost_was_made(api: FaultyApi, cluster: Cluster, behind: Cluster) -> None:
    api.begin(Faults(lost=1.0))
    with pytest.raises(Unreachable, match="no answer"):
        cluster.create(LEASES, HERE, lease("lost"))
    assert there(behind, "lost")


def test_latency_is_added_to_every_call(api: FaultyApi, cluster: Cluster) -> None:
    api.begin(Faults(latency=0.3))
    began = time.monotonic()
    cluster.list(LEASES, HERE)
    assert time.monotonic() - began >= 0.3


def test_a_partition_has_an_end(api: FaultyApi, cluster: Cluster) -> None:
    api.begin(Faults(partitions=((0.0, 0.5),)))
    with pytest.raises(Unreachable):
        cluster.create(LEASES, HERE, lease("partition"))

    def made() -> bool:
        try:
            return bool(cluster.create(LEASES, HERE, lease("partition")))
        except Unreachable:
            return False

    wait(made, what="the end of the partition", timeout=10)


def test_a_watch_is_passed_on_as_it_comes(cluster: Cluster, behind: Cluster) -> None:
    _, since = cluster.snapshot(LEASES, HERE)
    seen: list[str] = []

    def look() -> None:
        for _, body in cluster.watch(LEASES, HERE, since, seconds=20):
            seen.append(body["metadata"]["name"])
            if seen == ["one", "two"]:
                return

    looking = Thread(target=look)
    looking.start()
    behind.create(LEASES, HERE, lease("one"))
    wait(lambda: seen == ["one"], what="the first change, with the watch still open", timeout=10)
    behind.create(LEASES, HERE, lease("two"))
    looking.join(10)
    assert seen == ["one", "two"]


@pytest.mark.parametrize("made", [False, True], ids=["before", "after"])
def test_a_death_strikes_at_its_write_before_or_after_it_is_made(
    made: bool, api: FaultyApi, cluster: Cluster, behind: Cluster
) -> None:
    struck: list[bool] = []
    names = [f"{'after' if made else 'before'}-{number}" for number in (1, 2)]
    api.set(Death(2, made, lambda: struck.append(True)))
    cluster.create(LEASES, HERE, lease(names[0]))
    cluster.get(LEASES, HERE, names[0])
    assert not struck
    with pytest.raises(Unreachable):
        cluster.create(LEASES, HERE, lease(names[1]))
    assert (struck, there(behind, names[1])) == ([True], made)


def test_the_fate_of_a_call_is_its_seeds_whatever_else_is_called() -> None:
    faults = Faults(seed=5, refused=0.5)
    fates = [fate(faults, "GET", "/pods", before) for before in range(1000)]
    assert fates == [fate(faults, "GET", "/pods", before) for before in range(1000)]
    assert fates != [fate(Faults(seed=6, refused=0.5), "GET", "/pods", before) for before in range(1000)]
    assert 450 < fates.count(Fault.REFUSED) < 550


def test_shares_are_as_they_were_told() -> None:
    shares: dict[Fault, Callable[[Faults], float]] = {
        Fault.REFUSED: lambda it: it.refused,
        Fault.THROTTLED: lambda it: it.throttled,
        Fault.LOST: lambda it: it.lost,
        Fault.HUNG: lambda it: it.hung,
    }
    faults = Faults(seed=1, refused=0.1, throttled=0.2, lost=0.05, hung=0.3)
    fates = [fate(faults, "PATCH", "/pods", before) for before in range(4000)]
    for fault, share in shares.items():
        assert abs(fates.count(fault) / 4000 - share(faults)) < 0.03
