"""The judges see what is wrong: each is given a good history in which one thing is changed."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from benchmarks.simulation.judges import judged
from benchmarks.simulation.outside import CANARY, STABLE, Pods, canary_weight
from benchmarks.simulation.plan import Driving, Plan
from benchmarks.simulation.simulation import History, simulate
from benchmarks.simulation.store import Write, copied
from benchmarks.simulation.weather import Weather
from ci.events import RolloutEnded


def calm() -> Plan:
    """Nothing goes wrong: the image is promoted."""
    return Plan(
        seed=1,
        weather=Weather(calm=0.0, random=Random(1)),
        drivers=(Driving(0.0, "aaaa01"),),
        recoveries=(),
        cron=(),
        words=(),
        meddling=(),
        steps=(25, 100),
        bad="",
        release={"hold_stable": "min_replicas", "after": "0s"},
        replicas=1,
    )


@pytest.fixture
def history() -> History:
    return simulate(calm())


def change(history: History, which: Callable[[Write], bool], edit: Callable[[Any], None]) -> None:
    """Change what the first write of that kind has written."""
    place = next(place for place, write in enumerate(history.store.writes) if which(write))
    write = history.store.writes[place]
    after = copied(write.after or {})
    edit(after)
    history.store.writes[place] = replace(write, after=after)


def raising(write: Write) -> bool:
    return bool(
        write.kind == "virtualservices"
        and write.before
        and write.after
        and canary_weight(write.after) > canary_weight(write.before)
    )


def by_driver(kind: str) -> Callable[[Write], bool]:
    return lambda write: write.kind == kind and write.who.startswith("driver")


def test_a_good_history_is_good(history: History) -> None:
    assert judged(history) == []
    [end] = history.ends
    assert isinstance(end.end, RolloutEnded)
    assert end.end.outcome == "promoted"


def test_a_suite_that_has_not_passed_is_missed(history: History) -> None:
    for run in history.judged:
        if (run.scenario, run.step) == ("canary_step", 25):
            run.at = float("inf")
    assert [found for found in judged(history) if "but step 25 has not passed" in found]


def test_a_raise_without_the_lease_is_seen(history: History) -> None:
    place = next(place for place, write in enumerate(history.store.writes) if raising(write))
    history.store.writes[place] = replace(history.store.writes[place], holder="cron-7/aaaa01")
    assert "raises without the Lease, which cron-7/aaaa01 holds" in judged(history)[0]


def test_a_weight_that_is_not_the_records_is_seen(history: History) -> None:
    change(history, raising, lambda body: body["spec"]["http"][0]["route"][1].update(weight=26))
    assert any(found.startswith("agreement") for found in judged(history))


def test_a_foreign_change_that_is_lost_is_seen(history: History) -> None:
    change(history, by_driver("virtualservices"), lambda body: body["spec"]["http"][0].update(timeout="9s"))
    assert any("changes what is not its own in virtualservices" in found for found in judged(history))


def test_a_scaled_stable_is_seen(history: History) -> None:
    write = next(each for each in history.store.writes if each.kind == "deployments" and each.name == STABLE)
    after = copied(write.after or {})
    after["spec"]["replicas"] = 3
    history.store.writes.append(replace(write, at=9.0, who="driver-aaaa01-1", before=write.after, after=after))
    assert "width: 9.00 driver-aaaa01-1 scales stable" in judged(history)


def test_a_version_without_pods_that_gets_traffic_is_seen(history: History) -> None:
    at = next(each.at for each in history.routes if each.most)
    history.pods[:] = [each for each in history.pods if each.deployment != CANARY or each.at > at + 0.1]
    assert any("without a ready pod" in found for found in judged(history))


def test_half_rolled_stable_under_traffic_is_seen(history: History) -> None:
    first = next(each.at for each in history.routes if each.most)  # long before stable is proved with the new image
    history.pods.append(Pods(first + 0.1, STABLE, {"old": 2, "new": 2}))
    history.pods.sort(key=lambda each: each.at)
    assert any("stable is half rolled and has 75 %" in found for found in judged(history))


def test_a_false_promoted_is_seen(history: History) -> None:
    [end] = history.ends
    history.ends[:] = [replace(end, files={**end.files, STABLE: "old"})]
    assert any("says promoted, but" in found for found in judged(history))


def test_a_person_who_is_not_told_why_is_seen(history: History) -> None:
    [end] = history.ends
    assert isinstance(end.end, RolloutEnded)
    said = replace(end.end, outcome="incomplete", exit_code=4, sentence="x; a person is needed: ")
    history.ends[:] = [replace(end, end=said)]
    assert any("not why a person is needed" in found for found in judged(history))


def test_what_is_left_behind_is_seen(history: History) -> None:
    history.store.objects["virtualservices", STABLE]["spec"]["http"][0]["route"][1]["weight"] = 5
    assert any("the canary has 5 %" in found for found in judged(history))


def test_a_lease_that_is_snatched_is_seen(history: History) -> None:
    place = max(place for place, write in enumerate(history.store.writes) if write.kind == "leases")
    write = history.store.writes[place]
    after = {**(write.after or {}), "spec": {"holderIdentity": "driver-bbbb02-9/bbbb02"}}
    history.store.writes[place] = replace(write, after=after)
    assert any(found.startswith("lease:") for found in judged(history))


def test_an_error_of_our_own_is_seen(history: History) -> None:
    history.crashes.append(("driver-aaaa01-1", ZeroDivisionError("oops")))
    assert judged(history) == ["mistakes: driver-aaaa01-1 ZeroDivisionError('oops')"]


def test_a_raise_on_a_lease_that_could_not_be_renewed_is_seen(history: History) -> None:
    place = next(place for place, write in enumerate(history.store.writes) if raising(write))
    write = history.store.writes[place]
    history.store.writes[place] = replace(write, at=write.at + 20)
    assert any(found.startswith("lease:") and "s after the Lease was renewed" in found for found in judged(history))


def test_an_autoscaler_that_is_freed_before_the_canary_is_off_is_seen(history: History) -> None:
    shared = next(each.at for each in history.routes if each.most)
    place = max(place for place, each in enumerate(history.store.writes) if each.kind == "horizontalpodautoscalers")
    history.store.writes[place] = replace(history.store.writes[place], at=shared)
    assert "frees the autoscaler while the canary has 25 %" in "".join(judged(history))


def test_a_person_who_is_called_to_a_canary_that_has_its_weight_is_seen(history: History) -> None:
    [end] = history.ends
    assert isinstance(end.end, RolloutEnded)
    said = replace(end.end, outcome="incomplete", exit_code=4, sentence="x; a person is needed: y")
    history.ends[:] = [replace(end, end=said, weight=25.0)]
    history.store.writes[:] = [each for each in history.store.writes if each.kind != "virtualservices" or raising(each)]
    assert any("says incomplete and leaves the canary 25 %" in found for found in judged(history))
