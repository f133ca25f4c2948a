"""Replay: verdicts and moments from recorded counters."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from checks.evidence import LatencyObjective, Terms
from ci.replay import Objectives, Replay
from fixtures.errors import InputError
from fixtures.recording import Recorded

TERMS = Terms(weight=0, latency=(LatencyObjective(0.99, 0),), soak=60, limit=600, group=1, steps=4)
Line = dict[str, Any]


def run(
    rates: list[tuple[int, float, float]], *, rate: int = 2000, slow: float = 0.0, stable: float = 0.001
) -> Iterator[Line]:
    """Give the lines of a run: for each (seconds, weight, error rate) of the canary; stable has 0.1 %."""
    totals, t = {"canary": [0, 0, 0], "stable": [0, 0, 0]}, 0
    for seconds, weight, error_rate in rates:
        for _ in range(seconds):
            t += 1
            canary = round(rate * weight / 100)
            for side, requests, bad in (("canary", canary, error_rate), ("stable", rate - canary, stable)):
                errors = sum(random.random() < bad for _ in range(requests))
                totals[side] = [a + b for a, b in zip(totals[side], (requests, errors, requests * slow), strict=True)]
            sides = {s: [{"pod": s, "requests": n, "errors": x, "slow": y}] for s, (n, x, y) in totals.items()}
            yield {"t": float(t), "weight": weight, **sides}


def replayed(lines: Iterator[Line], objectives: Objectives | None = None) -> dict[str, Any]:
    recorded, replay = Recorded(""), Replay("", objectives or Objectives(TERMS, group=1))
    for line in lines:
        if (look := recorded.look(line, "here")) is not None:
            replay.look(look)
    return replay.outcome()


@pytest.fixture(autouse=True)
def _same_traffic() -> None:
    random.seed(7)


def test_a_good_canary_passes_when_the_soak_is_over() -> None:
    found = replayed(run([(90, 5, 0.001)]))
    assert (found["verdict"], found["at"]) == ("PASS", 60)


def test_a_canary_that_fails_wholly_is_stopped_at_the_first_look() -> None:
    found = replayed(run([(60, 5, 1.0)]))
    assert (found["verdict"], found["at"]) == ("FAIL", 1)
    assert found["gates"]["error_rate"]["verdict"] == "FAIL"


def test_harm_after_a_pass_is_still_found() -> None:
    found = replayed(run([(300, 5, 0.001), (30, 5, 0.05)]))
    assert found["verdict"] == "FAIL"
    assert 300 < found["at"] <= 310


def test_every_weight_has_to_pass() -> None:
    assert replayed(run([(70, 5, 0.001), (70, 25, 0.001)]))["verdict"] == "PASS"
    assert replayed(run([(70, 5, 0.001), (20, 25, 0.001)]))["verdict"] == "INCONCLUSIVE"
    assert replayed(run([(20, 5, 0.001), (70, 25, 0.001)]))["verdict"] == "INCONCLUSIVE"


def test_slow_answers_fail_for_latency() -> None:
    found = replayed(run([(30, 5, 0.001)], slow=0.3))
    assert (found["verdict"], found["gates"]["latency"]["verdict"]) == ("FAIL", "FAIL")


def test_nothing_recorded_is_inconclusive() -> None:
    assert replayed(iter(()))["verdict"] == "INCONCLUSIVE"
    assert replayed(run([(90, 5, 0.0)], rate=0))["verdict"] == "INCONCLUSIVE"


def test_history_at_weight_zero_gives_the_group_size() -> None:
    found = replayed(run([(1200, 0, 0.0), (30, 5, 0.001)], rate=200), Objectives(TERMS))
    assert found["gates"]["error_rate"]["numbers"]["group"] == 1.0


def test_a_base_line_counts_nothing_and_a_reset_counts_all() -> None:
    recorded = Recorded("a")

    def line(t: float, requests: int) -> Line:
        return {"t": t, "weight": 5, "canary": [{"pod": "c", "requests": requests, "errors": 0}], "stable": []}

    looks = [recorded.look(line(*each), "here") for each in ((0, 5000), (1, 5010), (2, 7))]
    assert looks[0] is None
    assert [look.tick.traffic.canary.all.requests for look in looks[1:]] == [10, 7]


@pytest.mark.parametrize(
    ("broken", "said"),
    [({}, "no look at a run"), ({"t": 1, "weight": 5, "canary": [{"requests": 1, "errors": 2}], "stable": []}, "2")],
)
def test_what_is_no_look_is_refused_with_its_place(broken: Line, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Recorded("a").look(broken, "runs.jsonl:7")


def test_time_has_to_grow() -> None:
    recorded: Callable[[Line, str], Any] = Recorded("a").look
    line = {"t": 5, "weight": 5, "canary": [], "stable": []}
    recorded(line, "runs.jsonl:1")
    with pytest.raises(InputError, match="time has to grow"):
        recorded(line, "runs.jsonl:2")


def test_an_outage_that_stable_shares_is_held_and_not_promoted() -> None:
    found = replayed(run([(60, 5, 0.2)], stable=0.2))
    assert found["verdict"] == "INCONCLUSIVE"
    assert found["gates"]["error_rate"]["sentence"].startswith("both versions are bad, an outage that they share")
