"""Manifests of any shape: rules find something or nothing, they never stumble, and nothing never passes."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from checks.manifests.evidence import Manifest, Manifests, Names
from checks.manifests.lint import GROUPS, RULES
from checks.manifests.rule import findings, judging
from checks.verdict import Outcome

SMALL = st.sampled_from(
    [None, True, 0, -1, 2.5, "", "shop", "mesh", [], ["x", {}], {}, {"shop": None}, [[]], {"route": 1}]
)


def paths(value, path=()):
    """Give every place in a value."""
    yield path
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in below:
        yield from paths(each, (*path, key))


def put(body: dict, path: tuple, value: object) -> dict:
    changed = copy.deepcopy(body)
    *above, last = path
    at = changed
    for key in above:
        at = at[key]
    at[last] = value
    return changed


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_value_of_another_kind_anywhere_is_no_stumbling_block(data, good) -> None:
    manifests = good
    index = data.draw(st.integers(0, len(manifests.found) - 1))
    spoilt = manifests.found[index]
    path = data.draw(st.sampled_from([each for each in paths(spoilt.body) if each]))
    other = Manifest(spoilt.file, put(spoilt.body, path, data.draw(SMALL)), spoilt.lines, synced=spoilt.synced)
    found = (*manifests.found[:index], other, *manifests.found[index + 1 :])
    for each in findings(RULES, Manifests(manifests.names, found)):
        assert each.flaw.where
        assert str(each)


def test_no_manifests_at_all_do_not_pass() -> None:
    nothing = Manifests(Names("prod", "shop", "shop", "shop-canary", ("shop",), "r/shop", "bases/shop", "shop"), ())
    for group in GROUPS:
        assert judging(group.RULES)(nothing).outcome is not Outcome.PASS


def test_every_rule_has_a_name_of_its_own_and_says_what_to_do() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.promise
        assert rule.why
        assert rule.remedy
        assert rule.look.__doc__
