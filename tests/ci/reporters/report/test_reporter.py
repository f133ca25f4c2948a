"""The report is written when a rollout is over, and never in its way."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from ci.events import Event
from ci.reporters.journal import Journal
from ci.reporters.report.reporter import Report, draw
from ci.reporters.reporter import Reporters
from ci.rollout import main
from fixtures.errors import InputError


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "reports" / "journal.jsonl"


def tell(reporters: Reporters, events: Sequence[Event]) -> None:
    for event in events:
        reporters.tell(event)
    reporters.close()


def test_it_lies_beside_the_journal_when_the_rollout_is_over(rollback: list[Event], journal: Path) -> None:
    report = Report(journal)
    tell(Reporters([Journal(journal), report]), rollback)
    assert report.page == journal.parent / "report" / "index.html"
    assert "was rolled back from 5" in report.page.read_text(encoding="utf-8")


def test_a_rollout_that_never_began_has_no_report_and_that_is_no_failure(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another driver has the service, or a recovery has waited until there was nothing to recover."""
    report = Report(journal)
    tell(Reporters([Journal(journal), report]), [])
    assert not report.page.exists()
    assert capsys.readouterr().err == ""


def test_a_report_that_can_not_be_written_disturbs_nobody(
    rollback: list[Event], journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.parent.mkdir()
    (journal.parent / "report").write_text("a file where the folder should be")
    tell(Reporters([Journal(journal), Report(journal)]), rollback)
    assert len(journal.read_text().splitlines()) == len(rollback) + 1
    said = capsys.readouterr().err
    assert "the rollout goes on" in said
    assert "the report can not be written: File exists" in said


def test_the_command_draws_the_same_page_again(rollback: list[Event], journal: Path, tmp_path: Path) -> None:
    report = Report(journal)
    tell(Reporters([Journal(journal), report]), rollback)
    first = report.page.read_text(encoding="utf-8")
    done = CliRunner().invoke(main, ["report", str(journal)])
    assert (done.exit_code, done.output) == (0, f"{report.page}\n")
    assert report.page.read_text(encoding="utf-8") == first
    elsewhere = tmp_path / "else where"
    assert CliRunner().invoke(main, ["report", str(journal), "--out", str(elsewhere)]).exit_code == 0
    assert 'href="../reports/journal.jsonl"' in (elsewhere / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [{"kind": "note", "at": "noon", "text": "x"}],
        [
            {"kind": "suite_started", "at": 0, "suite": "canary_step", "step": 5, "command": []},
            {
                "kind": "suite_ready",
                "at": 1,
                "suite": "canary_step",
                "step": 5,
                "gates": [],
                "took": 1,
                "terms": {"a": 1},
            },
        ],
    ],
)
def test_what_tells_no_rollout_is_refused_with_its_place(journal: Path, lines: list[object]) -> None:
    journal.parent.mkdir()
    journal.write_text("\n".join(map(json.dumps, [{"kind": "journal", "version": 1}, *lines])))
    with pytest.raises(InputError, match="this journal does not tell a rollout") as refused:
        draw(journal, journal.parent / "report")
    assert str(journal) in refused.value.where


def test_no_journal_is_a_usage_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["report", str(tmp_path / "none.jsonl")])
    assert done.exit_code == 2


def test_a_rollout_does_not_wait_for_a_template_engine() -> None:
    code = "import sys, ci.reporting; sys.exit(any(name in sys.modules for name in ('jinja2', 'pytest')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
