"""The page as Jenkins serves it: nothing that its content policy forbids, everything escaped, nothing left out."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ci.events import Event, Note, Pushed, RollbackMeasured, RolloutBegan, RolloutEnded, VerdictReached, WeightsWritten
from ci.reporters.report.collect import collect
from ci.reporters.report.headline import headline
from ci.reporters.report.page import typeset
from ci.reporters.strings import mapped, readable

Drawn = Callable[[Sequence[Event]], Path]
Page = Callable[[Sequence[Event]], Any]
EVIL = "<script>alert(1)</script>\"'&\x1b[2J\u202e"


@pytest.fixture(params=["promotion", "rollback"])
def events(request: pytest.FixtureRequest) -> list[Event]:
    found: list[Event] = request.getfixturevalue(request.param)
    return found


def test_nothing_that_the_content_policy_forbids_is_in_it(events: list[Event], drawn: Drawn, page: Page) -> None:
    for element in page(events).all():
        assert element.tag not in {"script", "style", "iframe", "object", "embed", "base", "form"}
        for name, value in element.attributes.items():
            assert name != "style"
            assert not name.startswith("on")
            assert not re.match(r"\s*(data|javascript):", value)
            assert (element.tag, name) == ("a", "href") or not re.match(r"\s*https?:", value)
    folder = drawn(events)
    assert sorted(file.name for file in folder.iterdir()) == ["icon.svg", "index.html", "report.css"]
    assert "url(" not in (folder / "report.css").read_text()
    assert "@import" not in (folder / "report.css").read_text()


def test_all_that_it_needs_lies_beside_it(events: list[Event], drawn: Drawn, page: Page) -> None:
    wanted = [each.attributes["href"] for each in page(events).all("link")]
    assert wanted == ["icon.svg", "report.css"]
    assert all((drawn(events) / name).is_file() for name in wanted)


def test_the_first_words_say_what_happened_and_why(events: list[Event], page: Page) -> None:
    [body] = page(events).all("body")
    [title] = body.all("h1")
    assert title.text == headline(collect(events))
    assert body.text.startswith(title.text)


def test_every_word_of_every_gate_is_in_the_table(events: list[Event], page: Page) -> None:
    table = page(events).id("gates")
    rows = [[cell.text for cell in row.all("th", "td")] for row in table.all("tr")]
    for event in events:
        if isinstance(event, VerdictReached):
            gate, sentence = event.gate, readable(event.sentence)
            assert any(row[0] == f"{gate} {event.outcome}" and row[1] == sentence for row in rows)


def test_every_write_stands_there_with_its_author_and_reason(events: list[Event], page: Page) -> None:
    rows = [[cell.text for cell in row.all("td")] for row in page(events).id("writes").all("tr")]
    for event in events:
        if isinstance(event, WeightsWritten):
            assert any(row[1:] == [f"{event.stable} %", f"{event.canary} %", event.who, event.why] for row in rows)


def test_a_rollback_is_told_as_a_line_of_time_and_a_promotion_has_none(
    promotion: list[Event], rollback: list[Event], page: Page
) -> None:
    rows = page(rollback).id("rollback").all("td")
    assert "first request that the canary answered badly" in [cell.text for cell in rows]
    assert not [each for each in page(promotion).all("section") if each.attributes["id"] == "rollback"]


def test_a_rollback_without_envoys_log_says_what_is_not_known(rollback: list[Event], page: Page) -> None:
    events = [event for event in rollback if not isinstance(event, RollbackMeasured)]
    told = page(events).id("rollback")
    assert "the last request to the canary is not known" in told.text
    assert "first look that counted a bad answer" in told.text
    assert len(told.of("svg", "mark")) == 3


def test_the_two_probabilities_and_the_group_size_are_said(rollback: list[Event], page: Page) -> None:
    sure = page(rollback).id("sure").text
    assert "A false FAIL: at most 0.25 % for each gate that counts requests, over the whole rollout" in sure
    assert "A false PASS: at most 1 % a gate and step" in sure
    assert "(group size): 5 %: 1." in sure


def test_one_can_read_it_without_seeing_it(events: list[Event], page: Page) -> None:
    root = page(events)
    [html] = root.all("html")
    assert html.attributes["lang"] == "en"
    assert len(root.all("h1")) == 1
    assert {each.tag for each in root.all("header", "nav", "main")} == {"header", "nav", "main"}
    for table in root.all("table"):
        assert table.all("caption")
        assert all(head.attributes.get("scope") for head in table.all("th"))
    for svg in root.all("svg"):
        drawing = svg.attributes.get("role") == "img"
        nested = "viewbox" in svg.attributes or "mark" in svg.attributes.get("class", "")
        assert svg.attributes.get("aria-label") if drawing else svg.attributes.get("aria-hidden") or nested
    levels = [int(each.tag[1]) for each in root.all("h1", "h2", "h3")]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_link_leads_somewhere(events: list[Event], drawn: Drawn, page: Page) -> None:
    reports = drawn(events).parent
    for name in ("preflight.xml", "preflight.log", "step-05.xml"):
        (reports / name).write_text("<testsuites/>")
    root = page(events)
    ids = {each.attributes["id"] for each in root.all() if "id" in each.attributes}
    links = [each.attributes["href"] for each in root.all("a")]
    files = [link for link in links if not link.startswith("#")]
    assert all(link[1:] in ids for link in links if link.startswith("#"))
    assert files == ["../journal.jsonl", "../preflight.xml", "../preflight.log", "../step-05.xml"]
    assert all((reports / "report" / link).is_file() for link in files)


WHERE = {
    "commit": 'https://git.example.com/shop/k8s/commit/{commit}?a=1&b="2',
    "image": "https://registry.example.com/ui/rebate-core-service",
    "application": "https://argocd.example.com/applications/argocd/rebate-core-prod",
}


def leading_to(where: dict[str, str], events: Sequence[Event]) -> list[Event]:
    return [replace(event, links=where) if isinstance(event, RolloutBegan) else event for event in events]


def test_commit_image_and_application_are_one_click_away(rollback: list[Event], page: Page) -> None:
    root = page(leading_to(WHERE, rollback))
    facts = {name.text: each.all("a") for each in root.all("div") for name in each.all("dt")}
    pushed = [event.commit for event in rollback if isinstance(event, Pushed)]
    commits = [WHERE["commit"].replace("{commit}", commit) for commit in pushed]
    assert [each.attributes["href"] for each in facts["Commit"]] == commits[:1]
    assert [each.attributes["href"] for each in facts["Image"]] == [WHERE["image"]]
    assert [each.attributes["href"] for each in facts["Application"]] == [WHERE["application"]]
    assert [each.attributes["href"] for each in root.id("writes").all("a")] == commits


@pytest.mark.parametrize("evil", ["javascript:alert(1)", "//evil.example", "file:///etc/passwd", "https://a b", "", 7])
def test_a_journal_can_not_make_a_link_to_anything_but_the_web(rollback: list[Event], page: Page, evil: str) -> None:
    root = page(leading_to(dict.fromkeys(WHERE, evil), rollback))
    assert {each.attributes["href"][0] for each in root.all("a")} == {"#", "."}


def test_what_is_no_hash_is_no_part_of_a_link(rollback: list[Event], page: Page) -> None:
    events = [replace(event, commit="../../evil") if isinstance(event, Pushed) else event for event in rollback]
    assert not page(leading_to(WHERE, events)).id("writes").all("a")


def test_foreign_texts_are_shown_and_never_obeyed(rollback: list[Event], drawn: Drawn, page: Page) -> None:
    hostile = [*map(poisoned, rollback[:-1]), Note(at=rollback[-1].at, text=EVIL), poisoned(rollback[-1])]
    root = page(hostile)
    assert not root.all("script")
    shown = "<script>alert(1)</script>\"'&\\x1b[2J\\u202e"
    [title] = root.all("h1")
    assert title.text.count(shown) == 2  # the service's name, and the reason
    for part in ("gates", "writes"):
        assert shown in root.id(part).text
    for file in drawn(hostile).iterdir():
        assert not set(file.read_text(encoding="utf-8")) & set("\x1b\u202e")


def poisoned(event: Event) -> Event:
    """Every text that comes from outside carries an attack."""
    match event:
        case RolloutBegan() | WeightsWritten():
            return mapped(event, lambda text: text + EVIL)
        case VerdictReached():
            return replace(event, gate=event.gate + EVIL, sentence=event.sentence + EVIL)
        case RolloutEnded():
            return replace(event, sentence=event.sentence + EVIL)
        case _:
            return event


def test_whenever_a_driver_was_killed_there_is_a_report(events: list[Event], drawn: Drawn) -> None:
    kinds = [type(event) for event in events]
    turns = [place for place in range(1, len(kinds)) if kinds[place] is not kinds[place - 1]]
    for length in turns[:: len(turns) // 12 or 1]:
        assert "the journal ends there" in (drawn(events[:length]) / "index.html").read_text(encoding="utf-8")


def test_a_release_that_was_refused_shows_no_empty_drawings(promotion: list[Event], page: Page) -> None:
    place = next(place for place, event in enumerate(promotion) if type(event).__name__ == "SuiteEnded")
    end = RolloutEnded(at=promotion[place].at, outcome="refused", sentence="nothing was changed: no image", exit_code=1)
    root = page([*promotion[: place + 1], end])
    assert [title.text for title in root.id("course").all("h3")] == ["Phases", "Decisions"]
    assert "The weights were never touched." in root.id("writes").text


def test_a_gate_without_a_verdict_is_in_the_table(rollback: list[Event], page: Page) -> None:
    silent = [event for event in rollback if not (isinstance(event, VerdictReached) and event.gate == "latency")]
    assert "latency no verdict It had not decided when its suite ended." in page(silent).id("gates").text


def test_the_longest_journal_line_is_no_reason_for_a_wide_page(rollback: list[Event], page: Page) -> None:
    events = [replace(event, who="x" * 5000) if isinstance(event, WeightsWritten) else event for event in rollback]
    assert "x" * 5000 in page(events).id("writes").text


def test_a_figure_keeps_its_unit_on_its_line() -> None:
    assert typeset("4.8 % (1 230 of 27 450) in 12 s") == "4.8\u00a0% (1\u00a0230 of 27\u00a0450) in 12\u00a0s"
    assert typeset("at 12 pods") == "at 12 pods"
