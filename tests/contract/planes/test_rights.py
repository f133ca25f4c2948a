"""Least privilege on a real API server: with exactly these rights a release is promoted, and a dead one taken back.

Only by `make contract`, and with the real Kubernetes alone: the stand-in knows no roles.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ci.doctor.roles import roles
from fixtures.cluster import DEPLOYMENTS, NAMESPACES, VIRTUAL_SERVICES, Cluster, Resource
from fixtures.errors import SluicegateError
from fixtures.release import load_release
from fixtures.sandbox import up
from fixtures.sandbox.access import Access, kubeconfig
from fixtures.sandbox.files import read_json, write_json
from fixtures.sandbox.real.choice import Real
from fixtures.sandbox.real.planes import check

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "rebate-core" / "release.yaml"
JOB = ROOT / "ci" / "k8s" / "recover.yaml"
RATE = 400
RBAC = "rbac.authorization.k8s.io/v1"
KINDS = {
    "Namespace": NAMESPACES,
    "ServiceAccount": Resource("v1", "serviceaccounts", "ServiceAccount"),
    "Role": Resource(RBAC, "roles", "Role"),
    "RoleBinding": Resource(RBAC, "rolebindings", "RoleBinding"),
    "ClusterRole": Resource(RBAC, "clusterroles", "ClusterRole", namespaced=False),
    "ClusterRoleBinding": Resource(RBAC, "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
}

pytestmark = [
    pytest.mark.xdist_group("real"),
    pytest.mark.skipif(not os.environ.get("SLUICEGATE_CONTRACT"), reason="make contract asks for it"),
]


@dataclass
class Place:
    """A sandbox on a real API server."""

    state: Path
    info: dict[str, Any]
    admin: Cluster

    def apply(self, objects: Iterable[dict[str, Any]]) -> None:
        """Create what a team applies, as far as it is about rights."""
        for each in objects:
            if kind := KINDS.get(each["kind"]):
                self.admin.create(kind, each["metadata"].get("namespace", ""), each)

    def target_as(self, driver: str, gates: str) -> str:
        """Name the sandbox as a target whose driver and gates have these accounts."""
        folder = self.state.with_name(f"as-{driver}")
        folder.mkdir()
        files = {}
        for key, account in (("kubeconfig", driver), ("gates_kubeconfig", gates)):
            access = Access(
                self.info["api"], (self.state / "ca.crt").read_bytes(), admin=self._token(account), reader=""
            )
            write_json(folder / key, kubeconfig(access, account, access.admin))
            files[key] = str(folder / key)
        write_json(folder / "sandbox.json", (read_json(self.state / "sandbox.json") or {}) | files)
        return f"sandbox:{folder}"

    def specs(self) -> dict[str, Any]:
        found = {"routes": self.admin.get(VIRTUAL_SERVICES, "production", "rebate-core")["spec"]}
        return found | {each["metadata"]["name"]: each["spec"] for each in self.admin.list(DEPLOYMENTS, "production")}

    def _token(self, account: str) -> str:
        words = ["kubectl", "--kubeconfig", self.info["kubeconfig"], "create", "token", account, "-n", "sluicegate"]
        return subprocess.run(words, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    try:
        check(frozenset({Real.KUBE}))
    except SluicegateError as missing:
        pytest.skip(f"NO REAL KUBERNETES: that the rights are enough is NOT tested here: {missing}")
    state = tmp_path_factory.mktemp("rights") / "sandbox"
    with (
        up.start(state, rate=RATE, prometheus=False, real=frozenset({Real.KUBE})) as sandbox,
        closing(Cluster(Path(sandbox.info["kubeconfig"]))) as admin,
    ):
        place = Place(state, sandbox.info, admin)
        place.apply(YAML(typ="safe", pure=True).load_all(JOB))
        yield place


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("release") / "release.yaml"
    text = EXAMPLE.read_text().replace("[5, 25, 50, 100]", "[25, 100]").replace("gates: [own_gates.py]", "")
    file.write_text(text.replace("soak: 3s", "soak: 1s") + "hold_stable: min_replicas\n")
    return file


def sluicegate(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ci.rollout", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture
def promoted(place: Place, release: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Release with the accounts that `sluicegate rights` prints."""
    place.apply(roles(load_release(release), "sluicegate"))
    target = place.target_as("sluicegate-rebate-core-driver", "sluicegate-rebate-core-gates")
    where = ["--target", target, "--reports", str(tmp_path / "reports")]
    return sluicegate("run", str(release), "--image", place.info["images"]["v2"], *where)


@pytest.fixture
def left(place: Place, release: Path, tmp_path: Path) -> dict[str, Any]:
    """A driver has died while the canary had a weight; gives the specs of before."""
    before = place.specs()
    where = ["--target", f"sandbox:{place.state}", "--reports", str(tmp_path / "died"), "--json"]
    words = ["run", str(release), "--image", place.info["images"]["fair"], *where]
    with subprocess.Popen([sys.executable, "-m", "ci.rollout", *words], cwd=ROOT, stdout=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        raised = any(json.loads(line)["kind"] == "weights_written" for line in driver.stdout)
        driver.send_signal(signal.SIGKILL)
    assert raised
    return before


@pytest.fixture
def recovered(place: Place, left: dict[str, Any], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Do what the CronJob does, with its account."""
    assert place.specs() != left
    target = place.target_as("sluicegate-recover", "sluicegate-recover")
    return sluicegate("recover", "--all", "--expired", "--target", target, "--reports", str(tmp_path / "recovered"))


def test_those_of_a_release_are_enough_to_promote(place: Place, promoted: subprocess.CompletedProcess[str]) -> None:
    assert promoted.returncode == 0, promoted.stdout[-3000:] + promoted.stderr
    assert "forbidden" not in (promoted.stdout + promoted.stderr).lower()
    for name in ("rebate-core", "rebate-core-canary"):
        [container] = place.specs()[name]["template"]["spec"]["containers"]
        assert container["image"] == place.info["images"]["v2"]


def test_those_of_the_cronjob_are_enough_to_take_all_of_it_back(
    place: Place, left: dict[str, Any], recovered: subprocess.CompletedProcess[str]
) -> None:
    assert recovered.returncode == 1, recovered.stdout + recovered.stderr
    assert "rolled back" in recovered.stdout
    assert place.specs() == left
