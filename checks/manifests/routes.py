"""The VirtualService splits the traffic of known hosts between the two subsets, and in Git the canary has nothing."""

from collections.abc import Iterator

from checks.gate import gate
from checks.manifests import mesh
from checks.manifests.evidence import Manifest, Manifests, Node
from checks.manifests.mesh import (
    DOMAIN,
    destinations,
    is_split,
    routes,
    splits,
    subsets_of,
    takes_everything,
)
from checks.manifests.rule import Flaw, Level, judging, rule
from checks.manifests.words import listed, meant
from checks.verdict import Verdict


@rule(
    "virtual-service",
    "the VirtualService is there",
    why="without it there is no weight to move, and a client that asks for it gets nothing and says nothing",
    remedy="apply it, or say what it is called: names.virtual_services in the release file",
)
def virtual_service(manifests: Manifests) -> Iterator[Flaw]:
    """Each VirtualService exists: the story's ``setCanaryTraffic`` did nothing, silently, where there was none."""
    known = [each.name for each in manifests.of("VirtualService")]
    for name in manifests.names.virtual_services:
        if name not in known:
            what = f"there is no VirtualService {name}, only {listed(known)}{meant(name, known)}"
            level = Level.FAIL if manifests.whole or known else Level.UNSEEN
            yield Flaw(f"namespace {manifests.names.namespace}", what, level)


@rule(
    "split",
    "a route goes to the two subsets and nowhere else",
    why="only such a route's two weights are moved",
    remedy="give the route exactly two destinations: the service's full host, subset stable and subset canary",
)
def split(manifests: Manifests) -> Iterator[Flaw]:
    """A route has both subsets, each once: where one is missing, a step moves nothing and never ends."""
    names = manifests.names
    for each in manifests.virtual_services:
        if not any(is_split(route, names) for route in routes(each)):
            gone_to = [
                f"{host} {to['subset'].text}".strip() for r in routes(each) for to, host in destinations(r, names)
            ]
            wanted = f"{names.host} {names.stable_subset} and {names.canary_subset}"
            yield Flaw(
                each.root["spec", "http"].where, f"no route of {each} goes to {wanted}; it has {listed(gone_to)}"
            )


@rule(
    "weights",
    "weights are whole numbers from 0, and not all of them are 0",
    why="istiod's webhook refuses anything else, and then no weight can be written at all",
    remedy="write weight: 100 for stable and weight: 0 for the canary",
)
def weights(manifests: Manifests) -> Iterator[Flaw]:
    """Weights are whole, none is negative, their sum is over 0: schemas let -5 pass, the webhook does not."""
    for route in splits(manifests):
        found = [each["weight"] for each in route["route"].entries]
        wrong = [each for each in found if not _is_weight(each.value)]
        yield from (Flaw(each.where, f"{each.value} is no weight") for each in wrong)
        if not wrong and not sum(each.value or 0 for each in found):
            yield Flaw(route["route"].where, "all weights are 0")


def _is_weight(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return value is None or (isinstance(value, int) and value >= 0)


@rule(
    "at-rest",
    "at rest the canary has no traffic",
    why="what stands in Git comes back with a restore or a new cluster: the canary then serves users unwatched",
    remedy="write weight 100 for stable and 0 for the canary, and give a route to the canary alone a match",
)
def at_rest(manifests: Manifests) -> Iterator[Flaw]:
    """In Git stable has all; a route to the canary alone needs a match: one destination takes all, even at weight 0."""
    names = manifests.names
    for route in splits(manifests):
        for each in route["route"].entries if route.manifest.written else ():  # of a live one, the gate at_rest speaks
            if each["destination", "subset"].text == names.canary_subset and each["weight"].value:
                yield Flaw(each["weight"].where, f"the canary has weight {each['weight'].value}")
    for route in (each for found in manifests.virtual_services for each in routes(found)):
        if subsets_of(route, names) == (names.canary_subset,) and len(route["route"].entries) == 1:
            what = f"route {_name(route)} goes to the canary alone, whatever its weight"
            yield Flaw(route.where, what, Level.FAIL if takes_everything(route) else Level.NOTE)


def _name(route: Node) -> str:
    return route["name"].text or route.key


@rule(
    "catch-all-last",
    "no route stands behind one that takes every request",
    why="the first route that matches wins: those behind it are never tried, and their weights do nothing",
    remedy="move the route without a match to the end",
)
def catch_all_last(manifests: Manifests) -> Iterator[Flaw]:
    """The catch-all is the last route: behind it, the route with the weights moves no user at all."""
    for each in manifests.virtual_services:
        found = routes(each)
        first = next((index for index, route in enumerate(found) if takes_everything(route)), len(found))
        for route in found[first + 1 :]:
            yield Flaw(route.where, f"route {_name(route)} is never reached: {_name(found[first])} takes every request")


@rule(
    "hosts",
    "hosts are full names that somebody answers to",
    why="a short name is completed with the VirtualService's own namespace, and a name nobody has is a 503",
    remedy="write the full name: SERVICE.NAMESPACE.svc.cluster.local",
)
def hosts(manifests: Manifests) -> Iterator[Flaw]:
    """Hosts are full and known: one moved to another namespace asks there for a service that does not exist."""
    services = {each.name for each in manifests.of("Service")}
    for each in manifests.virtual_services:
        for host in each.root["spec", "hosts"].entries:
            if host.text and "." not in host.text and host.text != "*":
                known = host.text in services
                yield Flaw(host.where, f"{host.text} is a short name", Level.NOTE if known else Level.FAIL)
        for route in routes(each):
            yield from _unknown_destinations(manifests, route, services)


def _unknown_destinations(manifests: Manifests, route: Node, services: set[str]) -> Iterator[Flaw]:
    names = manifests.names
    for destination, host in destinations(route, names):
        where, written = destination["host"].where, destination["host"].text
        name, _, namespace = host.removesuffix(DOMAIN).partition(".")
        ours = host.endswith(DOMAIN) and namespace == names.namespace
        if ours and host != names.host and name not in services:
            level = Level.FAIL if manifests.whole else Level.NOTE
            yield Flaw(where, f"there is no Service {name}{meant(name, {*services, names.service})}", level)
        elif written != host:
            yield Flaw(where, f"{written} is short for {host}", Level.NOTE)


@rule(
    "gateways",
    "the gateways are there and serve the hosts",
    why="a VirtualService of a gateway that is not there routes nothing from outside; users get 404",
    remedy="mend its name (NAMESPACE/NAME for another namespace's), or add the host to the Gateway's servers",
)
def gateways(manifests: Manifests) -> Iterator[Flaw]:
    """Each gateway exists and serves one of the hosts: otherwise the weights are right and nobody outside is served."""
    known = mesh.gateways(manifests)
    for each in manifests.virtual_services:
        for gateway, name in mesh.asked_gateways(each, manifests.names):
            if name not in known:
                level = Level.FAIL if manifests.whole else Level.NOTE
                yield Flaw(gateway.where, f"there is no Gateway {name} here{meant(name, known)}", level)
            elif not _serves(known[name], each):
                yield Flaw(gateway.where, f"no server of Gateway {name} has a host of {each}")


def _serves(gateway: Manifest, virtual_service: Manifest) -> bool:
    served = [
        host.text.rpartition("/")[2]
        for each in gateway.root["spec", "servers"].entries
        for host in each["hosts"].entries
    ]
    asked = [host.text for host in virtual_service.root["spec", "hosts"].entries]
    return any(_covers(pattern, host) or _covers(host, pattern) for pattern in served for host in asked)


def _covers(pattern: str, host: str) -> bool:
    return pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))


RULES = (virtual_service, split, weights, at_rest, catch_all_last, hosts, gateways)


@gate(judging(RULES), evidence="manifests")
def test_routes_split_the_traffic(verdict: Verdict) -> None:
    """A route that is reached carries the two weights, and at rest the canary has nothing."""
    verdict.require()
