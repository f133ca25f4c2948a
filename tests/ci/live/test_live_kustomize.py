"""A whole rollout where a kustomization sets the images, committed there by a person beforehand."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from fixtures.argocd import refresh
from fixtures.cluster import APPLICATIONS
from fixtures.release import Application
from fixtures.waiting import wait

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]
REPOSITORY = "https://git.example.com/shop/k8s-manifests.git"
FOLDER = Path("bases/rebate-core")


class Checkout:
    """A person's checkout of the GitOps repository."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.git("clone", "--quiet", url, str(folder), at=folder.parent)

    def git(self, *words: str, at: Path | None = None) -> str:
        who = ["-c", "user.name=ana", "-c", "user.email=ana@example.com"]
        done = subprocess.run(
            ["git", "-C", str(at or self.folder), *who, *words], check=True, capture_output=True, text=True, timeout=30
        )
        return done.stdout.strip()

    def move_images_into_a_kustomization(self, files: dict[Path, str]) -> str:
        for path, text in files.items():
            (self.folder / path).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", "images by kustomize")
        self.git("push", "--quiet")
        return self.git("rev-parse", "HEAD")


def kustomized(folder: Path) -> dict[Path, str]:
    """Give each Deployment's image a name of its own, and set it in a kustomization."""
    files, entries = {}, []
    for path in sorted((folder / FOLDER).glob("*.yaml")):
        out, deployment = [], ""
        for line in path.read_text().splitlines(keepends=True):
            key, _, value = line.strip().removeprefix("- ").partition(": ")
            if key == "name" and value in {"rebate-core", "rebate-core-canary"}:
                deployment = value
            if key == "image":
                name, _, digest = value.strip("\"'").partition("@")
                alias = "app-canary" if deployment.endswith("canary") else "app-stable"
                entries.append(f"- name: {alias}\n  newName: {name}\n  digest: {digest}\n")
                out.append(line.replace(value, alias))
            else:
                out.append(line)
        files[path.relative_to(folder)] = "".join(out)
    resources = "".join(f"- {path.name}\n" for path in files)
    files[FOLDER / "kustomization.yaml"] = f"resources:\n{resources}images:  # ours\n{''.join(entries)}"
    return files


def test_a_release_on_a_kustomization_is_promoted_and_only_its_digests_change(
    place: Any, start: Any, tmp_path: Path
) -> None:
    checkout = Checkout(place.target.rewrite(REPOSITORY), tmp_path / "checkout")
    files = kustomized(checkout.folder)
    commit = checkout.move_images_into_a_kustomization(files)
    refresh(place.cluster, Application(name="rebate-core-prod", namespace="argocd"))
    wait(lambda: _synced(place) == commit or None, what="the kustomization to be synced", timeout=30)
    before = place.images_asked_for()
    ended = start("v2").end()
    assert (ended["outcome"], ended["exit_code"]) == ("promoted", 0), ended["sentence"]
    new = place.images["v2"]
    assert set(place.images_asked_for().values()) == {new} != set(before.values())
    checkout.git("pull", "--quiet")
    assert checkout.git("diff", "--numstat", commit) == f"2\t2\t{FOLDER}/kustomization.yaml"
    old = next(iter(before.values())).partition("@")[2]
    wanted = files[FOLDER / "kustomization.yaml"].replace(old, new.partition("@")[2])
    assert (checkout.folder / FOLDER / "kustomization.yaml").read_text() == wanted


def _synced(place: Any) -> str:
    found = place.cluster.get(APPLICATIONS, "argocd", "rebate-core-prod")
    return str(found.get("status", {}).get("sync", {}).get("revision", ""))
