"""The error rate gate: what it says, when, and that silence never passes."""

import random

from checks.error_rate import ErrorRate
from checks.evidence import Answers, Count, Terms, Tick, Traffic
from checks.gate import Decision
from checks.verdict import Outcome

TERMS = Terms(weight=5, error_rate=0.01, soak=3, limit=120, group=1, steps=4)


def test_a_good_canary_passes_after_enough_requests(watch) -> None:
    decision = watch(Decision(ErrorRate(TERMS)), seconds=20, rate=1000, weight=5)
    assert decision.outcome is Outcome.PASS
    assert decision.at == 11  # 545 requests at 50 a second
    assert "canary error rate 0 % (0 of 550, 95 % interval 0 to" in decision.verdict.sentence
    assert decision.verdict.sentence.endswith("is under the objective 1 %; decided after 11 s")


def test_a_bad_canary_fails_with_rate_counts_and_interval(watch) -> None:
    decision = watch(Decision(ErrorRate(TERMS)), seconds=20, rate=1000, weight=5, error_rate=0.05)
    assert decision.outcome is Outcome.FAIL
    assert "is over the objective 1 %; decided after" in decision.verdict.sentence
    assert decision.at < 10


def test_a_rate_equal_to_the_objective_never_decides(watch) -> None:
    decision = watch(Decision(ErrorRate(TERMS)), seconds=120, rate=1000, weight=5, error_rate=0.01)
    assert decision.outcome is Outcome.INCONCLUSIVE


def test_no_traffic_is_inconclusive_and_says_so(watch) -> None:
    decision = watch(Decision(ErrorRate(TERMS)), seconds=120, rate=0, weight=5)
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert "no traffic reached the canary in 2 min 0 s" in decision.verdict.sentence


def test_a_source_without_data_adds_time_but_no_evidence() -> None:
    decision = Decision(ErrorRate(TERMS))
    for second in range(1, 121):
        decision.look(Tick(at=second, seconds=0, traffic=None, gap="Envoy did not answer"))
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert "Envoy did not answer" in decision.verdict.sentence


def test_the_soak_is_kept_however_much_evidence_there_is(watch) -> None:
    decision = watch(Decision(ErrorRate(TERMS)), seconds=20, rate=100_000, weight=50)
    assert (decision.outcome, decision.at) == (Outcome.PASS, 3)


def test_harm_before_the_weight_is_in_effect_fails_but_good_answers_do_not_help() -> None:
    early = Tick(at=0, seconds=1, traffic=Traffic(canary=Answers(Count(5000, 0))), settled=False)
    decision = Decision(ErrorRate(TERMS))
    decision.look(early)
    decision.look(Tick(at=10, seconds=1, traffic=Traffic(canary=Answers(Count(1, 0)))))
    assert decision.outcome is Outcome.INCONCLUSIVE
    decision.look(Tick(at=0, seconds=1, traffic=Traffic(canary=Answers(Count(500, 400))), settled=False))
    assert decision.outcome is Outcome.FAIL


def test_harm_is_carried_from_step_to_step() -> None:
    first = ErrorRate(TERMS)
    first.look(Tick(at=1, seconds=1, traffic=Traffic(canary=Answers(Count(3, 3)))))
    second, afresh = ErrorRate(TERMS), ErrorRate(TERMS)
    second.resume(first.state())
    more = Tick(at=1, seconds=1, traffic=Traffic(canary=Answers(Count(2, 2))))
    assert second.look(more) is Outcome.FAIL
    assert afresh.look(more) is Outcome.INCONCLUSIVE


def test_requests_that_reached_no_pod_are_named() -> None:
    decision = Decision(ErrorRate(TERMS))
    decision.look(Tick(at=1, seconds=1, traffic=Traffic(canary=Answers(Count(40, 40)), unreached=40)))
    assert decision.outcome is Outcome.FAIL
    assert "40 reached no pod" in decision.verdict.sentence


def test_a_pass_turns_into_a_fail_when_harm_comes_before_the_others_have_decided(watch) -> None:
    decision = watch(Decision(ErrorRate(TERMS)), seconds=20, rate=1000, weight=5)
    decision.look(Tick(at=21, seconds=1, traffic=Traffic(canary=Answers(Count(50, 50)))))
    assert decision.outcome is Outcome.FAIL


def test_harm_that_came_late_is_told_by_the_requests_that_show_it() -> None:
    terms = Terms(weight=50, split_tolerance=10, soak=1000, limit=2000, group=1)
    decision = Decision(ErrorRate(terms))
    for second in range(1, 602):
        bad = 40 if second == 601 else 0
        decision.look(Tick(at=second, seconds=1, traffic=Traffic(Answers(Count(100, bad)), Answers(Count(100)))))
    assert decision.outcome is Outcome.FAIL
    told = "canary error rate 40 % (40 of the last 100, in 1 s; 40 of 60 100 in all) is over the objective 1 %"
    assert decision.verdict.sentence.startswith(told)


def test_one_bad_pod_among_good_ones_is_found() -> None:
    decision, at = Decision(ErrorRate(TERMS)), 0
    rates = {"a": 0.03, "b": 0.001, "c": 0.001, "d": 0.001}
    random.seed(4)
    while decision.outcome is not Outcome.FAIL and at < 200:
        at += 1
        pods = {pod: Count(25, sum(random.random() < rate for _ in range(25))) for pod, rate in rates.items()}
        told_apart = {pod: Answers(seen) for pod, seen in pods.items()}
        whole = Answers(sum(pods.values(), Count()))
        decision.look(Tick(at=at, seconds=1, traffic=Traffic(canary=whole, pods=told_apart), settled=False))
    assert decision.outcome is Outcome.FAIL
    assert "pod a alone has" in decision.verdict.sentence


def outage(canary: Count, stable: Count, seconds: int) -> ErrorRate:
    judge = ErrorRate(TERMS)
    for second in range(1, seconds + 1):
        judge.look(Tick(at=second, seconds=1, traffic=Traffic(Answers(canary), Answers(stable))))
    return judge


def test_an_outage_that_stable_shares_is_held_and_named() -> None:
    judge = outage(Count(50, 10), Count(950, 190), seconds=30)
    verdict = judge.verdict()
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.numbers["shared_outage"] == 1
    assert verdict.sentence.startswith("both versions are bad, an outage that they share: canary error rate 20 %")
    assert verdict.sentence.endswith("stable has 20 % of 28 500")


def test_a_shared_outage_is_not_held_against_the_canary_in_the_next_run() -> None:
    after = ErrorRate(TERMS)
    after.resume(outage(Count(50, 10), Count(950, 190), seconds=30).state())
    assert after.look(Tick(at=1, seconds=1, traffic=Traffic(Answers(Count(50, 1))))) is Outcome.INCONCLUSIVE


def test_a_good_stable_excuses_nobody() -> None:
    assert outage(Count(50, 10), Count(950, 1), seconds=5).verdict().outcome is Outcome.FAIL


def test_several_bad_pods_are_named_together() -> None:
    decision = Decision(ErrorRate(TERMS))
    pods = {"a": Count(30, 12), "b": Count(30, 11), **{name: Count(900, 0) for name in "cdefgh"}}
    told_apart = {pod: Answers(seen) for pod, seen in pods.items()}
    whole = Answers(sum(pods.values(), Count()))
    decision.look(Tick(at=1, seconds=1, traffic=Traffic(canary=whole, pods=told_apart), settled=False))
    assert decision.outcome is Outcome.FAIL
    assert "; pods a, b have 38 % of 60, over the objective 1 %" in decision.verdict.sentence
