"""Which of many are bad: few false ones, and none by chance."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.ebh import singled_out
from checks.sequential import evidence_above


def test_one_that_stands_out_has_to_do_so_more_the_more_were_looked_at() -> None:
    assert singled_out({"a": 41, "b": 1}, 0.05) == ("a",)
    assert singled_out({"a": 41, **dict.fromkeys("bcd", 1)}, 0.05) == ()


def test_a_second_one_needs_less() -> None:
    assert singled_out({"a": 41, "b": 39}, 0.05) == ("a", "b")
    assert singled_out({"a": 39, "b": 1}, 0.05) == ()


def test_nothing_stands_out_of_nothing() -> None:
    assert singled_out({}, 0.05) == ()


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1e9), max_size=20), st.floats(0.001, 0.5))
def test_who_is_named_has_more_evidence_than_who_is_not(evidence: dict[str, float], error: float) -> None:
    named = singled_out(evidence, error)
    left = [value for name, value in evidence.items() if name not in named]
    assert all(evidence[name] >= max(left, default=0) for name in named)
    assert all(evidence[name] >= 1 / error for name in named)


@pytest.mark.parametrize("looks", [100])
def test_forty_good_metrics_seldom_raise_any_alarm_though_they_are_looked_at_again_and_again(looks: int) -> None:
    random.seed(11)
    alarms = 0
    for _ in range(40):
        bad, alarmed = [0] * 40, False
        for look in range(1, looks + 1):
            bad = [each + sum(random.random() < 0.02 for _ in range(5)) for each in bad]
            evidence = {str(name): evidence_above(0.02, 5 * look, each, 1) for name, each in enumerate(bad)}
            alarmed |= bool(singled_out(evidence, 0.05))
        alarms += alarmed
    assert alarms <= 5
