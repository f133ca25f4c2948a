"""``group: auto``: from a real Prometheus to the terms of every step, the same for all."""

from pathlib import Path
from typing import Any

import pytest

from checks.at_rest import RestingTraffic
from checks.evidence import Answers, Count, Traffic
from checks.plan_fits import judge
from checks.verdict import Outcome
from fixtures import subject as module
from fixtures.errors import InputError
from fixtures.past import Past, clumping
from fixtures.release import Release, load_release
from fixtures.subject import Subject, named
from fixtures.surroundings import terms
from fixtures.target import Target
from fixtures.waiting import FakeClock

EXAMPLE = Path(__file__).parents[2] / "examples" / "rebate-core" / "release.yaml"
HOUR, DAY = 3600, 86_400


@pytest.fixture
def release() -> Release:
    """The example, as the service whose past was made."""
    example = load_release(EXAMPLE)
    names = example.names.model_copy(update={"service": "shop"})
    return example.model_copy(update={"names": names, "group": "auto", "limit": 600.0, "soak": 60.0})


@pytest.fixture
def subject(kept: Any, release: Release, monkeypatch: pytest.MonkeyPatch) -> Subject:
    """A release at noon of day 0, at rest, with 200 requests a second."""
    clock = FakeClock()
    monkeypatch.setattr(clock, "now", lambda: kept.began + 12 * HOUR + 0.7)
    monkeypatch.setattr(module, "SYSTEM_CLOCK", clock)
    target = Target(name="here", rewrites={str(release.metrics.prometheus): kept.url})
    resting = RestingTraffic(2.0, Traffic(stable=Answers(Count(400))))
    return Subject(release, target, 5, _resting=[resting])


def test_errors_that_come_one_by_one_are_groups_of_one(kept: Any) -> None:
    found = clumping(Past(kept.client, kept.labels, [0.5]), kept.began + 12 * HOUR)
    assert found.errors is not None
    assert found.errors.volume == 12_000
    assert found.errors.rate == pytest.approx(0.001, rel=0.15)
    assert found.errors.phi == pytest.approx(1, abs=0.7)
    assert found.slow[0] is not None
    assert found.slow[0].rate == pytest.approx(0.002, rel=0.15)
    assert found.seconds == 60


def test_errors_that_come_all_at_once_are_not(kept: Any, release: Release) -> None:
    burst = clumping(Past(kept.client, kept.labels, [0.5]), kept.began + 4 * DAY + 12 * HOUR + 300)
    assert terms(release, 5, "", burst).group > 20
    assert burst.slow[0] is not None
    assert burst.slow[0].phi < 2


def test_preflight_says_what_it_found_and_every_step_is_judged_by_it(subject: Subject, release: Release) -> None:
    verdict = judge(subject.plan())
    assert verdict.outcome is Outcome.PASS
    assert verdict.sentence.endswith("; errors in groups of 1, by stable's last half hour")
    step = named(EXAMPLE, "context", 25, None, None, clumping=str(verdict.numbers["clumping"]))
    assert terms(release, 25, "", step.clumping).group == 1
    assert terms(release, 25).group == 5


def test_a_prometheus_that_is_away_costs_precision_and_nothing_else(subject: Subject, release: Release) -> None:
    away = Subject(
        release,
        Target(name="here", rewrites={str(release.metrics.prometheus): "http://127.0.0.1:9"}),
        5,
        _resting=subject._resting,
    )
    verdict = judge(away.plan())
    assert "groups of 5: http://127.0.0.1:9: Prometheus did not answer" in verdict.sentence
    assert "clumping" not in verdict.numbers


def test_a_number_in_the_release_file_is_a_statement_and_nobody_is_asked(subject: Subject, release: Release) -> None:
    stated = Subject(release.model_copy(update={"group": 3}), subject.target, 5, _resting=subject._resting)
    assert "groups" not in judge(stated.plan()).sentence
    assert {step.group for step in stated.plan().steps} == {3}


def test_where_no_first_step_can_pass_a_person_begins_with_the_usual_ones(subject: Subject, release: Release) -> None:
    """And not with the only one that comes near: all of the traffic at once."""
    found = release.model_copy(update={"steps": ()})
    slow = [RestingTraffic(60.0, Traffic(stable=Answers(Count(30))))]
    refused = judge(Subject(found, subject.target, 5, _resting=slow).plan())
    assert (refused.outcome, refused.numbers["first"]) == (Outcome.FAIL, 100)
    begun = judge(Subject(found, subject.target, 5, despite="ana@laptop: hotfix", _resting=slow).plan())
    assert (begun.outcome, begun.numbers["first"]) == (Outcome.PASS, 5)
    assert "; begun all the same by ana@laptop: hotfix; the steps are 5, 25, 50, 100 %" in begun.sentence


def test_what_was_handed_on_wrongly_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--clumping: this says nothing of requests that fail together"):
        named(EXAMPLE, "context", 5, None, None, clumping='{"rate": 1}')
