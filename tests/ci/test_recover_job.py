"""The CronJob that takes back what dead drivers leave: it can be typed, may do what it must, and is restricted."""

from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from ci.rollout import main

FILE = Path(__file__).parents[2] / "ci" / "k8s" / "recover.yaml"


@pytest.fixture(scope="module")
def objects() -> dict[str, Any]:
    """The file's objects by kind."""
    return {each["kind"]: each for each in YAML(typ="safe", pure=True).load_all(FILE)}


@pytest.fixture(scope="module")
def pod(objects: dict[str, Any]) -> Any:
    return objects["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def test_its_command_is_one_that_sluicegate_knows(pod: Any) -> None:
    [container] = pod["containers"]
    assert container["command"] == ["sluicegate"]
    verb, *words = container["args"]
    command = main.commands[verb]
    context = command.make_context(verb, list(words), parent=click.Context(main))
    assert context.params["everything"]
    assert context.params["expired"]


def test_it_looks_often_enough_for_90_seconds(objects: dict[str, Any]) -> None:
    spec = objects["CronJob"]["spec"]
    assert spec["schedule"] == "* * * * *"
    assert spec["concurrencyPolicy"] == "Allow", "one that waits for Git would keep all others waiting"


def test_it_stands_in_a_restricted_namespace_and_keeps_to_that(objects: dict[str, Any], pod: Any) -> None:
    assert objects["Namespace"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    [container] = pod["containers"]
    inside = container["securityContext"]
    assert not inside["allowPrivilegeEscalation"]
    assert inside["capabilities"] == {"drop": ["ALL"]}
    assert inside["readOnlyRootFilesystem"]
    assert "@sha256:" in container["image"]
    assert set(pod["volumes"][0]) | set(pod["volumes"][1]) == {"name", "emptyDir", "secret"}, "no hostPath"


def test_its_account_is_the_one_that_has_the_rights(objects: dict[str, Any], pod: Any) -> None:
    account, binding = objects["ServiceAccount"]["metadata"], objects["ClusterRoleBinding"]
    assert pod["serviceAccountName"] == account["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", **account}]
    assert binding["roleRef"]["name"] == objects["ClusterRole"]["metadata"]["name"]


def test_it_may_delete_nothing_and_read_no_secret(objects: dict[str, Any]) -> None:
    rules = objects["ClusterRole"]["rules"]
    assert not {verb for rule in rules for verb in rule["verbs"]} & {"delete", "deletecollection", "*", "impersonate"}
    assert not {resource for rule in rules for resource in rule["resources"]} & {"secrets", "*", "pods/exec"}
