"""What real control planes are given: objects of the example as they need them, and the pods' addresses."""

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.cluster import APPLICATIONS
from fixtures.errors import InputError
from fixtures.sandbox import seed
from fixtures.sandbox.controllers.workloads import entry_of
from fixtures.sandbox.parts import Parts
from fixtures.sandbox.real import kube
from fixtures.sandbox.real.choice import Real, parse
from fixtures.sandbox.real.gateway import LABEL, Gateway, counts_already
from fixtures.sandbox.real.planes import Planes, by_name
from fixtures.sandbox.real.ports import free_ports

GIT = "http://127.0.0.1:4000/"


def manifest(kind: str) -> dict[str, Any]:
    files = [seed.EXAMPLE / "application.yaml", seed.EXAMPLE / "traffic" / "rebate-core.yaml"]
    return next(each for file in files for each in seed.manifests(file) if each["kind"] == kind)


@pytest.mark.parametrize(
    ("real", "running", "needed"),
    [
        ("", "", {"kubelet", "deployments", "argocd", "istiod"}),
        ("kube", "/kubeconfig", {"kubelet", "argocd", "istiod"}),
        ("argocd", "/kubeconfig", {"kubelet", "istiod"}),
        ("argocd,istio", "/kubeconfig", {"kubelet", "workloads"}),
    ],
)
def test_what_is_not_real_is_stood_in_for(
    real: str, running: str, needed: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kubeconfig").touch()
    monkeypatch.setenv("SLUICEGATE_REAL_KUBECONFIG", running and str(tmp_path / "kubeconfig"))
    assert set(Planes(parse(real), tmp_path, Parts(tmp_path)).stand_ins()) == needed


def test_only_a_real_argo_cd_is_told_where_git_really_is(tmp_path: Path) -> None:
    application = manifest("Application")
    before = copy.deepcopy(application)
    real = Planes(frozenset({Real.KUBE, Real.ARGOCD}), tmp_path, Parts(tmp_path)).adapted(application, GIT)
    assert real["spec"]["source"]["repoURL"] == f"{GIT}shop/k8s-manifests.git"
    assert Planes(frozenset(), tmp_path, Parts(tmp_path)).adapted(application, GIT) == before == application


def test_a_gateway_gets_a_free_port_of_loopback_for_this_envoy_only(tmp_path: Path) -> None:
    given = manifest("Gateway")
    one, another = Gateway(tmp_path, 15010), Gateway(tmp_path, 15010)
    adapted = one.adapted(given)
    (server,) = adapted["spec"]["servers"]
    assert (server["bind"], server["port"]["protocol"], server["hosts"]) == (
        "127.0.0.1",
        "HTTP",
        ["rebate.example.com"],
    )
    assert 20_000 <= server["port"]["number"] < 32_000
    assert adapted["spec"]["selector"][LABEL] != another.adapted(given)["spec"]["selector"][LABEL]
    assert one.filter(counted=False)["spec"]["workloadSelector"]["labels"][LABEL] == adapted["spec"]["selector"][LABEL]
    assert one.adapted(manifest("VirtualService")) == manifest("VirtualService")


def test_a_mesh_that_counts_already_does_not_count_twice(tmp_path: Path) -> None:
    ours = Gateway(tmp_path, 15010)
    of_all = {"spec": {"configPatches": [{"patch": {"value": "istio_requests_total"}}]}}
    assert counts_already([of_all])
    assert not counts_already([{"spec": {}}, ours.filter(counted=False)]), "another sandbox's is for its gateway only"
    assert "istio_requests_total" in repr(ours.filter(counted=False))
    told = repr(ours.filter(counted=True))
    assert "istio_requests_total" not in told
    assert "access.log" in told


def test_a_pod_is_told_to_istiod_with_its_ports_and_its_names() -> None:
    labels = {"app": "shop", "version": "canary", "pod-template-hash": "5d4f"}
    owner = {"kind": "ReplicaSet", "name": "shop-canary-5d4f", "controller": True, "uid": "r"}
    metadata = {
        "name": "shop-canary-5d4f-x2",
        "namespace": "n",
        "uid": "p",
        "labels": labels,
        "ownerReferences": [owner],
    }
    ports = [{"name": "http", "containerPort": 8080}, {"containerPort": 9090}]
    spec = {"containers": [{"ports": ports}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"podIP": "127.9.9.9"}}
    entry = entry_of(pod)
    assert entry["metadata"]["labels"] == {"service.istio.io/workload-name": "shop-canary"}
    assert entry["metadata"]["ownerReferences"][0]["uid"] == "p"
    assert (entry["spec"]["address"], entry["spec"]["ports"]) == ("127.9.9.9", {"http": 8080})
    assert entry["spec"]["labels"] == {**labels, "service.istio.io/canonical-name": "shop-canary-5d4f-x2"}


def test_a_kind_that_only_stand_ins_use_is_defined_by_name() -> None:
    definition = by_name(APPLICATIONS)
    assert definition["metadata"]["name"] == "applications.argoproj.io"
    assert definition["spec"]["names"]["kind"] == "Application"
    assert [each["name"] for each in definition["spec"]["versions"]] == ["v1alpha1"]


def test_ports_are_free_and_different() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20


class Server:
    """An API server with namespaces, that keeps what is deleted."""

    address = "https://127.0.0.1:1"

    def __init__(self, **labels: dict[str, str]) -> None:
        self.namespaces = [{"metadata": {"name": name, "labels": its}} for name, its in labels.items()]
        self.deleted: list[str] = []

    def list(self, resource: Any, namespace: str, selector: str = "") -> list[Any]:
        found = self.namespaces if resource.plural == "namespaces" else []
        return [each for each in found if not selector or selector in each["metadata"]["labels"]]

    def remove(self, resource: Any, dead: Any, grace: int | None = None) -> None:
        self.deleted.append(dead["metadata"]["name"])
        self.namespaces.remove(dead)


def test_on_a_running_server_only_what_a_sandbox_has_made_is_deleted() -> None:
    ours = {seed.OURS: "true"}
    server = Server(production=ours, argocd={}, default={})
    kube.clear(server)  # type: ignore[arg-type]
    assert server.deleted == ["production"]


def test_a_namespace_of_somebody_else_is_left_alone_and_named() -> None:
    server = Server(production={"team": "shop"})
    with pytest.raises(InputError, match="namespace production that no sandbox has made"):
        kube.clear(server)  # type: ignore[arg-type]
    assert server.deleted == []


def test_a_server_that_is_not_on_loopback_is_never_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_REAL_KUBECONFIG", str(tmp_path / "kubeconfig"))
    (tmp_path / "kubeconfig").touch()
    elsewhere = SimpleNamespace(address="https://10.0.0.7:6443")
    monkeypatch.setattr(kube, "Admission", lambda _: elsewhere)
    with pytest.raises(InputError, match=r"10\.0\.0\.7:6443 is not on loopback"):
        kube.admit(tmp_path, Parts(tmp_path))
