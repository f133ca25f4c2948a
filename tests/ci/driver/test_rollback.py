"""Whatever goes wrong, traffic goes to safety first; then Git, the pods and the record are put back."""

from pathlib import Path
from typing import Any

import pytest

from ci.events import RollbackBegan, RollbackMeasured, SuiteEnded, VerdictReached, WeightsProved, WeightsWritten
from fixtures.cluster import VIRTUAL_SERVICES
from fixtures.errors import ClusterRefused, Unreachable

BAD = {"pods": "PASS", "error_rate": "FAIL"}
UNDECIDED = {"pods": "PASS", "error_rate": "INCONCLUSIVE"}
BLIND = {"restored": "INCONCLUSIVE"}
SERVED = ("preflight", "deploy", "step 5")


def assert_as_before(bench: Any) -> None:
    """Git, cluster and data plane are as before the release."""
    assert bench.canary == 0
    assert {image[-1] for image in bench.git.images.values()} == {"1"}
    assert bench.replicas() == 1
    assert not bench.service["metadata"].get("annotations")


def test_the_first_fail_takes_the_traffic_back_within_a_look(bench: Any) -> None:
    bench.suite("step-25", outcomes=BAD)
    ended = bench.run()
    assert bench.phases() == [*SERVED, "step 25", "roll back"]
    assert (ended.outcome, ended.exit_code, ended.sentence) == ("rolled back", 1, "error_rate says FAIL")
    [verdict] = [event for event in bench.told(VerdictReached) if event.outcome == "FAIL"]
    back = bench.told(WeightsWritten)[-1]
    assert back.canary == 0
    assert back.at - verdict.at < 0.03
    assert_as_before(bench)


def test_traffic_goes_before_anything_else_is_undone(bench: Any) -> None:
    bench.suite("step-25", outcomes=BAD)
    bench.run()
    began = [type(event).__name__ for event in bench.events].index("RollbackBegan")
    order = [type(event).__name__ for event in bench.events[began:]]
    expected = ["RollbackBegan", "PhaseEntered", "WeightsWritten", "WeightsProved", "SuiteEnded", "Pushed", "Synced"]
    assert order[:7] == expected


def test_a_suite_that_somebody_ends_is_not_waited_for(bench: Any) -> None:
    """Jenkins ends a build's children first: the driver's own signal comes when this run is gone, up to 5 s later."""
    bench.suite("step-25", told=2.0, decides=60.0)
    ended = bench.run()
    assert (ended.outcome, ended.sentence) == ("rolled back", "the suite step-25: the run was ended by SIGTERM")
    back, step = bench.told(WeightsWritten)[-1], next(each for each in bench.told(WeightsWritten) if each.canary == 25)
    assert (back.canary, back.at - step.at < 1.5) == (0, True)
    assert_as_before(bench)


def test_a_suite_that_failed_may_still_write_its_junit_file(bench: Any) -> None:
    bench.suite("step-05", outcomes=BAD)
    bench.run()
    assert [run.ended for run in bench.runs if run.order.name == "step-05"] == ["gently"]
    [ended] = [event for event in bench.told(SuiteEnded) if event.step == 5]
    assert (ended.passed, ended.why) == (False, "error_rate says FAIL")


def test_the_rollback_is_proved_against_what_was_before(bench: Any) -> None:
    bench.suite("step-05", outcomes=BAD)
    bench.run()
    [proof] = [run.order.options for run in bench.runs if run.order.scenario == "rollback"]
    assert proof["--before"].endswith("before.json")
    assert proof["--commit"] == "c2"
    assert "--image" not in proof


def test_a_proof_that_could_not_see_is_asked_for_again(bench: Any) -> None:
    bench.suite("step-05", outcomes=BAD)
    for name in ("rollback", "rollback-2"):
        bench.suite(name, outcomes=BLIND)
    ended = bench.run()
    assert (ended.outcome, ended.exit_code) == ("rolled back", 1)
    assert [run.order.name for run in bench.runs][-3:] == ["rollback", "rollback-2", "rollback-3"]


def test_a_proof_that_never_sees_calls_a_person(bench: Any) -> None:
    bench.suite("step-05", outcomes=BAD)
    for name in ("rollback", *(f"rollback-{number}" for number in range(2, 200))):
        bench.suite(name, outcomes=BLIND)
    ended = bench.run()
    assert (ended.outcome, ended.exit_code) == ("incomplete", 4)
    assert "restored says INCONCLUSIVE" in ended.sentence


def test_undecided_is_rolled_back_and_says_so(bench: Any) -> None:
    bench.suite("step-05", outcomes=UNDECIDED)
    assert bench.run().sentence == "error_rate says INCONCLUSIVE"
    assert_as_before(bench)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ({"outcomes": {"pods": "PASS", "error_rate": "SILENT"}}, "no verdict came from error_rate"),
        ({"status": 1}, "every gate has passed, but pytest ended with status 1"),
        ({"outcomes": {}}, "no gate decided anything"),
        ({"hangs": True}, "the suite step-05 does not end"),
        ({"opens": 99, "decides": 2, "status": 4}, "pytest ended with status 4 before it could watch anything"),
    ],
)
def test_a_suite_that_has_not_really_passed_is_no_reason_to_go_on(bench: Any, script: dict[str, Any], why: str) -> None:
    bench.suite("step-05", **script)
    ended = bench.run()
    assert why in ended.sentence
    assert max(bench.weights) <= 5
    assert_as_before(bench)


def test_a_suite_that_never_opens_raises_nothing(bench: Any) -> None:
    bench.suite("step-05", opens=10_000, decides=10_001)
    assert bench.run().outcome == "rolled back"
    assert bench.weights == [0]


def test_a_failed_preflight_changes_nothing(bench: Any) -> None:
    bench.suite("preflight", outcomes=BAD)
    ended = bench.run()
    assert (ended.outcome, ended.exit_code) == ("refused", 1)
    assert ended.sentence == "nothing was changed: error_rate says FAIL"
    assert bench.git.log == []
    assert bench.weights == [0]
    assert not bench.told(RollbackBegan)
    assert_as_before(bench)


def test_a_failed_deploy_never_had_traffic(bench: Any) -> None:
    bench.suite("deployed", outcomes=BAD)
    assert bench.run().outcome == "rolled back"
    assert bench.weights == [0]
    assert_as_before(bench)


def test_while_stable_may_be_half_rolled_the_canary_carries(bench: Any) -> None:
    bench.suite("promotion-ready", outcomes=BAD)
    assert bench.run().outcome == "rolled back"
    assert bench.phases()[-3:] == ["promote", "restore", "roll back"]
    assert bench.weights == [0, 5, 25, 50, 100, 0]
    synced = [what for _, weight, what in bench.history if weight == 100 and what.startswith("synced")]
    assert synced == ["synced c2", "synced c3"]
    assert_as_before(bench)


def test_stable_gets_no_traffic_back_while_its_deployment_still_asks_for_the_new_image(bench: Any) -> None:
    bench.suite("promotion-ready", outcomes=BAD)
    bench.after_entering("restore", lambda: setattr(bench, "lags", 20.0))
    moments: list[float] = []
    bench.after_entering("restore", lambda: moments.append(bench.clock.monotonic()))
    bench.after_entering("roll back", lambda: moments.append(bench.clock.monotonic()))
    assert bench.run().outcome == "rolled back"
    restored, went_back = moments
    assert went_back - restored >= 20
    assert_as_before(bench)


def test_the_canary_that_carries_is_not_touched_while_stable_is_put_back(bench: Any) -> None:
    bench.suite("promotion-ready", outcomes=BAD)
    images = []
    bench.after_entering("roll back", lambda: images.append(dict(bench.git.images)))
    bench.run()
    assert {name: image[-1] for name, image in images[0].items()} == {"rebate-core": "1", "rebate-core-canary": "2"}


def test_a_stable_that_does_not_serve_is_put_back(bench: Any) -> None:
    bench.suite("promotion-serving", outcomes=BAD)
    assert bench.run().outcome == "rolled back"
    assert bench.weights == [0, 5, 25, 50, 100, 0]
    assert_as_before(bench)


def test_a_weight_that_somebody_moves_is_noticed(bench: Any) -> None:
    def meddle() -> None:
        body = bench.service
        for entry, weight in zip(body["spec"]["http"][0]["route"], (50, 50), strict=True):
            entry["weight"] = weight
        bench.cluster.put(VIRTUAL_SERVICES, "production", body)

    bench.after_entering("step", meddle, later=2)
    ended = bench.run()
    assert ended.sentence == "somebody has changed the weights of rebate-core: found 50/50, expected 95/5"
    assert_as_before(bench)


def test_another_edit_of_the_virtual_service_is_left_alone(bench: Any) -> None:
    def edit() -> None:
        body = bench.service
        body["spec"]["http"][0]["timeout"] = "7s"
        bench.cluster.put(VIRTUAL_SERVICES, "production", body)

    bench.after_entering("step", edit, later=2)
    assert bench.run().outcome == "promoted"
    assert bench.service["spec"]["http"][0]["timeout"] == "7s"


def test_a_lost_lease_raises_nothing_more(bench: Any) -> None:
    bench.after_entering("step", lambda: setattr(bench, "held", False), later=2)
    assert "Lease" in bench.run().sentence
    assert max(bench.weights) == 5
    assert_as_before(bench)


def test_an_unfinished_rollout_of_somebody_else_is_refused_and_left_alone(bench: Any) -> None:
    body = bench.service
    theirs = {"sluicegate.dev/rollout": "77aa01", "sluicegate.dev/phase": "step", "sluicegate.dev/who": "ben@laptop"}
    body["metadata"]["annotations"] = theirs
    bench.cluster.put(VIRTUAL_SERVICES, "production", body)
    ended = bench.run()
    assert ended.sentence.startswith("nothing was changed: rollout 77aa01 of ben@laptop is not over (step)")
    assert bench.service["metadata"]["annotations"] == theirs


def test_git_that_is_away_does_not_keep_traffic_and_is_waited_for(bench: Any) -> None:
    bench.suite("step-05", outcomes=BAD)
    bench.after_entering("roll back", lambda: setattr(bench.git, "broken", Unreachable("git.example.com is away")))
    bench.at(100, lambda: setattr(bench.git, "broken", None))
    assert bench.run().outcome == "rolled back"
    assert bench.told(WeightsWritten)[-1].at - bench.told(RollbackBegan)[0].at == 0
    assert_as_before(bench)


def test_git_that_stays_away_calls_a_person_while_traffic_is_safe(bench: Any) -> None:
    bench.suite("step-05", outcomes=BAD)
    bench.after_entering("roll back", lambda: setattr(bench.git, "broken", Unreachable("git.example.com is away")))
    ended = bench.run()
    assert (ended.outcome, ended.exit_code) == ("incomplete", 4)
    assert ended.sentence.startswith("error_rate says FAIL; the rollback is not complete and a person is needed: git")
    assert bench.canary == 0
    assert bench.record.rollout == "3f9c2a"


def test_weights_that_can_not_be_written_do_not_keep_git_from_being_put_back(bench: Any) -> None:
    bench.suite("step-05", outcomes=BAD)
    refuse = lambda *arguments: (_ for _ in ()).throw(ClusterRefused("the webhook says no"))  # noqa: E731
    bench.after_entering("roll back", lambda: setattr(bench.cluster, "json_patch", refuse))
    ended = bench.run()
    assert ended.exit_code == 4
    assert "the webhook says no" in ended.sentence
    assert {image[-1] for image in bench.git.images.values()} == {"1"}
    assert bench.replicas() == 1


def test_a_rollback_that_can_not_be_proved_calls_a_person(bench: Any) -> None:
    bench.suite("step-05", outcomes=BAD)
    bench.suite("rollback", outcomes=BAD)
    ended = bench.run()
    assert (ended.outcome, ended.exit_code) == ("incomplete", 4)
    assert bench.record is not None


def test_a_mistake_of_the_driver_does_not_leave_the_traffic_where_it_is(bench: Any) -> None:
    def broken(*arguments: object, **more: object) -> None:
        raise ZeroDivisionError("oops")

    bench.after_entering("promote", lambda: setattr(bench.git, "commit_and_push", broken))
    assert "the driver has made a mistake: ZeroDivisionError('oops')" in bench.run().sentence
    assert_as_before(bench)


def test_a_rollout_that_has_taken_over_is_left_alone(bench: Any) -> None:
    def take_over() -> None:
        body = bench.service
        body["metadata"]["annotations"]["sluicegate.dev/rollout"] = "77aa01"
        bench.cluster.put(VIRTUAL_SERVICES, "production", body)

    bench.after_entering("step", take_over, later=2)
    ended = bench.run()
    assert ended.exit_code == 4
    assert "rollout 77aa01 has taken over" in ended.sentence
    assert bench.canary == 5
    assert bench.record.rollout == "77aa01"


def test_how_long_it_hurt_is_measured_by_envoys_own_log(bench: Any, tmp_path: Path) -> None:
    host = "rebate-core.production.svc.cluster.local"

    def line(after: float, subset: str, code: int) -> str:
        return f"{bench.clock.now() + after:.6f} outbound|80|{subset}|{host} pod-1 {code} - 3\n"

    bench.access_log = tmp_path / "access.log"
    log = [line(-9, "canary", 500), line(12, "canary", 500), line(13, "stable", 500), line(14.2, "canary", 200)]
    bench.access_log.write_text("".join(log))
    bench.suite("step-05", outcomes=BAD)
    began = bench.clock.now()
    bench.run()
    [measured] = bench.told(RollbackMeasured)
    assert (measured.first_bad, measured.last_routed, measured.bad) == (began + 12, began + 14.2, 1)
    [verdict] = [event for event in bench.told(VerdictReached) if event.outcome == "FAIL"]
    assert measured.verdict == verdict.at
    assert measured.written == bench.told(WeightsWritten)[-1].at


def test_nothing_is_measured_where_the_canary_never_had_traffic(bench: Any, tmp_path: Path) -> None:
    bench.access_log = tmp_path / "access.log"
    bench.access_log.touch()
    bench.suite("deployed", outcomes=BAD)
    bench.run()
    assert not bench.told(RollbackMeasured)


def test_stable_is_not_rolled_before_the_data_plane_has_left_it_even_where_gates_were_skipped(bench: Any) -> None:
    def force_without_routes() -> None:
        bench.says("force", "the fix can not wait")
        bench.obeys = False

    bench.suite("step-100", decides=30.0)
    bench.after_entering("promote", lambda: setattr(bench, "obeys", True), later=5)
    bench.after_entering("step", lambda: bench.at(bench.clock.monotonic() + 22, force_without_routes))
    ended = bench.run()
    proved = [event for event in bench.told(WeightsProved) if event.canary == 100]
    assert ended.outcome == "promoted"
    assert len(proved) == 1
    assert proved[0].took >= 4.9
