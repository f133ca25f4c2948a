"""The command ``sluicegate backtest``: reads a service's past from Prometheus, and judges a start each hour of it.

The past is read in stretches as long as the time between two scrapes, or longer ones where it is long: a month is read
in stretches of half a minute.
"""

import re
from collections.abc import Iterator
from math import ceil
from pathlib import Path

from checks.history import span
from ci.backtest.findings import Backtest
from ci.backtest.starts import Starts
from fixtures import quantities
from fixtures.errors import InputError, Unreachable
from fixtures.gateways import bounds, version_labels
from fixtures.past import Past
from fixtures.prometheus import Prometheus
from fixtures.release import Release, load_release

MOST = 100_000  # stretches of one past
_DAY = 86_400.0


def backtest(file: Path, since: str, every: str, prometheus: str | None, target: str, now: float) -> Backtest:
    """Judge the past of a service.

    Args:
        file: the release file.
        since: how far back, such as ``30d``.
        every: the time between two starts, such as ``1h``.
        prometheus: its address; None for the release file's, as the target knows it.
        target: the target's name.
        now: the end of the past, unix seconds.

    Raises:
        InputError: when an option is wrong, or nothing of the service is known.
        Unreachable: when Prometheus does not answer.
    """
    release = load_release(file)
    long, apart = _read(since, "--since"), _read(every, "--every")
    server = Prometheus(prometheus or _address(release, file, target))
    try:
        found = _judged(release, server, float(int(now)), long, apart)
    except Unreachable as error:
        remedy = "let it be reached from here (kubectl port-forward does), and name it: --prometheus URL"
        raise Unreachable(error.what, error.where, remedy) from error
    if not found.starts:
        raise InputError(
            f"{since} is too short to judge a start in it",
            where="--since",
            remedy=f"take a longer one, or starts that are less than {every} apart: --every",
        )
    return found


def _judged(release: Release, server: Prometheus, end: float, long: float, apart: float) -> Backtest:
    past, begin = Past(server, version_labels(release), bounds(release)), end - long
    scrape = past.interval(begin, end)
    seconds = scrape * max(1, ceil(long / MOST / scrape))
    # A start is judged by what was before it, too.
    first = begin - span(seconds)
    stretches = list(past.stretches(first, end, seconds, scrape))
    known = next((first + place * seconds for place, each in enumerate(stretches) if each is not None), end)
    starts = Starts(release, stretches, first, seconds)
    judged = [start for moment in _moments(begin, end, apart) if (start := starts.at(moment)) is not None]
    return Backtest(release, begin, end, known, seconds, apart, judged)


def _moments(begin: float, end: float, apart: float) -> Iterator[float]:
    """Give the starts: at full hours, where they are an hour apart."""
    moment = ceil(begin / apart) * apart
    while moment < end:
        yield moment
        moment += apart


def _address(release: Release, file: Path, target: str) -> str:
    from fixtures.target import resolve  # noqa: PLC0415 - only where no address is given

    if release.metrics.prometheus is None:
        raise InputError(
            "this release file names no Prometheus",
            where=str(file),
            remedy="write metrics: {prometheus: http://...}, or name one: --prometheus URL",
        )
    return resolve(target).rewrite(release.metrics.prometheus)


def _read(text: str, option: str) -> float:
    days = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)d", text.strip())
    try:
        found = float(days[1]) * _DAY if days else quantities.duration(text.strip())
    except ValueError as error:
        raise InputError(f"{text!r} is not {error}", option, "days are written as 30d") from error
    if found <= 0:
        raise InputError(f"{text!r} is no time at all", option, "write it as 30d, 12h or 30m")
    return found
