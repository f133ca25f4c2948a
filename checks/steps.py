"""The weights of a release that has not written its steps down.

Example:
    >>> steps_from(10)
    (10, 25, 50, 100)
"""

FIRST = (1, 2, 5, 10, 20, 25, 50, 100)  # percent: what the first step may have
USUAL = (5, 25, 50, 100)  # and what follows it


def steps_from(first: int) -> tuple[int, ...]:
    """Give the usual steps after a first one.

    Args:
        first: its weight, percent.
    """
    return (first, *(weight for weight in USUAL if weight > first))
