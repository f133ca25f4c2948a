"""A registry, versions 2 and 3: what is pushed is there by tag and by digest, and what is not is told plainly."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path

import pytest
import requests

from fixtures.docker_config import Credentials
from fixtures.registry import resolve
from fixtures.sandbox.binaries import REGISTRY, cache, find
from fixtures.sandbox.controllers.kubelet.images import Registry
from fixtures.sandbox.dataplane import registry as server
from fixtures.sandbox.dataplane.images import Image, push
from fixtures.waiting import wait

ADA = Credentials("ada", "s3cret")
HTPASSWD = "ada:$2b$04$Uj4T6lLtBPusoJTdUwTU.uPKSPVI6afx2OJi.RUXGBcYej2iP/7Xa\n"
# Debian has 2.8; go install github.com/distribution/distribution/v3/cmd/registry@v3.1.2 gives a 3.1.
REGISTRY_3 = cache() / "bin" / "registry-3"
NO_THREE = "NO REGISTRY 3 is in the cache: that it answers as version 2 does is NOT tested here (docs/contract.md)"


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-docker"))


@contextmanager
def run(binary: Path, home: Path, *, login: bool) -> Iterator[str]:
    configuration = server.prepare(home)
    if login:
        (home / "htpasswd").write_text(HTPASSWD)
        content = json.loads(configuration.read_text())
        content["auth"] = {"htpasswd": {"realm": "test", "path": str(home / "htpasswd")}}
        configuration.write_text(json.dumps(content))
    log = home / "registry.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            server.command(binary, configuration),
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATH": "/usr/bin:/bin", **server.NO_TRACES},
        )
    try:
        yield wait(lambda: server.address(log), what="a registry", timeout=20, interval=0.05)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], str]]:
    """Start an anonymous registry, once a program."""
    with ExitStack() as running:

        @lru_cache
        def start(binary: Path) -> str:
            return running.enter_context(run(binary, tmp_path_factory.mktemp("registry"), login=False))

        yield start


class Contract:
    """What is so with both."""

    version: str

    @pytest.fixture
    def binary(self) -> Path:
        raise NotImplementedError

    @pytest.fixture
    def real(self, binary: Path, started: Callable[[Path], str]) -> str:
        return started(binary)

    @pytest.fixture
    def private(self, binary: Path, tmp_path: Path) -> Iterator[str]:
        with run(binary, tmp_path, login=True) as address:
            yield address

    def test_it_is_the_version_that_is_meant(self, binary: Path) -> None:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True, timeout=10).stdout
        assert f" {self.version}" in said.replace(" v", " ")

    def test_digest_and_platforms_are_the_same_by_tag_and_by_digest(self, real: str) -> None:
        digest = push(f"http://{real}", Image("shop/app", "v1"))
        by_tag, by_digest = resolve(f"{real}/shop/app:v1"), resolve(f"{real}/shop/app@{digest}")
        assert by_tag.problem is None
        assert by_tag.digest == by_digest.digest == digest
        assert by_tag.platforms == by_digest.platforms == ("linux/amd64", "linux/arm64")

    def test_a_kubelet_finds_the_same_digest_and_how_the_image_behaves(self, real: str) -> None:
        digest = push(f"http://{real}", Image("shop/app", "bad", {"errors": 0.05}))
        for reference in ("shop/app:bad", f"shop/app@{digest}"):
            image = Registry({"registry.example.com": real}).image(f"registry.example.com/{reference}")
            assert image.identity == f"registry.example.com/shop/app@{digest}"
            assert json.loads(image.faults) == {"errors": 0.05}

    def test_what_it_does_not_have_is_said_plainly(self, real: str) -> None:
        push(f"http://{real}", Image("shop/other", "v1"))
        for reference in ("shop/other:v2", "shop/nothing:v1", f"shop/other@sha256:{'0' * 64}"):
            image = resolve(f"{real}/{reference}")
            assert (image.missing, image.digest) == (True, None)
            assert "the registry does not have it" in str(image.problem)

    def test_a_private_one_tells_who_may_ask(self, private: str) -> None:
        assert resolve(f"{private}/shop/app:v1", credentials=ADA).missing is True
        for stranger in (None, Credentials("ada", "wrong")):
            image = resolve(f"{private}/shop/app:v1", credentials=stranger)
            assert image.missing is False
            assert "or private, and we have no right to see it" in str(image.problem)

    def test_a_tag_that_is_moved_means_the_new_digest(self, real: str) -> None:
        first = push(f"http://{real}", Image("shop/app", "latest", {"errors": 0.1}))
        second = push(f"http://{real}", Image("shop/app", "latest", {"errors": 0.2}))
        assert first != second
        assert resolve(f"{real}/shop/app:latest").digest == second
        assert resolve(f"{real}/shop/app@{first}").problem is None

    def head(self, real: str) -> int:
        """Ask for an index with a request that accepts manifests only."""
        push(f"http://{real}", Image("shop/app", "v1"))
        accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
        return requests.head(f"http://{real}/v2/shop/app/manifests/v1", headers=accept, timeout=5).status_code


class TestVersion2(Contract):
    version = "2."

    @pytest.fixture
    def binary(self) -> Path:
        return find(REGISTRY)

    def test_an_index_is_not_there_for_who_accepts_manifests_only(self, real: str) -> None:
        assert self.head(real) == 404


@pytest.mark.skipif(not REGISTRY_3.exists(), reason=NO_THREE)
class TestVersion3(Contract):
    version = "3."

    @pytest.fixture
    def binary(self) -> Path:
        return REGISTRY_3

    def test_an_index_is_there_for_who_accepts_manifests_only(self, real: str) -> None:
        assert self.head(real) == 200
