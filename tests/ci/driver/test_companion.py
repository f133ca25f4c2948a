"""Somebody always watches: also while pods get ready, and while Argo CD brings the new image into stable."""

from typing import Any

import pytest

from fixtures.cluster import DEPLOYMENTS
from scenarios import canary_step

PROMOTING = set(canary_step.PARTS["promoting"])


def watched(bench: Any) -> dict[str, Any]:
    """Give the runs that only watched, by name."""
    return {run.order.name: run for run in bench.runs if run.order.watch}


@pytest.fixture
def slow_pods(bench: Any) -> Any:
    """A cluster where new canary pods take twenty seconds to get ready."""
    real = bench.cluster.scale

    def scale(resource: Any, namespace: str, name: str, replicas: int, version: str = "") -> Any:
        body = bench.cluster.get(DEPLOYMENTS, namespace, name)
        real(resource, namespace, name, replicas)
        if replicas > body["spec"]["replicas"]:
            late = bench.cluster.get(DEPLOYMENTS, namespace, name)
            late["status"]["readyReplicas"] = body["status"]["readyReplicas"]
            bench.cluster.put(DEPLOYMENTS, namespace, late)
            bench.at(bench.clock.monotonic() + 20, lambda: real(resource, namespace, name, replicas))
        return late if replicas > body["spec"]["replicas"] else body

    bench.cluster.scale = scale
    return bench


def test_while_the_next_pods_get_ready_the_canary_is_watched_at_its_weight(slow_pods: Any) -> None:
    assert slow_pods.run().outcome == "promoted"
    assert list(watched(slow_pods)) == ["watch-25", "watch-50"]
    watch = dict(watched(slow_pods)["watch-25"].order.options)
    assert (watch["--step"], watch["--carry"]) == ("25", "step-25.jsonl")
    [step] = [run.order.options for run in slow_pods.runs if run.order.name == "step-50"]
    assert step["--carry"] == "watch-25.jsonl"


def test_harm_while_the_next_pods_get_ready_takes_traffic_back(slow_pods: Any) -> None:
    slow_pods.suite("watch-25", at={"error_rate": 9.0})
    ended = slow_pods.run()
    assert (ended.outcome, ended.sentence) == ("rolled back", "error_rate says FAIL")
    assert max(slow_pods.weights) == 25


def test_while_argocd_brings_the_image_into_stable_the_canary_that_carries_all_is_watched(bench: Any) -> None:
    bench.sync_takes = 60.0
    assert bench.run().outcome == "promoted"
    [watch] = watched(bench).values()
    options = dict(watch.order.options)
    assert (watch.order.name, options["--step"], options["--part"]) == ("watch-100", "100", "promoting")
    assert watch.ended == "at once"


def test_harm_then_leads_back_by_way_of_the_old_image(bench: Any) -> None:
    bench.sync_takes = 60.0
    bench.suite("watch-100", at={"latency": 20.0})
    ended = bench.run()
    assert (ended.outcome, ended.sentence) == ("rolled back", "latency says FAIL")
    assert bench.phases()[-3:] == ["promote", "restore", "roll back"]
    assert {image[-1] for image in bench.git.images.values()} == {"1"}


def test_abort_wins_over_it(bench: Any) -> None:
    bench.sync_takes = 60.0
    bench.after_entering("promote", bench.abort, later=30)
    assert "aborted by ana@laptop" in bench.run().sentence
    assert [run.ended for run in watched(bench).values()] == ["at once"]


def test_what_takes_a_moment_costs_no_run(bench: Any) -> None:
    bench.sync_takes = 4.0
    assert bench.run().outcome == "promoted"
    assert watched(bench) == {}


def test_a_canary_without_traffic_is_not_watched(bench: Any) -> None:
    bench.sync_takes = 60.0
    bench.suite("deployed", outcomes={"pods": "FAIL"})
    assert bench.run().outcome == "rolled back"
    assert watched(bench) == {}


def test_all_gates_of_a_step_watch_then_but_that_of_argocd() -> None:
    gates = {name.removeprefix("test_") for name in dir(canary_step) if name.startswith("test_")}
    assert gates - PROMOTING == {"argocd_stays_synced"}
    assert gates >= PROMOTING
