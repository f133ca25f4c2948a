"""Envoy tells what Istio would tell, of requests that were answered and of those that were not."""

import itertools
import stat
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from fixtures.waiting import wait

CANARY = ("canary", "rebate-core-canary", "rebate-core")
UNREACHED = ("unknown", "unknown", "rebate-core")
NOWHERE = ("unknown", "unknown", "unknown")


def eventually(mesh: Any, expected: dict[tuple[str, ...], int]) -> None:
    wait(lambda: mesh.counted() == expected, what=f"{expected}, not {mesh.counted()}", timeout=5, interval=0.05)


def test_a_request_without_a_route_has_no_destination(mesh: Any) -> None:
    assert mesh.get().status_code == 404
    eventually(mesh, {(*NOWHERE, "404", "NR"): 1})


def test_a_route_to_a_cluster_that_is_not_there(mesh: Any, running: Any) -> None:
    mesh.endpoints(stable=[running.pod()])
    mesh.route(9, {"cluster": "outbound|80|typo|rebate-core.production.svc.cluster.local"})
    assert mesh.get().status_code == 503
    eventually(mesh, {(*NOWHERE, "503", "NC"): 1})


def test_answers_and_the_ways_to_get_none(mesh: Any, running: Any) -> None:
    """One canary pod, in turn: good, failing, resetting, hanging, dead, gone from the endpoints."""
    canary = running.pod("canary")
    mesh.endpoints(stable=[running.pod()], canary=[canary])
    mesh.weights(canary=100, timeout="0.2s")
    assert mesh.get().headers["x-pod"] == canary.name
    canary.fail(errors=1)
    assert mesh.get().status_code == 500
    canary.fail(resets=1)
    assert mesh.get().status_code == 503
    canary.fail(hangs=1)
    assert mesh.get().status_code == 504
    canary.process.kill()
    canary.process.wait()
    mesh.get()
    assert mesh.get().status_code == 503
    mesh.endpoints(stable=[], canary=[])
    wait(lambda: "no healthy upstream" in mesh.get().text, what="an empty subset", timeout=5, interval=0.01)
    counted = mesh.counted()
    assert {key: counted[key] for key in ((*CANARY, "200", "-"), (*CANARY, "500", "-"), (*CANARY, "504", "UT"))} == {
        (*CANARY, "200", "-"): 1,
        (*CANARY, "500", "-"): 1,
        (*CANARY, "504", "UT"): 1,
    }
    assert counted[(*CANARY, "503", "UC")] >= 1
    assert counted[(*CANARY, "503", "UF")] >= 1
    assert counted[(*UNREACHED, "503", "UH")] == 1


def test_the_access_log_names_cluster_pod_and_outcome(mesh: Any, running: Any) -> None:
    pod = running.pod()
    mesh.endpoints(stable=[pod], canary=[])
    mesh.weights(canary=0)
    mesh.get()
    log = mesh.state / "access.log"
    line = wait(lambda: log.read_text().split() or None, what="a line", timeout=5, interval=0.02)
    assert line[1:5] == ["outbound|80|stable|rebate-core.production.svc.cluster.local", pod.name, "200", "-"]
    assert abs(float(line[0]) - log.stat().st_mtime) < 5


def test_its_files_are_for_their_owner_only(mesh: Any) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (mesh.state / "envoy").glob("*.json")}
    assert modes == {"rds.json": 0o600, "cds.json": 0o600, "bootstrap.json": 0o600}


@pytest.mark.live
@pytest.mark.xdist_group("live")
def test_counters_equal_the_truth_while_weights_change(mesh: Any, running: Any, load_on: Callable[[str], Any]) -> None:
    """Twenty changes of the weights under load: no request fails, and Envoy has counted each of them once."""
    mesh.endpoints(stable=[running.pod()], canary=[running.pod("canary", errors=0.2)])
    mesh.weights(canary=0)
    load = load_on(mesh.gateway.url)
    load.rate(300)
    for weight in itertools.islice(itertools.cycle((5, 25, 50, 100, 0)), 20):
        seen = load.stats()["sent"]
        mesh.weights(weight)
        wait(lambda seen=seen: load.stats()["sent"] > seen + 20, what="some requests", timeout=5, interval=0.02)
    truth = load.rows()
    assert {row["version"] for row in truth} == {"stable", "canary"}
    assert {row["status"] for row in truth if row["version"] == "stable"} == {"200"}
    assert len({row["generation"] for row in truth}) >= 20
    by_truth = Counter((row["version"], row["status"]) for row in truth)
    wait(lambda: _by_version(mesh) == by_truth, what="the truth in Envoy's counters", timeout=5, interval=0.05)


def _by_version(mesh: Any) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for (version, _, _, code, _), count in mesh.counted().items():
        found[version, code] += count
    return found
