"""Git over HTTP, two servers that share no code: Git's own behind the sandbox's, and go-git (`make contract-git`)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.errors import PersonNeeded, SluicegateError
from fixtures.git import GitOps, carries, remote_tree
from fixtures.manifest_images import Edit, set_image
from fixtures.sandbox.binaries import cache
from fixtures.waiting import wait

GO_GIT = cache() / "bin" / "go-git-server"
NO_GO_GIT = "NO SECOND GIT SERVER: that ours works with another than Git's own is NOT tested here; `make contract-git`"
OLD, NEW, NEWER = (f"registry.example.com/shop/app@sha256:{letter * 64}" for letter in "abc")
FILE = "bases/app/canary.yaml"
CANARY = f"""\
kind: Deployment
metadata: {{name: app-canary}}
spec: {{template: {{spec: {{containers: [{{name: app, image: '{OLD}'}}]}}}}}}
"""


def image(reference: str) -> Edit:
    return set_image(deployment="app-canary", container="app", image=reference)


class Repository:
    """A bare repository with ten commits, and what is in it whoever serves it."""

    def __init__(self, root: Path) -> None:
        self.bare = root / "shop" / "manifests.git"
        self.address = ""
        self._clone = root / "clone"
        for command in (("--bare", str(self.bare)), (str(self._clone),)):
            subprocess.run(["git", "init", "--quiet", "-b", "main", *command], check=True)
        self.past = [self.write(f"past/{n}.yaml", "a: 1\n") for n in range(8)]
        self.write("bases/other/x.yaml", "a: 1\n")
        self.write(FILE, CANARY)

    def _git(self, *arguments: str) -> str:
        who = ("-c", "user.name=person", "-c", "user.email=person@example.com")
        command = ["git", "-C", str(self._clone), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()

    def write(self, path: str, text: str) -> str:
        """Commit and push a file, past the server."""
        if self.address:
            self._git("pull", "--quiet", "--rebase", str(self.bare), "main")
        (self._clone / path).parent.mkdir(parents=True, exist_ok=True)
        (self._clone / path).write_text(text)
        self._git("add", "--all")
        self._git("commit", "--quiet", "-m", f"change {path}")
        self._git("push", "--quiet", str(self.bare), "HEAD:main")
        return self._git("rev-parse", "HEAD")

    def show(self, what: str) -> str:
        command = ["git", "--git-dir", str(self.bare), "show", f"main:{what}"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def check(self) -> None:
        """Have Git itself look at what the server has written."""
        subprocess.run(["git", "--git-dir", str(self.bare), "fsck", "--strict"], check=True, capture_output=True)


@contextmanager
def git_itself(root: Path) -> Iterator[str]:
    announced = root / "git.json"
    command = [sys.executable, "-m", "fixtures.sandbox.dataplane.githttp", "--root", root, "--announce", announced]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL)
    try:
        wait(announced.exists, what="Git over HTTP", timeout=20, interval=0.02)
        yield str(json.loads(announced.read_text())["url"])
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def go_git(root: Path) -> Iterator[str]:
    with (root / "log").open("w") as log:
        process = subprocess.Popen([str(GO_GIT), str(root)], stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate(timeout=10)


class Contract:
    """What is so with both."""

    @pytest.fixture
    def gitops(self, repository: Repository, tmp_path: Path) -> GitOps:
        return GitOps(repository.address, "bases/app", tmp_path / "work")

    def test_the_newest_commit_comes_alone_and_the_past_when_it_is_asked_for(
        self, repository: Repository, gitops: GitOps, tmp_path: Path
    ) -> None:
        head = gitops.head()
        assert len((tmp_path / "work" / "gitops.git" / "shallow").read_text().splitlines()) == 1
        assert gitops.is_ancestor(repository.past[0], head)
        assert not (tmp_path / "work" / "gitops.git" / "shallow").exists()

    def test_a_commit_arrives_and_its_revert_brings_the_tree_back(
        self, repository: Repository, gitops: GitOps, tmp_path: Path
    ) -> None:
        before = gitops.tree()
        commits = [str(gitops.commit_and_push(image(each), "Canary")) for each in (NEW, NEWER)]
        assert repository.show(FILE) == CANARY.replace(OLD, NEWER)
        assert carries(repository.address, "main", commits[0], commits[0], "bases/app")
        another = GitOps(
            repository.address, "bases/app", tmp_path / "another"
        )  # which has one commit, and that is ours
        another.revert(commits, "Take it back")
        assert remote_tree(repository.address, "main", "bases/app") == before
        repository.check()

    def test_what_others_have_pushed_is_fetched_onto_what_is_there(
        self, repository: Repository, gitops: GitOps
    ) -> None:
        first = gitops.head()
        pushed = [repository.write("bases/other/x.yaml", f"a: {n}\n") for n in (2, 3)]
        assert gitops.head() == pushed[1]
        assert gitops.is_ancestor(first, pushed[1])
        assert not gitops.changed_between(first, pushed[1])
        assert gitops.changed_between(pushed[0], pushed[1], "bases/other")

    def test_who_loses_a_race_makes_the_edit_on_what_is_there_now(self, repository: Repository, gitops: GitOps) -> None:
        raced: list[str] = []

        def edit(files: object) -> object:
            if not raced:
                raced.append(repository.write("bases/other/x.yaml", "a: 2\n"))
            return image(NEW)(files)  # type: ignore[arg-type]

        commit = gitops.commit_and_push(edit, "Canary")  # type: ignore[arg-type]
        assert gitops.is_ancestor(raced[0], str(commit))
        assert (repository.show(FILE), repository.show("bases/other/x.yaml")) == (CANARY.replace(OLD, NEW), "a: 2\n")

    def test_pushers_at_once_all_arrive(self, repository: Repository, tmp_path: Path) -> None:
        names = [f"app-{n}" for n in range(3)]
        for name in names:
            repository.write(f"bases/{name}/canary.yaml", CANARY.replace("app-canary", name))

        def release(name: str) -> None:
            gitops = GitOps(repository.address, f"bases/{name}", tmp_path / name)
            gitops.commit_and_push(set_image(deployment=name, container="app", image=NEW), f"release {name}")

        with ThreadPoolExecutor() as pushers:
            list(pushers.map(release, names))
        assert all(NEW in repository.show(f"bases/{name}/canary.yaml") for name in names)
        repository.check()

    def test_lines_that_others_have_changed_since_are_left_to_a_person(
        self, repository: Repository, gitops: GitOps
    ) -> None:
        commit = str(gitops.commit_and_push(image(NEW), "Canary"))
        repository.write(FILE, CANARY.replace(OLD, NEWER))
        with pytest.raises(PersonNeeded):
            gitops.revert([commit], "Take it back")

    @pytest.mark.parametrize(("name", "branch"), [("nothing", "main"), ("manifests", "nothing")])
    def test_what_is_not_there_is_said(self, repository: Repository, tmp_path: Path, name: str, branch: str) -> None:
        address = repository.address.replace("manifests", name)
        with pytest.raises(SluicegateError, match="nothing"):
            GitOps(address, ".", tmp_path / "work", branch=branch).head()


class TestGitItself(Contract):
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Iterator[Repository]:
        made = Repository(tmp_path)
        with git_itself(tmp_path) as url:
            made.address = f"{url}shop/manifests.git"
            yield made


@pytest.mark.skipif(not GO_GIT.exists(), reason=NO_GO_GIT)
class TestGoGit(Contract):
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Iterator[Repository]:
        made = Repository(tmp_path)
        with go_git(tmp_path) as url:
            made.address = f"{url}shop/manifests.git"
            yield made
