"""Records as they come: mixed runs, odd names, wrong lines; errors name file and line."""

import json
from typing import Any

import pytest

from ci.replay import records
from ci.replay.objectives import Objectives
from fixtures.errors import InputError
from fixtures.recording import Recorded

Line = dict[str, Any]


def line(t: float, requests: float, errors: float = 0, **more: Any) -> Line:
    return {"t": t, "weight": 5, "canary": [{"pod": "c", "requests": requests, "errors": errors}], "stable": [], **more}


def looks(*lines: Line) -> list[Any]:
    recorded = Recorded()
    return [recorded.look(each, "here") for each in lines]


def test_mixed_lines_are_sorted_by_run_and_told_in_order(made, written, replayed) -> None:
    path = written([], b=made([(20, 5, 1.0)]), a=made([(20, 5, 0.0)]))
    assert [(each["run"], each["verdict"]) for each in replayed(path, group="1")] == [
        ("b", "FAIL"),
        ("a", "INCONCLUSIVE"),
    ]


def test_many_runs_in_several_processes_say_what_one_says(made, written, replayed) -> None:
    runs = {f"r{index}": made([(70, 5, 0.001 * index)], rate=400) for index in range(40)}
    path = written([], **runs)
    several = replayed(path, group="1")
    alone = [records.judge(path, Objectives(group=1.0), lines) for lines in records.index(path)]
    assert sum(lines.count for lines in records.index(path)) > records._FEW
    assert several == json.loads(json.dumps(alone))


@pytest.mark.parametrize("run", ["a", 17, 'quoted " name'])
def test_a_run_keeps_its_name(tmp_path, replayed, run) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps({"t": 1, "weight": 5, "canary": [], "stable": [], "run": run}) + "\n\n")
    assert [each["run"] for each in replayed(path)] == [run]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "runs.jsonl:2: this is no JSON"),
        ("[]", "runs.jsonl:2: this is no JSON object"),
        ('{"run": "b", "t": 2}', "runs.jsonl:2: this is no look at a run: it has no 'weight'"),
        ('{"run": null, "t": 2}', "runs.jsonl:2: run is null"),
        (json.dumps(line(1, 2, 3, run="a")), "runs.jsonl:2: this is no look at a run: impossible counts: 3 errors"),
        (json.dumps(line(1, float("nan"), 0, run="a")), "runs.jsonl:2: .*impossible counts"),
        (json.dumps(line(1, -1, 0, run="a")), "runs.jsonl:2: .*impossible counts"),
        (json.dumps(line(0.5, 5, 0, run="a")), "runs.jsonl:2: t goes from 1 to 0.5: time has to grow"),
        (json.dumps(line(float("nan"), 5, 0, run="a")), "runs.jsonl:2: .*t is nan"),
        (json.dumps({**line(2, 5, run="a"), "weight": 120}), "runs.jsonl:2: .*weight is 120"),
        (json.dumps({**line(2, 5, run="a"), "canary": [{"pod": "c", "errors": 0}]}), "runs.jsonl:2: .*no 'requests'"),
        (json.dumps({**line(2, 5, run="a"), "canary": 7}), "runs.jsonl:2: "),
        (json.dumps(line(2, "5", run="a")), "runs.jsonl:2: "),
        (json.dumps({**line(2, 5, run="a"), "canary": 2 * line(2, 5)["canary"]}), "runs.jsonl:2: .*stands twice"),
    ],
)
def test_what_is_no_look_is_refused_with_its_place(tmp_path, replayed, text, said) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps(line(1, 1, run="a")) + "\n" + text + "\n")
    with pytest.raises(InputError, match=said):
        replayed(path)


def test_a_wrong_line_is_found_in_another_process_too(made, written, replayed) -> None:
    path = written([], **{f"r{index}": made([(60, 5, 0.0)], rate=20) for index in range(40)})
    with path.open("a") as file:
        file.write('{"run": "r3", "t": 1}\n')
    with pytest.raises(InputError, match=r"runs.jsonl:2401: this is no look"):
        replayed(path)


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_record_is_no_record(tmp_path, replayed, content) -> None:
    (tmp_path / "runs.jsonl").write_text(content)
    with pytest.raises(InputError, match="the record is empty"):
        replayed(tmp_path / "runs.jsonl")


def test_a_file_that_is_not_there_is_named(tmp_path, replayed) -> None:
    with pytest.raises(InputError, match=r"missing.jsonl: the record can not be read: No such file"):
        replayed(tmp_path / "missing.jsonl")


@pytest.mark.parametrize("first", [-5, 0, 1.7e9])
def test_a_base_line_counts_nothing_and_a_reset_counts_all(first) -> None:
    found = looks(line(first, 5000), line(first + 1, 5010), line(first + 2, 7))
    assert found[0] is None
    assert [(look.tick.at, look.tick.seconds) for look in found[1:]] == [(1, 1), (2, 1)]
    assert [look.tick.traffic.canary.all.requests for look in found[1:]] == [10, 7]


def test_counters_that_begin_with_the_run_count_from_the_first_line() -> None:
    (only,) = looks(line(2, 100, 3))
    assert (only.tick.seconds, only.tick.traffic.canary.all.requests, only.tick.traffic.canary.all.bad) == (2, 100, 3)


def test_a_look_that_saw_nothing_is_a_gap_and_the_next_one_brings_what_was_missed() -> None:
    _, gap, after = looks(line(0, 0), line(1, 0, canary=None), line(2, 50))
    assert (gap.tick.traffic, gap.tick.at, gap.tick.seconds) == (None, 1, 0)
    assert (after.tick.seconds, after.tick.traffic.canary.all.requests) == (2, 50)


def test_a_record_that_does_not_tell_time_is_not_judged_by_it_unless_asked_to(made, written, replayed) -> None:
    lines = list(made([(120, 5, 0.001)]))
    for each in lines:
        for side in ("canary", "stable"):
            del each[side][0]["slow"]
    path = written(lines)
    (silent,), (asked,) = replayed(path, group="1"), replayed(path, group="1", latency="99%")
    assert (silent["verdict"], "latency" in silent["gates"]) == ("PASS", False)
    assert (asked["verdict"], asked["gates"]["latency"]["verdict"]) == ("INCONCLUSIVE", "INCONCLUSIVE")
