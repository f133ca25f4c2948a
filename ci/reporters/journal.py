"""The journal: every event of a rollout as one JSON line, on disk the moment it happened.

The first line says what the file is and its version; a driver that takes over goes on in the same file. All of
it is ASCII, so that no terminal obeys what somebody put into a commit's subject. ``read`` gives the events
back, also from the file of a driver that was killed in the middle of a line.

Example:
    {"kind": "journal", "version": 1}
    {"kind": "phase_entered", "at": 1795000003.2, "phase": "step", "step": 5}
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ci.events import Event, Note, as_json, from_json
from fixtures.errors import InputError

VERSION = 1
JOURNAL = "journal.jsonl"  # its name, in the folder of a rollout's reports


class Journal:
    """Writes events to a file.

    Args:
        path: the file; its folder is made where it is missing.

    Raises:
        InputError: when the file can not be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torn = path.exists() and not path.read_bytes().endswith(b"\n")
            self._file = path.open("a", encoding="ascii", buffering=1)  # flushed at each line's end
        except OSError as error:
            remedy = "name a folder that can be written with --reports"
            raise InputError(f"the journal can not be written: {error.strerror}", str(path), remedy) from error
        if torn and self._file.tell():
            self._file.write("\n")
        if not self._file.tell():
            self._write({"kind": "journal", "version": VERSION})

    def tell(self, event: Event) -> None:
        """Write one line."""
        self._write(as_json(event))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line, default=str) + "\n")


def read(path: Path) -> Iterator[Event]:
    """Read a journal back.

    Args:
        path: the file.

    Yields:
        Its events in order. A line that is no event of this version becomes a ``Note`` that says so.

    Raises:
        InputError: when the file can not be read or is no journal.
    """
    try:
        first, *lines = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    except OSError as error:
        raise InputError(f"the journal can not be read: {error.strerror}", str(path)) from error
    if '"kind": "journal"' not in first:
        raise InputError("this is no journal of a rollout", f"{path}:1", "name the journal.jsonl of a report folder")
    at = 0.0
    for number, line in enumerate(lines, start=2):
        if line:
            event = _event(line) or Note(at=at, text=f"{path.name}:{number} can not be read, left out")
            at = event.at
            yield event


def _event(line: str) -> Event | None:
    try:
        return from_json(json.loads(line))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
