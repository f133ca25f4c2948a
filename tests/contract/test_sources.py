"""One contract for whatever sees the traffic: exactly what the load generator knows, of all that goes wrong."""

import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from checks.evidence import Count, Traffic
from fixtures.counters import BUCKET
from fixtures.errors import Unreachable
from fixtures.observation import Source
from fixtures.prometheus import Prometheus, selector
from fixtures.sandbox.binaries import cache
from fixtures.waiting import SYSTEM_CLOCK, wait

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

RATE = 150
LATENCY = {0.99: 0.5, 0.9: 1.0}  # seconds: stable's slow answers are over the first bound, the canary's over both
STABLE = {"errors": 0.02, "slow": 0.1, "slow_ms": 700}
CANARY = {"errors": 0.1, "resets": 0.05, "slow": 0.3, "slow_ms": 1300}
MERGED = 0.5  # seconds until Envoy has surely merged its histograms
TWO = "le=500"
THREE = "le=500.0"
# Debian has 2.x; go install -tags remove_all_sd github.com/prometheus/prometheus/cmd/prometheus@v0.316.0 gives a 3.x.
PROMETHEUS_3 = cache() / "bin" / "prometheus-3"
HOW_THREE = "real" if PROMETHEUS_3.exists() else "BY A PROXY THAT RESPELLS, no Prometheus 3 is in the cache"


@dataclass
class Reader:
    """Reads a source again and again, as an observation does, and sums up."""

    source: Source
    total: Traffic = field(default_factory=Traffic)

    def begin(self) -> bool:
        """Take the base line, once there is one."""
        self.read()
        return any(self.source.counters().values())

    def read(self) -> None:
        with suppress(Unreachable):  # a scrape may fail on a busy machine: what it missed comes with the next
            self.total += self.source.read()


@dataclass
class Measured:
    """What each source saw of the same traffic, and what there was to be seen."""

    seen: dict[str, Traffic]
    truth: list[dict[str, str]]
    logged: list[list[str]]

    def rows(self, version: str) -> list[dict[str, str]]:
        """Whom nobody answered was routed to the canary: stable has no fault that leaves one unanswered."""
        return [row for row in self.truth if (row["version"] == "stable") == (version == "stable")]

    def asked(self, version: str) -> Count:
        """Count what the load generator asked, and the errors that it got."""
        rows = self.rows(version)
        return Count(len(rows), sum(int(row["status"]) >= 500 or row["status"] == "0" for row in rows))

    def slow(self, version: str, bound: float) -> Count:
        """Count what Envoy sent back later than a bound, by its log: on a busy machine a client waits longer."""
        times = [int(line[5]) for line in self.logged if f"|{version}|" in line[1] and line[4] != "UH"]
        return Count(len(times), sum(two_digits(time) > 1000 * bound for time in times))

    def waited(self, version: str, bound: float) -> int:
        """Count for what the load generator had to wait longer than a bound."""
        return sum(float(row["latency_ms"]) > 1000 * bound for row in self.rows(version))


def two_digits(milliseconds: int) -> int:
    """As much as Envoy's histograms know of a time."""
    unit = 10 ** max(0, len(str(milliseconds)) - 2)
    return milliseconds // unit * unit


def respell(spelling: str, body: bytes) -> bytes:
    if spelling == THREE:
        return re.sub(rb'"le":"(\d+)"', rb'"le":"\1.0"', body)
    return re.sub(rb'"le":"(\d+)\.0"', rb'"le":"\1"', body)


@pytest.fixture(scope="module")
def measured(stage: Any, scraper: Any, proxy: Any) -> Measured:
    """Let all go wrong that can, and look through every source meanwhile."""
    stage.canary(30)
    servers = {TWO: stage.info["prometheus"], THREE: stage.info["prometheus"]}
    if PROMETHEUS_3.exists():
        servers[THREE] = scraper(stage.info["envoy_admin"], PROMETHEUS_3).url
    objectives = stage.release.objectives.model_copy(update={"latency": LATENCY})
    source = partial(stage.subject, 30, objectives=objectives)
    readers = {"envoy": Reader(source().source({}))}
    for spelling, server in servers.items():
        url = spelled(spelling, server, proxy)
        readers[spelling] = Reader(source(through=url).source({}))
    merged = SYSTEM_CLOCK.now() + MERGED  # or the base line would lack the end of the traffic before
    wait(lambda: all(newest(server) > merged for server in servers.values()), what="a scrape", timeout=20)
    for reader in readers.values():
        wait(reader.begin, what="a base line", timeout=20)
    rows, lines = len(stage.truth()), len(stage.logged())

    def read(until: Callable[[], bool]) -> None:
        wait(
            lambda: [reader.read() for reader in readers.values()] and until(), what="traffic", timeout=40, interval=0.2
        )

    go_wrong(stage, read)
    stopped = SYSTEM_CLOCK.now()
    read(lambda: all(newest(server) > stopped + MERGED for server in servers.values()))
    read(lambda: True)
    return Measured(
        {name: reader.total for name, reader in readers.items()}, stage.truth()[rows:], stage.logged()[lines:]
    )


def spelled(spelling: str, server: str, proxy: Any) -> str:
    """Give an address where buckets are spelled so: the server's own, or that of a proxy before it."""
    bucket = BUCKET + selector({"le": spelling.removeprefix("le=")})
    wait(lambda: Prometheus(server).query(BUCKET), what="a first scrape", timeout=20)
    if Prometheus(server).query(bucket):
        return server
    before = proxy(server)
    before.changed = partial(respell, spelling)
    return str(before.url)


def newest(server: str) -> float:
    return Prometheus(server).value("max(timestamp(istio_requests_total))") or 0.0


def go_wrong(stage: Any, read: Callable[[Callable[[], bool]], None]) -> None:
    def last(seconds: float) -> None:
        """Let it go on."""
        over = SYSTEM_CLOCK.monotonic() + seconds
        read(lambda: SYSTEM_CLOCK.monotonic() > over)

    before = len(stage.logged())
    stage.fail("stable", **STABLE)
    stage.fail("canary", **CANARY)
    stage.rate(RATE)
    last(3)
    with stage.unnoticed():
        stage.kill(next(iter(stage.pods("canary"))))
        last(1)
    stage.no_canary()
    read(lambda: any(flags == "UH" for *_, flags, _ in stage.logged()[before:]))
    last(0.5)
    stage.quiet()


class SourceContract:
    """What every source has to tell; a subclass says which one speaks."""

    @pytest.mark.parametrize("version", ["stable", "canary"])
    def test_it_counts_what_was_answered_or_left_unanswered(self, seen, measured, version) -> None:
        assert getattr(seen, version).all == measured.asked(version)

    @pytest.mark.parametrize("version", ["stable", "canary"])
    def test_it_counts_the_slow_answers_by_bucket(self, seen, measured, version) -> None:
        slow = getattr(seen, version).slow
        assert slow == tuple(measured.slow(version, bound) for bound in LATENCY.values())
        assert all(of.bad <= measured.waited(version, bound) for of, bound in zip(slow, LATENCY.values(), strict=True))

    def test_it_knows_which_requests_found_no_pod(self, seen, measured) -> None:
        assert seen.unreached == sum(flags == "UH" for *_, flags, _ in measured.logged)

    def test_it_tells_the_pods_apart(self, seen, measured) -> None:
        by_pod = Counter(line[2] for line in measured.logged if "|canary|" in line[1] and line[2] != "-")
        assert {pod: each.all.requests for pod, each in seen.pods.items() if each.all.requests} == by_pod


class TestEnvoys(SourceContract):
    @pytest.fixture
    def seen(self, measured: Measured) -> Traffic:
        return measured.seen["envoy"]


class TestPrometheus(SourceContract):
    @pytest.fixture(params=[pytest.param(TWO, id=TWO), pytest.param(THREE, id=f"{THREE} {HOW_THREE}")])
    def seen(self, measured: Measured, request: pytest.FixtureRequest) -> Traffic:
        return measured.seen[request.param]


def test_all_went_wrong_that_should(measured: Measured) -> None:
    """Errors, resets, refused connections, no pod; slow answers of both versions; and enough of it all."""
    flags = Counter(flags for *_, flags, _ in measured.logged)
    assert {"-", "UC", "UF", "UH"} <= set(flags)
    assert len(measured.truth) == len(measured.logged) > 4 * RATE
    assert measured.asked("stable").bad > 0
    assert measured.slow("stable", 0.5).bad > 5
    assert measured.slow("canary", 1).bad > 5
