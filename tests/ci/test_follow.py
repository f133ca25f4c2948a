"""A rollout seen from another terminal, through the cluster alone."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checks.evidence import Weights
from ci.follow import Glance, follow
from ci.patch import Change
from ci.phases import Phase
from ci.record import PURGED, Record
from ci.reporters.glances import shown
from ci.traffic import traffic_of
from fixtures.cluster import EVENTS
from fixtures.errors import Unreachable
from fixtures.release import load_release
from fixtures.waiting import FakeClock

RELEASE = load_release(Path(__file__).parents[2] / "examples" / "rebate-core" / "release.yaml")


@dataclass(frozen=True)
class Place:
    """A target whose cluster is in memory and where no Envoy can be asked."""

    in_memory: Any
    admins: tuple[Any, ...] = ()

    def cluster(self) -> Any:
        return self.in_memory


class Elsewhere:
    """A rollout that somebody else drives; ``at`` lets something happen at a second."""

    def __init__(self, cluster: Any, clock: FakeClock) -> None:
        self.cluster, self.clock, self._number = cluster, clock, 0
        self._due: list[tuple[float, Callable[[], None]]] = []
        sleep = clock.sleep
        clock.sleep = lambda seconds: (sleep(seconds), self._happen())[0]  # type: ignore[method-assign]

    def at(self, second: float, act: Callable[[], Any]) -> None:
        self._due.append((second, act))

    def goes(self, phase: Phase, step: int = 0, **more: str) -> None:
        record = Record(rollout="3f9c2a", phase=phase, step=step, who="ci@jenkins-7", image="shop@sha256:2", **more)
        change = Change(Weights(100 - step, step), record.annotations())
        traffic_of(RELEASE, self.cluster).write(change, lambda seen: None)

    def ends(self) -> None:
        traffic_of(RELEASE, self.cluster).write(Change(Weights(100, 0), PURGED), lambda seen: None)

    def says(self, reason: str, message: str) -> None:
        self._number += 1
        body = {
            "metadata": {"name": f"rebate-core.{self._number}"},
            "source": {"component": "sluicegate"},
            "reason": reason,
            "message": message,
            "lastTimestamp": f"2026-11-24T23:00:{self._number:02d}Z",
        }
        self.cluster.put(EVENTS, "production", body)

    def _happen(self) -> None:
        for due in [each for each in self._due if each[0] <= self.clock.monotonic()]:
            self._due.remove(due)
            due[1]()


@pytest.fixture
def elsewhere(cluster: Any, clock: FakeClock) -> Elsewhere:
    """A rollout that is held at 25 %, and is promoted after five seconds."""
    rollout = Elsewhere(cluster, clock)
    rollout.says("RolloutBegan", "an older one")
    rollout.says("RolloutBegan", "rebate-core: sha256:2")
    rollout.goes(Phase.STEP, 25)
    rollout.at(2, lambda: rollout.goes(Phase.HOLD, 25, held="approval: a person has to say `sluicegate promote`"))
    rollout.at(2, lambda: rollout.says("RolloutHeld", "HELD at 25 %"))
    rollout.at(5, rollout.ends)
    rollout.at(6, lambda: rollout.says("RolloutPromoted", "PROMOTED: rebate-core runs it"))
    return rollout


def watched(elsewhere: Elsewhere) -> list[Glance]:
    glances: list[Glance] = []
    follow(RELEASE, Place(elsewhere.cluster), glances.append, elsewhere.clock)  # type: ignore[arg-type]
    return glances


def test_it_is_shown_each_second_until_it_is_over(elsewhere: Elsewhere) -> None:
    glances = watched(elsewhere)
    records = [glance.status.record for glance in glances]
    assert [record.phase.value if record else None for record in records] == [*["step"] * 2, *["hold"] * 3, None]
    assert records[3].held.startswith("approval: ")
    assert elsewhere.clock.monotonic() <= 7


def test_turning_points_are_told_once_and_the_last_one_is_waited_for(elsewhere: Elsewhere) -> None:
    told = [message for glance in watched(elsewhere) for _, _, message in glance.events]
    assert told == ["rebate-core: sha256:2", "HELD at 25 %", "PROMOTED: rebate-core runs it"]


def test_where_nobody_writes_events_it_ends_all_the_same(elsewhere: Elsewhere) -> None:
    elsewhere.at(5.5, lambda: elsewhere.at(6, elsewhere._due.clear))
    elsewhere._due = [each for each in elsewhere._due if each[0] != 6]
    assert watched(elsewhere)[-1].status.record is None


def test_without_a_rollout_that_is_what_is_shown(cluster: Any, clock: FakeClock) -> None:
    [glance] = watched(Elsewhere(cluster, clock))
    assert glance.status.record is None
    assert clock.monotonic() == 0


def test_an_api_server_that_is_away_for_a_while_is_outlasted(elsewhere: Elsewhere) -> None:
    elsewhere.at(2.5, lambda: setattr(elsewhere.cluster, "broken", Unreachable("no answer")))
    elsewhere.at(4, lambda: setattr(elsewhere.cluster, "broken", None))
    assert watched(elsewhere)[-1].status.record is None


def test_a_log_gets_a_line_for_each_change_and_no_more(elsewhere: Elsewhere) -> None:
    stream = io.StringIO()
    with shown(as_json=False, stream=stream) as show:
        follow(RELEASE, Place(elsewhere.cluster), show, elsewhere.clock)  # type: ignore[arg-type]
    lines = stream.getvalue().splitlines()
    assert lines.count("weights    rebate-core: stable/canary 75/25") == 1
    assert "23:00:03 HELD at 25 %" in lines
    assert "held       approval: a person has to say `sluicegate promote`" in lines
    assert lines[-1] == "weights    rebate-core: stable/canary 100/0"
    assert len(lines) < 20


def test_programs_get_a_json_line_for_each_look(elsewhere: Elsewhere) -> None:
    stream = io.StringIO()
    with shown(as_json=True, stream=stream) as show:
        follow(RELEASE, Place(elsewhere.cluster), show, elsewhere.clock)  # type: ignore[arg-type]
    first, *_, last = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (first["record"]["phase"], first["weights"]) == ("step", {"rebate-core": "75/25"})
    assert last["record"] is None
    assert last["events"][0]["reason"] == "RolloutPromoted"
