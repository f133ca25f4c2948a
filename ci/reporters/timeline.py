"""Where a rollout's time went: its parts, and in each the seconds of evidence and the seconds of overhead.

Evidence is the time in which a suite that watches traffic (it tells its progress) was ready, the weights of the
part were written, and only requests were waited for: until the suite's last verdict, or its first FAIL, or until
somebody took traffic back. Everything else is overhead: Git, Argo CD, pods, weights, pytest.

Pure: a list of events in, a list of parts out. Their moments come from several processes and need not be in order.

Example:
    >>> began = PhaseEntered(at=10.0, phase="deploy")
    >>> ended = RolloutEnded(at=14.0, outcome="held", sentence="", exit_code=3)
    >>> [part] = parts([began, Synced(at=13.0, commit="3f2a91c", took=2.5), ended], now=14.0)
    >>> part.label, part.overhead, part.causes
    ('deploy', 4.0, {'Argo CD': 2.5})
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ci.events import (
    Event,
    HoldEnded,
    PhaseEntered,
    Progress,
    Pushed,
    RollbackBegan,
    RolloutBegan,
    RolloutEnded,
    Scaled,
    StepsChosen,
    SuiteEnded,
    SuiteReady,
    SuiteStarted,
    Synced,
    VerdictReached,
    WeightsWritten,
)
from ci.reporters.sentences import label

CAUSES: Mapping[type[Event], str] = {
    Pushed: "Git",
    Synced: "Argo CD",
    Scaled: "pods",
    WeightsWritten: "weights",
    SuiteReady: "pytest",
    HoldEnded: "held",
}


@dataclass(frozen=True)
class Part:
    """One phase or step of a rollout; times in seconds.

    Attributes:
        label: how people call it, such as ``preflight`` or ``25 %``.
        began: unix seconds.
        took: until the next part began, or until now.
        watches: from when to when it only waited for requests, unix seconds.
        causes: of the rest, how much each thing took that says so itself.
        failed: a suite of it was not passed, or traffic was taken back in it.
        over: another part has begun, or the rollout has ended.
    """

    label: str
    began: float
    took: float
    watches: Sequence[tuple[float, float]]
    causes: Mapping[str, float]
    failed: bool
    over: bool

    @property
    def evidence(self) -> float:
        """The time in which only requests were waited for, in seconds."""
        return sum(last - first for first, last in self.watches)

    @property
    def overhead(self) -> float:
        """All that was not waiting for evidence, in seconds."""
        return max(0.0, self.took - self.evidence)


def parts(events: Sequence[Event], now: float) -> list[Part]:
    """Cut a rollout into its parts.

    Args:
        events: all events so far, in order.
        now: unix seconds, where the last part ends when the rollout has not.

    Returns:
        The parts in order; empty before the first phase.
    """
    ended = [event.at for event in events if isinstance(event, RolloutEnded)]
    begins = [place for place, event in enumerate(events) if isinstance(event, PhaseEntered)]
    stretches = [events[first:last] for first, last in pairwise([*begins, len(events)])]
    ends = [*(stretch[0].at for stretch in stretches[1:]), *ended[:1], now]
    over = len(stretches) if ended else len(stretches) - 1
    return [
        _part(stretch, end, over=place < over)
        for place, (stretch, end) in enumerate(zip(stretches, ends, strict=False))
    ]


def pending(events: Sequence[Event]) -> list[str]:
    """Give the labels of the parts that are still to come; none once traffic is taken back.

    Args:
        events: all events so far, in order.

    Returns:
        Labels in order.
    """
    began = next((event for event in events if isinstance(event, RolloutBegan)), None)
    if began is None or any(isinstance(event, RollbackBegan | RolloutEnded) for event in events):
        return []
    chosen = next((event.steps for event in events if isinstance(event, StepsChosen)), began.steps)
    plan = ["preflight", "deploy", *(label("step", step) for step in chosen), "promote", "serve"]
    entered = {label(event.phase, event.step) for event in events if isinstance(event, PhaseEntered)}
    furthest = max((place for place, each in enumerate(plan) if each in entered), default=-1)
    return plan[furthest + 1 :]


def _part(events: Sequence[Event], end: float, *, over: bool) -> Part:
    entered, *rest = _own(events)
    return Part(
        label=label(entered.phase, entered.step) if isinstance(entered, PhaseEntered) else "",
        began=entered.at,
        took=end - entered.at,
        watches=tuple(_watches(rest, end)),
        causes=_causes(rest),
        failed=any(_is_failure(event, entered) for event in rest),
        over=over,
    )


def _own(events: Sequence[Event]) -> Iterator[Event]:
    """Leave out the end of a run that another part began: after a FAIL it is reaped when traffic is safe."""
    started = {(event.suite, event.step) for event in events if isinstance(event, SuiteStarted)}
    for event in events:
        if not isinstance(event, SuiteEnded) or (event.suite, event.step) in started:
            yield event


def _is_failure(event: Event, entered: Event) -> bool:
    """One that still watched the weight before was told to end, and has nothing to say of this part."""
    if isinstance(event, SuiteEnded):
        return not event.passed and event.step == getattr(entered, "step", None)
    return isinstance(event, RollbackBegan)


def _watches(events: Sequence[Event], end: float) -> Iterator[tuple[float, float]]:
    """Give from when to when each suite only waited for requests."""
    ready = written = watching = False
    opened: float | None = None
    last = end
    for event in events:
        match event:
            case SuiteReady():
                ready, watching, last = True, False, end
            case Progress():
                watching = True
            case WeightsWritten():
                written = True
            case VerdictReached():
                last = event.at
            case _:
                pass
        if opened is None and ready and written:
            opened = event.at
        if _stops(event) and ready:
            if opened is not None and watching:
                yield opened, max(opened, min(last, event.at))
            ready, opened = False, None
    if opened is not None and watching:
        yield opened, max(opened, end)


def _stops(event: Event) -> bool:
    failed = isinstance(event, VerdictReached) and event.outcome == "FAIL"
    return failed or isinstance(event, SuiteEnded | RollbackBegan)


def _causes(events: Sequence[Event]) -> dict[str, float]:
    spent: dict[str, float] = {}
    since: float | None = None  # the moment up to which the time of the part's own run is accounted for
    watching = False
    for event in events:
        cause, took = CAUSES.get(type(event), ""), getattr(event, "took", 0.0)
        if isinstance(event, Progress):
            watching = True
        elif isinstance(event, SuiteStarted | SuiteReady):
            since, watching = event.at, False
        elif isinstance(event, VerdictReached | SuiteEnded) and since is not None:
            cause = "pytest" if isinstance(event, SuiteEnded) else "" if watching else "checks"
            took, since = event.at - since, event.at
        if cause:
            spent[cause] = spent.get(cause, 0.0) + took
    return spent
