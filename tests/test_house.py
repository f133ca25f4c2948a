"""The house's own measures: short functions, small files, one place for each library."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("checks", "fixtures", "scenarios", "ci")
LONGEST_FUNCTION, MEAN_FUNCTION, LONGEST_FILE = 60, 12, 500
ONE_PLACE = {
    "kubernetes": "fixtures/cluster.py",
    "prometheus_api_client": "fixtures/prometheus.py",
    "jsonpatch": "fixtures/sandbox/kinds/patches.py",
    "jinja2": "ci/reporters/report/page.py",
    "apprise": "ci/reporters/notify/people.py",
}


def sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Give every function's name and length, docstring apart."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            has_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            text = first.end_lineno - first.lineno + 1 if has_text else 0
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1 - text


def test_no_function_is_longer_than_a_screen_and_most_are_short() -> None:
    lengths = dict(each for path in sources() for each in functions(path))
    too_long = {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION}
    assert not too_long
    assert mean(lengths.values()) <= MEAN_FUNCTION


def test_no_file_is_longer_than_one_idea() -> None:
    files = sources() + sorted((ROOT / "tests").rglob("*.py"))
    lengths = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in files}
    too_long = {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE}
    assert not too_long


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("library", ONE_PLACE)
def test_a_client_library_is_imported_in_one_module_only(library: str) -> None:
    users = [str(path.relative_to(ROOT)) for path in sources() if library in imported(path)]
    assert users == [ONE_PLACE[library]]
