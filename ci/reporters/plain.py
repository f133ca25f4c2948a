"""Plain lines for a log that nobody can redraw (Jenkins): one line an event, with the time since the start.

While a suite waits for evidence there is at most one line per five seconds. Lines end after 400 characters: the
whole sentence stands in the journal.

Example:
    >>> import sys
    >>> from ci.events import Note
    >>> plain = Plain(sys.stdout)
    >>> plain.tell(Note(at=100.0, text="the canary takes 5 %"))
    +     0.0 s  note: the canary takes 5 %
    >>> plain.tell(Note(at=172.4, text="and 25 %"))
    +1 min 12 s  note: and 25 %
"""

from dataclasses import replace
from typing import TextIO

from ci.events import Event, Looked, Progress, RollbackBegan, SuiteEnded, SuiteStarted, VerdictReached
from ci.reporters.figures import seconds
from ci.reporters.sentences import sentence
from ci.reporters.strings import readable

PAUSE = 5.0  # seconds between two lines of progress
LONGEST = 400  # characters


class Plain:
    """Writes lines.

    Args:
        stream: where to; characters that it can not write become ``?``.
        service: begins each line, where several are released as one.
    """

    def __init__(self, stream: TextIO, service: str = "") -> None:
        self._stream = stream
        self._service = f"{service}  " if service else ""
        self._began: float | None = None
        self._waited = float("-inf")
        self._said: set[str] = set()

    def tell(self, event: Event) -> None:
        """Write the event's line, flushed."""
        if isinstance(event, SuiteStarted | Looked):
            return  # ``SuiteReady`` follows within a second, and ``Progress`` each second: they say more
        if isinstance(event, Progress):
            if event.at - self._waited < PAUSE:
                return
            self._waited = event.at
        self._began = event.at if self._began is None else self._began
        text = readable(sentence(self._once(event)))
        text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        self._write(f"{self._service}+{seconds(event.at - self._began):>10}  {text}\n")

    def close(self) -> None:
        """Nothing to finish: the stream is not ours."""

    def _once(self, event: Event) -> Event:
        """A gate's sentence is long: those who only repeat it point to it."""
        if isinstance(event, VerdictReached):
            self._said.add(event.sentence)
        elif isinstance(event, SuiteEnded) and event.why in self._said:
            return replace(event, why="as said above")
        elif isinstance(event, RollbackBegan) and event.reason in self._said:
            return replace(event, reason="as said above")
        return event

    def _write(self, line: str) -> None:
        encoding = self._stream.encoding or "ascii"
        self._stream.write(line.encode(encoding, "replace").decode(encoding))
        self._stream.flush()
