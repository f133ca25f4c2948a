"""A connection that hangs: the brake does not wait for it, since nobody waits for the brake."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from benchmarks.robustness.faults import Fault, Faults, fate
from benchmarks.robustness.proxy import FaultyApi
from ci.assembly import take_back
from ci.events import Event
from ci.patch import Change
from ci.phases import Phase
from ci.record import Record
from ci.state import Job
from ci.traffic import traffic_of
from fixtures.arranged import EXAMPLE
from fixtures.cluster import NAMESPACES, VIRTUAL_SERVICES, AlreadyExists, Cluster
from fixtures.istio import Weights
from fixtures.release import Release, load_release
from fixtures.target import resolve

WITHIN = 8.0  # seconds: 3 on a machine that nobody else uses; the usual time-out is 10
PATH = VIRTUAL_SERVICES.path("production", "rebate-core")


@pytest.fixture
def release() -> Release:
    return load_release(EXAMPLE)


@pytest.fixture
def weighed(state: Path, release: Release) -> Iterator[Cluster]:
    """A canary with a quarter of the traffic; this way to it has no faults."""
    cluster = Cluster(state / "kubeconfig")
    with suppress(AlreadyExists):
        cluster.create(NAMESPACES, "", {"metadata": {"name": "production"}})
    splits = [{"destination": {"host": release.host, "subset": name}} for name in ("stable", "canary")]
    route = [{**split, "weight": weight} for split, weight in zip(splits, (100, 0), strict=True)]
    spec = {"hosts": ["rebate.example.com"], "http": [{"route": route}]}
    cluster.create(VIRTUAL_SERVICES, "production", {"metadata": {"name": "rebate-core"}, "spec": spec})
    record = Record(rollout="3f9c2a", phase=Phase.STEP, step=25, who="ci@jenkins-7")
    traffic_of(release, cluster).write(Change(Weights(75, 25), record.annotations()), lambda _: None)
    yield cluster
    cluster.delete(VIRTUAL_SERVICES, "production", "rebate-core")


def hanging(*calls: str) -> Faults:
    """Find faults by which the first call of each of these kinds hangs, and no other of the first ten."""
    fine = [Fault.NONE] * 9
    wanted = {call: [Fault.HUNG if call in calls else Fault.NONE, *fine] for call in ("GET", "PATCH")}
    drawn = (Faults(seed=seed, hung=0.1) for seed in range(100_000))
    as_wanted = lambda it: all([fate(it, call, PATH, n) for n in range(10)] == wanted[call] for call in wanted)  # noqa: E731
    return next(filter(as_wanted, drawn))


@pytest.mark.parametrize("calls", [["GET"], ["PATCH"], ["GET", "PATCH"]], ids=" and ".join)
def test_the_brake_takes_traffic_back_at_once_although_its_first_calls_hang(
    api: FaultyApi, weighed: Cluster, release: Release, tmp_path: Path, calls: list[str]
) -> None:
    told: list[Event] = []
    about: dict[str, Any] = {
        "rollout": "3f9c2a",
        "release": release,
        "file": EXAMPLE,
        "image": "x",
        "reports": tmp_path,
    }
    pull = take_back(Job(**about, target=api.target, who="ci@jenkins-7"), resolve(api.target), told.append)
    api.begin(hanging(*calls))
    began = time.monotonic()
    pull("SIGTERM")
    assert time.monotonic() - began < WITHIN
    assert [fault for fault, _ in api.done] == [Fault.HUNG] * len(calls)
    route = weighed.get(VIRTUAL_SERVICES, "production", "rebate-core")["spec"]["http"][0]["route"]
    assert [entry["weight"] for entry in route] == [100, 0]
