"""The JUnit file of a run, as Jenkins reads it: held against a schema, and read back by somebody else's reader."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite
from lxml import etree

SCHEMA = etree.XMLSchema(etree.parse(str(Path(__file__).with_name("junit.xsd"))))
LIVE = "from checks.error_rate import test_error_rate\nfrom checks.traffic_split import test_traffic_split\n"
EVERY_END = """
import pytest
from fixtures.errors import InputError

@pytest.fixture
def broken(): raise ConnectionError("no route to db-1")

@pytest.fixture
def told(): raise InputError("no such thing", "a.yaml:3", "write it")

@pytest.fixture
def untidy():
    yield
    raise OSError("can not tidy up https://me:hush@git.example.com/x")

def test_passes(): pass
def test_fails(): assert 1 == 2, "sums are off"
def test_is_skipped(): pytest.skip("not today")
def test_is_expected_to_fail(): pytest.xfail("known")
def test_fixture_breaks(broken): pass
def test_fixture_says_why(told): pass
def test_is_untidy(untidy): pass
def test_fails_and_is_untidy(untidy): assert 3 == 4, "fees are off \\x1b[2J"

class TestFees:
    @pytest.mark.parametrize("share", ["1/3", "a::b"])
    def test_rounding(self, share): pass
"""


@pytest.fixture
def suite(tmp_path: Path) -> Callable[..., TestSuite]:
    """Read the file that a run has left, once the schema has taken it."""

    def read() -> TestSuite:
        SCHEMA.assertValid(etree.parse(str(tmp_path / "j.xml")))
        [found] = JUnitXml.fromfile(str(tmp_path / "j.xml"))
        assert isinstance(found, TestSuite)
        return found

    return read


def cases(suite: TestSuite) -> dict[str, Any]:
    return {case.name: case for case in suite}


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_every_way_a_test_can_end_is_one_case_with_its_sentence_first(processes, judge, suite, tmp_path) -> None:
    run = judge(EVERY_END, "-o", "junit_suite_name=rebate-core.step-25", "--rollout", "3f9c2a", *processes)
    assert run.status == 1, run.output
    found = suite()
    assert (found.tests, found.failures, found.errors, found.skipped) == (10, 2, 3, 2)
    results = {case.name: case.result[0] for case in found if case.result}
    assert {name for name, result in results.items() if isinstance(result, Skipped)} == {
        "test_is_skipped",
        "test_is_expected_to_fail",
    }
    told = {name: (type(each), each.text.splitlines()[0]) for name, each in results.items() if each.text}
    assert told | {"test_is_skipped": None} == {
        "test_fails": (Failure, "AssertionError: sums are off"),
        "test_is_skipped": None,
        "test_fixture_breaks": (Error, 'failed on setup with "ConnectionError: no route to db-1"'),
        "test_fixture_says_why": (Error, 'failed on setup with "a.yaml:3: no such thing; write it"'),
        "test_is_untidy": (Error, 'failed on teardown with "OSError: can not tidy up https://***@git.example.com/x"'),
        "test_fails_and_is_untidy": (Failure, "AssertionError: fees are off #x1B[2J"),
    }
    assert "failed on teardown" in cases(found)["test_fails_and_is_untidy"].result[0].text
    assert "hush" not in (tmp_path / "j.xml").read_text()
    assert [(each.name, each.value) for each in found.properties()] == [("rollout", "3f9c2a")]


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_a_gate_has_a_history_of_its_own_at_each_step_wherever_its_file_lies(processes, judge, suite, tmp_path) -> None:
    def keys(build: str, *options: str) -> set[tuple[str, str]]:
        (tmp_path / build).mkdir()
        judge(EVERY_END, "-o", f"junit_suite_name=rebate-core.{build}", *options, *processes, name=f"{build}/own.py")
        return {(case.classname, case.name) for case in suite()}

    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "pytest.ini").write_text("[pytest]\n")
    assert ("rebate-core.step-05.own.TestFees", "test_rounding[1/3]") in keys("step-05")
    outside = keys("step-25", "--rootdir", "elsewhere", "-c", "elsewhere/pytest.ini")
    assert ("rebate-core.step-25.own.TestFees", "test_rounding[a::b]") in outside
    assert ("rebate-core.step-25.own", "test_passes") in outside


def test_a_run_by_hand_is_named_by_its_service_scenario_and_step(judge, suite, tmp_path) -> None:
    example = (Path(__file__).parents[2] / "examples" / "rebate-core" / "release.yaml").read_text()
    (tmp_path / "release.yaml").write_text(example)
    judge(LIVE, "--release", "release.yaml", "--step", "25", "--image", "r/shop@sha256:1")
    found = suite()
    assert found.name == "rebate-core.scenario-25"
    assert {case.classname for case in found} == {"rebate-core.scenario-25.scenario"}, "not the file of the gate"
    said = {each.name: each.value for each in found.properties()}
    assert said == {"service": "rebate-core", "step": "25", "image": "r/shop@sha256:1"}


def test_a_gate_that_has_failed_says_how_and_shows_the_files_beside_it(judge, suite, tmp_path) -> None:
    (tmp_path / "j.log").touch()
    judge(LIVE, bad=40)
    found = suite()
    failure = cases(found)["test_error_rate"].result[0]
    assert failure.type == "FAIL"
    assert failure.message.startswith("canary error rate 10 % (")
    attached = f"[[ATTACHMENT|{tmp_path / 'v.jsonl'}]]\n[[ATTACHMENT|{tmp_path / 'j.log'}]]\n"
    assert cases(found)["test_error_rate"].system_out == attached
    assert etree.parse(str(tmp_path / "j.xml")).findtext("testsuite/system-out") == attached
    assert cases(found)["test_traffic_split"].result[0].type == "INCONCLUSIVE"


def test_sigterm_leaves_a_file_that_names_it(start, finish, terminate, suite) -> None:
    process = start(LIVE, soak=15)
    terminate(process)
    finish(process)
    assert "ended by SIGTERM" in cases(suite())["test_error_rate"].result[0].message


def test_ctrl_c_leaves_no_case_without_a_name_that_would_count_as_passed(start, finish, suite) -> None:
    # What a shell has put into the background ignores Ctrl-C, and so does all that it starts: a terminal's does not.
    heed = "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    slow = f"def test_slow():\n{heed}    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(9)\n"
    run = finish(start("import os, signal, time\ndef test_ok(): pass\n" + slow))
    assert run.status == 2
    found = suite()
    assert (found.tests, found.errors) == (2, 1)
    assert isinstance(cases(found)["test_slow"].result[0], Error)


def test_a_process_that_dies_is_an_error_of_its_test(judge, suite) -> None:
    judge(f"import os, signal\ndef test_dies(): os.kill(os.getpid(), {signal.SIGKILL:d})\n", "-n", "1")
    assert "crashed" in cases(suite())["test_dies"].result[0].text


def test_a_file_that_can_not_be_collected_is_an_error(judge, suite) -> None:
    run = judge("import nothing_of_that_name\n")
    assert run.status == 2
    [case] = suite()
    assert "nothing_of_that_name" in case.result[0].text


def test_the_schema_refuses_what_jenkins_would_misread(judge, suite, tmp_path) -> None:
    judge(EVERY_END)
    suite()
    text = (tmp_path / "j.xml").read_text()
    for before, after in (
        ('name="test_passes"', 'name=""'),
        ('name="test_passes"', 'name="test_fails"'),
        ('tests="10"', ""),
        ("skipped", "flaky"),
        ("</error>", "</error><failure message='m'/>"),
    ):
        assert before in text
        assert not SCHEMA.validate(etree.fromstring(text.replace(before, after).encode()))
