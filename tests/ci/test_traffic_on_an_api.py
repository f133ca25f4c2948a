"""Weights, record and Lease on a real API over TLS: everything else of a VirtualService stays byte for byte.

`SLUICEGATE_REAL_KUBECONFIG=FILE` runs this on a real API server (with Istio's CRDs) instead of the stand-in.
"""

import copy
import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from checks.evidence import Weights
from ci.abort import taking_back
from ci.lease import Held, Lease
from ci.patch import Change, operations
from ci.phases import Phase
from ci.record import PURGED, Record
from ci.traffic import Traffic
from fixtures.cluster import NAMESPACES, VIRTUAL_SERVICES, Cluster, Conflict, Invalid
from fixtures.istio import Subsets
from fixtures.waiting import FakeClock, SystemClock, wait

ROOT = Path(__file__).parents[2]
STEP = Change(Weights(75, 25), Record(rollout="3f9c2a", phase=Phase.STEP, step=25).annotations())


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if real := os.environ.get("SLUICEGATE_REAL_KUBECONFIG"):
        yield Cluster(Path(real))
        return
    state = tmp_path_factory.mktemp("api")
    command = [sys.executable, "-m", "fixtures.sandbox.api", "--state", str(state)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL) as process:
        wait((state / "api.json").exists, what="the API", timeout=30, interval=0.02)
        yield Cluster(state / "kubeconfig")
        process.terminate()


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    name = f"test-{secrets.token_hex(4)}"
    cluster.create(NAMESPACES, "", {"metadata": {"name": name}})
    yield name
    cluster.delete(NAMESPACES, "", name)


@pytest.fixture
def subsets(namespace: str) -> Subsets:
    return Subsets(f"shop.{namespace}.svc.cluster.local", "stable", "canary")


def rich(subsets: Subsets) -> dict[str, Any]:
    """A VirtualService with all that other people may have put there."""

    def to(subset: str, **more: Any) -> dict[str, Any]:
        return {"destination": {"host": subsets.host, "subset": subset}, **more}

    return {
        "metadata": {"name": "shop", "labels": {"team": "rebates"}, "annotations": {"a/b": "c~d"}},
        "spec": {
            "hosts": ["shop.example.com"],
            "gateways": ["edge", "mesh"],
            "http": [
                {
                    "name": "testers",
                    "match": [{"headers": {"x-canary": {"exact": "yes"}}}],
                    "route": [to("canary", headers={"response": {"set": {"x-via": "testers"}}})],
                },
                {
                    "name": "primary",
                    "match": [{"uri": {"prefix": "/"}}],
                    "timeout": "5s",
                    "retries": {"attempts": 2, "perTryTimeout": "1s", "retryOn": "connect-failure"},
                    "mirror": {"host": "shadow", "subset": "v1"},
                    "mirrorPercentage": {"value": 1.5},
                    "fault": {"abort": {"percentage": {"value": 0.1}, "httpStatus": 503}},
                    "corsPolicy": {"allowOrigins": [{"exact": "https://shop.example.com"}]},
                    "headers": {"request": {"add": {"x-split": "on"}}},
                    "route": [
                        to("canary", weight=0, headers={"request": {"remove": ["x-debug"]}}),
                        to("stable", weight=100),
                    ],
                },
                {"name": "legacy", "redirect": {"uri": "/old", "redirectCode": 308}},
            ],
        },
    }


@pytest.fixture
def made(cluster: Cluster, namespace: str, subsets: Subsets) -> dict[str, Any]:
    return cluster.create(VIRTUAL_SERVICES, namespace, rich(subsets))


@pytest.fixture
def traffic(cluster: Cluster, namespace: str, subsets: Subsets) -> Traffic:
    return Traffic(cluster, namespace, ["shop"], subsets, SystemClock())


def written_by(virtual_service: dict[str, Any]) -> str:
    """Write down all that a person has written."""
    kept = copy.deepcopy(virtual_service)
    for bookkeeping in ("resourceVersion", "generation", "managedFields"):
        kept["metadata"].pop(bookkeeping, None)
    return json.dumps(kept)


def test_up_and_back_again_leaves_every_other_byte_as_it_was(
    cluster: Cluster, namespace: str, made: dict[str, Any], traffic: Traffic
) -> None:
    traffic.write(STEP, lambda seen: None)
    there = cluster.get(VIRTUAL_SERVICES, namespace, "shop")
    assert [entry["weight"] for entry in there["spec"]["http"][1]["route"]] == [25, 75]
    assert there["metadata"]["annotations"]["sluicegate.dev/step"] == "25"
    traffic.insist(taking_back("ana: enough"), patience=5)
    traffic.insist(lambda seen: Change(None, PURGED), patience=5)
    assert written_by(cluster.get(VIRTUAL_SERVICES, namespace, "shop")) == written_by(made)


def test_a_stale_patch_is_a_conflict(cluster: Cluster, namespace: str, made: dict[str, Any], subsets: Subsets) -> None:
    cluster.merge_patch(VIRTUAL_SERVICES, namespace, "shop", {"metadata": {"labels": {"x": "y"}}})
    with pytest.raises(Conflict):
        cluster.json_patch(VIRTUAL_SERVICES, namespace, "shop", operations(made, STEP, subsets))


def test_a_patch_for_another_route_is_refused_whole(
    cluster: Cluster, namespace: str, made: dict[str, Any], subsets: Subsets
) -> None:
    patch = operations(made, STEP, subsets)
    patch[1]["value"] = "another-name"
    with pytest.raises(Invalid):
        cluster.json_patch(VIRTUAL_SERVICES, namespace, "shop", patch)
    assert written_by(cluster.get(VIRTUAL_SERVICES, namespace, "shop")) == written_by(made)


def test_a_record_without_other_annotations_leaves_none(
    cluster: Cluster, namespace: str, subsets: Subsets, traffic: Traffic
) -> None:
    body = rich(subsets)
    del body["metadata"]["annotations"]
    before = cluster.create(VIRTUAL_SERVICES, namespace, body)
    traffic.write(STEP, lambda seen: None)
    traffic.insist(lambda seen: Change(Weights(100, 0), PURGED), patience=5)
    assert written_by(cluster.get(VIRTUAL_SERVICES, namespace, "shop")) == written_by(before)


class Hasty(SystemClock):
    """Looks a hundred times as often."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / 100)


def race(cluster: Cluster, namespace: str, service: str) -> list[str]:
    """Let two drivers take a Lease at the same moment; give who held it while the other was there."""
    gate, refused, held = threading.Barrier(2), threading.Event(), list[str]()

    def drive(identity: str) -> None:
        gate.wait()
        try:
            with Lease(cluster, namespace, service, identity, clock=Hasty(), renewing=lambda work: None) as lease:
                held.append(identity)
                while not refused.is_set():
                    lease.renew()
        except Held:
            refused.set()

    with ThreadPoolExecutor(2) as drivers:
        for done in [drivers.submit(drive, f"{who}@host/1") for who in ("ana", "ben")]:
            done.result(timeout=30)
    return held


def test_of_two_drivers_in_a_hundred_races_one_gets_it_and_the_other_is_refused(
    cluster: Cluster, namespace: str
) -> None:
    winners = [race(cluster, namespace, f"shop-{each // 2}") for each in range(100)]  # one that is new, one given back
    assert [len(each) for each in winners] == [1] * 100
    assert {each for [each] in winners} == {"ana@host/1", "ben@host/1"}


def test_a_lease_is_held_renewed_refused_and_given_back(cluster: Cluster, namespace: str) -> None:
    clock = FakeClock()
    with Lease(cluster, namespace, "shop", "ana@host/1", renewing=lambda work: None) as hers:
        hers.renew()
        sleep = clock.sleep
        clock.sleep = lambda seconds: (sleep(seconds), hers.renew())[0]  # type: ignore[method-assign]
        with (
            pytest.raises(Held, match="ana@host"),
            Lease(cluster, namespace, "shop", "ben@host/2", clock=clock, renewing=lambda work: None),
        ):
            pytest.fail("two drivers")
    with Lease(cluster, namespace, "shop", "ben@host/2", renewing=lambda work: None) as his:
        assert his.held
