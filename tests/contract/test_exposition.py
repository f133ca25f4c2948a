"""What the sandbox can not bring about: fed by hand to Envoy's reader and, through a real Prometheus, to PromQL's."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.evidence import Count, Traffic
from fixtures.counters import SCRAPED, Counters, VersionLabels
from fixtures.envoy import Admin
from fixtures.prometheus import Prometheus, selector
from fixtures.scraped import ScrapedTraffic
from fixtures.waiting import wait

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

LABELS = {
    "code": "response_code",
    "flags": "response_flags",
    "grpc": "grpc_response_status",
    "version": "destination_version",
    "reporter": "reporter",
}
USUAL = {"reporter": "source", "version": "canary", "code": "200", "flags": "-"}


def more(requests: int, **labels: str) -> tuple[dict[str, str], int]:
    """One series by its labels, and how many requests more it has at the second look."""
    return {LABELS[name]: value for name, value in {**USUAL, **labels}.items()}, requests


@dataclass(frozen=True)
class Case:
    """Series of one service, and how its canary's traffic has to be read."""

    canary: Count
    series: list[tuple[dict[str, str], int]]
    unreached: int = 0
    reporter: str = "source"


CASES = {
    "grpc-status": Case(Count(10, 3), [more(7, grpc="0"), more(3, grpc="14")]),
    "http-code": Case(Count(15, 2), [more(9), more(4, code="404"), more(2, code="500")]),
    "no-connection": Case(Count(5, 5), [more(4, code="503", flags="UF,URX"), more(1, code="503", flags="UH")]),
    "reset": Case(Count(7, 7), [more(6, code="503", flags="UC"), more(1, code="0", flags="DC")]),
    "no-pod": Case(Count(8, 8), [more(8, version="unknown", code="503", flags="UH")], unreached=8),
    "no-pod-grpc": Case(Count(8, 8), [more(8, version="unknown", grpc="14", flags="UH")], unreached=8),
    "no-version-but-an-answer": Case(Count(), [more(8, version="unknown")]),
    "another-version": Case(Count(), [more(8, version="nightly", code="500")]),
    "source": Case(Count(8), [more(8), more(9, reporter="destination", code="500")]),
    "destination": Case(Count(9, 9), [more(8), more(9, reporter="destination", code="500")], reporter="destination"),
    "waypoint": Case(Count(3, 3), [more(8), more(3, reporter="waypoint", code="503")], reporter="waypoint"),
}
HOST = "{}.production.svc.cluster.local"


class Exposition:
    """An endpoint that is scraped, with Envoy's names; every series has 1,000 requests at the first look."""

    def __init__(self) -> None:
        self.look = 1
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def text(self) -> str:
        lines = ["# TYPE envoy_istio_requests_total counter", f'envoy_istio_requests_total{{look="now"}} {self.look}']
        for name, case in CASES.items():
            for labels, requests in case.series:
                written = selector({"destination_service": HOST.format(name), **labels})
                lines.append(f"envoy_istio_requests_total{written} {1000 + (requests if self.look > 1 else 0)}")
        return "\n".join(lines) + "\n"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N805
                body = self.text().encode()
                handler.send_response(200)
                handler.send_header("content-type", "text/plain; version=0.0.4")
                handler.send_header("content-length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        return Handler


@pytest.fixture(scope="module")
def exposition() -> Iterator[Exposition]:
    served = Exposition()
    yield served
    served.close()


@pytest.fixture(scope="module")
def prometheus(exposition: Exposition, scraper: Any) -> Prometheus:
    return Prometheus(scraper(exposition.url).url)


@pytest.fixture(scope="module")
def seen(exposition: Exposition, prometheus: Prometheus) -> dict[str, dict[str, Traffic]]:
    """Look twice at each case through each of the two."""
    labels = {name: VersionLabels(HOST.format(name), "canary", "stable", case.reporter) for name, case in CASES.items()}
    direct = {name: Counters(each) for name, each in labels.items()}
    scraped = {name: ScrapedTraffic(prometheus, each, [], {}) for name, each in labels.items()}

    def look(number: int) -> dict[str, dict[str, Traffic]]:
        exposition.look = number
        wait(lambda: prometheus.value('istio_requests_total{look="now"}') == number, what="a scrape", timeout=20)
        samples = Admin(exposition.url).scrape(SCRAPED)
        return {
            "envoy": {name: each.advance(samples) for name, each in direct.items()},
            "prometheus": {name: each.read() for name, each in scraped.items()},
        }

    first = look(1)
    assert not any(traffic.canary.all.requests for source in first.values() for traffic in source.values())
    return look(2)


@pytest.mark.parametrize("source", ["envoy", "prometheus"])
@pytest.mark.parametrize("name", CASES)
def test_both_read_the_same(seen: dict[str, dict[str, Traffic]], name: str, source: str) -> None:
    traffic, expected = seen[source][name], CASES[name]
    assert (traffic.canary.all, traffic.unreached) == (expected.canary, expected.unreached)


@pytest.fixture(scope="module")
def read_back(prometheus: Prometheus) -> Callable[[str], str]:
    """Let Prometheus itself read a label value: ``absent`` gives the labels that its selector asks for."""
    return lambda value: prometheus.query(f"absent(none{selector({'l': value})})")[0].labels.get("l", "")


@given(value=st.text())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_label_value_is_read_as_it_was_written(read_back: Callable[[str], str], value: str) -> None:
    assert read_back(value) == value
