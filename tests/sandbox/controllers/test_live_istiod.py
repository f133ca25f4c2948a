"""The istiod stand-in with a real Envoy, where it is not as the real one: tests/contract/planes has the rest."""

import http.client
import subprocess
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from fixtures.cluster import EVENTS, VIRTUAL_SERVICES
from fixtures.sandbox.binaries import ENVOY, find
from fixtures.sandbox.dataplane import envoy

pytestmark = pytest.mark.xdist_group("controllers")

ROUTE = ("production", "rebate-core")


class Gateway:
    """A running Envoy and a client of it."""

    def __init__(self, world, addresses):
        self.world = world
        self.admin = addresses.admin
        self.port = urlsplit(addresses.url).port

    def ask(self):
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request("GET", "/", headers={"Host": "rebate.example.com"})
            return connection.getresponse()

    def set(self, **rule):
        """Change the example's rule; gives the resourceVersion."""
        spec = self.world.client.get(VIRTUAL_SERVICES, *ROUTE)["spec"]
        return self.patch({"spec": {"http": [{**spec["http"][0], **rule}]}})

    def patch(self, change):
        return self.world.client.merge_patch(VIRTUAL_SERVICES, *ROUTE, change)["metadata"]["resourceVersion"]

    def until_in_effect(self, version):
        self.world.until(lambda: self.ask().headers.get("x-route-generation") == version, f"routes of {version}")


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


def test_what_the_sandbox_does_not_know_is_refused_and_the_old_routes_stay(gateway):
    version = gateway.world.client.get(VIRTUAL_SERVICES, *ROUTE)["metadata"]["resourceVersion"]
    gateway.set(fault={"abort": {"httpStatus": 500, "percentage": {"value": 100}}})

    def events():
        found = gateway.world.client.list(EVENTS, "production", fields="reason=NotSupportedInSandbox")
        return [each["message"] for each in found]

    gateway.world.until(lambda: any("does not know fault" in each for each in events()), "an Event that says so")
    answer = gateway.ask()
    assert (answer.status, answer.headers["x-route-generation"]) == (200, version)
