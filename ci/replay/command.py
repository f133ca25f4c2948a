"""The command ``sluicegate replay``: what its options mean, and who judges the file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from checks.evidence import LatencyObjective
from ci.replay import journal, records, told
from ci.replay.objectives import Objectives
from fixtures import quantities
from fixtures.errors import InputError


def replay(file: Path, *, as_json: bool, release: Path | None, options: Mapping[str, str | None]) -> Iterator[str]:
    """Judge a file again.

    Args:
        file: a journal, or JSON Lines.
        as_json: whether one JSON object a run is wanted, else lines for people.
        release: a release file, for its objectives.
        options: as they were written; None where one was not given.

    Yields:
        Lines, each as soon as its run is judged.

    Raises:
        InputError: when the file or an option is wrong.
    """
    import json  # noqa: PLC0415

    objectives = _objectives(release, options)
    outcomes, runs = _judged(file, objectives)
    if as_json:
        yield from map(json.dumps, outcomes)
    else:
        yield from (told.in_full if runs <= told.FEW else told.in_short)(outcomes)


def _judged(file: Path, objectives: Objectives) -> tuple[Iterator[dict[str, Any]], int]:
    if journal.is_journal(file):
        return iter([journal.judge(file, objectives)]), 1
    runs = records.index(file)
    return records.judged(file, runs, objectives), len(runs)


def _objectives(release: Path | None, options: Mapping[str, str | None]) -> Objectives:
    given = {name: _read(name, text) for name, text in options.items() if text is not None}
    group = given.pop("group", None)
    if release is None:
        return Objectives(changes=given, group=None if group == "auto" else group)
    from fixtures.release import load_release  # noqa: PLC0415
    from fixtures.surroundings import terms  # noqa: PLC0415

    found = load_release(release)
    group = group if group is not None else found.group
    number = None if group == "auto" else float(group)
    return Objectives(terms(found, weight=0), given, number, len(found.steps))


def _read(name: str, text: str) -> Any:
    try:
        return _READERS[name](text.strip())
    except ValueError as error:
        raise InputError(f"{text!r} is not {error}", f"--{name.replace('_', '-')}") from error


def _latency(text: str) -> tuple[LatencyObjective, ...]:
    share = quantities.percentage(text)
    if not 0 < share < 1:
        raise ValueError("a percentage between 0% and 100%, such as 99%")
    return (LatencyObjective(share, 0),)


def _rate(text: str) -> float:
    share = quantities.percentage(text)
    if not 0 < share < 1:
        raise ValueError("a percentage between 0% and 100%, such as 1%")
    return share


def _margin(text: str) -> float:
    return quantities.points(text) if "point" in text else quantities.percentage(text)


def _group(text: str) -> float | str:
    if text == "auto":
        return text
    if not text.isdigit() or int(text) < 1:
        raise ValueError("auto or a whole number from 1")
    return float(text)


_READERS = {
    "error_rate": _rate,
    "latency": _latency,
    "margin": _margin,
    "soak": quantities.duration,
    "limit": quantities.duration,
    "group": _group,
}
