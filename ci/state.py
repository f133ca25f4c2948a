"""What a rollout is about, and what its driver has done so far."""

from dataclasses import dataclass
from pathlib import Path

from checks.evidence import Weights
from ci.record import Record
from fixtures.release import Release


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be released, where, by whom.

    Attributes:
        rollout: a short id, different for each rollout.
        release: the release file's content; ``file`` is where it is.
        image: the new image, by digest.
        target: the target's name.
        who: who drives, ``name@host``.
        reports: the folder for everything that the rollout leaves behind.
        access_log: of a sending Envoy, where it can be read.
    """

    rollout: str
    release: Release
    file: Path
    image: str
    target: str
    who: str
    reports: Path
    access_log: Path | None = None


@dataclass
class State:
    """What has been done.

    Attributes:
        record: as it was last written.
        weights: as they were last written; None while nothing was.
        commit: that Argo CD shall have.
        before: the snapshot of before the release.
        carry: the verdict lines of the last step, whose evidence the next one goes on with.
        began: when the rollout began, unix seconds.
        decided: when it was decided to take traffic back, unix seconds.
        written: when the safe weights were read back, unix seconds.
        raised: whether the canary ever had a weight.
    """

    record: Record
    weights: Weights | None = None
    commit: str = ""
    before: Path | None = None
    carry: Path | None = None
    began: float = 0.0
    decided: float = 0.0
    written: float = 0.0
    raised: bool = False
