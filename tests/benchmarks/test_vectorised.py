"""The numpy form of the rate gate decides what the gate decides, at the same second."""

from operator import attrgetter

import pytest

np = pytest.importorskip("numpy", reason="numpy is in the group bench")

from benchmarks.decision import traffic, vectorised  # noqa: E402
from checks.error_rate import ErrorRate  # noqa: E402
from checks.evidence import Answers, Count, Terms, Tick, Traffic  # noqa: E402
from checks.group import estimate  # noqa: E402
from checks.verdict import Outcome  # noqa: E402

RUNS, SECONDS = 40, 240


def judged(requests, bad, group: float, block: float) -> tuple[float, float]:
    """Ask the gate itself, and give the seconds of its PASS and of its FAIL."""
    judge = ErrorRate(Terms(weight=5, group=group, block=block, steps=4))
    passed = failed = float("inf")
    for second, (n, x) in enumerate(zip(requests, bad, strict=True), 1):
        counted = Answers(Count(n, x))
        outcome = judge.look(Tick(at=second, seconds=1, traffic=Traffic(canary=counted, pods={"canary": counted})))
        if outcome is Outcome.PASS:
            passed = min(passed, second)
        if outcome is Outcome.FAIL:
            return passed, second
    return passed, failed


@pytest.mark.parametrize(
    "model", [traffic.INDEPENDENT, traffic.BURSTY, traffic.UNSEEN[0]], ids=lambda model: model.name
)
def test_they_decide_the_same_at_the_same_second(model) -> None:
    random = np.random.default_rng(5)
    rates = np.geomspace(0.001, 0.2, RUNS)
    requests, bad = traffic.counts(random, model, 100, rates, model.multipliers(random, SECONDS, RUNS))
    group, block = np.where(np.arange(RUNS) % 2, 1.0, 12.0), np.where(np.arange(RUNS) % 3, 30.0, 90.0)
    passed, failed = vectorised.decide(requests, bad, group, block)
    passed = np.where(passed < failed, passed, np.inf)
    gate = [judged(requests[:, run].tolist(), bad[:, run].tolist(), group[run], block[run]) for run in range(RUNS)]
    assert [tuple(each) for each in zip(passed, failed, strict=True)] == gate
    assert {"PASS" if each[0] < each[1] else "FAIL" for each in gate if each != (np.inf, np.inf)} == {"PASS", "FAIL"}


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_they_estimate_the_same_group_size(share: float) -> None:
    random = np.random.default_rng(6)
    for model in (traffic.INDEPENDENT, traffic.BURSTY, *traffic.UNSEEN):
        requests, bad = traffic.history(random, model, 200, 0.001, 10)
        sizes, blocks = vectorised.estimate(requests, bad, 0.01, share)
        alone = [
            estimate([Count(n, x) for n, x in zip(requests[:, run], bad[:, run], strict=True)], 0.01, share)
            for run in range(10)
        ]
        assert sizes.tolist() == pytest.approx([each.size for each in alone])
        assert blocks.tolist() == [each.block for each in alone]


@pytest.mark.parametrize("model", [traffic.BURSTY, *traffic.UNSEEN, traffic.INCIDENTS], ids=attrgetter("name"))
def test_bursts_leave_the_mean_rate_as_it_is(model) -> None:
    random = np.random.default_rng(7)
    requests, bad = traffic.counts(random, model, 100, 0.01, model.multipliers(random, 3000, 200))
    assert bad.sum() / requests.sum() == pytest.approx(0.01, rel=0.08)
