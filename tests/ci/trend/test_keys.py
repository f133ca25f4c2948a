"""DORA's four keys: each counts what it says, and what is not known is not made up."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.trend.finished import Finished
from ci.trend.keys import DAY, WEEK, in_words, keys

ONE = Finished(
    journals=(Path("journal.jsonl"),),
    service="rebate-core",
    image="shop@sha256:2",
    rollout="3f9c2a",
    began=1_795_996_800.0,
    ended=1_795_997_040.0,
    outcome="promoted",
    why="rebate-core was promoted",
    raised=True,
    taken_back_by="",
    forced=False,
    held=0.0,
    steps=(),
    hurt=None,
    reaction=None,
    bad=None,
)
BACK = replace(ONE, outcome="rolled back", taken_back_by="gate latency", hurt=2.5, reaction=0.25, bad=9)
REFUSED = replace(ONE, outcome="refused", raised=False)


def later(each: Finished, seconds: float) -> Finished:
    return replace(each, began=each.began + seconds, ended=each.ended + seconds)


def words(*rollouts: Finished) -> dict[str, str]:
    return {key.name: key.figure for key in in_words(keys(rollouts))}


def test_each_key_counts_what_it_says() -> None:
    rollouts = [ONE, later(ONE, DAY), later(REFUSED, 2 * DAY), later(BACK, 3 * DAY), later(ONE, 14 * DAY)]
    assert words(*rollouts) == {
        "Deployment frequency": "1.5 a week (3 in 14 days)",
        "Lead time for changes": "4 min 00 s, the release's part of it",
        "Change fail rate": "25 % (1 of 4)",
        "Failed deployment recovery time": "2.5 s (of 1); verdict to write 0.25 s",
    }


def test_of_an_afternoon_nobody_knows_a_frequency() -> None:
    found = keys([ONE, later(ONE, 3600)])
    assert found.frequency is None
    assert words(ONE, later(ONE, 3600))["Deployment frequency"] == (
        "2 promotions in 1 h 04 min: too short a time for a frequency"
    )


def test_what_was_refused_or_taken_back_before_it_had_traffic_is_no_deployment() -> None:
    early = replace(BACK, raised=False, hurt=None, reaction=None)
    found = keys([REFUSED, early])
    assert (found.reached, found.failure_rate) == (0, None)
    assert words(REFUSED, early)["Change fail rate"] == "no rollout reached production"


def test_one_that_needs_a_person_is_a_failure() -> None:
    assert keys([ONE, replace(BACK, outcome="incomplete")]).failure_rate == 0.5


def test_without_envoys_log_the_recovery_is_not_known_and_not_nothing() -> None:
    blind = replace(BACK, hurt=None, bad=None)
    assert words(blind)["Failed deployment recovery time"] == "not known; verdict to write 0.25 s"
    assert words(ONE)["Failed deployment recovery time"] == "nothing had to be taken back"


def test_every_key_says_what_a_journal_can_not_know() -> None:
    for key in in_words(keys([])):
        assert key.unknown
        assert key.counted


SOME = st.lists(
    st.builds(
        lambda each, after, took: replace(each, began=each.began + after, ended=each.began + after + took),
        st.sampled_from([ONE, BACK, REFUSED, replace(BACK, hurt=None)]),
        st.floats(0, 60 * DAY),
        st.floats(0, DAY),
    ),
    max_size=30,
)


@given(SOME)
def test_figures_agree_with_each_other(rollouts: list[Finished]) -> None:
    found = keys(rollouts)
    assert found.reached == found.promoted + found.failed
    assert found.measured <= found.failed
    assert (found.failure_rate is None) == (found.reached == 0)
    assert found.failure_rate is None or 0 <= found.failure_rate <= 1
    assert (found.frequency is None) == (found.span < WEEK)
    if found.frequency is not None:
        assert found.frequency * found.span / WEEK == pytest.approx(found.promoted)
    took = [each.took for each in rollouts if each.outcome == "promoted"]
    assert found.lead is None or min(took) <= found.lead <= max(took)
    assert all(key.figure for key in in_words(found))
