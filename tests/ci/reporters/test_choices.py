"""What the live view offers is what a rollout takes: never a command that would be refused."""

import pytest

from ci.ask import problem
from ci.hold import Cause
from ci.phases import Phase
from ci.record import Record
from ci.reporters.choices import choices


def record(phase: Phase, held: str = "") -> Record:
    pause = {"pause": "ana@laptop: look"} if held == Cause.PAUSE.value else {}
    return Record(rollout="3f9c2a", phase=phase, step=25, held=f"{held}: why" if held else "", **pause)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("held", ["", *(cause.value for cause in Cause)])
def test_what_is_offered_is_taken(phase: Phase, held: str) -> None:
    for choice in choices(held if phase is Phase.HOLD else "", phase.value):
        what = "force" if "--force" in choice.verb else choice.verb
        assert problem(record(phase, held if phase is Phase.HOLD else ""), what) is None


@pytest.mark.parametrize("cause", Cause)
def test_every_hold_can_be_ended_by_somebody(cause: Cause) -> None:
    assert choices(cause.value, Phase.HOLD.value)[0].verb in {"resume", "promote"}


def test_nothing_is_offered_where_it_waits_for_nobody() -> None:
    assert choices("", Phase.ROLL_BACK.value) == choices("", Phase.PROMOTE.value) == choices("", "") == ()
