"""A reporter on a thread of its own: for one that talks to a network, or to a pipe that nobody empties.

``tell`` never waits; what the reporter has not yet heard stands in line. What goes wrong on the thread is
raised by the next ``tell`` or by ``close``, so that it is treated as every other failure (reporter.py).

Example:
    >>> class Slow:
    ...     def tell(self, event):
    ...         print(event)
    ...     def close(self):
    ...         print("closed")
    >>> aside = Aside(Slow())
    >>> aside.tell("the canary takes 5 %")
    >>> aside.close()
    the canary takes 5 %
    closed
"""

from contextlib import closing
from queue import Queue
from threading import Thread

from ci.events import Event
from ci.reporters.reporter import Reporter


class Aside:
    """Runs one reporter on its own thread.

    Args:
        reporter: who is told there.
        patience: seconds that ``close`` gives it to catch up.
        line: how many events may stand in line; one more is a failure.
    """

    def __init__(self, reporter: Reporter, patience: float = 3.0, line: int = 1000) -> None:
        self._reporter = reporter
        self._patience = patience
        self._line: Queue[Event | None] = Queue(line)
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, name=f"reporter {type(reporter).__name__}", daemon=True)
        self._thread.start()

    def tell(self, event: Event) -> None:
        """Put the event in line.

        Raises:
            RuntimeError: when the reporter has failed, or the line is full.
        """
        self._raise_if(self._error)
        if self._line.full():
            self._raise_if(TimeoutError(f"{self._line.qsize()} events stand in line"))
        self._line.put_nowait(event)

    def close(self) -> None:
        """Let the reporter catch up, and close it.

        Raises:
            RuntimeError: when the reporter has failed, or does not finish within its ``patience``.
        """
        if not self._line.full():
            self._line.put_nowait(None)
            self._thread.join(self._patience)
        if self._thread.is_alive():
            self._raise_if(TimeoutError(f"still busy after {self._patience:g} s, left alone"))
        self._raise_if(self._error)

    def _run(self) -> None:
        try:
            with closing(self._reporter):
                while (event := self._line.get()) is not None:
                    self._reporter.tell(event)
        except Exception as error:  # noqa: BLE001 - told by the next call, on the caller's thread
            self._error = error

    def _raise_if(self, error: Exception | None) -> None:
        if error is not None:
            raise RuntimeError(f"{type(self._reporter).__name__}: {error or repr(error)}") from error
