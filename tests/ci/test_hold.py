"""What keeps a weight where it is: a pure question of where it would go and what people have said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.hold import Cause, Words, keeps
from ci.phases import Phase, Place

STEPS = (5, 25, 50, 100)
STABLE = Place(Phase.PROMOTE)
ONWARD = [*(Place(Phase.STEP, step) for step in STEPS), STABLE]
approvals = st.lists(st.sampled_from([*STEPS, "stable"]), unique=True)


@pytest.mark.parametrize("after", ONWARD)
def test_nothing_keeps_a_release_that_asks_nobody(after: Place) -> None:
    assert keeps(after, STEPS, (), Words()) is None


@given(st.sampled_from(ONWARD), approvals, st.sampled_from([None, 0, *STEPS]))
def test_a_pause_keeps_everything(after: Place, approve: list[int | str], approved: int | None) -> None:
    hold = keeps(after, STEPS, approve, Words(pause="ana@laptop: lunch", approved=approved))
    assert hold is not None
    assert hold.cause is Cause.PAUSE


@given(st.sampled_from(ONWARD), approvals)
def test_a_freeze_window_keeps_everything_but_what_a_person_wants_all_the_same(
    after: Place, approve: list[int | str]
) -> None:
    before = ([0, *STEPS])[ONWARD.index(after)]
    hold = keeps(after, STEPS, approve, Words(), "frozen until Monday")
    assert hold is not None
    assert hold.cause is Cause.FREEZE
    assert keeps(after, STEPS, approve, Words(approved=before), "frozen until Monday") is None


@given(st.sampled_from(ONWARD), approvals)
def test_an_approval_opens_the_way_from_its_weight_and_no_other(after: Place, approve: list[int | str]) -> None:
    place = after.step or "stable"
    before = ([0, *STEPS])[ONWARD.index(after)]
    open_from = [weight for weight in (0, *STEPS) if not keeps(after, STEPS, approve, Words(approved=weight))]
    assert open_from == ([before] if place in approve else [0, *STEPS])


def test_a_weight_that_is_no_step_asks_before_the_next_one_that_is() -> None:
    steps = (20, 25, 50, 100)
    hold = keeps(Place(Phase.STEP, 20), steps, (5,), Words())
    assert hold is not None
    assert hold.sentence == "a person has to say `sluicegate promote` before 20 %"
    assert keeps(Place(Phase.STEP, 25), steps, (5,), Words()) is None


def test_the_record_has_the_cause_first() -> None:
    assert str(keeps(STABLE, STEPS, ("stable",), Words())).startswith("approval: a person has to say")
