"""What people say to a rollout: one patch that adds to the record, and nothing where it would mean nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from checks.evidence import Weights
from ci.ask import Said, ask
from ci.patch import Change
from ci.phases import Phase, Place, weights_at
from ci.record import KEYS, Record
from ci.traffic import Traffic
from fixtures.cluster import VIRTUAL_SERVICES
from fixtures.errors import InputError
from fixtures.istio import Subsets
from fixtures.waiting import FakeClock

MOMENT = "(2023-11-14T22:13:20.500Z)"


@pytest.fixture
def traffic(cluster: Any, clock: FakeClock, subsets: Subsets) -> Traffic:
    return Traffic(cluster, "production", ["rebate-core"], subsets, clock)


@pytest.fixture
def at(traffic: Traffic, cluster: Any) -> Callable[..., None]:
    """Bring the rollout to a place; what people have said is said by keyword."""

    def go(phase: Phase = Phase.STEP, step: int = 25, **said: str) -> None:
        record = Record(rollout="3f9c2a", phase=phase, step=step, who="ci@jenkins-7", held=said.pop("held", ""))
        words = {KEYS[verb]: text for verb, text in said.items()}
        weights: Weights = weights_at(Place(phase, step))
        traffic.write(Change(weights, record.annotations() | words), lambda seen: None)
        cluster.writes.clear()

    return go


@pytest.fixture
def say(traffic: Traffic) -> Callable[..., Said]:
    return lambda what, why="lunch": ask(traffic, what, "ana@laptop", why, 1_700_000_000.5)


def annotation(cluster: Any, verb: str) -> str | None:
    found: str | None = cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")["metadata"]["annotations"].get(
        KEYS[verb]
    )
    return found


@pytest.mark.parametrize("what", ["pause", "promote", "force"])
def test_it_is_one_patch_that_says_who_why_and_when(cluster: Any, at: Any, say: Any, what: str) -> None:
    at()
    said = say(what)
    assert annotation(cluster, what) == said.text == f"ana@laptop: lunch {MOMENT}"
    assert (said.rollout, said.weight, said.driver) == ("3f9c2a", 25, "ci@jenkins-7")
    assert len(cluster.writes) == 1


def test_nothing_else_changes(cluster: Any, at: Any, say: Any) -> None:
    at()
    before = cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")
    say("pause")
    after = cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")
    del after["metadata"]["annotations"][KEYS["pause"]]
    for each in (before, after):
        del each["metadata"]["resourceVersion"]
    assert after == before


@pytest.mark.parametrize("what", ["resume", "promote", "force"])
def test_whatever_lets_it_go_on_ends_a_pause(cluster: Any, at: Any, say: Any, what: str) -> None:
    at(pause=f"ben@host: wait {MOMENT}")
    say(what)
    assert annotation(cluster, "pause") is None
    assert annotation(cluster, what) == f"ana@laptop: lunch {MOMENT}"


def test_who_is_slower_reads_again_and_finds_what_the_faster_one_has_said(cluster: Any, at: Any, say: Any) -> None:
    at()

    def faster(verb: str, name: str) -> None:
        cluster.before = lambda verb, name: None
        body = cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")
        body["metadata"]["annotations"][KEYS["pause"]] = f"ben@host: wait {MOMENT}"
        cluster.put(VIRTUAL_SERVICES, "production", body)

    cluster.before = faster
    with pytest.raises(InputError, match="it is paused already, by ben@host: wait"):
        say("pause")
    assert annotation(cluster, "pause") == f"ben@host: wait {MOMENT}"


@pytest.mark.parametrize("what", ["pause", "resume", "promote", "force"])
@pytest.mark.parametrize("phase", [Phase.PROMOTE, Phase.SERVE, Phase.RESTORE, Phase.ROLL_BACK])
def test_where_it_waits_for_nobody_nothing_is_said(cluster: Any, at: Any, say: Any, what: str, phase: Phase) -> None:
    at(phase, 0)
    with pytest.raises(InputError, match=f"it is in {phase.value}, where it waits for nobody; `sluicegate abort"):
        say(what)
    assert cluster.writes == []


def test_after_an_abort_nothing_is_said(at: Any, say: Any) -> None:
    at(abort="ben@host: wrong version")
    with pytest.raises(InputError, match="it is aborted by ben@host: wrong version"):
        say("promote")


def test_without_a_rollout_nothing_is_said(cluster: Any, say: Any) -> None:
    with pytest.raises(InputError, match="no rollout is going on"):
        say("pause")
    assert cluster.writes == []


def test_resume_is_not_for_an_approval(at: Any, say: Any) -> None:
    at(Phase.HOLD, held="approval: a person has to say `sluicegate promote` before 50 %")
    with pytest.raises(InputError, match="it is not paused: approval: .*; `sluicegate promote RELEASE` approves it"):
        say("resume")


@pytest.mark.parametrize("held", ["undecided: canary error rate ...", "outage: both versions are bad ..."])
def test_resume_has_judged_again_what_was_not_decided(cluster: Any, at: Any, say: Any, held: str) -> None:
    at(Phase.HOLD, held=held)
    say("resume")
    assert annotation(cluster, "resume") == f"ana@laptop: lunch {MOMENT}"


def test_there_is_nothing_to_resume_in_a_step_that_is_not_paused(at: Any, say: Any) -> None:
    at()
    with pytest.raises(InputError, match="it is not paused; `sluicegate status"):
        say("resume")


def test_gates_of_no_weight_are_never_skipped(at: Any, say: Any) -> None:
    at(Phase.DEPLOY, 0)
    with pytest.raises(InputError, match="the canary has no weight whose gates could be skipped"):
        say("force")


def test_it_is_said_to_the_first_of_several_virtual_services(
    cluster: Any, clock: FakeClock, subsets: Subsets, at: Any
) -> None:
    at()
    mesh = cluster.get(VIRTUAL_SERVICES, "production", "rebate-core")
    mesh["metadata"]["name"] = "rebate-core-mesh"
    cluster.put(VIRTUAL_SERVICES, "production", mesh)
    both = Traffic(cluster, "production", ["rebate-core", "rebate-core-mesh"], subsets, clock)
    ask(both, "pause", "ana@laptop", "lunch", 1_700_000_000.5)
    assert [name for _, _, name in cluster.writes] == ["rebate-core"]
