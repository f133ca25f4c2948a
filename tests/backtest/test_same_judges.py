"""What a backtest decides, a replay decides too, on the same requests written down as a record."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner

from checks.evidence import Answers, Traffic
from ci.backtest.starts import Start, Starts
from ci.backtest.thinning import thinned
from ci.rollout import main
from fixtures.past import Past, Stretch
from fixtures.release import Release, load_release

MINUTE, HOUR, DAY = 60, 3600, 86_400
BEFORE = 60  # minutes
RELEASE = """
service: shop
namespace: production
image: registry.example.com/shop/shop
gitops: {repository: "https://git.example.com/shop/k8s.git", path: shop, application: {name: shop}}
objectives: {error_rate: 1%, latency: {99%: 500ms}}
"""


@pytest.fixture
def release(tmp_path: Path) -> Release:
    (tmp_path / "release.yaml").write_text(RELEASE)
    return load_release(tmp_path / "release.yaml")


def record(stretches: list[Stretch], start: Start) -> Iterator[str]:
    """Write what a start has seen as cumulative counters, one look a minute; the hour before at weight 0."""
    chance, at, places = Random(int(start.at)), 0, iter(stretches)
    sums = {side: {"pod": side[0], "requests": 0.0, "errors": 0.0, "slow": 0.0} for side in ("canary", "stable")}
    yield json.dumps({"t": 0, "weight": 0, **{side: [each] for side, each in sums.items()}})
    looks = [(0, None)] * BEFORE
    looks += [(step.weight, chance) for step in start.steps for _ in range(int(step.seconds / MINUTE))]
    for weight, lot in looks:
        at, stretch = at + MINUTE, next(places)
        traffic = thinned(stretch, weight / 100, lot) if lot else Traffic(stable=stretch.stable)
        for side, answers in (("canary", traffic.canary), ("stable", traffic.stable)):
            add(sums[side], answers)
        yield json.dumps({"t": at, "weight": weight, **{side: [each] for side, each in sums.items()}})


def add(counters: dict[str, Any], answers: Answers) -> None:
    counters["requests"] += answers.all.requests
    counters["errors"] += answers.all.bad
    counters["slow"] += sum(each.bad for each in answers.slow)


@pytest.mark.parametrize("since", [3 * HOUR, DAY + 9 * HOUR, 3 * DAY + 20 * HOUR])
def test_a_replay_of_what_it_saw_says_the_same(kept: Any, release: Release, tmp_path: Path, since: int) -> None:
    began = kept.began + since - BEFORE * MINUTE
    past = Past(kept.client, kept.labels, [0.5]).stretches(began, began + 2 * HOUR, MINUTE, MINUTE)
    stretches = list(past)
    start = Starts(release, stretches, began, MINUTE).at(kept.began + since)
    assert start is not None
    (tmp_path / "record.jsonl").write_text("\n".join(record(stretches, start)))
    words = [tmp_path / "record.jsonl", "--release", tmp_path / "release.yaml", "--group", "auto", "--json"]
    told = json.loads(CliRunner().invoke(main, ["replay", *map(str, words)]).stdout)
    ends = [
        BEFORE * MINUTE + sum(step.seconds for step in start.steps[: place + 1]) for place in range(len(start.steps))
    ]
    assert [(step["weight"], step["verdict"], step["at"]) for step in told["steps"]] == [
        (step.weight, step.outcome.value, end) for step, end in zip(start.steps, ends, strict=True)
    ]
    assert {name for name, each in told["gates"].items() if each["verdict"] == "FAIL"} == set(start.gates)
