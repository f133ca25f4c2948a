"""README's picture of the state machine is the table's."""

from pathlib import Path

import pytest

from ci.phases import ENDS, TABLE, Phase
from ci.picture import BEGIN, END, picture, redrawn

README = Path(__file__).parents[2] / "README.md"


def test_the_picture_in_the_readme_is_not_stale() -> None:
    text = README.read_text()
    assert redrawn(text) == text, "draw it anew: python -m ci.picture README.md"


def test_every_way_of_the_table_is_in_the_picture() -> None:
    drawn = picture()
    for before, results in TABLE.items():
        for result, after in results.items():
            ways = [line for line in drawn.splitlines() if f" {before.value.replace(' ', '_')} --> " in line]
            assert any(result.value in line for line in ways), (before, result, after)
    assert all(f"{end.value.replace(' ', '_')} --> [*]" in drawn for end in ENDS)


def test_a_change_of_the_table_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before = picture()
    ways = {phase: dict(results) for phase, results in TABLE.items()}
    ways[Phase.STEP].popitem()
    monkeypatch.setattr("ci.picture.TABLE", ways)
    assert picture() != before


def test_only_what_stands_between_the_marks_is_changed() -> None:
    assert redrawn(f"a\n{BEGIN}\nold\n{END}\nb\n") == f"a\n{BEGIN}\n{picture()}\n{END}\nb\n"
    with pytest.raises(ValueError, match="no place for the picture"):
        redrawn("a\nb\n")
