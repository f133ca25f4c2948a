"""How much more traffic an undecided gate would need if it went on as it was: told with the verdict, no promise.

Example:
    >>> told(Count(100, 0), 10.0, lambda times: times >= 3)
    '; about 200 more requests of this kind would decide it, 20 s at this rate: a longer limit or a bigger weight helps'
"""

from collections.abc import Callable
from math import ceil

from checks.evidence import Count
from checks.words import count, seconds

MOST = 10**8  # requests: whoever needs more needs another objective


def fewest(shown: Callable[[float], bool]) -> float:
    """Find the fewest requests from which on something is shown, to 1 %; infinity when it never is.

    Args:
        shown: says so for a number of requests.
    """
    high = 1.0
    while not shown(high):
        high *= 2
        if high > MOST:
            return float("inf")
    low = high / 2
    while high - low > max(1.0, high / 100):
        middle = (low + high) / 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return float(ceil(high))


def told(seen: Count, after: float, shown: Callable[[float], bool]) -> str:
    """Say what is missing, as the rest of a sentence; nothing where it is not traffic.

    Args:
        seen: the canary's requests so far.
        after: seconds in which they came.
        shown: says whether so many times what was seen would decide.
    """
    if not seen.requests or shown(1):
        return ""
    needed = fewest(lambda requests: shown(requests / seen.requests))
    if needed == float("inf"):
        return "; more of this kind would not decide it: the rate is too near to its limit"
    missing = needed - seen.requests
    time = seconds(missing / seen.requests * after)
    return (
        f"; about {count(missing)} more requests of this kind would decide it, {time} at this rate:"
        " a longer limit or a bigger weight helps"
    )
