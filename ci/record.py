"""What a rollout leaves on the VirtualService for whoever comes next: annotations, purged at the end.

The keys are these and no others, each with the prefix ``sluicegate.dev/``:

==================  ==========================================================================================
``rollout``         the id of the rollout; without it there is no record
``image``           the image on its way, by digest
``phase``           a value of ``ci.phases.Phase``: with ``step`` all that is needed to go on, or to undo
``step``            the canary's weight of the step in percent, 0 outside of steps
``who``             who drives, as ``name@host``
``began``           when the rollout began, ISO 8601 in UTC: how long it could hurt is looked up from there on
``since``           when the phase was entered, ISO 8601 in UTC (for people: nobody compares it with a clock)
``commits``         our commits in the GitOps repository, as ``canary=SHA,stable=SHA``; written before each is pushed
``before-replicas`` how many replicas the canary's Deployment had at rest
``before``          the snapshot of before the release (``fixtures.snapshot``), as JSON: what a rollback is proved by
``release``         the release file's content, as JSON: with it nobody needs the file to take the rollout back
``before-min``      where stable's autoscaler was raised: its name, its minReplicas before and since, ``NAME=2/4``
``despite``         who has begun it although a step can not pass in time, and why
``held``            in a hold: its cause (a value of ``ci.hold.Cause``), a colon, and the rest of the sentence
``abort``           who has aborted and why; only ever added, by anybody who takes traffic back
``pause``           who has paused it and why; there as long as it is paused
``resume``          who has last resumed it and why
``promote``         who has last let it go on without further waiting, and why
``force``           who has last skipped the gates of a weight, and why
==================  ==========================================================================================

The record is changed by the same patch that changes the weights (``ci.traffic``): there is no moment when the
two disagree. The last five are what people say (``ci.ask``), as ``name@host: why (moment)``: the driver's own changes
leave them alone, so that nobody's word is ever overwritten.

Example:
    >>> Record.read({"sluicegate.dev/rollout": "3f9c2a", "sluicegate.dev/phase": "step"}).phase
    <Phase.STEP: 'step'>
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime

from ci.phases import Phase, Place
from fixtures.errors import ClusterRefused

PREFIX = "sluicegate.dev/"
ABORT = PREFIX + "abort"
TEXTS = ("began", "since", "before", "release", "before_min", "despite", "held")
SAID = ("abort", "pause", "resume", "promote", "force")  # by people


@dataclass(frozen=True, kw_only=True)
class Record:
    """The record of one rollout; the attributes are the keys of the module's table."""

    rollout: str
    phase: Phase
    image: str = ""
    step: int = 0
    who: str = ""
    began: str = ""
    since: str = ""
    commits: Mapping[str, str] = field(default_factory=dict)
    before_replicas: int = 0
    before: str = ""
    release: str = ""
    before_min: str = ""
    despite: str = ""
    held: str = ""
    abort: str = ""
    pause: str = ""
    resume: str = ""
    promote: str = ""
    force: str = ""

    @property
    def place(self) -> Place:
        """Where the rollout is."""
        return Place(self.phase, self.step)

    @classmethod
    def read(cls, annotations: Mapping[str, str]) -> "Record | None":
        """Read the record out of an object's annotations.

        Args:
            annotations: all of them.

        Returns:
            The record; None when no rollout is going on.

        Raises:
            ClusterRefused: when there is one that nobody can have written.
        """
        found = {name: annotations[key] for name, key in KEYS.items() if key in annotations}
        if "rollout" not in found:
            return None
        try:
            return cls(
                rollout=found["rollout"],
                phase=Phase(found["phase"]),
                image=found.get("image", ""),
                step=int(found.get("step", "0")),
                who=found.get("who", ""),
                commits=dict(each.split("=") for each in found.get("commits", "").split(",") if each),
                before_replicas=int(found.get("before_replicas", "0")),
                **{name: found.get(name, "") for name in (*TEXTS, *SAID)},
            )
        except (KeyError, ValueError) as error:
            raise ClusterRefused(
                f"the rollout's record can not be read ({error!r})",
                where=f"annotations {PREFIX}*",
                remedy="somebody has edited it; set the weights by hand and remove these annotations",
            ) from None

    def annotations(self) -> dict[str, str | None]:
        """Give the annotations that say this; what people say is left as it stands in the cluster."""
        return {
            KEYS["rollout"]: self.rollout,
            KEYS["phase"]: self.phase.value,
            KEYS["image"]: self.image,
            KEYS["step"]: str(self.step),
            KEYS["who"]: self.who,
            KEYS["began"]: self.began,
            KEYS["since"]: self.since,
            KEYS["commits"]: ",".join(f"{role}={sha}" for role, sha in self.commits.items()),
            KEYS["before_replicas"]: str(self.before_replicas),
            KEYS["before"]: self.before,
            KEYS["release"]: self.release,
            KEYS["before_min"]: self.before_min,
            KEYS["despite"]: self.despite,
            KEYS["held"]: self.held,
        }


KEYS = {each.name: PREFIX + each.name.replace("_", "-") for each in fields(Record)}
PURGED: Mapping[str, str | None] = dict.fromkeys(KEYS.values())


def as_utc(seconds: float) -> str:
    """Write a moment as the record does.

    Args:
        seconds: unix time.

    Returns:
        ISO 8601 in UTC, to the second.
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_utc(text: str) -> float | None:
    """Read a moment of a record.

    Args:
        text: as ``as_utc`` writes it.

    Returns:
        Unix seconds; None for what is none: an older record, or one that somebody has edited.
    """
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
