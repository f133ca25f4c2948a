from dataclasses import replace

import pytest

from ci.events import Asked, Event, RolloutBegan, RolloutEnded, StepsChosen
from ci.reporters.report.collect import collect
from ci.reporters.report.headline import headline, spoken


def ended(events: list[Event], outcome: str, sentence: str) -> str:
    end = RolloutEnded(at=events[-1].at, outcome=outcome, sentence=sentence, exit_code=4)
    return headline(collect([*events[:-1], end]))


def test_a_rollback_says_from_where_and_why(rollback: list[Event]) -> None:
    reason = rollback[-1]
    assert isinstance(reason, RolloutEnded)
    assert headline(collect(rollback)) == f"rebate-core was rolled back from 5 %: {reason.sentence}"


def test_a_rollback_before_any_weight_says_in_which_part(rollback: list[Event]) -> None:
    events = [event for event in rollback if type(event).__name__ != "WeightsWritten"]
    assert "was rolled back in the part “5 %”" in headline(collect(events))


def test_a_promotion_says_what_serves_now(promotion: list[Event]) -> None:
    said = headline(collect(promotion))
    assert said.startswith("rebate-core was promoted: every gate has passed at 5, 25, 50 and 100 %, and rebate-core-")


def test_a_promotion_whose_gates_were_skipped_says_so(promotion: list[Event]) -> None:
    forced = Asked(at=promotion[-2].at, what="force", who="bob@laptop", why="the fix has to go out", step=25)
    said = headline(collect([*promotion[:-1], forced, promotion[-1]]))
    assert said.startswith(
        "rebate-core was promoted: bob@laptop skipped the gates at 25 %: the fix has to go out, and "
    )
    assert "every gate has passed" not in said


def test_a_rollout_that_was_begun_whatever_its_forecast_said_says_so(promotion: list[Event]) -> None:
    begun = Asked(at=promotion[0].at, what="begin", who="bob@laptop", why="the old one is worse", step=None)
    said = headline(collect([promotion[0], begun, *promotion[1:]]))
    assert said.startswith("rebate-core was promoted: every gate has passed at 5, 25, 50 and 100 %, and rebate-core-")
    assert said.endswith("; bob@laptop has it begin whatever its forecast says: the old one is worse")


def test_steps_that_preflight_chose_are_those_that_are_told(promotion: list[Event]) -> None:
    began = promotion[0]
    assert isinstance(began, RolloutBegan)
    chosen = StepsChosen(at=began.at, steps=[10, 100], rate=500.0)
    assert "at 10 and 100 %" in headline(collect([replace(began, steps=[]), chosen, *promotion[1:]]))
    assert "every gate has passed, and" in headline(collect([replace(began, steps=[]), *promotion[1:]]))


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("refused", "rebate-core was not released: nothing was changed: no image"),
        ("incomplete", "rebate-core needs a person: nothing was changed: no image"),
        ("held", "rebate-core is held: nothing was changed: no image"),
    ],
)
def test_every_other_end_says_its_reason(rollback: list[Event], outcome: str, said: str) -> None:
    assert ended(rollback, outcome, "nothing was changed: no image") == said


def test_a_driver_that_was_killed_left_the_service_somewhere(promotion: list[Event]) -> None:
    assert "was left in the part “deploy”" in headline(collect(promotion[:14]))
    assert "was left at its beginning" in headline(collect(promotion[:1]))


def test_weights_are_listed_as_people_say_them() -> None:
    assert [spoken(steps) for steps in ([100], [50, 100], [5, 50, 100])] == ["100 %", "50 and 100 %", "5, 50 and 100 %"]
