"""One driver a service: a ``coordination.k8s.io/v1`` Lease, held and renewed as client-go's leaderelection does.

Rules:
    1. Nobody compares a foreign timestamp with the own clock. Whether a holder is dead is known by watching the
       Lease unchanged for its whole duration; the times in it are for people.
    2. Every write carries the resourceVersion: of two who take a free Lease one gets a conflict.
    3. A Lease is no fence, so it is believed less long than others wait for it: ``held`` turns false 10 s after
       the last renewal began, and nobody takes the Lease before 15 s.
    4. Raising traffic needs ``held``; going to the safe weights never asks.
    5. A recovery takes a dead driver's Lease by the same rules. Only a person who knows that the driver is dead takes
       it at once (``dead``), after the safe weights and an abort have been written: whoever is alive all the same sees
       that. It is taken from nobody but that rollout: another may have begun meanwhile.

Example:
    >>> with Lease(cluster, "production", "rebate-core", "ana@host/3f9c2a") as lease:     # doctest: +SKIP
    ...     lease.held
    True
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from fixtures.cluster import LEASES, AlreadyExists, Cluster, Conflict, NotFound
from fixtures.errors import ClusterRefused, SluicegateError, Unreachable
from fixtures.waiting import SYSTEM_CLOCK, Clock

DURATION = 15.0  # seconds that others wait before they take it
BELIEF = 10.0  # seconds that its holder believes in it
RENEWAL = 5.0  # seconds between two renewals
RETRY = 1.0  # seconds after a renewal that failed
LOOK = 0.5  # seconds between two looks at a foreign Lease

Object = dict[str, Any]


@dataclass(frozen=True)
class Holder:
    """Who holds a Lease, for people.

    Attributes:
        identity: ``name@host/rollout``; empty when nobody does.
        since: when it was taken, by the holder's own clock.
        renewed: when it was last renewed, by the holder's own clock.
    """

    identity: str
    since: str
    renewed: str

    @classmethod
    def of(cls, lease: Object) -> "Holder":
        """Read it from a Lease.

        Args:
            lease: the object.
        """
        spec = lease.get("spec", {})
        return cls(spec.get("holderIdentity") or "", spec.get("acquireTime") or "", spec.get("renewTime") or "")


class Held(ClusterRefused):
    """Another driver holds the service.

    Args:
        service: the service's name.
        holder: who has it.
    """

    exit_code = 3

    def __init__(self, service: str, holder: Holder) -> None:
        who, _, rollout = holder.identity.rpartition("/")
        super().__init__(
            f"{who or rollout} is releasing it since {holder.since} (rollout {rollout})",
            where=service,
            remedy="look with `sluicegate status RELEASE`, stop it with `sluicegate abort RELEASE`, or wait",
        )
        self.holder = holder


def lease_name(service: str) -> str:
    """Give the name of a service's Lease.

    Args:
        service: the service's name.
    """
    return f"sluicegate-{service}"


class Lease:
    """The right to raise the traffic of one service; a context manager that takes and releases it.

    Args:
        cluster: with the right to read, create and update Leases; the renewing thread uses it too.
        namespace: of the service.
        service: the service's name.
        identity: ``name@host/rollout``, different for every driver.
        clock: where time comes from.
        renewing: starts the thread that renews; a test gives its own.
        dead: the rollout from whose holder it is taken at once; "" for none.
        patience: seconds for which an API server that does not answer is asked again.
        over: ends the renewing, and is what it waits on; a simulation gives its own.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        service: str,
        identity: str,
        *,
        clock: Clock = SYSTEM_CLOCK,
        renewing: Callable[[Callable[[], None]], None] | None = None,
        dead: str = "",
        patience: float = 0.0,
        over: Event | None = None,
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._service = service
        self._identity = identity
        self._clock = clock
        self._renewing = renewing or _in_background
        self._dead = dead
        self._patience = patience
        self._seen, self._since = "", 0.0  # the version of a foreign Lease, and since when it has been unchanged
        self._confirmed = -math.inf
        self._over = over or Event()

    @property
    def held(self) -> bool:
        """Whether the right to raise is still ours, beyond doubt."""
        return not self._over.is_set() and self._clock.monotonic() - self._confirmed < BELIEF

    def __enter__(self) -> Self:
        """Take the Lease and keep it renewed.

        Raises:
            Held: when another driver is alive.
        """
        self._take()
        self._renewing(self._keep)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the Lease back; when that fails, it runs out by itself."""
        self._over.set()
        with suppress(SluicegateError):
            lease = self._read()
            if Holder.of(lease).identity == self._identity:
                self._replace(lease, "", lease["spec"].get("acquireTime"))

    def renew(self) -> None:
        """Renew the Lease.

        Raises:
            Held: when another driver has taken it.
            SluicegateError: when it can not be renewed now.
        """
        began = self._clock.monotonic()
        lease = self._read()
        holder = Holder.of(lease)
        if holder.identity != self._identity:
            self._over.set()
            raise Held(self._service, holder)
        self._replace(lease, self._identity, holder.since)
        self._confirmed = began

    def _take(self) -> None:
        """Take a Lease that is free; watch a foreign one until it moves (alive) or has run out (dead)."""
        until = self._clock.monotonic() + self._patience
        while True:
            try:
                if self._attempt():
                    return
            except Unreachable:
                if self._clock.monotonic() >= until:
                    raise
            self._clock.sleep(LOOK)

    def _attempt(self) -> bool:
        """Look at the Lease, and take it if that is right; say whether it is ours."""
        began = self._clock.monotonic()
        lease = self._read_or_create()
        read = self._clock.monotonic()
        holder, version = Holder.of(lease), lease["metadata"]["resourceVersion"]
        if holder.identity == self._identity:
            self._confirmed = began
            return True
        free = not holder.identity or (self._dead and holder.identity.endswith(f"/{self._dead}"))
        if self._seen and version != self._seen and not free:
            raise Held(self._service, holder)
        if free or (self._seen and began - self._since >= _duration(lease)):
            with suppress(Conflict):  # somebody was faster: look again
                self._replace(lease, self._identity, self._now())
                self._confirmed = read
                return True
        if not self._seen:
            self._seen, self._since = version, read  # it may have been renewed until now
        return False

    def _keep(self) -> None:
        """Renew until it is over or taken by another; every other trouble may pass before belief ends."""
        pause = RENEWAL
        while not self._over.wait(pause):
            try:
                self.renew()
                pause = RENEWAL
            except Held:
                return
            except SluicegateError:
                pause = RETRY

    def _read(self) -> Object:
        return self._cluster.get(LEASES, self._namespace, lease_name(self._service))

    def _read_or_create(self) -> Object:
        with suppress(NotFound):
            return self._read()
        body = {"metadata": {"name": lease_name(self._service)}, "spec": self._spec(self._identity, self._now())}
        with suppress(AlreadyExists):
            return self._cluster.create(LEASES, self._namespace, body)
        return self._read()

    def _replace(self, lease: Object, identity: str, acquired: str | None) -> None:
        body = lease | {"spec": lease.get("spec", {}) | self._spec(identity, acquired)}
        self._cluster.replace(LEASES, self._namespace, lease_name(self._service), body)

    def _spec(self, identity: str, acquired: str | None) -> Object:
        return {
            "holderIdentity": identity or None,
            "leaseDurationSeconds": int(DURATION),
            "acquireTime": acquired,
            "renewTime": self._now(),
        }

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _duration(lease: Object) -> float:
    return float(lease.get("spec", {}).get("leaseDurationSeconds") or DURATION)


def _in_background(work: Callable[[], None]) -> None:
    Thread(target=work, name="lease", daemon=True).start()
