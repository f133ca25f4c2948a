"""What findings mean for the gate, and how they are told."""

from collections.abc import Callable

import pytest

from checks.manifests.evidence import Manifests
from checks.manifests.rule import Flaw, Level, Rule, judging, rule
from checks.verdict import Outcome, Verdict


def finds(name: str, *flaws: Flaw) -> Rule:
    return rule(name, "all is well", why="users wait", remedy="mend it")(lambda _: iter(flaws))


BAD, ODD = Flaw("a.yaml:1", "it is bad"), Flaw("b.yaml:2", "it is odd", Level.NOTE)
DARK = Flaw("shop", "it is not here", Level.UNSEEN)


@pytest.fixture
def judge(good: Manifests) -> Callable[..., Verdict]:
    return lambda *rules, manifests=good: judging(rules)(manifests)


def test_a_mistake_fails_and_is_told_with_its_why_its_remedy_and_its_rule(judge) -> None:
    verdict = judge(finds("one", ODD, BAD, DARK))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.sentence == "a.yaml:1: it is bad: users wait; mend it [one]"
    assert verdict.numbers == {"rules": 1, "mistakes": 1, "notes": 1}


def test_several_mistakes_are_counted_and_each_has_its_line(judge) -> None:
    verdict = judge(finds("one", BAD), finds("two", BAD))
    assert verdict.sentence.splitlines() == [
        "2 mistakes in the manifests: a.yaml:1: it is bad: users wait; mend it [one]",
        "a.yaml:1: it is bad: users wait; mend it [two]",
    ]


def test_what_could_not_be_looked_at_is_no_pass_and_no_fail(judge) -> None:
    verdict = judge(finds("one", DARK, ODD))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    looked = "this could not be looked at; give its file with --manifests, or the cluster with --target"
    assert verdict.sentence == f"shop: it is not here: {looked} [one]"


def test_a_note_passes_and_is_told(judge) -> None:
    verdict = judge(finds("one", ODD), finds("two"))
    assert verdict.outcome is Outcome.PASS
    assert verdict.sentence == "7 manifests keep one, two\nnote: b.yaml:2: it is odd: users wait; mend it [one]"
    assert verdict.numbers["notes"] == 1


def test_of_many_rules_a_pass_tells_only_the_number(judge) -> None:
    assert judge(*(finds(str(n)) for n in range(9))).sentence.endswith("manifests keep 9 rules")


def test_without_any_manifest_nothing_is_shown(judge, good) -> None:
    verdict = judge(finds("one"), manifests=Manifests(good.names, ()))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.sentence == "no manifest was found"


def test_a_flaw_may_know_better_what_to_do_than_its_rule(judge) -> None:
    assert "; delete it [one]" in judge(finds("one", Flaw("a", "b", remedy="delete it"))).sentence
