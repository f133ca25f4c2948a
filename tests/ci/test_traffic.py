"""Raising is careful, going to safety is stubborn; both believe only what they have read back."""

from collections.abc import Callable
from typing import Any

import pytest

from checks.evidence import Weights
from ci.patch import Change
from ci.phases import Phase
from ci.record import ABORT, Record
from ci.traffic import Seen, Traffic
from fixtures.cluster import VIRTUAL_SERVICES, Conflict
from fixtures.errors import ClusterRefused, PersonNeeded, Unreachable
from fixtures.istio import Subsets
from fixtures.waiting import FakeClock

QUARTER = Change(Weights(75, 25), Record(rollout="3f9c2a", phase=Phase.STEP, step=25).annotations())
AT_REST = Change(Weights(100, 0), {ABORT: "ana@host: enough"})
LOST = Unreachable("the answer broke off")


class Refused(ClusterRefused):
    """What a test's permit says no with."""


def anyone(seen: Seen) -> None:
    """Permit everything."""


@pytest.fixture
def traffic(cluster: Any, clock: FakeClock, subsets: Subsets) -> Traffic:
    return Traffic(cluster, "production", ["rebate-core"], subsets, clock)


def canary(cluster: Any, name: str = "rebate-core") -> int:
    route = cluster.get(VIRTUAL_SERVICES, "production", name)["spec"]["http"][0]["route"]
    return int(route[1]["weight"])


def somebody_edits(cluster: Any, times: int) -> Callable[[str, str], None]:
    """Let somebody else be faster than that many patches."""
    left = iter(range(times))

    def edit(verb: str, name: str) -> None:
        if next(left, None) is not None:
            body = cluster.get(VIRTUAL_SERVICES, "production", name)
            body["spec"]["http"][0]["timeout"] = "7s"
            cluster.put(VIRTUAL_SERVICES, "production", body)

    return edit


def test_a_rise_is_written_once_and_read_back(cluster: Any, traffic: Traffic) -> None:
    traffic.write(QUARTER, anyone)
    assert canary(cluster) == 25
    assert cluster.writes == [("patch", "virtualservices", "rebate-core")]


def test_an_api_server_that_stumbles_over_a_read_is_asked_again(
    cluster: Any, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    get, stumbles = cluster.get, [LOST, LOST]

    def read(*arguments: Any) -> Any:
        if stumbles:
            raise stumbles.pop()
        return get(*arguments)

    monkeypatch.setattr(cluster, "get", read)
    traffic.write(QUARTER, anyone)
    assert canary(cluster) == 25


def test_what_is_there_after_a_read_that_failed_is_still_not_ours(
    cluster: Any, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic.write(QUARTER, anyone)
    get, stumbles = cluster.get, [LOST]

    def read(*arguments: Any) -> Any:
        if stumbles:
            raise stumbles.pop()
        return get(*arguments)

    def nobody(seen: Seen) -> None:
        raise Refused("no")

    monkeypatch.setattr(cluster, "get", read)
    with pytest.raises(Refused):
        traffic.write(QUARTER, nobody)


def test_a_rise_asks_again_after_every_read(cluster: Any, traffic: Traffic) -> None:
    cluster.before = somebody_edits(cluster, 2)
    asked: list[Seen] = []
    traffic.write(QUARTER, asked.append)
    assert len(asked) == 3
    assert cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")["spec"]["http"][0]["timeout"] == "7s"


def test_a_rise_that_is_not_permitted_any_more_is_not_made(cluster: Any, traffic: Traffic) -> None:
    def braked(verb: str, name: str) -> None:
        cluster.before = lambda verb, name: None
        traffic.insist(lambda seen: AT_REST, patience=1)

    def permit(seen: Seen) -> None:
        if ABORT in (seen.object["metadata"].get("annotations") or {}):
            raise Refused("braked")

    cluster.before = braked
    with pytest.raises(Refused):
        traffic.write(QUARTER, permit)
    assert canary(cluster) == 0


def test_a_rise_gives_up_after_a_few_conflicts(cluster: Any, traffic: Traffic) -> None:
    cluster.before = somebody_edits(cluster, 100)
    with pytest.raises(Conflict):
        traffic.write(QUARTER, anyone)
    assert canary(cluster) == 0


def test_a_rise_whose_answer_is_lost_counts_when_it_has_happened(cluster: Any, traffic: Traffic) -> None:
    def lose(verb: str, name: str) -> None:
        raise LOST

    cluster.after = lose
    traffic.write(QUARTER, anyone)
    assert canary(cluster) == 25
    assert len(cluster.writes) == 1


def test_a_rise_that_somebody_undoes_at_once_is_no_rise(cluster: Any, traffic: Traffic) -> None:
    at_rest = cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")
    cluster.after = lambda verb, name: cluster.put(VIRTUAL_SERVICES, "production", at_rest)
    with pytest.raises(ClusterRefused, match="undone as soon as it is made"):
        traffic.write(QUARTER, anyone)


def test_going_to_safety_outlasts_conflicts(cluster: Any, traffic: Traffic) -> None:
    traffic.write(QUARTER, anyone)
    cluster.before = somebody_edits(cluster, 17)
    traffic.insist(lambda seen: AT_REST, patience=60)
    assert canary(cluster) == 0
    assert cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")["spec"]["http"][0]["timeout"] == "7s"


def test_going_to_safety_outlasts_an_outage(cluster: Any, clock: FakeClock, traffic: Traffic) -> None:
    traffic.write(QUARTER, anyone)
    cluster.broken = Unreachable("connection refused")
    sleep = clock.sleep

    def mended_after_a_minute(seconds: float) -> None:
        sleep(seconds)
        if clock.monotonic() > 60:
            cluster.broken = None

    clock.sleep = mended_after_a_minute  # type: ignore[method-assign]
    traffic.insist(lambda seen: AT_REST, patience=600)
    assert canary(cluster) == 0
    assert 60 < clock.monotonic() < 60.5


def test_a_person_is_called_when_patience_is_over(cluster: Any, clock: FakeClock, traffic: Traffic) -> None:
    cluster.broken = Unreachable("connection refused")
    with pytest.raises(PersonNeeded, match=r"within 600 s .*connection refused.*set them by hand") as caught:
        traffic.insist(lambda seen: AT_REST, patience=600)
    assert clock.monotonic() == 600
    assert caught.value.exit_code == 4


def test_trouble_with_one_does_not_keep_the_others_from_safety(
    cluster: Any, clock: FakeClock, subsets: Subsets
) -> None:
    mesh = cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")
    mesh["metadata"]["name"] = "rebate-core-mesh"
    mesh["spec"]["http"][0]["route"][1]["weight"] = 25
    cluster.put(VIRTUAL_SERVICES, "production", mesh)
    traffic = Traffic(cluster, "production", ["gone", "rebate-core-mesh"], subsets, clock)
    with pytest.raises(PersonNeeded, match="virtualservices production/gone"):
        traffic.insist(lambda seen: AT_REST, patience=1)
    assert canary(cluster, "rebate-core-mesh") == 0


def test_all_virtual_services_of_a_release_are_written(cluster: Any, clock: FakeClock, subsets: Subsets) -> None:
    mesh = cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")
    mesh["metadata"]["name"] = "mesh"
    cluster.put(VIRTUAL_SERVICES, "production", mesh)
    Traffic(cluster, "production", ["rebate-core", "mesh"], subsets, clock).write(QUARTER, anyone)
    assert (canary(cluster), canary(cluster, "mesh")) == (25, 25)


def test_an_unreadable_record_does_not_keep_traffic_from_safety(cluster: Any, traffic: Traffic) -> None:
    body = cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")
    body["metadata"]["annotations"] = {"sluicegate.dev/rollout": "x", "sluicegate.dev/phase": "dancing"}
    body["spec"]["http"][0]["route"][1]["weight"] = 25
    cluster.put(VIRTUAL_SERVICES, "production", body)
    traffic.insist(lambda seen: AT_REST, patience=1)
    assert canary(cluster) == 0
