"""Looks for the judges, made from numbers."""

from collections.abc import Sequence

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


def dealt(*numbers: float, pods: int = 4) -> list[list[int]]:
    """Deal requests, errors and slow answers out to pods, as evenly as it goes."""
    return [[int(each) // pods + (pod < int(each) % pods) for each in numbers] for pod in range(pods)]


def _answers(requests: float, errors: float, slow: float | None = None) -> Answers:
    return Answers(Count(requests, errors), () if slow is None else (Count(requests, slow),))
