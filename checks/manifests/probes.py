"""A pod says when it can take traffic, is not killed for being busy, and has the room that it needs."""

from collections.abc import Iterator

from checks.gate import gate
from checks.manifests.evidence import Manifests, Node
from checks.manifests.pods import main_container
from checks.manifests.rule import Flaw, Level, judging, rule
from checks.verdict import Verdict

ASKS = ("httpGet", "tcpSocket", "grpc", "exec")
PERIOD, FAILURES = 10, 3  # Kubernetes' defaults
RESOURCES = ("cpu", "memory")


def _containers(manifests: Manifests) -> Iterator[tuple[str, Node]]:
    for each in manifests.deployments:
        found = main_container(each, manifests.names)
        if found is not None:
            yield str(each), found


@rule(
    "readiness",
    "the service's container has a readiness probe",
    why="without one a pod counts as ready, and gets its share of users, before the program in it listens",
    remedy="write a readinessProbe that asks the program itself",
)
def readiness(manifests: Manifests) -> Iterator[Flaw]:
    """Readiness is probed: else the first users of each new pod get 503, and a canary looks bad for starting."""
    for owner, container in _containers(manifests):
        if not any(container["readinessProbe", ask].value is not None for ask in ASKS):
            yield Flaw(container["readinessProbe"].where, f"{owner} has no readiness probe")


@rule(
    "liveness",
    "the liveness probe is more patient than the readiness probe, or asks something else",
    why="a busy pod is then killed where it should only get less traffic, and the others get busier",
    remedy="ask for less, give a higher failureThreshold, or delete the livenessProbe",
)
def liveness(manifests: Manifests) -> Iterator[Flaw]:
    """Liveness is not readiness: a slow database makes all pods unready at once, and the probe restarts them all."""
    for owner, container in _containers(manifests):
        ready, alive = container["readinessProbe"], container["livenessProbe"]
        asked = [{ask: probe[ask].value for ask in ASKS} for probe in (ready, alive)]
        if alive.mapping and asked[0] == asked[1] and _patience(alive) <= _patience(ready):
            yield Flaw(alive.where, f"{owner} asks the same for liveness as for readiness, and as impatiently")


def _patience(probe: Node) -> float:
    """Give the seconds of failing after which a probe acts."""
    period, failures = probe["periodSeconds"].value, probe["failureThreshold"].value
    return (period if isinstance(period, int) else PERIOD) * (failures if isinstance(failures, int) else FAILURES)


@rule(
    "resources",
    "the service's container requests cpu and memory, and the same in both Deployments",
    why="without them its pods are evicted first (a restart of the canary ends a release), and an HPA can not count",
    remedy="write resources.requests with cpu and memory",
)
def resources(manifests: Manifests) -> Iterator[Flaw]:
    """Requests are there and alike: a canary with half the cpu of stable is slower, and no better gate can see why."""
    found = list(_containers(manifests))
    for owner, container in found:
        requests = container["resources", "requests"]
        lacking = [each for each in RESOURCES if requests[each].value is None]
        if lacking:
            yield Flaw(requests.where, f"{owner} requests no {' and no '.join(lacking)}")
    given = [container["resources"] for _, container in found]
    if len(given) > 1 and given[0].value != given[1].value:
        yield Flaw(
            given[1].where, "stable and canary have different resources: they are not compared alike", Level.NOTE
        )


RULES = (readiness, liveness, resources)


@gate(judging(RULES), evidence="manifests")
def test_pods_say_when_they_are_ready(verdict: Verdict) -> None:
    """Pods have a readiness probe, a liveness probe that is another, and resources."""
    verdict.require()
