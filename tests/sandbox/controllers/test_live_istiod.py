"""The istiod stand-in with a real Envoy: what a VirtualService says is what requests meet."""

import http.client
import subprocess
import threading
import time
from collections import Counter
from contextlib import closing
from urllib.parse import urlsplit

import pytest
import requests

from fixtures.cluster import DEPLOYMENTS, DESTINATION_RULES, EVENTS, VIRTUAL_SERVICES
from fixtures.sandbox.binaries import ENVOY, find
from fixtures.sandbox.dataplane import envoy

pytestmark = pytest.mark.xdist_group("controllers")

ROUTE = ("production", "rebate-core")
HOST = "rebate-core.production.svc.cluster.local"
CLUSTER = f"outbound|80|{{}}|{HOST}"


class Gateway:
    """A running Envoy and a client of it."""

    def __init__(self, world, addresses):
        self.world = world
        self.admin = addresses.admin
        self.port = urlsplit(addresses.url).port

    def ask(self, path="/", host="rebate.example.com", headers=None):
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request("GET", path, headers={"Host": host, **(headers or {})})
            answer = connection.getresponse()
            answer.body = answer.read()
            return answer

    def versions(self, count):
        return Counter(self.ask().headers.get("x-version") for _ in range(count))

    def flags(self):
        """Give the response flags of the last request in the access log."""
        line = (self.world.state / "access.log").read_text().splitlines()
        return line[-1].split()[-2] if line else ""

    def set(self, *route, **rule):
        """Change the example's rule; gives the resourceVersion."""
        spec = self.world.client.get(VIRTUAL_SERVICES, *ROUTE)["spec"]
        changed = {**spec["http"][0], **({"route": list(route)} if route else {}), **rule}
        return self.patch({"spec": {"http": [changed]}})

    def patch(self, change):
        return self.world.client.merge_patch(VIRTUAL_SERVICES, *ROUTE, change)["metadata"]["resourceVersion"]

    def until_in_effect(self, version):
        self.world.until(lambda: self.ask().headers.get("x-route-generation") == version, f"routes of {version}")


def to(subset, weight=None, host=HOST, **more):
    return {"destination": {"host": host, "subset": subset}, **({} if weight is None else {"weight": weight}), **more}


@pytest.fixture(scope="module")
def running_gateway(deployed):
    """Run a real Envoy on the files that istiod writes."""
    configuration = deployed.state / "envoy" / "bootstrap.json"
    with (deployed.state / "envoy.log").open("wb") as log:
        process = subprocess.Popen(envoy.command(find(ENVOY), configuration), stdout=log, stderr=log)
    try:
        addresses = deployed.until(lambda: envoy.gateway(deployed.state), "Envoy")
        yield Gateway(deployed, addresses)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def gateway(running_gateway):
    """Have the example's own routes in effect, before and after."""
    world = running_gateway.world
    spec = world.client.get(VIRTUAL_SERVICES, *ROUTE)["spec"]
    running_gateway.until_in_effect(world.client.get(VIRTUAL_SERVICES, *ROUTE)["metadata"]["resourceVersion"])
    yield running_gateway
    version = running_gateway.patch(
        {"spec": {**dict.fromkeys(world.client.get(VIRTUAL_SERVICES, *ROUTE)["spec"]), **spec}}
    )
    running_gateway.until_in_effect(version)


def test_at_rest_all_requests_go_to_stable(gateway):
    assert gateway.versions(100) == {"stable": 100}


def test_a_weight_is_in_effect_soon_after_it_is_written(gateway):
    took = []
    for weight in (5, 25, 50, 0):
        version = gateway.set(to("stable", 100 - weight), to("canary", weight))
        began = time.monotonic()
        gateway.until_in_effect(version)
        took.append(time.monotonic() - began)
    assert sorted(took)[1] < 0.1  # usually 0.03 s; the machine may be busy


def test_the_traffic_is_split_by_weight(gateway):
    gateway.until_in_effect(gateway.set(to("stable", 75), to("canary", 25)))
    seen = gateway.versions(400)
    assert seen["canary"] + seen["stable"] == 400
    assert abs(seen["canary"] - 100) < 5 * (400 * 0.25 * 0.75) ** 0.5


def test_one_destination_takes_all_traffic_even_at_weight_0(gateway):
    gateway.until_in_effect(gateway.set(to("canary", 0)))
    assert gateway.versions(20) == {"canary": 20}


def test_a_host_that_nobody_routes_is_not_found(gateway):
    assert gateway.ask(host="other.example.com").status == 404


def test_a_subset_that_no_rule_names_answers_503(gateway):
    gateway.patch({"spec": {"http": [{"route": [to("nightly")]}]}})
    gateway.world.until(lambda: gateway.ask().status == 503, "503")


def test_a_subset_without_pods_answers_503(gateway):
    rule = gateway.world.client.get(DESTINATION_RULES, *ROUTE)["spec"]
    subsets = [*rule["subsets"], {"name": "nobody", "labels": {"version": "nobody"}}]
    gateway.world.client.merge_patch(DESTINATION_RULES, *ROUTE, {"spec": {"subsets": subsets}})
    gateway.until_in_effect(gateway.set(to("nobody")))
    assert gateway.ask().status == 503
    gateway.world.until(lambda: gateway.flags() == "UH", "the flag of no healthy upstream")


def test_matches_and_headers_and_rewrites_are_honoured(gateway):
    rules = [
        {"match": [{"headers": {"x-try": {"exact": "canary"}}}], "route": [to("canary")]},
        {"match": [{"uri": {"prefix": "/old/"}}], "rewrite": {"uri": "/new/"}, "route": [to("stable")]},
        {"match": [{"uri": {"exact": "/gone"}}], "redirect": {"uri": "/here", "redirectCode": 302}},
        {"route": [to("stable")], "headers": {"response": {"set": {"x-colour": "green"}}}},
    ]
    gateway.until_in_effect(gateway.patch({"spec": {"http": rules}}))
    assert gateway.ask(headers={"x-try": "canary"}).headers["x-version"] == "canary"
    assert gateway.ask().headers["x-colour"] == "green"
    assert b"/new/things" in gateway.ask("/old/things").body
    assert (gateway.ask("/gone").status, gateway.ask("/gone").headers["location"].endswith("/here")) == (302, True)


def test_what_the_sandbox_does_not_know_is_refused_and_the_old_routes_stay(gateway):
    version = gateway.world.client.get(VIRTUAL_SERVICES, *ROUTE)["metadata"]["resourceVersion"]
    gateway.set(fault={"abort": {"httpStatus": 500, "percentage": {"value": 100}}})

    def events():
        found = gateway.world.client.list(EVENTS, "production", fields="reason=NotSupportedInSandbox")
        return [each["message"] for each in found]

    gateway.world.until(lambda: any("does not know fault" in each for each in events()), "an Event that says so")
    answer = gateway.ask()
    assert (answer.status, answer.headers["x-route-generation"]) == (200, version)


def test_weights_may_stand_in_a_delegate(gateway):
    world = gateway.world
    inner = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService"}
    world.create(
        {
            **inner,
            "metadata": {"name": "weights", "namespace": "production"},
            "spec": {"http": [{"route": [to("stable", 100), to("canary", 0)]}]},
        }
    )
    gateway.patch({"spec": {"http": [{"timeout": "5s", "delegate": {"name": "weights"}}]}})

    def generation():
        return world.client.get(VIRTUAL_SERVICES, "production", "weights")["metadata"]["resourceVersion"]

    gateway.until_in_effect(generation())
    change = {"spec": {"http": [{"route": [to("stable", 0), to("canary", 100)]}]}}
    world.client.merge_patch(VIRTUAL_SERVICES, "production", "weights", change)
    gateway.until_in_effect(generation())
    assert gateway.versions(20) == {"canary": 20}


def test_no_request_fails_while_all_pods_are_exchanged(gateway):
    world = gateway.world
    seen, going = Counter(), threading.Event()

    def load():
        session = requests.Session()
        session.trust_env = False
        while not going.is_set():
            answer = session.get(
                f"http://127.0.0.1:{gateway.port}/", headers={"Host": "rebate.example.com"}, timeout=10
            )
            seen[answer.status_code, answer.headers.get("x-image")] += 1

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        container = world.client.get(DEPLOYMENTS, *ROUTE)["spec"]["template"]["spec"]["containers"][0]
        change = {**container, "env": [{"name": "AGAIN", "value": "1"}]}
        world.client.merge_patch(DEPLOYMENTS, *ROUTE, {"spec": {"template": {"spec": {"containers": [change]}}}})
        first = {pod["metadata"]["name"] for pod in world.pods("stable")}
        world.until(lambda: not first & {pod["metadata"]["name"] for pod in world.pods("stable")}, "new pods only")
    finally:
        going.set()
        for thread in threads:
            thread.join()
    assert set(seen) == {(200, world.images.v1)}
    assert sum(seen.values()) > 100
