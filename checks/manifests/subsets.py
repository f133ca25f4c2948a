"""The DestinationRule's two subsets are the pods of the two Deployments."""

from collections.abc import Iterator

from checks.gate import gate
from checks.manifests.evidence import Manifests
from checks.manifests.mesh import destination_rules, destinations, routes, subsets
from checks.manifests.pods import labels, picks
from checks.manifests.rule import Flaw, Level, judging, rule
from checks.manifests.words import listed, meant
from checks.verdict import Verdict


@rule(
    "destination-rule",
    "a DestinationRule for the service names both subsets",
    why="a route to a subset that nobody defines answers 503 to every request",
    remedy="define both subsets by the label version, for the service's full host name",
)
def both_subsets(manifests: Manifests) -> Iterator[Flaw]:
    """Host and both subsets are there: with a mistyped host, users get 503 from the first percent on."""
    names, rules = manifests.names, destination_rules(manifests)
    if not rules:
        others = [each.root["spec", "host"].text for each in manifests.of("DestinationRule")]
        what = f"there is no DestinationRule for {names.host}, only for {listed(others)}"
        seen = Level.FAIL if manifests.whole or others else Level.UNSEEN
        yield Flaw(f"namespace {names.namespace}", what, seen)
        return
    for name in (names.stable_subset, names.canary_subset):
        if name not in (known := subsets(manifests)):
            where = rules[0].root["spec", "subsets"].where
            yield Flaw(where, f"{rules[0]} has no subset {name}, only {listed(known)}{meant(name, known)}")


@rule(
    "subset-pods",
    "each subset selects the pods of its own Deployment and no others",
    why="the weight of the canary then goes to stable, to nobody (503), or to both",
    remedy="write into the subset the label in which the two pod templates differ",
)
def one_deployment_each(manifests: Manifests) -> Iterator[Flaw]:
    """A subset matches exactly one Deployment: ``v2`` in one file and ``canary`` in the other is 503 for the 5 %."""
    names = manifests.names
    for name, own in ((names.stable_subset, names.stable), (names.canary_subset, names.canary)):
        subset = subsets(manifests).get(name)
        if subset is None or own not in [each.name for each in manifests.deployments]:
            continue
        chosen = [each.name for each in manifests.deployments if picks(subset["labels"].mapping, labels(each))]
        if chosen != [own]:
            what = f"subset {name} selects the pods of {listed(chosen)}, and has to select those of {own}"
            yield Flaw(subset["labels"].where, what)


@rule(
    "subset-known",
    "every subset that a route goes to is defined",
    why="a route to a subset that nobody defines answers 503 to every request",
    remedy="mend its name in the VirtualService",
)
def routes_to_known_subsets(manifests: Manifests) -> Iterator[Flaw]:
    """No route goes to an unknown subset: testers who are sent to ``canry`` report a broken canary."""
    names, known = manifests.names, subsets(manifests)
    for each in manifests.virtual_services if known else ():
        for destination, host in (one for route in routes(each) for one in destinations(route, names)):
            subset = destination["subset"].text
            if host == names.host and subset and subset not in known:
                yield Flaw(
                    destination["subset"].where, f"no DestinationRule has the subset {subset}{meant(subset, known)}"
                )


RULES = (both_subsets, one_deployment_each, routes_to_known_subsets)


@gate(judging(RULES), evidence="manifests")
def test_subsets_are_the_two_versions(verdict: Verdict) -> None:
    """The subsets that share the traffic are the pods of the two Deployments."""
    verdict.require()
