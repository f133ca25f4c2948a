"""The GitOps repository: one branch, commits of ours and of others, and a way to it that may be bad.

It keeps what ``fixtures.git.GitOps`` promises: nothing is pushed over another's commit, a lost answer is looked after,
a commit is announced before its push, one that never arrived is passed over when it is to be taken back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.simulation.api import Death
from benchmarks.simulation.points import point_of_push
from benchmarks.simulation.timeline import Process, Timeline
from benchmarks.simulation.weather import Weather
from fixtures.errors import PersonNeeded, Unreachable
from fixtures.git_command import GitRefused
from fixtures.manifest_images import Edit

Files = dict[str, str]
MANIFEST = """kind: Deployment
metadata: {{name: {name}}}
spec: {{template: {{spec: {{containers: [{{name: app, image: {image}}}]}}}}}}
"""
_EDITED: dict[tuple[object, ...], Files] = {}  # parsing YAML is slow, and there are only a few of these


@dataclass(frozen=True)
class Commit:
    """A commit; ``files`` is all there is at it: image by Deployment, and a file of somebody else's."""

    name: str
    who: str
    files: Files
    before: Files
    subject: str


class Git:
    """The server's side.

    Args:
        images: by Deployment.
        now: gives the simulated time.
    """

    def __init__(self, images: Files, now: Callable[[], float]) -> None:
        files = {**images, "README": "0"}
        self.commits = [Commit("c0", "people", files, files, "first")]
        self.pushed: list[tuple[float, Commit]] = []
        self._now = now

    @property
    def head(self) -> Commit:
        return self.commits[-1]

    def commit(self, who: str, changed: Files, subject: str) -> Commit:
        """Make a commit on the newest one; nobody has it yet."""
        files = {**self.head.files, **changed}
        name = f"c{len(self.commits)}{who[:1]}{len(self.pushed)}"
        return Commit(name, who, files, self.head.files, subject)

    def push(self, commit: Commit) -> None:
        self.commits.append(commit)
        self.pushed.append((self._now(), commit))

    def others(self, changed: Files) -> None:
        """Let somebody else push."""
        self.push(self.commit("people", changed, "theirs"))

    def place(self, name: str) -> int:
        """Give a commit's place on the branch, -1 for one that it does not have."""
        return next((place for place, each in enumerate(self.commits) if each.name == name), -1)


class Repository:
    """One process's side: what ``fixtures.git.GitOps`` is to the driver.

    Args:
        process: whose it is.
        git: the server.
        timeline: its time.
        weather: on the way.
        death: of the process.
        random: for the time that it takes.
    """

    def __init__(
        self, process: Process, git: Git, timeline: Timeline, weather: Weather, death: Death, random: Random
    ) -> None:
        self._process, self._git, self._timeline = process, git, timeline
        self._weather, self._death, self._random = weather, death, random

    def head(self) -> str:
        self._way()
        return self._git.head.name

    def tree(self) -> str:
        self._way()
        return tree(self._git.head)

    def is_ancestor(self, older: str, newer: str) -> bool:
        places = self._git.place(older), self._git.place(newer)
        return 0 <= places[0] <= places[1]

    def changed_between(self, one: str, other: str) -> bool:
        first, second = (self._git.commits[self._git.place(each)] for each in (one, other))
        return tree(first) != tree(second)

    def commit_and_push(self, edit: Edit, message: str, *, announce: Callable[[str], None]) -> str | None:
        subject = message.splitlines()[0]
        return self._push_until_first(lambda files: _edited(files, edit, subject), subject, announce)

    def arrived(self, commit: str) -> str:
        return commit

    def revert(self, commits: Sequence[str], message: str) -> str | None:
        self._way()
        ours = [self._git.commits[place] for name in commits if (place := self._git.place(name)) >= 0]
        if not ours:
            return None
        return self._push_until_first(lambda files: _without(files, ours), message.splitlines()[0], lambda _: None)

    def _push_until_first(
        self, change: Callable[[Files], Files], subject: str, announce: Callable[[str], None]
    ) -> str | None:
        for _ in range(20):
            self._way()
            head = self._git.head
            changed = change(head.files)
            if not changed:
                return None
            commit = self._git.commit(self._process.name, changed, subject)
            announce(commit.name)
            if self._weather.hits("races", self._timeline.now):
                self._git.others({"README": str(len(self._git.commits))})
            if self._push(commit, head):
                return commit.name
        raise Unreachable("others kept pushing first")

    def _push(self, commit: Commit, base: Commit) -> bool:
        """Push; False when somebody else was first."""
        self._way()
        if self._weather.until("refusing", self._timeline.now):
            raise GitRefused("git push: the branch is protected", remedy="let the driver's account push")
        if self._git.head is not base:
            return False
        self._death.at_write(self._process, point_of_push(commit.subject), lambda: self._git.push(commit))
        if self._weather.hits("half", self._timeline.now):
            self._way()  # the real one looks whether it has arrived, and that may fail as well
        self._timeline.sleep(self._random.uniform(0.05, 0.3))
        return True

    def _way(self) -> None:
        self._timeline.sleep(self._random.uniform(0.02, 0.2))
        if self._weather.until("git", self._timeline.now):
            self._timeline.sleep(3.0)
            raise Unreachable("git: could not connect")


def images_in(files: Files) -> Files:
    """Give the images of the Deployments among the files."""
    return {name: text for name, text in files.items() if name not in ("README", "config")}


def tree(commit: Commit) -> str:
    """Give what stands in the release's folder."""
    return ",".join(f"{name}={image}" for name, image in sorted(commit.files.items()) if name != "README")


def _edited(files: Files, edit: Edit, subject: str) -> Files:
    images = images_in(files)
    key = (tuple(images.items()), subject)
    if key not in _EDITED:
        texts = {name: MANIFEST.format(name=name, image=image) for name, image in images.items()}
        new = {name: text.rpartition("image: ")[2].rstrip("}]\n") for name, text in edit(texts).items()}
        _EDITED[key] = new
    return _EDITED[key]


def _without(files: Files, commits: Sequence[Commit]) -> Files:
    now = dict(files)
    for commit in reversed(commits):
        for name, image in commit.files.items():
            if image != commit.before.get(name):
                if now[name] not in (image, commit.before[name]):
                    raise PersonNeeded(f"{name} has been changed since in the lines that our commit changed")
                now[name] = commit.before[name]
    return {name: image for name, image in now.items() if image != files[name]}
