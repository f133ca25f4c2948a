"""Load keeps its schedule whatever the service does, and tells the truth about each request."""

import socket
import stat
from collections.abc import Callable
from typing import Any

import psutil
import pytest
import requests

from fixtures.sandbox.dataplane.load import MOST_IDLE, parse_rate
from fixtures.waiting import wait


def test_slow_answers_do_not_slow_the_load(running: Any, load_on: Callable[[str], Any]) -> None:
    """With answers that take 0.4 s, a loop that waits for each would send 2.5 requests a second."""
    load = load_on(running.pod(latency_ms=400).url)
    load.rate(100)
    first = wait(lambda: (now := load.stats())["answered"] > 0 and now, what="an answer", timeout=5, interval=0.01)
    assert first["sent"] > 20
    assert all(float(row["latency_ms"]) >= 400 for row in load.rows())


def test_every_request_is_in_the_truth(running: Any, load_on: Callable[[str], Any]) -> None:
    pod = running.pod("canary", errors=0.5)
    load = load_on(pod.url)
    load.rate(200)
    wait(lambda: load.stats()["answered"] > 50, what="answers", timeout=5, interval=0.02)
    rows, told = load.rows(), load.stats()
    assert {(row["version"], row["pod"]) for row in rows} == {("canary", pod.name)}
    statuses = [row["status"] for row in rows]
    assert told["by_version"] == {"canary": {code: statuses.count(code) for code in ("200", "500")}}
    assert stat.S_IMODE((load.truth.parent / "load.json").stat().st_mode) == 0o600


def test_the_schedule_is_kept(running: Any, load_on: Callable[[str], Any]) -> None:
    load = load_on(running.pod().url)
    load.rate(200)
    wait(lambda: load.stats()["answered"] > 200, what="200 answers", timeout=5, interval=0.02)
    starts = sorted(float(row["start_unix"]) for row in load.rows())
    assert len(starts) / (starts[-1] - starts[0]) == pytest.approx(200, rel=0.05)


def test_connections_that_a_stall_has_opened_are_not_kept(running: Any, load_on: Callable[[str], Any]) -> None:
    pod = running.pod(latency_ms=1000)
    load = load_on(pod.url)
    load.rate(500)
    wait(lambda: load.stats()["sent"] > MOST_IDLE + 100, what="many at a time", timeout=10, interval=0.02)
    load.stop()

    def left() -> int:
        return sum(each.status == psutil.CONN_ESTABLISHED for each in psutil.Process(pod.process.pid).net_connections())

    wait(lambda: 0 < left() <= MOST_IDLE + 5, what="the rest to be closed", timeout=10)


def test_a_broken_connection_is_told_as_status_0_and_is_not_used_again(
    running: Any, load_on: Callable[[str], Any]
) -> None:
    pod = running.pod(resets=0.5)
    load = load_on(pod.url)
    load.rate(100)
    wait(lambda: load.stats()["answered"] > 40, what="answers", timeout=5, interval=0.02)
    told = load.stop()
    assert set(told["by_version"]) == {"stable", "unknown"}
    assert set(told["by_version"]["unknown"]) == {"0"}


def test_nobody_there_is_told_as_status_0(load_on: Callable[[str], Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    load = load_on(f"http://127.0.0.1:{port}")
    load.rate(50)
    wait(lambda: load.stats()["answered"] > 5, what="answers", timeout=5, interval=0.02)
    assert set(load.stop()["by_version"]["unknown"]) == {"0"}


@pytest.mark.parametrize("rate", ["-1", "nan", "inf", "100000", "many"])
def test_rates_that_can_not_be_are_refused(rate: str) -> None:
    with pytest.raises(ValueError, match=r"rate|float"):
        parse_rate(rate)


def test_control_is_for_this_machine_only(running: Any, load_on: Callable[[str], Any]) -> None:
    load = load_on(running.pod().url)
    elsewhere = requests.get(f"{load.url}/stats", headers={"Host": "evil.example:80"}, timeout=5)
    form = requests.post(f"{load.url}/rate", data='{"rate": 5}', timeout=5)
    wrong = requests.post(f"{load.url}/rate", json={"speed": 5}, timeout=5)
    assert [elsewhere.status_code, form.status_code, wrong.status_code] == [403, 403, 400]
    assert load.stats()["rate"] == 0
