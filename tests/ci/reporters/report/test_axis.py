from hypothesis import given
from hypothesis import strategies as st

from ci.reporters.report.axis import CHARACTER, WIDTHS, TimeAxis, nice_top, rate_ticks, room

LENGTHS = st.floats(0, 3 * 86400)


@given(LENGTHS)
def test_a_narrow_page_has_few_ticks_and_a_wide_one_more(length: float) -> None:
    ticks = TimeAxis(1000.0, 1000.0 + length).ticks()
    narrow = [tick for tick in ticks if tick.room == 1]
    assert 1 <= len(narrow) <= 5
    assert len(narrow) <= len(ticks) <= 15
    assert len({tick.text for tick in ticks}) == len(ticks)
    assert [tick.x for tick in ticks] == sorted(tick.x for tick in ticks)
    assert 0 <= ticks[0].x <= ticks[-1].x <= 100


@given(LENGTHS, st.floats(-1e5, 1e6))
def test_every_moment_has_a_place_on_the_axis(length: float, at: float) -> None:
    axis = TimeAxis(0.0, length)
    assert 0 <= axis.x(at) <= 100
    assert axis.x(at) <= axis.x(at + 1)


def test_a_tick_says_minutes_and_seconds_and_hours_where_there_are_some() -> None:
    assert [tick.text for tick in TimeAxis(0, 150).ticks() if tick.room == 1] == ["0:00", "1:00", "2:00"]
    assert [tick.text for tick in TimeAxis(0, 7200).ticks() if tick.room == 1][-1] == "2:00:00"


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
