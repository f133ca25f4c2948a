"""Journals of two rollouts on the sandbox: a replay decides what the live gates did, at the same look."""

import json
from pathlib import Path
from typing import Any

import pytest

from ci.replay import journal
from ci.replay.objectives import Objectives
from fixtures.errors import InputError

RECORDED = Path(__file__).parent / "recorded"


def decided(step: dict[str, Any]) -> dict[str, tuple[str, float]]:
    return {name: (gate["verdict"], gate["after"]) for name, gate in step["gates"].items() if gate["after"] is not None}


def said_then(step: dict[str, Any]) -> dict[str, tuple[str, float]]:
    said = {name: gate for name, gate in step["live"].items() if name in step["gates"]}
    return {name: (gate["verdict"], gate["after"]) for name, gate in said.items() if gate["verdict"] != "INCONCLUSIVE"}


@pytest.mark.parametrize(
    ("name", "verdict", "weights"), [("promoted", "PASS", [5, 25, 50, 100]), ("rolled_back", "FAIL", [5])]
)
def test_what_the_live_gates_decided_a_replay_decides_at_the_same_look(name, verdict, weights) -> None:
    found = journal.judge(RECORDED / f"{name}.jsonl", Objectives())
    assert (found["verdict"], [step["weight"] for step in found["steps"]]) == (verdict, weights)
    for step in found["steps"]:
        assert decided(step) == said_then(step) != {}


def test_the_command_takes_a_journal_as_it_is(replayed) -> None:
    (found,) = replayed(RECORDED / "rolled_back.jsonl")
    began = json.loads((RECORDED / "rolled_back.jsonl").read_text().splitlines()[1])
    assert (found["run"], found["verdict"]) == (began["rollout"], "FAIL")
    assert found["gates"]["error_rate"]["verdict"] == "FAIL"


def test_other_objectives_give_another_verdict(replayed) -> None:
    path = RECORDED / "rolled_back.jsonl"
    (looser,) = replayed(path, error_rate="50%", margin="50%")
    assert {gate["verdict"] for gate in looser["gates"].values()} <= {"PASS", "INCONCLUSIVE"}
    (unsure,) = replayed(path, group="50")
    assert unsure["verdict"] == "INCONCLUSIVE"
    assert unsure["gates"]["error_rate"]["numbers"]["group"] == 50


def test_a_hold_that_shows_harm_fails_and_one_that_shows_none_changes_nothing(tmp_path) -> None:
    lines = [json.loads(line) for line in (RECORDED / "promoted.jsonl").read_text().splitlines()]
    bad = [json.loads(line) for line in (RECORDED / "rolled_back.jsonl").read_text().splitlines()]
    watched = next(line for line in lines if line["kind"] == "suite_ready" and line["watch"])
    harm = [{**line, "at": watched["at"] + line["t"]} for line in bad if line["kind"] == "looked"]
    path = tmp_path / "journal.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines[: lines.index(watched) + 1], *harm]))
    found = journal.judge(path, Objectives())
    assert (found["verdict"], found["steps"][-1]["verdict"], len(found["steps"])) == ("FAIL", "FAIL", 4)


def test_an_older_journal_says_why_it_can_not_be_replayed(tmp_path) -> None:
    path = tmp_path / "journal.jsonl"
    lines = [json.loads(line) for line in (RECORDED / "rolled_back.jsonl").read_text().splitlines()]
    path.write_text("".join(json.dumps({k: v for k, v in line.items() if k != "terms"}) + "\n" for line in lines))
    with pytest.raises(InputError, match="does not say what step 5 was judged by"):
        journal.judge(path, Objectives())
