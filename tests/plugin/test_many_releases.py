"""One run over many release files: each has gates of its own, in one report."""

import pytest

SCENARIO = """
import pytest
from checks.gate import gate
from checks.verdict import Proof, failed, passed

def judge(name): return failed(f"{name} is not there") if name == "lost" else passed(f"{name} is there", Proof(1))

@pytest.fixture
def name(release_file): return lambda: release_file.stem

@gate(judge, evidence="name")
def test_there(verdict): verdict.require()
"""
LIVE = "from checks.error_rate import test_error_rate"


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_each_release_has_a_gate_and_a_case_of_its_own_in_one_report(processes, judge) -> None:
    run = judge(SCENARIO, "--release", "lost.yaml", "--release", "orders.yaml", *processes)
    assert run.status == 1, run.output
    assert run.verdicts() == {"there[lost]": "FAIL", "there[orders]": "PASS"}
    opened = [line for line in run.lines if line["kind"] == "opened"]
    assert [sorted(line["gates"]) for line in opened] == [["there[lost]", "there[orders]"]]
    assert set(run.cases) == {"test_there[lost]", "test_there[orders]"}
    assert run.cases["test_there[lost]"].find("failure").get("message") == "lost is not there"
    properties = {each.get("name"): each.get("value") for each in run.cases["test_there[orders]"].iter("property")}
    assert properties["sentence"] == "orders is there"


def test_for_one_release_a_gate_keeps_its_name(judge) -> None:
    run = judge(SCENARIO, "--release", "orders.yaml")
    assert run.verdicts() == {"there": "PASS"}
    assert set(run.cases) == {"test_there"}


def test_a_folder_stands_for_the_files_in_it(judge, tmp_path) -> None:
    (tmp_path / "releases" / "deeper").mkdir(parents=True)
    for name in ("orders.yaml", "stock.yml", "notes.txt", "deeper/deployment.yaml"):
        (tmp_path / "releases" / name).touch()
    run = judge(SCENARIO, "--release", "releases", "--release", "releases/orders.yaml")
    assert run.verdicts() == {"there[releases/orders]": "PASS", "there[releases/stock]": "PASS"}


def test_a_pattern_stands_for_the_files_that_it_matches(judge, tmp_path) -> None:
    for name in ("orders", "stock"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "release.yaml").touch()
    run = judge(SCENARIO, "--release", "**/release.yaml")
    assert set(run.verdicts()) == {"there[orders/release]", "there[stock/release]"}


@pytest.mark.parametrize(
    ("scenario", "options", "says"),
    [
        (SCENARIO, ("--release", "nothing/*.yaml"), "there is no release file"),
        (SCENARIO, ("--release", "a.yaml", "--release", "b.yaml", "--image", "x:1"), "--image is about one release"),
        (LIVE, ("--release", "a.yaml", "--release", "b.yaml"), "a step is watched for one release"),
    ],
)
def test_what_can_not_be_judged_is_refused_before_anything_runs(scenario, options, says, judge) -> None:
    run = judge(scenario, *options)
    assert run.status == 4
    assert says in run.output
    assert not run.lines
