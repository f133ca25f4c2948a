"""``hold_stable: min_replicas``: nobody shrinks stable while the canary takes its traffic; free at the end."""

from typing import Any

import pytest

from ci.autoscaler import Raised
from ci.events import Note
from fixtures.cluster import HPAS, Conflict, NotFound
from fixtures.errors import ClusterRefused, Unreachable
from fixtures.release import HoldStable


def autoscaler(name: str = "rebate-core", target: str = "rebate-core", **least: int) -> dict[str, Any]:
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    return {"metadata": {"name": name}, "spec": {"scaleTargetRef": scaled, "maxReplicas": 10, **least}}


@pytest.fixture
def scaled(bench: Any) -> Any:
    """A release whose stable version has four pods, and an autoscaler that may go down to two."""
    bench.release = bench.release.model_copy(update={"hold_stable": HoldStable.MIN_REPLICAS})
    bench.cluster.put(HPAS, "production", autoscaler(minReplicas=2))
    return bench


def least(bench: Any, name: str = "rebate-core") -> int | None:
    found: int | None = bench.cluster.get(HPAS, "production", name)["spec"].get("minReplicas")
    return found


def notes(bench: Any) -> list[str]:
    return [event.text.partition(": ")[2] for event in bench.told(Note) if event.text.startswith("autoscaler")]


def test_it_is_raised_before_the_first_weight_and_put_back_at_the_end(scaled: Any) -> None:
    seen = []
    for step in ("step-05", "step-100"):
        scaled.suite(step)
    scaled.after_entering("deploy", lambda: seen.append(least(scaled)), later=0.5)
    scaled.after_entering("step", lambda: seen.append((least(scaled), scaled.canary)), later=0.9)
    scaled.after_entering("promote", lambda: seen.append(least(scaled)), later=0.5)
    assert scaled.run().outcome == "promoted"
    assert seen == [2, (4, 0), 4]
    assert least(scaled) == 2
    assert notes(scaled) == ["its minReplicas is 4 for the time of the release, not 2", "its minReplicas is 2 again"]


def test_the_old_number_stands_in_the_record_before_the_new_one_is_set(scaled: Any) -> None:
    recorded = []

    def before(verb: str, name: str) -> None:
        if verb == "patch" and scaled.phases()[-1].startswith("step") and least(scaled) == 2:
            recorded.append(scaled.record.before_min)

    scaled.cluster.before = before
    scaled.run()
    assert recorded == ["", "rebate-core=2/4"]  # before the record's own write, and before the autoscaler's


@pytest.mark.parametrize("suite", ["step-05", "step-100", "promotion-ready", "promotion-serving"])
def test_it_is_put_back_after_a_rollback_too(scaled: Any, suite: str) -> None:
    scaled.suite(suite, outcomes={"error_rate": "FAIL"})
    assert scaled.run().outcome == "rolled back"
    assert least(scaled) == 2


def test_it_stays_raised_as_long_as_the_data_plane_is_not_proved_and_a_recovery_puts_it_back(scaled: Any) -> None:
    scaled.suite("step-25", outcomes={"error_rate": "FAIL"})
    scaled.after_entering("roll back", lambda: setattr(scaled, "obeys", False))
    assert scaled.run().exit_code == 4
    assert (least(scaled), scaled.record.before_min) == (4, "rebate-core=2/4")
    scaled.obeys = True
    assert scaled.recover().exit_code == 1
    assert least(scaled) == 2


def test_it_is_put_back_although_git_is_gone(scaled: Any) -> None:
    scaled.suite("step-05", outcomes={"error_rate": "FAIL"})
    scaled.after_entering("step", lambda: setattr(scaled.git, "broken", ClusterRefused("protected branch")))
    assert scaled.run().outcome == "incomplete"
    assert least(scaled) == 2


def test_an_autoscaler_without_a_number_gets_one_and_ends_with_what_that_meant(scaled: Any) -> None:
    scaled.cluster.put(HPAS, "production", autoscaler())
    assert scaled.run().outcome == "promoted"
    assert least(scaled) == 1


def test_only_stables_own_autoscaler_is_raised_and_only_where_it_is_too_low(scaled: Any) -> None:
    scaled.cluster.put(HPAS, "production", autoscaler(minReplicas=4))
    scaled.cluster.put(HPAS, "production", autoscaler("other", target="orders", minReplicas=1))
    assert scaled.run().outcome == "promoted"
    assert not [name for verb, plural, name in scaled.cluster.writes if plural == "horizontalpodautoscalers"]


def test_what_undoes_it_ends_the_release_with_what_to_do(scaled: Any) -> None:
    heal = autoscaler(minReplicas=2)
    scaled.after_entering("step", lambda: scaled.cluster.put(HPAS, "production", heal), later=3)
    ended = scaled.run()
    assert ended.outcome == "rolled back"
    assert "its minReplicas is 2, not 4: somebody has undone" in ended.sentence
    assert "let its Application ignore /spec/minReplicas" in ended.sentence
    assert max(scaled.weights) == 5


def test_a_raise_that_comes_after_it_was_given_up_changes_nothing(scaled: Any) -> None:
    late: list[Any] = []
    patch = scaled.cluster.json_patch

    def slow(resource: Any, namespace: str, name: str, operations: Any) -> Any:
        if resource is HPAS and operations[-1].get("value") == 4:
            late.append(lambda: patch(resource, namespace, name, operations))
            raise Unreachable("no answer in time", name)
        return patch(resource, namespace, name, operations)

    scaled.cluster.json_patch = slow
    ended = scaled.run()
    assert ended.outcome == "rolled back", ended.sentence
    for each in late:
        with pytest.raises(Conflict):
            each()
    assert least(scaled) == 2
    assert not scaled.cluster.get(HPAS, "production", "rebate-core")["metadata"].get("annotations")


@pytest.mark.parametrize("theirs", [7, None])
def test_what_somebody_else_has_set_meanwhile_is_theirs(scaled: Any, theirs: int | None) -> None:
    def change() -> None:
        if theirs is None:
            scaled.cluster.delete(HPAS, "production", "rebate-core")
        else:
            scaled.cluster.put(HPAS, "production", autoscaler(minReplicas=theirs))

    scaled.after_entering("promote", change)
    assert scaled.run().outcome == "promoted"
    assert notes(scaled)[-1] == "somebody has changed its minReplicas or removed it: it is left as it is"
    if theirs:
        assert least(scaled) == theirs
    else:
        with pytest.raises(NotFound):
            least(scaled)


def test_a_release_that_only_checks_changes_no_autoscaler(bench: Any) -> None:
    bench.cluster.put(HPAS, "production", autoscaler(minReplicas=2))
    assert bench.run().outcome == "promoted"
    assert not [name for verb, plural, name in bench.cluster.writes if plural == "horizontalpodautoscalers"]


def test_the_record_can_be_read_by_whoever_comes_next() -> None:
    assert Raised.read("rebate-core=2/4") == Raised("rebate-core", 2, 4)
    assert str(Raised.read("rebate-core=2/4")) == "rebate-core=2/4"
