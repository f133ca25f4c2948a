"""The Service that the mesh splits has both versions behind it, and speaks HTTP to ports that are there."""

import re
from collections.abc import Iterator

from checks.gate import gate
from checks.manifests.evidence import Manifest, Manifests, Node
from checks.manifests.mesh import destinations, routes
from checks.manifests.pods import containers, labels, picks
from checks.manifests.rule import Flaw, Level, judging, rule
from checks.manifests.words import listed, meant
from checks.verdict import Verdict

HTTP = re.compile(r"(http|http2|grpc|grpc-web)(-.*)?|kubernetes\.io/(h2c|ws)")
FROM_OUTSIDE = ("NodePort", "LoadBalancer")


@rule(
    "mesh-service",
    "the Service that clients address selects the pods of both Deployments",
    why="the subsets are parts of it: a version that it does not select is an empty subset, and its share gets 503",
    remedy="leave only labels that both have in its selector",
)
def mesh_service(manifests: Manifests) -> Iterator[Flaw]:
    """The mesh's Service selects both versions: one that selects stable only gives the canary's 5 % a 503."""
    names, found = manifests.names, manifests.named("Service", manifests.names.service)
    if found is None:
        known = [each.name for each in manifests.of("Service")]
        level = Level.FAIL if manifests.whole or known else Level.UNSEEN
        what = f"there is no Service {names.service}, only {listed(known)}{meant(names.service, known)}"
        yield Flaw(f"namespace {names.namespace}", what, level)
        return
    for each in manifests.deployments:
        if not _selects(found, each):
            yield Flaw(found.root["spec", "selector"].where, f"{found} does not select the pods of {each}")


def _selects(service: Manifest, deployment: Manifest) -> bool:
    return picks(service.root["spec", "selector"].mapping, labels(deployment))


@rule(
    "past-the-weights",
    "who is not in the mesh can not reach the canary at weight 0",
    why="a Service knows no weights: who calls it from outside the mesh gets either version, as many pods as each has",
    remedy="add `version: stable` to its selector, and have clients outside the mesh use that one",
)
def past_the_weights(manifests: Manifests) -> Iterator[Flaw]:
    """No other Service selects both versions, and none is open to the outside: there, all meet an untried canary."""
    both = [each for each in manifests.of("Service") if len(manifests.deployments) > 1]
    for each in both:
        if not all(_selects(each, deployment) for deployment in manifests.deployments):
            continue
        kind = each.root["spec", "type"]
        if kind.text in FROM_OUTSIDE:
            yield Flaw(kind.where, f"{each} selects both versions and is open to the outside ({kind.text})")
        elif each.name != manifests.names.service:
            yield Flaw(each.root["spec", "selector"].where, f"{each} selects both versions", Level.NOTE)


@rule(
    "port-protocol",
    "the port that the routes go to is known to speak HTTP or gRPC",
    why="the mesh splits and counts what it takes for HTTP; anything else is bytes, without weights and without errors",
    remedy="write `appProtocol: http` (or grpc) at the port, or a name that begins so, such as http-web",
)
def port_protocol(manifests: Manifests) -> Iterator[Flaw]:
    """Ports are named for their protocol: of one called ``web`` or ``tcp``, all traffic may pass the weights by."""
    for port in _routed_ports(manifests):
        said = port["appProtocol"].text or port["name"].text
        if not HTTP.fullmatch(said.lower()):
            what = f"port {port['port'].value} is called {said}" if said else f"port {port['port'].value} has no name"
            yield Flaw(port.where, f"{what}, which does not say that it speaks HTTP")


def _routed_ports(manifests: Manifests) -> tuple[Node, ...]:
    """Give the ports of the mesh's Service that routes go to; all of them where no route says which."""
    service = manifests.named("Service", manifests.names.service)
    ports = service.root["spec", "ports"].entries if service else ()
    asked = [each.value for each in _asked_ports(manifests) if each.value is not None]
    return tuple(each for each in ports if not asked or each["port"].value in asked)


def _asked_ports(manifests: Manifests) -> Iterator[Node]:
    names = manifests.names
    for each in manifests.virtual_services:
        for destination, host in (found for route in routes(each) for found in destinations(route, names)):
            if host == names.host:
                yield destination["port", "number"]


@rule(
    "port-routed",
    "routes go to a port that the Service has",
    why="a route to a port that nobody has answers 503",
    remedy="write `port: {number: ...}` of a port of the Service into the destination",
)
def port_routed(manifests: Manifests) -> Iterator[Flaw]:
    """Destinations name a port of the Service: with two ports and none named, istiod drops the route."""
    service = manifests.named("Service", manifests.names.service)
    ports = [each["port"].value for each in service.root["spec", "ports"].entries] if service else []
    for asked in _asked_ports(manifests) if ports else ():
        if asked.value is None and len(ports) > 1:
            yield Flaw(
                asked.where, f"{service} has the ports {listed(map(str, ports))}, and the route does not say which"
            )
        elif asked.value is not None and asked.value not in ports:
            yield Flaw(asked.where, f"{service} has no port {asked.value}, only {listed(map(str, ports))}")


@rule(
    "target-port",
    "the Service's target ports are ports of the containers",
    why="a named port that no container has leaves the Service without addresses, a wrong number refuses connections",
    remedy="give targetPort the name or the number of a containerPort",
)
def target_port(manifests: Manifests) -> Iterator[Flaw]:
    """Target ports exist in both Deployments: renamed in stable alone, the canary has pods and no addresses."""
    service = manifests.named("Service", manifests.names.service)
    for port in service.root["spec", "ports"].entries if service else ():
        target = port["targetPort"] if port["targetPort"].value is not None else port["port"]
        for each in manifests.deployments:
            ports = [found for container in containers(each) for found in container["ports"].entries]
            known = [found[key].value for found in ports for key in ("name", "containerPort")]
            if target.value not in known:
                silent = not ports and isinstance(target.value, int)  # a port need not be declared to be open
                what = (
                    f"no container of {each} has a port {target.value}, only {listed(str(one) for one in known if one)}"
                )
                yield Flaw(target.where, what, Level.NOTE if silent else Level.FAIL)


RULES = (mesh_service, past_the_weights, port_protocol, port_routed, target_port)


@gate(judging(RULES), evidence="manifests")
def test_service_reaches_both_versions(verdict: Verdict) -> None:
    """The mesh's Service selects both versions and speaks HTTP to ports that are there."""
    verdict.require()
