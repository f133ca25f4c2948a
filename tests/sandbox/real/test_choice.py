"""Which control planes are real, and what is said when one can not be had."""

from pathlib import Path

import pytest

from fixtures.errors import InputError, SluicegateError
from fixtures.sandbox.real import assets, choice, planes
from fixtures.sandbox.real.choice import Real

VARIABLES = (assets.VARIABLE, choice.RUNNING, choice.XDS, choice.CRDS, "SLUICEGATE_ISTIOD", "SLUICEGATE_ARGOCD")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that has none of the programs; gives a folder for some."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def program(folder: Path, name: str, says: str = "") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("", set()),
        ("kube", {Real.KUBE}),
        ("argocd", {Real.KUBE, Real.ARGOCD}),
        ("istio, kube", {Real.KUBE, Real.ISTIO}),
    ],
)
def test_a_real_argo_cd_or_istio_brings_kubernetes_with_it(text: str, chosen: set[Real]) -> None:
    assert choice.parse(text) == chosen


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no real flux; name some of kube,argocd,istio"):
        choice.parse("kube,flux")


def test_what_is_missing_is_said_with_how_to_get_it(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"needs etcd and kube-apiserver, .*setup-envtest"):
        planes.check(frozenset({Real.KUBE}))
    monkeypatch.setenv(assets.VARIABLE, str(bare))
    for name in ("etcd", "kube-apiserver"):
        program(bare, name)
    with pytest.raises(SluicegateError, match=r"needs pilot-discovery and has none .*set SLUICEGATE_ISTIOD"):
        planes.check(choice.parse("istio"))
    monkeypatch.setenv("SLUICEGATE_ISTIOD", program(bare, "istiod", "version.BuildInfo{...}"))
    with pytest.raises(InputError, match=r"istio\.yaml is not there.*crd-all\.gen\.yaml"):
        planes.check(choice.parse("istio"))
    monkeypatch.setenv("SLUICEGATE_ARGOCD", program(bare, "argocd", "argocd: v3"))
    with pytest.raises(SluicegateError, match=r"needs redis-server and has none .*set SLUICEGATE_REDIS"):
        planes.check(choice.parse("argocd"))
    program(bare, "redis-server")  # beside argocd it is taken as it is
    with pytest.raises(InputError, match=r"argocd\.yaml is not there.*manifests/crds"):
        planes.check(choice.parse("argocd"))


def test_with_all_programs_nothing_is_missing(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, says in (
        ("etcd", ""),
        ("kube-apiserver", ""),
        ("pilot-discovery", "version.BuildInfo"),
        ("argocd", "argocd"),
    ):
        program(bare, name, says)
    program(bare, "redis-server", "Redis server v=7")
    (bare.parent / "crd").mkdir()
    for name in ("istio", "argocd"):
        (bare.parent / "crd" / f"{name}.yaml").write_text("kind: CustomResourceDefinition\n")
    monkeypatch.setenv("PATH", f"{bare}:/bin:/usr/bin")
    planes.check(frozenset(Real))
    assert not assets.has_controllers(), "there is no kube-controller-manager"
    program(bare, "kube-controller-manager")
    assert assets.has_controllers()


def test_a_running_control_plane_needs_no_programs_but_istiods_address(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(choice.RUNNING, str(bare / "kubeconfig"))
    with pytest.raises(InputError, match=r"kubeconfig is not there"):
        planes.check(frozenset(Real))
    (bare / "kubeconfig").touch()
    planes.check(choice.parse("argocd"))
    for address in ("", "10.0.0.7:15010", "127.0.0.1"):
        monkeypatch.setenv(choice.XDS, address)
        with pytest.raises(InputError, match=r"no istiod on loopback"):
            planes.check(choice.parse("istio"))
    monkeypatch.setenv(choice.XDS, "127.0.0.1:15010")
    planes.check(choice.parse("istio"))
