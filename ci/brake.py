"""The brake: on SIGTERM and SIGINT traffic goes to safety within a second, whatever the driver is doing.

Rules:
    1. A signal only puts a byte into a pipe (C code does it, at once, whatever Python is busy with). A thread
       that waits at its other end does the rest, with a client of its own that is warm already.
    2. ``pulled`` is set before the first write. From then on the driver's raise is not permitted; one that is on
       its way has read an older version of the VirtualService, and dies of it.
    3. The driver goes on: it sees ``pulled`` at its next look and takes the rest back. A second signal changes
       nothing; a rollback is never cut short by impatience.
"""

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from types import FrameType, TracebackType
from typing import Self

from fixtures.errors import SluicegateError

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Brake:
    """Listens for signals while a rollout runs; a context manager, to be entered in the main thread.

    Args:
        take_back: brings traffic to safety, given the signal's name; returns when it has been read back.
        signals: that pull the brake.
    """

    def __init__(self, take_back: Callable[[str], None], signals: Sequence[signal.Signals] = SIGNALS) -> None:
        self.pulled = ""
        self._take_back = take_back
        self._signals = signals
        self._ear, self._mouth = os.pipe()
        os.set_blocking(self._mouth, False)
        self._thread = Thread(target=self._listen, name="brake", daemon=True)

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        self._wakeup = signal.set_wakeup_fd(self._mouth, warn_on_full_buffer=False)
        # A Python handler has to be there, or the default action would end the process.
        self._before = {number: signal.signal(number, _nothing) for number in self._signals}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop to listen, when a take-back that has begun is over."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._mouth)
        self._thread.join()
        os.close(self._ear)

    def _listen(self) -> None:
        while byte := os.read(self._ear, 1):
            number = byte[0]
            if number in self._signals and not self.pulled:
                self.pulled = signal.Signals(number).name
                with suppress(SluicegateError):  # the driver's own rollback will say what is wrong
                    self._take_back(self.pulled)


def _nothing(number: int, frame: FrameType | None) -> None:
    """Do nothing: the byte in the pipe is all that is needed."""
