"""When Git is asked, with a clock that does not wait."""

import copy

import pytest

from fixtures.cluster import APPLICATIONS
from fixtures.sandbox.controllers.argocd.controller import Comparisons
from fixtures.sandbox.controllers.argocd.source import SourceError
from fixtures.waiting import FakeClock

SOURCE = {"repoURL": "https://git.example.com/shop.git", "path": "base", "targetRevision": "main"}


class OneApplication:
    """A mirror with one Application in it, which takes merge patches."""

    def __init__(self):
        self.application = {
            "metadata": {"name": "shop", "namespace": "argocd", "uid": "1", "annotations": {}},
            "spec": {"source": SOURCE, "destination": {"namespace": "production"}},
        }

    def list(self, resource):
        return [copy.deepcopy(self.application)] if resource is APPLICATIONS else []

    def merge_patch(self, resource, key, change):
        self._merge(self.application, change)

    def _merge(self, into, change):
        for name, value in change.items():
            if isinstance(value, dict) and isinstance(into.get(name), dict):
                self._merge(into[name], value)
            elif value is None:
                into.pop(name, None)
            else:
                into[name] = value


class CountingTree:
    """Git with one branch; notes how it was asked."""

    def __init__(self):
        self.commit, self.asked, self.forgotten = "first", [], 0

    def revision(self, application, *, fresh):
        self.asked.append(fresh)
        if isinstance(self.commit, Exception):
            raise self.commit
        return self.commit

    def compare(self, application, revision):
        return []

    def forget(self, application):
        self.forgotten += 1


class Scene:
    def __init__(self):
        self.mirror, self.tree, self.clock = OneApplication(), CountingTree(), FakeClock()
        self.comparisons = Comparisons(self.mirror, self.tree, self.clock)
        self.look()

    def look(self):
        """Do a round; gives how Git was asked in it."""
        self.tree.asked.clear()
        self.comparisons.once()
        return list(self.tree.asked)

    @property
    def status(self):
        return self.mirror.application["status"]

    def refresh(self, how="normal"):
        self.mirror.application["metadata"]["annotations"]["argocd.argoproj.io/refresh"] = how
        return self.look()


@pytest.fixture
def scene():
    return Scene()


def test_a_live_change_is_compared_with_the_commit_of_before_without_asking_git(scene):
    before = scene.status["reconciledAt"]
    scene.tree.commit = "second"
    scene.clock.sleep(100)
    assert scene.look() == []
    assert (scene.status["sync"]["revision"], scene.status["reconciledAt"]) == ("first", before)


@pytest.mark.parametrize(("how", "forgotten"), [("normal", 0), ("hard", 1)])
def test_a_refresh_asks_git_anew_and_is_then_taken_away(scene, how, forgotten):
    scene.tree.commit = "second"
    assert scene.refresh(how) == [True]
    assert scene.status["sync"]["revision"] == "second"
    assert scene.mirror.application["metadata"]["annotations"] == {}
    assert scene.tree.forgotten == forgotten


def test_after_two_to_three_minutes_it_looks_by_itself_at_what_is_remembered(scene):
    scene.clock.sleep(119)
    assert scene.look() == []
    scene.clock.sleep(62)
    assert scene.look() == [False]


def test_another_spec_is_looked_at_at_once(scene):
    scene.mirror.application["spec"]["source"] = {**SOURCE, "targetRevision": "next"}
    assert scene.look() == [True]


def test_the_end_of_an_operation_is_looked_at_with_what_is_remembered(scene):
    scene.mirror.application["status"]["operationState"] = {"phase": "Succeeded", "finishedAt": "2026-01-01T00:00:00Z"}
    assert scene.look() == [False]


def test_git_out_of_order_is_unknown_until_it_answers_again(scene):
    scene.tree.commit = SourceError("git ls-remote failed")
    scene.refresh()
    assert (scene.status["sync"]["status"], scene.status["sync"]["revision"]) == ("Unknown", "main")
    assert scene.status["conditions"][0]["type"] == "ComparisonError"
    assert scene.status["health"]["status"] == "Healthy"
    scene.tree.commit = "second"
    scene.refresh()
    assert (scene.status["sync"]["status"], scene.status.get("conditions")) == ("Synced", None)
