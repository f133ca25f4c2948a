"""A real Prometheus, filled by promtool with a past that was made: five days of a service, scraped once a minute.

Day 0 is ordinary: 200 requests a second, 0.1 % errors, 0.2 % slower than 500 ms.
Day 1 has 3 % slow answers from 9 to 15 o'clock.
Day 2 has 2 requests a second until 8 o'clock, and 4 % errors from 12:20 to 12:22.
Day 3 is not scraped from 10 to 16 o'clock, the second gateway a minute longer; at 20 o'clock all counters begin anew.
Day 4 has 20 % errors from 12 to 13 o'clock, of a code that is new; from 18 to 18:10 100 requests a minute reach nobody;
at 21 o'clock every series gets another label.
"""

import random
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fixtures.counters import VersionLabels
from fixtures.errors import Unreachable
from fixtures.prometheus import Prometheus
from fixtures.sandbox.binaries import PROMETHEUS, PROMTOOL, find
from fixtures.sandbox.dataplane import prometheus as server
from fixtures.waiting import NotYet, wait

BEGAN = 1_772_409_600  # 2026-03-02 00:00 UTC
MINUTE, HOUR, DAY = 60, 3600, 86_400
DAYS = 5
HOST = "shop.production.svc.cluster.local"
SECOND = 1_000  # requests that come through the second gateway, if so many are answered well


@dataclass(frozen=True)
class Minute:
    """What was answered in one: the labels of the requests, and how many were slow."""

    codes: dict[str, int]
    slow: int
    unreached: int = 0

    @property
    def requests(self) -> int:
        return sum(self.codes.values())

    @property
    def bad(self) -> int:
        return sum(count for code, count in self.codes.items() if code >= "500")


def some(expected: float, chance: random.Random) -> int:
    """Draw a Poisson number."""
    left, count = expected, -1
    while left > 0:
        left -= chance.expovariate(1)
        count += 1
    return count


def minute(at: int, chance: random.Random) -> Minute:
    """Make one, by the module's calendar; ``at`` is its end, seconds since the beginning."""
    day, hour = divmod(at - 1, DAY)[0], (at - 1) % DAY / HOUR
    requests = 120 if day == 2 and hour < 8 else 12_000
    slow = 0.03 if day == 1 and 9 <= hour < 15 else 0.002
    errors = {"500": some(0.001 * requests, chance)}
    if day == 4 and 12 <= hour < 13:
        errors["503"] = some(0.2 * requests, chance)
    if day == 2 and 12 + 20 / 60 <= hour < 12 + 22 / 60:
        errors["500"] = some(0.04 * requests, chance)
    fine = requests - sum(errors.values())
    unreached = 100 if day == 4 and 18 <= hour < 18 + 1 / 6 else 0
    return Minute({"200": fine, **errors}, some(slow * requests, chance), unreached)


@dataclass
class Made:
    """The past as it was, and as it was scraped."""

    minutes: list[Minute] = field(default_factory=list)
    _counters: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    lines: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def live(self, at: int, new: Minute) -> None:
        """Let a minute pass, and scrape at its end."""
        day, hour = divmod(at, DAY)[0], at % DAY / HOUR
        self.minutes.append(new)
        if (day, hour) == (3, 20):
            self._counters.clear()
        extra = ',cluster="east"' if (day, hour) >= (4, 21) else ""
        stable = f'destination_service="{HOST}",destination_version="stable",reporter="source"{extra}'
        second = SECOND if new.codes["200"] > SECOND else 0
        self._counters[f'istio_requests_total{{response_code="200",source_workload="second",{stable}}}'] += second
        for code, count in {**new.codes, "200": new.codes["200"] - second}.items():
            self._counters[f'istio_requests_total{{response_code="{code}",{stable}}}'] += count
        nobody = (
            f'destination_service="{HOST}",destination_version="unknown",reporter="source",response_flags="UH"{extra}'
        )
        if new.unreached:
            self._counters[f'istio_requests_total{{response_code="503",{nobody}}}'] += new.unreached
        name = "istio_request_duration_milliseconds"
        self._counters[f"{name}_count{{{stable}}}"] += new.requests
        self._counters[f'{name}_bucket{{le="500",{stable}}}'] += new.requests - new.slow
        if extra:
            self._rename(extra)
        if not (day == 3 and 10 <= hour < 16):
            self.scrape(at, without="second" if (day, hour) == (3, 16) else "no gateway")

    def _rename(self, extra: str) -> None:
        """Go on with the counts of before, under the new label."""
        for series in [each for each in self._counters if extra not in each]:
            self._counters[series.replace("}", f"{extra}}}")] += self._counters.pop(series)

    def scrape(self, at: int, *, without: str) -> None:
        for series, value in self._counters.items():
            if without not in series:
                self.lines[series].append(f"{series} {value} {BEGAN + at}")

    def between(self, begin: int, end: int) -> list[Minute]:
        """Give the minutes of some seconds since the beginning."""
        return self.minutes[begin // MINUTE : end // MINUTE]


@pytest.fixture(scope="session")
def made() -> Made:
    chance, past = random.Random(7), Made()
    for at in range(MINUTE, DAYS * DAY + 1, MINUTE):
        past.live(at, minute(at, chance))
    return past


@dataclass(frozen=True)
class Server:
    """A Prometheus with that past, and none after it."""

    url: str
    client: Prometheus
    began: int = BEGAN

    @property
    def labels(self) -> VersionLabels:
        return VersionLabels(HOST, canary="canary", stable="stable")

    @property
    def ended(self) -> int:
        return self.began + DAYS * DAY


@pytest.fixture(scope="session")
def data(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blocks as Prometheus writes them."""
    folder = tmp_path_factory.mktemp("past")
    text = folder / "past.txt"
    text.write_text("\n".join([*(line for lines in made.lines.values() for line in lines), "# EOF\n"]))
    command = [find(PROMTOOL), "tsdb", "create-blocks-from", "--max-block-duration=240h", "openmetrics"]
    subprocess.run([*command, text, folder / "data"], check=True, capture_output=True, timeout=60)
    return folder / "data"


@pytest.fixture(scope="session")
def serve(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Server]]:
    """Start a Prometheus on a copy of the blocks; it scrapes nothing."""
    started: list[subprocess.Popen[bytes]] = []

    def start(binary: Path) -> Server:
        folder = tmp_path_factory.mktemp("prometheus")
        subprocess.run(["cp", "-r", data, folder / "data"], check=True)
        (folder / "prometheus.yaml").write_text("{}")
        command = server.command(binary, folder / "prometheus.yaml")
        kept = [each.replace("retention.time=1d", "retention.time=100y") for each in command]
        with (folder / "log").open("wb") as log:
            started.append(subprocess.Popen(kept, stdout=log, stderr=log))
        url = wait(lambda: server.url(folder / "log"), what="a Prometheus", timeout=20, interval=0.02)
        client = Prometheus(url)
        wait(lambda: _answers(client), what="its answer", timeout=20, interval=0.05)
        return Server(url, client)

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def _answers(client: Prometheus) -> bool | NotYet:
    try:
        return bool(client.query("istio_requests_total", BEGAN + DAY))
    except Unreachable as error:
        return NotYet(str(error))


@pytest.fixture(scope="session")
def kept(serve: Callable[[Path], Server]) -> Server:
    """A Prometheus with the made past."""
    return serve(find(PROMETHEUS))
