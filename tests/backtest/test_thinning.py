"""A canary made of stable's own answers: nothing is lost, nothing is made up, and the lot is fair."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import Answers, Count
from ci.backtest.thinning import parted, thinned
from fixtures.past import Stretch

SEEN = st.tuples(st.integers(0, 3000), st.integers(0, 3000)).map(lambda pair: Count(max(pair), min(pair)))


@given(seen=SEEN, share=st.floats(0, 1), seed=st.integers(0, 99))
def test_both_parts_together_are_what_was_answered(seen: Count, share: float, seed: int) -> None:
    canary, stable = parted(seen, share, Random(seed))
    assert canary + stable == seen
    assert abs(canary.requests - share * seen.requests) < 1


@pytest.mark.parametrize(("seen", "share"), [(Count(1000, 30), 0.25), (Count(1000, 970), 0.25), (Count(40, 10), 0.05)])
def test_the_lot_is_fair(seen: Count, share: float) -> None:
    """Mean and variance are those of a hypergeometric lot, whichever of good and bad is rare."""
    chance, many = Random(3), 4000
    drawn = [parted(seen, share, chance)[0].bad for _ in range(many)]
    rate, taken = seen.bad / seen.requests, share * seen.requests
    expected = taken * rate
    variance = expected * (1 - rate) * (seen.requests - taken) / (seen.requests - 1)
    assert sum(drawn) / many == pytest.approx(expected, rel=0.05)
    assert sum((each - expected) ** 2 for each in drawn) / many == pytest.approx(variance, rel=0.1)


def test_a_canary_of_a_quiet_service_gets_requests_too() -> None:
    chance = Random(1)
    assert sum(parted(Count(3, 0), 0.05, chance)[0].requests for _ in range(1000)) == pytest.approx(150, rel=0.2)


def test_at_100_percent_stable_has_nothing_left() -> None:
    assert parted(Count(500, 3), 1.0, Random(1)) == (Count(500, 3), Count())


def test_who_reached_nobody_counts_as_the_canarys_and_slow_answers_keep_their_own_count() -> None:
    stretch = Stretch(Answers(Count(1000, 10), (Count(990, 990),)), unreached=7)
    traffic = thinned(stretch, 0.5, Random(1))
    assert traffic.unreached == 7
    assert traffic.canary.all.requests == 507
    assert traffic.canary.all.bad + traffic.stable.all.bad == 17
    assert traffic.canary.slow == (Count(495, 495),)
