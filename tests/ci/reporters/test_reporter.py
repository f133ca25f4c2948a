import threading

import pytest

from ci.events import Note, Progress, RolloutEnded
from ci.reporters.kept import Kept
from ci.reporters.reporter import Reporters


class Broken:
    """Fails on what it is asked to fail on, and counts what it hears."""

    def __init__(self, *, on_tell: bool = True, on_close: bool = False) -> None:
        self.on_tell, self.on_close, self.heard, self.closed = on_tell, on_close, 0, 0

    def tell(self, event: object) -> None:
        self.heard += 1
        if self.on_tell:
            raise ValueError("no room in the house")

    def close(self) -> None:
        self.closed += 1
        if self.on_close:
            raise OSError("door jammed")


def note(text: str) -> Note:
    return Note(at=1.0, text=text)


def test_a_failing_reporter_is_named_once_and_the_others_go_on(capfd: pytest.CaptureFixture[str]) -> None:
    broken, before, after = Broken(), Kept(), Kept()
    reporters = Reporters([before, broken, after])
    for text in "abc":
        reporters.tell(note(text))
    reporters.close()
    assert [event.text for event in before.events] == [event.text for event in after.events] == ["a", "b", "c"]
    assert broken.heard == 1
    complaint = capfd.readouterr().err
    assert complaint.count("\n") == 1
    assert "Broken: no room in the house" in complaint
    assert "the rollout goes on" in complaint


def test_a_failed_reporter_is_still_closed_and_a_failing_close_leaves_nobody_open() -> None:
    first, second = Broken(on_close=True), Broken(on_tell=False)
    reporters = Reporters([first, second])
    reporters.tell(note("a"))
    reporters.close()
    reporters.close()
    assert (first.closed, second.closed) == (1, 1)


def test_a_reporter_that_can_not_close_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    Reporters([Broken(on_tell=False, on_close=True)]).close()
    assert "door jammed" in capfd.readouterr().err


def test_a_closed_stderr_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        def write(self, text: str) -> int:
            raise ValueError("I/O operation on closed file")

    kept = Kept()
    monkeypatch.setattr("sys.stderr", Closed())
    reporters = Reporters([Broken(), kept])
    reporters.tell(note("a"))
    assert len(kept.events) == 1


def test_no_secret_passes_the_door(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_PASSWORD", "correct-horse")
    kept = Kept()
    reporters = Reporters([kept, Broken()])
    numbers = {"error_rate": {"sentence": "asked with correct-horse", "evidence": 1.0}}
    reporters.tell(Progress(at=1.0, step=5, gates=numbers))
    reporters.tell(RolloutEnded(at=2.0, outcome="held", sentence="https://ci:pw@git.example.com/x", exit_code=3))
    assert "correct-horse" not in repr(kept.events)
    assert "ci:pw" not in repr(kept.events)
    assert kept.events[1] == RolloutEnded(at=2.0, outcome="held", sentence="https://***@git.example.com/x", exit_code=3)


def test_events_of_several_threads_reach_a_reporter_one_at_a_time() -> None:
    class Alone:
        inside = together = heard = 0

        def tell(self, event: object) -> None:
            self.inside += 1
            self.together = max(self.together, self.inside)
            threading.Event().wait(0.0001)  # gives the others every chance
            self.heard += 1
            self.inside -= 1

        def close(self) -> None:
            pass

    alone = Alone()
    reporters = Reporters([alone])
    threads = [threading.Thread(target=lambda: [reporters.tell(note("x")) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (alone.together, alone.heard) == (1, 80)
