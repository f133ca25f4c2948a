from hypothesis import given
from hypothesis import strategies as st

from ci.events import Note, Progress
from ci.reporters.pulse import SECONDS, Pulse


def counted(at: float, requests: float, errors: float, step: int | None = 5) -> Progress:
    return Progress(at=at, step=step, gates={}, canary={"requests": requests, "errors": errors})


def pulse(*events: Progress | Note) -> Pulse:
    made = Pulse()
    for event in events:
        made.tell(event)
    return made


def test_each_second_has_the_errors_of_that_second_and_not_of_all_before() -> None:
    assert pulse(counted(0, 0, 0), counted(1, 100, 0), counted(2, 200, 50), counted(3, 300, 50)).canary == (0, 0.5, 0)


def test_four_looks_a_second_are_one_second() -> None:
    looks = [counted(quarter / 4, quarter * 10, 0) for quarter in range(9)]
    assert pulse(*looks).canary == (0, 0)


def test_a_second_without_a_request_is_no_second_without_an_error() -> None:
    assert pulse(counted(0, 10, 0), counted(1, 10, 0)).canary == (None,)
    assert pulse(counted(0, 10, 0), counted(1, 20, 0)).stable == (None,)


def test_counters_that_begin_anew_are_no_negative_errors() -> None:
    assert pulse(counted(0, 500, 50), counted(1, 20, 10)).canary == (0.5,)
    assert pulse(counted(0, 500, 50), counted(9, 700, 70, step=25), counted(10, 800, 70, step=25)).canary == (0,)


def test_what_is_no_count_changes_nothing() -> None:
    assert pulse(counted(0, 0, 0), Note(at=0.5, text="x"), counted(1, 10, 1)).canary == (0.1,)


@given(st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 1e9)), max_size=200))
def test_it_is_a_minute_of_shares_whatever_the_counters_say(told: list[tuple[float, float]]) -> None:
    shares = pulse(*(counted(second, *each) for second, each in enumerate(told))).canary
    assert len(shares) <= SECONDS
    assert all(share is None or 0 <= share <= 1 for share in shares)
