"""Istio's objects have only keys that Istio knows.

Its schemas are open: a key that nobody knows is dropped without a word, by the API server or by istiod. The known ones
stand in ``istio_keys.json``, taken from the CustomResourceDefinitions of Istio 1.31 (the same for v1, v1beta1 and
v1alpha3): a mapping of keys, ``"*"`` for any key, null for whatever has no keys of its own.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from checks.gate import gate
from checks.manifests.evidence import Manifest, Manifests, Node
from checks.manifests.mesh import asked_gateways, destination_rules, gateways
from checks.manifests.rule import Flaw, judging, rule
from checks.manifests.words import listed, meant
from checks.verdict import Verdict

GROUP = "networking.istio.io/"


@cache
def known_keys() -> Mapping[str, Any]:
    """Give the keys that Istio knows, per kind."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("istio_keys.json").read_text(encoding="utf-8"))
    return found


@rule(
    "known-keys",
    "VirtualService, DestinationRule and Gateway have only keys that Istio knows",
    why="a key that it does not know is dropped without a word, and its default is in force",
    remedy="mend the key or delete it",
)
def only_known_keys(manifests: Manifests) -> Iterator[Flaw]:
    """No unknown keys: ``wieght: 5`` is weight 0, ``retires`` leaves the two retries, and everything says Synced."""
    for each in _ours(manifests):
        if each.root["apiVersion"].text.startswith(GROUP):
            yield from _unknown(each.root["spec"], known_keys()[each.kind])


def _ours(manifests: Manifests) -> Iterator[Manifest]:
    yield from manifests.virtual_services
    yield from destination_rules(manifests)
    named = {name for each in manifests.virtual_services for _, name in asked_gateways(each, manifests.names)}
    yield from (each for name, each in gateways(manifests).items() if name in named)


def _unknown(node: Node, known: Mapping[str, Any] | None) -> Iterator[Flaw]:
    if known is None:
        return
    for entry in node.entries:
        yield from _unknown(entry, known)
    for key in node.mapping:
        if key in known or "*" in known:
            yield from _unknown(node[key], known.get(key, known.get("*")))
        else:
            hint = meant(str(key), known) or f"; known are {listed(known)}"
            yield Flaw(node[key].where, f"Istio knows no {key} here{hint}")


RULES = (only_known_keys,)


@gate(judging(RULES), evidence="manifests")
def test_istio_knows_every_key(verdict: Verdict) -> None:
    """Istio's objects have no key that Istio would drop."""
    verdict.require()
