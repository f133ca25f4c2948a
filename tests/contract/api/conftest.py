"""Two servers to ask, the stand-in and a real one, and a namespace of one's own in either.

Each subject of the contract is a class of tests; its two subclasses say on which server (fixture `server`) it runs.
The real one is kube-apiserver with its controllers, Istio's and Argo CD's kinds and istiod's webhook: it runs already
(SLUICEGATE_REAL_KUBECONFIG, the administrator's, with a client certificate or a token), or is started for these tests
(SLUICEGATE_CONTRACT; fixtures/sandbox/real/choice.py says how its programs are named).
"""

import base64
import json
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from ruamel.yaml import YAML

from fixtures.sandbox.parts import Parts
from fixtures.sandbox.real import argocd, istio, kube
from fixtures.sandbox.real.choice import running_plane
from fixtures.sandbox.seed import Kubernetes
from fixtures.waiting import wait

Json = dict[str, Any]
FORMS = {"json": "json-patch+json", "merge": "merge-patch+json", "strategic": "strategic-merge-patch+json"}
FORMS |= {"": "json", "apply": "apply-patch+yaml"}
READER = "gates"  # the user behind the stand-in's second token; the administrator of a real server speaks for it
ROLE = "sluicegate-contract-reader"
GROUPS = {
    "deployments": "apis/apps/v1", "replicasets": "apis/apps/v1", "leases": "apis/coordination.k8s.io/v1",
    "horizontalpodautoscalers": "apis/autoscaling/v2", "applications": "apis/argoproj.io/v1alpha1",
    "virtualservices": "apis/networking.istio.io/v1", "destinationrules": "apis/networking.istio.io/v1",
    "gateways": "apis/networking.istio.io/v1",
}  # fmt: skip


@dataclass
class Client:
    """Asks one API server in one namespace; answers are (code, JSON)."""

    url: str
    session: requests.Session
    namespace: str = "default"

    def path(self, where: str) -> str:
        """`deployments/web` -> its path in this namespace; a path that begins with / stays."""
        if where.startswith("/"):
            return where
        group = GROUPS.get(where.split("/", maxsplit=1)[0], "api/v1")
        return f"/{group}/namespaces/{self.namespace}/{where}"

    def send(
        self,
        method: str,
        where: str,
        body: Any = None,
        form: str = "",
        accept: str = "",
        *,
        stream: bool = False,
        **query: Any,
    ) -> Any:
        """Send one request; gives requests' own answer."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        content = form if "/" in form else f"application/{FORMS[form]}"
        headers = {"Accept": accept or "application/json", **({"Content-Type": content} if data is not None else {})}
        return self.session.request(
            method, self.url + self.path(where), data=data, params=query, timeout=10, headers=headers, stream=stream
        )

    def ask(self, method: str, where: str, body: Any = None, form: str = "", **query: Any) -> tuple[int, Json]:
        answer = self.send(method, where, body, form, **query)
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
        with self.send("GET", where, stream=True, **query) as answer:
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
    """An API server that runs: who asks it."""

    url: str
    admin: requests.Session
    reader: requests.Session
    kubeconfigs: dict[str, Path]
    accounts: bool = False  # its controllers make a service account in each namespace, without which there are no pods
    made: list[str] = field(default_factory=list)

    def client(self, who: str = "admin", namespace: str = "") -> Client:
        """A client in a namespace, a new one unless given."""
        if not namespace:
            namespace = f"t-{secrets.token_hex(4)}"
            client = Client(self.url, self.admin, namespace)
            client.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
            self.made.append(namespace)
            if self.accounts:
                there = lambda: client.ask("GET", "serviceaccounts/default")[0] == 200 or None  # noqa: E731
                wait(there, what="the namespace's service account", timeout=10, interval=0.02)
        return Client(self.url, getattr(self, who), namespace)

    def clear(self) -> None:
        """Delete the namespaces that the tests have made."""
        for name in self.made:
            with suppress(requests.RequestException):
                Client(self.url, self.admin).ask("DELETE", f"/api/v1/namespaces/{name}")


@dataclass
class StandIn:
    """A running stand-in."""

    state: Path
    process: subprocess.Popen[bytes]
    known: Json

    def session(self, token: str) -> requests.Session:
        return session(self.known["ca"], {"Authorization": f"Bearer {self.known[token]}"})


def session(authority: str, headers: dict[str, str]) -> requests.Session:
    made = requests.Session()
    made.trust_env = False  # a CA bundle of the environment would win over the server's own
    made.verify = authority
    made.headers.update(headers)
    return made


@pytest.fixture(scope="session")
def start() -> Callable[..., StandIn]:
    """Start a stand-in, which the caller ends."""

    def start(state: Path, *arguments: str, **more: Any) -> StandIn:
        command = [sys.executable, "-m", "fixtures.sandbox.api", "--state", str(state), *arguments]
        process = subprocess.Popen(command, **more)

        def known() -> Json | None:
            assert process.poll() is None, "the API ended before it listened"
            with suppress(FileNotFoundError):  # what a killed server has left is there for a moment
                told: Json = json.loads((state / "api.json").read_text())
                return told if told["pid"] == process.pid else None
            return None

        return StandIn(state, process, wait(known, what="the API stand-in", timeout=20, interval=0.02))

    return start


@pytest.fixture(scope="session")
def alone(start: Callable[..., StandIn], tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One stand-in for all tests of a worker; each has its own namespace in it."""
    running = start(tmp_path_factory.mktemp("api"))
    yield running
    running.process.terminate()
    running.process.wait(10)


@pytest.fixture(scope="session")
def served() -> Callable[[StandIn], AbstractContextManager[Server]]:
    """The users of a stand-in."""

    @contextmanager
    def served(alone: StandIn) -> Iterator[Server]:
        files = {"admin": alone.state / "kubeconfig", "reader": alone.state / "gates_kubeconfig"}
        with alone.session("admin_token") as admin, alone.session("reader_token") as reader:
            yield Server(alone.known["url"], admin, reader, files)

    return served


@pytest.fixture(scope="session")
def stand_in(alone: StandIn, served: Callable[[StandIn], AbstractContextManager[Server]]) -> Iterator[Server]:
    with served(alone) as server:
        yield server


@pytest.fixture(scope="session")
def real_kubeconfig(in_turn: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The administrator's, of the server that runs already, or of one that is started here with istiod."""
    return running_plane() or in_turn(_real_server, tmp_path_factory.mktemp("real"))


@contextmanager
def _real_server(state: Path) -> Iterator[Path]:
    parts = Parts(state)
    try:
        _start_real(state, parts)
        yield state / "kubeconfig"
    finally:
        parts.end()
        for part in parts._running.values():
            part.process.wait(10)


def _start_real(state: Path, parts: Parts) -> None:
    kube.start(state, parts)
    kube.admit(state, parts)
    cluster = Kubernetes(state)
    for definitions in (istio.resource_definitions(), argocd.resource_definitions()):
        cluster.define(definitions)
    istio.wait_ready(parts, istio.start(state, parts, cluster), cluster, state)
    cluster.close()


@pytest.fixture(scope="session")
def real(real_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server, with a reader who may look at everything but Secrets."""
    config = YAML(typ="safe").load(real_kubeconfig)
    url = config["clusters"][0]["cluster"]["server"]
    admin, reader = (_identified(config, tmp_path_factory.mktemp(who)) for who in ("admin", "reader"))
    reader.headers["Impersonate-User"] = READER
    with admin, reader:
        running = Server(url, admin, reader, {"admin": real_kubeconfig}, accounts=True)
        _admit_reader(running.client(namespace="default"))
        yield running
        running.clear()


def _identified(config: Json, folder: Path) -> requests.Session:
    """A session as the user of a kubeconfig."""
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    made = session(_file(folder / "ca", cluster["certificate-authority-data"]), {})
    if "token" in user:
        made.headers["Authorization"] = f"Bearer {user['token']}"
    else:
        names = ("client-certificate-data", "client-key-data")
        made.cert = tuple(_file(folder / name, user[name]) for name in names)
    return made


def _file(path: Path, data: str) -> str:
    path.write_bytes(base64.b64decode(data))
    return str(path)


def _admit_reader(client: Client) -> None:
    groups = ("", "apps", "autoscaling", "coordination.k8s.io", "networking.istio.io", "argoproj.io")
    core = ("namespaces", "nodes", "pods", "pods/log", "services", "configmaps", "events", "serviceaccounts")
    rules = [
        {"apiGroups": [each], "resources": ["*"] if each else list(core), "verbs": ["get", "list", "watch"]}
        for each in groups
    ]
    api = "/apis/rbac.authorization.k8s.io/v1"
    role = {"kind": "ClusterRole", "name": ROLE, "apiGroup": "rbac.authorization.k8s.io"}
    who = {"kind": "User", "name": READER, "apiGroup": "rbac.authorization.k8s.io"}
    client.ask("POST", f"{api}/clusterroles", {"metadata": {"name": ROLE}, "rules": rules})
    client.ask("POST", f"{api}/clusterrolebindings", {"metadata": {"name": ROLE}, "roleRef": role, "subjects": [who]})


@dataclass
class Proxy:
    """Stands before a server, lets everybody in as one user, and writes down what was asked: for kubectl.

    It speaks plain HTTP, over which kubectl sends no credentials: none is needed here.
    """

    url: str = ""
    asked: list[Json] = field(default_factory=list)

    def handler(self, server: Server, session: requests.Session) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                step = _step(self.command, self.path, dict(self.headers), body)
                proxy.asked.append(step)
                kept = {
                    key: self.headers[key] for key in ("Accept", "Content-Type", "User-Agent") if key in self.headers
                }
                with session.request(
                    self.command, server.url + self.path, data=body, headers=kept, stream=True, timeout=60
                ) as answer:
                    self.send_response(answer.status_code)
                    for key in answer.headers.keys() & {"Content-Type", "Warning"}:
                        self.send_header(key, answer.headers[key])
                    self.end_headers()
                    content = b""
                    with suppress(ConnectionError):
                        for piece in answer.iter_content(None):
                            content += piece
                            self.wfile.write(piece)
                            self.wfile.flush()
                    with suppress(ValueError):
                        step["answer"] = json.loads(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        return Handler


def _step(method: str, path: str, headers: Json, body: bytes) -> Json:
    """One request, as the corpus has it."""
    at = urlsplit(path)
    said = {key.lower(): value for key, value in headers.items()}
    step: Json = {"do": f"{method} {at.path}"}
    step |= {"query": dict(parse_qsl(at.query, keep_blank_values=True))} if at.query else {}
    step |= {"accept": said["accept"]} if "accept" in said else {}
    if "json" not in said.get("content-type", ""):
        return step | ({"form": said["content-type"]} if body else {})
    return step | {"form": said["content-type"], "body": json.loads(body)}


@pytest.fixture(scope="session")
def before() -> Iterator[Callable[[Server, str], Proxy]]:
    """A proxy before a server, for one of its users; it stays for all tests, and kubectl's cache with it."""
    known: dict[tuple[str, str], Proxy] = {}
    with ExitStack() as ends:

        def before(server: Server, who: str) -> Proxy:
            if (server.url, who) not in known:
                proxy = known[server.url, who] = Proxy()
                http = ThreadingHTTPServer(("127.0.0.1", 0), proxy.handler(server, getattr(server, who)))
                proxy.url = f"http://127.0.0.1:{http.server_address[1]}"
                thread = threading.Thread(target=http.serve_forever, args=(0.05,))
                thread.start()
                for end in (thread.join, http.server_close, http.shutdown):
                    ends.callback(end)
            return known[server.url, who]

        yield before


@pytest.fixture
def api(server: Server) -> Client:
    """The administrator in a new namespace of the class's server."""
    return server.client()


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
