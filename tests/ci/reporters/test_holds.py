"""A rollout that was held, as people are told of it: on the screen, in a log, in the cluster and at the end."""

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from ci.events import Asked, Event, Held, HoldEnded, PhaseEntered, RolloutEnded, StepsChosen, SuiteReady, VerdictReached
from ci.reporters.closing import closing
from ci.reporters.kubernetes_events import KubernetesEvents
from ci.reporters.plain import Plain
from ci.reporters.screen import Screen
from ci.reporters.sentences import sentence
from ci.reporters.timeline import parts
from ci.reporters.view import seen

Drawn = Callable[..., str]
WHY = "a person has to say `sluicegate promote` before 50 %"


@pytest.fixture
def held(promoted: list[Event]) -> list[Event]:
    """The recorded promotion up to its step of 50 %, held before that for an hour less a minute."""
    place = next(at for at, event in enumerate(promoted) if isinstance(event, PhaseEntered) and event.step == 50)
    at = promoted[place].at
    return [
        *promoted[:place],
        PhaseEntered(at=at, phase="hold", step=25),
        Held(at=at, step=25, cause="approval", why=WHY, limit=3600.0),
    ]


@pytest.fixture
def gone_on(promoted: list[Event], held: list[Event]) -> list[Event]:
    """The same, and the rest of it after somebody has said promote."""
    at = held[-1].at + 3540
    undecided = VerdictReached(
        at=at - 60, suite="canary_step", step=25, gate="pods", outcome="INCONCLUSIVE", sentence="1 of 2", after=9.0
    )
    asked = Asked(at=at, what="promote", who="ana@laptop", why="looks good (2026-11-24T23:55:00Z)", step=25)
    rest = [replace(event, at=event.at + 3541) for event in promoted[len(held) - 2 :]]
    return [*held, undecided, asked, HoldEnded(at=at + 1, step=25, took=3541.0), *rest]


def test_one_sees_why_it_is_held_and_what_lets_it_go_on(held: list[Event], drawn: Drawn) -> None:
    now = held[-1].at + 60
    shown = drawn(Screen(seen(held, now), held, now, "sluicegate abort release.yaml"))
    assert "rebate-core: hold 25 %" in shown
    assert "waiting for" not in shown
    assert WHY in shown
    assert "sluicegate abort release.yaml" in shown
    assert "In place of abort: promote lets it go on; pause lets no weight rise" in shown


def test_once_it_goes_on_nothing_is_said_to_be_held(gone_on: list[Event]) -> None:
    assert seen(gone_on, gone_on[-1].at).held == ""


def test_held_time_is_no_riddle_in_the_overhead(gone_on: list[Event]) -> None:
    [hold] = [part for part in parts(gone_on, gone_on[-1].at) if part.label == "hold 25 %"]
    assert hold.causes == {"held": 3541.0}
    assert not hold.failed


def test_the_closing_screen_says_who_let_it_go_on_and_not_what_was_once_undecided(
    gone_on: list[Event], drawn: Drawn
) -> None:
    shown = drawn(closing(gone_on, {}), 120, 60)
    assert "held     at 25 %: " + WHY in shown
    assert "ana@laptop said promote at 25 %: looks good" in shown
    assert "Decided by" not in shown
    assert "held 3541.0" in shown


def test_what_was_undecided_is_told_when_it_was_taken_back_for_it(gone_on: list[Event], drawn: Drawn) -> None:
    ended = replace(gone_on[-1], outcome="rolled back")
    assert isinstance(ended, RolloutEnded)
    assert "1 of 2" in drawn(closing([*gone_on[:-1], ended], {}), 120, 80)


class Remembering:
    """What a cluster was asked to create."""

    def __init__(self) -> None:
        self.created: list[Any] = []

    def get(self, *_: Any) -> Any:
        return {"metadata": {"uid": "6b1d"}}

    def create(self, _resource: Any, _namespace: str, body: Any) -> Any:
        self.created.append(body)
        return body


def test_whoever_looks_at_the_cluster_finds_hold_and_people(gone_on: list[Event]) -> None:
    cluster = Remembering()
    reporter = KubernetesEvents(cluster, "production", "rebate-core")
    for event in gone_on:
        reporter.tell(event)
    told = [(each["type"], each["reason"]) for each in cluster.created]
    assert told == [
        ("Normal", "RolloutBegan"),
        ("Warning", "RolloutHeld"),
        ("Normal", "RolloutApproved"),
        ("Normal", "RolloutPromoted"),
    ]


SAID: Sequence[tuple[Event, str]] = [
    (Held(at=0, step=25, cause="pause", why="paused by ana", limit=3600.0), "HELD at 25 %, for 1 h 00 min at most: pa"),
    (HoldEnded(at=0, step=25, took=72.4), "25 % is held no longer (1 min 12 s)"),
    (Asked(at=0, what="force", who="ana", why="hotfix", step=25), "ana skipped the gates at 25 %: hotfix"),
    (
        Asked(at=0, what="begin", who="ana", why="hotfix", step=None),
        "ana has it begin whatever its forecast says: hotfix",
    ),
    (Asked(at=0, what="pause", who="ana", why="lunch", step=None), "ana said pause: lunch"),
    (
        SuiteReady(at=0, suite="canary_step", step=25, gates=["pods"], took=0.5, watch=True),
        "suite canary_step at 25 % watches: pods",
    ),
    (StepsChosen(at=0, steps=(10, 25, 100), rate=120.0), "at 120 requests a second the steps are 10, 25, 100 %"),
]


@pytest.mark.parametrize(("event", "words"), SAID)
def test_each_has_its_line_in_a_log(event: Event, words: str) -> None:
    assert sentence(event).startswith(words)
    stream = io.StringIO()
    Plain(stream).tell(event)
    assert words in stream.getvalue()
