"""The table of phases holds its promises on every walk through it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.phases import ENDS, TABLE, Phase, Place, Result, next_place, safe_weights, weights_at

UNDOING = {Phase.RESTORE, Phase.ROLL_BACK}
steps_of_a_release = st.lists(st.integers(1, 99), unique=True, max_size=5).map(lambda some: [*sorted(some), 100])


def walk(steps: list[int], results: list[Result]) -> list[tuple[Place, Result, Place]]:
    """Follow the results that are possible, until an end."""
    place, moves = Place(Phase.PREFLIGHT), []
    for result in results:
        if result not in TABLE.get(place.phase, {}):
            continue
        after = next_place(place, result, steps)
        moves.append((place, result, after))
        place = after
    return moves


walks = st.builds(walk, steps_of_a_release, st.lists(st.sampled_from(Result), max_size=40))


def test_a_good_release_takes_every_step_and_is_promoted() -> None:
    place, seen = Place(Phase.PREFLIGHT), []
    while place.phase not in ENDS:
        seen.append((place.phase.value, place.step))
        place = next_place(place, Result.PASSED, [5, 25, 100])
    assert seen == [
        ("preflight", 0),
        ("deploy", 0),
        ("step", 5),
        ("step", 25),
        ("step", 100),
        ("promote", 0),
        ("serve", 0),
    ]
    assert place.phase is Phase.PROMOTED


@given(walks)
def test_a_weight_rises_only_when_gates_have_passed_or_a_person_skips_them(
    moves: list[tuple[Place, Result, Place]],
) -> None:
    for before, result, after in moves:
        if weights_at(after).canary > weights_at(before).canary:
            assert result in {Result.PASSED, Result.FORCED}


@given(walks)
def test_abort_leads_to_the_safe_weights_from_every_phase(moves: list[tuple[Place, Result, Place]]) -> None:
    for before, _, _ in moves:
        if before.phase not in UNDOING:
            after = next_place(before, Result.ABORTED, [100])
            assert weights_at(after) == safe_weights(before.phase) == safe_weights(after.phase)


@given(walks)
def test_what_has_failed_never_gets_promoted(moves: list[tuple[Place, Result, Place]]) -> None:
    undone = False
    for _, result, after in moves:
        undone = undone or result in {Result.FAILED, Result.ABORTED}
        assert not (undone and after.phase in {Phase.STEP, Phase.PROMOTE, Phase.SERVE, Phase.PROMOTED})


@given(walks)
def test_a_hold_keeps_its_weight(moves: list[tuple[Place, Result, Place]]) -> None:
    for before, result, after in moves:
        if Phase.HOLD in {before.phase, after.phase} and result in {Result.INCONCLUSIVE, Result.OUTAGE}:
            assert weights_at(after) == weights_at(before)


@given(steps_of_a_release, st.data())
def test_what_may_not_rise_yet_is_held_at_the_weight_before(steps: list[int], data: st.DataObject) -> None:
    reached = data.draw(st.sampled_from([0, *steps]))
    place = Place(Phase.STEP, reached) if reached else Place(Phase.DEPLOY)
    onward = next_place(place, Result.PASSED, steps)
    held = next_place(onward, Result.HELD, steps)
    assert held == Place(Phase.HOLD, reached)
    assert next_place(held, Result.PASSED, steps) == onward


def test_nothing_goes_on_before_the_steps_are_known() -> None:
    with pytest.raises(LookupError, match="nobody has said what the steps are"):
        next_place(Place(Phase.DEPLOY), Result.PASSED, [])


@given(steps_of_a_release)
def test_every_step_is_visited_once_and_in_order(steps: list[int]) -> None:
    visited = [after.step for _, _, after in walk(steps, [Result.PASSED] * 12) if after.phase is Phase.STEP]
    assert visited == steps


def test_the_canary_carries_all_only_while_stable_may_be_half_rolled() -> None:
    assert {phase for phase in Phase if safe_weights(phase).canary} == {Phase.PROMOTE, Phase.RESTORE}


@pytest.mark.parametrize("end", sorted(ENDS, key=lambda phase: phase.value))
@pytest.mark.parametrize("result", Result)
def test_an_end_is_an_end(end: Phase, result: Result) -> None:
    with pytest.raises(LookupError, match="no way out of"):
        next_place(Place(end), result, [100])


@pytest.mark.parametrize("phase", sorted(UNDOING, key=lambda phase: phase.value))
def test_abort_adds_nothing_to_a_rollback(phase: Phase) -> None:
    with pytest.raises(LookupError):
        next_place(Place(phase), Result.ABORTED, [100])


def test_every_phase_is_either_an_end_or_in_the_table() -> None:
    assert set(TABLE) | ENDS == set(Phase)
    assert not set(TABLE) & ENDS
