"""Two control planes under the same sandbox: the stand-ins, and real Kubernetes, Argo CD and istiod.

Each subject of the contract is a class of tests; its two subclasses say on which (fixture `plane`) it runs. How real
parts are named: fixtures/sandbox/real/choice.py.
"""

import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.cluster import APPLICATIONS, NAMESPACES, NotFound, Object
from fixtures.errors import SluicegateError
from fixtures.sandbox import up
from fixtures.sandbox.controllers.client import Client
from fixtures.sandbox.real.choice import Real
from fixtures.waiting import wait

WHO = ("-c", "user.name=test", "-c", "user.email=test@example.com")


@dataclass
class Plane:
    """A running sandbox, and whether its control planes are real."""

    state: Path
    info: dict[str, Any]
    client: Client
    real: bool


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    with _running(tmp_path_factory.mktemp("stand-ins") / "sandbox", frozenset()) as plane:
        yield plane


@pytest.fixture(scope="session")
def real(in_turn: Callable[..., Plane], tmp_path_factory: pytest.TempPathFactory) -> Plane:
    """All control planes real."""
    return in_turn(_running, tmp_path_factory.mktemp("real") / "sandbox", frozenset(Real))


@contextmanager
def _running(state: Path, real: frozenset[Real]) -> Iterator[Plane]:
    with up.start(state, prometheus=False, real=real) as sandbox:
        client = Client(Path(sandbox.info["kubeconfig"]))
        yield Plane(state, sandbox.info, client, real=bool(real))
        client.close()


@dataclass
class Repository:
    """A GitOps repository of one test: a bare one that Argo CD reads by HTTP, and a clone that is edited."""

    url: str
    bare: Path
    clone: Path

    def git(self, *arguments: str) -> str:
        command = ["git", *WHO, "-C", str(self.clone), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()

    def push(self, **files: str | None) -> str:
        """Write files (`a__yaml` is a.yaml), None removes one; commit and push; gives the commit."""
        folder = self.clone / "app"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            path = folder / name.replace("__", ".")
            path.write_text(text) if text is not None else path.unlink()
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "change")
        self.git("push", "--quiet", str(self.bare), "HEAD:main")
        return self.git("rev-parse", "HEAD")


@dataclass
class Application:
    """One Application, as a person with kubectl handles it."""

    client: Client
    repository: Repository
    name: str
    images: dict[str, str]
    patience: float = 40.0

    def read(self) -> Object:
        return self.client.get(APPLICATIONS, "argocd", self.name)

    def status(self) -> Object:
        return self.read().get("status") or {}

    def operation(self) -> Object:
        return self.status().get("operationState") or {}

    def conditions(self) -> dict[str, str]:
        return {each["type"]: each["message"] for each in self.status().get("conditions") or []}

    def patch(self, change: Object) -> Object:
        return self.client.merge_patch(APPLICATIONS, "argocd", self.name, change)

    def refresh(self, how: str = "normal") -> None:
        """Ask for a comparison with Git and wait until it has been done."""
        self.patch({"metadata": {"annotations": {"argocd.argoproj.io/refresh": how}}})
        self.until(lambda: not refreshing(self.read()), "the end of the refresh")

    def settled(self, commit: str = "") -> bool:
        return settled(self.read(), commit)

    def sync(self, commit: str) -> None:
        """Have a pushed commit brought to the cluster."""
        self.refresh()
        self.until(lambda: self.settled(commit), f"{commit} synced and healthy")

    def until(self, probe: Callable[[], Any], what: str, timeout: float = 0.0) -> Any:
        try:
            return wait(probe, what=what, timeout=timeout or self.patience, interval=0.02)
        except SluicegateError as error:
            error.add_note(repr(self.read()))
            raise


def refreshing(application: Object) -> bool:
    return "argocd.argoproj.io/refresh" in (application["metadata"].get("annotations") or {})


def settled(application: Object, commit: str = "") -> bool:
    """The rule by which the harness waits, less its sentences."""
    status = application.get("status") or {}
    sync, operation = status.get("sync") or {}, status.get("operationState") or {}
    return bool(
        not refreshing(application)
        and sync.get("status") == "Synced"
        and sync.get("revision", "") in (commit or sync.get("revision", ""))
        and (status.get("health") or {}).get("status") == "Healthy"
        and "operation" not in application
        and operation.get("phase") != "Running"
    )


@pytest.fixture
def make(plane: Plane, tmp_path: Path) -> Iterator[Callable[..., Application]]:
    """Give a function that makes a repository with files and an Application of it, synced and healthy."""
    names: list[str] = []

    def make(spec: Object | None = None, finalizers: tuple[str, ...] = (), **files: str) -> Application:
        name = f"t-{secrets.token_hex(4)}"
        names.append(name)
        repository = _repository(plane, name, tmp_path / name)
        commit = repository.push(**files)
        plane.client.create(NAMESPACES, "", {"metadata": {"name": name}})
        source = {"repoURL": repository.url, "targetRevision": "main", "path": "app"}
        policy = {"automated": {"prune": True, "selfHeal": True}}
        body = {
            "metadata": {"name": name, "namespace": "argocd", "finalizers": list(finalizers)},
            "spec": {
                "project": "default",
                "source": source,
                "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
                "syncPolicy": policy,
                **(spec or {}),
            },
        }
        plane.client.create(APPLICATIONS, "argocd", body)
        application = Application(plane.client, repository, name, plane.info["images"])
        application.until(lambda: application.settled(commit), "the first sync")
        return application

    yield make
    for name in names:
        with suppress(NotFound):
            plane.client.delete(APPLICATIONS, "argocd", name)
        plane.client.delete(NAMESPACES, "", name)


def _repository(plane: Plane, name: str, clone: Path) -> Repository:
    bare = plane.state / "git" / "contract" / f"{name}.git"
    clone.mkdir()
    for command in (("--bare", str(bare)), (str(clone),)):
        subprocess.run(["git", "init", "--quiet", "-b", "main", *command], check=True, timeout=30)
    return Repository(f"{plane.info['git']}contract/{name}.git", bare, clone)


@pytest.fixture
def image(plane: Plane) -> str:
    """The image that stable runs at the start, by digest."""
    return str(plane.info["images"]["v1"])
