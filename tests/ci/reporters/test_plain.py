import io
import re

import pytest

from ci.events import Event, Note, Progress, SuiteStarted
from ci.reporters.plain import Plain


def written(events: list[Event], encoding: str = "utf-8") -> list[str]:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    plain = Plain(stream)
    for event in events:
        plain.tell(event)
    plain.close()
    return raw.getvalue().decode(encoding).splitlines()  # no flush here: each line is flushed by itself


@pytest.mark.parametrize("recording", ["promoted", "rolled_back"])
def test_one_line_an_event_and_the_end_last(recording: str, request: pytest.FixtureRequest) -> None:
    events: list[Event] = request.getfixturevalue(recording)
    lines = written(events)
    told = [event for event in events if not isinstance(event, Progress | SuiteStarted)]
    assert len([line for line in lines if "waiting:" not in line]) == len(told)
    assert all(re.match(r"\+ *(\d+ min )?\d+(\.\d)? s  \S", line) for line in lines)
    assert {"promoted": "PROMOTED", "rolled_back": "ROLLED BACK"}[recording] in lines[-1]


def test_while_it_waits_there_is_one_line_in_five_seconds() -> None:
    waiting = [Progress(at=100 + second / 4, step=5, gates={}) for second in range(4 * 60)]
    assert len(written([*waiting])) == 12


def test_a_line_of_waiting_says_how_near_it_is_and_how_many_errors_there_were() -> None:
    gates = {"error_rate": {"sentence": "", "evidence": 40.2, "of": 100.0}, "pods": {"sentence": "ok", "of": 0}}
    [line] = written([Progress(at=1.0, step=5, gates=gates, canary={"requests": 1270, "errors": 61})])
    assert line == "+     0.0 s  waiting: error_rate 40 of 100; canary 1 270 requests, 61 errors"


def test_a_gate_s_sentence_is_told_once(rolled_back: list[Event]) -> None:
    lines = [line for line in written(rolled_back) if "canary error rate 5.3 %" in line]
    assert [line.split("  ")[-1].split(":")[0] for line in lines] == ["FAIL error_rate", "ROLLED BACK"]
    assert any("ROLLING BACK by gate error_rate: as said above" in line for line in written(rolled_back))


def test_evidence_that_is_enough_is_waited_for_no_more() -> None:
    gates = {"split": {"sentence": "", "evidence": 2e14, "of": 100.0}}
    [line] = written([Progress(at=1.0, step=5, gates=gates)])
    assert "waiting: evidence is enough; canary" in line


def test_no_line_becomes_a_wall() -> None:
    [line] = written([Note(at=1.0, text="word " * 500)])
    assert len(line) <= 413
    assert line.endswith("…")


def test_a_log_that_knows_ascii_only_gets_every_line() -> None:
    assert written([Note(at=1.0, text="5 ± 2 — ok")], "ascii") == ["+     0.0 s  note: 5 ? 2 ? ok"]


def test_foreign_escapes_are_spelled_out() -> None:
    [line] = written([Note(at=1.0, text="\x1b[2Jgone\r\n+ 9.9 s  PROMOTED")])
    assert line == "+     0.0 s  note: \\x1b[2Jgone + 9.9 s  PROMOTED"
