"""Images from a real registry, addresses, and the words of a pod's status."""

import socket

import pytest

from fixtures.sandbox.controllers.kubelet.addresses import Addresses, NoAddress
from fixtures.sandbox.controllers.kubelet.images import ImageError, Reference, Registry
from fixtures.sandbox.controllers.kubelet.process import Probe
from fixtures.sandbox.controllers.kubelet.status import ContainerState, report
from fixtures.sandbox.dataplane import images

IMAGE = "registry.example.com/shop/rebate-core-service"


@pytest.fixture
def registry(registry_with_images):
    return Registry({"registry.example.com": registry_with_images.host})


def test_a_tag_and_its_digest_are_the_same_image(registry, registry_with_images):
    by_tag, by_digest = registry.image(f"{IMAGE}:v2"), registry.image(registry_with_images.v2)
    assert by_tag == by_digest
    assert (by_tag.identity, by_tag.faults) == (registry_with_images.v2, '{"errors": 0.5}')


@pytest.mark.parametrize(
    "reference", [f"{IMAGE}:missing", f"{IMAGE}@sha256:{'0' * 64}", "registry.example.com/nobody/nothing:v1"]
)
def test_a_missing_image_is_said_to_be_missing(registry, reference):
    with pytest.raises(ImageError, match="not found"):
        registry.image(reference)


def test_an_image_for_other_machines_only_is_refused(registry, registry_with_images):
    foreign = images.Image("shop/foreign", "v1", platforms=("linux/s390x",))
    images.push(f"http://{registry_with_images.host}", foreign)
    with pytest.raises(ImageError, match="no match for platform"):
        registry.image("registry.example.com/shop/foreign:v1")


def test_a_registry_that_does_not_answer_is_said_to_be_silent():
    with pytest.raises(ImageError, match="does not answer"):
        Registry({"registry.example.com": "127.0.0.1:1"}).image(f"{IMAGE}:v1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("r.example.com/a/b:v1", Reference("r.example.com", "a/b", "v1", "")),
        ("r.example.com:5000/a/b", Reference("r.example.com:5000", "a/b", "latest", "")),
        (f"r.example.com/a@sha256:{'1' * 64}", Reference("r.example.com", "a", "", "sha256:" + "1" * 64)),
        (f"r.example.com/a:v1@sha256:{'1' * 64}", Reference("r.example.com", "a", "v1", "sha256:" + "1" * 64)),
    ],
)
def test_references_are_taken_apart(text, expected):
    assert Reference.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", "nginx", "library/nginx", "r.example.com/A:v1", "r.example.com/a@sha256:12", "r.example.com/a b"]
)
def test_what_names_no_registry_is_no_reference(text):
    with pytest.raises(ImageError, match="no image reference"):
        Reference.parse(text)


def test_addresses_are_given_once_until_they_are_given_back():
    addresses = Addresses()
    given = [addresses.take(8080) for _ in range(253)]
    assert len(set(given)) == 253
    with pytest.raises(NoAddress, match="8080"):
        addresses.take(8080)
    addresses.give_back(given[5])
    assert addresses.take(8080) == given[5]


def test_an_address_whose_port_is_taken_is_not_given():
    addresses = Addresses()
    with socket.create_server((f"{addresses.prefix}.2", 0)) as taken:
        port = taken.getsockname()[1]
        assert addresses.take(port) == f"{addresses.prefix}.3"


def test_two_sandboxes_have_ranges_of_their_own():
    assert len({Addresses().prefix for _ in range(20)}) > 15


POD = {
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "app", "image": f"{IMAGE}:v1"}]},
    "status": {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "2020-01-01T00:00:00Z"}]},
}


def ready(status):
    return next(each for each in status["conditions"] if each["type"] == "Ready")


def test_a_waiting_pod_is_pending_and_says_why():
    status = report(POD, ContainerState(waiting=("ErrImagePull", "not found")), "2026-01-01T00:00:00Z")
    assert status["phase"] == "Pending"
    assert status["containerStatuses"][0]["state"] == {"waiting": {"reason": "ErrImagePull", "message": "not found"}}
    assert "podIP" not in status


def test_a_condition_keeps_its_time_until_it_turns():
    waiting = report(POD, ContainerState(), "2026-01-01T00:00:00Z")
    running = report(POD, ContainerState(ready=True, started_at="2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z")
    assert ready(waiting)["lastTransitionTime"] == "2020-01-01T00:00:00Z"
    assert ready(running)["status"] == "True"
    assert ready(running)["lastTransitionTime"] > "2026"


def test_a_pod_that_crashed_is_running_and_not_ready():
    status = report(POD, ContainerState(restarts=1, waiting=("CrashLoopBackOff", "")), "2026-01-01T00:00:00Z")
    assert (status["phase"], ready(status)["status"]) == ("Running", "False")


def test_a_probe_is_read_with_the_defaults_of_kubernetes():
    assert Probe.of({"readinessProbe": {"httpGet": {"path": "/up"}, "periodSeconds": 2}}) == Probe("/up", 2, 1, 3)
