"""Stable keeps its width while the canary takes its traffic: its autoscaler is told not to go below it.

An autoscaler that sees stable idle would shrink it, and the way back would be too narrow. Where the release file says
``hold_stable: min_replicas``, its minReplicas is raised to what stable has before the canary gets its first weight, and
put back at the end, whatever the end is.

Rules:
    1. The old number stands in the record before the new one is set: whoever comes next can put it back.
    2. A number that somebody else has set meanwhile is theirs: it is left alone, and said.
    3. Every write is of the version that was read, so one that comes late changes nothing.
    4. Who undoes ours during the release (Argo CD's self-heal, where the autoscaler is in Git) ends the release.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from ci.events import Event, Note
from ci.record import PREFIX
from ci.state import Job, State
from ci.watch import Watch
from fixtures.cluster import DEPLOYMENTS, HPAS, Cluster, Conflict, Invalid, NotFound, Object
from fixtures.errors import ClusterRefused, Unreachable
from fixtures.release import HoldStable
from fixtures.waiting import NotYet, wait

LEAST = "/spec/minReplicas"
WITHIN = 10.0  # seconds


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
            self._outrun(raised)
            self._change(raised.name, raised.since, raised.before)
            self._say(f"its minReplicas is {raised.before} again", raised.name)
        except (Invalid, NotFound):
            self._say("somebody has changed its minReplicas or removed it: it is left as it is", raised.name)
        self._state.record = replace(self._state.record, before_min="")

    def _raise(self, raised: Raised) -> None:
        self._note(before_min=str(raised))
        self._change(raised.name, raised.before, raised.since)
        self._say(f"its minReplicas is {raised.since} for the time of the release, not {raised.before}", raised.name)

    def _check(self, raised: Raised) -> None:
        found = _least(self._cluster.get(HPAS, self._release.namespace, raised.name))
        if found < raised.since:
            raise ClusterRefused(
                f"its minReplicas is {found}, not {raised.since}: somebody has undone what keeps stable wide enough",
                where=f"horizontalpodautoscalers {self._release.namespace}/{raised.name}",
                remedy="where Argo CD heals it, let its Application ignore /spec/minReplicas",
            )

    def _change(self, name: str, expected: int, wanted: int) -> None:
        """Write the number over the one that is expected, where it is not there yet; one that is left out means 1."""

        def operations(found: Object) -> list[Object]:
            if _least(found) == wanted:
                return []
            given = "minReplicas" in found["spec"] or expected > 1
            test = [{"op": "test", "path": LEAST, "value": expected}] if given else []
            return [*test, {"op": "add", "path": LEAST, "value": wanted}]

        self._patch(name, f"minReplicas {wanted} of autoscaler {name}", operations)

    def _outrun(self, raised: Raised) -> None:
        """Where it is not raised it may be still: make a newer version, of which a raise on its way dies."""
        key = PREFIX + "freed"

        def marked(found: Object) -> list[Object]:
            if _least(found) != raised.before:
                return []
            notes = found["metadata"].get("annotations") or {}
            return [{"op": "add", "path": "/metadata/annotations", "value": notes | {key: str(raised)}}]

        def unmarked(found: Object) -> list[Object]:
            there = key in (found["metadata"].get("annotations") or {})
            return [{"op": "remove", "path": f"/metadata/annotations/{key.replace('/', '~1')}"}] if there else []

        for operations in (marked, unmarked):
            self._patch(raised.name, f"a newer version of autoscaler {raised.name}", operations)

    def _patch(self, name: str, what: str, operations: Callable[[Object], Sequence[Object]]) -> None:
        """Patch what was just read, until it is done."""
        wait(lambda: self._patch_now(name, operations), what=what, timeout=WITHIN, interval=0.1, clock=self._watch)

    def _patch_now(self, name: str, operations: Callable[[Object], Sequence[Object]]) -> bool | NotYet:
        try:
            found = self._cluster.get(HPAS, self._release.namespace, name)
            if wanted := operations(found):
                version = found["metadata"]["resourceVersion"]
                same = {"op": "replace", "path": "/metadata/resourceVersion", "value": version}
                self._cluster.json_patch(HPAS, self._release.namespace, name, [same, *wanted])
        except (Conflict, Unreachable) as error:
            return NotYet(str(error))  # stale, or lost on the way and perhaps done all the same: the next read tells
        return True

    def _say(self, what: str, name: str) -> None:
        self._tell(Note(at=self._watch.now(), text=f"autoscaler {name} of {self._release.names.stable}: {what}"))


def _least(autoscaler: Object) -> int:
    return int(autoscaler["spec"].get("minReplicas", 1))
