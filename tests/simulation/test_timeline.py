"""Simulated time: one thread at a time, in the order of their waking; a process that is killed does nothing more."""

from random import Random

from benchmarks.simulation.timeline import Process, SimulatedEvent, Timeline


def test_threads_wake_in_the_order_of_their_moments() -> None:
    timeline, woken = Timeline(Random(1)), []

    def every(seconds: float, name: str) -> None:
        for _ in range(3):
            timeline.sleep(seconds)
            woken.append((name, round(timeline.now, 6)))

    timeline.start(Process("a"), lambda: every(1.0, "a"))
    timeline.start(Process("b"), lambda: every(0.7, "b"))
    timeline.run(10)
    assert woken == [("b", 0.7), ("a", 1.0), ("b", 1.4), ("a", 2.0), ("b", 2.1), ("a", 3.0)]


def test_a_process_that_is_killed_does_nothing_more_not_even_clearing_up() -> None:
    timeline, done = Timeline(Random(1)), []
    process = Process("a")

    def work() -> None:
        try:
            timeline.sleep(5)
        finally:
            done.append("finally begins")
            timeline.sleep(0)
            done.append("finally ends")

    timeline.start(process, work)
    timeline.at(2, lambda: setattr(process, "dead", True))
    timeline.run(10)
    assert done == ["finally begins"]
    assert timeline.crashes == []


def test_an_error_of_a_thread_is_kept_and_nobody_else_is_disturbed() -> None:
    timeline, woken = Timeline(Random(1)), []
    timeline.start(Process("a"), lambda: 1 / 0)
    timeline.start(Process("b"), lambda: (timeline.sleep(1), woken.append(timeline.now)))
    timeline.run(10)
    assert [(who, type(error)) for who, error in timeline.crashes] == [("a", ZeroDivisionError)]
    assert woken == [1]


def test_what_still_runs_at_the_end_is_ended() -> None:
    timeline = Timeline(Random(1))
    process = Process("a")
    timeline.start(process, lambda: timeline.sleep(100))
    timeline.run(10)
    assert process.busy == 0


def test_an_event_is_waited_for_in_simulated_time() -> None:
    timeline, seen = Timeline(Random(1)), []
    event = SimulatedEvent(timeline)
    timeline.start(Process("a"), lambda: seen.append((event.wait(5), event.wait(5), timeline.now)))
    timeline.at(7, event.set)
    timeline.run(100)
    assert seen == [(False, True, 10)]
