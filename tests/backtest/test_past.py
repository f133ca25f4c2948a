"""The past that a real Prometheus has kept: every request that was made, no other, and gaps where it was blind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checks.evidence import Count
from fixtures import past as module
from fixtures.counters import NotCountable, VersionLabels
from fixtures.errors import InputError, Unreachable
from fixtures.past import Past, Stretch
from fixtures.prometheus import Prometheus
from fixtures.sandbox.binaries import cache

MINUTE, HOUR, DAY = 60, 3600, 86_400
BOUNDS = [0.5]
SECOND = 1_000  # requests a minute through the second gateway
NEWER = cache() / "bin" / "prometheus-3"


@pytest.fixture
def read(kept: Any) -> Callable[..., list[Stretch | None]]:
    """Read some seconds since the beginning, in minutes."""

    def answers(begin: int, end: int, seconds: int = MINUTE, server: Any = None) -> list[Stretch | None]:
        who = server or kept
        past = Past(who.client, who.labels, BOUNDS)
        return list(past.stretches(who.began + begin, who.began + end, seconds, MINUTE))

    return answers


def seen(stretches: list[Stretch | None]) -> list[Stretch]:
    return [each for each in stretches if each is not None]


def total(stretches: list[Stretch | None]) -> Count:
    return sum((each.stable.all for each in seen(stretches)), Count())


def truth(minutes: list[Any]) -> Count:
    return Count(sum(each.requests for each in minutes), sum(each.bad for each in minutes))


def test_every_request_is_there_in_its_minute(read: Any, made: Any) -> None:
    """The first scrape is at 00:01, which is the base line; from then on minute by minute."""
    found, minutes = read(MINUTE, DAY), made.between(MINUTE, DAY)
    assert [each.stable.all for each in found] == [Count(each.requests, each.bad) for each in minutes]
    assert [each.stable.slow for each in found] == [(Count(each.requests, each.slow),) for each in minutes]


def test_longer_stretches_and_smaller_questions_give_the_same(read: Any, made: Any, monkeypatch: Any) -> None:
    begin, end = 2 * HOUR, 20 * HOUR
    monkeypatch.setattr(module, "_CHUNK", 100)
    assert total(read(begin, end)) == total(read(begin, end, 300)) == truth(made.between(begin, end))


def test_counters_that_begin_anew_lose_nothing(read: Any, made: Any) -> None:
    begin, end = 3 * DAY + 19 * HOUR, 3 * DAY + 21 * HOUR
    assert total(read(begin, end)) == truth(made.between(begin, end))


def test_a_gap_is_no_traffic_and_what_was_in_it_is_not_counted(read: Any, made: Any) -> None:
    begin, end = 3 * DAY + 9 * HOUR, 3 * DAY + 17 * HOUR
    found = read(begin, end)
    blind = [index for index, each in enumerate(found) if each is None]
    # The scrape of 09:59 bridges the one that is missing first; that of 16:00 is the new base line.
    assert blind == list(range(60, 7 * 60))
    sighted = truth([*made.between(begin, begin + HOUR - MINUTE), *made.between(begin + 7 * HOUR, end)])
    # What the second gateway's counters grew by since 9:59 comes at 16:01, and nobody knows when it was.
    assert total(found) == Count(sighted.requests - SECOND, sighted.bad)
    assert found[7 * 60].stable.all.requests == 12_000 - SECOND


def test_errors_that_are_born_with_their_series_are_counted(read: Any, made: Any) -> None:
    begin, end = 4 * DAY + 12 * HOUR, 4 * DAY + 12 * HOUR + 10 * MINUTE
    found = read(begin - 10 * MINUTE, end)
    assert total(found[-10:]) == truth(made.between(begin, end))
    assert total(found[-10:]).bad > 0.19 * total(found[-10:]).requests


def test_who_reached_nobody_is_told_apart(read: Any) -> None:
    found = seen(read(4 * DAY + 17 * HOUR, 4 * DAY + 19 * HOUR))
    assert sum(each.unreached for each in found) == 1000
    assert {each.stable.all.requests for each in found} == {12_000}


def test_series_that_get_another_label_are_a_gap_and_not_a_million_requests(read: Any, made: Any) -> None:
    begin, end = 4 * DAY + 20 * HOUR, 4 * DAY + 22 * HOUR
    found = read(begin, end)
    assert [index for index, each in enumerate(found) if each is None] == [59]
    assert total(found) == truth([*made.between(begin, begin + HOUR - MINUTE), *made.between(begin + HOUR, end)])


def test_before_a_service_was_there_nothing_is_seen(read: Any) -> None:
    assert seen(read(-DAY, 0)) == []


def test_the_time_between_two_scrapes_is_found_also_when_the_last_hours_are_missing(kept: Any) -> None:
    past = Past(kept.client, kept.labels, BOUNDS)
    assert past.interval(kept.began, kept.ended) == MINUTE
    assert past.interval(kept.began + 3 * DAY, kept.began + 3 * DAY + 15 * HOUR) == MINUTE


@pytest.mark.parametrize(
    ("host", "days", "says"),
    [
        (
            "other.production.svc.cluster.local",
            0,
            "has no request to other.production.svc.cluster.local (reporter source)",
        ),
        ("shop.production.svc.cluster.local", -20, "has no istio_requests_total at all"),
    ],
)
def test_what_is_not_there_is_told(kept: Any, host: str, days: int, says: str) -> None:
    past = Past(kept.client, VersionLabels(host, "canary", "stable"), BOUNDS)
    with pytest.raises(InputError, match=r".") as refused:
        past.interval(kept.began + days * DAY, kept.ended + days * DAY)
    assert says in refused.value.what


def test_a_bound_that_is_no_edge_is_refused(kept: Any) -> None:
    past = Past(kept.client, kept.labels, [0.3])
    with pytest.raises(NotCountable, match="300 ms is no edge"):
        list(past.stretches(kept.began, kept.began + HOUR, MINUTE, MINUTE))


def test_nobody_there_is_told() -> None:
    with pytest.raises(Unreachable, match="Prometheus did not answer"):
        Past(Prometheus("http://127.0.0.1:9"), VersionLabels("shop", "canary", "stable"), []).interval(0, HOUR)


@pytest.mark.skipif(not NEWER.exists(), reason="no Prometheus 3 in the cache")
def test_a_newer_prometheus_gives_the_same(read: Any, serve: Callable[[Path], Any]) -> None:
    newer = serve(NEWER)
    begin, end = 3 * DAY + 9 * HOUR, 4 * DAY
    assert read(begin, end, server=newer) == read(begin, end)
