"""The error rates of the last minute, second by second: what a spark line is drawn of.

Example:
    >>> pulse = Pulse()
    >>> for second, errors in enumerate((0, 0, 5)):
    ...     told = {"requests": 100.0 * second, "errors": float(errors)}
    ...     pulse.tell(Progress(at=second, step=5, gates={}, canary=told, stable={}))
    >>> pulse.canary
    (0.0, 0.05)
"""

from collections import deque
from collections.abc import Mapping, Sequence

from ci.events import Event, Progress

SECONDS = 60
Shares = Sequence[float | None]


class Pulse:
    """A reporter that remembers how the last minute was, and no more."""

    def __init__(self) -> None:
        self._last: Progress | None = None
        self._canary: deque[float | None] = deque(maxlen=SECONDS)
        self._stable: deque[float | None] = deque(maxlen=SECONDS)

    @property
    def canary(self) -> Shares:
        """Its share of failed requests in each of the last seconds; None where there was no request."""
        return tuple(self._canary)

    @property
    def stable(self) -> Shares:
        """The same of stable."""
        return tuple(self._stable)

    def tell(self, event: Event) -> None:
        """Take in what was counted, once a second."""
        if not isinstance(event, Progress):
            return
        if self._last is not None and event.step == self._last.step:
            if event.at - self._last.at < 1:
                return
            self._canary.append(_share(self._last.canary, event.canary))
            self._stable.append(_share(self._last.stable, event.stable))
        self._last = event

    def close(self) -> None:
        """Nothing to finish."""


def _share(before: Mapping[str, float], now: Mapping[str, float]) -> float | None:
    """Counters may begin anew in between, with another suite; then what they say now is all there is."""
    again = now.get("requests", 0) < before.get("requests", 0)
    requests, errors = (now.get(name, 0) - (0 if again else before.get(name, 0)) for name in ("requests", "errors"))
    return min(1.0, max(0.0, errors / requests)) if requests > 0 else None
