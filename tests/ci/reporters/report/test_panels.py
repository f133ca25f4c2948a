from dataclasses import replace

from ci.events import Asked, Event, RollbackBegan, VerdictReached, WeightsWritten
from ci.reporters.report.axis import TimeAxis
from ci.reporters.report.collect import collect
from ci.reporters.report.decisions_panel import CHECKS, NOTES, decisions_panel
from ci.reporters.report.harm import harm
from ci.reporters.report.phases_panel import phases_panel
from ci.reporters.report.rate_panel import rate_panel
from ci.reporters.report.rates import rates
from ci.reporters.report.rollout import Rollout
from ci.reporters.report.shapes import Panel, path
from ci.reporters.report.weight_panel import weight_panel


def told(events: list[Event]) -> tuple[Rollout, TimeAxis]:
    rollout = collect(events)
    return rollout, TimeAxis(rollout.start, rollout.end)


def drawn_weight(events: list[Event]) -> Panel:
    rollout, time = told(events)
    return weight_panel(rollout, harm(rollout), time)


def test_the_weight_is_a_stair_with_a_mark_and_an_author_at_each_write(promotion: list[Event]) -> None:
    rollout, time = told(promotion)
    panel = weight_panel(rollout, harm(rollout), time)
    assert [label.text for label in panel.labels] == ["5 %", "25 %", "50 %", "100 %", "0 %"]
    heights = [mark.y for mark in panel.marks]
    assert heights[:4] == sorted(heights[:4], reverse=True)
    assert heights[4] == 100
    for mark, write in zip(panel.marks, rollout.weights, strict=True):
        assert mark.x == time.x(write.at)
        assert write.who in mark.title
        assert f"canary {write.canary} %" in mark.title
    assert panel.legend[1][1] == f"a write by {rollout.weights[0].who}"


def test_two_authors_are_both_named(rollback: list[Event]) -> None:
    events = [
        replace(event, who="bob@laptop") if isinstance(event, WeightsWritten) and not event.canary else event
        for event in rollback
    ]
    panel = drawn_weight(events)
    first = next(event.who for event in events if isinstance(event, WeightsWritten))
    assert panel.legend[1][1] == f"a write by {first}, bob@laptop"
    assert "0 % at" in panel.told
    assert "by bob@laptop" in panel.told


def test_a_rollback_says_who_decided_it(rollback: list[Event]) -> None:
    who = next(event.who for event in rollback if isinstance(event, RollbackBegan))
    assert drawn_weight(rollback).labels[-1].text == f"taken back by {who}"


def test_every_decision_is_marked_at_its_moment(rollback: list[Event]) -> None:
    rollout, time = told(rollback)
    panel = decisions_panel(rollout, harm(rollout), time)
    verdicts = [event for event in rollback if isinstance(event, VerdictReached)]
    decided = sorted((mark.kind, mark.x) for mark in panel.marks if mark.kind != "dot")
    assert decided == sorted((verdict.outcome, time.x(verdict.at)) for verdict in verdicts)
    assert {mark.kind for mark in panel.marks} >= {"PASS", "FAIL"}


def test_gates_that_watch_have_a_lane_each_and_the_others_share_one(promotion: list[Event]) -> None:
    rollout, time = told(promotion)
    panel = decisions_panel(rollout, harm(rollout), time)
    watching = {gate for run in rollout.runs if run.watched for gate in run.final}
    lanes = [label.text for label in panel.labels]
    assert lanes[-2:] == [CHECKS, NOTES]
    assert set(lanes[:-2]) == {gate.replace("_", " ") for gate in watching}
    assert panel.lanes == len(lanes)
    assert lanes.index("error rate") < lanes.index("canary pods stay up")


def test_what_people_said_stands_on_the_axis_too(promotion: list[Event]) -> None:
    rollout, time = told(promotion)
    dots = [mark for mark in decisions_panel(rollout, harm(rollout), time).marks if mark.kind == "dot"]
    asked = next(event for event in promotion if isinstance(event, Asked))
    assert [mark for mark in dots if mark.x == time.x(asked.at) and f"{asked.who} said promote at 25 %" in mark.title]


def test_the_moments_of_a_rollback_stand_on_the_axis_of_the_rollout(rollback: list[Event]) -> None:
    rollout, time = told(rollback)
    panel = decisions_panel(rollout, harm(rollout), time)
    measured = rollout.measured
    assert measured is not None
    moments = (measured.first_bad, measured.last_routed, measured.verdict, measured.written)
    assert panel.labels[-1].text == "rollback"
    lane = panel.marks[-4:]
    assert [mark.x for mark in lane] == [time.x(at or 0.0) for at in moments]
    assert {mark.y for mark in lane} == {max(mark.y for mark in panel.marks)}
    [bar] = [span for span in panel.spans if "hurting" in span.css]
    assert (bar.x, round(bar.x + bar.width, 2)) == (lane[0].x, lane[1].x)
    words = [label.text for label in drawn_weight(rollback).labels]
    assert words[-2:] == ["first bad answer", f"taken back by {rollout.rollback.who if rollout.rollback else ''}"]


def test_a_promotion_has_no_lane_for_a_rollback(promotion: list[Event]) -> None:
    rollout, time = told(promotion)
    assert harm(rollout) is None
    assert "rollback" not in [label.text for label in decisions_panel(rollout, None, time).labels]


def test_phases_fill_the_axis_and_evidence_stands_in_its_phase(promotion: list[Event]) -> None:
    rollout, time = told(promotion)
    panel = phases_panel(rollout, time)
    boxes = [span for span in panel.spans if span.css.startswith("overhead")]
    assert abs(sum(box.width for box in boxes) - 100) < 0.5
    assert len(boxes) == len(rollout.parts)
    evidence = [span for span in panel.spans if span.css == "evidence"]
    assert len(evidence) >= 5
    for span in evidence:
        assert any(box.x - 0.1 <= span.x and span.x + span.width <= box.x + box.width + 0.1 for box in boxes)


def test_the_part_in_which_it_broke_is_marked(rollback: list[Event]) -> None:
    failed = [span.title for span in phases_panel(*told(rollback)).spans if "failed" in span.css]
    assert failed
    assert failed[0].startswith("5 %: ")


def test_objective_and_verdict_stand_in_the_panel_of_the_rate(rollback: list[Event]) -> None:
    rollout, time = told(rollback)
    panel = rate_panel(rates(rollout)[0], time)
    [objective] = [rule for rule in panel.rules if rule.css == "objective"]
    [fail] = [mark for mark in panel.marks if mark.kind == "FAIL"]
    assert fail.y < objective.at, "the canary's rate was over the objective"
    assert ("objective", "objective: under 1 %") in panel.legend
    assert "the objective is under 1 %" in panel.told


def test_a_path_stays_in_a_box_that_browsers_can_draw() -> None:
    assert path([(0, 0), (50, -1e9), (100, 1e9)], closed=True) == "M0,0 500,-500 1000,1500Z"
