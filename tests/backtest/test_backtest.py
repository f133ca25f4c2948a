"""``sluicegate backtest`` on five days that a real Prometheus has kept: each kind of day says what it has to."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from ci.backtest import starts
from ci.backtest.command import backtest
from ci.backtest.findings import Backtest
from ci.backtest.page import write
from ci.backtest.starts import BURSTS, OUTAGE, QUIET, WORSE, Fate
from ci.backtest.told import screen
from ci.replay.judging import Step
from ci.rollout import main
from fixtures.errors import InputError, Unreachable
from fixtures.waiting import FakeClock

HOUR, DAY = 3600, 86_400
RELEASE = """
service: shop
namespace: production
image: registry.example.com/shop/shop
gitops: {{repository: "https://git.example.com/shop/k8s.git", path: shop, application: {{name: shop}}}}
objectives: {{error_rate: 1%, latency: {{99%: 500ms}}}}
steps: [5, 25, 50, 100]
group: {group}
{more}
"""
Write = Callable[..., Path]
Fates = Callable[[int], dict[int, Any]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Write a release file."""

    def write_one(group: object = 1, more: str = "metrics: {prometheus: http://127.0.0.1:9}") -> Path:
        file = tmp_path_factory.mktemp("release") / "release.yaml"
        file.write_text(RELEASE.format(group=group, more=more))
        return file

    return write_one


@pytest.fixture(scope="module")
def found(kept: Any, written: Write) -> Backtest:
    """All five days, a start each hour; requests fail on their own."""
    return backtest(written(), "5d", "1h", kept.url, "nowhere", kept.ended)


@pytest.fixture
def on_day(found: Backtest, kept: Any) -> Fates:
    """Give a day's starts by their hours."""

    def starts(day: int) -> dict[int, Any]:
        began = kept.began + day * DAY
        return {int(each.at - began) // HOUR: each for each in found.starts if began <= each.at < began + DAY}

    return starts


def fates(starts: dict[int, Any], fate: Fate) -> list[int]:
    return [hour for hour, each in starts.items() if each.fate is fate]


def test_on_an_ordinary_day_it_is_promoted_whenever_it_begins(on_day: Fates) -> None:
    assert fates(on_day(0), Fate.PROMOTED) == list(range(1, 24))
    assert fates(on_day(0), Fate.UNSEEN) == [0], "nothing is known of the half hour before"
    assert {each.group for each in on_day(0).values() if each.steps} == {1}


def test_the_steps_take_what_the_traffic_of_the_day_lets_them(on_day: Fates) -> None:
    """At 5 % it takes 2,000 to 5,000 requests of 10 a second to compare with stable; then the soak decides."""
    steps = [[each.seconds for each in start.steps] for hour, start in on_day(0).items() if hour]
    assert all(120 <= first <= 600 for first, *_ in steps)
    assert 180 <= median(first for first, *_ in steps) <= 300
    assert all(sum(rest) <= 360 for _, *rest in steps)


def test_while_stable_is_slow_it_is_rolled_back_for_latency(on_day: Fates) -> None:
    assert fates(on_day(1), Fate.ROLLED_BACK) == list(range(9, 15))
    assert {each.gates for hour, each in on_day(1).items() if 9 <= hour < 15} == {("latency",)}
    assert "share of canary answers slower than 500 ms" in on_day(1)[9].why
    assert len(fates(on_day(1), Fate.PROMOTED)) == 18


def test_in_a_quiet_night_preflight_would_not_have_started_it(on_day: Fates) -> None:
    # At 0:00 the traffic of the half hour before was enough; then there is none.
    assert fates(on_day(2), Fate.REFUSED) == list(range(1, 9))
    assert {on_day(2)[hour].gates for hour in range(1, 9)} == {(QUIET,)}
    assert on_day(2)[0].fate is Fate.UNDECIDED
    assert on_day(2)[3].rate == pytest.approx(2, rel=0.05)


def test_what_prometheus_has_missed_is_not_judged_and_counters_that_begin_anew_harm_nobody(on_day: Fates) -> None:
    # At 16:00 nothing is known of the half hour before, and at 10:00 the scrape of 9:59 is the last.
    assert fates(on_day(3), Fate.UNSEEN) == list(range(10, 17))
    assert set(fates(on_day(3), Fate.PROMOTED)) >= {*range(10), *range(19, 24)}
    assert not fates(on_day(3), Fate.ROLLED_BACK)


def test_an_outage_that_both_share_is_nobodys_fault_and_one_that_reaches_nobody_is_the_canarys(on_day: Fates) -> None:
    assert (on_day(4)[12].fate, on_day(4)[12].gates) == (Fate.UNDECIDED, (OUTAGE,))
    assert on_day(4)[18].fate is Fate.ROLLED_BACK
    assert "error_rate" in on_day(4)[18].gates
    assert "reached no pod" in on_day(4)[18].why


def test_the_summary_says_on_how_many_days_and_why(found: Backtest) -> None:
    said = "\n".join(found.summary)
    latency = "on 1 of 5 days it would have been rolled back for latency (6 starts, mostly from 9 to 15 o'clock UTC): "
    assert f"{latency}on 2026-03-03 12:00 UTC at 5 %, for example, share of canary answers slower than 500 ms" in said
    assert "stable itself was over its objective then: mend that" in said
    assert "on 1 of 5 days it would have been left undecided for an outage that both share (1 start): on" in said
    quiet = (
        "on 1 of 5 days preflight would have refused to start it for too little traffic (8 starts, mostly from 1 to 9"
    )
    assert quiet in said
    assert re.search(r"with limit: \d{3,4}m every second one of these would have been started", said)
    assert "8 starts could not be judged: Prometheus has no data of them" in said


def test_the_same_past_gives_the_same_answer(found: Backtest, kept: Any, written: Write) -> None:
    again = backtest(written(), "5d", "6h", kept.url, "nowhere", kept.ended)
    known = {each.at: each for each in found.starts}
    assert all(known[each.at] == each for each in again.starts)


def test_it_is_a_table_for_people(found: Backtest) -> None:
    console = Console(width=120, record=True, highlight=False, file=io.StringIO())
    console.print(screen(found, "reports/backtest.html"))
    text = console.export_text()
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.startswith("2026-")}
    assert list(rows) == [f"2026-03-0{day}" for day in range(2, 7)]
    assert rows["2026-03-03"][1:7] == ["200", "18", "6", "-", "-", "-"]
    assert "A canary exactly as good as stable would have been promoted in" in text
    assert text.rstrip().endswith("drawn in reports/backtest.html")


def test_it_is_a_page_without_script_that_draws_every_start(found: Backtest, tmp_path: Path) -> None:
    page = write(found, tmp_path / "reports")
    text = page.read_text()
    assert text.count('<rect class="rolled-back" x') == len(found.of(Fate.ROLLED_BACK))
    assert text.count('<rect class="promoted" x') == len(found.of(Fate.PROMOTED))
    assert "<title>2026-03-03 12:00 UTC, 200 requests/s: rolled back, share of canary answers" in text
    assert "<script" not in text
    assert not re.search(r"style=|https?://", text)
    assert (page.parent / "report.css").exists()


def test_it_is_json_for_programs(type_in: Callable[..., Result], found: Backtest, written: Write, kept: Any) -> None:
    result = type_in(written(), "--prometheus", kept.url, "--since", "5d", "--every", "6h", "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["days"][1] == {
        "date": "2026-03-03",
        "starts": 4,
        "rate": pytest.approx(200),
        **dict.fromkeys(("undecided", "not_started", "no_data"), 0),
        "promoted": 3,
        "rolled_back": 1,
        "steps": told["days"][1]["steps"],
    }
    assert {each["fate"] for each in told["starts"]} <= {fate.value for fate in Fate}


@pytest.fixture
def type_in(kept: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Type the command at the end of the five days."""
    clock = FakeClock()
    monkeypatch.setattr(clock, "now", lambda: float(kept.ended))
    monkeypatch.setattr("fixtures.waiting.SYSTEM_CLOCK", clock)
    return lambda *words: CliRunner().invoke(main, ["backtest", *map(str, words)])


def test_the_release_files_own_prometheus_is_asked_on_the_target(
    type_in: Callable[..., Result], written: Write, kept: Any, tmp_path: Path
) -> None:
    info = {"kubeconfig": "k", "gates_kubeconfig": "g", "envoy_admin": "http://127.0.0.1:9", "envoy_access_log": "log"}
    info |= {"rewrites": {"http://prometheus.istio-system:9090": kept.url}}
    (tmp_path / "sandbox.json").write_text(json.dumps(info))
    release = written(more="metrics: {prometheus: http://prometheus.istio-system:9090}")
    result = type_in(release, "--target", f"sandbox:{tmp_path}", "--since", "6h", "--reports", tmp_path / "reports")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "reports" / "backtest.html").exists()


def test_groups_and_steps_that_are_found_are_those_of_each_hour(kept: Any, written: Write) -> None:
    file = written("auto")
    file.write_text(file.read_text().replace("steps: [5, 25, 50, 100]", "steps: auto"))
    found = backtest(file, "5d", "3h", kept.url, "nowhere", kept.ended)
    first = {start.steps[0].weight for start in found.of(Fate.PROMOTED)}
    assert {5} < first, "after bursts it begins with more"
    # Preflight knows by then that stable itself is slow.
    refused = {(each.at - kept.began) // HOUR: each.gates for each in found.of(Fate.REFUSED)}
    assert refused[DAY // HOUR + 12] == (WORSE,)
    assert found.of(Fate.ROLLED_BACK)[0].gates == ("latency",)


def test_bursts_are_told_from_a_lack_of_traffic(kept: Any, written: Write) -> None:
    """After two bad minutes there is as much traffic as ever, but nobody can tell the next two from a bad canary."""
    noon = kept.began + 2 * DAY + 12 * HOUR
    found = backtest(written("auto"), "30m", "30m", kept.url, "nowhere", noon + HOUR)
    assert [(each.at - noon, each.fate, each.gates) for each in found.starts] == [(1800, Fate.REFUSED, (BURSTS,))]
    assert found.starts[0].group > 20, "as it was measured"
    assert "preflight would have refused to start it for errors that come in bursts (1 start)" in found.summary[1]


def test_evidence_of_harm_is_one_process_over_all_steps(
    kept: Any, written: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried = []

    class Remembering(Step):
        def __init__(self, terms: Any, judges: Any, states: Any) -> None:
            carried.append({name: sorted(each) for name, each in states.items()})
            super().__init__(terms, judges, states)

    monkeypatch.setattr(starts, "Step", Remembering)
    backtest(written(), "2h", "2h", kept.url, "nowhere", kept.began + 4 * HOUR)
    assert carried[0] == {}
    assert carried[1:] == 3 * [
        {"error_rate": ["pods", "pooled"], "error_rate_against_stable": [], "latency": ["parts"]},
    ]


def test_more_than_is_kept_is_said(kept: Any, written: Write) -> None:
    found = backtest(written(), "30d", "12h", kept.url, "nowhere", kept.ended)
    assert "Prometheus knows this service's traffic since 2026-03-02 00:01 UTC only" in "\n".join(found.summary)
    assert len([day for day in found.days if day.rate is None]) == 25
    assert "would have been promoted in 5 of 8 starts" in found.summary[0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--since", "a month"], "--since: 'a month' is not a duration"),
        (["--since", "0d"], "'0d' is no time at all"),
        (["--since", "5m"], "5m is too short to judge a start in it"),
        (["--prometheus", "http://127.0.0.1:9"], "Prometheus did not answer: ConnectionError"),
    ],
)
def test_what_can_not_be_is_told(
    type_in: Callable[..., Result], written: Write, kept: Any, words: list[str], says: str
) -> None:
    result = type_in(written(), "--prometheus", kept.url, *words)
    assert result.exit_code in (InputError("").exit_code, Unreachable("").exit_code)
    assert says.partition(": ")[2] in result.stderr or says in result.stderr
    assert re.search(r"  do:    \w", result.stderr)
    assert ("--prometheus URL" in result.stderr) == ("ConnectionError" in result.stderr)


def test_a_release_file_without_a_prometheus_is_told(type_in: Callable[..., Result], written: Write) -> None:
    result = type_in(written(more=""))
    assert result.exit_code == 2
    assert "this release file names no Prometheus" in result.stderr
