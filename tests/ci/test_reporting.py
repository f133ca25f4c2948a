"""Who listens to a rollout, and what stands on the screen: a live view for one, named lines for several."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ci.events import Note
from ci.reporting import JsonLines, Listeners
from ci.state import Job
from fixtures.release import load_release

EXAMPLE = Path(__file__).parents[2] / "examples" / "rebate-core" / "release.yaml"


@dataclass(frozen=True)
class Place:
    in_memory: Any

    def cluster(self) -> Any:
        return self.in_memory


@pytest.fixture
def listeners(cluster: Any, tmp_path: Path) -> Callable[..., Listeners]:
    def make(**how: Any) -> Listeners:
        about = {"rollout": "3f9c2a", "image": "r/shop@sha256:1", "target": "memory", "who": "ana@laptop"}
        job = Job(release=load_release(EXAMPLE), file=EXAMPLE, reports=tmp_path, **about)
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
