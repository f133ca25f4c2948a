"""What a run says to whoever acts on it: lines, exit status and JUnit."""

import pytest

LIVE = """
from checks.error_rate import test_error_rate
from checks.traffic_split import test_traffic_split
"""


def test_a_good_canary_passes_and_every_gate_has_its_line(judge) -> None:
    run = judge(LIVE)
    assert run.status == 0, run.output
    assert [run.lines[0]["kind"], run.lines[-1]["kind"]] == ["opened", "closed"]
    assert run.lines[0]["gates"] == ["error_rate", "traffic_split"]
    assert run.verdicts() == {"error_rate": "PASS", "traffic_split": "PASS"}
    assert {line["nonce"] for line in run.lines} == {"n1"}


def test_the_first_line_of_a_failure_is_the_sentence(judge) -> None:
    run = judge(LIVE, bad=40)
    assert run.status == 1
    assert run.verdicts()["error_rate"] == "FAIL"
    failure = run.cases["test_error_rate"].find("failure")
    assert failure.get("message").startswith("canary error rate 10 % (")
    assert "is over the objective 1 %" in failure.text.splitlines()[0]


def test_numbers_are_properties(judge) -> None:
    properties = judge(LIVE).cases["test_error_rate"].iter("property")
    found = {each.get("name"): each.get("value") for each in properties}
    assert found["outcome"] == "PASS"
    assert float(found["requests"]) > 500


def test_a_plain_test_is_a_gate_too(judge) -> None:
    run = judge("def test_ledger_balances(): assert 1 + 1 == 2\ndef test_fees(): assert 3 == 4, 'fees are off'")
    assert run.verdicts() == {"ledger_balances": "PASS", "fees": "FAIL"}
    assert "fees are off" in run.lines[-1]["sentence"]


@pytest.mark.parametrize(
    "body",
    [
        "import pytest; pytest.skip('not today')",
        "raise ConnectionError('no route')",
        "import sys; sys.exit(0)",
        "import pytest; pytest.xfail('known')",
    ],
)
def test_a_gate_that_does_not_judge_never_passes(body, judge) -> None:
    run = judge(f"def test_ours(): {body}\ndef test_other(): pass")
    assert run.verdicts().get("ours") != "PASS"


def test_a_live_gate_refuses_to_be_spread_over_processes(judge) -> None:
    run = judge(LIVE, "-n", "2")
    assert run.status == 1
    assert "PASS" not in run.verdicts().values()
    assert "run its scenario without -n" in run.output


def test_a_part_of_a_scenario_is_run_alone(judge) -> None:
    scenario = "PARTS = {'ready': ('one',), 'serving': ('two',)}\ndef test_one(): pass\ndef test_two(): pass\n"
    assert judge(scenario, "--part", "serving").verdicts() == {"two": "PASS"}


def test_sigterm_ends_with_a_junit_file_and_nothing_passed(start, finish, terminate) -> None:
    process = start(LIVE, soak=15)
    terminate(process)
    run = finish(process)
    assert run.status not in (0, -15)
    assert "ended by SIGTERM" in run.cases["test_error_rate"].find("failure").get("message")
    assert "PASS" not in run.verdicts().values()
    assert run.lines[-1]["kind"] == "closed"
    first, *after = [line for line in run.lines if line["kind"] in {"ended", "verdict"}]
    assert (first["kind"], first["why"]) == ("ended", "the run was ended by SIGTERM"), "said before the run winds up"
    assert after


IN_SETUP = """
import os, signal, time, pytest

@pytest.fixture
def told_to_end(): os.kill(os.getpid(), signal.SIGTERM)

def test_hangs(told_to_end): time.sleep(60)
"""


def test_sigterm_while_a_plain_test_is_set_up_ends_it_before_it_can_hang(start, finish) -> None:
    run = finish(start(IN_SETUP))
    assert "SIGTERM" in run.cases["test_hangs"].findtext("failure")


def test_sigterm_ends_a_plain_test_that_hangs(start, finish, terminate) -> None:
    process = start(LIVE + "\nimport time\ndef test_hangs(): time.sleep(60)\n", "-k", "hangs or error_rate", soak=15)
    terminate(process)
    run = finish(process)
    assert run.status not in (0, -15)
    assert any("SIGTERM" in (case.findtext("failure") or "") for case in run.cases.values())
