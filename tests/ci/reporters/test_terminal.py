import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TextIO

import pytest
from rich.console import Console

from ci.events import Event, Note
from ci.reporters.terminal import Terminal, suits

HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"  # the cursor


class Pty:
    """A real terminal, read only when somebody asks for it."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        self.stream: TextIO = os.fdopen(slave, "w", encoding="utf-8")
        self.read = b""
        self._reader = threading.Thread(target=self._drain, daemon=True)

    def drain(self) -> None:
        self._reader.start()

    def _drain(self) -> None:
        try:
            while data := os.read(self.master, 65536):
                self.read += data
        except OSError:
            pass  # the other end is closed

    def hang_up(self) -> None:
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        with suppress(OSError):  # what is still to be written has nowhere to go after hanging up
            self.stream.close()
        if self._reader.ident:
            self._reader.join(5)
        if self.master >= 0:
            self.hang_up()


@pytest.fixture
def pty() -> Iterator[Pty]:
    pty = Pty()
    yield pty
    pty.close()


def terminal(pty: Pty, now: float) -> Terminal:
    console = Console(file=pty.stream, width=80, height=24, highlight=False, markup=False, force_terminal=True)
    return Terminal("sluicegate abort release.yaml", console, lambda: now)


def until_told(live: Terminal, event: Event, what: str) -> None:
    def told() -> bool:
        try:
            live.tell(event)
        except RuntimeError as error:
            return what in str(error)
        return False

    until(told)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_view_is_drawn_while_the_rollout_runs_and_gone_at_the_end(pty: Pty, promoted: list[Event]) -> None:
    pty.drain()
    live = terminal(pty, promoted[30].at)
    for event in promoted[:31]:
        live.tell(event)
    until(lambda: b"waiting for error_rate" in pty.read)
    live.close()
    until(lambda: SHOW in pty.read)
    assert pty.read.count(HIDE) == 1
    last_erased = pty.read.rindex(b"\x1b[2K")
    assert b"rebate-core" not in pty.read[last_erased:]


def test_a_terminal_that_takes_no_text_stops_nobody(
    pty: Pty, promoted: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ci.reporters.terminal.PERIOD", 0.01)
    monkeypatch.setattr("ci.reporters.terminal.PATIENCE", 0.2)
    live = terminal(pty, promoted[-1].at)
    began = time.monotonic()
    for _ in range(100):  # drawings enough to fill what a terminal holds unread
        live.tell(promoted[0])
        time.sleep(0.005)
    with pytest.raises(RuntimeError, match="the terminal takes no text"):
        live.close()
    assert time.monotonic() - began < 5
    pty.drain()
    live._thread.join(5)
    assert not live._thread.is_alive()


def test_a_terminal_that_is_gone_stops_nobody_and_is_told(pty: Pty, promoted: list[Event]) -> None:
    live = terminal(pty, promoted[0].at)
    pty.hang_up()
    live.tell(promoted[0])
    until_told(live, promoted[1], "Input/output error")
    with pytest.raises(RuntimeError, match="Input/output error"):
        live.close()


def test_foreign_escapes_never_reach_the_terminal(pty: Pty, promoted: list[Event]) -> None:
    pty.drain()
    live = terminal(pty, promoted[30].at)
    live.tell(promoted[0])
    live.tell(Note(at=promoted[0].at, text="\x1b]0;owned\x07"))
    until(lambda: b"\\x1b]0;owned\\x07" in pty.read)
    live.close()
    assert b"\x1b]0;" not in pty.read


def test_a_mistake_in_drawing_is_told_to_the_next_caller(
    pty: Pty, promoted: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of a kind")

    pty.drain()
    live = terminal(pty, promoted[0].at)
    live.tell(promoted[0])
    monkeypatch.setattr("ci.reporters.terminal.seen", broken)
    until_told(live, promoted[1], "of a kind")
    with pytest.raises(RuntimeError, match="of a kind"):
        live.close()
    until(lambda: SHOW in pty.read)


@pytest.mark.parametrize("term", ["dumb", "unknown", ""])
def test_a_terminal_that_can_not_move_its_cursor_gets_plain_lines(
    pty: Pty, term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert suits(pty.stream)
    monkeypatch.setenv("TERM", term)
    assert not suits(pty.stream)


def test_a_pipe_and_an_old_encoding_get_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert not suits(io.StringIO())

    class Latin(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    assert not suits(Latin(io.BytesIO(), encoding="iso-8859-1"))
    assert suits(Latin(io.BytesIO(), encoding="utf-8"))
