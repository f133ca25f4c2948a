"""Keeps a rollout's events for those who look at all of them: the live view, and the closing screen.

Of several ``Progress`` in a row only the newest is kept, and no ``Looked``, so that a hold of a night does not fill
the memory: the looks stand in the journal.

Example:
    >>> kept = Kept()
    >>> for second in range(3600):
    ...     kept.tell(Progress(at=second, step=5, gates={}))
    >>> len(kept.events)
    1
"""

from ci.events import Event, Looked, Progress


class Kept:
    """A reporter that only remembers."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    @property
    def events(self) -> tuple[Event, ...]:
        """All events so far that are kept, in order."""
        return tuple(self._events)

    def tell(self, event: Event) -> None:
        """Remember the event."""
        if isinstance(event, Looked):
            return
        if isinstance(event, Progress) and self._events and isinstance(self._events[-1], Progress):
            self._events[-1] = event
        else:
            self._events.append(event)

    def close(self) -> None:
        """Nothing to finish: the events stay."""
