"""A service's own gates: added to the step by the release file, run while the step is watched."""

from pathlib import Path

import pytest

from fixtures.errors import InputError
from fixtures.own_gates import own_gates

EXAMPLE = Path(__file__).parents[2] / "examples" / "rebate-core" / "release.yaml"
RELEASE = "".join(line for line in EXAMPLE.read_text().splitlines(keepends=True) if not line.startswith("gates:"))


def test_files_are_named_from_the_release_files_own_folder(tmp_path) -> None:
    (tmp_path / "release.yaml").write_text(RELEASE + "gates: [ours/gates.py]\n")
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "gates.py").write_text("def test_ours(): pass\n")
    assert own_gates(tmp_path / "release.yaml") == (tmp_path / "ours" / "gates.py",)


@pytest.mark.parametrize("named", ["gone.py", "../elsewhere.py", "/etc/passwd"])
def test_a_file_that_is_not_there_or_elsewhere_is_refused(tmp_path, named) -> None:
    (tmp_path / "release.yaml").write_text(RELEASE + f"gates: [{named}]\n")
    with pytest.raises(InputError):
        own_gates(tmp_path / "release.yaml")


def test_they_join_the_step_and_come_before_the_live_gates(tmp_path, judge) -> None:
    (tmp_path / "release.yaml").write_text(RELEASE + "gates: [gates.py]\n")
    (tmp_path / "gates.py").write_text("PARTS = 3\ndef test_ledger(): assert 1 == 2, 'the ledger is off'\n")
    live = "from checks.error_rate import test_error_rate\n"
    run = judge(live, "--release", "release.yaml", name="canary_step.py")
    assert run.lines[0]["gates"] == ["ledger", "error_rate"]
    assert run.verdicts() == {"ledger": "FAIL", "error_rate": "PASS"}
    assert run.status == 1


@pytest.mark.parametrize("text", ["x = 1\n", "import pytest\npytest.skip('no', allow_module_level=True)\n"])
def test_a_file_without_a_gate_is_not_passed_over(tmp_path, judge, text) -> None:
    (tmp_path / "release.yaml").write_text(RELEASE + "gates: [gates.py]\n")
    (tmp_path / "gates.py").write_text(text)
    run = judge("from checks.error_rate import test_error_rate\n", "--release", "release.yaml", name="canary_step.py")
    assert run.status == 4
    assert run.lines == []
    assert "gates.py: there is no gate in it" in run.output


def test_a_gate_may_not_have_the_name_of_another(tmp_path, judge) -> None:
    (tmp_path / "release.yaml").write_text(RELEASE + "gates: [gates.py]\n")
    (tmp_path / "gates.py").write_text("def test_error_rate(): pass\n")
    run = judge("from checks.error_rate import test_error_rate\n", "--release", "release.yaml", name="canary_step.py")
    assert run.status == 4
    assert "two gates have the name error_rate" in run.output


def test_a_gate_that_hangs_is_ended_and_does_not_pass(judge) -> None:
    scenario = "import time, fixtures.plugin\nfixtures.plugin.TEST_LIMIT = 0.5\ndef test_slow(): time.sleep(30)\n"
    run = judge(scenario)
    assert run.verdicts() == {"slow": "INCONCLUSIVE"}
    assert "did not end within 0.5 s" in run.lines[-1]["sentence"]


@pytest.mark.parametrize("body", ["import pytest; pytest.skip('not today')", "import pytest; pytest.xfail('known')"])
def test_a_release_whose_gate_was_skipped_does_not_end_well(tmp_path, judge, body) -> None:
    (tmp_path / "release.yaml").write_text(RELEASE)
    scenario = f"def test_ours(): {body}\ndef test_other(): pass"
    run = judge(scenario, "--release", "release.yaml")
    assert run.status == 1
    assert "INCONCLUSIVE  ours was skipped: a gate that does not run does not pass" in run.output
