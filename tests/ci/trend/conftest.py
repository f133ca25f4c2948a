from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ci.trend.journals import KINDS, MONDAY, retold, write


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes the journal of a made rollout into a build's folder; gives the file."""

    def make(kind: str, began: float = MONDAY, stretch: float = 1.0, service: str = "rebate-core") -> Path:
        name = f"{service}-{began:.0f}"
        return write(tmp_path / "builds" / name, retold(KINDS[kind], name, began, stretch, service))

    return make
