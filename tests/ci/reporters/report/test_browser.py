"""The pages in a real browser, under the content policy that Jenkins serves archived pages with.

Needs Chromium (``apt-get install chromium``, or ``CHROMIUM=/path``); accessibility also needs axe-core (``pip install
axe-core-python``, or ``AXE=/path/axe.min.js``). What is missing is said in the reason of the skip.
"""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from ci.events import Event, RollbackMeasured
from ci.reporters.journal import JOURNAL
from ci.trend.collect import collected
from ci.trend.page import write as page
from tests.ci.trend.journals import HOUR, KINDS, MONDAY, retold, write

JENKINS = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self'"
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--enable-logging=stderr", "--log-level=0"),
)
LIGHT, DARK = 1, 0  # as Chromium counts them
PATIENCE = 60  # seconds

Drawn = Callable[[Sequence[Event]], Path]


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder as Jenkins does, and remembers what was asked for."""

    policy = JENKINS

    def end_headers(self) -> None:
        if self.policy:
            self.send_header("Content-Security-Policy", self.policy)
        super().end_headers()

    def log_message(self, _format: str, *words: object) -> None:
        self.server.asked.append((str(words[0]).split()[1], str(words[1])))


class Server(ThreadingHTTPServer):
    def __init__(self, folder: Path, policy: str) -> None:
        self.asked: list[tuple[str, str]] = []
        handler = type("Policed", (Handler,), {"policy": policy})
        super().__init__(("127.0.0.1", 0), partial(handler, directory=str(folder)))


@dataclass
class Browser:
    """What a browser makes of a folder's page."""

    program: str
    profile: Path
    complaints: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def visit(self, folder: Path, *flags: str, policy: str = JENKINS, page: str = "index.html") -> str:
        """Show a page; gives the document as it stands then."""
        server = Server(folder, policy)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            where = f"http://127.0.0.1:{server.server_address[1]}/{page}"
            words = [self.program, *FLAGS, f"--user-data-dir={self.profile}", *flags, where]
            done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=True)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
        self.complaints = re.findall(r"CONSOLE.*", done.stderr)
        self.asked = server.asked
        return done.stdout


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("NOT SEEN IN A BROWSER: there is no Chromium here (apt-get install chromium, or CHROMIUM=/path)")
    return Browser(program, tmp_path / "profile")


@pytest.fixture
def axe() -> str:
    spec = find_spec("axe_core_python")
    package = [Path(folder) / "axe.min.js" for folder in spec.submodule_search_locations or ()] if spec else []
    found = [Path(os.environ["AXE"])] if "AXE" in os.environ else package
    if not found:
        pytest.skip("ACCESSIBILITY NOT CHECKED: there is no axe-core here (pip install axe-core-python, or AXE=/path)")
    return found[0].read_text(encoding="utf-8")


@pytest.fixture(params=["promotion", "rollback", "rollback without a log", "trend"])
def folder(request: pytest.FixtureRequest, drawn: Drawn, tmp_path: Path) -> Path:
    if request.param == "trend":
        for number, kind in enumerate([*KINDS, *KINDS] * 5):
            write(tmp_path / str(number), retold(KINDS[kind], f"{number:06x}", MONDAY + number * HOUR))
        (tmp_path / JOURNAL).touch()
        return page(collected([tmp_path]), tmp_path / "trend").parent
    name, without, _ = request.param.partition(" without a log")
    events = request.getfixturevalue(name)
    return drawn([event for event in events if not (without and isinstance(event, RollbackMeasured))])


def test_the_browser_has_nothing_to_complain_of_under_jenkins_policy(browser: Browser, folder: Path) -> None:
    assert "<h1>" in browser.visit(folder, "--dump-dom")
    assert browser.complaints == []
    assert ("/report.css", "200") in browser.asked
    assert {(path, status) for path, status in browser.asked if status != "200"} == set()


@pytest.mark.parametrize("width", [360, 3840])
def test_nothing_sticks_out_of_the_page(browser: Browser, folder: Path, width: int) -> None:
    script = "document.body.dataset.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth"
    page = (folder / "index.html").read_text(encoding="utf-8")
    # A window of Chromium is at least 500 wide: a frame is as narrow as a telephone.
    (folder / "inner.html").write_text(page.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    frame = f'<iframe src="inner.html" style="width: {width}px; height: 900px; border: 0"></iframe>'
    told = "document.body.dataset.wide = document.querySelector('iframe').contentDocument.body.dataset.wide"
    (folder / "outer.html").write_text(f'<body onload="{told}">{frame}</body>', encoding="utf-8")
    document = browser.visit(folder, "--dump-dom", "--virtual-time-budget=5000", policy="", page="outer.html")
    assert re.findall(r'data-wide="([^"]*)"', document) == ["0"]


def test_a_page_that_breaks_the_policy_would_be_noticed(browser: Browser, folder: Path) -> None:
    page = folder / "index.html"
    page.write_text(page.read_text(encoding="utf-8").replace("<h1>", '<h1 style="color: red">'), encoding="utf-8")
    browser.visit(folder, "--dump-dom")
    assert "violates the following Content Security Policy directive" in "".join(browser.complaints)


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_axe_finds_no_violation(browser: Browser, folder: Path, axe: str, scheme: int) -> None:
    script = (
        "axe.run().then(found => document.body.dataset.axe = found.violations.map(each => each.id).join() || 'none')"
    )
    page = (folder / "index.html").read_text(encoding="utf-8")
    (folder / "axe.js").write_text(axe, encoding="utf-8")
    with_axe = page.replace("</body>", f'<script src="axe.js"></script><script>{script}</script></body>')
    (folder / "axe.html").write_text(with_axe, encoding="utf-8")
    flags = ("--dump-dom", "--virtual-time-budget=30000", f"--blink-settings=preferredColorScheme={scheme}")
    document = browser.visit(folder, *flags, policy="", page="axe.html")
    assert re.findall(r'data-axe="([^"]*)"', document) == ["none"]
