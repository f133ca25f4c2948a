"""Pods, a gateway and load as real processes, without a cluster: the discovery files are written by hand."""

import csv
import itertools
import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from fixtures.sandbox.binaries import ENVOY, find
from fixtures.sandbox.controllers.kubelet.addresses import Addresses
from fixtures.sandbox.dataplane import envoy
from fixtures.sandbox.files import read_json, write_json
from fixtures.waiting import wait

SERVICE = "rebate-core.production.svc.cluster.local"
HOST = {"Host": "rebate.example.com"}
TYPES = "type.googleapis.com/envoy.config"
PORT = 8080


@dataclass(frozen=True)
class Pod:
    """A running pod."""

    name: str
    version: str
    address: str
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://{self.address}:{PORT}"

    def fail(self, **faults: float) -> None:
        """Change what goes wrong."""
        requests.post(f"{self.url}/_sandbox/faults", json=faults, timeout=5).raise_for_status()


@dataclass
class Running:
    """Starts processes that end with the test."""

    stack: ExitStack
    addresses: Addresses = field(default_factory=Addresses)

    def process(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command)
        self.stack.callback(process.wait, 10)
        self.stack.callback(process.kill)
        return process

    def module(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        return self.process(sys.executable, "-m", f"fixtures.sandbox.dataplane.{name}", *options)

    def pod(self, version: str = "stable", **faults: float) -> Pod:
        address, name = self.addresses.take(PORT), f"rebate-core-{version}-{secrets.token_hex(2)}"
        identity = ("--pod", name, "--version", version, "--image", "registry.example.com/shop/x@sha256:1")
        where = ("--host", address, "--port", str(PORT))
        process = self.module("backend", *where, *identity, "--faults", json.dumps(faults))
        pod = Pod(name, version, address, process)
        wait(lambda: _ready(pod.url), what=f"{name}", timeout=10, interval=0.01)
        return pod


def _ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=1).ok
    except requests.ConnectionError:
        return False


@dataclass
class Mesh:
    """An Envoy, and the istiod that stands by hand beside it."""

    state: Path
    gateway: envoy.Gateway
    version: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def endpoints(self, **pods: list[Pod]) -> None:
        """Put pods behind the subsets of the service."""
        for subset, members in pods.items():
            self._write(f"eds-{subset}.json", [_assignment(subset, members)])
        self._write("cds.json", [self._cluster(subset) for subset in pods])
        wait(lambda: self._knows(pods), what="the clusters in Envoy", timeout=5, interval=0.01)

    def weights(self, canary: int, **route: Any) -> int:
        """Route that share to the canary, and give the route's generation once Envoy has it."""
        generation = next(self.version)
        targets = [{"name": _cluster_name("stable"), "weight": 100 - canary}]
        targets += [{"name": _cluster_name("canary"), "weight": canary}]
        action = {"timeout": "5s", "weighted_clusters": {"clusters": targets}, **route}
        self.route(generation, action)
        return generation

    def route(self, generation: int, action: Mapping[str, Any]) -> None:
        """Give the service's host one route."""
        header = {"header": {"key": "x-route-generation", "value": str(generation)}}
        everything = {"match": {"prefix": "/"}, "route": action}
        host = {"name": "rebate", "domains": [HOST["Host"]], "routes": [everything]}
        about = {"name": envoy.ROUTES, "response_headers_to_add": [header], "virtual_hosts": [host]}
        self._write("rds.json", [{"@type": f"{TYPES}.route.v3.RouteConfiguration", **about}])
        wait(lambda: self._has(f'"{generation}"'), what="the route in Envoy", timeout=5, interval=0.01)

    def get(self, **headers: str) -> requests.Response:
        return requests.get(self.gateway.url, headers={**HOST, **headers}, timeout=10)

    def counted(self) -> dict[tuple[str, ...], int]:
        """Read istio_requests_total by version, workload, service, code and flags."""
        text = requests.get(self.gateway.stats, timeout=5).text
        labels = ("destination_version", "destination_workload", "destination_service_name")
        labels += ("response_code", "response_flags")
        found: dict[tuple[str, ...], int] = {}
        for line in text.splitlines():
            if line.startswith("envoy_istio_requests_total{"):
                values = dict(pair.split("=") for pair in line[line.index("{") + 1 : line.index("}")].split(","))
                key = tuple(values[name].strip('"') for name in labels)
                found[key] = found.get(key, 0) + int(line.rsplit(" ", 1)[1])
        return found

    def _knows(self, pods: Mapping[str, list[Pod]]) -> bool:
        known = requests.get(f"{self.gateway.admin}/clusters", timeout=5).text
        there = all(f"{pod.address}:{PORT}" in known for members in pods.values() for pod in members)
        return there and all(f"{_cluster_name(subset)}::" in known for subset in pods)

    def _has(self, text: str) -> bool:
        dump = requests.get(f"{self.gateway.admin}/config_dump?resource=dynamic_route_configs", timeout=5)
        return text in dump.text

    def _cluster(self, subset: str) -> dict[str, Any]:
        source = {"path_config_source": {"path": str(self.state / "envoy" / f"eds-{subset}.json")}}
        about = {"service_host": SERVICE, "service": "rebate-core", "namespace": "production", "subset": subset}
        return {
            "@type": f"{TYPES}.cluster.v3.Cluster",
            "name": _cluster_name(subset),
            "type": "EDS",
            "eds_cluster_config": {"eds_config": {**source, "resource_api_version": "V3"}},
            "metadata": {"filter_metadata": {"istio": about}},
        }

    def _write(self, name: str, resources: list[Any]) -> None:
        content = {"version_info": str(next(self.version)), "resources": resources}
        write_json(self.state / "envoy" / name, content)


def _cluster_name(subset: str) -> str:
    return f"outbound|80|{subset}|{SERVICE}"


def _assignment(subset: str, pods: list[Pod]) -> dict[str, Any]:
    endpoints = [
        {
            "endpoint": {"address": {"socket_address": {"address": pod.address, "port_value": PORT}}},
            "metadata": {"filter_metadata": {"istio": _of_pod(pod)}},
        }
        for pod in pods
    ]
    return {
        "@type": f"{TYPES}.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": _cluster_name(subset),
        "endpoints": [{"lb_endpoints": endpoints}],
    }


def _of_pod(pod: Pod) -> dict[str, str]:
    workload = "rebate-core" if pod.version == "stable" else "rebate-core-canary"
    return {"workload": workload, "namespace": "production", "version": pod.version, "pod": pod.name}


@dataclass(frozen=True)
class Load:
    """A running load generator."""

    url: str
    truth: Path
    process: subprocess.Popen[bytes]

    def rate(self, rate: float) -> None:
        requests.post(f"{self.url}/rate", json={"rate": rate}, timeout=5).raise_for_status()

    def stats(self) -> dict[str, Any]:
        return dict(requests.get(f"{self.url}/stats", timeout=5).json())

    def stop(self) -> dict[str, Any]:
        """Stop the load, wait for the last answer, and give the sums."""
        self.rate(0)
        return wait(
            lambda: (now := self.stats())["sent"] == now["answered"] and now,
            what="the last answers",
            timeout=10,
            interval=0.02,
        )

    def rows(self) -> list[dict[str, str]]:
        """Stop the load, and give the truth about each request."""
        sent = self.stop()["sent"]
        return wait(lambda: len(found := self._read()) == sent and found, what="all rows", timeout=5, interval=0.02)

    def _read(self) -> list[dict[str, str]]:
        return list(csv.DictReader(self.truth.read_text().splitlines()))


@pytest.fixture
def running() -> Iterator[Running]:
    with ExitStack() as stack:
        yield Running(stack)


@pytest.fixture
def mesh(running: Running, tmp_path: Path) -> Mesh:
    running.process(*envoy.command(find(ENVOY), envoy.prepare(tmp_path)))
    found = wait(lambda: envoy.gateway(tmp_path), what="Envoy", timeout=20, interval=0.01)
    return Mesh(tmp_path, found)


@pytest.fixture
def load_on(running: Running, tmp_path: Path) -> Callable[[str], Load]:
    def start(gateway: str) -> Load:
        truth, announced = tmp_path / "truth.csv", tmp_path / "load.json"
        files = ("--truth", str(truth), "--announce", str(announced))
        process = running.module("load", "--gateway", gateway, "--host", HOST["Host"], *files)
        url = wait(lambda: read_json(announced), what="the load generator", timeout=10, interval=0.01)["url"]
        return Load(url, truth, process)

    return start
