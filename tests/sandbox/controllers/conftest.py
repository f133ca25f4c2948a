"""A cluster of real parts for the controllers: the API, a registry, Git and the pods' processes."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from fixtures.cluster import (
    APPLICATIONS,
    DEPLOYMENTS,
    DESTINATION_RULES,
    EVENTS,
    GATEWAYS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICASETS,
    SERVICES,
    VIRTUAL_SERVICES,
    Object,
)
from fixtures.sandbox.binaries import REGISTRY, find
from fixtures.sandbox.controllers.client import Client
from fixtures.sandbox.dataplane import envoy, images, registry
from fixtures.waiting import NotInTime, wait

EXAMPLE = Path(__file__).parents[3] / "examples" / "k8s-manifests"
KINDS = (
    *(NAMESPACES, NODES, PODS, SERVICES, EVENTS, DEPLOYMENTS, REPLICASETS),
    *(VIRTUAL_SERVICES, DESTINATION_RULES, GATEWAYS, APPLICATIONS),
)
REPOSITORY = "shop/rebate-core-service"
IMAGE = f"registry.example.com/{REPOSITORY}"


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


@dataclass(frozen=True)
class Images:
    """A registry and the digests of what is in it."""

    host: str
    v1: str
    v2: str
    crashing: str


@pytest.fixture(scope="session")
def registry_with_images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Images]:
    """Run a real registry; its image ``crashing`` has faults that no backend accepts."""
    state = tmp_path_factory.mktemp("registry")
    log = state / "registry.log"
    with _running(registry.command(find(REGISTRY), registry.prepare(state)), log):
        host = wait(lambda: registry.address(log), what="the registry", timeout=20)
        pushed = [
            images.push(f"http://{host}", images.Image(REPOSITORY, tag, faults))
            for tag, faults in (("v1", {}), ("v2", {"errors": 0.5}), ("crashing", {"errors": 7.0}))
        ]
        yield Images(host, *(f"{IMAGE}@{digest}" for digest in pushed))


@dataclass
class GitOps:
    """The GitOps repository of the example: a bare one that Argo CD reads, and a clone that is edited."""

    origin: Path
    clone: Path

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
        command = ["git", *who, "-C", str(self.clone), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()

    def edit(self, path: str, change: Callable[[str], str]) -> str:
        """Change a file, commit and push; gives the commit."""
        file = self.clone / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(change(file.read_text() if file.exists() else ""))
        return self.push(f"change {path}")

    def push(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        self.git("push", "--quiet", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")


@dataclass
class World:
    """A running cluster."""

    state: Path
    client: Client
    git: GitOps
    images: Images
    controllers: subprocess.Popen[bytes]

    def apply(self, path: Path) -> None:
        """Create the objects of a YAML file."""
        for thing in YAML(typ="safe", pure=True).load_all(path.read_text()):
            self.create(thing)

    def create(self, thing: Object) -> Object:
        kind = next(each for each in KINDS if (each.api_version, each.kind) == (thing["apiVersion"], thing["kind"]))
        return self.client.create(kind, thing["metadata"].get("namespace", ""), thing)

    def until(self, probe: Callable[[], object], what: str, timeout: float = 20.0) -> object:
        """Wait for something; when it does not come, tell what the controllers said."""
        try:
            return wait(probe, what=what, timeout=timeout, interval=0.02)
        except NotInTime as error:
            error.add_note((self.state / "controllers.log").read_text()[-6000:])
            raise

    def pods(self, version: str = "") -> list[Object]:
        return self.client.list(PODS, "production", f"version={version}" if version else "")

    def ready(self, version: str) -> list[Object]:
        """Give the pods of a version that are ready and not about to go."""
        return [
            pod
            for pod in self.pods(version)
            if "deletionTimestamp" not in pod["metadata"]
            and any(
                each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", [])
            )
        ]


def _repository(folder: Path, first_image: str) -> GitOps:
    origin, clone = folder / "origin.git", folder / "clone"
    subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", "--", str(origin)], check=True, timeout=30)
    shutil.copytree(EXAMPLE, clone)
    repository = GitOps(origin, clone)
    repository.git("init", "--quiet", "-b", "main")
    repository.git("remote", "add", "origin", str(origin))
    placeholder = f"{IMAGE}@sha256:{'0' * 64}"
    repository.edit("bases/rebate-core/deployments.yaml", lambda text: text.replace(placeholder, first_image))
    return repository


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, registry_with_images: Images) -> Iterator[World]:
    """Run the API and all controllers on an empty cluster."""
    state = tmp_path_factory.mktemp("state")
    repository = _repository(state, registry_with_images.v1)
    rewrites = {
        "https://git.example.com/shop/k8s-manifests.git": f"file://{repository.origin}",
        "registry.example.com": registry_with_images.host,
    }
    controllers = [
        *(sys.executable, "-m", "fixtures.sandbox.controllers"),
        *("--state", str(state), "--kubeconfig", str(state / "kubeconfig")),
        *(f"--rewrite={written}={real}" for written, real in rewrites.items()),
    ]
    envoy.prepare(state)
    with ExitStack() as running:
        api = [sys.executable, "-m", "fixtures.sandbox.api", "--state", str(state)]
        running.enter_context(_running(api, state / "api.log"))
        process = running.enter_context(_running(controllers, state / "controllers.log"))
        wait((state / "api.json").exists, what="the API", timeout=20)
        client = Client(state / "kubeconfig")
        running.callback(client.close)
        for name in ("argocd", "production"):
            client.create(NAMESPACES, "", {"metadata": {"name": name}})
        yield World(state, client, repository, registry_with_images, process)


@pytest.fixture(scope="module")
def deployed(world: World) -> World:
    """Have the example deployed by Argo CD, its traffic applied, one pod of each version ready."""
    world.apply(world.git.clone / "application.yaml")
    world.apply(world.git.clone / "traffic" / "rebate-core.yaml")
    world.until(lambda: len(world.ready("stable")) == len(world.ready("canary")) == 1, "one ready pod of each version")
    return world
