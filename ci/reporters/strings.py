r"""Strings of others on their way to a person: every one of an event's texts changed by one function.

``harmless`` is what the screens need: a foreign string (a pod's message, a commit's subject, an error of a
server) must not move the cursor, ring the bell, recolour the terminal or turn the reading direction.

Example:
    >>> harmless("ok\x1b[2Jgone\nnext")
    'ok\\x1b[2Jgone next'
    >>> readable("canary runs sha256:" + "1f0c" * 16)
    'canary runs sha256:1f0c1f0c1f0c'
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from ci.events import Event

Some = TypeVar("Some", bound=Event)

# White space first; then C0, DEL and C1; direction and line marks (a screen would obey them); lone surrogates.
DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
SPACE = re.compile(r"[\t\n\v\f\r]+")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def harmless(text: str) -> str:
    r"""Make a foreign text safe to print on a terminal, in one line.

    Args:
        text: anything.

    Returns:
        The same with control characters spelled out, such as ``\x1b``, and line ends as one space.
    """
    return CONTROL.sub(_spelled, SPACE.sub(" ", text))


def readable(text: str) -> str:
    """Make a text harmless, and digests in it as short as people compare them.

    Args:
        text: anything.

    Returns:
        One line.
    """
    return DIGEST.sub(r"\1", harmless(text))


def mapped(event: Some, change: Callable[[str], str]) -> Some:
    """Give a copy of the event in which ``change`` has been applied to every text, however deep.

    Args:
        event: any event.
        change: from text to text.

    Returns:
        An event of the same class.
    """
    return replace(event, **{each.name: _changed(getattr(event, each.name), change) for each in fields(event)})


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_changed(key, change): _changed(each, change) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_changed(each, change) for each in value]
    return value


def _spelled(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - two or four digits
