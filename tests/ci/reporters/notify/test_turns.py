"""Which moments are told, and by what name."""

from typing import Any

import pytest

from ci.events import Note, PhaseEntered, RollbackBegan, WeightsWritten
from ci.phases import ENDS
from ci.reporters.notify.turns import About, Turns
from fixtures.notify import FACTS, STATES, Turn


@pytest.fixture
def turns() -> Any:
    def of(events: list[Any]) -> list[Any]:
        made = Turns(About("production", "/src/release.yaml"))
        return [message for event in events if (message := made.of(event))]

    return of


def test_every_end_that_a_rollout_can_have_is_a_turn(rollout: Any, turns: Any) -> None:
    ends = [turns(rollout(end.value))[-1].turn for end in ENDS]
    assert {*ends, Turn.STARTED, Turn.HELD} == set(Turn)


def test_every_fact_that_a_webhook_may_ask_for_is_there_at_every_turn(rollout: Any, held: Any, turns: Any) -> None:
    for message in turns(rollout("promoted", "", held)):
        assert {*message.facts, "state"} == set(FACTS)
        assert STATES[message.turn]


def test_a_recovery_begins_too_but_nothing_has_started(rollout: Any, turns: Any) -> None:
    began, _, ended = rollout("rolled back")
    back = PhaseEntered(at=1.0, phase="roll back")
    assert [message.turn for message in turns([began, back, ended])] == [Turn.ROLLED_BACK]


def test_what_lies_between_the_turns_is_not_told(rollout: Any, turns: Any) -> None:
    between = [
        Note(at=1.0, text="x"),
        WeightsWritten(at=2.0, stable=95, canary=5, why="", who="", took=0.1),
        RollbackBegan(at=3.0, reason="", who=""),
    ]
    assert [message.turn for message in turns(rollout("rolled back", "", *between))] == [
        Turn.STARTED,
        Turn.ROLLED_BACK,
    ]


def test_a_rollback_that_is_not_complete_says_what_to_type(rollout: Any, turns: Any) -> None:
    assert "  sluicegate recover /src/release.yaml --target prod-eu" in turns(rollout("incomplete"))[-1].body
