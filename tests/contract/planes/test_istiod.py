"""istiod: where live requests go under a VirtualService, and how soon a new weight is in effect.

The cases stand in virtual_services.yaml. Each is asked with 2,000 requests where chance is in it, else with some.
"""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from string import Template
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from ruamel.yaml import YAML

from fixtures.cluster import DEPLOYMENTS, DESTINATION_RULES, GATEWAYS, PODS, VIRTUAL_SERVICES, Invalid, Object
from fixtures.envoy import Admin
from fixtures.waiting import wait

CASES = YAML(typ="safe").load(Path(__file__).parent / "virtual_services.yaml")["cases"]
NAMESPACE, SERVICE = "production", "rebate-core"
CHANCE, SURE, SLOW = 2000, 200, 8  # requests of an ask
CONNECTIONS = 8
SIGMAS = 5


@dataclass
class Answer:
    """What came back for one request."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def who(self) -> str:
        return self.headers.get("x-version", "200") if self.status == 200 else str(self.status)


@dataclass
class Gateway:
    """The sandbox's Envoy: asked for pages, and for what it knows."""

    admin: Admin
    port: int
    log: Path

    def ask(self, count: int, host: str, path: str = "/", method: str = "GET", headers: Any = None) -> list[Answer]:
        """Send requests over some connections at a time."""
        lines = [
            f"{method} {path} HTTP/1.1",
            f"host: {host}",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        message = ("\r\n".join(lines) + "\r\n\r\n").encode()
        return asyncio.run(self._all(message, count))

    async def _all(self, message: bytes, count: int) -> list[Answer]:
        several = min(CONNECTIONS, count)
        answers = await asyncio.gather(*(self._some(message, count // several) for _ in range(several)))
        return [each for some in answers for each in some]

    async def _some(self, message: bytes, count: int) -> list[Answer]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            return [await self._one(reader, writer, message) for _ in range(count)]
        finally:
            writer.close()
            await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes) -> Answer:
        writer.write(message)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
        headers = dict(line.partition(": ")[::2] for line in lines)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(first.split()[1]), headers, body.decode())

    def routes(self) -> str:
        """All routes in effect, as one text."""
        return json.dumps(self.admin.routes(), sort_keys=True)

    def domains(self) -> set[str]:
        return {domain.split(":")[0] for route in self.admin.routes() for domain in route["domains"]}

    def sent(self, subset: str) -> int:
        """How many requests the endpoints of a subset have been sent, copies and retries too."""
        told = requests.get(f"{self.admin.url}/clusters?format=json", timeout=5).json()["cluster_statuses"]
        hosts = [host for each in told if f"|{subset}|" in each["name"] for host in each.get("host_statuses", [])]
        stats = (stat for host in hosts for stat in host["stats"] if stat["name"] == "rq_total")
        return sum(int(stat.get("value", 0)) for stat in stats)

    def flags(self) -> str:
        """The response flags of the last request in the log."""
        line = self.log.read_text().rstrip().rpartition("\n")[2]
        return line.split()[-2] if line else ""


@dataclass
class Mesh:
    """A plane with all the cases in effect."""

    plane: Any
    gateway: Gateway
    refusals: dict[str, str] = field(default_factory=dict)

    def pods(self) -> list[str]:
        """The addresses of the canary's pods."""
        found = self.plane.client.list(PODS, NAMESPACE, "version=canary")
        return [pod["status"]["podIP"] for pod in found if "podIP" in pod["status"]]

    def names(self, version: str) -> set[str]:
        """The names of a version's pods."""
        found = self.plane.client.list(PODS, NAMESPACE, f"version={version}")
        return {pod["metadata"]["name"] for pod in found}

    def fail(self, faults: Object) -> None:
        for address in self.pods():
            requests.post(f"http://{address}:8080/_sandbox/faults", json=faults, timeout=5).raise_for_status()


def name_of(case: Object) -> str:
    return f"case-{CASES.index(case):02}"


def host_of(case: Object) -> str:
    return f"{name_of(case)}.contract.example.com"


def filled(case: Object) -> Object:
    """The case with its own names in it."""
    names = {"name": name_of(case), "host": host_of(case)}
    return dict(json.loads(Template(json.dumps(case)).safe_substitute(names)))


def objects(case: Object) -> Iterator[tuple[str, Object]]:
    """The VirtualServices of a case by name, the one that is asked last."""
    told = filled(case)
    yield from ((f"{name_of(case)}-{name}", spec) for name, spec in (told.get("also") or {}).items())
    usual = {"hosts": [host_of(case)], "gateways": ["contract"], "http": told["http"]}
    yield name_of(case), {**usual, **told.get("spec", {})}


def set_up(mesh: Mesh) -> None:
    """Create all cases at once."""
    client = mesh.plane.client
    edge = client.get(GATEWAYS, NAMESPACE, "rebate")["spec"]
    edge["servers"][0]["hosts"] = ["*.contract.example.com"]
    client.create(GATEWAYS, NAMESPACE, {"metadata": {"name": "contract"}, "spec": edge})
    subsets = client.get(DESTINATION_RULES, NAMESPACE, SERVICE)["spec"]["subsets"]
    change = {"spec": {"subsets": [*subsets, {"name": "nobody", "labels": {"version": "nobody"}}]}}
    client.merge_patch(DESTINATION_RULES, NAMESPACE, SERVICE, change)
    for case in CASES:
        for name, spec in objects(case):
            try:
                client.create(VIRTUAL_SERVICES, NAMESPACE, {"metadata": {"name": name}, "spec": spec})
            except Invalid as refusal:
                mesh.refusals[case["case"]] = str(refusal)
    wait(lambda: expected() <= mesh.gateway.domains(), what="all routes in effect", timeout=30)
    wait(lambda: at_rest(mesh.gateway), what="routes that do not change any more", timeout=30)


def expected() -> set[str]:
    return {
        host_of(case) for case in CASES if case.get("served", True) and "refused" not in case and "spec" not in case
    }


def at_rest(gateway: Gateway) -> bool:
    before = gateway.routes()
    time.sleep(0.5)
    return gateway.routes() == before


@pytest.fixture(scope="session")
def running() -> dict[bool, Mesh]:
    return {}


@pytest.fixture
def mesh(plane: Any, running: dict[bool, Mesh]) -> Mesh:
    """The cases in effect on the class's plane."""
    if plane.real not in running:
        port = urlsplit(plane.info["gateway"]).port
        gateway = Gateway(Admin(plane.info["envoy_admin"]), port or 80, plane.state / "access.log")
        made = Mesh(plane, gateway)
        set_up(made)
        running[plane.real] = made
    return running[plane.real]


class Contract:
    """What is so on both."""

    most: float  # seconds from a new weight to the first request under it, median

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
    def test_requests_go_where_the_virtual_service_says(self, mesh: Mesh, case: Object) -> None:
        if "refused" in case:
            assert case["refused"] in mesh.refusals.get(case["case"], "it was taken")
            return
        assert case["case"] not in mesh.refusals
        mesh.fail(case.get("faults", {}))
        try:
            for ask in filled(case)["asks"]:
                self.check(mesh.gateway, host_of(case), ask)
        finally:
            mesh.fail({})

    def check(self, gateway: Gateway, host: str, ask: Object) -> None:
        """Ask, and compare what came back and what it took with what is expected."""
        chance = any(0 < share < 100 for share in ask["answers"].values()) or any(
            times % 1 for times in ask.get("attempts", {}).values()
        )
        count = SLOW if ask.get("slow") else CHANCE if chance else SURE
        before = {subset: gateway.sent(subset) for subset in ask.get("attempts", {})}
        what = {key: ask[key] for key in ("path", "method", "headers") if key in ask}
        answers = gateway.ask(count, ask.get("host", host), **what)
        seen = Counter(answer.who for answer in answers)
        assert set(seen) <= set(ask["answers"])
        for who, share in ask["answers"].items():
            assert near(seen[who], share / 100, count), (who, seen)
        for subset, times in ask.get("attempts", {}).items():
            self.check_attempts(gateway, subset, times, count, before[subset])
        self.check_one(gateway, answers[-1], ask)

    def check_attempts(self, gateway: Gateway, subset: str, times: float, count: int, before: int) -> None:
        """Each request makes so many, the last of them by chance where it is a part of one."""

        def so_many() -> bool:
            return near(gateway.sent(subset) - before - int(times) * count, times % 1, count)

        wait(so_many, what=f"{times} requests to {subset} for each of {count}", timeout=5)

    def check_one(self, gateway: Gateway, answer: Answer, ask: Object) -> None:
        assert ask.get("body", "") in answer.body
        for name, value in ask.get("header", {}).items():
            assert answer.headers.get(name) == value, name
        if "flags" in ask:
            wait(lambda: gateway.flags() == ask["flags"], what=f"the flags {ask['flags']}", timeout=5)

    def test_a_new_weight_is_in_effect_soon_and_no_request_fails_meanwhile(self, mesh: Mesh) -> None:
        client, host, name = mesh.plane.client, "switch.contract.example.com", "switch"
        spec = {"hosts": [host], "gateways": ["contract"], "http": [{"route": shares(100, 0)}]}
        client.create(VIRTUAL_SERVICES, NAMESPACE, {"metadata": {"name": name}, "spec": spec})
        wait(lambda: host in mesh.gateway.domains(), what="the route", timeout=10)
        took = []
        for turn in range(20):
            wanted, weights = ("canary", (0, 100)) if turn % 2 == 0 else ("stable", (100, 0))
            began = time.monotonic()
            client.merge_patch(VIRTUAL_SERVICES, NAMESPACE, name, {"spec": {"http": [{"route": shares(*weights)}]}})
            seen = self.until(mesh.gateway, host, wanted)
            took.append(time.monotonic() - began)
            assert set(seen) <= {"stable", "canary"}, seen
        assert median(took) < self.most, sorted(took)

    def test_no_request_fails_while_all_pods_are_exchanged(self, mesh: Mesh) -> None:
        client, over, seen = mesh.plane.client, threading.Event(), Counter[str]()

        def load() -> None:
            while not over.is_set():
                seen.update(answer.who for answer in mesh.gateway.ask(CONNECTIONS * 4, host_of(CASES[0])))

        first = mesh.names("stable")
        mark = {"metadata": {"annotations": {"exchanged": str(time.time())}}}
        thread = threading.Thread(target=load)
        thread.start()
        try:
            client.merge_patch(DEPLOYMENTS, NAMESPACE, SERVICE, {"spec": {"template": mark}})
            wait(lambda: not first & mesh.names("stable"), what="new pods only", timeout=50)
        finally:
            over.set()
            thread.join()
        assert set(seen) == {"stable"}, seen
        assert seen["stable"] > 100

    def until(self, gateway: Gateway, host: str, wanted: str) -> Counter[str]:
        seen: Counter[str] = Counter()

        def switched() -> bool:
            (answer,) = gateway.ask(1, host)
            seen[answer.who] += 1
            return answer.who == wanted

        wait(switched, what=f"an answer of {wanted}", timeout=10, interval=0.002)
        return seen


def shares(stable: int, canary: int) -> list[Object]:
    where = {"host": f"{SERVICE}.{NAMESPACE}.svc.cluster.local", "port": {"number": 80}}
    weights = {"stable": stable, "canary": canary}
    return [{"destination": {**where, "subset": name}, "weight": weight} for name, weight in weights.items()]


def near(seen: float, share: float, count: int) -> bool:
    """Whether so many of `count` agree with a share; where no chance is in it they have to be all or none."""
    return abs(seen - share * count) <= SIGMAS * (count * share * (1 - share)) ** 0.5 + 1e-6


@pytest.mark.xdist_group("planes-istiod")
class TestStandIn(Contract):
    most = 0.2

    @pytest.fixture
    def plane(self, stand_in: Any) -> Any:
        return stand_in


@pytest.mark.xdist_group("real")
class TestReal(Contract):
    most = 0.6

    @pytest.fixture
    def plane(self, real: Any) -> Any:
        return real
