import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from ci.events import Event, Progress, RollbackBegan, RolloutBegan, RolloutEnded, VerdictReached
from ci.reporters.pulse import Pulse
from ci.reporters.screen import Screen
from ci.reporters.view import seen

Drawn = Callable[..., str]

ABORT = "sluicegate abort release.yaml"


def screen(events: list[Event]) -> Screen:
    now = events[-1].at if events else 0.0
    return Screen(seen(events, now), events, now, ABORT)


def until(events: list[Event], kind: type[Event], step: int | None = None) -> list[Event]:
    """All events up to the last of a kind."""
    places = [place for place, event in enumerate(events) if isinstance(event, kind)]
    wanted = [place for place in places if step is None or getattr(events[place], "step", None) == step]
    return events[: wanted[-1] + 1]


@pytest.fixture
def watching(promoted: list[Event]) -> list[Event]:
    """The first step, 324 canary requests in."""
    return next(
        promoted[: place + 1]
        for place, event in enumerate(promoted)
        if isinstance(event, Progress) and event.canary["requests"] == 324
    )


def test_one_sees_who_releases_what_where_and_for_how_long(watching: list[Event], drawn: Drawn) -> None:
    shown = drawn(screen(watching))
    for piece in ("rebate-core: 5 %", "since 22:54:49 UTC", "@sha256:11b17bc60b97", "alice@build-7", "to sandbox"):
        assert piece in shown


def test_one_sees_what_is_waited_for_and_how_near_it_is(watching: list[Event], drawn: Drawn) -> None:
    shown = drawn(screen(watching))
    assert "waiting for error_rate" in shown
    assert re.search(r"━{7}─{5} +evidence 14 of 100, about 5 s to go", shown)
    assert "✓  traffic_split" in shown


def test_one_sees_the_way_with_what_each_part_took(watching: list[Event], drawn: Drawn) -> None:
    lines = drawn(screen(watching)).splitlines()
    [names] = [place for place, line in enumerate(lines) if line.startswith("preflight")]
    times = lines[names + 1]
    assert re.findall(r"[✓▶·]", times) == ["✓", "✓", "▶", "·", "·", "·", "·", "·"]


def test_one_sees_the_weights_and_whether_the_data_plane_has_them(promoted: list[Event], drawn: Drawn) -> None:
    shown = drawn(screen(until(promoted, Progress, step=25)))
    assert re.search(r"stable +75 % +━{9}─{3} +2 262 requests", shown)
    assert re.search(r"canary +25 % +━{3}─{9} ", shown)
    assert "weights proved on the data plane" in shown


def test_while_traffic_is_taken_back_the_reason_comes_first(rolled_back: list[Event], drawn: Drawn) -> None:
    shown = drawn(screen(until(rolled_back, RollbackBegan)))
    assert "ROLLING BACK" in shown.splitlines()[0]
    assert shown.splitlines()[2].startswith("canary error rate 5.3 %")
    assert "Traffic is on its way back to stable" in shown
    assert ABORT not in shown


def test_once_proved_it_says_that_traffic_is_back(rolled_back: list[Event], drawn: Drawn) -> None:
    assert "Traffic is back on stable, proved on the data plane" in drawn(screen(rolled_back[:-1]))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), width=st.integers(40, 200), height=st.integers(6, 60))
def test_it_never_outgrows_the_terminal_and_always_says_how_to_stop(
    promoted: list[Event], rolled_back: list[Event], drawn: Drawn, data: st.DataObject, width: int, height: int
) -> None:
    events = data.draw(st.sampled_from([promoted, rolled_back]))
    seen_so_far = events[: data.draw(st.integers(1, len(events)))]
    lines = drawn(screen(seen_so_far), width, height).splitlines()
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width
    ending = any(isinstance(event, RollbackBegan | RolloutEnded) for event in seen_so_far)
    assert ending or any(ABORT in line for line in lines[-4:])


def test_all_of_a_step_fits_into_80_by_24(promoted: list[Event], drawn: Drawn) -> None:
    for step in (5, 25, 50, 100):
        shown = drawn(screen(until(promoted, Progress, step)), 80, 24)
        for piece in ("error_rate", "traffic_split", "canary_pods_stay_up", "argocd_stays_synced", "preflight", ABORT):
            assert piece in shown


def test_in_a_very_low_window_every_gate_is_still_named_and_what_is_waited_for_has_its_line(
    watching: list[Event], drawn: Drawn
) -> None:
    quiet = {f"gate_{number}": {"sentence": "word " * 60, "evidence": 0, "of": 0} for number in range(12)}
    waits = {"error_rate": {"sentence": "neither over nor under", "evidence": 20, "of": 100}}
    shown = drawn(screen([*watching, Progress(at=watching[-1].at + 1, step=5, gates=waits | quiet)]), 80, 24)
    for name in quiet:
        assert name in shown
    assert "evidence 20 of 100" in shown
    assert "neither over nor under" in shown
    assert f"\n  {ABORT}\nIn place of abort: " in shown
    assert shown.count("\n") <= 24


def test_errors_are_seen_second_by_second_beside_those_of_stable(rolled_back: list[Event], drawn: Drawn) -> None:
    events, pulse = until(rolled_back, Progress), Pulse()
    for event in events:
        pulse.tell(event)
    now = events[-1].at
    lines = drawn(Screen(seen(events, now), events, now, ABORT, pulse)).splitlines()
    [stable] = [line for line in lines if line.startswith("stable")]
    [canary] = [line for line in lines if line.startswith("canary  ")]
    assert re.search(r"errors +0 % +▁{4}$", stable.rstrip())
    assert re.search(r"errors +4\.7 % +▃█▆▁$", canary.rstrip())
    assert any(line.startswith("weights proved") and "error rate each second, up to 11 %" in line for line in lines)


def test_a_narrow_window_has_no_line_of_errors_rather_than_a_cut_one(rolled_back: list[Event], drawn: Drawn) -> None:
    events, pulse = until(rolled_back, Progress), Pulse()
    for event in events:
        pulse.tell(event)
    now = events[-1].at
    shown = drawn(Screen(seen(events, now), events, now, ABORT, pulse), 72)
    assert not set("▁▂▃▄▅▆▇█") & set(shown)
    assert "up to" not in shown


def test_one_sees_what_can_be_said_to_it_now(watching: list[Event], rolled_back: list[Event], drawn: Drawn) -> None:
    assert "In place of abort: pause lets no weight rise; promote waits for no person" in drawn(screen(watching))
    assert "In place of abort" not in drawn(screen(until(rolled_back, RollbackBegan)))


def test_many_gates_in_a_low_window_are_cut_but_named(watching: list[Event], drawn: Drawn) -> None:
    near = {f"gate_{number}": {"sentence": "word " * 60, "evidence": 0, "of": 0} for number in range(12)}
    shown = drawn(screen([*watching, Progress(at=watching[-1].at + 1, step=5, gates=near)]), 80, 30)
    for name in near:
        assert name in shown
    assert ABORT in shown


def test_no_colour_means_no_colour_and_marks_say_the_same(rolled_back: list[Event], drawn: Drawn) -> None:
    events = until(rolled_back, VerdictReached, step=5)
    assert "\x1b" not in drawn(screen(events))
    assert "✗  error_rate" in drawn(screen(events))


def test_only_the_terminal_s_own_colours_are_used(
    promoted: list[Event], rolled_back: list[Event], drawn: Drawn
) -> None:
    """Numbered and true colours do not follow a light ground; black, white and their bright ones vanish on one."""
    for events in (promoted, rolled_back):
        for count in range(1, len(events)):
            codes = {
                code
                for each in re.findall(r"\x1b\[([\d;]*)m", drawn(screen(events[:count]), colour=True))
                for code in each.split(";")
            }
            assert codes <= {"0", "1", "2", "31", "32", "35"}


def test_markup_in_foreign_words_stays_words(watching: list[Event], drawn: Drawn) -> None:
    evil = [replace(event, who="[bold red]bob[/]") if isinstance(event, RolloutBegan) else event for event in watching]
    assert "[bold red]bob[/]" in drawn(screen(evil), 120)


def test_before_the_first_event_it_says_so(drawn: Drawn) -> None:
    assert "starting" in drawn(screen([]))


def test_a_long_command_can_still_be_copied(watching: list[Event], drawn: Drawn) -> None:
    abort = "sluicegate abort /home/alice/shop/rebate-core/release.yaml --target sandbox:/home/alice/sandbox"
    now = watching[-1].at
    *_, first, second, _ = drawn(Screen(seen(watching, now), watching, now, abort)).splitlines()
    last = [first, second]
    assert " ".join(line.strip() for line in last).replace("\\ ", "") == abort
    assert last[0].endswith("\\")
