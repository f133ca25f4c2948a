"""Messages to people, by Apprise: an address says whether it is mail, chat or something else.

What Apprise says of a failure is told without the parts of the address, which may be passwords or tokens; only hosts
are left in it.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from ci.events import Event
from ci.reporters.notify.channel import NotDelivered, needs
from ci.reporters.notify.turns import Turns
from ci.reporters.redaction import HIDDEN
from fixtures.notify import Message, Turn

SHORTEST = 4  # characters of a part of an address that could be a secret
KINDS: Mapping[Turn, str] = {
    Turn.STARTED: "info",
    Turn.HELD: "warning",
    Turn.PROMOTED: "success",
    Turn.REFUSED: "warning",
    Turn.ROLLED_BACK: "failure",
    Turn.INCOMPLETE: "failure",
}


def understood(address: str) -> Any:
    """Give what sends to an address; None when it is no address that Apprise knows.

    Args:
        address: such as ``mailtos://user:password@example.com``.
    """
    from apprise import Apprise  # noqa: PLC0415 - only a release file that names people needs it

    return Apprise.instantiate(address)


class PeopleChannel:
    """Tells people.

    Args:
        name: what the release file's reader knows it by.
        message: to whom, and at which turns.
        turns: makes messages of events.
        environ: has the address.
    """

    def __init__(self, name: str, message: Message, turns: Turns, environ: Mapping[str, str]) -> None:
        self.name = name
        self._message = message
        self._turns = turns
        self._environ = environ

    def tell(self, event: Event) -> None:
        """Send the message, where the event is a turn that is told.

        Raises:
            NotDelivered: when there is no address, or nobody takes the message.
        """
        needs(self._message.variables, self._environ)
        address, message = self._environ[self._message.to], self._turns.of(event)
        if message is None or message.turn not in self._message.on:
            return
        service = understood(address)
        if service is None:
            raise NotDelivered(f"{self._message.to} is no address that Apprise knows")
        from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType  # noqa: PLC0415

        # No limit of Apprise's own: that would take a thread whose end the end of this process waits for.
        sender = Apprise(asset=AppriseAsset(service_timeout=0))
        sender.add(service)
        kind, text = NotifyType(KINDS[message.turn]), NotifyFormat.TEXT
        done = sender.notify(message.body, message.title, kind, body_format=text, log_level=logging.WARNING)
        if not done:
            said = "; ".join(entry.message for entry in done.logs())
            raise NotDelivered(_without(address, said or "nobody took it"))


def _without(address: str, words: str) -> str:
    """Take the parts of an address out of words, but for its host."""
    host = (urlsplit(address).hostname or "").lower()
    parts = {unquote(part) for part in re.split(r"[/:@?&=,+\s]", address.partition("://")[2])}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= SHORTEST and part.lower() != host:
            words = words.replace(part, HIDDEN)
    return words
