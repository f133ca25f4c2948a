"""What the rules ask of Deployments and Services: which pods they make or pick, and with which containers.

Example:
    >>> from checks.manifests.evidence import Manifest
    >>> service = Manifest("a.yaml", {"spec": {"selector": {"app": "shop"}}})
    >>> picks(service.root["spec", "selector"].mapping, {"app": "shop", "version": "canary"})
    True
"""

from collections.abc import Mapping
from typing import Any

from checks.manifests.evidence import Manifest, Names, Node

TEMPLATE = ("spec", "template")
POD = (*TEMPLATE, "spec")


def labels(deployment: Manifest) -> Mapping[str, Any]:
    """Give the labels of a Deployment's pods.

    Args:
        deployment: the object.
    """
    return deployment.root[(*TEMPLATE, "metadata", "labels")].mapping


def picks(selector: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    """Say whether a Service's selector, or a subset's labels, pick a pod; an empty one picks none.

    Args:
        selector: labels that a pod must have.
        pod: the labels that it has.
    """
    return bool(selector) and all(pod.get(key) == value for key, value in selector.items())


def selects(deployment: Manifest, pod: Mapping[str, Any]) -> bool:
    """Say whether a Deployment takes a pod for its own.

    Args:
        deployment: the object.
        pod: the pod's labels.
    """
    selector = deployment.root["spec", "selector"]
    wanted, terms = selector["matchLabels"].mapping, selector["matchExpressions"].entries
    if not wanted and not terms:
        return False
    return (not wanted or picks(wanted, pod)) and all(_holds(each, pod) for each in terms)


def _holds(term: Node, pod: Mapping[str, Any]) -> bool:
    key, values = term["key"].text, [each.value for each in term["values"].entries]
    found = pod.get(key)
    match term["operator"].text:
        case "In":
            return found in values
        case "NotIn":
            return found not in values
        case "Exists":
            return key in pod
        case _:
            return key not in pod


def containers(deployment: Manifest) -> tuple[Node, ...]:
    """Give the containers of a Deployment's pods, without those that only begin.

    Args:
        deployment: the object.
    """
    return deployment.root[(*POD, "containers")].entries


def main_container(deployment: Manifest, names: Names) -> Node | None:
    """Give the service's own container; None when it can not be told.

    Args:
        deployment: the object.
        names: of the release.
    """
    found = [each for each in containers(deployment) if names.container in (None, each["name"].text)]
    return found[0] if len(found) == 1 else None
