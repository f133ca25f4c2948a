"""Somebody always watches the canary: where the driver waits for something else, a suite that can only fail begins.

While the canary's next pods get ready, or Argo CD brings the new image into stable, no step's suite runs and the canary
has its traffic all the same. What takes no longer than ``UNWATCHED`` is left alone: the next run counts what ended in
between (``--carry``), and a run costs seconds of its own.
"""

from ci.listener import Heard, Listener
from ci.phases import Phase, Place
from ci.plan import Suite
from ci.state import State
from ci.watch import Watch

UNWATCHED = 5.0  # seconds


class Companion:
    """Starts such a run, and hears it.

    Args:
        state: what has been done.
        listener: runs suites.
        watch: keeps time, and calls ``look`` while the driver sleeps on it.
    """

    def __init__(self, state: State, listener: Listener, watch: Watch) -> None:
        self._state = state
        self._listener = listener
        self._watch = watch
        self._heard: Heard | None = None

    def look(self) -> None:
        """Hear the run, or start one when it is time.

        Raises:
            Stop: when harm is shown, or the run does not watch any more.
        """
        canary = int(self._state.weights.canary) if self._state.weights else 0
        if self._listener.attended or not canary:
            return
        # While stable's image changes in Git, that Argo CD is not at the canary's commit is no harm.
        suite = Suite("canary_step", part="promoting" if self._state.record.phase is Phase.PROMOTE else "")
        if self._heard is not None and self._listener.current is self._heard:
            self._listener.overhear(self._heard, suite)
        elif self._watch.monotonic() - self._listener.free_since >= UNWATCHED:
            self._heard = self._listener.start(suite, Place(Phase.HOLD, canary), watch=True)
