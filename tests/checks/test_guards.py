"""Guards and one-look gates: image, digest, pods, Argo CD, what was restored."""

from dataclasses import replace

import pytest

from checks import argocd, digest, image, restored
from checks.evidence import ApplicationState, Terms, Tick, Weights
from checks.gate import Decision
from checks.pods import CanaryPods
from checks.verdict import Outcome

APPLICATION = ApplicationState(name="shop", sync="Synced", health="Healthy", revision="abc123", ours=True)
IMAGE = image.PublishedImage("shop:1", "shop", "sha256:new", ("linux/amd64", "linux/arm64"))
REST = restored.Snapshot(
    Weights(100, 0), 0.0, {"shop": "f1"}, {"shop": "a", "shop-canary": "a"}, {"shop-canary": 1}, "t"
)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome.PASS),
        ({"refreshing": True}, Outcome.INCONCLUSIVE),
        ({"sync": "OutOfSync"}, Outcome.INCONCLUSIVE),
        ({"operating": True}, Outcome.INCONCLUSIVE),
        ({"health": "Progressing"}, Outcome.INCONCLUSIVE),
        ({"health": "Degraded"}, Outcome.FAIL),
        ({"ours": False}, Outcome.FAIL),
        ({"errors": ("ComparisonError: broken YAML",)}, Outcome.FAIL),
        # Just after a push it still says Synced and Healthy, about the past:
        ({"refreshing": True, "errors": ("old",)}, Outcome.INCONCLUSIVE),
    ],
)
def test_argo_cd_has_to_be_done_with_our_commit(changes, outcome) -> None:
    assert argocd.judge(replace(APPLICATION, **changes)).outcome is outcome


def test_argo_cd_that_was_never_read_does_not_pass() -> None:
    decision = Decision(argocd.ArgoCd(Terms(weight=5)))
    decision.look(Tick(at=1, seconds=1))
    assert decision.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("changes", "needed", "outcome"),
    [
        ({}, ("linux/amd64",), Outcome.PASS),
        ({}, ("linux/s390x",), Outcome.FAIL),
        ({"digest": None, "missing": True, "problem": "404"}, ("linux/amd64",), Outcome.FAIL),
        ({"digest": None, "problem": "429: too many requests"}, ("linux/amd64",), Outcome.INCONCLUSIVE),
        ({}, (), Outcome.INCONCLUSIVE),
    ],
)
def test_the_image_has_to_be_there_for_every_platform(changes, needed, outcome) -> None:
    assert image.judge(image.ImageForCluster(replace(IMAGE, **changes), needed)).outcome is outcome


@pytest.mark.parametrize(
    ("pods", "expected", "outcome"),
    [
        ([{}], "sha256:new", Outcome.PASS),
        ([{"digest": "sha256:old"}], "sha256:new", Outcome.FAIL),
        ([{"ready": False}], "sha256:new", Outcome.INCONCLUSIVE),
        ([{"waiting": "ErrImagePull"}], "sha256:new", Outcome.FAIL),
        ([], "sha256:new", Outcome.INCONCLUSIVE),
        ([{}], "", Outcome.INCONCLUSIVE),
    ],
)
def test_pods_have_to_run_the_digest(pods, expected, outcome, pod) -> None:
    evidence = digest.VersionPods("canary", tuple(pod(**changes) for changes in pods), expected, wanted=1)
    assert digest.judge(evidence).outcome is outcome


def test_too_few_pods_are_not_enough(pod) -> None:
    assert digest.judge(digest.VersionPods("canary", (pod(),), "sha256:new", wanted=2)).outcome is Outcome.INCONCLUSIVE


def test_a_pod_that_restarts_while_watched_fails(pod) -> None:
    decision = Decision(CanaryPods(Terms(weight=5)))
    decision.look(Tick(at=1, seconds=1, pods=(pod(restarts=3),)))
    assert decision.outcome is Outcome.PASS
    decision.look(Tick(at=2, seconds=1, pods=(pod(restarts=4),)))
    assert decision.outcome is Outcome.FAIL
    assert "canary-1 restarted once" in decision.verdict.sentence


def test_a_restart_between_two_steps_is_seen(pod) -> None:
    first, second = CanaryPods(Terms(weight=5)), CanaryPods(Terms(weight=25))
    first.look(Tick(at=1, seconds=1, pods=(pod(restarts=0),)))
    second.resume(first.state())
    assert second.look(Tick(at=1, seconds=1, pods=(pod(restarts=1),))) is Outcome.FAIL


def test_a_new_pod_may_not_restart_either(pod) -> None:
    judge = CanaryPods(Terms(weight=5))
    judge.look(Tick(at=1, seconds=1, pods=(pod("a"),)))
    assert judge.look(Tick(at=2, seconds=1, pods=(pod("a"), pod("b", restarts=1)))) is Outcome.FAIL


def test_a_guard_is_as_good_as_its_last_look(pod) -> None:
    decision = Decision(CanaryPods(Terms(weight=5)))
    decision.look(Tick(at=1, seconds=1, pods=(pod(),)))
    decision.look(Tick(at=2, seconds=1, pods=(pod(ready=False),)))
    assert decision.outcome is Outcome.INCONCLUSIVE
    decision.look(Tick(at=3, seconds=1, pods=()))
    assert decision.outcome is Outcome.INCONCLUSIVE


def test_another_image_in_a_watched_pod_fails(pod) -> None:
    judge = CanaryPods(Terms(weight=5, digest="sha256:new"))
    assert judge.look(Tick(at=1, seconds=1, pods=(pod(digest="sha256:old"),))) is Outcome.FAIL


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"specs": {"shop": "f2"}}, "VirtualService shop's spec"),
        ({"images": {"shop": "a", "shop-canary": "b"}}, "Deployment shop-canary's image"),
        ({"replicas": {"shop-canary": 4}}, "Deployment shop-canary's replicas"),
        ({"tree": "t2"}, "the GitOps path"),
    ],
)
def test_what_is_not_as_before_is_named(changes, named) -> None:
    verdict = restored.judge_restored(restored.BeforeAndAfter(REST, replace(REST, **changes), "shop-canary"))
    assert verdict.outcome is Outcome.FAIL
    assert named in verdict.sentence


def test_all_as_before_passes_and_nothing_known_does_not() -> None:
    assert restored.judge_restored(restored.BeforeAndAfter(REST, REST, "shop-canary")).outcome is Outcome.PASS
    assert restored.judge_restored(restored.BeforeAndAfter(None, REST, "c")).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome.PASS),
        ({"weights": None}, Outcome.INCONCLUSIVE),
        ({"weights": Weights(95, 5)}, Outcome.FAIL),
        ({"routed": 5.0}, Outcome.FAIL),
        ({"routed": None}, Outcome.PASS),
    ],
)
def test_rest_means_no_traffic_in_word_and_deed(changes, outcome) -> None:
    assert restored.judge_at_rest(replace(REST, **changes)).outcome is outcome
