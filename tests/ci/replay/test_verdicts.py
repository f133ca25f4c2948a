"""What a replay decides, and when."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def one(made, written, replayed) -> Callable[..., dict[str, Any]]:
    """Makes one run and replays it, by default with independent requests."""

    def run(
        stretches: list[tuple[int, float, float]], options: dict[str, str] | None = None, **traffic
    ) -> dict[str, Any]:
        return replayed(written(made(stretches, **traffic)), **{"group": "1", **(options or {})})[0]

    return run


def test_a_good_canary_passes_when_the_last_gate_has_passed(one) -> None:
    found = one([(200, 5, 0.001)], rate=1000)
    assert found["verdict"] == "PASS"
    assert (found["gates"]["error_rate"]["at"], found["gates"]["latency"]["at"]) == (60, 60)
    assert found["at"] == found["gates"]["error_rate_against_stable"]["at"] > 60


def test_a_canary_that_fails_wholly_is_stopped_at_the_first_look(one) -> None:
    found = one([(60, 5, 1.0)])
    assert (found["verdict"], found["at"]) == ("FAIL", 1)
    assert found["gates"]["error_rate"]["verdict"] == "FAIL"


def test_after_a_fail_the_other_gates_are_heard_to_their_end(one) -> None:
    found = one([(90, 5, 0.05)])
    assert found["at"] < 10
    assert (found["gates"]["latency"]["verdict"], found["gates"]["latency"]["at"]) == ("PASS", 60)


def test_harm_after_a_pass_is_still_found(one) -> None:
    found = one([(300, 5, 0.001), (30, 5, 0.05)])
    assert found["verdict"] == "FAIL"
    assert 300 < found["at"] <= 310


def test_every_weight_has_to_pass(one) -> None:
    assert one([(110, 5, 0.001), (70, 25, 0.001)])["verdict"] == "PASS"
    assert one([(110, 5, 0.001), (20, 25, 0.001)])["verdict"] == "INCONCLUSIVE"
    assert one([(20, 5, 0.001), (110, 25, 0.001)])["verdict"] == "INCONCLUSIVE"


def test_each_weight_is_told_with_its_gates(one) -> None:
    steps = one([(110, 5, 0.001), (70, 25, 0.001)])["steps"]
    assert [(step["weight"], step["verdict"], step["gates"]["error_rate"]["at"]) for step in steps] == [
        (5, "PASS", 60),
        (25, "PASS", 170),
    ]


def test_evidence_of_harm_goes_on_at_the_next_weight(written, replayed) -> None:
    def look(t: int, weight: int, bad: int) -> dict[str, Any]:
        return {"t": t, "weight": weight, "canary": [{"pod": "c", "requests": bad, "errors": bad}], "stable": []}

    one, two_more = look(1, 5, 1), look(2, 25, 3)
    (carried,) = replayed(written([one, two_more]), group="1")
    (afresh,) = replayed(written([look(1, 25, 2)]), group="1")
    assert (carried["verdict"], afresh["verdict"]) == ("FAIL", "INCONCLUSIVE")


def test_nothing_passes_on_a_look_that_does_not_see_the_traffic(made, written, replayed) -> None:
    lines = list(made([(62, 25, 0.0)]))
    for unseen in lines[57:60]:
        unseen["canary"] = None
    (found,) = replayed(written(lines), group="1")
    assert (found["verdict"], found["at"]) == ("PASS", 61)


def test_slow_answers_fail_for_latency(one) -> None:
    found = one([(30, 5, 0.001)], slow=0.3)
    assert (found["verdict"], found["gates"]["latency"]["verdict"]) == ("FAIL", "FAIL")


def test_no_traffic_never_passes(one) -> None:
    found = one([(90, 5, 0.0)], rate=0)
    assert found["verdict"] == "INCONCLUSIVE"
    assert {gate["verdict"] for gate in found["gates"].values()} == {"INCONCLUSIVE"}


def test_an_outage_of_both_versions_is_nobodys_fault(one) -> None:
    assert one([(30, 5, 0.2)], stable=0.2)["verdict"] == "INCONCLUSIVE"
    assert one([(30, 5, 0.2)], stable=0.001)["verdict"] == "FAIL"


def test_a_step_that_has_used_up_its_time_passes_no_more(one) -> None:
    assert one([(200, 5, 0.001)], {"limit": "3m"}, rate=1000)["verdict"] == "PASS"
    assert one([(200, 5, 0.001)], {"limit": "61s"}, rate=1000)["verdict"] == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("options", "verdict"),
    [
        ({"error_rate": "0.1%"}, "FAIL"),
        ({"error_rate": "2%", "margin": "3%"}, "PASS"),
        ({"soak": "2m"}, "INCONCLUSIVE"),
    ],
)
def test_options_set_the_objectives(one, options, verdict) -> None:
    assert one([(100, 5, 0.006)], options)["verdict"] == verdict


def test_more_requests_in_a_group_need_more_requests(one) -> None:
    alone, together = (one([(200, 5, 0.001)], {"group": group})["gates"]["error_rate"] for group in ("1", "20"))
    assert alone["at"] == 60
    assert together["at"] > 100


def test_lines_at_weight_zero_are_history_and_give_the_group_size(one) -> None:
    found = one([(1200, 0, 0.0), (30, 5, 0.001)], {"group": "auto"}, rate=200)
    assert found["gates"]["error_rate"]["numbers"]["group"] == 1.0
    assert one([(30, 5, 0.001)], {"group": "auto"})["gates"]["error_rate"]["numbers"]["group"] == 5.0
