"""One way by which a rollout is told, on a thread of its own: the rollout never waits for it.

What goes wrong is said once, as a note of the rollout; the next turn is tried again all the same. At the end those
that still talk have ``PATIENCE`` seconds, all of them together, and are left alone then.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

from ci.events import (
    Event,
    Held,
    HoldEnded,
    Note,
    PhaseEntered,
    RollbackMeasured,
    RolloutBegan,
    RolloutEnded,
    VerdictReached,
    WeightsWritten,
)
from ci.reporters.aside import Aside
from fixtures.waiting import SYSTEM_CLOCK

PATIENCE = 10.0  # seconds
# What a channel may want to know: a few dozen events in a whole rollout, so that a line can not fill up soon.
TOLD = (RolloutBegan, PhaseEntered, WeightsWritten, Held, HoldEnded, VerdictReached, RollbackMeasured, RolloutEnded)


class NotDelivered(Exception):
    """Nobody was told; its words hold no secret."""


def needs(variables: Iterable[str], environ: Mapping[str, str]) -> None:
    """Make sure that there is what a channel needs. To be asked when a rollout begins: its end is too late for that.

    Args:
        variables: names.
        environ: the environment.

    Raises:
        NotDelivered: when one is not there.
    """
    if absent := sorted(name for name in variables if not environ.get(name)):
        raise NotDelivered(f"the environment has no {', '.join(absent)}")


class Channel(Protocol):
    """One way by which a rollout is told."""

    name: str
    """As the release file's reader finds it, such as ``notify.messages[0]``."""

    def tell(self, event: Event) -> None:
        """Tell an event, where it is one to be told.

        Raises:
            NotDelivered: when it could not be.
        """


class Notifier:
    """A reporter that tells a rollout by one channel.

    Args:
        channel: how.
        say: hears what goes wrong.
        patience: seconds that it has at the end.
    """

    def __init__(self, channel: Channel, say: Callable[[Event], None], patience: float = PATIENCE) -> None:
        self._channel = channel
        self._say = say
        self._said: set[str] = set()
        self._aside = Aside(_Trying(channel, self._fails), patience)

    def tell(self, event: Event) -> None:
        """Put the event in line; raises nothing."""
        if isinstance(event, TOLD):
            self._attempt(partial(self._aside.tell, event))

    def close(self) -> None:
        """Let it finish; raises nothing."""
        self._attempt(self._aside.close)

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except RuntimeError as error:
            self._fails(str(error.__cause__))

    def _fails(self, why: str) -> None:
        if why not in self._said:
            self._said.add(why)
            text = f"{self._channel.name} was not told, the rollout goes on: {why}"
            self._say(Note(at=SYSTEM_CLOCK.now(), text=text))


class _Trying:
    """Goes on after what goes wrong."""

    def __init__(self, channel: Channel, fails: Callable[[str], None]) -> None:
        self._channel = channel
        self._fails = fails

    def tell(self, event: Event) -> None:
        try:
            self._channel.tell(event)
        except NotDelivered as error:
            self._fails(str(error))
        except Exception as error:  # noqa: BLE001 - a library's mistake; its words may hold an address
            self._fails(type(error).__name__)

    def close(self) -> None:
        """Nothing to finish."""


class Notifiers:
    """All channels of a rollout, as one reporter.

    Args:
        channels: by which it is told.
        say: hears what goes wrong.
        patience: seconds that all of them have at the end.
    """

    def __init__(self, channels: Sequence[Channel], say: Callable[[Event], None], patience: float = PATIENCE) -> None:
        self._open = [Notifier(channel, say, patience) for channel in channels]

    def tell(self, event: Event) -> None:
        """Put the event in line for each; raises nothing."""
        for each in self._open:
            each.tell(event)

    def finish(self) -> None:
        """Let all finish, at the same time; raises nothing.

        To be called before the other reporters are closed: they hear of what goes wrong.
        """
        if self._open:
            with ThreadPoolExecutor(len(self._open)) as threads:
                list(threads.map(Notifier.close, self._open))

    def close(self) -> None:
        """Nothing to finish any more."""
