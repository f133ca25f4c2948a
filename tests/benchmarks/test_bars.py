"""The bars of the decision in short: what is exact, and what a few runs show. ``make bench`` has the rest."""

import pytest

np = pytest.importorskip("numpy", reason="numpy is in the group bench")

from benchmarks.decision import exact, many, null, recorded, releases, speed, traffic  # noqa: E402
from benchmarks.decision.peers import Argo, Flagger, Kayenta, Seen  # noqa: E402
from benchmarks.decision.report import Bar, Table, bars_table, share, write_into  # noqa: E402
from checks.sequential import ABOVE, BELOW  # noqa: E402
from checks.verdict import Outcome  # noqa: E402


def test_bar_1_a_false_verdict_is_exactly_as_rare_as_promised() -> None:
    assert 0.005 < exact.ever(BELOW, 100, 20_000) <= 0.01
    assert 0.0005 < exact.ever(ABOVE, 400, 20_000) <= 0.0025


def test_bar_1_the_walk_would_see_too_loose_a_threshold() -> None:
    assert exact.ever(BELOW, 20, 20_000) > 0.01


@pytest.mark.parametrize(
    ("model", "most"),
    [(traffic.INDEPENDENT, (2.0, 0.7)), (traffic.BURSTY, (1.5, 0.7)), *((each, (1.5, 1.3)) for each in traffic.UNSEEN)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_bar_2_at_the_boundary_few_runs_decide(model: traffic.Model, most: tuple[float, float]) -> None:
    passed, failed = null.rates(null.by_history, model, 2000, 600)
    assert (passed <= most[0], failed <= most[1]) == (True, True)


def test_bar_2_a_rule_that_ignores_bursts_does_not_hold() -> None:
    assert min(null.rates(null.alone, traffic.BURSTY, 2000, 200)) > 10


@pytest.mark.parametrize(
    ("outcome", "rate", "bound"),
    [(Outcome.PASS, 0.001, 800), (Outcome.PASS, 0.003, 1650), (Outcome.FAIL, 0.02, 2400), (Outcome.FAIL, 0.05, 250)],
)
def test_bar_3_so_many_requests_decide(outcome: Outcome, rate: float, bound: float) -> None:
    took = speed._to(outcome, rate, 60)
    assert bound / 2 < took.mean() < 1.1 * bound


def test_bar_4_a_canary_that_fails_wholly_serves_a_seconds_worth_of_bad_answers() -> None:
    ended = releases.released(5, traffic.INDEPENDENT, 1.0)
    assert share(ended, Outcome.FAIL) == 100
    assert sum(each.bad for each in ended) / 5 <= 120


def test_bar_5_a_good_canary_is_promoted_in_five_minutes() -> None:
    ended = releases.released(3, traffic.INDEPENDENT, 0.003)
    assert [(each.outcome, each.seconds <= 300) for each in ended] == [(Outcome.PASS, True)] * 3


def test_bar_6_bursts_that_are_too_many_are_rolled_back() -> None:
    ended = releases.released(8, traffic.BURSTY, 0.2)
    assert share(ended, Outcome.FAIL) == 100


def test_bar_7_harm_after_a_long_good_time_is_seen_in_seconds() -> None:
    assert sum(speed._until_failed(seed, 300, [0.05] * 4) for seed in range(20)) / 20 <= 6.5


def test_bar_9_forty_good_metrics_seldom_raise_an_alarm() -> None:
    assert many.part(60).bars[0].measured <= 7


def test_files_through_the_command_say_the_same() -> None:
    found = recorded.part(4)
    assert [row[3] for row in found.tables[0].rows if row[0] == "error_rate"] == ["100.00 %"]


def seen(*minutes: float) -> Seen:
    """Give minutes of 600 canary requests with these error rates; stable has none."""
    bad = np.repeat([[10 * rate] for rate in minutes], 60, axis=0)
    return Seen(np.full_like(bad, 10), bad, np.full_like(bad, 190), np.zeros_like(bad))


GOOD, MISS = 0.0, 0.02


@pytest.mark.parametrize(
    ("minutes", "on", "back"),
    [([GOOD], 60, np.inf), ([MISS, MISS, GOOD], 180, np.inf), ([MISS] * 6, np.inf, 360)],
)
def test_flagger_goes_on_at_the_first_good_minute_and_back_a_minute_after_the_fifth_miss(minutes, on, back) -> None:
    rule = Flagger("Flagger")
    rule.begin(1)
    assert [each[0] for each in rule.step(seen(*minutes))] == [on, back]


def test_flaggers_misses_add_up_over_the_weights() -> None:
    rule = Flagger("Flagger")
    rule.begin(1)
    rule.step(seen(MISS, MISS, MISS, GOOD))
    assert [each[0] for each in rule.step(seen(MISS, MISS, GOOD))] == [np.inf, 180]


@pytest.mark.parametrize(("limit", "on", "back"), [(0, np.inf, 120), (1, np.inf, 240), (2, 300, np.inf)])
def test_argo_counts_misses_and_never_looks_at_how_bad_they_are(limit, on, back) -> None:
    rule = Argo("Argo", limit=limit)
    assert [each[0] for each in rule.step(seen(GOOD, MISS, GOOD, MISS, GOOD))] == [on, back]


def test_kayenta_wants_most_minutes_to_be_worse() -> None:
    rule = Kayenta("Kayenta")
    assert [each[0] for each in rule.step(seen(*[MISS] * 10))] == [np.inf, 600]
    assert [each[0] for each in rule.step(seen(*[MISS] * 4, *[GOOD] * 6))] == [600, np.inf]


def test_tables_take_their_places_in_a_document(tmp_path) -> None:
    document = tmp_path / "decision.md"
    document.write_text("before\n\n<!-- a -->\n\nold\n\n<!-- end -->\n\nafter\n")
    for _ in range(2):
        write_into(document, [Table("a", ["x", "y"], [["1", "2"]]), Table("b", ["z"], [])])
    assert document.read_text() == "before\n\n<!-- a -->\n\n| x | y |\n| - | - |\n| 1 | 2 |\n\n<!-- end -->\n\nafter\n"


def test_a_bar_that_does_not_hold_stands_out() -> None:
    table = bars_table([Bar(2, "b", 3, 2, " %"), Bar(1, "a", 99, 95, least=True)])
    assert table.rows == [["1", "a", "99", ">= 95", "yes"], ["2", "b", "3 %", "<= 2 %", "**no**"]]
