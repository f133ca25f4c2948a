"""An abort goes to the safe weights of the phase, marks the record, and touches nothing else."""

from typing import Any

import pytest

from checks.evidence import Weights
from ci.abort import taking_back
from ci.patch import Change
from ci.phases import ENDS, Phase, safe_weights
from ci.record import ABORT, KEYS, Record
from ci.traffic import Seen, Traffic
from fixtures.cluster import VIRTUAL_SERVICES
from fixtures.istio import Subsets
from fixtures.waiting import FakeClock

WHY = "ana@laptop: wrong version"


def seen(phase: Phase, **more: Any) -> Seen:
    annotations = Record(rollout="3f9c2a", phase=phase).annotations() | more
    return Seen({"metadata": {"name": "shop", "annotations": annotations}}, frozenset())


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in ENDS])
def test_abort_goes_to_the_safe_weights_of_every_phase(phase: Phase) -> None:
    assert taking_back(WHY)(seen(phase)) == Change(safe_weights(phase), {ABORT: WHY})


@pytest.mark.parametrize("phase", sorted(ENDS, key=lambda phase: phase.value))
def test_what_has_ended_is_left_alone(phase: Phase) -> None:
    assert taking_back(WHY)(seen(phase)) is None


def test_without_a_rollout_there_is_nothing_to_abort() -> None:
    assert taking_back(WHY)(Seen({"metadata": {"name": "shop"}}, frozenset())) is None


def test_a_driver_brakes_only_its_own_rollout() -> None:
    assert taking_back("SIGTERM", "3f9c2a")(seen(Phase.STEP)) is not None
    assert taking_back("SIGTERM", "another")(seen(Phase.STEP)) is None


def test_the_first_abort_stays_and_the_weights_are_seen_to_again() -> None:
    again = taking_back("ben@host")(seen(Phase.STEP, **{ABORT: WHY}))
    assert again == Change(Weights(100, 0), {})


def test_an_unreadable_record_is_aborted_to_canary_0() -> None:
    broken = seen(Phase.STEP, **{KEYS["phase"]: "dancing"})
    assert taking_back(WHY, "3f9c2a")(broken) == Change(Weights(100, 0), {ABORT: WHY})


def test_one_patch_moves_the_weights_and_says_who_did(cluster: Any, clock: FakeClock, subsets: Subsets) -> None:
    traffic = Traffic(cluster, "production", ["rebate-core"], subsets, clock)
    step = Change(Weights(75, 25), Record(rollout="3f9c2a", phase=Phase.STEP, step=25).annotations())
    traffic.write(step, lambda seen: None)
    cluster.writes.clear()
    traffic.insist(taking_back(WHY), patience=5)
    found = cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")
    assert [entry["weight"] for entry in found["spec"]["http"][0]["route"]] == [100, 0]
    assert found["metadata"]["annotations"][ABORT] == WHY
    assert len(cluster.writes) == 1
