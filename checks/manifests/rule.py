"""What a lint rule is: a small function from manifests to flaws, with what it promises, why, and what to do.

Example:
    >>> @rule("named", "every object has a name", why="nobody can find it", remedy="write `metadata.name`")
    ... def named(manifests):
    ...     yield from (Flaw(each.root.where, "it has no name") for each in manifests.found if not each.name)
    >>> named.id, named.promise
    ('named', 'every object has a name')
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from checks.manifests.evidence import Manifests
from checks.verdict import Proof, Verdict, failed, inconclusive, passed

SHORT = 8  # rules that one sentence names
NOT_SEEN = "give its file with --manifests, or the cluster with --target"


class Level(Enum):
    """How bad a flaw is: it would spoil the release, it is advice, or it could not be looked at."""

    FAIL = "FAIL"
    NOTE = "note"
    UNSEEN = "unseen"


@dataclass(frozen=True)
class Flaw:
    """What a rule has found.

    Attributes:
        where: file, line and key.
        what: is wrong there.
        level: how bad it is.
        remedy: what to do, where it is not what the rule says.
    """

    where: str
    what: str
    level: Level = Level.FAIL
    remedy: str = ""


Look = Callable[[Manifests], Iterator[Flaw]]


@dataclass(frozen=True)
class Rule:
    """One thing that must hold.

    Attributes:
        id: its name in reports.
        promise: what holds.
        why: what happens to whom without it.
        remedy: what to do.
        look: finds where it does not hold.
    """

    id: str
    promise: str
    why: str
    remedy: str
    look: Look


@dataclass(frozen=True)
class Finding:
    """A flaw, with the rule that it breaks."""

    rule: Rule
    flaw: Flaw

    @property
    def remedy(self) -> str:
        """What to do."""
        return self.flaw.remedy or (NOT_SEEN if self.flaw.level is Level.UNSEEN else self.rule.remedy)

    @property
    def why(self) -> str:
        """What happens otherwise."""
        return "this could not be looked at" if self.flaw.level is Level.UNSEEN else self.rule.why

    def __str__(self) -> str:
        """Tell all of it in one sentence."""
        return f"{self.flaw.where}: {self.flaw.what}: {self.why}; {self.remedy} [{self.rule.id}]"


def rule(name: str, promise: str, *, why: str, remedy: str) -> Callable[[Look], Rule]:
    """Make a rule of a function.

    Args:
        name: the rule's id.
        promise: what holds.
        why: what happens without it.
        remedy: what to do.
    """
    return lambda look: Rule(name, promise, why, remedy, look)


def findings(rules: Sequence[Rule], manifests: Manifests) -> tuple[Finding, ...]:
    """Look with all rules.

    Args:
        rules: to look with.
        manifests: of the release.

    Returns:
        What they find, the worst first.
    """
    found = [Finding(each, flaw) for each in rules for flaw in each.look(manifests)]
    return tuple(sorted(found, key=lambda each: list(Level).index(each.flaw.level)))


def judging(rules: Sequence[Rule]) -> Callable[[Manifests], Verdict]:
    """Make a gate's judge of rules.

    Args:
        rules: that must hold.
    """

    def judge(manifests: Manifests) -> Verdict:
        return conclude(rules, manifests, findings(rules, manifests))

    return judge


def conclude(rules: Sequence[Rule], manifests: Manifests, found: Sequence[Finding]) -> Verdict:
    """Say what findings mean: one that fails is FAIL, one that could not be looked at is no PASS.

    Args:
        rules: that were looked with.
        manifests: that were looked at.
        found: what ``findings`` gave.
    """
    told = {level: [str(each) for each in found if each.flaw.level is level] for level in Level}
    numbers = {"rules": len(rules), "mistakes": len(told[Level.FAIL]), "notes": len(told[Level.NOTE])}
    if mistakes := told[Level.FAIL]:
        many = f"{len(mistakes)} mistakes in the manifests: " if len(mistakes) > 1 else ""
        return failed(many + "\n".join(mistakes), **numbers)
    if not manifests.found or told[Level.UNSEEN]:
        return inconclusive("\n".join(told[Level.UNSEEN]) or "no manifest was found", **numbers)
    notes = "".join(f"\nnote: {line}" for line in told[Level.NOTE])
    held = ", ".join(rule.id for rule in rules) if len(rules) <= SHORT else f"{len(rules)} rules"
    return passed(f"{len(manifests.found)} manifests keep {held}{notes}", Proof(len(manifests.found)), **numbers)
