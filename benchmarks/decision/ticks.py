"""Looks for the judges, made from numbers."""

from collections.abc import Sequence

import numpy as np

from checks.evidence import Answers, Count, Tick, Traffic


def tick(
    second: float, canary: Sequence[Sequence[float]], stable: Sequence[float] = (0, 0), *, seconds: float = 1.0
) -> Tick:
    """Give a look.

    Args:
        second: when.
        canary: per pod the requests, the errors and perhaps the slow answers.
        stable: requests and errors.
        seconds: that the look covers.
    """
    pods = {str(name): _answers(*pod) for name, pod in enumerate(canary)}
    whole = _answers(*(sum(column) for column in zip(*canary, strict=True)))
    return Tick(at=second, seconds=seconds, traffic=Traffic(whole, Answers(Count(*stable)), pods=pods))


def dealt(random: np.random.Generator, requests: float, *bad: float, pods: int = 4) -> list[list[float]]:
    """Deal requests out to pods: as evenly as a balancer does, and by chance which of them are bad.

    Args:
        random: where chance comes from.
        requests: of all pods.
        bad: errors, slow answers: of all pods.
        pods: how many there are.
    """
    each = [int(requests) // pods + (pod < int(requests) % pods) for pod in range(pods)]
    shares = [random.multivariate_hypergeometric(each, int(kind)).tolist() for kind in bad]
    return [list(pod) for pod in zip(each, *shares, strict=True)]


def _answers(requests: float, errors: float, slow: float | None = None) -> Answers:
    return Answers(Count(requests, errors), () if slow is None else (Count(requests, slow),))
