"""The live view: the rollout at this moment, drawn four times a second while it runs.

It draws on a thread of its own, so that a terminal that is stopped (Ctrl-S) never stops a rollout. It goes away
at the end and leaves the place to the closing screen.
"""

import os
import time
from collections.abc import Callable
from typing import TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.segment import SegmentLines

from ci.events import Event
from ci.reporters.kept import Kept
from ci.reporters.screen import Screen
from ci.reporters.strings import harmless, mapped
from ci.reporters.view import seen


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
        self._drawing = False
        self._error: Exception | None = None
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._live = Live(
            console=self._console,
            get_renderable=self._draw,
            transient=True,
            vertical_overflow="crop",
        )

    def tell(self, event: Event) -> None:
        """Remember the event; the next drawing shows it.

        Raises:
            RuntimeError: when drawing has failed.
        """
        if self._error is not None:
            raise RuntimeError(f"the live view can not be drawn: {self._error!r}") from self._error
        self._kept.tell(mapped(event, harmless))
        if not self._drawing:  # once: Live's lock is held for as long as a stopped terminal takes no text
            self._drawing = True
            self._live.start()

    def close(self) -> None:
        """Take the view away and give the terminal back."""
        self._live.stop()

    def _draw(self) -> RenderableType:
        """Draw into memory, so that a mistake in it ends here and not in the drawing thread."""
        now, events = self._now(), self._kept.events
        try:
            screen = Screen(seen(events, now), events, now, self._abort)
            return SegmentLines(self._console.render_lines(screen, pad=False), new_lines=True)
        except Exception as error:  # noqa: BLE001 - told by the next call, on the caller's thread
            self._error = error
            return ""
