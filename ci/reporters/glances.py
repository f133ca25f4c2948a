"""Shows a rollout that runs elsewhere: a picture that changes on a terminal, else a line whenever something changes."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from ci.follow import Glance
from ci.reporters.strings import readable
from ci.reporters.terminal import suits

KEPT = 12  # Events on the picture

Show = Callable[[Glance], None]


@contextmanager
def shown(*, as_json: bool, stream: TextIO | None = None) -> Iterator[Show]:
    """Give what shows a glance.

    Args:
        as_json: a JSON line for each glance.
        stream: where to; stdout when not given.
    """
    out = stream or sys.stdout
    if as_json:
        yield lambda glance: print(json.dumps(glance.as_json(), default=str), file=out, flush=True)
    elif suits(out):
        with _picture() as show:
            yield show
    else:
        yield _Lines(out)


@contextmanager
def _picture() -> Iterator[Show]:
    from rich.console import Console, Group  # noqa: PLC0415 - only a terminal needs it
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    told: list[str] = []
    with Live(console=Console(highlight=False, markup=False, emoji=False), auto_refresh=False) as live:

        def show(glance: Glance) -> None:
            told.extend(_events(glance))
            first, *rest = map(readable, glance.status.lines())
            lines = [Text(first, style="bold"), *map(Text, rest), Text(), *map(Text, told[-KEPT:])]
            live.update(Group(*lines), refresh=True)

        yield show


class _Lines:
    """Prints what has changed.

    Args:
        stream: where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._said: list[str] = []

    def __call__(self, glance: Glance) -> None:
        """Print the lines that are other than those before; who drives is renewed all the time, and said once."""
        lines = glance.status.lines()
        new = [line for line in lines[:-1] if line not in self._said] + ([] if self._said else lines[-1:])
        self._said = lines
        for line in (*_events(glance), *new):
            print(readable(line), file=self._stream, flush=True)


def _events(glance: Glance) -> list[str]:
    return [f"{moment[11:19]} {readable(message)}" for moment, _, message in glance.events]
