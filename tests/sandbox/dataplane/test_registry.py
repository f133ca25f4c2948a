"""The registry is a real one: what is pushed is there by digest, for both platforms, as OCI has it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from fixtures.sandbox.binaries import REGISTRY, find
from fixtures.sandbox.dataplane import registry
from fixtures.sandbox.dataplane.images import FAULTS_LABEL, Image, push
from fixtures.waiting import wait

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
NAME = "shop/rebate-core-service"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    state = tmp_path_factory.mktemp("registry")
    log = state / "log"
    command = registry.command(find(REGISTRY), registry.prepare(state))
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        yield "http://" + wait(lambda: registry.address(log), what="the registry", timeout=10, interval=0.01)
        process.terminate()


def _get(url: str, path: str, accept: str = "*/*") -> Any:
    answer = requests.get(f"{url}/v2/{NAME}/{path}", headers={"Accept": accept}, timeout=5)
    answer.raise_for_status()
    return answer.json()


def test_an_image_is_an_index_of_two_platforms(url: str) -> None:
    digest = push(url, Image(NAME, "v1"))
    index = _get(url, f"manifests/{digest}", INDEX)
    platforms = [f"{entry['platform']['os']}/{entry['platform']['architecture']}" for entry in index["manifests"]]
    assert platforms == ["linux/amd64", "linux/arm64"]
    assert _get(url, "tags/list")["tags"] == ["v1"]


def test_its_configuration_says_how_its_pods_misbehave(url: str) -> None:
    digest = push(url, Image(NAME, "bad", {"errors": 0.05}))
    for entry in _get(url, f"manifests/{digest}", INDEX)["manifests"]:
        manifest = _get(url, f"manifests/{entry['digest']}", MANIFEST)
        config = _get(url, f"blobs/{manifest['config']['digest']}")
        assert json.loads(config["config"]["Labels"][FAULTS_LABEL]) == {"errors": 0.05}
        assert config["architecture"] == entry["platform"]["architecture"]


def test_another_tag_is_another_digest_and_the_same_one_the_same(url: str) -> None:
    first, second, again = (push(url, Image(NAME, tag)) for tag in ("v1", "v2", "v1"))
    assert first != second
    assert first == again


def test_the_address_is_not_known_before_it_listens(tmp_path: Path) -> None:
    assert registry.address(tmp_path / "log") is None
    (tmp_path / "log").write_text('{"msg":"redis not configured"}\n')
    assert registry.address(tmp_path / "log") is None
