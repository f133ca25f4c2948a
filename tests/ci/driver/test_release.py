"""A good release: up step by step, promoted, everything at rest again."""

from typing import Any

import pytest

from ci.events import Pushed, RolloutBegan, RolloutEnded, Scaled, SuiteEnded, SuiteReady, WeightsProved, WeightsWritten
from fixtures.cluster import DEPLOYMENTS
from fixtures.release import Scale


def test_it_goes_through_every_phase_and_is_promoted(bench: Any) -> None:
    ended = bench.run()
    assert bench.phases() == [
        *("preflight", "deploy", "step 5", "step 25", "step 50", "step 100", "promote", "serve"),
    ]
    assert (ended.outcome, ended.exit_code) == ("promoted", 0)
    assert ended.sentence.startswith("rebate-core runs registry.example.com/shop/rebate-core-service@sha256:2")
    assert bench.told(RolloutEnded) == [ended]


def test_the_weights_go_up_step_by_step_and_back_to_stable(bench: Any) -> None:
    bench.run()
    assert bench.weights == [0, 5, 25, 50, 100, 0]


def test_it_ends_with_the_new_image_in_git_and_nothing_left_on_the_virtual_service(bench: Any) -> None:
    before = bench.service
    bench.run()
    assert set(bench.git.images.values()) == {"registry.example.com/shop/rebate-core-service@sha256:" + "2" * 64}
    assert [line.partition(" ")[2] for line in bench.git.log] == [
        "rebate-core: canary runs rebate-core-service@sha256:" + "2" * 64,
        "rebate-core: stable runs rebate-core-service@sha256:" + "2" * 64,
    ]
    after = bench.service
    assert after["spec"] == before["spec"]
    assert not after["metadata"].get("annotations")


def test_a_weight_rises_only_when_its_suite_is_ready_to_watch(bench: Any) -> None:
    bench.run()
    for step in (5, 25, 50, 100):
        [ready] = [event for event in bench.told(SuiteReady) if event.step == step]
        [risen] = [event for event in bench.told(WeightsWritten) if event.canary == step]
        assert bench.events.index(ready) < bench.events.index(risen)


def test_the_canary_gets_its_pods_before_its_weight(bench: Any) -> None:
    bench.run()
    sizes = [(event.deployment, event.replicas) for event in bench.told(Scaled)]
    canary = "rebate-core-canary"
    assert sizes == [(canary, 1), (canary, 1), (canary, 1), (canary, 2), (canary, 4), (canary, 1)]


def test_the_canarys_pods_do_not_fall_before_its_traffic_has_left(bench: Any) -> None:
    bench.run()
    down = [verb for verb, _, _ in bench.cluster.writes].index("scale 1")
    weights_at_the_end = [event for event in bench.events if isinstance(event, WeightsProved | Scaled)][-2:]
    assert [verb for verb, _, _ in bench.cluster.writes if verb.startswith("scale")] == [
        "scale 2",
        "scale 4",
        "scale 1",
    ]
    assert isinstance(weights_at_the_end[0], WeightsProved)
    assert weights_at_the_end[0].canary == 0
    assert bench.cluster.writes[down - 1][1] == "virtualservices"


def test_each_suite_gets_what_it_needs_to_judge(bench: Any) -> None:
    bench.run()
    orders = {run.order.name: dict(run.order.options) for run in bench.runs}
    assert list(orders) == [
        *("preflight", "deployed", "step-05", "step-25", "step-50", "step-100"),
        *("promotion-ready", "promotion-serving"),
    ]
    assert "--commit" not in orders["preflight"]
    assert (orders["deployed"]["--commit"], orders["promotion-ready"]["--commit"]) == ("c1", "c2")
    assert orders["step-25"]["--step"] == "25"
    assert orders["step-25"]["--carry"] == "step-05.jsonl"
    assert orders["promotion-serving"]["--step"] == "0"
    assert len({run.order.nonce for run in bench.runs}) == len(bench.runs)


def test_what_was_measured_is_told(bench: Any) -> None:
    bench.run()
    assert all(event.took == 5.0 or event.took == pytest.approx(4.5, abs=0.1) for event in bench.told(SuiteEnded))
    assert [event.took for event in bench.told(Pushed)] == [0, 0]


def test_where_reports_lead_is_told_at_the_beginning(bench: Any) -> None:
    bench.run()
    assert bench.told(RolloutBegan)[0].links == {"application": "https://argocd.example.com"}


def test_the_record_says_where_the_rollout_is(bench: Any) -> None:
    seen = []
    bench.after_entering("promote", lambda: seen.append(bench.record), later=0.5)
    bench.run()
    assert (seen[0].phase.value, seen[0].who, seen[0].commits) == (
        "promote",
        "ci@jenkins-7",
        {"canary": "c1", "stable": "c2"},
    )
    assert seen[0].before_replicas == 1


def test_an_image_that_git_has_already_needs_no_commit(bench: Any) -> None:
    bench.git.images["rebate-core-canary"] = "registry.example.com/shop/rebate-core-service@sha256:" + "2" * 64
    assert bench.run().exit_code == 0
    assert len(bench.git.log) == 1


def test_half_a_pod_is_a_whole_one(bench: Any) -> None:
    bench.cluster.scale(DEPLOYMENTS, "production", "rebate-core", 3)
    bench.run()
    assert [verb for verb, _, name in bench.cluster.writes if name == "rebate-core-canary"] == [
        "scale 2",
        "scale 3",
        "scale 1",
    ]


def test_where_people_scale_the_driver_only_waits_for_the_pods(bench: Any) -> None:
    bench.release = bench.release.model_copy(update={"scale": Scale.MANUAL})
    bench.after_entering("deploy", lambda: bench.cluster.scale(DEPLOYMENTS, "production", "rebate-core-canary", 4))
    assert bench.run().outcome == "promoted"
    assert [verb for verb, _, _ in bench.cluster.writes if verb.startswith("scale")] == ["scale 4"]


def test_pods_that_come_and_go_meanwhile_do_not_keep_the_canary_from_being_scaled(bench: Any) -> None:
    touched = []

    def touch(verb: str, name: str) -> None:
        if bench.phases()[-1:] == ["step 50"] and len(touched) < 3:
            touched.append(verb)
            body = bench.cluster.get(DEPLOYMENTS, "production", "rebate-core-canary")
            bench.cluster.put(DEPLOYMENTS, "production", body)

    get = bench.cluster.get

    def while_it_was_read(resource: Any, namespace: str, name: str) -> Any:
        found = get(resource, namespace, name)
        if name == "rebate-core-canary":
            bench.cluster.get = get
            touch("read", name)
            bench.cluster.get = while_it_was_read
        return found

    bench.cluster.get = while_it_was_read
    assert bench.run().outcome == "promoted"
    assert len(touched) == 3
