"""Every test that docs/faults.md names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"([\w/]*test_\w+\.py)(?:::(test_\w+))?")


def test_each_row_names_a_test_that_is_there() -> None:
    files = {path: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
    named = NAMED.findall((ROOT / "docs" / "faults.md").read_text())
    assert len(named) > 40
    for file, test in named:
        texts = [text for path, text in files.items() if path.as_posix().endswith("/" + file)]
        assert any(f"def {test}" in text for text in texts), f"{file}::{test}"
