"""Finds the journals of some folders and reads a rollout out of each; what can not be used is named and passed over.

Rules:
    1. A journal is a file named ``journal.jsonl``, however deep it lies: Jenkins keeps a folder for each build.
    2. Several journals of one rollout tell it together; a copy of one that is known already adds nothing.
    3. Nothing in a journal stops the others: whatever is wrong with it becomes the reason why it is passed over.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from ci.events import Event, Looked, Note
from ci.reporters.journal import JOURNAL, VERSION, read
from ci.reporters.strings import readable
from ci.trend.findings import PassedOver, Trend
from ci.trend.finished import Finished, Key, finished, key_of
from fixtures.errors import InputError

WRONG = (InputError, OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


def collected(folders: Sequence[Path]) -> Trend:
    """Read all journals below some folders.

    Args:
        folders: where to look.

    Raises:
        InputError: when a folder is not there, or no journal in any of them.
    """
    reading = _Reading()
    groups: dict[Key, list[Path]] = {}
    for journal in _journals(folders):
        try:
            groups.setdefault(_key(journal), []).append(journal)
        except WRONG as error:
            reading.pass_over([journal], error)
    told = [each for journals in groups.values() for each in reading.told(journals)]
    passed = sorted(reading.passed_over, key=lambda each: str(each.journal))
    return Trend(sorted(told, key=lambda each: (each.began, each.service)), passed)


class _Reading:
    """Reads rollouts, and keeps what had to be passed over."""

    def __init__(self) -> None:
        self.passed_over: list[PassedOver] = []

    def told(self, journals: Sequence[Path]) -> list[Finished]:
        """Put the journals of one rollout together: of those that begin at the same moment the longest."""
        try:
            longest = sorted(((journal, _events(journal)) for journal in journals), key=lambda each: -len(each[1]))
            known: dict[float, tuple[Path, list[Event]]] = {}
            for journal, events in longest:
                first, _ = known.setdefault(events[0].at, (journal, events))
                if first is not journal:
                    self.passed_over.append(PassedOver(journal, f"a copy of {first}"))
            ordered = [known[began] for began in sorted(known)]
            return [finished([path for path, _ in ordered], [each for _, events in ordered for each in events])]
        except WRONG as error:
            self.pass_over(journals, error)
            return []

    def pass_over(self, journals: Sequence[Path], error: Exception) -> None:
        why = error.what if isinstance(error, InputError) else str(error) or repr(error)
        named = {each.journal for each in self.passed_over}
        self.passed_over += [PassedOver(journal, readable(why)) for journal in journals if journal not in named]


def _journals(folders: Sequence[Path]) -> list[Path]:
    for folder in folders:
        if not folder.is_dir():
            raise InputError("there is no such folder", str(folder), "name folders in which reports of rollouts lie")
    found = {each.resolve(): each for folder in folders for each in sorted(folder.rglob(JOURNAL)) if each.is_file()}
    if not found:
        where = ", ".join(map(str, folders))
        raise InputError(f"there is no {JOURNAL} in it", where, "name folders in which reports of rollouts lie")
    return list(found.values())


def _key(journal: Path) -> Key:
    """Say whose journal it is, without reading all of it."""
    key = key_of(read(journal))
    with journal.open(encoding="utf-8", errors="replace") as lines:
        version = json.loads(lines.readline()).get("version")
    if version != VERSION:
        raise ValueError(f"it is of version {version}, and this Sluicegate reads version {VERSION}")
    return key


def _events(journal: Path) -> list[Event]:
    """Leave out the looks, which are most of a journal, and notes: nothing here is drawn of them."""
    return [event for event in read(journal) if not isinstance(event, Looked | Note)]
