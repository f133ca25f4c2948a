"""Which objects a selector selects."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fixtures.sandbox.kinds.resources import DEPLOYMENTS, PODS
from fixtures.sandbox.kinds.selectors import matches, parse, text
from fixtures.sandbox.kinds.status import ApiError

POD = {
    "metadata": {"name": "web-1", "namespace": "prod", "labels": {"app": "web", "version": "canary"}},
    "spec": {"nodeName": "node-1"},
    "status": {"phase": "Running"},
}
NAMES = some.sampled_from(["app", "version", "tier"])
VALUES = some.sampled_from(["", "a", "b"])
LABELS = some.dictionaries(NAMES, VALUES)


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("", True), ("app=web", True), ("app==web", True), ("app!=web", False), ("app=web,version=canary", True),
        ("app=web,version=stable", False), ("version in (stable,canary)", True), ("version in (stable)", False),
        ("version notin (stable, next)", True), ("tier notin (x)", True), ("tier!=x", True), ("app", True),
        ("!app", False), ("!tier", True), ("tier", False), ("tier=", False), (" app = web , version ", True),
        ("sluicegate.dev/step", False),
    ],
)  # fmt: skip
def test_label_selectors(selector: str, selected: bool) -> None:
    assert parse(selector, "", PODS).holds(POD) is selected


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("metadata.name=web-1", True), ("metadata.name==web-2", False), ("metadata.namespace!=prod", False),
        ("status.phase=Running", True), ("status.phase!=Running", False), ("spec.nodeName=", False),
        ("spec.nodeName=node-1,status.phase=Running", True), ("status.podIP=", True),
    ],
)  # fmt: skip
def test_field_selectors(selector: str, selected: bool) -> None:
    assert parse("", selector, PODS).holds(POD) is selected


@pytest.mark.parametrize(
    ("labels", "fields"), [("a===b", ""), ("a in b", ""), ("a b", ""), ("", "spec.replicas=1"), ("", "x")]
)
def test_what_is_no_selector_is_a_bad_request(labels: str, fields: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse(labels, fields, DEPLOYMENTS)
    assert refused.value.code == 400


@given(LABELS, NAMES, some.lists(VALUES, min_size=1, max_size=2))
def test_notin_selects_exactly_what_in_does_not(labels: dict[str, str], key: str, values: list[str]) -> None:
    body, listed = {"metadata": {"labels": labels}}, ",".join(values)
    inside = parse(f"{key} in ({listed})", "", PODS).holds(body)
    assert parse(f"{key} notin ({listed})", "", PODS).holds(body) is not inside


@given(LABELS, some.dictionaries(NAMES, VALUES, min_size=1))
def test_a_selector_of_an_object_and_its_text_select_the_same(labels: dict[str, str], wanted: dict[str, str]) -> None:
    selector = {"matchLabels": wanted, "matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}
    assert parse(text(selector), "", PODS).holds({"metadata": {"labels": labels}}) is matches(selector, labels)
