"""What a rollout is about, and what its driver has done so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checks.evidence import Weights
from ci.hold import Hold
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
        links: where reports lead for more, see ``ci.links``.
        despite: who begins although a step can not pass in time, and why, as ``name@host: why``; "" for nobody.
    """

    rollout: str
    release: Release
    file: Path
    image: str
    target: str
    who: str
    reports: Path
    access_log: Path | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    despite: str = ""


@dataclass
class State:
    """What has been done.

    Attributes:
        record: as it was last written.
        weights: as they were last written; None while nothing was.
        commit: that Argo CD shall have.
        before: the snapshot of before the release.
        steps: the canary's weights, rising, percent; none before preflight has found them.
        hold: why the weight is held, or was held last.
        found: the numbers that each gate has said last.
        carry: per scenario the verdict lines of its last run, whose evidence the next one goes on with.
        began: when the rollout began, unix seconds.
        decided: when it was decided to take traffic back, unix seconds.
        written: when the safe weights were read back, unix seconds.
        raised: whether the canary ever had a weight.
        aborted: who has aborted and why, as it stood in the record when traffic was taken back.
    """

    record: Record
    weights: Weights | None = None
    commit: str = ""
    before: Path | None = None
    steps: tuple[int, ...] = ()
    hold: Hold | None = None
    found: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    carry: dict[str, Path] = field(default_factory=dict)
    began: float = 0.0
    decided: float = 0.0
    written: float = 0.0
    raised: bool = False
    aborted: str = ""
