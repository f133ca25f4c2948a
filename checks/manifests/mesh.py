"""What the rules ask of VirtualServices and DestinationRules: which routes are the release's, which hosts are meant.

Example:
    >>> full_host("shop", "prod"), full_host("shop.other", "prod"), full_host("shop.example.com", "prod")
    ('shop.prod.svc.cluster.local', 'shop.other.svc.cluster.local', 'shop.example.com')
"""

from collections.abc import Iterator

from checks.manifests.evidence import Manifest, Manifests, Names, Node

MESH = "mesh"  # the gateway that stands for all sidecars
DOMAIN = ".svc.cluster.local"
EVERYTHING = ({"prefix": "/"}, {"regex": ".*"}, {"regex": "/.*"})
NO_CONDITION = ("name", "statPrefix")


def full_host(host: str, namespace: str) -> str:
    """Give the full name of a destination's host: a short one is looked up in the VirtualService's own namespace.

    Args:
        host: as it stands in the VirtualService.
        namespace: of the VirtualService.
    """
    if "." not in host:
        return f"{host}.{namespace}{DOMAIN}"
    return f"{host}{DOMAIN}" if host.count(".") == 1 else host


def routes(virtual_service: Manifest) -> tuple[Node, ...]:
    """Give the http routes, in the order in which they are tried.

    Args:
        virtual_service: the object.
    """
    return virtual_service.root["spec", "http"].entries


def destinations(route: Node, names: Names) -> tuple[tuple[Node, str], ...]:
    """Give the destinations of a route, each with the full name of its host.

    Args:
        route: an entry of ``spec.http``.
        names: of the release.
    """
    found = [each["destination"] for each in route["route"].entries]
    return tuple((each, full_host(each["host"].text, names.namespace)) for each in found)


def subsets_of(route: Node, names: Names) -> tuple[str, ...]:
    """Give the subsets of the release's service that a route goes to.

    Args:
        route: an entry of ``spec.http``.
        names: of the release.
    """
    return tuple(each["subset"].text for each, host in destinations(route, names) if host == names.host)


def is_split(route: Node, names: Names) -> bool:
    """Say whether a route is one of those that carry the release's weights: to its two subsets and nowhere else.

    Args:
        route: an entry of ``spec.http``.
        names: of the release.
    """
    ours = sorted((names.stable_subset, names.canary_subset))
    return sorted(subsets_of(route, names)) == ours and len(route["route"].entries) == len(ours)


def splits(manifests: Manifests) -> Iterator[Node]:
    """Give all routes that carry the release's weights.

    Args:
        manifests: of the release.
    """
    for each in manifests.virtual_services:
        yield from (route for route in routes(each) if is_split(route, manifests.names))


def takes_everything(route: Node) -> bool:
    """Say whether no request can pass a route by.

    Args:
        route: an entry of ``spec.http``.
    """
    conditions = route["match"].entries
    return not conditions or any(_is_everything(each) for each in conditions)


def _is_everything(condition: Node) -> bool:
    asked = {key: value for key, value in condition.mapping.items() if key not in NO_CONDITION}
    return not asked or (list(asked) == ["uri"] and asked["uri"] in EVERYTHING)


def destination_rules(manifests: Manifests) -> tuple[Manifest, ...]:
    """Give the DestinationRules of the release's service.

    Args:
        manifests: of the release.
    """
    names = manifests.names
    found = manifests.of("DestinationRule")
    return tuple(each for each in found if full_host(each.root["spec", "host"].text, names.namespace) == names.host)


def subsets(manifests: Manifests) -> dict[str, Node]:
    """Give the subsets of the release's service, by name.

    Args:
        manifests: of the release.
    """
    listed = (each for rule in destination_rules(manifests) for each in rule.root["spec", "subsets"].entries)
    return {each["name"].text: each for each in listed}


def gateways(manifests: Manifests) -> dict[str, Manifest]:
    """Give all Gateways, by NAMESPACE/NAME.

    Args:
        manifests: of the release.
    """
    found = (each for each in manifests.found if each.kind == "Gateway")
    return {f"{each.namespace or manifests.names.namespace}/{each.name}": each for each in found}


def asked_gateways(virtual_service: Manifest, names: Names) -> Iterator[tuple[Node, str]]:
    """Give the gateways that a VirtualService names, each with its NAMESPACE/NAME.

    Args:
        virtual_service: the object.
        names: of the release.
    """
    for each in virtual_service.root["spec", "gateways"].entries:
        if each.text != MESH:
            yield each, each.text if "/" in each.text else f"{names.namespace}/{each.text}"
