"""Stable keeps its width while the canary takes its traffic: its autoscaler is told not to go below it.

An autoscaler that sees stable idle would shrink it, and the way back would be too narrow. Where the release file says
``hold_stable: min_replicas``, its minReplicas is raised to what stable has before the canary gets its first weight, and
put back at the end, whatever the end is.

Rules:
    1. The old number stands in the record before the new one is set: whoever comes next can put it back.
    2. A number that somebody else has set meanwhile is theirs: it is left alone, and said.
    3. Who undoes ours during the release (Argo CD's self-heal, where the autoscaler is in Git) ends the release.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from ci.events import Event, Note
from ci.state import Job, State
from ci.watch import Watch
from fixtures.cluster import DEPLOYMENTS, HPAS, Cluster, Invalid, NotFound, Object
from fixtures.errors import ClusterRefused
from fixtures.release import HoldStable

LEAST = "/spec/minReplicas"


@dataclass(frozen=True)
class Raised:
    """An autoscaler whose minReplicas is raised.

    Attributes:
        name: its name.
        before: minReplicas as it was.
        since: minReplicas as we have set it.
    """

    name: str
    before: int
    since: int

    def __str__(self) -> str:
        """Write it as the record does."""
        return f"{self.name}={self.before}/{self.since}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what the record says.

        Args:
            text: such as ``rebate-core=2/4``.
        """
        name, _, numbers = text.partition("=")
        before, _, since = numbers.partition("/")
        return cls(name, int(before), int(since))


class Autoscaler:
    """Stable's autoscaler.

    Args:
        job: what is released.
        state: what has been done.
        cluster: with the right to patch the autoscaler.
        note: writes facts into the record.
        watch: keeps time.
        tell: hears of what happens.
    """

    def __init__(
        self,
        job: Job,
        state: State,
        cluster: Cluster,
        note: Callable[..., None],
        watch: Watch,
        tell: Callable[[Event], None],
    ) -> None:
        self._release = job.release
        self._state = state
        self._cluster = cluster
        self._note = note
        self._watch = watch
        self._tell = tell

    def hold(self) -> None:
        """Raise its minReplicas, or see that it is still raised.

        Raises:
            ClusterRefused: when somebody has undone it.
        """
        if self._release.hold_stable is not HoldStable.MIN_REPLICAS:
            return
        if self._state.record.before_min:
            self._check(Raised.read(self._state.record.before_min))
            return
        stable = self._release.names.stable
        width = self._cluster.get(DEPLOYMENTS, self._release.namespace, stable)["spec"].get("replicas", 1)
        for each in self._cluster.list(HPAS, self._release.namespace):
            target = each["spec"]["scaleTargetRef"]
            if (target["kind"], target["name"]) == ("Deployment", stable) and _least(each) < width:
                self._raise(Raised(each["metadata"]["name"], _least(each), width))

    def free(self) -> None:
        """Put its minReplicas back."""
        if not self._state.record.before_min:
            return
        raised = Raised.read(self._state.record.before_min)
        try:
            self._set(raised.name, raised.since, raised.before)
            self._say(f"its minReplicas is {raised.before} again", raised.name)
        except (Invalid, NotFound):
            self._say("somebody has changed its minReplicas or removed it: it is left as it is", raised.name)
        self._state.record = replace(self._state.record, before_min="")

    def _raise(self, raised: Raised) -> None:
        self._note(before_min=str(raised))
        self._set(raised.name, raised.before, raised.since)
        self._say(f"its minReplicas is {raised.since} for the time of the release, not {raised.before}", raised.name)

    def _check(self, raised: Raised) -> None:
        found = _least(self._cluster.get(HPAS, self._release.namespace, raised.name))
        if found < raised.since:
            raise ClusterRefused(
                f"its minReplicas is {found}, not {raised.since}: somebody has undone what keeps stable wide enough",
                where=f"horizontalpodautoscalers {self._release.namespace}/{raised.name}",
                remedy="where Argo CD heals it, let its Application ignore /spec/minReplicas",
            )

    def _set(self, name: str, expected: int, wanted: int) -> None:
        """Write the number, if it is still the one that is expected; one that is left out means 1."""
        found = self._cluster.get(HPAS, self._release.namespace, name)
        test: list[dict[str, Any]] = (
            [{"op": "test", "path": LEAST, "value": expected}] if "minReplicas" in found["spec"] or expected > 1 else []
        )
        write = {"op": "add", "path": LEAST, "value": wanted}
        self._cluster.json_patch(HPAS, self._release.namespace, name, [*test, write])

    def _say(self, what: str, name: str) -> None:
        self._tell(Note(at=self._watch.now(), text=f"autoscaler {name} of {self._release.names.stable}: {what}"))


def _least(autoscaler: Object) -> int:
    return int(autoscaler["spec"].get("minReplicas", 1))
