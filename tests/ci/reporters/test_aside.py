import threading
import time

import pytest

from ci.events import Event, Note
from ci.reporters.aside import Aside
from ci.reporters.reporter import Reporters

NOTE = Note(at=1.0, text="x")


class Stuck:
    """Hears nothing before it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.heard: list[Event] = []
        self.closed = False

    def tell(self, event: Event) -> None:
        self.go.wait(20)
        self.heard.append(event)

    def close(self) -> None:
        self.closed = True


def test_a_stuck_reporter_delays_neither_the_rollout_nor_its_end(capfd: pytest.CaptureFixture[str]) -> None:
    stuck = Stuck()
    reporters = Reporters([Aside(stuck, patience=0.05)])
    began = time.monotonic()
    for _ in range(100):
        reporters.tell(NOTE)
    reporters.close()
    assert time.monotonic() - began < 2
    assert "Stuck: still busy after 0.05 s, left alone" in capfd.readouterr().err
    stuck.go.set()


def test_what_stands_in_line_is_told_before_the_close() -> None:
    stuck = Stuck()
    aside = Aside(stuck, patience=20)
    for _ in range(5):
        aside.tell(NOTE)
    threading.Timer(0.02, stuck.go.set).start()
    aside.close()
    assert stuck.heard == [NOTE] * 5
    assert stuck.closed


def test_a_full_line_is_a_failure_and_not_a_wait() -> None:
    def crowd(aside: Aside) -> None:
        for _ in range(5):  # one may be with the reporter already
            aside.tell(NOTE)

    stuck = Stuck()
    with pytest.raises(RuntimeError, match="Stuck: 3 events stand in line"):
        crowd(Aside(stuck, line=3))
    stuck.go.set()


def test_a_failure_on_the_thread_is_told_by_the_next_call_and_closes_the_reporter() -> None:
    class Refused(Stuck):
        def tell(self, event: Event) -> None:
            raise PermissionError("events is forbidden")

    refused = Refused()
    aside = Aside(refused, patience=20)
    aside.tell(NOTE)
    with pytest.raises(RuntimeError, match="Refused: events is forbidden"):
        aside.close()
    assert refused.closed
    with pytest.raises(RuntimeError, match="Refused: events is forbidden"):
        aside.tell(NOTE)
