"""Writes the folder: index.html, report.css, icon.svg. No script, no inline style, nothing from elsewhere.

That is what Jenkins' default Content-Security-Policy lets a page have (``default-src 'none'; img-src 'self';
style-src 'self'``). The drawings stand in the page itself: only there do they follow the reader's light or dark, the
width of the window and the paper, and are their words found by a search.

Everything is escaped by the template engine; no text is ever marked as safe.
"""

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from checks.words import count, percent
from ci.reporters.figures import day, moment, seconds
from ci.reporters.report.answers import answered
from ci.reporters.report.axis import Tick, TimeAxis, time_axis
from ci.reporters.report.decisions_panel import decisions_panel
from ci.reporters.report.harm import Harm, harm
from ci.reporters.report.harm_panel import harm_panel, near
from ci.reporters.report.headline import headline, spoken
from ci.reporters.report.pages import pages
from ci.reporters.report.phases_panel import phases_panel
from ci.reporters.report.rate_panel import rate_panel
from ci.reporters.report.rates import rates
from ci.reporters.report.rollout import Rollout
from ci.reporters.report.shapes import Panel, Rule
from ci.reporters.report.weight_panel import weight_panel
from ci.reporters.sentences import COMMIT
from fixtures.errors import InputError

FILES = ("report.css", "icon.svg", "index.html")
SIGNS = {"promoted": "PASS", "rolled back": "FAIL", "incomplete": "FAIL", "refused": "FAIL"}
FILTERS = {
    "seconds": seconds,
    "moment": moment,
    "day": day,
    "percent": percent,
    "count": count,
    "spoken": spoken,
}
FIGURE = re.compile(r"(?<=\d) (?=\d{3}\b|%|(?:s|ms|min|points)\b)")


def write(rollout: Rollout, journal: Path, folder: Path) -> Path:
    """Write the report of a rollout.

    Args:
        rollout: what happened.
        journal: where its events stand; JUnit files and logs are looked for beside it.
        folder: for the report; made where it is missing.

    Returns:
        The page.

    Raises:
        InputError: when the folder can not be written.
    """
    put({name: name for name in FILES}, _known(rollout, journal, folder), folder)
    return folder / "index.html"


@cache
def templates() -> Environment:
    """Give the templates of all pages: everything is escaped, and what is missing is an error."""
    environment = Environment(
        loader=PackageLoader("ci.reporters.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS, typeset=typeset)
    return environment


def put(files: Mapping[str, str], known: Mapping[str, Any], folder: Path, option: str = "--out") -> None:
    """Write a page's files; none of them, where one can not be drawn.

    Args:
        files: name of each file, and its template.
        known: what the templates may use.
        folder: for them; made where it is missing.
        option: of the command line, by which another folder is named.

    Raises:
        InputError: when the folder can not be written.
    """
    drawn = {name: templates().get_template(template).render(known) for name, template in files.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in drawn.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        what = f"the report can not be written: {error.strerror}"
        raise InputError(what, str(folder), f"name another {option}") from error


def typeset(text: str) -> str:
    """Keep a figure and its unit on one line."""
    return FIGURE.sub("\u00a0", text)


def _known(rollout: Rollout, journal: Path, folder: Path) -> Mapping[str, Any]:
    """Give all that the templates may use."""
    stretches = [(part.began, part.began + part.took) for part in rollout.parts]
    time, found = time_axis(rollout.start, rollout.end, stretches), rates(rollout)
    hurt = harm(rollout)
    return {
        "rollout": rollout,
        "headline": headline(rollout),
        "verdict": SIGNS.get(rollout.outcome, "INCONCLUSIVE"),
        "ticks": time.ticks(),
        "shortened": [part for part in rollout.parts if time.shortened and part.began == time.shortened[0]],
        "verticals": _verticals(rollout, hurt, time),
        "panels": [
            phases_panel(rollout, time),
            *([weight_panel(rollout, hurt, time)] if rollout.weights else []),
            *(rate_panel(each, time) for each in found if each.curves),
            decisions_panel(rollout, hurt, time),
        ],
        "answered": answered(found),
        "terms": {run.part: run.terms for run in rollout.runs if run.terms},
        "harm": hurt,
        "near": _near(hurt) if hurt else None,
        "pages": pages(rollout),
        "digits": COMMIT,
        "files": _files(rollout, journal, folder),
    }


def _verticals(rollout: Rollout, hurt: Harm | None, time: TimeAxis) -> list[Rule]:
    """Give what is drawn through all panels: where phases begin, the first bad answer, and when traffic was taken."""
    begins = [Rule("phase", time.x(part.began)) for part in rollout.parts[1:]]
    bad = [Rule("hurting", time.x(hurt.stretch[0]))] if hurt and hurt.stretch else []
    back = [Rule("rollback", time.x(rollout.rollback.at))] if rollout.rollback else []
    return [*begins, *bad, *back]


def _near(hurt: Harm) -> tuple[Panel, list[Tick]]:
    time, ticks = near(hurt)
    return harm_panel(hurt, time), ticks


def _files(rollout: Rollout, journal: Path, folder: Path) -> list[tuple[str, str]]:
    """Give name and relative address of the files that are there, the journal first."""
    names = [journal.name, *(ending for name in rollout.files for ending in (name, Path(name).stem + ".log"))]
    there = [journal.parent / name for name in names if (journal.parent / name).is_file()]
    return [(file.name, quote(os.path.relpath(file, folder).replace(os.sep, "/"))) for file in there]
