"""Which of many: the pods, routes or metrics that evidence singles out, with few false ones among them.

With forty metrics, one or another looks bad by chance. e-BH (Wang and Ramdas, JRSS B 84, 2022) sorts K pieces of
evidence and takes the largest r of them of which the smallest is at least K / (q r). The expected share of false ones
among those taken is then at most q, whatever they have to do with each other.

Rules:
    1. the evidence is that of now, never the largest that was ever reached: a running maximum is no evidence
    2. for diagnosis only: no gate passes or fails by it

Example:
    >>> singled_out({"a": 1000.0, "b": 0.5, "c": 41.0, "d": 2.0}, error=0.05)
    ('a', 'c')
"""

from collections.abc import Mapping


def singled_out(evidence: Mapping[str, float], error: float) -> tuple[str, ...]:
    """Give the names that stand out, the strongest first.

    Args:
        evidence: per name, against "there is nothing wrong with it"; 1 says nothing.
        error: q, the expected share of false ones among those that are given, at most.
    """
    names = sorted(evidence, key=lambda name: -evidence[name])
    enough = [rank for rank, name in enumerate(names, 1) if evidence[name] * error * rank >= len(names)]
    return tuple(names[: max(enough, default=0)])
