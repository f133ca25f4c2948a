"""One line an event, as it stands in Jenkins' log and in the live view.

Example:
    >>> sentence(Scaled(at=0.0, deployment="rebate-core-canary", replicas=2, took=1.1))
    'rebate-core-canary: 2 ready (1.1 s)'
"""

from collections.abc import Sequence

from checks.words import count
from ci.events import (
    BEGIN,
    Asked,
    Event,
    Held,
    HoldEnded,
    Note,
    PhaseEntered,
    Progress,
    Pushed,
    RollbackBegan,
    RollbackMeasured,
    RolloutBegan,
    RolloutEnded,
    Scaled,
    StepsChosen,
    SuiteEnded,
    SuiteReady,
    SuiteStarted,
    Synced,
    VerdictReached,
    WeightsProved,
    WeightsWritten,
)
from ci.reporters.figures import seconds, short_image

COMMIT = 7  # characters, as Git abbreviates


def sentence(event: Event) -> str:  # noqa: C901, PLR0911, PLR0912 - a table: one line a kind of event
    """Say what happened.

    Args:
        event: any event.

    Returns:
        One line without its time.
    """
    match event:
        case RolloutBegan():
            steps = f"steps {spoken_steps(event.steps)}" if event.steps else "steps as preflight finds them"
            image = short_image(event.image)
            return f"{event.service}: {image} to {event.target} by {event.who}, {steps} ({event.rollout})"
        case PhaseEntered():
            return f"{label(event.phase, event.step)} begins"
        case WeightsWritten():
            return f"weights set: {_split(event)} by {event.who}: {event.why} ({seconds(event.took)})"
        case WeightsProved():
            return f"the data plane routes {_split(event)} ({seconds(event.took)} after the write)"
        case SuiteStarted():
            return f"suite {_suite(event)} starts"
        case SuiteReady():
            verb = "watches" if event.watch else "is ready"
            return f"suite {_suite(event)} {verb}: {', '.join(event.gates)} ({seconds(event.took)})"
        case Progress():
            return progress(event)
        case VerdictReached():
            return f"{event.outcome} {event.gate}: {event.sentence}"
        case SuiteEnded():
            verdict = "passed" if event.passed else f"NOT passed: {event.why}"
            return f"suite {_suite(event)} {verdict} ({seconds(event.took)})"
        case Pushed():
            return f"pushed {event.commit[:COMMIT]} {event.subject} ({seconds(event.took)})"
        case Synced():
            return f"Argo CD runs {event.commit[:COMMIT]} and is healthy ({seconds(event.took)})"
        case Scaled():
            return f"{event.deployment}: {event.replicas} ready ({seconds(event.took)})"
        case StepsChosen():
            return f"at {count(event.rate)} requests a second the steps are {spoken_steps(event.steps)}"
        case Held():
            return f"HELD at {event.step} %, for {seconds(event.limit)} at most: {event.why}"
        case HoldEnded():
            return f"{event.step} % is held no longer ({seconds(event.took)})"
        case Asked():
            return asked(event)
        case RollbackBegan():
            return f"ROLLING BACK by {event.who}: {event.reason}"
        case RollbackMeasured():
            return measured(event)
        case Note():
            return f"note: {event.text}"
        case RolloutEnded():
            return f"{event.outcome.upper()}: {event.sentence} (exit {event.exit_code})"
        case _:
            return repr(event)


def spoken_steps(steps: Sequence[int]) -> str:
    """List the canary's weights."""
    return ", ".join(map(str, steps)) + " %"


def asked(event: Asked) -> str:
    """Say what a person has said to the rollout."""
    if event.what == BEGIN:
        return f"{event.who} has it begin whatever its forecast says: {event.why}"
    at = f" at {event.step} %" if event.step else ""
    said = "skipped the gates" if event.what == "force" else f"said {event.what}"
    return f"{event.who} {said}{at}: {event.why}"


def label(phase: str, step: int | None) -> str:
    """Name a part of the rollout: a step by its weight, every other phase by its name."""
    if not step:
        return phase
    return f"{step} %" if phase == "step" else f"{phase} {step} %"


def measured(event: RollbackMeasured) -> str:
    """Say the rollback time as Envoy's log has it."""
    if event.seconds is None:
        return f"rollback measured in Envoy's log: {count(event.bad)} bad answers of the canary"
    return (
        f"rollback time {seconds(event.seconds)} by Envoy's log, from the first bad request to the last one routed "
        f"to the canary; {count(event.bad)} bad answers in all"
    )


def moments(event: RollbackMeasured) -> list[tuple[float, float, str]]:
    """Tell a rollback as a line of time.

    Args:
        event: what was measured.

    Returns:
        In order: seconds since the harm began (where there was none: since the verdict), unix seconds, what happened.
    """
    start = event.verdict if event.first_bad is None else event.first_bad
    found = [
        (event.first_bad, "first request that the canary answered badly"),
        (event.verdict, "rollback decided"),
        (event.written, "safe weights written"),
        (event.last_routed, "last request routed to the canary"),
    ]
    return sorted((at - start, at, what) for at, what in found if at is not None)


def progress(event: Progress) -> str:
    """Say how far each gate is, and what the canary has answered."""
    near = {name: (gate.get("evidence") or 0.0, gate.get("of") or 0.0) for name, gate in event.gates.items()}
    gates = "; ".join(f"{name} {there:.0f} of {of:.0f}" for name, (there, of) in near.items() if there < of)
    requests, errors = event.canary.get("requests", 0), event.canary.get("errors", 0)
    return f"waiting: {gates or 'evidence is enough'}; canary {count(requests)} requests, {count(errors)} errors"


def _suite(event: SuiteStarted | SuiteReady | SuiteEnded) -> str:
    return event.suite if event.step is None else f"{event.suite} at {event.step} %"


def _split(event: WeightsWritten | WeightsProved) -> str:
    return f"stable {event.stable} %, canary {event.canary} %"
