"""Routes against those that a real istiod (1.31) gave a real Envoy for the same VirtualServices.

Recorded once; left out are what a metrics-only difference makes (metadata, decorator) and gRPC's own time limit.
"""

import json
from pathlib import Path

import pytest

from fixtures.sandbox.controllers.istiod.hosts import route_configuration

RECORDED = json.loads((Path(__file__).parent / "recorded" / "istiod_routes.json").read_text())


def virtual_service(name, http, **spec):
    metadata = {"name": name, "namespace": "shopns", "resourceVersion": "1"}
    return {"metadata": metadata, "spec": {**spec, "http": http}}


def without_our_own(route):
    headers = [each for each in route["response_headers_to_add"] if each["header"]["key"] != "x-route-generation"]
    rest = {key: value for key, value in route.items() if key not in ("metadata", "response_headers_to_add")}
    return {**rest, **({"response_headers_to_add": headers} if headers else {})}


@pytest.mark.parametrize("recorded", RECORDED["cases"], ids=lambda case: case["case"])
def test_a_virtual_service_becomes_the_routes_that_it_becomes_with_istio(recorded):
    server = {"port": {"number": 80, "protocol": "HTTP"}, "hosts": ["shop.example.com"]}
    edge = {"metadata": {"name": "edge", "namespace": "shopns"}, "spec": {"servers": [server]}}
    root = virtual_service("shop", recorded["http"], hosts=["shop.example.com"], gateways=["edge"])
    found = route_configuration([root, virtual_service("weights", RECORDED["delegate"])], [edge], lambda _: 80)
    assert [without_our_own(route) for route in found["virtual_hosts"][0]["routes"]] == recorded["routes"]
