"""The doctor, on a service that is well and on one that is not; it writes nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.prometheus import Prometheus
from fixtures.waiting import wait

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]
ROOT = Path(__file__).parents[3]
ALL = ("rights", "gates", "git", "manifests", "image", "argocd", "envoys", "prometheus")
WRONG = {"k8s-manifests.git": "k8s.git", "rebate-core-prod": "nobody", "gates: [own_gates.py]": ""}


def examined(place: Any, file: Path) -> tuple[int, dict[str, dict[str, str]]]:
    words = [sys.executable, "-m", "ci.rollout", "doctor", str(file), "--target", place.target.name, "--json"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)
    assert not done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {each["about"]: each for each in lines}


@pytest.fixture(autouse=True)
def scraped(place: Any) -> None:
    """A sandbox waits for nobody's first scrape; the doctor finds what is missing."""
    prometheus = Prometheus(place.target.rewrite("http://prometheus.istio-system:9090"))

    def twice() -> bool:
        return any(len(each.points) > 1 for each in prometheus.query("istio_requests_total[2m]"))

    wait(twice, what="two scrapes", timeout=40)


def test_a_service_that_is_well(place: Any) -> None:
    status, found = examined(place, place.release)
    assert {about: each["outcome"] for about, each in found.items()} == dict.fromkeys(ALL, "PASS"), found
    assert status == 0


def test_each_thing_that_is_wrong_is_said_with_what_to_do_and_the_rest_is_looked_at(place: Any, tmp_path: Path) -> None:
    file, text = tmp_path / "release.yaml", place.release.read_text()
    for right, wrong in WRONG.items():
        assert right in text
        text = text.replace(right, wrong)
    file.write_text(text)
    status, found = examined(place, file)
    assert {about for about, each in found.items() if each["outcome"] == "FAIL"} == {"git", "manifests", "argocd"}
    assert "not found" in found["git"]["sentence"]
    assert "404" in found["argocd"]["sentence"]
    assert all(found[about]["remedy"] for about in ("git", "manifests", "argocd"))
    assert status == 1
