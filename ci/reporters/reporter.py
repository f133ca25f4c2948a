"""What a reporter is, and the one door through which all of them hear of a rollout.

Three rules hold at the door:

* secrets stay outside: every event is redacted before anybody hears of it;
* a reporter that fails is named once on stderr and hears nothing more: a rollout never ends for its reports;
* one event at a time, in order, whichever thread it came from (the brake has its own).

The door waits for a slow reporter. Whoever takes traffic back writes first and tells afterwards; a reporter
that talks to a network stands ``Aside`` (aside.py).

Example:
    >>> from ci.events import Note
    >>> class Shout:
    ...     def tell(self, event):
    ...         print(event.text.upper())
    ...     def close(self):
    ...         pass
    >>> Reporters([Shout()]).tell(Note(at=0.0, text="the canary takes 5 %"))
    THE CANARY TAKES 5 %
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import Protocol

from ci.events import Event
from ci.reporters.redaction import Redactor
from ci.reporters.strings import mapped


class Reporter(Protocol):
    """Somebody who listens to a rollout and changes nothing of it."""

    def tell(self, event: Event) -> None:
        """Hear what has just happened."""

    def close(self) -> None:
        """Finish: nothing more will be told."""


class Reporters:
    """All reporters of a rollout, as one.

    Args:
        reporters: who listens, in the order in which they hear of an event.
        redact: takes the secrets out of a text; knows those of this process's environment when not given.
    """

    def __init__(self, reporters: Sequence[Reporter], redact: Callable[[str], str] | None = None) -> None:
        self._open = list(reporters)
        self._listening = list(reporters)
        self._redact = redact or Redactor(os.environ)
        self._lock = Lock()

    def tell(self, event: Event) -> None:
        """Tell all reporters that still work; raises nothing."""
        with self._lock:
            safe = mapped(event, self._redact)
            self._listening = [each for each in self._listening if self._works(each, partial(each.tell, safe))]

    def close(self) -> None:
        """Close all, also those that have failed (a terminal wants its cursor back); raises nothing."""
        with self._lock:
            for reporter in self._open:
                self._works(reporter, reporter.close)
            self._open, self._listening = [], []

    def _works(self, reporter: Reporter, action: Callable[[], None]) -> bool:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - whatever it is, the rollout matters more
            if reporter in self._listening:
                self._complain(reporter, error)
            return False
        return True

    def _complain(self, reporter: Reporter, error: Exception) -> None:
        why = f"{type(reporter).__name__}: {error or repr(error)}"
        text = f"sluicegate: a reporter has failed and reports no more; the rollout goes on ({why})"
        with suppress(OSError, ValueError):  # stderr may be closed, too
            sys.stderr.write(self._redact(text) + "\n")
