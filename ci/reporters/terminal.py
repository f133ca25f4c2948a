"""The live view: the rollout at this moment, drawn four times a second while it runs.

It draws on a thread of its own, so that a terminal that takes no text (Ctrl-S) never stops a rollout. At the end
the view goes away, the cursor comes back, and the place is free for the closing screen.
"""

import os
import time
from collections.abc import Callable
from threading import Event as Flag
from threading import Thread
from typing import TextIO

from rich.console import Console, RenderableType
from rich.live import Live

from ci.events import Event
from ci.reporters.kept import Kept
from ci.reporters.pulse import Pulse
from ci.reporters.screen import Screen
from ci.reporters.strings import mapped, readable
from ci.reporters.view import seen

PERIOD = 0.25  # seconds between two drawings
PATIENCE = 2.0  # seconds for the last drawing


def suits(stream: TextIO) -> bool:
    """Say whether a live view can be drawn there: a terminal that moves its cursor and knows UTF-8."""
    moves = os.environ.get("TERM", "dumb") not in {"dumb", "unknown", ""}
    return stream.isatty() and moves and "utf" in (stream.encoding or "").lower()


class Terminal:
    """Draws the rollout live.

    Args:
        abort: the command that takes traffic back, as a person types it.
        console: where to draw; the terminal of stdout when not given.
        now: gives unix seconds.
    """

    def __init__(self, abort: str, console: Console | None = None, now: Callable[[], float] = time.time) -> None:
        self._abort = abort
        self._now = now
        self._kept = Kept()
        self._pulse = Pulse()
        self._over = Flag()
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, name="live view", daemon=True)
        self._live = Live(
            console=console or Console(highlight=False, markup=False, emoji=False),
            get_renderable=self._draw,
            auto_refresh=False,
            transient=True,
            vertical_overflow="crop",
        )

    def tell(self, event: Event) -> None:
        """Remember the event; the next drawing shows it.

        Raises:
            RuntimeError: when drawing has failed.
        """
        self._raise_if(self._error)
        event = mapped(event, readable)
        self._kept.tell(event)
        self._pulse.tell(event)
        if not self._thread.ident:
            self._thread.start()

    def close(self) -> None:
        """Take the view away and give the terminal back.

        Raises:
            RuntimeError: when drawing has failed, or the terminal takes no text.
        """
        self._over.set()
        if self._thread.ident:
            self._thread.join(PATIENCE)
            self._raise_if(TimeoutError("the terminal takes no text") if self._thread.is_alive() else self._error)

    def _run(self) -> None:
        try:
            with self._live:
                while not self._over.is_set():
                    self._live.refresh()
                    self._over.wait(PERIOD)
        except Exception as error:  # noqa: BLE001 - told by the next call, on the caller's thread
            self._error = error

    def _draw(self) -> RenderableType:
        now, events = self._now(), self._kept.events
        return Screen(seen(events, now), events, now, self._abort, self._pulse)

    def _raise_if(self, error: Exception | None) -> None:
        if error is not None:
            raise RuntimeError(f"no live view: {error or repr(error)}") from error
