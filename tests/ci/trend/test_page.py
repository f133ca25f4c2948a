"""The trend as a page: everything of the figures is in it, and nothing that a content policy forbids."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ci.reporters.report.axis import WIDTHS
from ci.reporters.report.reporter import draw
from ci.rollout import main
from ci.trend.collect import collected
from ci.trend.findings import Trend
from ci.trend.page import write as page
from ci.trend.panels import BEYOND, DRAWN, Scale, drawings
from tests.ci.trend.journals import DAY, KINDS, MONDAY, ROLLBACK, retold, write


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the journals of a month: a bad one every fifth time."""
    folder = tmp_path_factory.mktemp("builds")
    for number in range(25):
        kind = "rolled back" if number % 5 == 4 else "refused" if number == 7 else "promoted"
        write(folder / f"{number:02d}", retold(KINDS[kind], f"{number:06x}", MONDAY + number * DAY, 1 + number % 3))
    return folder


@pytest.fixture(scope="module")
def month(many: Path) -> Trend:
    return collected([many])


def test_every_rollout_has_its_column_in_the_lane_of_its_end(month: Trend) -> None:
    panels, ticks = drawings(month.rollouts, month.stairs)
    ends, times, evidence, hurting, share = panels
    assert [label.text for label in ends.labels] == ["promoted 19", "rolled back 5", "refused 1"]
    assert [span.x for span in ends.spans] == sorted(span.x for span in ends.spans)
    assert len({span.y for span in ends.spans}) == 3
    assert {span.css for span in times.spans} == {"evidence", "held", "rest"}
    assert [words for _, words in evidence.legend] == ["5 %", "25 %", "50 %", "100 %"]
    assert len(hurting.spans) == 5
    assert share.labels[-1].text == "25 %"
    assert ticks[0].text == "11-30"
    assert len(ticks) <= 12


def test_a_bar_is_as_high_as_its_rollout_was_long(month: Trend) -> None:
    times = drawings(month.rollouts, month.stairs)[0][1]
    columns: dict[float, float] = {}
    for span in times.spans:
        columns[span.x] = columns.get(span.x, 0.0) + span.height
        assert 0 <= span.y <= span.y + span.height <= 100.01
    took = [each.took for each in month.rollouts]
    per_second = [height / length for height, length in zip(columns.values(), took, strict=True)]
    assert max(per_second) == pytest.approx(min(per_second), rel=0.02)


def test_of_two_rollouts_none_fills_half_of_the_page(month: Trend) -> None:
    [ends, *_], _ = drawings(month.rollouts[:2], month.stairs)
    assert all(span.width < 10 for span in ends.spans)


def test_of_very_many_the_newest_are_drawn(month: Trend, tmp_path: Path) -> None:
    more = Trend([*month.rollouts] * 10, [])
    assert len(drawings(more.rollouts, more.stairs)[0][0].spans) == DRAWN
    assert "the newest 200 of 250 are drawn" in page(more, tmp_path / "trend").read_text(encoding="utf-8")


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=50))
def test_one_endless_rollout_does_not_flatten_the_others(lengths: list[float]) -> None:
    scale = Scale.of(lengths)
    middle = sorted(lengths)[len(lengths) // 2]
    assert scale.height(middle) >= 100 / BEYOND / 4
    assert all(0 <= scale.height(length) <= 100 for length in lengths)
    assert 1 <= len(scale.rules) <= 5


def test_the_page_needs_nothing_that_the_content_policy_forbids(month: Trend, tmp_path: Path) -> None:
    folder = page(month, tmp_path / "trend").parent
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert sorted(file.name for file in folder.iterdir()) == ["icon.svg", "index.html", "report.css"]
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?://|javascript:|data:", text)


def test_a_row_leads_to_the_report_that_still_lies_there(written: Any, tmp_path: Path) -> None:
    written("promoted")
    first = written("rolled back", MONDAY + DAY).parent
    draw(first / "journal.jsonl", first / "report")
    text = page(collected([tmp_path]), tmp_path / "trend").read_text(encoding="utf-8")
    [link] = re.findall(r'href="(\.\./[^"]*)"', text)
    assert (tmp_path / "trend" / link).resolve() == first / "report" / "index.html"


def test_foreign_texts_are_shown_and_never_obeyed(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"'&"
    write(tmp_path / "a", retold(ROLLBACK, "3f9c2a", MONDAY, service=evil))
    (tmp_path / evil.replace("/", "")).mkdir()
    (tmp_path / evil.replace("/", "") / "journal.jsonl").touch()
    text = page(collected([tmp_path]), tmp_path / "trend").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_where_nothing_is_over_the_page_says_so(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text("garbage\n")
    text = page(collected([tmp_path]), tmp_path / "trend").read_text(encoding="utf-8")
    assert "No rollout that is over" in text
    assert "this is no journal of a rollout" in text


def test_the_command_tells_it_and_draws_it(written: Any, tmp_path: Path) -> None:
    written("promoted")
    written("rolled back", MONDAY + DAY)
    (tmp_path / "builds" / "journal.jsonl").touch()
    done = CliRunner().invoke(main, ["trend", str(tmp_path), "--out", str(tmp_path / "trend")])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("rebate-core: 2 rollouts, 1 promoted, 1 rolled back")
    assert re.search(r"Change fail rate +50 % \(1 of 2\)", done.output)
    assert f"passed over: {tmp_path}/builds/journal.jsonl: this is no journal of a rollout\n" in done.output
    assert done.output.endswith(f"drawn in {tmp_path}/trend/index.html\n")
    assert (tmp_path / "trend" / "index.html").is_file()


def test_it_is_json_for_programs(many: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["trend", str(many), "--out", str(tmp_path / "trend"), "--json"])
    told = json.loads(done.stdout)
    assert told["keys"]["failure_rate"] == 5 / 24
    assert told["outcomes"] == {"promoted": 19, "rolled back": 5, "refused": 1}
    assert told["taken_back_by"] == {"gate error_rate": 5}
    assert [step["weight"] for step in told["steps"]] == [5, 25, 50, 100]
    assert len(told["rollouts"]) == 25


def test_a_folder_that_is_not_there_and_one_that_can_not_be_written_are_usage_errors(
    many: Path, tmp_path: Path
) -> None:
    assert CliRunner().invoke(main, ["trend", str(tmp_path / "none")]).exit_code == 2
    (tmp_path / "file").touch()
    done = CliRunner().invoke(main, ["trend", str(many), "--out", str(tmp_path / "file" / "trend")])
    assert done.exit_code == 2
    assert "name another --out" in done.output


def test_words_on_a_narrow_page_have_room(month: Trend) -> None:
    ticks = [tick for tick in drawings(month.rollouts, month.stairs)[1] if tick.room == 1]
    assert all(after.x - before.x >= 100 * 45 / WIDTHS[1] for before, after in pairwise(ticks))
