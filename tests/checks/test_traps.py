"""One test for each trap into which a rule for canaries can fall; the first line of each says which."""

import random
from collections.abc import Iterator

import pytest

from checks.against_stable import AgainstStable
from checks.error_rate import ErrorRate
from checks.evidence import Answers, Count, LatencyObjective, Terms, Tick, Traffic
from checks.gate import Decision, Judge
from checks.latency import Latency
from checks.traffic_split import TrafficSplit
from checks.verdict import Outcome

TERMS = Terms(weight=5, latency=(LatencyObjective(0.99, 0.5),), group=1, steps=4, soak=3)
JUDGES = (ErrorRate, AgainstStable, Latency, TrafficSplit)


def bad(requests: int, rate: float) -> Count:
    return Count(requests, sum(random.random() < rate for _ in range(requests)))


NOBODY = Count()


def look(at: float, canary: Count, stable: Count = NOBODY, **pods: Count) -> Tick:
    told_apart = {pod: Answers(seen) for pod, seen in pods.items()}
    sides = Answers(canary, (Count(),)), Answers(stable)
    return Tick(at=at, seconds=1, traffic=Traffic(*sides, pods=told_apart))


def decide(judge: type[Judge], ticks: Iterator[Tick], terms: Terms = TERMS) -> Decision:
    random.seed(5)
    decision = Decision(judge(terms))
    for tick in ticks:
        decision.look(tick)
        if decision.outcome is Outcome.FAIL:
            break
    return decision


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize(
    "nothing",
    [
        Tick(at=0, seconds=0, gap="no answer"),
        Tick(at=0, seconds=1, traffic=Traffic()),
        Tick(at=0, seconds=1, traffic=Traffic(stable=Answers(Count(1900, 2), (Count(1900, 2),)))),
    ],
    ids=["no data", "no request", "no request to the canary"],
)
def test_time_passes_and_evidence_does_not(judge: type[Judge], nothing: Tick) -> None:
    ticks = (Tick(**{**vars(nothing), "at": second}) for second in range(600))
    decision = decide(judge, ticks)
    assert decision.outcome is not Outcome.PASS
    assert decision.judge.verdict().sentence


@pytest.mark.parametrize(("requests", "errors"), [(1, 2), (-1, -1), (5, -1), (float("nan"), 0), (5, float("nan"))])
def test_impossible_counts_are_an_error_and_no_evidence(requests: float, errors: float) -> None:
    with pytest.raises(ValueError, match="impossible counts"):
        Count(requests, errors)


def test_a_scrape_of_fifteen_seconds_decides_later_and_as_well() -> None:
    each_second = decide(ErrorRate, (look(at, bad(100, 0.05)) for at in range(1, 600)))
    scraped = decide(ErrorRate, (look(at, bad(1500, 0.05)) for at in range(15, 600, 15)))
    assert (each_second.outcome, scraped.outcome) == (Outcome.FAIL, Outcome.FAIL)
    assert each_second.at < 8
    assert scraped.at == 15


def test_good_requests_from_before_the_weight_was_in_effect_do_not_help_and_bad_ones_count() -> None:
    early = [Tick(**{**vars(look(0, Count(5000, 0))), "settled": False}) for _ in range(5)]
    assert decide(ErrorRate, iter([*early, look(5, Count(10, 0))])).outcome is Outcome.INCONCLUSIVE
    harm = Tick(**{**vars(look(0, Count(50, 50))), "settled": False})
    assert decide(ErrorRate, iter([harm])).outcome is Outcome.FAIL


def test_at_a_hundred_percent_there_is_no_stable_left_and_the_objective_decides() -> None:
    all_of_it = Terms(**{**vars(TERMS), "weight": 100})
    ticks = [look(at, Count(2000, 100)) for at in range(1, 10)]
    assert decide(AgainstStable, iter(ticks), all_of_it).outcome is Outcome.PASS
    assert decide(ErrorRate, iter(ticks), all_of_it).outcome is Outcome.FAIL


def test_one_pod_of_four_that_is_bad_is_found_though_the_canary_as_a_whole_is_good() -> None:
    def ticks() -> Iterator[Tick]:
        for at in range(1, 200):
            pods = {"a": bad(25, 0.03), **{pod: bad(25, 0.001) for pod in "bcd"}}
            yield look(at, sum(pods.values(), Count()), **pods)

    found = decide(ErrorRate, ticks())
    assert (found.outcome, found.at < 80) == (Outcome.FAIL, True)
    assert "pod a alone" in found.verdict.sentence


def test_an_outage_that_both_versions_share_is_held_and_said() -> None:
    ticks = [look(at, Count(100, 20), Count(1900, 380)) for at in range(1, 30)]
    absolute, compared = decide(ErrorRate, iter(ticks)), decide(AgainstStable, iter(ticks))
    assert (absolute.outcome, compared.outcome) == (Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE)
    assert "both versions are bad" in absolute.verdict.sentence
    alone = [look(at, Count(100, 20), Count(1900, 2)) for at in range(1, 30)]
    assert decide(ErrorRate, iter(alone)).outcome is Outcome.FAIL


def test_an_incident_after_the_pass_still_fails() -> None:
    good_then_bad = (look(at, bad(100, 0.001 if at <= 300 else 0.4)) for at in range(1, 400))
    found = decide(ErrorRate, good_then_bad)
    assert (found.outcome, found.at) == (Outcome.FAIL, 301)


def test_a_canary_that_gets_nothing_fails_for_its_traffic() -> None:
    found = decide(TrafficSplit, (look(at, Count(), Count(100, 0)) for at in range(1, 60)))
    assert found.outcome is Outcome.FAIL


def test_a_source_that_can_not_tell_slow_from_fast_does_not_pass_for_fast() -> None:
    untold = (Tick(at=at, seconds=1, traffic=Traffic(Answers(Count(1000, 0)))) for at in range(1, 60))
    assert decide(Latency, untold).outcome is Outcome.INCONCLUSIVE


def test_looking_all_the_time_at_a_rate_that_is_the_objective_never_ends_in_a_verdict() -> None:
    outcomes = []
    for seed in range(40):
        random.seed(seed)
        decision = Decision(ErrorRate(TERMS))
        for at in range(1, 300):
            decision.look(look(at, bad(20, 0.01)))
        outcomes.append(decision.outcome)
    assert outcomes.count(Outcome.INCONCLUSIVE) >= 39
