"""What a suite saw at each look goes into the journal, for whoever wants to judge again, and nowhere else."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from checks.evidence import Answers, Count, Tick, Traffic
from ci.events import Looked, VerdictReached
from ci.reporters.journal import Journal, read
from ci.reporters.kept import Kept
from ci.reporters.plain import Plain
from fixtures.recording import journal_tick
from fixtures.verdict_log import VerdictLog

TICK = Tick(
    at=2.0,
    seconds=0.25,
    traffic=Traffic(
        canary=Answers(Count(40, 2), (Count(40, 1),)),
        stable=Answers(Count(700, 1), (Count(700, 0),)),
        unreached=1,
        pods={"rebate-core-canary-1": Answers(Count(40, 2), (Count(40, 1),))},
    ),
)


@pytest.fixture
def looked(bench: Any, tmp_path: Path) -> Looked:
    """What the driver tells of a look that a run wrote down while it watched 25 %."""
    file = tmp_path / "verdicts.jsonl"
    log = VerdictLog(file)
    log.tick(TICK)
    log.close()
    [kept] = read_lines(file)
    bench.suite("step-25")
    script = bench.scripts["step-25"]
    lines = script.lines
    script.lines = lambda began: [*lines(began)[:1], (script.opens, kept), *lines(began)[1:]]
    assert bench.run().outcome == "promoted"
    [found] = bench.told(Looked)
    return found


def read_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_look_is_told_with_its_step(looked: Looked) -> None:
    assert (looked.suite, looked.step) == ("canary_step", 25)


def test_the_journal_gives_back_exactly_the_tick_that_was_judged(looked: Looked, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.tell(looked)
    journal.close()
    [event] = read(journal.path)
    [line] = [line for line in read_lines(journal.path) if line["kind"] == "looked"]
    assert event == looked
    assert journal_tick(line) == TICK


def test_people_are_spared_the_looks(looked: Looked) -> None:
    stream, kept = io.StringIO(), Kept()
    for reporter in (Plain(stream), kept):
        reporter.tell(looked)
    assert stream.getvalue() == ""
    assert kept.events == ()


def test_gates_that_fail_at_the_same_look_are_all_told(bench: Any) -> None:
    bench.suite("step-25", outcomes={"error_rate": "FAIL", "latency": "FAIL", "pods": "PASS"})
    assert bench.run().outcome == "rolled back"
    said = [verdict for verdict in bench.told(VerdictReached) if verdict.step == 25]
    assert {verdict.gate: verdict.outcome for verdict in said} == bench.scripts["step-25"].outcomes
