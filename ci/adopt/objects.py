"""The objects that a service with one Deployment lacks: the canary's Deployment, a Service for both, the mesh's part.

Rules:
    1. The canary's pods carry another value of the label by which today's Service finds pods: nobody who calls that
       Service can meet an untried version, in the mesh or outside of it.
    2. A label of our own joins the versions; a Service of its own, which only the mesh's routes name, selects by it.
    3. Nothing says replicas: a sync would set back what a release or an autoscaler has set.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

from ci.adopt.found import Found

JOINS = "sluicegate.dev/service"
TIMEOUT = "15s"
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What nobody can read from the manifests.

    Attributes:
        host: by which clients address the service from outside.
        gateway: that serves it, ``NAMESPACE/NAME``; "" for one of its own.
        namespace: of the service.
    """

    host: str
    gateway: str
    namespace: str


def versions_of(service: str) -> str:
    """Give the name of the Service that has both versions behind it."""
    return f"{service}-versions"


def canary_of(found: Found) -> str:
    """Write the canary's Deployment: stable's, comments and all, under a name and labels of its own."""
    text = YAML(typ="rt")
    text.preserve_quotes, text.width = True, 4096
    copy = [each for each in text.load_all(found.deployment.text) if each is not None][found.deployment.place]
    copy["metadata"]["name"] = f"{found.deployment.name}-canary"
    copy["spec"].pop("replicas", None)
    copy["spec"]["selector"]["matchLabels"]["version"] = "canary"
    pods = copy["spec"]["template"]["metadata"]["labels"]
    pods["version"], pods[JOINS] = "canary", found.deployment.name
    for labels in (copy["metadata"].get("labels") or {}, copy["spec"]["selector"]["matchLabels"], pods):
        for key in told_apart_by(found) & labels.keys():
            labels[key] = f"{labels[key]}-canary"
    return dumped(copy, text)


def told_apart_by(found: Found) -> set[str]:
    """Give the labels whose value the canary's pods may not share: one of the Service's, one of stable's selector."""
    service = found.service.labels("spec", "selector")
    stable = found.deployment.labels("spec", "selector", "matchLabels")
    shared = [key for key in service if key in stable]
    return {shared[0]} if shared else {next(iter(service)), *list(stable)[:1]}


def versions_service(found: Found, ports: list[Mapping[str, Any]]) -> Manifest:
    """Give the Service that has both versions behind it.

    Args:
        found: what there is.
        ports: of today's Service.
    """
    name = found.deployment.name
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": versions_of(name), "labels": {"app": versions_of(name)}},
        "spec": {"selector": {JOINS: name}, "ports": [{"appProtocol": "http", **each} for each in ports]},
    }


def traffic_of(found: Found, wanted: Wanted, port: int) -> list[Manifest]:
    """Give what splits the traffic.

    Args:
        found: what there is.
        wanted: what cannot be read from it.
        port: of the Service.
    """
    name, namespace = found.deployment.name, wanted.namespace
    host = f"{versions_of(name)}.{namespace}.svc.cluster.local"

    def of(kind: str, spec: Manifest) -> Manifest:
        metadata = {"name": name, "namespace": namespace}
        return {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}

    def to(subset: str, weight: int) -> Manifest:
        return {"destination": {"host": host, "subset": subset, "port": {"number": port}}, "weight": weight}

    server = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": [wanted.host]}
    subsets = [{"name": each, "labels": {"version": each}} for each in ("stable", "canary")]
    route = {
        "name": "primary",
        "timeout": TIMEOUT,
        "retries": {"attempts": 0},
        "route": [to("stable", 100), to("canary", 0)],
    }
    made = [
        of("DestinationRule", {"host": host, "subsets": subsets}),
        of("VirtualService", {"hosts": [wanted.host], "gateways": [wanted.gateway or name], "http": [route]}),
    ]
    gateway = of("Gateway", {"selector": {"istio": "ingressgateway"}, "servers": [server]})
    return made if wanted.gateway else [gateway, *made]


def dumped(thing: Any, yaml: YAML | None = None) -> str:
    """Write one object, or several, as YAML."""
    writer = yaml or YAML()
    writer.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    if isinstance(thing, list):
        writer.dump_all(thing, out)
    else:
        writer.dump(thing, out)
    return out.getvalue()
