"""The rights of one release as Kubernetes' own objects: two accounts, and Roles with exactly what each needs.

Example:
    $ sluicegate rights release.yaml --accounts sluicegate | kubectl apply -f -
    $ kubectl create token -n sluicegate sluicegate-rebate-core-gates
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from ci.doctor.rights import Right, of_driver, of_gates
from fixtures.release import Release

Manifest = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"


def roles(release: Release, accounts: str) -> Iterator[Manifest]:
    """Give the objects.

    Args:
        release: whose rights they are.
        accounts: the namespace in which the two accounts are.
    """
    for suffix, rights in (("driver", of_driver(release)), ("gates", of_gates(release))):
        name = f"sluicegate-{release.service}-{suffix}"
        yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": accounts}}
        subject = {"kind": "ServiceAccount", "name": name, "namespace": accounts}
        places = defaultdict[str, list[Right]](list)
        for right in rights:
            places[right.namespace].append(right)
        for namespace, here in places.items():
            yield from _role_and_binding(name, namespace, _rules(here), subject)


def _role_and_binding(name: str, namespace: str, rules: list[Manifest], subject: Manifest) -> Iterator[Manifest]:
    """Give a Role where there is a namespace, else a ClusterRole, and its binding."""
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    yield {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, "rules": rules}
    yield {
        "apiVersion": f"{RBAC}/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": name},
        "subjects": [subject],
    }


def _rules(rights: Iterable[Right]) -> list[Manifest]:
    """Put rights to the same objects into one rule."""
    verbs = defaultdict[tuple[str, str, str], list[str]](list)
    for each in rights:
        resource = each.resource.plural + (f"/{each.subresource}" if each.subresource else "")
        group = each.resource.api_version.rpartition("/")[0]
        verbs[group, resource, each.name].append(each.verb)
    return [
        {"apiGroups": [group], "resources": [resource], "verbs": said, **({"resourceNames": [name]} if name else {})}
        for (group, resource, name), said in verbs.items()
    ]
