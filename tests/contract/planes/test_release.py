"""A release: the same verdicts and the same phases on real control planes as on the stand-ins, and as fast to safety.

Only by `make contract`: what it takes from the stand-ins' side is tested elsewhere in every run.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

EXAMPLE = Path(__file__).parents[3] / "examples" / "rebate-core" / "release.yaml"
RATE = 1000  # requests a second, for which the example's numbers are made
SECONDS = 240
UP = [("preflight", None), ("deploy", None)]
ALL = [*UP, ("step", 5), ("step", 25), ("step", 50), ("step", 100), ("promote", None), ("serve", None)]


@dataclass
class Ended:
    """A release that has ended, as its journal tells."""

    status: int
    journal: list[dict[str, Any]]

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.journal if each["kind"] == kind]

    def phases(self) -> list[tuple[str, int | None]]:
        return [(each["phase"], each["step"]) for each in self.told("phase_entered")]

    def outcomes(self) -> set[tuple[str, str]]:
        return {(each["gate"], each["outcome"]) for each in self.told("verdict_reached")}


@pytest.fixture(scope="session")
def ended() -> dict[tuple[bool, str], Ended]:
    return {}


@pytest.fixture
def bad(plane: Any, ended: dict[tuple[bool, str], Ended], tmp_path: Path) -> Ended:
    if (plane.real, "bad") not in ended:
        ended[plane.real, "bad"] = released(plane, "bad", tmp_path)
    return ended[plane.real, "bad"]


@pytest.fixture
def good(plane: Any, bad: Ended, ended: dict[tuple[bool, str], Ended], tmp_path: Path) -> Ended:
    """After the bad one, which has to leave everything as it was."""
    if (plane.real, "good") not in ended:
        ended[plane.real, "good"] = released(plane, "v2", tmp_path)
    return ended[plane.real, "good"]


def released(plane: Any, image: str, reports: Path) -> Ended:
    """Release an image, with the load on."""
    load(plane, RATE)
    try:
        what = (str(EXAMPLE), "--image", plane.info["images"][image], "--reports", str(reports))
        command = [sys.executable, "-m", "ci.rollout", "run", *what, "--target", f"sandbox:{plane.state}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS)
    finally:
        load(plane, 0)
    sys.stdout.write(done.stdout[-8000:] + done.stderr[-2000:])
    return Ended(done.returncode, [json.loads(line) for line in (reports / "journal.jsonl").read_text().splitlines()])


def load(plane: Any, rate: float) -> None:
    requests.post(f"{plane.info['load']}/rate", json={"rate": rate}, timeout=20).raise_for_status()


@pytest.mark.skipif(
    not {"SLUICEGATE_CONTRACT", "SLUICEGATE_REAL_KUBECONFIG"} & set(os.environ), reason="make contract asks for it"
)
class Contract:
    """What is so on both."""

    def test_a_bad_image_is_taken_back_at_the_first_step(self, bad: Ended) -> None:
        assert (bad.status, bad.phases()) == (1, [*UP, ("step", 5), ("roll back", None)])
        assert {gate for gate, outcome in bad.outcomes() if outcome == "FAIL"} & {
            "error_rate",
            "error_rate_against_stable",
        }

    def test_no_request_goes_to_the_canary_long_after_the_verdict(self, bad: Ended) -> None:
        (measured,) = bad.told("rollback_measured")
        assert measured["last_routed"] - measured["verdict"] < 1.5

    def test_a_good_image_goes_through_all_phases_and_passes_every_gate(self, good: Ended) -> None:
        assert (good.status, good.phases()) == (0, ALL)
        assert {outcome for _, outcome in good.outcomes()} == {"PASS"}


@pytest.mark.xdist_group("real")  # not beside the other: either takes all that two cores can give
class TestStandIn(Contract):
    @pytest.fixture
    def plane(self, stand_in: Any) -> Any:
        return stand_in


@pytest.mark.xdist_group("real")
class TestReal(Contract):
    @pytest.fixture
    def plane(self, real: Any) -> Any:
        return real
