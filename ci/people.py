"""What people say to a running rollout from any terminal, as the driver hears it: at each look, once.

They write it into the record (``ci.ask``); this reads it there, tells it to all who listen, and keeps what follows
from it. A word counts for the weight at which it was said, which stands in the same record.
"""

from collections.abc import Callable

from ci.events import Asked, Event
from ci.hold import Words
from ci.record import SAID, Record

HEARD = tuple(verb for verb in SAID if verb != "abort")  # an abort is the watch's to hear
ENDS_A_HOLD = frozenset({"resume", "promote", "force"})


class People:
    """Listens to people.

    Args:
        tell: hears of what they say.
        now: gives unix seconds.
    """

    def __init__(self, tell: Callable[[Event], None], now: Callable[[], float]) -> None:
        self.words = Words()
        self._tell = tell
        self._now = now
        self._heard: dict[str, str] = {}

    def notice(self, record: Record) -> None:
        """Read what people have written into the record.

        Args:
            record: as it was just read.
        """
        self.words.pause = record.pause
        for verb in HEARD:
            said: str = getattr(record, verb)
            if said and said != self._heard.get(verb):
                self._hear(verb, said, record.step)
            self._heard[verb] = said

    def _hear(self, verb: str, said: str, weight: int) -> None:
        who, _, why = said.partition(": ")
        self._tell(Asked(at=self._now(), what=verb, who=who, why=why, step=weight or None))
        words = self.words
        words.urged = words.urged or verb in ENDS_A_HOLD
        if verb in {"promote", "force"}:
            words.approved = weight
        if verb == "force":
            words.forced = weight
            words.skipped += (f"the gates of {weight} % were skipped by {said}",)
