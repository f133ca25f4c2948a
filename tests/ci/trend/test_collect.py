"""Whatever lies in the folders: a rollout that is over is counted once, all else is named with its reason."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci.events import Event, Progress, RollbackMeasured, RolloutBegan, RolloutEnded, WeightsWritten, as_json
from ci.reporters.journal import JOURNAL
from ci.trend.collect import collected
from ci.trend.findings import Trend
from ci.trend.page import write as draw
from fixtures.errors import InputError
from tests.ci.trend.journals import DAY, HOUR, KINDS, MONDAY, PROMOTION, ROLLBACK, retold, write


def of(trend: Trend) -> list[tuple[str, str]]:
    return [(each.rollout, each.outcome) for each in trend.rollouts]


def test_journals_are_found_however_deep_and_told_in_the_order_of_time(written: Any, tmp_path: Path) -> None:
    written("promoted", MONDAY + DAY)
    written("rolled back", MONDAY)
    deep = tmp_path / "builds" / "7" / "archive" / "reports"
    write(deep, retold(KINDS["refused"], "deep", MONDAY + HOUR))
    trend = collected([tmp_path])
    assert [outcome for _, outcome in of(trend)] == ["rolled back", "refused", "promoted"]
    assert trend.passed_over == []
    assert trend.headline == "rebate-core: 3 rollouts, 1 promoted, 1 rolled back, 1 refused"


def test_one_rollout_says_what_it_took(written: Any, tmp_path: Path) -> None:
    written("promoted", stretch=2.0)
    [found] = collected([tmp_path]).rollouts
    assert (found.service, found.taken_back_by, found.hurt, found.bad) == ("rebate-core", "", None, None)
    assert found.took == pytest.approx(2 * (PROMOTION[-1].at - PROMOTION[0].at))
    assert [step.weight for step in found.steps] == [5, 25, 50, 100]
    assert all(step.passed and step.evidence > 0 and step.requests > 400 and step.gate for step in found.steps)
    assert 0 < found.evidence < found.took
    assert 12 < found.held < 13


def test_one_that_was_taken_back_says_by_whom_and_how_long_it_hurt(written: Any, tmp_path: Path) -> None:
    written("rolled back")
    [found] = collected([tmp_path]).rollouts
    assert (found.taken_back_by, found.bad, found.failed, found.reached) == ("gate error_rate", 9, True, True)
    assert found.hurt == pytest.approx(2.678, abs=0.01)
    assert found.reaction == pytest.approx(0.026, abs=0.01)
    [step] = found.steps
    assert (step.weight, step.passed) == (5, False)


def test_what_preflight_refused_has_not_reached_production(written: Any, tmp_path: Path) -> None:
    written("refused")
    [found] = collected([tmp_path]).rollouts
    assert (found.raised, found.reached, found.failed) == (False, False, False)


def test_a_rollout_that_was_recovered_is_one_and_ends_as_the_recovery_did(tmp_path: Path) -> None:
    whole = retold(ROLLBACK, "3f9c2a", MONDAY)
    killed = next(place for place, event in enumerate(whole) if isinstance(event, WeightsWritten)) + 3
    began = next(event for event in whole if isinstance(event, RolloutBegan))
    write(tmp_path / "1", whole[:killed])
    [left] = collected([tmp_path]).passed_over
    assert left.why == "it ends in “5 %”: its driver works still, or was killed and nobody has recovered it"
    write(tmp_path / "2-recovery", [replace(began, at=whole[killed].at, who="cron@job"), *whole[killed:]])
    trend = collected([tmp_path])
    [found] = trend.rollouts
    assert (found.outcome, found.began, found.ended) == ("rolled back", whole[0].at, whole[-1].at)
    assert found.journals == (tmp_path / "1" / JOURNAL, tmp_path / "2-recovery" / JOURNAL)
    assert trend.passed_over == []


def test_copies_of_a_journal_whole_or_cut_off_are_one_rollout(written: Any, tmp_path: Path) -> None:
    journal = written("promoted")
    for name, length in (("whole", None), ("cut", 20_000)):
        (tmp_path / name).mkdir()
        (tmp_path / name / JOURNAL).write_text(journal.read_text()[:length])
    trend = collected([tmp_path, tmp_path / "builds"])
    assert len(trend.rollouts) == 1
    assert [each.why.split(" ")[:2] for each in trend.passed_over] == [["a", "copy"], ["a", "copy"]]


BEGAN = json.dumps({"kind": "rollout_began", "at": 5, "service": "s", "rollout": "r", "image": "i"})
WRONG = {
    "": "this is no journal of a rollout",
    "\x00\xff\n": "this is no journal of a rollout",
    '{"kind": "journal", "version": 1}\n': "it does not say what was released",
    '{"kind": "journal", "version": 1}\n' + BEGAN: "it does not say what was released",  # an old one: no steps
    '{"kind": "journal", "version": 1}\n' + "[" * 100_000: "it does not say what was released",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_rollout_is_named_with_its_reason(tmp_path: Path, text: str) -> None:
    (tmp_path / JOURNAL).write_text(text)
    trend = collected([tmp_path])
    assert [(each.journal, each.why) for each in trend.passed_over] == [(tmp_path / JOURNAL, WRONG[text])]
    assert trend.headline == "No rollout that is over"


def test_a_journal_of_a_later_version_is_not_guessed_at(written: Any, tmp_path: Path) -> None:
    journal = written("promoted")
    journal.write_text(journal.read_text().replace('"version": 1', '"version": 2', 1))
    [left] = collected([tmp_path]).passed_over
    assert left.why == "it is of version 2, and this Sluicegate reads version 1"


MISMATCHED = [
    (RolloutEnded, {"at": float("nan")}, "moments"),
    (RolloutEnded, {"at": 1e300}, "moments"),
    (RolloutEnded, {"at": "noon"}, "not supported"),
    (Progress, {"canary": {"requests": float("inf")}}, "numbers"),
    (Progress, {"canary": {"requests": "many"}}, "could not convert"),
    (RolloutBegan, {"service": ["s"]}, "does not say"),
    (RolloutEnded, {"outcome": []}, "it does not say how it ended"),
    (RollbackMeasured, {"first_bad": 1e308}, "numbers"),
    (RollbackMeasured, {"last_routed": True}, "numbers"),
    (RollbackMeasured, {"bad": float("nan")}, "numbers"),
]


@pytest.mark.parametrize(("kind", "wrong", "why"), MISMATCHED)
def test_figures_that_can_not_be_are_not_counted(
    tmp_path: Path, kind: type[Event], wrong: dict[str, Any], why: str
) -> None:
    events = retold(ROLLBACK if kind is RollbackMeasured else PROMOTION, "3f9c2a", MONDAY)
    last = max(place for place, event in enumerate(events) if isinstance(event, kind) and getattr(event, "step", 1))
    events[last] = replace(events[last], **wrong)
    write(tmp_path, events)
    [left] = collected([tmp_path]).passed_over
    assert why in left.why


def test_what_a_journal_says_can_not_write_to_the_terminal(tmp_path: Path) -> None:
    write(tmp_path, retold(ROLLBACK, "3f9c2a", MONDAY, service="shop\x1b[2J"))
    [found] = collected([tmp_path]).rollouts
    assert found.service == "shop\\x1b[2J"
    assert found.why.isprintable()


def test_folders_without_a_journal_are_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no journal.jsonl in it"):
        collected([tmp_path])
    with pytest.raises(InputError, match="there is no such folder"):
        collected([tmp_path / "none"])


@dataclass(frozen=True)
class Made:
    """A journal that is written: what of, how long, and what happened to the file."""

    kind: str
    hours: int
    stretch: float
    service: str
    damage: str
    at: float  # where, as a share of the file


made = st.builds(
    Made,
    kind=st.sampled_from(sorted(KINDS)),
    hours=st.integers(0, 2000),
    stretch=st.floats(0.01, 500),
    service=st.sampled_from(["rebate-core", "till"]),
    damage=st.sampled_from(["", "", "cut", "garbage", "later", "copied"]),
    at=st.floats(0, 1),
)


def build(folder: Path, each: Made) -> list[Path]:
    """Write one, and damage it."""
    name = f"{each.hours:06x}"
    events = retold(KINDS[each.kind], name, MONDAY + each.hours * HOUR, each.stretch, each.service)
    journal = write(folder / f"{each.service}-{name}", events)
    text = journal.read_text()
    place = round(each.at * len(text))
    match each.damage:
        case "cut":
            journal.write_text(text[:place])
        case "garbage":
            journal.write_text(text[:place] + "\x00{]\n" + text[place:])
        case "later":
            journal.write_text(text.replace('"version": 1', '"version": 7', 1))
        case "copied":
            copy = folder / f"{each.service}-{name}-copy" / JOURNAL
            copy.parent.mkdir()
            copy.write_text(text)
            return [journal, copy]
    return [journal]


@settings(deadline=None, max_examples=40)
@given(st.lists(made, min_size=1, max_size=6, unique_by=lambda each: (each.service, each.hours)), st.randoms())
def test_every_journal_is_counted_once_or_named_once(journals: Sequence[Made], lot: Any) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = {each: build(folder, each) for each in journals}
        trend = collected([folder])
        counted = [path for each in trend.rollouts for path in each.journals]
        named = [each.journal for each in trend.passed_over]
        assert sorted([*counted, *named]) == sorted(path for paths in files.values() for path in paths)

        whole = [each for each in journals if each.damage in ("", "copied")]
        assert {f"{each.hours:06x}" for each in whole} <= {each.rollout for each in trend.rollouts}
        assert all(trend.rollouts[n].began <= trend.rollouts[n + 1].began for n in range(len(trend.rollouts) - 1))
        found = trend.keys
        assert 0 <= found.failed + found.promoted == found.reached <= len(trend.rollouts)
        assert sum(trend.outcomes.values()) == len(trend.rollouts)
        for each in trend.rollouts:
            assert each.evidence + each.held <= each.took + 1e-6

        told = json.dumps(trend.as_json(), allow_nan=False)
        shuffled = sorted(folder.iterdir(), key=lambda _: lot.random())
        again = json.loads(json.dumps(collected(shuffled).as_json()))
        assert again["keys"] == json.loads(told)["keys"]
        assert "<script" not in draw(trend, folder / "trend").read_text(encoding="utf-8")


LINES = [json.dumps(as_json(event)) for event in ROLLBACK]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(
        [10**400, -1, 0, 1e308, float("nan"), float("inf"), "", "x" * 300, "\x1b[2J", [], {}, [[]], {"a": []}]
    ),
)


@settings(deadline=None, max_examples=150)
@given(st.integers(0, len(LINES) - 1), st.integers(0, 10), VALUES)
def test_no_journal_however_wrong_stops_the_others(number: int, member: int, value: Any) -> None:
    """One member of one line is something else: it is counted or named, and the other rollout is there all the same."""
    line = json.loads(LINES[number])
    line[sorted(line)[member % len(line)]] = value
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "good", retold(PROMOTION, "600d00", MONDAY))
        (folder / "wrong").mkdir()
        told = [json.dumps({"kind": "journal", "version": 1}), *LINES[:number], json.dumps(line), *LINES[number + 1 :]]
        (folder / "wrong" / JOURNAL).write_text("\n".join(told) + "\n")
        trend = collected([folder])
        assert "600d00" in [each.rollout for each in trend.rollouts]
        assert len(trend.rollouts) + len(trend.passed_over) == 2
        json.dumps(trend.as_json(), allow_nan=False)
        draw(trend, folder / "trend")
