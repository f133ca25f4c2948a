import json
import stat
from pathlib import Path

import pytest

from ci.events import Asked, Event, Held, HoldEnded, Looked, Note, RollbackMeasured, RolloutEnded, StepsChosen
from ci.reporters.journal import Journal, read
from fixtures.errors import InputError


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reports" / "journal.jsonl"


def test_the_first_line_says_what_the_file_is(path: Path) -> None:
    Journal(path).close()
    assert lines(path) == [{"kind": "journal", "version": 1}]
    assert stat.S_IMODE(path.stat().st_mode) & 0o111 == 0


def test_an_event_is_on_disk_as_soon_as_it_is_told(path: Path) -> None:
    journal = Journal(path)
    journal.tell(Note(at=1.5, text="x" * 100_000))
    assert lines(path)[1:] == [{"kind": "note", "at": 1.5, "text": "x" * 100_000}]
    journal.close()


@pytest.mark.parametrize("recording", ["promoted", "rolled_back"])
def test_what_is_written_is_read_back_the_same(path: Path, recording: str, request: pytest.FixtureRequest) -> None:
    events: list[Event] = request.getfixturevalue(recording)
    journal = Journal(path)
    for event in events:
        journal.tell(event)
    journal.close()
    assert list(read(path)) == events


def test_every_kind_of_event_is_in_the_recordings(promoted: list[Event], rolled_back: list[Event]) -> None:
    seen = {type(event) for event in [*promoted, *rolled_back]}
    others = {Note, Looked, StepsChosen, Asked, Held, HoldEnded}  # looks: recorded for the report; nothing was held
    assert set(Event.__subclasses__()) - seen == others


def test_a_driver_that_takes_over_goes_on_in_the_same_file(path: Path) -> None:
    for text in ("first", "second"):
        journal = Journal(path)
        journal.tell(Note(at=1.0, text=text))
        journal.close()
    assert [line["kind"] for line in lines(path)] == ["journal", "note", "note"]


def test_a_line_torn_by_a_kill_costs_that_line_only(path: Path) -> None:
    journal = Journal(path)
    journal.tell(Note(at=1.0, text="before"))
    journal.close()
    with path.open("a") as file:
        file.write('{"kind": "note", "at": 2.0, "te')
    journal = Journal(path)
    journal.tell(Note(at=3.0, text="after"))
    journal.close()
    texts = [event.text for event in read(path) if isinstance(event, Note)]
    assert texts == ["before", "journal.jsonl:3 can not be read, left out", "after"]


@pytest.mark.parametrize("line", ['{"kind": "of_tomorrow", "at": 2.0}', '{"kind": "note"}', "[]", "7", "null"])
def test_a_line_of_another_version_is_named_and_left_out(path: Path, line: str) -> None:
    Journal(path).close()
    with path.open("a") as file:
        file.write(line + "\n")
    [event] = read(path)
    assert isinstance(event, Note)
    assert "journal.jsonl:2 can not be read" in event.text


def test_members_of_a_later_version_do_no_harm(path: Path) -> None:
    Journal(path).close()
    with path.open("a") as file:
        file.write('{"kind": "note", "at": 2.0, "text": "x", "colour": "red"}\n')
    assert list(read(path)) == [Note(at=2.0, text="x")]


def test_no_terminal_obeys_a_journal(path: Path) -> None:
    journal = Journal(path)
    journal.tell(Note(at=1.0, text="\x1b[2J\x9b2J ü"))
    journal.close()
    assert path.read_bytes().isascii()
    assert b"\x1b" not in path.read_bytes()
    assert list(read(path)) == [Note(at=1.0, text="\x1b[2J\x9b2J ü")]


def test_a_folder_that_can_not_be_written_is_said_before_anything_happens(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file, no folder")
    with pytest.raises(InputError, match=r"reports/journal.jsonl: the journal can not be written.*--reports"):
        Journal(tmp_path / "reports" / "journal.jsonl")


def test_another_file_is_no_journal(tmp_path: Path) -> None:
    other = tmp_path / "release.yaml"
    other.write_text("service: rebate-core\n")
    with pytest.raises(InputError, match=r"release.yaml:1: this is no journal"):
        list(read(other))
    with pytest.raises(InputError, match="can not be read"):
        list(read(tmp_path / "missing.jsonl"))


def test_the_rollback_time_runs_from_the_first_bad_request_to_the_last_one_routed() -> None:
    measured = RollbackMeasured(at=9.0, first_bad=1.0, verdict=3.0, written=3.1, last_routed=3.3, bad=61)
    assert measured.seconds == pytest.approx(2.3)
    nobody_hurt = RollbackMeasured(at=9.0, first_bad=None, verdict=3.0, written=3.1, last_routed=3.3, bad=0)
    assert nobody_hurt.seconds is None


def test_the_recordings_end(promoted: list[Event], rolled_back: list[Event]) -> None:
    for events, outcome in ((promoted, "promoted"), (rolled_back, "rolled back")):
        assert isinstance(events[-1], RolloutEnded)
        assert events[-1].outcome == outcome
