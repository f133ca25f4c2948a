"""Abort and brake win over everything, at any moment of any phase."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci.events import WeightsWritten
from fixtures.cluster import VIRTUAL_SERVICES

WAITING = ["preflight", "deploy", "step", "promote", "serve"]
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_safe(bench: Any) -> None:
    assert bench.canary == 0
    assert {image[-1] for image in bench.git.images.values()} == {"1"}
    assert not bench.service["metadata"].get("annotations")


@pytest.mark.parametrize("phase", WAITING)
@pytest.mark.parametrize("later", [0.1, 0.5, 1.0, 3.0])
def test_abort_wins_in_every_phase(bench: Any, phase: str, later: float) -> None:
    bench.after_entering(phase, bench.abort, later=later)
    ended = bench.run()
    assert ended.outcome == ("refused" if bench.phases()[-1] == "preflight" else "rolled back")
    assert "aborted by ana@laptop: wrong version" in ended.sentence or "record" in ended.sentence
    assert_safe(bench)


@pytest.mark.parametrize("phase", WAITING)
@pytest.mark.parametrize("later", [0.0, 0.5, 1.0, 3.0])
def test_the_brake_wins_in_every_phase(bench: Any, phase: str, later: float) -> None:
    def brake() -> None:
        bench.pulled = "SIGTERM"
        bench.abort("ci@jenkins-7: SIGTERM")

    bench.after_entering(phase, brake, later=later)
    assert "SIGTERM" in bench.run().sentence
    assert_safe(bench)


def test_an_abort_is_seen_within_a_tick(bench: Any) -> None:
    moments = []
    bench.after_entering("step", lambda: (moments.append(bench.clock.now()), bench.abort()), later=2.1)
    bench.run()
    assert bench.told(WeightsWritten)[-1].at - moments[0] <= 0.3


def test_an_abort_ends_the_suite_at_once(bench: Any) -> None:
    bench.after_entering("step", bench.abort, later=2)
    bench.run()
    assert [run.ended for run in bench.runs if run.order.name == "step-05"] == ["at once"]


def test_an_abort_just_before_the_end_wins_over_the_promotion(bench: Any) -> None:
    def scaled(verb: str, name: str) -> None:
        if verb == "scale 1":
            bench.cluster.after = lambda verb, name: None
            bench.abort()

    bench.cluster.after = scaled
    assert bench.run().outcome == "rolled back"
    assert_safe(bench)


def test_an_abort_just_before_the_promotion_gives_the_canary_nothing_back(bench: Any) -> None:
    def before(verb: str, name: str) -> None:
        if bench.phases()[-1] == "promote" and verb == "patch":
            bench.cluster.before = lambda verb, name: None
            bench.abort()

    bench.cluster.before = before
    assert bench.run().outcome == "rolled back"
    assert bench.weights == [0, 5, 25, 50, 100, 0]
    assert_safe(bench)


def test_a_recovery_that_was_there_first_is_not_undone_by_a_driver_that_wanted_to_promote(bench: Any) -> None:
    def before(verb: str, name: str) -> None:
        if bench.phases()[-1] == "promote" and verb == "patch":
            bench.cluster.before = lambda verb, name: None
            body = bench.service  # a recovery has taken all back, and has purged the record
            del body["metadata"]["annotations"]
            for entry, weight in zip(body["spec"]["http"][0]["route"], (100, 0), strict=True):
                entry["weight"] = weight
            bench.cluster.put(VIRTUAL_SERVICES, "production", body)
            bench._remember("recovered", "rebate-core")

    bench.cluster.before = before
    assert bench.run().outcome == "rolled back"
    assert bench.weights == [0, 5, 25, 50, 100, 0]
    assert_safe(bench)


def test_a_raise_that_is_on_its_way_when_the_brake_is_pulled_does_not_arrive(bench: Any) -> None:
    def while_patching(verb: str, name: str) -> None:
        if bench.phases()[-1] == "step 25":
            bench.cluster.before = lambda verb, name: None
            bench.pulled = "SIGTERM"
            bench.abort("ci@jenkins-7: SIGTERM")

    bench.cluster.before = while_patching
    bench.run()
    assert max(bench.weights) == 5
    assert_safe(bench)


@SLOW
@given(
    second=st.floats(0, 45),
    outcomes=st.lists(st.sampled_from(["PASS", "PASS", "PASS", "FAIL"]), min_size=8, max_size=8),
)
def test_whenever_it_is_aborted_and_whatever_the_suites_say_it_ends_at_rest(
    new_bench: Callable[[], Any], second: float, outcomes: list[str]
) -> None:
    bench = new_bench()
    names = (
        "preflight",
        "deployed",
        "step-05",
        "step-25",
        "step-50",
        "step-100",
        "promotion-ready",
        "promotion-serving",
    )
    for name, outcome in zip(names, outcomes, strict=True):
        bench.suite(name, outcomes={"pods": outcome})
    bench.at(second, bench.abort)
    ended = bench.run()
    assert bench.canary == 0
    assert not bench.service["metadata"].get("annotations")
    assert {image[-1] for image in bench.git.images.values()} == ({"2"} if ended.outcome == "promoted" else {"1"})
