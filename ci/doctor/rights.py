"""The rights that a release needs in the cluster: the one list of them.

The driver writes the weights, its record, the canary's number of pods, the Lease, and asks Argo CD to look; the gates
only read. A cluster is asked for each by a SelfSubjectAccessReview, which anybody may.

Example:
    >>> str(Right("patch", VIRTUAL_SERVICES, "production", "rebate-core"))
    'patch virtualservices production/rebate-core'
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ci.lease import lease_name
from fixtures.cluster import (
    APPLICATIONS,
    DEPLOYMENTS,
    DESTINATION_RULES,
    EVENTS,
    GATEWAYS,
    HPAS,
    LEASES,
    NODES,
    PODS,
    SERVICES,
    VIRTUAL_SERVICES,
    Cluster,
    Resource,
)
from fixtures.release import HoldStable, Release, Scale

REVIEWS = Resource("authorization.k8s.io/v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False)


@dataclass(frozen=True)
class Right:
    """Something that an account may do.

    Attributes:
        verb: of the API.
        resource: the kind.
        namespace: "" for all, and for kinds of the whole cluster.
        name: of the object, "" for all.
        subresource: such as ``scale``.
    """

    verb: str
    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        """Write it as a person would ask for it."""
        what = self.resource.plural + (f"/{self.subresource}" if self.subresource else "")
        where = "/".join(part for part in (self.namespace, self.name) if part)
        return f"{self.verb} {what} {where}".strip()


def of_driver(release: Release) -> Iterator[Right]:
    """Give the rights of whoever runs ``sluicegate run`` and ``recover``."""
    namespace, names, application = release.namespace, release.names, release.gitops.application
    for name in names.virtual_services:
        yield from (Right(verb, VIRTUAL_SERVICES, namespace, name) for verb in ("get", "patch"))
    lease = lease_name(release.service)
    yield from (Right(verb, LEASES, namespace, lease) for verb in ("get", "update"))
    yield Right("create", LEASES, namespace)
    yield from (Right("get", DEPLOYMENTS, namespace, name) for name in (names.stable, names.canary))
    if release.scale is Scale.AUTO:
        yield from (Right(verb, DEPLOYMENTS, namespace, names.canary, "scale") for verb in ("get", "patch"))
    if release.hold_stable is HoldStable.MIN_REPLICAS:
        yield Right("list", HPAS, namespace)
        yield from (Right(verb, HPAS, namespace, names.stable) for verb in ("get", "patch"))
    yield from (Right(verb, APPLICATIONS, application.namespace, application.name) for verb in ("get", "patch"))
    yield Right("create", EVENTS, namespace)


def of_gates(release: Release) -> Iterator[Right]:
    """Give the rights of the account that the gates have; a gateway in another namespace is for a Role there."""
    for kind in (VIRTUAL_SERVICES, DESTINATION_RULES, GATEWAYS, DEPLOYMENTS, SERVICES, PODS, HPAS):
        yield from (Right(verb, kind, release.namespace) for verb in ("get", "list"))
    yield Right("get", APPLICATIONS, release.gitops.application.namespace, release.gitops.application.name)
    yield Right("list", NODES)


def granted(cluster: Cluster, right: Right) -> bool:
    """Ask the API server whether we have a right.

    Args:
        cluster: with the account that is asked about.
        right: which.

    Raises:
        SluicegateError: when it does not say.
    """
    group = right.resource.api_version.rpartition("/")[0]
    asked = {
        "verb": right.verb,
        "group": group,
        "resource": right.resource.plural,
        "subresource": right.subresource,
        "namespace": right.namespace,
        "name": right.name,
    }
    wanted = {"resourceAttributes": {key: value for key, value in asked.items() if value}}
    answer = cluster.create(REVIEWS, "", {"metadata": {}, "spec": wanted})
    return bool(answer["status"]["allowed"])
