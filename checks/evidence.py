"""The facts that live gates judge, as frozen types; fixtures fill them, gates only read.

Counts are increments, never totals: resets, series that are born with errors and pods that vanish are settled
where the counters are read. A source that had nothing to say gives ``None`` with the reason in ``gap``: time then
passes, evidence does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest


@dataclass(frozen=True)
class Count:
    """Requests that ended.

    Attributes:
        requests: how many.
        bad: how many of them were errors, or slower than a bound: whatever is counted.

    Raises:
        ValueError: when ``bad`` is not between 0 and ``requests``: such a source can not be believed.
    """

    requests: float = 0
    bad: float = 0

    def __post_init__(self) -> None:
        """Refuse impossible counts, NaN included."""
        if not 0 <= self.bad <= self.requests < float("inf"):
            raise ValueError(f"impossible counts: {self.bad} bad of {self.requests} requests")

    def __add__(self, other: "Count") -> "Count":
        """Add two counts."""
        return Count(self.requests + other.requests, self.bad + other.bad)


@dataclass(frozen=True)
class Answers:
    """What one version answered.

    Attributes:
        all: the requests that ended, and the errors among them.
        slow: per latency objective, the requests whose time is known, and those over its bound; empty where the source
            can not tell. Kept apart from ``all``: a histogram may be read a moment later than its counter.
    """

    all: Count = Count()
    slow: tuple[Count, ...] = ()

    def __add__(self, other: "Answers") -> "Answers":
        """Add what was answered in two stretches of time."""
        slow = tuple(one + more for one, more in zip_longest(self.slow, other.slow, fillvalue=Count()))
        return Answers(self.all + other.all, slow)


@dataclass(frozen=True)
class Traffic:
    """What both versions answered since the tick before.

    Attributes:
        canary: requests routed to the canary; those that reached nobody count here as bad.
        stable: requests routed to stable.
        unreached: how many requests of ``canary`` reached nobody (no endpoint, no connection).
        pods: what each of the canary's pods answered, where the source tells pods apart.
    """

    canary: Answers = Answers()
    stable: Answers = Answers()
    unreached: float = 0
    pods: Mapping[str, Answers] = field(default_factory=dict)

    def __add__(self, other: "Traffic") -> "Traffic":
        """Add the traffic of two stretches of time, or of two sources."""
        return Traffic(
            self.canary + other.canary,
            self.stable + other.stable,
            self.unreached + other.unreached,
            {
                pod: self.pods.get(pod, Answers()) + other.pods.get(pod, Answers())
                for pod in {**self.pods, **other.pods}
            },
        )


@dataclass(frozen=True)
class Weights:
    """Shares of the traffic, percent."""

    stable: float
    canary: float


@dataclass(frozen=True)
class Pod:
    """One pod of the canary.

    Attributes:
        name: its name.
        ready: whether it may take traffic.
        restarts: of its containers, since it was made.
        digest: ``sha256:...`` of the image it runs; empty while unknown.
        waiting: why a container does not run, as Kubernetes says (``ErrImagePull``); else empty.
    """

    name: str
    ready: bool
    restarts: int
    digest: str
    waiting: str = ""


@dataclass(frozen=True)
class ApplicationState:
    """What Argo CD says of the release's Application.

    Attributes:
        name: of the Application.
        sync: Synced, OutOfSync or Unknown.
        health: Healthy, Progressing, Degraded, Suspended, Missing or Unknown.
        revision: the commit it compared with.
        refreshing: whether a refresh is asked for and not done: the rest is then about the past.
        operating: whether an operation is asked for or runs.
        errors: conditions that end in Error, as sentences.
        ours: whether ``revision`` is our commit or descends from it with nothing else changed under the
            release's path; ``None`` when no commit of ours is known.
    """

    name: str
    sync: str
    health: str
    revision: str
    refreshing: bool = False
    operating: bool = False
    errors: tuple[str, ...] = ()
    ours: bool | None = None


@dataclass(frozen=True)
class Capacity:
    """How many pods there are.

    Attributes:
        stable: replicas that stable asks for.
        canary_ready: pods of the canary that are ready.
    """

    stable: int
    canary_ready: int


@dataclass(frozen=True)
class Range:
    """A query of the release file, and the numbers that are allowed.

    Attributes:
        name: for people.
        promql: the expression.
        above: the number has to be at least this; None: no such bound.
        below: the number has to be at most this; None: no such bound.
    """

    name: str
    promql: str
    above: float | None = None
    below: float | None = None

    def holds(self, value: float) -> bool:
        """Say whether a number is allowed; NaN never is."""
        return (self.above is None or value >= self.above) and (self.below is None or value <= self.below)

    def __str__(self) -> str:
        """Write the range for people."""
        parts = [f"at least {self.above:g}"] if self.above is not None else []
        return " and ".join(parts + ([f"at most {self.below:g}"] if self.below is not None else []))


@dataclass(frozen=True)
class InFlight:
    """Requests that have begun and not ended.

    Attributes:
        canary: to the canary.
        stable: to stable.
    """

    canary: float = 0.0
    stable: float = 0.0


@dataclass(frozen=True)
class Tick:
    """One look at the release.

    Attributes:
        at: seconds since counting began at this weight, by the clock of the samples.
        seconds: that this look covers.
        traffic: what was answered in them; None when the source had no data.
        pods: the canary's pods; None when they were not read.
        application: Argo CD's word; None when it was not read.
        weights: what the VirtualService says; None when it was not read.
        in_flight: what has begun and not ended; None where no Envoy tells.
        capacity: how many pods there are; None when they were not counted.
        alerts: names of the alerts that fire; None when Prometheus was not asked, or did not answer.
        queries: per query of the release file its number, or None where it has none; None as for alerts.
        gap: why something is None.
        settled: whether all of the traffic ran under the step's weight; before that it is evidence of harm only.
    """

    at: float
    seconds: float
    traffic: Traffic | None = None
    pods: tuple[Pod, ...] | None = None
    application: ApplicationState | None = None
    weights: Weights | None = None
    in_flight: InFlight | None = None
    capacity: Capacity | None = None
    alerts: tuple[str, ...] | None = None
    queries: Mapping[str, float | None] | None = None
    gap: str = ""
    settled: bool = True


@dataclass(frozen=True)
class LatencyObjective:
    """A share of the requests and the time within which they are answered.

    Attributes:
        share: such as 0.99.
        bound: seconds; 0 where a record only says which answers were slow.
    """

    share: float
    bound: float


@dataclass(frozen=True)
class Terms:
    """What the release file promises, in numbers; rates are shares (0.01), times are seconds.

    Attributes:
        weight: the canary's share of the traffic at this step, percent.
        error_rate: the objective.
        latency: the objectives; ``Answers.slow`` has one count for each, in this order.
        margin: by how much the canary's error rate may be over stable's, a share.
        split_tolerance: how far the served share may lie from ``weight``, percentage points.
        soak: no PASS before so long.
        limit: no look after so long.
        group: requests that may share one fate; 1 means each is on its own.
        latency_groups: the same for slow answers, one for each latency objective; empty: as ``group``.
        margin_group: the same for the canary's errors when it is compared with stable; None: as ``group``.
        stable_group: the same for stable's errors; None: as ``group``.
        block: seconds over which they may do so.
        pass_error: probability of a false PASS, per gate and step.
        fail_error: probability of a false FAIL, per gate and rollout.
        steps: how many steps the rollout has.
        digest: the image that the canary shall run (``sha256:...``); empty when not known.
        alerts: labels of the alerts that may not fire; empty for none.
        queries: of the release file.
    """

    weight: float
    error_rate: float = 0.01
    latency: tuple[LatencyObjective, ...] = ()
    margin: float = 0.005
    split_tolerance: float = 2.0
    soak: float = 60.0
    limit: float = 600.0
    group: float = 5.0
    latency_groups: tuple[float, ...] = ()
    margin_group: float | None = None
    stable_group: float | None = None
    block: float = 30.0
    pass_error: float = 0.01
    fail_error: float = 0.0025
    steps: int = 1
    digest: str = ""
    alerts: Mapping[str, str] = field(default_factory=dict)
    queries: tuple[Range, ...] = ()

    @property
    def horizon(self) -> float:
        """The longest that the whole rollout can be watched, seconds."""
        return self.steps * self.limit


@dataclass(frozen=True)
class Nearness:
    """How near a gate is to a decision, for people who watch.

    Attributes:
        sentence: the state in words.
        evidence: how much there is; ``of``: how much decides.
    """

    sentence: str
    evidence: float = 0
    of: float = 0
    details: Mapping[str, float] = field(default_factory=dict)
