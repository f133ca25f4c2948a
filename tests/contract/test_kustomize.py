"""What we read and write in a kustomization, beside what kustomize itself (in kubectl) makes of it."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from fixtures.manifest_images import Files, rendered, set_image
from fixtures.sandbox.controllers.argocd.source import _built

REPOSITORY = "registry.example.com/shop/app"
OLD, NEW = (f"{REPOSITORY}@sha256:{letter * 64}" for letter in "ab")
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      initContainers: [{{name: first, image: "{image}"}}]
      containers: [{{name: app, image: "{image}"}}, {{name: log, image: log:1}}]
"""
ENTRIES = {
    "digest": f"- name: app-canary\n  newName: {REPOSITORY}\n  digest: sha256:{'a' * 64}\n",
    "tag": f"- name: app-canary\n  newName: {REPOSITORY}\n  newTag: '1.4'\n",
    "tag in words": f"- newTag: v1\n  name: app-canary\n  newName: '{REPOSITORY}'\n",
    "two of them": f"- name: app-stable\n  newName: {REPOSITORY}\n  newTag: v0\n- name: app-canary\n"
    f"  newName: {REPOSITORY}\n  digest: sha256:{'a' * 64}\n",
    "one for nobody": f"- name: nobody\n  newTag: v9\n- name: app-canary\n  newName: {REPOSITORY}\n  newTag: v1\n",
}


@pytest.fixture(scope="module")
def kustomize() -> Any:
    """Build a folder with the real one; gives each Deployment's images."""
    kubectl = shutil.which("kubectl")
    if not kubectl:
        pytest.skip("NO kubectl: what kustomize makes of our edits is NOT tested here")

    def build(folder: Path, files: Files) -> dict[str, list[str]]:
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
        done = subprocess.run([kubectl, "kustomize", str(folder)], check=True, capture_output=True, text=True)
        return images(YAML(typ="safe", pure=True).load_all(done.stdout))

    return build


def images(objects: Any) -> dict[str, list[str]]:
    found = {}
    for each in objects:
        pod = each["spec"]["template"]["spec"]
        found[each["metadata"]["name"]] = [one["image"] for one in (*pod["initContainers"], *pod["containers"])]
    return found


def folder_of(entries: str) -> Files:
    return {
        "stable.yaml": DEPLOYMENT.format(name="app", image="app-stable:0.1"),
        "canary.yaml": DEPLOYMENT.format(name="app-canary", image="app-canary"),
        "kustomization.yaml": f"resources: [stable.yaml, canary.yaml]\nimages:\n{entries}",
    }


@pytest.mark.parametrize("entries", ENTRIES.values(), ids=ENTRIES)
class TestKustomize:
    def test_the_sandbox_builds_the_same(self, kustomize: Any, tmp_path: Path, entries: str) -> None:
        files = folder_of(entries)
        assert images(_built("app", files)) == kustomize(tmp_path / "app", files)

    def test_what_we_say_the_cluster_gets_is_what_it_gets(self, kustomize: Any, tmp_path: Path, entries: str) -> None:
        files = folder_of(entries)
        said = {path: text for path, text in rendered(files).items() if path != "kustomization.yaml"}
        load = YAML(typ="safe", pure=True).load
        assert images(map(load, said.values())) == kustomize(tmp_path / "app", files)

    def test_our_edit_brings_the_image_and_leaves_stable(self, kustomize: Any, tmp_path: Path, entries: str) -> None:
        files = folder_of(entries)
        edit = set_image(deployment="app-canary", container="app", image=NEW, place="", application="app")
        after = kustomize(tmp_path / "after", {**files, **edit(files)})
        assert after["app-canary"] == [NEW, NEW, "log:1"]
        assert after["app"] == kustomize(tmp_path / "before", files)["app"]
