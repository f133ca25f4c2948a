"""A canary fails for each way of being bad, by the sentence that names it: all gates of a step, live traffic."""

from collections.abc import Iterator
from typing import Any

import pytest

from checks.pods import CanaryPods
from checks.verdict import Outcome
from fixtures.waiting import wait

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

WEIGHT = 50
RATE = 200


@pytest.fixture
def canary(stage: Any) -> Iterator[Any]:
    """A good canary under traffic; afterwards nothing is left of it, not even requests that hang."""
    stage.canary(WEIGHT)
    stage.rate(RATE)
    yield stage
    stage.rate(0)
    for pod in stage.pods("canary"):
        stage.kill(pod)
    stage.quiet()


def failures(step: Any) -> dict[str, str]:
    """Wait for the step's end; give the sentences of the gates that failed."""
    return {gate: each.sentence for gate, each in step.verdicts().items() if each.outcome is Outcome.FAIL}


def test_slow_answers(canary: Any, watch: Any) -> None:
    canary.fail("canary", slow=0.3, slow_ms=800)
    ((gate, sentence),) = failures(watch(canary.subject(WEIGHT, limit=20.0))).items()
    assert gate == "latency"
    assert sentence.startswith("share of canary answers slower than 500 ms: ")
    assert "is over the objective 1 %" in sentence


@pytest.mark.parametrize("timeout", ["5s", None], ids=["with-a-route-timeout", "without"])
def test_requests_that_never_end(canary: Any, watch: Any, timeout: str | None) -> None:
    canary.timeout(timeout)
    canary.fail("canary", hangs=1)
    ((gate, sentence),) = failures(watch(canary.subject(WEIGHT, limit=20.0))).items()
    assert gate == "requests_end"
    assert "requests to the canary are in flight, only " in sentence
    assert sentence.endswith("they do not end")


def test_a_pod_that_crashes(canary: Any, watch: Any) -> None:
    """In a whole step its broken connections may speak first; that it restarted is seen as well."""
    subject = canary.subject(WEIGHT, soak=15.0, limit=20.0)  # neither may have passed before the pod is gone
    whole, pods = watch(subject), watch(subject, canary_pods_stay_up=CanaryPods)
    wait(lambda: whole.settled() and pods.settled(), what="traffic under the weight", timeout=10)
    crashed = next(iter(canary.pods("canary")))
    canary.kill(crashed)
    assert failures(whole)
    assert failures(pods) == {"canary_pods_stay_up": f"canary pod {crashed} restarted once while it was watched"}
