import re
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from ci.events import Event, Note, RollbackBegan, RollbackMeasured, RolloutEnded, SuiteEnded, VerdictReached
from ci.reporters.closing import closing

Drawn = Callable[..., str]


def told(events: Iterable[Event], drawn: Drawn, width: int = 80) -> str:
    return drawn(closing(events, {"journal": "reports/journal.jsonl"}), width)


def in_seconds(length: str) -> float:
    minutes, _, rest = length.rpartition(" min ")
    return 60 * float(minutes or 0) + float(rest.removesuffix(" s").replace("-", "0"))


def words(shown: str) -> str:
    return re.sub(r"\s+", " ", shown)


def test_the_first_lines_say_what_happened_when_and_why(rolled_back: list[Event], drawn: Drawn) -> None:
    first = words("\n".join(told(rolled_back, drawn).splitlines()[:5]))
    assert first.startswith("ROLLED BACK rebate-core rebate-core-service@sha256:af956c868d53 2026-11-24")
    assert "2026-11-24 22:56:02 UTC to 22:56:31, 28.2 s; to sandbox by alice@build-7; rollout 43ee6e" in first
    assert "canary error rate 5.3 % (11 of 207" in first


def test_the_rollback_is_told_as_a_line_of_time(rolled_back: list[Event], drawn: Drawn) -> None:
    shown = told(rolled_back, drawn)
    assert "Rollback time 4.29 s by Envoy's log; 12 bad answers" in shown
    moments = re.findall(r"^([+-]\d\.\d\d) s +[\d:]+ +(\w+ \w+)", shown, re.MULTILINE)
    assert moments == [
        ("+0.00", "first request"),
        ("+4.29", "last request"),
        ("+4.50", "rollback decided"),
        ("+4.54", "safe weights"),
    ]


def test_a_rollback_in_which_nobody_was_hurt_has_no_rollback_time(drawn: Drawn) -> None:
    measured = RollbackMeasured(at=9.0, first_bad=None, verdict=3.0, written=3.1, last_routed=None, bad=0)
    shown = told([measured], drawn)
    assert "Rollback time by Envoy's log; 0 bad answers" in shown
    assert "first request" not in shown
    assert "last request" not in shown


@pytest.mark.parametrize("recording", ["promoted", "rolled_back"])
def test_evidence_and_overhead_add_up(recording: str, drawn: Drawn, request: pytest.FixtureRequest) -> None:
    shown = told(request.getfixturevalue(recording), drawn)
    length = r"((?:\d+ min )?[\d.]+ s|-)"
    rows = re.findall(rf"^([✓✗] [\w %]+?|in all) +{length} +{length} +{length}", shown, re.MULTILINE)
    figures = {name: [in_seconds(each) for each in row] for name, *row in rows}
    whole = figures.pop("in all")
    for took, evidence, overhead in figures.values():
        assert took == pytest.approx(evidence + overhead, abs=0.11)
    assert whole == pytest.approx([sum(column) for column in zip(*figures.values(), strict=True)], abs=0.6)
    assert whole[1] > 5


def test_the_part_in_which_it_broke_is_marked(rolled_back: list[Event], drawn: Drawn) -> None:
    assert re.findall(r"^✗ +(\d+ %)", told(rolled_back, drawn), re.MULTILINE)[0] == "5 %"


def test_a_promotion_shows_what_was_shown_at_each_step(promoted: list[Event], drawn: Drawn) -> None:
    shown = words(told(promoted, drawn))
    for step in (5, 25, 50, 100):
        assert re.search(rf"✓ {step} % canary error rate 0 % \(0 of [\d ]+, [^)]*\) is under the objective 1 %", shown)
    assert "stayed up" not in shown


def test_every_write_has_its_moment_and_its_author(promoted: list[Event], drawn: Drawn) -> None:
    shown = told(promoted, drawn)
    assert "22:54:53  309fa8f  rebate-core: canary runs" in shown
    assert "22:55:44  100/0    alice@build-7: stable serves again" in shown


def test_it_says_where_the_evidence_lies(promoted: list[Event], drawn: Drawn) -> None:
    shown = words(told(promoted, drawn))
    assert "JUnit reports/ preflight.xml deployed.xml step-05.xml" in shown
    assert "journal reports/journal.jsonl" in shown


def test_an_abort_names_the_person(drawn: Drawn) -> None:
    events = [
        RollbackBegan(at=1.0, reason="pager went off", who="bob@laptop"),
        RolloutEnded(at=2.0, outcome="rolled back", sentence="aborted by bob@laptop", exit_code=1),
    ]
    assert "✗ bob@laptop pager went off" in words(told(events, drawn))


def test_a_suite_that_was_not_passed_without_a_failing_gate_says_why(drawn: Drawn) -> None:
    ended = SuiteEnded(at=1.0, suite="preflight", step=None, passed=False, why="exit status 4", took=1.0, junit="")
    assert "✗ preflight exit status 4" in words(told([ended], drawn))


def test_no_verdict_is_told_as_such(drawn: Drawn) -> None:
    verdict = VerdictReached(
        at=1.0, suite="canary_step", step=5, gate="error_rate", outcome="INCONCLUSIVE", sentence="no traffic", after=600
    )
    assert "? 5 % error_rate no traffic" in words(told([verdict], drawn))


def test_notes_and_writes_stay_in_order_over_midnight(drawn: Drawn) -> None:
    before = Note(at=1795478399.0, text="before midnight")
    after = Note(at=1795478401.0, text="after midnight")
    shown = told([before, after], drawn)
    assert shown.index("23:59:59") < shown.index("00:00:01")


@pytest.mark.parametrize("recording", ["promoted", "rolled_back"])
def test_it_is_one_screen_and_80_columns_wide(recording: str, drawn: Drawn, request: pytest.FixtureRequest) -> None:
    lines = told(request.getfixturevalue(recording), drawn).splitlines()
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 80


def test_it_can_be_told_of_every_beginning(promoted: list[Event], rolled_back: list[Event], drawn: Drawn) -> None:
    """A driver may die at any moment; what it left must still be readable."""
    for events in (promoted, rolled_back):
        for count in range(len(events)):
            assert "journal" in told(events[:count], drawn)


def test_foreign_escapes_are_spelled_out(promoted: list[Event], drawn: Drawn) -> None:
    ended = replace(promoted[-1], sentence="\x1b[2J\x07[bold]ok")
    assert "\\x1b[2J\\x07[bold]ok" in told([*promoted[:-1], ended], drawn)
