"""What a backtest has found: day by day, and in sentences that a person can act on."""

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby
from math import ceil
from statistics import median
from typing import Any

from checks.words import count, seconds
from ci.backtest.starts import BURSTS, QUIET, Fate, Start
from fixtures.release import OnInconclusive, Release

MINUTE = 60
FEW = 3  # starts that are not worth a word on their hours
AGAINST_STABLE = "error_rate_against_stable"
WORDS = {AGAINST_STABLE: "error rate against stable's"}


@dataclass(frozen=True)
class Day:
    """One day, in UTC.

    Attributes:
        date: such as 2026-11-24.
        starts: that were judged in it, the earliest first; at least one.
    """

    date: str
    starts: Sequence[Start]

    @cached_property
    def fates(self) -> Counter[Fate]:
        """How many starts there are of each fate."""
        return Counter(start.fate for start in self.starts)

    @property
    def rate(self) -> float | None:
        """Stable's requests a second, in the median of the starts; None where nothing was seen."""
        known = [start.rate for start in self.starts if start.fate is not Fate.UNSEEN]
        return median(known) if known else None

    @property
    def times(self) -> Mapping[int, float]:
        """How long each step took until it passed, seconds, in the median of the promoted starts."""
        taken: dict[int, list[float]] = {}
        for start in self.starts:
            for step in start.steps if start.fate is Fate.PROMOTED else ():
                taken.setdefault(step.weight, []).append(step.seconds)
        return {weight: median(each) for weight, each in sorted(taken.items())}

    @property
    def gates(self) -> Counter[tuple[Fate, str]]:
        """Which gates have decided that it was not promoted."""
        return Counter((start.fate, gate) for start in self.starts for gate in start.gates)

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        fates = {fate.value.replace(" ", "_"): self.fates[fate] for fate in Fate}
        return {"date": self.date, "starts": len(self.starts), **fates, "rate": self.rate, "steps": dict(self.times)}


@dataclass(frozen=True)
class Backtest:
    """All that was found.

    Attributes:
        release: its file.
        began: of the time that was asked for, unix seconds.
        ended: of it.
        known: since when Prometheus has the service's traffic, unix seconds.
        stretch: seconds of the past that are one look.
        every: seconds between two starts.
        starts: in order.
    """

    release: Release
    began: float
    ended: float
    known: float
    stretch: float
    every: float
    starts: Sequence[Start]

    @cached_property
    def days(self) -> Sequence[Day]:
        """The days that have starts."""
        return [
            Day(date, list(each)) for date, each in groupby(self.starts, lambda start: f"{_utc(start.at):%Y-%m-%d}")
        ]

    @property
    def weights(self) -> Sequence[int]:
        """All weights of all steps."""
        return sorted({step.weight for start in self.starts for step in start.steps})

    def of(self, fate: Fate) -> Sequence[Start]:
        """Give the starts of a fate."""
        return [start for start in self.starts if start.fate is fate]

    @property
    def summary(self) -> Sequence[str]:
        """What a person has to know, one sentence a thing."""
        return [self._promoted(), *self._not_promoted(), *self._refused(), *self._unknown()]

    def _promoted(self) -> str:
        promoted, seen = self.of(Fate.PROMOTED), len(self.starts) - len(self.of(Fate.UNSEEN))
        whole = f", in {seconds(median(start.seconds for start in promoted))} in the median" if promoted else ""
        return (
            f"a canary exactly as good as stable would have been promoted in {count(len(promoted))} of "
            f"{count(seen)} starts{whole}"
        )

    def _not_promoted(self) -> Iterator[str]:
        for gates, starts in _by_gates(self.of(Fate.ROLLED_BACK)):
            yield f"{self._on(starts)} it would have been rolled back for {gates} {self._when(starts)}"
        if any(gates != (AGAINST_STABLE,) for gates in {start.gates for start in self.of(Fate.ROLLED_BACK)}):
            yield (
                "stable itself was over its objective then: mend that, loosen the objective, or release at other hours"
            )
        for gates, starts in _by_gates(self.of(Fate.UNDECIDED)):
            yield f"{self._on(starts)} it would have been left undecided for {gates} {self._when(starts)}"
        if self.of(Fate.UNDECIDED):
            then = "holds" if self.release.on_inconclusive is OnInconclusive.HOLD else "takes traffic back"
            yield (
                f"this release file {then} where a step is undecided: a longer limit, a bigger first weight, a wider "
                "margin or a looser objective decides more of them"
            )

    def _refused(self) -> Iterator[str]:
        for cause, starts in _by_gates(self.of(Fate.REFUSED)):
            yield f"{self._on(starts)} preflight would have refused to start it for {cause} {self._when(starts)}"
            half = median(start.needs for start in starts)
            if cause in {QUIET, BURSTS}:
                yield f"with limit: {ceil(half / MINUTE)}m every second one of these would have been started"

    def _on(self, starts: Sequence[Start]) -> str:
        seen = len([day for day in self.days if day.rate is not None])
        many = len({_utc(start.at).date() for start in starts})
        return f"on {many} of {seen} day{'' if seen == 1 else 's'}"

    @staticmethod
    def _when(starts: Sequence[Start]) -> str:
        """Say how often, at which hours, and tell one in the middle: neither the first nor the last is typical."""
        hours, typical = _hours(starts), starts[len(starts) // 2]
        mostly = f", mostly from {hours} o'clock UTC" if hours else ""
        at = f" at {typical.steps[-1].weight} %" if typical.steps else ""
        return f"({_starts(starts)}{mostly}): on {_utc(typical.at):%Y-%m-%d %H:%M} UTC{at}, for example, {typical.why}"

    def _unknown(self) -> Iterator[str]:
        if self.known - self.began > max(self.every, 2 * self.stretch):
            yield (
                f"Prometheus knows this service's traffic since {_utc(self.known):%Y-%m-%d %H:%M} UTC only: "
                "what is older is not kept, or the service was not there"
            )
        unseen = self.of(Fate.UNSEEN)
        if unseen:
            yield f"{_starts(unseen)} could not be judged: Prometheus has no data of them"

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        return {
            "service": self.release.service,
            "since": self.began,
            "until": self.ended,
            "known_since": self.known,
            "stretch": self.stretch,
            "summary": list(self.summary),
            "days": [day.as_json() for day in self.days],
            "starts": [_as_json(start) for start in self.starts],
        }


def _as_json(start: Start) -> dict[str, Any]:
    steps = [{"weight": each.weight, "seconds": each.seconds, "verdict": each.outcome.value} for each in start.steps]
    about = {"at": start.at, "fate": start.fate.value, "rate": start.rate, "group": start.group}
    return {**about, "steps": steps, "gates": list(start.gates), "why": start.why}


def gate(name: str) -> str:
    """Name a gate as people do."""
    return WORDS.get(name, name.replace("_", " "))


def _by_gates(starts: Sequence[Start]) -> list[tuple[str, list[Start]]]:
    """Put starts together that the same gates have decided, the most frequent first."""
    found: dict[str, list[Start]] = {}
    for start in starts:
        found.setdefault(" and ".join(map(gate, start.gates)), []).append(start)
    return sorted(found.items(), key=lambda each: -len(each[1]))


def _hours(starts: Sequence[Start]) -> str:
    """Give the hours of the day in which most of them are, such as ``22 to 5``; "" where they are all over the day."""
    often = Counter(_utc(start.at).hour for start in starts)
    usual = {hour for hour, many in often.items() if many > max(often.values()) / 2}
    begins = [hour for hour in sorted(usual) if (hour - 1) % 24 not in usual]
    if len(starts) < FEW or not 0 < len(begins) <= 2:  # noqa: PLR2004 - more would be a list of hours
        return ""
    return " and ".join(f"{begin} to {_end(begin, usual)}" for begin in begins)


def _end(begin: int, usual: Container[int]) -> int:
    return next(hour % 24 for hour in range(begin, begin + 25) if hour % 24 not in usual)


def _starts(starts: Sequence[Start]) -> str:
    return f"{count(len(starts))} start{'' if len(starts) == 1 else 's'}"


def _utc(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
