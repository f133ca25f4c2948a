"""Recorded rollouts, and a way to see what a screen shows."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from ci.events import Event
from ci.reporters.journal import read

RECORDED = Path(__file__).parent / "recorded"
Drawn = Callable[..., str]


@pytest.fixture(scope="session")
def promoted() -> list[Event]:
    return list(read(RECORDED / "promoted.jsonl"))


@pytest.fixture(scope="session")
def rolled_back() -> list[Event]:
    return list(read(RECORDED / "rolled_back.jsonl"))


@pytest.fixture(scope="session")
def drawn() -> Drawn:
    """Draws on a terminal that exists in memory only; gives every character sent to it."""

    def draw(picture: RenderableType, width: int = 80, height: int = 24, *, colour: bool = False) -> str:
        stream = io.StringIO()
        environ = {} if colour else {"NO_COLOR": "1"}
        Console(
            file=stream,
            width=width,
            height=height,
            force_terminal=colour,
            color_system="standard" if colour else None,
            highlight=False,
            _environ=environ,
        ).print(picture)
        return stream.getvalue()

    return draw
