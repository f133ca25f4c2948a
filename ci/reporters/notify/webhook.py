"""A request to a server at the turns of a rollout, made of a template: the state of a commit, at any Git host.

Facts and variables stand percent-encoded in the URL, as they are in a header, and in the body as JSON writes texts: no
sentence of somebody else can break out of the place that it was given.
"""

import json
from collections.abc import Mapping
from urllib.parse import quote

from ci.events import Event
from ci.reporters.notify.channel import needs
from ci.reporters.notify.http import send
from ci.reporters.notify.turns import Turns
from fixtures.notify import Webhook, filled


class WebhookChannel:
    """Tells a server.

    Args:
        name: what the release file's reader knows it by.
        webhook: what is sent, and where to.
        turns: makes messages of events.
        environ: has the variables that it names.
    """

    def __init__(self, name: str, webhook: Webhook, turns: Turns, environ: Mapping[str, str]) -> None:
        self.name = name
        self._webhook = webhook
        self._turns = turns
        self._environ = environ

    def tell(self, event: Event) -> None:
        """Send the request, where the event is a turn that is told.

        Raises:
            NotDelivered: when a variable is not there, or the server does not take it.
        """
        needs(self._webhook.variables, self._environ)
        message = self._turns.of(event)
        if message is None or message.turn not in self._webhook.on:
            return
        values = {**self._environ, **message.facts, "state": self._webhook.state(message.turn)}
        url = filled(self._webhook.url, values, lambda text: quote(text, safe=""))
        headers = {"Content-Type": "application/json", **filled(self._webhook.headers, values)}
        body = json.dumps(filled(self._webhook.body, values)).encode()
        send("POST", url, body, headers)
