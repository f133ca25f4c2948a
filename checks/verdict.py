"""The three things that a gate can say, each as one sentence with its numbers.

Rules:
    1. PASS needs proof. It is made from a ``Proof``, and a ``Proof`` of nothing can not be made: no request, no
       pod, no status seen means no PASS, whatever the code around it does.
    2. FAIL needs evidence of harm. "I could not see" is never FAIL.
    3. INCONCLUSIVE is everything else: too little traffic, no data, time over. It says what is missing.

Example:
    >>> passed("0 errors of 600", Proof(600)).outcome
    <Outcome.PASS: 'PASS'>
    >>> passed("0 errors of 0", Proof(0))
    Traceback (most recent call last):
    ...
    ValueError: a PASS needs at least one observation, got 0
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

Number = float | int | str


class Outcome(Enum):
    """What a gate says."""

    PASS = "PASS"  # noqa: S105 - a verdict, no password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True)
class Proof:
    """How much was seen.

    Attributes:
        observations: requests, pods, objects: whatever the gate counts; at least 1.

    Raises:
        ValueError: when nothing was seen.
    """

    observations: float

    def __post_init__(self) -> None:
        """Refuse to prove anything from nothing; written so that NaN is refused too."""
        if not self.observations >= 1:
            raise ValueError(f"a PASS needs at least one observation, got {self.observations}")


class GateNotPassedError(AssertionError):
    """A gate has not passed; its text is the sentence that a person needs."""


@dataclass(frozen=True)
class Verdict:
    """One gate's judgement; made by ``passed``, ``failed`` and ``inconclusive``.

    Attributes:
        outcome: PASS, FAIL or INCONCLUSIVE.
        sentence: what was found, against what, in one sentence.
        numbers: the figures of the sentence, for machines.
        proof: what a PASS stands on.

    Raises:
        ValueError: when a PASS comes without proof.
    """

    outcome: Outcome
    sentence: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    proof: Proof | None = None

    def __post_init__(self) -> None:
        """No PASS without proof, by type."""
        if self.outcome is Outcome.PASS and self.proof is None:
            raise ValueError("a PASS needs proof: use passed(sentence, Proof(...))")

    def require(self) -> None:
        """Return when the gate has passed.

        Raises:
            GateNotPassedError: otherwise, with the sentence.
        """
        if self.outcome is not Outcome.PASS:
            prefix = "" if self.outcome is Outcome.FAIL else "inconclusive: "
            raise GateNotPassedError(prefix + self.sentence)


def passed(sentence: str, proof: Proof, **numbers: Number) -> Verdict:
    """Say that the promise holds.

    Args:
        sentence: what was shown.
        proof: how much was seen.
        **numbers: the sentence's figures.
    """
    return Verdict(Outcome.PASS, sentence, numbers, proof)


def failed(sentence: str, **numbers: Number) -> Verdict:
    """Say that the promise is broken.

    Args:
        sentence: what was seen, against which promise.
        **numbers: the sentence's figures.
    """
    return Verdict(Outcome.FAIL, sentence, numbers)


def inconclusive(sentence: str, **numbers: Number) -> Verdict:
    """Say that neither is shown.

    Args:
        sentence: what is missing.
        **numbers: the sentence's figures.
    """
    return Verdict(Outcome.INCONCLUSIVE, sentence, numbers)
