"""Rollouts that were recorded on the sandbox, look by look, and a page to read in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ci.events import Event
from ci.reporters.journal import Journal, read
from ci.reporters.report.reporter import draw

RECORDED = Path(__file__).parent / "recorded"
VOID = {"meta", "link", "wbr", "br", "img"}


@dataclass
class Element:
    """One element of a page."""

    tag: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        words = (each if isinstance(each, str) else each.text for each in self.children)
        return " ".join("".join(words).replace("\u00a0", " ").split())

    def all(self, *tags: str) -> list["Element"]:
        """Every element below with one of these tags, in order."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                found += [child] if not tags or child.tag in tags else []
                found += child.all(*tags)
        return found

    def of(self, tag: str, name: str) -> list["Element"]:
        """Every element below with this tag and this class."""
        return [each for each in self.all(tag) if name in each.attributes.get("class", "").split()]

    def id(self, name: str) -> "Element":
        """The element with this id."""
        [found] = [each for each in self.all() if each.attributes.get("id") == name]
        return found


class _Reader(HTMLParser):
    """Makes elements of a page; one that is not closed is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parsed(text: str) -> Element:
    """Read a page."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    [root] = reader.open
    return root


@pytest.fixture(scope="session")
def promotion() -> list[Event]:
    """A good image went up to 100 % and into stable."""
    return list(read(RECORDED / "promotion.jsonl"))


@pytest.fixture(scope="session")
def rollback() -> list[Event]:
    """A bad image was taken back at the first step."""
    return list(read(RECORDED / "rollback.jsonl"))


@pytest.fixture
def drawn(tmp_path: Path) -> Callable[[Sequence[Event]], Path]:
    """Draws the report of some events; gives its folder."""

    def draw_them(events: Sequence[Event]) -> Path:
        (tmp_path / "reports" / "journal.jsonl").unlink(missing_ok=True)
        journal = Journal(tmp_path / "reports" / "journal.jsonl")
        for event in events:
            journal.tell(event)
        journal.close()
        return draw(journal.path, tmp_path / "reports" / "report").parent

    return draw_them


@pytest.fixture
def page(drawn: Callable[[Sequence[Event]], Path]) -> Callable[[Sequence[Event]], Element]:
    """Draws the report of some events; gives its page as elements."""
    return lambda events: parsed((drawn(events) / "index.html").read_text(encoding="utf-8"))
