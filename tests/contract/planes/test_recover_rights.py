"""The CronJob's account on a real API server: its rights are enough to take back what a dead driver has left.

Only by `make contract`, and with the real Kubernetes alone: the stand-in knows no roles.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from fixtures.cluster import DEPLOYMENTS, VIRTUAL_SERVICES, Cluster, Resource
from fixtures.errors import SluicegateError
from fixtures.sandbox import up
from fixtures.sandbox.access import Access, kubeconfig
from fixtures.sandbox.files import read_json, write_json
from fixtures.sandbox.real.choice import Real
from fixtures.sandbox.real.planes import check

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "rebate-core" / "release.yaml"
FILE = ROOT / "ci" / "k8s" / "recover.yaml"
RATE = 400
RBAC = "rbac.authorization.k8s.io/v1"
KINDS = {
    "Namespace": Resource("v1", "namespaces", "Namespace", namespaced=False),
    "ServiceAccount": Resource("v1", "serviceaccounts", "ServiceAccount"),
    "ClusterRole": Resource(RBAC, "clusterroles", "ClusterRole", namespaced=False),
    "ClusterRoleBinding": Resource(RBAC, "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
}

pytestmark = [
    pytest.mark.xdist_group("real"),
    pytest.mark.skipif(not os.environ.get("SLUICEGATE_CONTRACT"), reason="make contract asks for it"),
]


@dataclass
class Place:
    """A sandbox on a real API server, and the way in of the CronJob's account."""

    info: dict[str, Any]
    admin: Cluster
    target: str
    as_job: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    try:
        check(frozenset({Real.KUBE}))
    except SluicegateError as missing:
        pytest.skip(f"NO REAL KUBERNETES: the CronJob's rights are NOT tested here: {missing}")
    state = tmp_path_factory.mktemp("rights") / "sandbox"
    with up.start(state, rate=RATE, prometheus=False, real=frozenset({Real.KUBE})) as sandbox:
        admin = Cluster(Path(sandbox.info["kubeconfig"]))
        access = Access(
            sandbox.info["api"],
            (state / "ca.crt").read_bytes(),
            admin=created(admin, sandbox.info["kubeconfig"]),
            reader="",
        )
        folder = state.with_name("as-job")
        folder.mkdir()
        write_json(folder / "kubeconfig", kubeconfig(access, "sluicegate-recover", access.admin))
        mine = dict.fromkeys(("kubeconfig", "gates_kubeconfig"), str(folder / "kubeconfig"))
        write_json(folder / "sandbox.json", (read_json(state / "sandbox.json") or {}) | mine)
        with closing(admin):
            yield Place(sandbox.info, admin, f"sandbox:{state}", f"sandbox:{folder}")


def created(admin: Cluster, kubeconfig: str) -> str:
    """Create the account and its rights from the file that a team applies; gives a token of it."""
    for each in YAML(typ="safe", pure=True).load_all(FILE):
        if kind := KINDS.get(each["kind"]):
            admin.create(kind, each["metadata"].get("namespace", ""), each)
    words = ["--kubeconfig", kubeconfig, "create", "token", "sluicegate-recover", "-n", "sluicegate"]
    return subprocess.run(["kubectl", *words], check=True, capture_output=True, text=True, timeout=30).stdout.strip()


@pytest.fixture
def left(place: Place, tmp_path: Path) -> dict[str, Any]:
    """A driver has died while the canary had a weight; gives the specs of before."""
    before = specs(place)
    release = tmp_path / "release.yaml"
    text = EXAMPLE.read_text().replace("[5, 25, 50, 100]", "[25, 100]").replace("soak: 3s", "soak: 30s")
    release.write_text(text.replace("gates: [own_gates.py]", ""))
    where = ["--target", place.target, "--reports", str(tmp_path / "died"), "--json"]
    words = ["run", str(release), "--image", place.info["images"]["v2"], *where]
    with subprocess.Popen([sys.executable, "-m", "ci.rollout", *words], cwd=ROOT, stdout=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        raised = any(json.loads(line)["kind"] == "weights_written" for line in driver.stdout)
        driver.send_signal(signal.SIGKILL)
    assert raised
    return before


def specs(place: Place) -> dict[str, Any]:
    found = {each: place.admin.get(VIRTUAL_SERVICES, "production", "rebate-core")[each] for each in ("spec",)}
    for each in place.admin.list(DEPLOYMENTS, "production"):
        found[each["metadata"]["name"]] = each["spec"]
    return found


@pytest.fixture
def recovered(place: Place, left: dict[str, Any], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Do what the CronJob does, with its account."""
    assert specs(place) != left
    words = ["recover", "--all", "--expired", "--target", place.as_job, "--reports", str(tmp_path / "recovered")]
    command = [sys.executable, "-m", "ci.rollout", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)


def test_they_are_enough_to_take_all_of_it_back(
    place: Place, left: dict[str, Any], recovered: subprocess.CompletedProcess[str]
) -> None:
    assert recovered.returncode == 1, recovered.stdout + recovered.stderr
    assert "rolled back" in recovered.stdout
    assert specs(place) == left
