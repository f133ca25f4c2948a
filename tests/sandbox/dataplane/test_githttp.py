"""Git over HTTP is Git's own: clone, push, and a pack too large for one piece."""

import os
import secrets
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from fixtures.sandbox.files import read_json
from fixtures.waiting import wait

WHO = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@localhost",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@localhost",
    "GIT_CONFIG_GLOBAL": os.devnull,
}
Git = Callable[..., str]


@dataclass(frozen=True)
class Served:
    """A repository and the address that it is served at."""

    url: str
    folder: Path

    def git(self, *arguments: str, within: str = ".") -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder / within,
            env={**os.environ, **WHO},
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )
        return done.stdout.strip()

    def commit(self, content: bytes) -> str:
        """Push a commit with one file, and give its id."""
        (self.folder / "work" / "file").write_bytes(content)
        self.git("add", "file", within="work")
        self.git("commit", "-qm", "a change", within="work")
        self.git("push", "-q", "origin", "HEAD:main", within="work")
        return self.git("rev-parse", "HEAD", within="work")


@pytest.fixture
def served(running: Any, tmp_path: Path) -> Served:
    root, announced = tmp_path / "root", tmp_path / "git.json"
    root.mkdir()
    running.module("githttp", "--root", str(root), "--announce", str(announced))
    url = wait(lambda: read_json(announced), what="Git", timeout=10, interval=0.01)["url"]
    found = Served(f"{url}shop/k8s.git", tmp_path)
    found.git("init", "-q", "--bare", "-b", "main", "shop/k8s.git", within="root")
    found.git("clone", "-q", found.url, "work")
    return found


def test_what_is_pushed_is_what_is_cloned(served: Served) -> None:
    pushed = served.commit(b"replicas: 4\n")
    served.git("clone", "-q", served.url, "other")
    assert served.git("rev-parse", "HEAD", within="other") == pushed
    assert served.git("ls-remote", served.url, "refs/heads/main").split()[0] == pushed


def test_a_large_push_comes_in_chunks(served: Served) -> None:
    """Git sends a pack over http.postBuffer (1 MiB) with chunked encoding."""
    content = secrets.token_bytes(3_000_000)
    served.commit(content)
    served.git("clone", "-q", served.url, "other")
    assert (served.folder / "other" / "file").read_bytes() == content


def test_a_push_that_lost_a_race_is_refused(served: Served) -> None:
    served.commit(b"1")
    served.git("clone", "-q", served.url, "other")
    served.commit(b"2")
    served.git("commit", "-q", "--allow-empty", "-m", "late", within="other")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        served.git("push", "-q", "origin", "HEAD:main", within="other")
    assert "fetch first" in refused.value.stderr


def test_a_name_that_points_at_us_is_refused(served: Served) -> None:
    address = f"{served.url}/info/refs?service=git-upload-pack"
    assert requests.get(address, timeout=5).ok
    assert requests.get(address, headers={"Host": "evil.example:80"}, timeout=5).status_code == 403


def test_nothing_outside_the_root_is_served(served: Served, tmp_path: Path) -> None:
    served.git("init", "-q", "--bare", "secret.git")
    host = served.url.removesuffix("/shop/k8s.git")
    with pytest.raises(subprocess.CalledProcessError):
        served.git("ls-remote", f"{host}/%2e%2e/secret.git")
