"""Names in sentences: a list of them, and the one that was probably meant.

Example:
    >>> meant("wieght", ["weight", "timeout"]), meant("colour", ["weight"]), listed(["a", "b"]), listed([])
    ('; did you mean weight?', '', 'a, b', 'none')
"""

import difflib
from collections.abc import Iterable


def meant(word: str, known: Iterable[str]) -> str:
    """Say which known name a word is near to; nothing when it is near to none.

    Args:
        word: that nobody knows.
        known: names.
    """
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def listed(names: Iterable[str]) -> str:
    """Write names in a row.

    Args:
        names: to write.
    """
    return ", ".join(dict.fromkeys(names)) or "none"
