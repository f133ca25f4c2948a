"""``--watch``: a run that can only fail, until it is told to end."""

import signal
import time

import pytest

LIVE = """
from checks.error_rate import test_error_rate
from checks.traffic_split import test_traffic_split
"""


def test_sigterm_is_its_ordinary_end(start, finish, terminate) -> None:
    process = start(LIVE, "--watch")
    terminate(process)
    run = finish(process)
    assert run.status == 0, run.output
    assert run.verdicts() == {"error_rate": "PASS", "traffic_split": "PASS"}
    assert [run.lines[0]["kind"], run.lines[-1]["kind"]] == ["opened", "closed"]
    assert all("no harm shown in" in line["sentence"] for line in run.lines if line["kind"] == "verdict")


def test_it_goes_on_when_every_gate_of_a_step_would_have_passed(start, finish, tmp_path) -> None:
    process = start(LIVE, "--watch", soak=0.2)
    deadline = time.monotonic() + 30
    while not (tmp_path / "v.jsonl").exists() or (tmp_path / "v.jsonl").read_text().count('"progress"') < 4:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert '"verdict"' not in (tmp_path / "v.jsonl").read_text()
    process.send_signal(signal.SIGINT)  # as Ctrl-C at a terminal
    assert finish(process).verdicts() == {"error_rate": "PASS", "traffic_split": "PASS"}


def test_harm_ends_it(judge) -> None:
    run = judge(LIVE, "--watch", bad=100)
    assert run.status == 1
    assert run.verdicts()["error_rate"] == "FAIL"


EARLY = {
    "collecting": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "opening": """
import os, signal, pytest
@pytest.fixture(scope="session")
def subject(subject):
    os.kill(os.getpid(), signal.SIGTERM)
    return subject
""",
}


@pytest.mark.parametrize("when", EARLY)
def test_a_run_that_is_told_to_end_before_it_watches_ends(when, start, finish) -> None:
    process = start(LIVE + EARLY[when], "--watch")
    assert finish(process).status != 0


def test_a_scenario_without_traffic_has_nothing_to_watch(judge) -> None:
    run = judge("def test_plain(): pass", "--watch")
    assert run.status == 4
    assert "--watch is for scenarios whose gates watch traffic" in run.output
