"""A real Pushgateway keeps what a rollout has pushed, per service, and only the last of it."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from socket import create_server
from typing import Any

import pytest
import requests

from ci.events import PhaseEntered, RolloutBegan, RolloutEnded, WeightsWritten
from ci.reporters.notify.metrics import MetricsChannel
from fixtures.errors import SluicegateError
from fixtures.notify import Metrics
from fixtures.sandbox.binaries import Program, find
from fixtures.sandbox.downloads import DebianFile
from fixtures.waiting import wait

PUSHGATEWAY = Program(
    name="pushgateway",
    variable="SLUICEGATE_PUSHGATEWAY",
    commands=("prometheus-pushgateway", "pushgateway"),
    says="pushgateway",
    debian=DebianFile("prometheus-pushgateway", "usr/bin/prometheus-pushgateway"),
    remedy="install the package prometheus-pushgateway, or set SLUICEGATE_PUSHGATEWAY to the program",
)


@pytest.fixture(scope="module")
def pushgateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        program = find(PUSHGATEWAY)
    except SluicegateError as missing:
        pytest.skip(f"NO PUSHGATEWAY: that it takes what is pushed is NOT tested here: {missing}")
    with closing(create_server(("127.0.0.1", 0))) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (tmp_path_factory.mktemp("pushgateway") / "log").open("wb") as log:
        process = subprocess.Popen([program, f"--web.listen-address={address}"], stdout=log, stderr=log)
    try:
        wait(lambda: _ready(f"http://{address}"), what="a Pushgateway", timeout=20, interval=0.05)
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait(10)


def _ready(url: str) -> bool | None:
    try:
        return requests.get(f"{url}/-/ready", timeout=2).ok or None
    except requests.ConnectionError:
        return None


def kept(url: str) -> dict[str, Any]:
    """Give the groups that it keeps, by service."""
    groups = requests.get(f"{url}/api/v1/metrics", timeout=5).json()["data"]
    return {group["labels"]["service"]: group for group in groups}


def values(group: dict[str, Any], name: str) -> dict[str, float]:
    found = group[f"sluicegate_rollout_{name}"]["metrics"]
    return {each["labels"].get("outcome", ""): float(each["value"]) for each in found}


def rollout(url: str, service: str, outcome: str, target: str = "prod eu/1") -> None:
    group = {"service": service, "namespace": "production", "target": target}
    channel = MetricsChannel("notify.metrics", Metrics(pushgateway=url), group, {})
    about = {"rollout": "3f9c2a", "service": service, "image": "r/shop@sha256:1", "steps": [5], "who": "ci@agent"}
    channel.tell(RolloutBegan(at=100.0, target=target, **about))
    channel.tell(PhaseEntered(at=100.0, phase="preflight"))
    channel.tell(WeightsWritten(at=110.0, stable=95, canary=5, why="", who="", took=0.1))
    channel.tell(RolloutEnded(at=190.0, outcome=outcome, sentence="", exit_code=0))


def test_each_service_has_the_numbers_of_its_last_rollout(pushgateway: str) -> None:
    rollout(pushgateway, "rebate-core", "rolled back")
    rollout(pushgateway, "rebate-core", "promoted")
    rollout(pushgateway, "till", "refused")
    groups = kept(pushgateway)
    assert set(groups) == {"rebate-core", "till"}
    assert groups["rebate-core"]["labels"]["target"] == "prod eu/1"
    assert groups["rebate-core"]["last_push_successful"]
    outcomes = values(groups["rebate-core"], "outcome")
    assert [outcome for outcome, value in outcomes.items() if value] == ["promoted"]
    assert values(groups["rebate-core"], "canary_weight_ratio") == {"": 0.05}
    assert values(groups["till"], "end_timestamp_seconds") == {"": 190.0}
