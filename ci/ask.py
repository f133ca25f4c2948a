"""Saying something to a running rollout, from any terminal: pause, resume, promote.

Each is one patch that adds to the record who said it, why and when; the driver, wherever it runs, hears of it at its
next look. What can not mean anything where the rollout is now is refused, with what could be said instead.

=============  ===========================================================================================
``pause``      no weight rises any more; suites go on, and harm is still taken back
``resume``     ends a pause; lets an undecided step, or one with an outage of both versions, be judged again
``promote``    skips the waiting, not the gates: ends a pause, approves what comes after this weight, and as resume
``force``      skips the gates of this weight as well
=============  ===========================================================================================
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from ci.hold import JUDGED_AGAIN, Cause
from ci.patch import Change
from ci.phases import Phase
from ci.record import KEYS, Record
from ci.traffic import Seen, Traffic
from fixtures.errors import InputError

WAITS = frozenset({Phase.PREFLIGHT, Phase.DEPLOY, Phase.STEP, Phase.HOLD})  # here something can still be said
HEARD: Mapping[str, str] = {
    "pause": "is paused: the canary stays at {weight} % and goes on being watched; `sluicegate resume` lets it go on",
    "resume": "is resumed",
    "promote": "waits for nobody before what comes after {weight} %; its gates still have to pass",
    "force": "goes on from {weight} % whatever its gates have shown so far",
}


@dataclass(frozen=True)
class Said:
    """What was said.

    Attributes:
        rollout: to which one.
        what: ``pause``, ``resume``, ``promote`` or ``force``.
        weight: the canary's, at which it was said, percent.
        driver: who drives it, and has to hear of it.
        text: as it stands in the record.
    """

    rollout: str
    what: str
    weight: int
    driver: str
    text: str

    @property
    def sentence(self) -> str:
        """The same for people."""
        heard = HEARD[self.what].format(weight=self.weight)
        return f"rollout {self.rollout} {heard} (its driver, {self.driver}, hears of it within a second)"

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        return asdict(self)


def ask(traffic: Traffic, what: str, who: str, why: str, now: float) -> Said:
    """Say something to the rollout that is going on.

    Args:
        traffic: the release's VirtualServices.
        what: ``pause``, ``resume``, ``promote`` or ``force``.
        who: says it.
        why: for the others.
        now: unix seconds; stands beside it, so that the same words can be said again.

    Raises:
        InputError: when it means nothing where the rollout is.
        ClusterRefused: when the API server does not let it happen.
    """
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text = f"{who}: {why} ({moment})"
    found: list[Record] = []

    def permit(seen: Seen) -> None:
        found.append(_fit(seen, what))

    unpaused = {} if what == "pause" else {KEYS["pause"]: None}
    traffic.write_first(Change(None, {**unpaused, KEYS[what]: text}), permit)
    record = found[-1]
    return Said(record.rollout, what, record.step, record.who, text)


def _fit(seen: Seen, what: str) -> Record:
    """Give the record, where there is one to which this can be said."""
    record = seen.record
    if record is None:
        raise InputError("no rollout is going on", where=seen.name, remedy="look with `sluicegate status RELEASE`")
    if found := problem(record, what):
        raise InputError(found[0], where=f"rollout {record.rollout} of {record.who}", remedy=found[1])
    return record


def problem(record: Record, what: str) -> tuple[str, str] | None:
    """Say why this means nothing now, and what to do.

    Args:
        record: of the rollout.
        what: ``pause``, ``resume``, ``promote`` or ``force``.

    Returns:
        None when it means something.
    """
    back = "`sluicegate abort RELEASE` takes its traffic back"
    if record.abort:
        return f"it is aborted by {record.abort}", "it can not be stopped from going back"
    if record.phase not in WAITS:
        return f"it is in {record.phase.value}, where it waits for nobody", back
    if what == "pause" and record.pause:
        return f"it is paused already, by {record.pause}", "`sluicegate resume RELEASE` ends that"
    if what == "force" and not record.step:
        return "the canary has no weight whose gates could be skipped", "preflight and deployed are never skipped"
    if what == "resume" and not record.pause:
        return _nothing_to_resume(record)
    return None


def _nothing_to_resume(record: Record) -> tuple[str, str] | None:
    cause = record.held.partition(":")[0]
    if cause == Cause.APPROVAL.value:
        return f"it is not paused: {record.held}", "`sluicegate promote RELEASE` approves it"
    if cause in {each.value for each in JUDGED_AGAIN}:
        return None
    return "it is not paused", "`sluicegate status RELEASE` says what it does"
