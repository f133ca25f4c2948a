"""The one who writes VirtualServices: careful when a weight rises, stubborn when traffic goes to safety.

Rules:
    1. Every write carries the resourceVersion that was read, and is believed only when it has been read back.
    2. ``write`` asks for permission anew after every read: between a look and the patch that follows from it
       nobody can slip in, because such a patch is stale and refused. It gives up after a few attempts.
    3. ``insist`` is for going to the safe weights: it works out the change anew from what it reads, and goes on
       through every kind of error until it has read the change back, or its patience (minutes) is over.
    4. A release may have more than one VirtualService (ingress and mesh): all of them are written, in their order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from checks.evidence import Weights
from ci.patch import Change, Object, operations
from ci.record import Record
from fixtures.cluster import VIRTUAL_SERVICES, Cluster, Conflict, Invalid, NotFound
from fixtures.errors import ClusterRefused, PersonNeeded, SluicegateError, Unreachable
from fixtures.istio import Subsets, owned_routes
from fixtures.release import Release
from fixtures.waiting import SYSTEM_CLOCK, Clock, NotInTime, NotYet, wait

ATTEMPTS = 5
PAUSE = 0.1  # seconds between two attempts
GONE = 10.0  # seconds after which a VirtualService that is missing is not waited for any more


@dataclass(frozen=True)
class Seen:
    """A VirtualService as it was read.

    Attributes:
        object: all of it.
        weights: of all our routes in it.
    """

    object: Object
    weights: frozenset[Weights]

    @property
    def record(self) -> Record | None:
        """The rollout's record.

        Raises:
            ClusterRefused: when somebody has made it unreadable.
        """
        return Record.read(self.object["metadata"].get("annotations") or {})

    @property
    def name(self) -> str:
        """The VirtualService's name."""
        return str(self.object["metadata"]["name"])

    def shows(self, change: Change) -> bool:
        """Say whether the change is there.

        Args:
            change: what should be different.
        """
        annotations = self.object["metadata"].get("annotations") or {}
        as_wanted = all(annotations.get(key) == value for key, value in change.annotations.items())
        return as_wanted and (change.weights is None or self.weights == {change.weights})


class Traffic:
    """The VirtualServices of one release.

    Args:
        cluster: with the right to read and patch them.
        namespace: where they are.
        names: of all of them, in the order of writing.
        subsets: of the release.
        clock: where time comes from.
    """

    def __init__(self, cluster: Cluster, namespace: str, names: Sequence[str], subsets: Subsets, clock: Clock) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._names = names
        self._subsets = subsets
        self._clock = clock

    @property
    def first(self) -> str:
        """The name of the one in which people write what they have to say."""
        return self._names[0]

    def look(self) -> list[Seen]:
        """Read all of them.

        Raises:
            NotFound: when one is missing.
        """
        return [self._see(name) for name in self._names]

    def look_again(self, patience: float) -> list[Seen]:
        """Read all of them; an API server that does not answer is asked again.

        Args:
            patience: seconds.

        Raises:
            NotFound: when one is missing.
            NotInTime: when nobody answers.
        """

        def read() -> list[Seen] | NotYet:
            try:
                return self.look()
            except Unreachable as error:
                return NotYet(str(error))

        return wait(read, what="the release's VirtualServices", timeout=patience, interval=0.5, clock=self._clock)

    def write(self, change: Change, permit: Callable[[Seen], None]) -> None:
        """Make a change that has to be right: raise a weight, keep the record.

        Args:
            change: what shall be different.
            permit: is shown what was just read, and raises when the change is not to be made.

        Raises:
            ClusterRefused: when the API server does not let it happen.
            Unreachable: when it can not be reached.
        """
        for name in self._names:
            self._write(name, change, permit)

    def write_first(self, change: Change, permit: Callable[[Seen], None]) -> None:
        """Make a change to the first one only: what people say stands in one place.

        Args:
            change: what shall be different.
            permit: is shown what was just read, and raises when the change is not to be made.

        Raises:
            ClusterRefused: when the API server does not let it happen.
            Unreachable: when it can not be reached.
        """
        self._write(self.first, change, permit)

    def insist(self, change: Callable[[Seen], Change | None], patience: float) -> None:
        """Make a change that must not fail: go to the safe weights.

        Args:
            change: works out what shall be different from what was just read; None for nothing.
            patience: seconds.

        Raises:
            PersonNeeded: when it is not so after ``patience``, or there is nothing to be changed.
        """
        began = self._clock.monotonic()

        def attempt() -> bool | NotYet:
            troubles = self._attempt_all(change)
            gone = troubles and all(isinstance(trouble, NotFound) for trouble in troubles)
            if gone and self._clock.monotonic() - began >= GONE:
                raise PersonNeeded(
                    f"{troubles[0].what}: there is nothing whose weights could be set", troubles[0].where
                )
            return NotYet("; ".join(map(str, troubles))) if troubles else True

        try:
            wait(
                attempt,
                what="the safe weights",
                timeout=patience,
                interval=PAUSE,
                clock=self._clock,
            )
        except NotInTime as error:
            raise PersonNeeded(
                f"the weights could not be set within {patience:g} s ({error.last})",
                where=f"virtualservices {self._namespace}/{', '.join(self._names)}",
                remedy="set them by hand: kubectl edit, all traffic to the version that is safe",
            ) from error

    def _see(self, name: str) -> Seen:
        found = self._cluster.get(VIRTUAL_SERVICES, self._namespace, name)
        return Seen(found, frozenset(weights for _, _, weights in owned_routes(found, self._subsets)))

    def _patch(self, seen: Seen, change: Change) -> None:
        patch = operations(seen.object, change, self._subsets)
        self._cluster.json_patch(VIRTUAL_SERVICES, self._namespace, seen.name, patch)

    def _write(self, name: str, change: Change, permit: Callable[[Seen], None]) -> None:
        """Read, and patch what was read, until a read shows the change."""
        trouble: SluicegateError = ClusterRefused("the change is undone as soon as it is made", name)
        made = False  # perhaps by us: what is there before we have done anything is somebody else's
        for _ in range(ATTEMPTS):
            sent = False
            try:
                seen = self._see(name)
                if not (made and seen.shows(change)):
                    permit(seen)
                if seen.shows(change):
                    return
                sent = True
                self._patch(seen, change)
                made = True
            except (Conflict, Invalid, Unreachable) as error:
                # Stale, or lost on the way and perhaps done all the same: the next read tells.
                trouble, made = error, made or (sent and isinstance(error, Unreachable))
                self._clock.sleep(PAUSE)
        if not self._see(name).shows(change):
            raise trouble

    def _attempt_all(self, change: Callable[[Seen], Change | None]) -> list[SluicegateError]:
        """Try all of them, so that trouble with one does not keep the others from safety."""
        return [trouble for name in self._names if (trouble := self._attempt(name, change))]

    def _attempt(self, name: str, change: Callable[[Seen], Change | None]) -> SluicegateError | None:
        """Make the change and read it back; give what went wrong."""
        try:
            for _ in range(ATTEMPTS):
                seen = self._see(name)
                wanted = change(seen)
                if wanted is None or seen.shows(wanted):
                    return None
                self._overwrite(seen, wanted)
        except SluicegateError as error:
            return error
        return ClusterRefused(f"{name} changes faster than it can be written")

    def _overwrite(self, seen: Seen, change: Change) -> None:
        try:
            self._patch(seen, change)
        except Conflict:
            return  # somebody was faster: read again at once


def traffic_of(release: Release, cluster: Cluster) -> Traffic:
    """Reach the VirtualServices of a release.

    Args:
        release: its file.
        cluster: with the right to read and patch them.
    """
    subsets = Subsets(release.host, release.names.subsets.stable, release.names.subsets.canary)
    return Traffic(cluster, release.namespace, release.names.virtual_services, subsets, SYSTEM_CLOCK)
