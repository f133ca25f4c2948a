"""docs/story.md has a row for each thing that the story tells, and every test that it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "story.md").read_text()
ROWS = dict(re.findall(r"^\| (S\d+) \|(.*)\|$", PAGE, re.MULTILINE))
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def test_no_row_of_the_story_is_missing() -> None:
    assert list(ROWS) == [f"S{number}" for number in range(1, 14)]


@pytest.mark.parametrize("text", [*ROWS.values(), PAGE.rpartition("\n|")[2]], ids=[*ROWS, "headline"])
def test_each_row_names_tests_that_are_there(text: str) -> None:
    named = NAMED.findall(text)
    assert named
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text() if test else (ROOT / file).exists(), f"{file}::{test}"
