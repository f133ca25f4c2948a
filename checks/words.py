"""Numbers as people read them.

Example:
    >>> percent(0.0481), count(12345), several(1, "pod"), several(4, "pod"), seconds(6.2), seconds(95)
    ('4.8 %', '12 345', '1 pod', '4 pods', '6 s', '1 min 35 s')
"""

_MINUTE = 60


def percent(share: float) -> str:
    """Write a share (0.0481) as a percentage with two significant digits, at most two decimals."""
    value = share * 100
    digits = 0 if value >= 10 else 1 if value >= 1 else 2  # noqa: PLR2004 - significant digits
    text = f"{value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def count(number: float) -> str:
    """Write a number of things, in groups of three digits."""
    return f"{number:,.0f}".replace(",", " ")


def several(number: float, thing: str) -> str:
    """Write a number of things and what they are, in the plural but for one."""
    written = f"{number:g}" if number % 1 else count(number)
    return f"{written} {thing}{'' if written == '1' else 's'}"


def seconds(duration: float) -> str:
    """Write a duration given in seconds; tenths only under a second."""
    if duration < 1:
        return f"{duration:.1f} s"
    if duration < _MINUTE:
        return f"{duration:.0f} s"
    return f"{int(duration // _MINUTE)} min {int(duration % _MINUTE)} s"


def milliseconds(duration: float) -> str:
    """Write a duration given in seconds as people write latencies: 500 ms, 2.5 s."""
    return f"{duration * 1000:g} ms" if duration < 1 else f"{duration:g} s"
