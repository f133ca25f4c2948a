"""A GitOps branch that takes pull requests only: the driver waits for the merge, as long as the release file says."""

from typing import Any

import pytest

from ci.events import RollbackBegan
from fixtures.release import PullRequest
from fixtures.waiting import NotYet

OLD = "registry.example.com/shop/rebate-core-service@sha256:" + "1" * 64


@pytest.fixture
def reviewed(bench: Any) -> Any:
    """A release whose commits have to be merged within five minutes; a test says when they are."""
    gitops = bench.release.gitops.model_copy(update={"pull_request": PullRequest(within="5m")})
    bench.release = bench.release.model_copy(update={"gitops": gitops})
    return bench


def merging(bench: Any, after: float) -> None:
    """Merge each pull request some time after it was first looked at, by a commit of the host's own."""
    seen: dict[str, float] = {}

    def merged(commit: str) -> str | NotYet:
        now = bench.clock.monotonic()
        waited = now - seen.setdefault(commit, now)
        if waited < after:
            return NotYet("sluicegate/shop is not merged yet")
        bench.git._before[f"{commit}-merged"] = bench.git._before[commit]
        return f"{commit}-merged"

    bench.git.merged = merged


def test_no_traffic_comes_before_the_merge_and_the_record_has_the_commit_that_brought_it(reviewed: Any) -> None:
    merging(reviewed, after=60)
    recorded = []
    reviewed.after_entering("step", lambda: recorded.append(reviewed.record.commits["canary"]))
    assert reviewed.run().outcome == "promoted"
    assert recorded == ["c1-merged"]
    first = next(at for at, weight, _ in reviewed.history if weight)
    assert first > 60


def test_one_that_nobody_merges_ends_the_release_before_any_traffic_and_is_named(reviewed: Any) -> None:
    reviewed.git.merged = lambda commit: NotYet("sluicegate/shop is not merged yet")
    ended = reviewed.run()
    assert "the pull request of our commit c1 merged into main (last: sluicegate/shop is not merged" in ended.sentence
    assert reviewed.weights == [0]


def test_an_abort_does_not_wait_for_the_merge(reviewed: Any) -> None:
    merging(reviewed, after=200)
    reviewed.after_entering("deploy", reviewed.abort, later=20)
    assert reviewed.run().outcome == "rolled back"
    [began] = reviewed.told(RollbackBegan)
    assert began.at - reviewed.events[0].at < 40


def test_on_the_way_back_traffic_is_safe_long_before_the_merge(reviewed: Any) -> None:
    merging(reviewed, after=120)
    reviewed.suite("step-25", outcomes={"error_rate": "FAIL"})
    assert reviewed.run().outcome == "rolled back"
    safe = next(at for at, weight, _ in reversed(reviewed.history) if weight) + 10
    assert reviewed.clock.monotonic() > safe + 100
    assert set(reviewed.git.images.values()) == {OLD}
