from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from ci.reporters.report.axis import CHARACTER, WIDTHS, TimeAxis, nice_top, rate_ticks, room, time_axis

LONGEST = st.tuples(st.floats(0, 600), st.floats(0, 3 * 86400), st.floats(0, 600))  # what came before it, and after


def three_parts(lengths: tuple[float, float, float]) -> TimeAxis:
    first, second, third = accumulate(lengths)
    return time_axis(0.0, third, [(0.0, first), (first, second), (second, third)])


@given(LONGEST)
def test_a_narrow_page_has_few_ticks_and_a_wide_one_more(lengths: tuple[float, float, float]) -> None:
    ticks = three_parts(lengths).ticks()
    narrow = [tick for tick in ticks if tick.room == 1]
    assert 1 <= len(narrow) <= 7
    assert len(narrow) <= len(ticks) <= 18
    assert len({tick.text for tick in ticks}) == len(ticks)
    assert [tick.x for tick in ticks] == sorted(tick.x for tick in ticks)
    assert 0 <= ticks[0].x <= ticks[-1].x <= 100


@given(LONGEST)
def test_words_under_the_axis_do_not_run_into_each_other(lengths: tuple[float, float, float]) -> None:
    ticks = three_parts(lengths).ticks()
    for size, width in ((1, WIDTHS[1]), (2, WIDTHS[2])):
        shown = [tick for tick in ticks if tick.room <= size]
        for before, after in pairwise(shown):
            words = 6.5 * len(after.text)  # CSS pixels, as a browser has measured them
            ends = words if before.x < 2 else words / 2
            begins = words if after.x > 98 else words / 2
            assert (after.x - before.x) / 100 * width > ends + begins


@given(LONGEST, st.floats(-1e5, 1e6))
def test_every_moment_has_a_place_on_the_axis(lengths: tuple[float, float, float], at: float) -> None:
    axis = three_parts(lengths)
    assert 0 <= axis.x(at) <= 100
    assert axis.x(at) <= axis.x(at + 1)


def test_a_tick_says_minutes_and_seconds_and_hours_where_there_are_some() -> None:
    assert [tick.text for tick in TimeAxis(0, 150).ticks() if tick.room == 1] == ["0:00", "1:00", "2:00"]
    assert [tick.text for tick in TimeAxis(0, 7200).ticks() if tick.room == 1][-1] == "2:00:00"


def test_a_hold_of_a_night_leaves_room_for_the_rest() -> None:
    axis = three_parts((60.0, 8 * 3600.0, 60.0))
    assert (axis.x(60.0), axis.x(60.0 + 8 * 3600)) == (25.0, 75.0)
    assert axis.x(30.0) == 12.5
    assert three_parts((60.0, 180.0, 60.0)).shortened is None, "what fits is drawn to scale"


@given(st.floats(1e-4, 1))
def test_a_scale_of_rates_ends_at_or_over_the_highest(highest: float) -> None:
    ticks = rate_ticks(highest)
    assert ticks[-1] >= highest * 0.999
    assert 1 <= len(ticks) <= 5
    assert nice_top(highest) <= 1


@given(st.floats(0, 100), st.text(min_size=1, max_size=60))
def test_words_are_shown_only_where_they_fit(share: float, text: str) -> None:
    size = room(share, text)
    narrower = [width for key, width in WIDTHS.items() if size == 0 or key < size]
    assert all(share / 100 * width < CHARACTER * (len(text) + 1) for width in narrower)
    if size:
        assert share / 100 * WIDTHS[size] >= CHARACTER * (len(text) + 1)
