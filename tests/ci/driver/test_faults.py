"""A faulty world: for each fault what is done, and what is said. docs/faults.md has them all in one table."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from ci.events import PhaseEntered, RollbackBegan, WeightsWritten
from fixtures.argocd import NotSynced
from fixtures.cluster import DEPLOYMENTS, VIRTUAL_SERVICES, Forbidden
from fixtures.errors import SluicegateError, Unreachable

BAD = {"pods": "PASS", "error_rate": "FAIL"}


def assert_as_before(bench: Any) -> None:
    assert bench.canary == 0
    assert {image[-1] for image in bench.git.images.values()} == {"1"}
    assert bench.replicas() == 1
    assert not bench.service["metadata"].get("annotations")


def for_a_while(bench: Any, seconds: float, begin: Callable[[], None], end: Callable[[], None]) -> Callable[[], None]:
    """Let a fault begin when it is called, and be over some seconds later."""

    def act() -> None:
        begin()
        bench.at(bench.clock.monotonic() + seconds, end)

    return act


def breaking(bench: Any, seconds: float, error: SluicegateError) -> Callable[[], None]:
    """Let the API server answer nothing but this for a while."""
    set_to = lambda value: setattr(bench.cluster, "broken", value)  # noqa: E731
    return for_a_while(bench, seconds, lambda: set_to(error), lambda: set_to(None))


def taken_back_after(bench: Any) -> float:
    """Give the seconds from the decision to the weights."""
    return bench.told(WeightsWritten)[-1].at - bench.told(RollbackBegan)[-1].at


@pytest.mark.parametrize("error", [Unreachable("no answer in time"), Forbidden("the token has expired (401)")])
def test_a_partition_of_nearly_ten_minutes_is_outlasted_and_then_traffic_goes_at_once(bench: Any, error: Any) -> None:
    def begin() -> None:
        breaking(bench, 590, error)()
        bench.at(bench.clock.monotonic() + 10, lambda: setattr(bench, "held", False))  # the Lease is not renewed

    bench.suite("step-05", decides=60.0)
    bench.after_entering("step", begin, later=2)
    ended = bench.run()
    assert (ended.outcome, ended.exit_code) == ("rolled back", 1)
    assert "the Lease could not be renewed" in ended.sentence
    assert 570 < taken_back_after(bench) < 590
    assert max(bench.weights) == 5
    assert_as_before(bench)


def test_an_api_server_that_stumbles_does_not_end_a_good_release(bench: Any) -> None:
    get, random = bench.cluster.get, Random(1)

    def some_fail(*arguments: Any) -> Any:
        if random.random() < 0.03:
            raise Unreachable("the API server is not able to do it now (500)")
        return get(*arguments)

    bench._sync = lambda watch: watch.sleep(1)
    bench.after_entering("step", lambda: setattr(bench.cluster, "get", some_fail))
    bench.after_entering("serve", lambda: setattr(bench.cluster, "get", get))
    assert bench.run().outcome == "promoted"


def test_a_webhook_that_hangs_keeps_no_traffic_longer_than_it_hangs(bench: Any) -> None:
    patch = bench.cluster.json_patch

    def hanging(resource: Any, *arguments: Any) -> Any:
        if resource is VIRTUAL_SERVICES:
            bench.clock.sleep(5)
            raise Unreachable("failed calling webhook (500)")
        return patch(resource, *arguments)

    set_to = lambda value: setattr(bench.cluster, "json_patch", value)  # noqa: E731
    bench.suite("step-25", outcomes=BAD)
    bench.after_entering("roll back", for_a_while(bench, 60, lambda: set_to(hanging), lambda: set_to(patch)))
    assert bench.run().outcome == "rolled back"
    assert 55 < taken_back_after(bench) < 70
    assert_as_before(bench)


def test_routes_that_come_late_are_waited_for(bench: Any) -> None:
    set_to = lambda value: setattr(bench, "obeys", value)  # noqa: E731
    bench.suite("step-25", outcomes=BAD)
    bench.after_entering("roll back", for_a_while(bench, 20, lambda: set_to(False), lambda: set_to(True)))
    assert bench.run().outcome == "rolled back"
    assert_as_before(bench)


def test_routes_that_never_come_call_a_person_and_the_canary_keeps_its_pods(bench: Any) -> None:
    bench.suite("step-25", outcomes=BAD)
    bench.after_entering("roll back", lambda: setattr(bench, "obeys", False))
    ended = bench.run()
    assert ended.exit_code == 4
    assert "not seen within 30 s: every sending Envoy giving the canary 0 %" in ended.sentence
    assert bench.canary == 0
    assert bench.replicas() > 0
    assert {image[-1] for image in bench.git.images.values()} == {"1"}


def test_an_argo_cd_at_odds_with_our_commit_is_waited_for_while_traffic_is_safe(bench: Any) -> None:
    odds = NotSynced("the sync to commit c2 has failed and is being retried", "Argo CD application rebate-core-prod")
    set_to = lambda value: setattr(bench, "argocd", value)  # noqa: E731
    bench.suite("step-25", outcomes=BAD)
    bench.after_entering("roll back", for_a_while(bench, 120, lambda: set_to(odds), lambda: set_to(None)))
    assert bench.run().outcome == "rolled back"
    assert taken_back_after(bench) == 0
    assert_as_before(bench)


def test_an_argo_cd_that_stays_at_odds_calls_a_person_while_traffic_is_safe(bench: Any) -> None:
    bench.suite("step-25", outcomes=BAD)
    bench.after_entering("roll back", lambda: setattr(bench, "argocd", NotSynced("it is Degraded at c2")))
    ended = bench.run()
    assert ended.exit_code == 4
    assert ended.sentence.endswith("it is Degraded at c2")
    assert bench.canary == 0
    assert bench.record is not None


def test_an_argo_cd_that_does_not_bring_the_canary_leads_back(bench: Any) -> None:
    set_to = lambda value: setattr(bench, "argocd", value)  # noqa: E731
    bench.after_entering("deploy", lambda: set_to(NotSynced("ImagePullBackOff")))
    bench.after_entering("roll back", lambda: set_to(None))
    ended = bench.run()
    assert (ended.outcome, ended.sentence) == ("rolled back", "ImagePullBackOff")
    assert bench.weights == [0]
    assert_as_before(bench)


def test_pods_that_never_get_ready_get_no_weight(bench: Any) -> None:
    scale = bench.cluster.scale

    def unready(resource: Any, namespace: str, name: str, replicas: int, version: str = "") -> Any:
        before = bench.cluster.get(resource, namespace, name)["status"]
        scaled = scale(resource, namespace, name, replicas, version)
        more = replicas > before["readyReplicas"]
        return bench.cluster.put(resource, namespace, {**scaled, "status": before}) if more else scaled

    bench.cluster.scale = unready
    ended = bench.run()
    assert ended.outcome == "rolled back"
    assert "not seen within 300 s: 2 ready pods of Deployment rebate-core-canary" in ended.sentence
    assert max(bench.weights) == 25
    assert_as_before(bench)


def test_a_virtual_service_that_is_deleted_calls_a_person_soon_and_git_is_put_back(bench: Any) -> None:
    ended: list[Any] = []
    kept = bench.service
    bench.after_entering("step", lambda: bench.cluster.delete(VIRTUAL_SERVICES, "production", "rebate-core"), later=2)
    bench._sync = lambda watch: watch.sleep(1)
    ended.append(bench.run())
    assert ended[0].exit_code == 4
    assert "there is nothing whose weights could be set" in ended[0].sentence
    assert {image[-1] for image in bench.git.images.values()} == {"1"}
    entered = [event.at for event in bench.told(PhaseEntered) if event.phase == "roll back"]
    assert ended[0].at - entered[0] < 30
    bench.cluster.put(VIRTUAL_SERVICES, "production", kept)


def test_a_canary_that_is_deleted_is_taken_back_and_a_person_called(bench: Any) -> None:
    bench.suite("step-05", outcomes={"pods": "FAIL"})
    bench.after_entering("step", lambda: bench.cluster.delete(DEPLOYMENTS, "production", "rebate-core-canary"), later=2)
    bench._sync = lambda watch: watch.sleep(1)
    ended = bench.run()
    assert ended.exit_code == 4
    assert "deployments production/rebate-core-canary" in ended.sentence
    assert bench.canary == 0
    assert {image[-1] for image in bench.git.images.values()} == {"1"}


@pytest.mark.parametrize("effect", ["Refresh", "KeepBefore", "Settle"])
def test_an_api_server_that_does_not_take_an_effects_first_calls_is_asked_again(bench: Any, effect: str) -> None:
    stumbling(bench, effect, times=3)
    assert bench.run().outcome == "promoted"


@pytest.mark.parametrize("effect", ["Refresh", "KeepBefore", "Settle"])
def test_an_api_server_that_never_takes_it_is_given_up_before_the_lease_is(bench: Any, effect: str) -> None:
    stumbling(bench, effect, times=1000)
    bench.run()
    [entered, *_] = [each.at for each in bench.told(PhaseEntered) if each.phase == "roll back"] or [bench.clock.now()]
    before = [each.at for each in bench.told(PhaseEntered) if each.phase in ("preflight", "deploy")][-1]
    assert 10 <= entered - before < 20


def stumbling(bench: Any, effect: str, times: int) -> None:
    """Let the API server refuse an effect's first calls, on the way up."""
    left = [times]
    driver = bench._driver

    def made(*arguments: Any) -> Any:
        made = driver(*arguments)
        perform = bench.performer.perform

        def performing(what: Any, place: Any) -> None:
            if type(what).__name__ == effect and left[0] and place.phase.value in ("preflight", "deploy"):
                left[0] -= 1
                raise Unreachable("the API server is not able to patch it now (500)")
            perform(what, place)

        bench.performer.perform = performing
        return made

    bench._driver = made
