"""A pod says who it is, misbehaves as it is told, and goes without a request lost."""

import http.client
import signal
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from fixtures.sandbox.dataplane.backend import Faults
from fixtures.sandbox.lifeline import Lifeline
from fixtures.sandbox.processes import module, spawn


def test_every_answer_says_who_gave_it(running: Any) -> None:
    pod = running.pod("canary")
    answer = requests.get(f"{pod.url}/rebates/7", timeout=5)
    assert answer.json() == {"path": "/rebates/7", "pod": pod.name}
    assert (answer.headers["x-pod"], answer.headers["x-version"]) == (pod.name, "canary")
    assert answer.headers["x-image"] == "registry.example.com/shop/x@sha256:1"


def test_faults_begin_as_the_image_says_and_change_while_it_runs(running: Any) -> None:
    pod = running.pod(errors=1.0)
    assert requests.get(pod.url, timeout=5).status_code == 500
    assert requests.get(f"{pod.url}/healthz", timeout=5).ok, "a pod that only answers badly stays ready"
    pod.fail()
    assert requests.get(pod.url, timeout=5).status_code == 200


def test_a_share_of_errors_is_a_share(running: Any) -> None:
    pod = running.pod(errors=0.5)
    with requests.Session() as session:
        codes = [session.get(pod.url, timeout=5).status_code for _ in range(200)]
    assert 50 < codes.count(500) < 150
    assert set(codes) == {200, 500}


def test_slow_requests_take_longer(running: Any) -> None:
    pod = running.pod(slow=1.0, slow_ms=150, latency_ms=50)
    assert requests.get(pod.url, timeout=5).elapsed.total_seconds() >= 0.2


def test_a_reset_is_no_answer(running: Any) -> None:
    pod = running.pod(resets=1.0)
    with pytest.raises(requests.ConnectionError, match="reset"):
        requests.get(pod.url, timeout=5)


def test_a_hanging_request_gets_nothing_until_its_client_gives_up(running: Any) -> None:
    pod = running.pod(hangs=1.0)
    with pytest.raises(requests.ReadTimeout):
        requests.get(pod.url, timeout=0.2)
    pod.fail()
    assert requests.get(pod.url, timeout=5).ok


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"errors": 1.5}', "share from 0 to 1"),
        ('{"errors": "many"}', "must be a number"),
        ('{"errors": NaN}', "must be a number"),
        ('{"latency_ms": -1}', "not negative"),
        ('{"errors": 0.6, "resets": 0.6}', "together at most 1"),
        ('{"typo": 1}', "some of errors, latency_ms"),
        ("[]", "JSON object"),
    ],
)
def test_faults_that_can_not_be_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Faults.parse(text)


def test_faults_are_refused_from_elsewhere(running: Any) -> None:
    """Neither a request that came through the gateway nor one that a foreign web page can make may change them."""
    pod = running.pod()
    address = f"{pod.url}/_sandbox/faults"
    gateway = requests.post(address, json={"errors": 1}, headers={"Host": "rebate.example.com"}, timeout=5)
    form = requests.post(address, data='{"errors": 1}', headers={"Content-Type": "text/plain"}, timeout=5)
    assert (gateway.status_code, form.status_code) == (403, 403)
    assert requests.get(pod.url, timeout=5).ok


def test_what_is_no_http_is_answered_with_400(running: Any) -> None:
    pod = running.pod()
    bad = requests.post(pod.url, data=iter([b"chunked"]), timeout=5)
    assert bad.status_code == 400
    assert "Content-Length" in bad.json()["error"]


def test_a_terminated_pod_answers_what_it_has_begun_and_what_still_comes(running: Any) -> None:
    pod = running.pod(latency_ms=200)
    with closing(http.client.HTTPConnection(pod.address, 8080, timeout=5)) as begun:
        begun.request("GET", "/")
        pod.process.send_signal(signal.SIGTERM)
        later = requests.get(pod.url, timeout=5)
        assert begun.getresponse().status == later.status_code == 200
    assert pod.process.wait(5) == 0


def test_a_pod_ends_with_the_owner_of_its_lifeline(running: Any, tmp_path: Path) -> None:
    line = Lifeline()
    identity = ("--pod", "p", "--version", "stable", "--image", "i")
    where = ("--host", running.addresses.take(8080), "--port", "8080")
    command = module("fixtures.sandbox.dataplane.backend", *where, *identity)
    process = spawn("pod", command, tmp_path / "log", lifeline=line.child_end).process
    running.stack.callback(process.kill)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    line.cut()
    assert process.wait(5) == 0
