"""Writes the trend: a page with its style sheet, as a rollout's report is one (ci/reporters/report/page.py)."""

import os
from pathlib import Path
from urllib.parse import quote

from ci.reporters.report.page import put
from ci.reporters.report.reporter import FOLDER
from ci.trend.findings import Trend
from ci.trend.finished import Finished
from ci.trend.keys import in_words, keys
from ci.trend.panels import DRAWN, drawings

FILES = {"index.html": "trend.html", "report.css": "report.css", "icon.svg": "icon.svg"}
SIGNS = {"promoted": "PASS", "rolled back": "FAIL", "incomplete": "FAIL"}


def write(found: Trend, folder: Path) -> Path:
    """Write the page.

    Args:
        found: what the journals say together.
        folder: for it; made where it is missing.

    Returns:
        The page.

    Raises:
        InputError: when the folder can not be written.
    """
    panels, ticks = drawings(found.rollouts, found.stairs) if found.rollouts else ([], [])
    known = {
        "found": found,
        "verdict": "INCONCLUSIVE",  # of the icon: many rollouts are neither good nor bad
        "panels": panels,
        "ticks": ticks,
        "keys": in_words(found.keys),
        "services": {name: keys(each) for name, each in found.services.items()},
        "newest": [(each, SIGNS.get(each.outcome, "INCONCLUSIVE"), _report(each, folder)) for each in _newest(found)],
        "drawn": DRAWN,
    }
    put(FILES, known, folder)
    return folder / "index.html"


def _newest(found: Trend) -> list[Finished]:
    return list(reversed(found.rollouts[-DRAWN:]))


def _report(each: Finished, folder: Path) -> str:
    """Give the relative address of a rollout's report; "" where it does not lie beside its journal any more."""
    page = each.journals[-1].parent / FOLDER / "index.html"
    return quote(os.path.relpath(page, folder).replace(os.sep, "/")) if page.is_file() else ""
