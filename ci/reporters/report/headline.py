"""The first sentence of a report: what happened, and why.

Example:
    >>> spoken([5, 25, 50])
    '5, 25 and 50 %'
"""

from collections.abc import Sequence

from ci.events import BEGIN
from ci.reporters.figures import short_image
from ci.reporters.report.rollout import Rollout
from ci.reporters.sentences import asked


def headline(rollout: Rollout) -> str:
    """Say in one sentence what happened, and why.

    Args:
        rollout: as far as it went.
    """
    service, ended = rollout.service, rollout.ended
    if ended is None:
        return f"{service} was left {_last_place(rollout)}: the journal ends there, the rollout had not"
    match ended.outcome:
        case "promoted":
            return f"{service} was promoted: {_shown(rollout)}"
        case "rolled back":
            return f"{service} was rolled back {_place(rollout)}: {ended.sentence}"
        case "incomplete":
            return f"{service} needs a person: {ended.sentence}"
        case "refused":
            return f"{service} was not released: {ended.sentence}"
        case other:
            return f"{service} is {other}: {ended.sentence}"


def spoken(steps: Sequence[int]) -> str:
    """List weights as people say them."""
    first, last = ", ".join(map(str, steps[:-1])), str(steps[-1])
    return f"{first} and {last} %" if first else f"{last} %"


def _shown(rollout: Rollout) -> str:
    """Say what the promotion stands on: the gates, or people who have skipped them."""
    skipped = [asked(each) for each in rollout.asked if each.what == "force"]
    passed = "every gate has passed" + (f" at {spoken(rollout.steps)}" if rollout.steps else "")
    begun = "".join(f"; {asked(each)}" for each in rollout.asked if each.what == BEGIN)
    image = f", and {short_image(rollout.began.image)} serves all the traffic" if rollout.began else ""
    return ("; ".join(skipped) if skipped else passed) + image + begun


def _place(rollout: Rollout) -> str:
    """Say from where traffic was taken back: the weight that it had, else the part of the rollout."""
    decided = rollout.rollback.at if rollout.rollback else rollout.end
    written = [write.canary for write in rollout.weights if write.at < decided]
    before = [part.label for part in rollout.parts if part.began < decided]
    if written and written[-1]:
        return f"from {written[-1]} %"
    return f"in the part “{before[-1]}”" if before else "at once"


def _last_place(rollout: Rollout) -> str:
    return f"in the part “{rollout.parts[-1].label}”" if rollout.parts else "at its beginning"
