"""What happens during a rollout, as data: phases emit events, reporters listen.

Every event is a frozen dataclass with the moment it happened (``at``, unix seconds). The journal writes them
as JSON lines, the live view draws them, the closing screen adds up their times. Nothing here does anything.

Example:
    >>> as_json(Note(at=12.0, text="the canary takes 5 %"))["kind"]
    'note'
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from typing import Any

BEGIN = "begin"  # what a person says who has a rollout begin although a step can not pass in time


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        at: the moment, unix seconds.
    """

    at: float


@dataclass(frozen=True, kw_only=True)
class RolloutBegan(Event):
    """A driver took on a release.

    Attributes:
        rollout: its id.
        service: what is released.
        image: to what, by digest.
        steps: the canary's weights, percent.
        who: drives, ``name@host``.
        target: where.
        links: addresses of ``commit``, ``image`` and ``application``, as ``ci.links`` gives them.
    """

    rollout: str
    service: str
    image: str
    steps: Sequence[int]
    who: str
    target: str
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PhaseEntered(Event):
    """The rollout is in a new phase; ``step`` is the canary's weight in percent, where the phase is a step."""

    phase: str
    step: int | None = None


@dataclass(frozen=True, kw_only=True)
class WeightsWritten(Event):
    """The VirtualService has new weights (percent); ``took`` in seconds, until they were read back."""

    stable: int
    canary: int
    why: str
    who: str
    took: float


@dataclass(frozen=True, kw_only=True)
class WeightsProved(Event):
    """The data plane itself routes by these weights; ``took`` in seconds since they were written."""

    stable: int
    canary: int
    took: float


@dataclass(frozen=True, kw_only=True)
class SuiteStarted(Event):
    """A pytest run was started; it is ready (``gates`` known) when ``SuiteReady`` follows."""

    suite: str
    step: int | None
    command: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class SuiteReady(Event):
    """The run has collected and sees the traffic; from here on it only waits for evidence.

    Attributes:
        suite: whose run it is; ``step`` is the weight that it watches, percent.
        gates: that will decide; ``took``: seconds until here.
        terms: ``checks.evidence.Terms`` that its live gates judge by, as JSON; None where there are none.
        watch: whether they only look for harm, and decide no PASS.
    """

    suite: str
    step: int | None
    gates: Sequence[str]
    took: float
    terms: Mapping[str, Any] | None = None
    watch: bool = False


@dataclass(frozen=True, kw_only=True)
class Progress(Event):
    """How near each gate is to a decision.

    Attributes:
        gates: per gate ``sentence``, ``evidence`` and ``of`` (a decision falls when evidence reaches ``of``).
        canary: cumulative ``requests`` and ``errors`` since the step began; ``stable`` the same.
    """

    step: int | None
    gates: Mapping[str, Mapping[str, Any]]
    canary: Mapping[str, float] = field(default_factory=dict)
    stable: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Looked(Event):
    """One look of a suite that watches traffic: all that its statistics were given, so that it can be judged again.

    Attributes:
        suite: whose look it is; ``step`` is the weight that it watches, percent.
        t: seconds since counting began at this weight; ``seconds``: how many of them this look covers.
        settled: whether all of the traffic ran under this weight; before that it is evidence of harm only.
        gap: why there is no traffic, "" when there is.
        traffic: a ``checks.evidence.Traffic`` as JSON; None when the source had no data.
        in_flight: requests to ``canary`` and ``stable`` that have begun and not ended; None where nobody tells.
        weights: of the VirtualService, ``stable`` and ``canary`` in percent; None when they were not read.
    """

    suite: str
    step: int | None
    t: float
    seconds: float
    settled: bool
    gap: str = ""
    traffic: Mapping[str, Any] | None = None
    in_flight: Mapping[str, float] | None = None
    weights: Mapping[str, float] | None = None


@dataclass(frozen=True, kw_only=True)
class VerdictReached(Event):
    """A gate has decided: outcome is PASS, FAIL or INCONCLUSIVE; ``after`` seconds of watching."""

    suite: str
    step: int | None
    gate: str
    outcome: str
    sentence: str
    after: float
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SuiteEnded(Event):
    """A run is over: ``passed`` as the driver judges it, ``why`` when it is not, the JUnit file it left."""

    suite: str
    step: int | None
    passed: bool
    why: str
    took: float
    junit: str


@dataclass(frozen=True, kw_only=True)
class Pushed(Event):
    """A commit of ours is in the GitOps repository."""

    commit: str
    subject: str
    took: float


@dataclass(frozen=True, kw_only=True)
class Synced(Event):
    """Argo CD runs our commit and is healthy."""

    commit: str
    took: float


@dataclass(frozen=True, kw_only=True)
class Scaled(Event):
    """A Deployment has its new number of replicas, ready."""

    deployment: str
    replicas: int
    took: float


@dataclass(frozen=True, kw_only=True)
class StepsChosen(Event):
    """The release file leaves the steps to preflight, and this is what they are; ``rate`` in requests a second."""

    steps: Sequence[int]
    rate: float


@dataclass(frozen=True, kw_only=True)
class Held(Event):
    """A weight is held, and goes on being watched.

    Attributes:
        step: the canary's weight, percent.
        cause: a value of ``ci.hold.Cause``.
        why: the sentence that a person needs.
        limit: seconds for which it may be held.
    """

    step: int
    cause: str
    why: str
    limit: float


@dataclass(frozen=True, kw_only=True)
class HoldEnded(Event):
    """A weight is held no longer; ``took`` in seconds."""

    step: int
    took: float


@dataclass(frozen=True, kw_only=True)
class Asked(Event):
    """A person has said something to the rollout, and the driver has heard it.

    Attributes:
        what: ``pause``, ``resume``, ``promote`` or ``force``; ``begin`` for a rollout that began by ``run --force``.
        who: has said it.
        why: as they wrote it.
        step: the canary's weight at which it was said, percent; None where it had none.
    """

    what: str
    who: str
    why: str
    step: int | None


@dataclass(frozen=True, kw_only=True)
class RollbackBegan(Event):
    """Traffic is being taken back: ``reason`` is the sentence a person needs first."""

    reason: str
    who: str


@dataclass(frozen=True, kw_only=True)
class RollbackMeasured(Event):
    """How long the canary could hurt, by Envoy's own access log; all moments are unix seconds.

    Attributes:
        first_bad: Envoy's start of the first request that the canary answered badly; None when it answered all well.
        verdict: the rollback was decided, by a gate or by a person.
        written: the safe weights were in the VirtualService.
        last_routed: Envoy's start of the last request that it routed to the canary; None when it never routed one.
        bad: how many requests the canary answered badly.
    """

    first_bad: float | None
    verdict: float
    written: float
    last_routed: float | None
    bad: int

    @property
    def seconds(self) -> float | None:
        """The rollback time: from the start of the first bad request to the start of the last one routed."""
        if self.first_bad is None or self.last_routed is None:
            return None
        return self.last_routed - self.first_bad


@dataclass(frozen=True, kw_only=True)
class Note(Event):
    """Something a person should know that changes nothing."""

    text: str


@dataclass(frozen=True, kw_only=True)
class RolloutEnded(Event):
    """The end: ``outcome`` is promoted, rolled back, held or incomplete; ``sentence`` says why."""

    outcome: str
    sentence: str
    exit_code: int


def as_json(event: Event) -> dict[str, Any]:
    """Give the event as a JSON object with its ``kind`` (the class name in snake case) first.

    Args:
        event: any event.

    Returns:
        A dictionary that ``json.dumps`` takes.
    """
    return {"kind": _kind(type(event).__name__), **asdict(event)}


def from_json(line: Mapping[str, Any]) -> Event | None:
    """Give the event that ``as_json`` made this object of.

    Args:
        line: the JSON object; members that this version does not know are left out.

    Returns:
        The event, or None for a kind that this version does not know.

    Raises:
        TypeError: when a member is missing.
    """
    event = _kinds().get(line.get("kind", ""))
    if event is None:
        return None
    return event(**{member.name: line[member.name] for member in fields(event) if member.name in line})


@cache
def _kinds() -> Mapping[str, type[Event]]:
    return {_kind(known.__name__): known for known in Event.__subclasses__()}


@cache
def _kind(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
