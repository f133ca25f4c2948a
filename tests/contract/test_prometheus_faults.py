"""Prometheus fails in the middle of a step that sees its traffic nowhere else: never PASS, said so, and made up for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from checks.alerts import NoAlert
from checks.error_rate import ErrorRate
from checks.traffic_split import TrafficSplit
from checks.verdict import Outcome, Verdict
from fixtures.sandbox.dataplane.prometheus import NAME
from fixtures.waiting import wait

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

WEIGHT = 50
RATE = 300
GATES = {"error_rate": ErrorRate, "traffic_split": TrafficSplit}
FAULTS = {
    "killed": "Prometheus did not answer: ConnectionError",
    "frozen": "Prometheus did not answer: nothing came within 3 s",
    "late": "Prometheus did not answer: nothing came within 3 s",
    "refusing": "Prometheus did not answer: status 503",
}


@dataclass
class Faulted:
    """What came of steps that ran side by side, each with its own Prometheus.

    Attributes:
        unharmed: the verdicts of the step whose Prometheus is well, and of the one that can ask Envoy.
        meanwhile: what each harmed one had decided when the unharmed one had passed, and its gap.
        afterwards: their verdicts after Prometheus was well again.
        given_up: the verdicts of the step whose Prometheus was never well again.
        asked: the verdicts of the step that sees its traffic in Envoy, and asks a Prometheus for alerts that hangs.
        looks: how many that took a second.
    """

    unharmed: dict[str, dict[str, Verdict]]
    meanwhile: dict[str, tuple[list[Any], str]]
    afterwards: dict[str, dict[str, Verdict]]
    given_up: dict[str, Verdict]
    asked: dict[str, Verdict]
    looks: float


@pytest.fixture(scope="module")
def faulted(stage: Any, scraper: Any, proxy: Any, watch: Any) -> Faulted:
    """Watch the same canary through healthy and harmed servers at once: it saves a minute."""
    own = stage.info["prometheus"]
    killed, frozen = scraper(stage.info["envoy_admin"]), scraper(stage.info["envoy_admin"])
    late, refusing, gone, silent = proxy(own), proxy(own), proxy(own), proxy(own)
    silent.late = True
    stage.canary(WEIGHT)
    stage.rate(RATE)

    def step(url: str, **release: Any) -> Any:
        return watch(stage.subject(WEIGHT, through=url, **{"soak": 3.0, "limit": 60.0, **release}), **GATES)

    harmed = {
        "killed": (step(killed.url), killed.kill),
        "frozen": (step(frozen.url), frozen.freeze),
        "late": (step(late.url), partial(setattr, late, "late", True)),
        "refusing": (step(refusing.url), partial(setattr, refusing, "status", 503)),
        "gone": (step(gone.url, limit=5.0), partial(setattr, gone, "status", 503)),
    }
    well = step(own)
    by_envoy = watch(beside(stage.subject(WEIGHT, soak=3.0), gone.url), **GATES)
    alerts = stage.subject(WEIGHT, soak=3.0, limit=8.0, alerts={"service": "rebate-core"})
    asking = watch(beside(alerts, silent.url), **GATES, no_alert_fires=NoAlert)
    harm(dict(harmed))
    unharmed = {"prometheus": well.verdicts(), "envoy": by_envoy.verdicts()}
    steps = {name: watched for name, (watched, _) in harmed.items()}
    given_up = steps.pop("gone").verdicts()
    gaps = {name: wait(lambda each=each: each.gap() or None, what="a gap", timeout=15) for name, each in steps.items()}
    meanwhile = {name: (watched.said("verdict"), gaps[name]) for name, watched in steps.items()}
    killed.restart()
    frozen.thaw()
    late.late, refusing.status = False, 200
    afterwards = {name: watched.verdicts() for name, watched in steps.items()}
    asked = asking.verdicts()
    stage.quiet()
    ticks = [line["t"] for line in asking.said("tick") if line["settled"]]
    return Faulted(unharmed, meanwhile, afterwards, given_up, asked, len(ticks) / ticks[-1])


def harm(steps: dict[str, tuple[Any, Callable[[], None]]]) -> None:
    """Harm each step's Prometheus as soon as it has begun to count."""

    def all_harmed() -> bool:
        for name in [name for name, (watched, _) in steps.items() if watched.settled()]:
            steps.pop(name)[1]()
        return not steps

    wait(all_harmed, what="traffic under the weight", timeout=40, interval=0.05)


def beside(subject: Any, prometheus: str) -> Any:
    """Name another Prometheus, and leave the Envoys where they can be asked."""
    target = replace(subject.target, rewrites={**subject.target.rewrites, NAME: prometheus})
    return replace(subject, target=target)


@pytest.mark.parametrize("source", ["prometheus", "envoy"])
def test_who_can_see_the_traffic_passes(faulted: Faulted, source: str) -> None:
    """Through a healthy Prometheus; and by asking Envoy, whatever becomes of Prometheus."""
    assert {each.outcome for each in faulted.unharmed[source].values()} == {Outcome.PASS}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_decided_while_prometheus_is_away_and_it_says_why(faulted: Faulted, fault: str) -> None:
    decided, gap = faulted.meanwhile[fault]
    assert decided == []
    assert FAULTS[fault] in gap


@pytest.mark.parametrize("fault", FAULTS)
def test_the_step_goes_on_when_prometheus_is_back(faulted: Faulted, fault: str) -> None:
    assert {each.outcome for each in faulted.afterwards[fault].values()} == {Outcome.PASS}


def test_a_step_whose_prometheus_stays_away_is_inconclusive(faulted: Faulted) -> None:
    assert {each.outcome for each in faulted.given_up.values()} == {Outcome.INCONCLUSIVE}
    sentence = faulted.given_up["error_rate"].sentence
    assert "the step's time limit of 5 s is over, and the traffic is not seen: " in sentence
    assert "Prometheus did not answer: status 503" in sentence


def test_alerts_of_a_prometheus_that_hangs_do_not_pass_and_hold_up_no_look_at_envoy(faulted: Faulted) -> None:
    assert {gate: each.outcome for gate, each in faulted.asked.items()} == {
        "error_rate": Outcome.PASS,
        "traffic_split": Outcome.PASS,
        "no_alert_fires": Outcome.INCONCLUSIVE,
    }
    assert "whether an alert fires is not known: " in faulted.asked["no_alert_fires"].sentence
    assert faulted.looks > 1, "one that waited for Prometheus would have a look in three seconds"
