"""A canary exactly as good as stable, made of stable's own answers: by lot it gets its weight's share of them.

In each stretch of the past the canary gets as many requests as its weight says, drawn from those that were really
answered then, without putting any back (a hypergeometric lot); stable keeps the rest. The lot is fixed by the moment of
the start: the same past gives the same answer.

What is assumed:
    1. Each request is routed on its own, as Envoy does by weight. A burst of errors stays in the stretch in which it
       was, and hits each version by its share. Within a stretch nobody knows the order.
    2. What fails does not fail because of one pod. A pod of stable that answers badly is a part of stable's errors
       here; a canary with one pod would have had such a pod seldom, and then all its answers bad.
    3. Errors and slow answers are drawn apart: the gates count them apart.
    4. Requests that reached nobody count as the canary's, all of them, as they do in a real step.

Example:
    >>> parted(Count(1000, 1000), 0.05, Random(1))
    (Count(requests=50, bad=50), Count(requests=950, bad=950))
"""

from random import Random

from checks.evidence import Answers, Count, Traffic
from fixtures.past import Stretch


def thinned(stretch: Stretch, share: float, chance: Random) -> Traffic:
    """Give one stretch of the past as if a canary had been there.

    Args:
        stretch: what was answered.
        share: the canary's, 0 to 1.
        chance: draws the lots.
    """
    canary, stable = parted(stretch.stable.all, share, chance)
    slow = [parted(each, share, chance) for each in stretch.stable.slow]
    lost = Count(stretch.unreached, stretch.unreached)
    return Traffic(
        canary=Answers(canary + lost, tuple(part for part, _ in slow)),
        stable=Answers(stable, tuple(rest for _, rest in slow)),
        unreached=stretch.unreached,
    )


def parted(seen: Count, share: float, chance: Random) -> tuple[Count, Count]:
    """Part requests in two.

    Args:
        seen: requests, and the bad ones among them.
        share: of the first part, 0 to 1.
        chance: draws the lots.

    Returns:
        The first part, and the rest.
    """
    requests, bad = round(seen.requests), round(seen.bad)
    # By chance one more or one less: a service with three requests in a stretch gives its canary some of them, too.
    taken = min(requests, int(requests * share + chance.random()))
    # The fewer of good and bad are drawn one by one.
    rare = min(bad, requests - bad)
    hit = _drawn(requests, rare, taken, chance)
    harmed = hit if rare == bad else taken - hit
    return Count(taken, harmed), Count(requests - taken, bad - harmed)


def _drawn(requests: int, rare: int, taken: int, chance: Random) -> int:
    """Say how many of the rare ones are among those that are taken."""
    free = taken
    for drawn in range(rare):
        if chance.random() * (requests - drawn) < free:
            free -= 1
    return taken - free
