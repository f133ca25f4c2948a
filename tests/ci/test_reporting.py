"""Who listens to a rollout, and what stands on the screen: a live view for one, named lines for several."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ci.events import Note, RolloutBegan, RolloutEnded
from ci.reporting import JsonLines, Listeners
from ci.state import Job
from fixtures.notify import Notify
from fixtures.release import load_release

EXAMPLE = Path(__file__).parents[2] / "examples" / "rebate-core" / "release.yaml"


@dataclass(frozen=True)
class Place:
    in_memory: Any

    def cluster(self) -> Any:
        return self.in_memory


@pytest.fixture
def listeners(cluster: Any, tmp_path: Path) -> Callable[..., Listeners]:
    def make(notify: Notify | None = None, **how: Any) -> Listeners:
        about = {"rollout": "3f9c2a", "image": "r/shop@sha256:1", "target": "memory", "who": "ana@laptop"}
        release = load_release(EXAMPLE).model_copy(update={"notify": notify or Notify()})
        job = Job(release=release, file=EXAMPLE, reports=tmp_path, **about)
        return Listeners(job, Place(cluster), **{"as_json": False, **how})

    return make


def said(listeners: Listeners, capsys: pytest.CaptureFixture[str]) -> str:
    listeners.tell(Note(at=1.0, text="hello"))
    listeners.close()
    return capsys.readouterr().out.splitlines()[0]


def test_a_rollout_alone_has_the_live_view_of_a_terminal(
    listeners: Callable[..., Listeners], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []

    class Live(JsonLines):
        def __init__(self, _abort: str) -> None:
            super().__init__(io.StringIO())
            drawn.append(self)

    monkeypatch.setattr("ci.reporting.suits", lambda _: True)
    monkeypatch.setattr("ci.reporting.Terminal", Live)
    for name, live_views in (("", 1), ("shop", 1)):
        listeners(name=name).close()
        assert len(drawn) == live_views


def test_lines_name_the_service_where_there_are_several_and_only_there(
    listeners: Callable[..., Listeners], capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(listeners(), capsys) == "+     0.0 s  note: hello"
    assert said(listeners(name="shop"), capsys) == "shop  +     0.0 s  note: hello"
    assert '"service"' not in said(listeners(as_json=True), capsys)
    assert said(listeners(as_json=True, name="shop"), capsys).startswith('{"service": "shop", ')


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise asks for it
def test_who_could_not_be_told_stands_on_the_screen_and_in_the_journal_without_a_secret(
    listeners: Callable[..., Listeners],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("TEAM_CHAT", "nowhere://hush-hush")
    webhook = {"url": "http://127.0.0.1:1/{sentence}", "body": {}}
    told = listeners(Notify.model_validate({"messages": [{"to": "TEAM_CHAT"}], "webhooks": [webhook]}))
    about = {"rollout": "3f9c2a", "service": "shop", "image": "r/shop@sha256:1", "steps": [100], "who": "ana@laptop"}
    told.tell(RolloutBegan(at=1.0, target="memory", **about))
    told.tell(RolloutEnded(at=2.0, outcome="rolled back", sentence="the pod said nowhere://hush-hush", exit_code=1))
    told.close()
    screen, journal = capsys.readouterr(), (tmp_path / "journal.jsonl").read_text()
    for text in (screen.out, journal):
        assert "notify.messages[0] (TEAM_CHAT) was not told, the rollout goes on: TEAM_CHAT is no address" in text
        assert "notify.webhooks[0] was not told, the rollout goes on: 127.0.0.1:1 can not be reached" in text
        assert "hush" not in text
    assert "the pod said ***" in journal
    assert "01 UTC to 00:00:02, 1.0 s; to memory" in screen.out, "the rollout has not lasted until nobody was told"
    assert screen.err == ""
