"""A server to ask, and a namespace of one's own in it.

The tests of behaviour (test_reads, test_writes, test_refusals, test_watch, test_ends) hold for a real API server too:
`SLUICEGATE_REAL_KUBECONFIG=FILE pytest tests/sandbox/api` runs them there (istiod's webhook has to be there as well).
"""

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from ruamel.yaml import YAML

Json = dict[str, Any]
REAL = os.environ.get("SLUICEGATE_REAL_KUBECONFIG", "")


@dataclass
class Client:
    """Asks one API server in one namespace; answers are (code, JSON)."""

    url: str
    session: requests.Session
    namespace: str = "default"
    sent: list[str] = field(default_factory=list)

    def path(self, where: str) -> str:
        """`deployments/web` -> its path in this namespace; a path that begins with / stays."""
        if where.startswith("/"):
            return where
        groups = {
            "deployments": "apis/apps/v1", "replicasets": "apis/apps/v1", "leases": "apis/coordination.k8s.io/v1",
            "virtualservices": "apis/networking.istio.io/v1", "destinationrules": "apis/networking.istio.io/v1",
            "gateways": "apis/networking.istio.io/v1", "applications": "apis/argoproj.io/v1alpha1",
        }  # fmt: skip
        group = groups.get(where.split("/", maxsplit=1)[0], "api/v1")
        return f"/{group}/namespaces/{self.namespace}/{where}"

    def ask(self, method: str, where: str, body: Any = None, form: str = "", **query: Any) -> tuple[int, Json]:
        kinds = {"json": "json-patch+json", "merge": "merge-patch+json", "strategic": "strategic-merge-patch+json"}
        content = f"application/{kinds.get(form, 'json')}"
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        answer = self.session.request(
            method, self.url + self.path(where), data=data, params=query, timeout=10,
            headers={"Content-Type": content} if data is not None else {},
        )  # fmt: skip
        return answer.status_code, answer.json()

    def get(self, where: str, **query: Any) -> Json:
        return self._fine(self.ask("GET", where, **query))

    def create(self, where: str, body: Json) -> Json:
        return self._fine(self.ask("POST", where, body))

    def put(self, where: str, body: Json) -> Json:
        return self._fine(self.ask("PUT", where, body))

    def patch(self, where: str, body: Any, form: str = "merge") -> Json:
        return self._fine(self.ask("PATCH", where, body, form))

    def delete(self, where: str, body: Any = None, **query: Any) -> Json:
        return self._fine(self.ask("DELETE", where, body, **query))

    def watch(self, where: str, since: str | None = None, **query: Any) -> Iterator[Json]:
        """The events of a watch, until its time is up."""
        query = {"watch": 1, "timeoutSeconds": 2, **query, **({} if since is None else {"resourceVersion": since})}
        with self.session.get(self.url + self.path(where), params=query, stream=True, timeout=10) as answer:
            assert answer.status_code == 200, answer.text
            for line in answer.iter_lines():
                yield json.loads(line)

    @staticmethod
    def _fine(answer: tuple[int, Json]) -> Json:
        code, body = answer
        assert code < 300, body
        return body


@dataclass
class Server:
    """A running stand-in."""

    state: Path
    process: subprocess.Popen[bytes]
    known: Json

    def session(self, token: str) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # a CA bundle of the environment would win over the server's own
        session.verify, session.headers["Authorization"] = self.known["ca"], f"Bearer {self.known[token]}"
        return session


@pytest.fixture(scope="session")
def start() -> Callable[..., Server]:
    def start(state: Path, *arguments: str, **more: Any) -> Server:
        command = [sys.executable, "-m", "fixtures.sandbox.api", "--state", str(state), *arguments]
        process = subprocess.Popen(command, **more)
        ends = time.monotonic() + 20
        while (known := _known(state)).get("pid") != process.pid:
            assert process.poll() is None, "the API ended before it listened"
            assert time.monotonic() < ends, "the API does not listen after 20 s"
            time.sleep(0.02)
        return Server(state, process, known)

    return start


@pytest.fixture(scope="session")
def server(start: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One stand-in for all tests of a worker; each has its own namespace in it."""
    running = start(tmp_path_factory.mktemp("api"))
    yield running
    running.process.terminate()
    running.process.wait(10)


@pytest.fixture(scope="session")
def everywhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The administrator, on the stand-in or on the server of SLUICEGATE_REAL_KUBECONFIG."""
    if REAL:
        client = _real(Path(REAL), tmp_path_factory.mktemp("real"))
    else:
        server: Server = request.getfixturevalue("server")
        client = Client(server.known["url"], server.session("admin_token"))
    with client.session:
        yield client


@pytest.fixture
def api(everywhere: Client) -> Client:
    """The administrator in a new namespace."""
    name = f"t-{secrets.token_hex(4)}"
    everywhere.create("/api/v1/namespaces", {"metadata": {"name": name}})
    return Client(everywhere.url, everywhere.session, name)


@pytest.fixture
def deployment() -> Json:
    labels = {"app": "web"}
    containers = [{"name": "app", "image": "web:1"}, {"name": "side", "image": "side:1"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": "web", "labels": labels}, "spec": spec}


@pytest.fixture
def virtual_service() -> Json:
    routes = [
        {"destination": {"host": "web", "subset": name}, "weight": weight}
        for name, weight in (("stable", 100), ("canary", 0))
    ]
    spec = {"hosts": ["web.example.com"], "http": [{"name": "primary", "route": routes}]}
    head = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService"}
    return {**head, "metadata": {"name": "web"}, "spec": spec}


@pytest.fixture
def pod() -> Json:
    spec = {"terminationGracePeriodSeconds": 5, "containers": [{"name": "app", "image": "web:1"}]}
    return {"metadata": {"name": "web-1", "labels": {"app": "web"}}, "spec": spec}


def _known(state: Path) -> Json:
    """What api.json says; one that a killed server has left is there for a moment."""
    try:
        return dict(json.loads((state / "api.json").read_text()))
    except FileNotFoundError:
        return {}


def _real(kubeconfig: Path, folder: Path) -> Client:
    config = YAML(typ="safe").load(kubeconfig)
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    for name, text in (
        ("ca", cluster["certificate-authority-data"]),
        ("crt", user["client-certificate-data"]),
        ("key", user["client-key-data"]),
    ):
        (folder / name).write_bytes(base64.b64decode(text))
    session = requests.Session()
    session.trust_env = False
    session.verify, session.cert = str(folder / "ca"), (str(folder / "crt"), str(folder / "key"))
    return Client(cluster["server"], session)
