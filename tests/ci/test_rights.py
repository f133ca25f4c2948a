"""What `sluicegate rights` prints: two accounts, Roles with names of objects where Kubernetes knows them, no more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ci.doctor.roles import roles
from fixtures.release import load_release

RELEASE = load_release(Path(__file__).parents[2] / "examples" / "rebate-core" / "release.yaml")


def rules(suffix: str) -> Iterator[dict[str, Any]]:
    for each in roles(RELEASE, "sluicegate"):
        if each["kind"] in ("Role", "ClusterRole") and each["metadata"]["name"].endswith(suffix):
            yield from each["rules"]


def test_each_account_is_bound_to_its_own_roles() -> None:
    made = list(roles(RELEASE, "sluicegate"))
    names = {each["metadata"]["name"] for each in made if each["kind"] == "ServiceAccount"}
    assert names == {"sluicegate-rebate-core-driver", "sluicegate-rebate-core-gates"}
    for each in made:
        if "roleRef" in each:
            assert each["roleRef"]["name"] == each["subjects"][0]["name"] == each["metadata"]["name"]
            assert each["subjects"][0]["namespace"] == "sluicegate"


def test_the_driver_writes_to_objects_that_are_named_and_to_no_others() -> None:
    for rule in rules("driver"):
        if set(rule["verbs"]) & {"patch", "update"}:
            assert rule["resourceNames"], rule
        assert not set(rule["verbs"]) & {"*", "delete", "list", "watch"}


def test_the_gates_can_only_read() -> None:
    assert {verb for rule in rules("gates") for verb in rule["verbs"]} == {"get", "list"}
    assert not [rule for rule in rules("gates") if "secrets" in rule["resources"]]


def test_what_lies_in_another_namespace_has_a_role_there() -> None:
    places = {(each["kind"], each["metadata"].get("namespace")) for each in roles(RELEASE, "sluicegate")}
    assert {("Role", "production"), ("Role", "argocd"), ("ClusterRole", None)} <= places
