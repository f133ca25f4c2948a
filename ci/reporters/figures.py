"""Numbers as a person reads them, the same on every screen.

Here parts of seconds are compared with each other, hence the tenths (a verdict's sentence has whole seconds).

Example:
    >>> seconds(4.23), seconds(72.4), seconds(7500)
    ('4.2 s', '1 min 12 s', '2 h 05 min')
    >>> moment(1795489929.0)
    '03:12:09'
    >>> short_image("registry.example.com/shop/rebate-core-service@sha256:" + "1f0c" * 16)
    'rebate-core-service@sha256:1f0c1f0c1f0c'
"""

from datetime import UTC, datetime

MINUTE, HOUR = 60, 3600
DIGITS = 12  # of a digest, as container tools show it


def seconds(length: float) -> str:
    """Write a length of time.

    Args:
        length: seconds.

    Returns:
        Tenths under a minute, whole seconds under an hour, whole minutes above.
    """
    if round(length, 1) < MINUTE:
        return f"{max(length, 0.0):.1f} s"
    whole = round(length)
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02d} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE:02d} min"


def moment(at: float) -> str:
    """Write the time of day, UTC.

    Args:
        at: unix seconds.

    Returns:
        Hours, minutes and seconds.
    """
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"


def day(at: float) -> str:
    """Write day and time, UTC, and say that it is UTC.

    Args:
        at: unix seconds.

    Returns:
        Such as ``2026-11-24 03:12:09 UTC``.
    """
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def short_image(image: str) -> str:
    """Write an image without its registry, the digest as far as people compare it."""
    name, separator, digest = image.rpartition("/")[2].partition("@sha256:")
    return name + separator + digest[:DIGITS]
