import unicodedata
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from ci.events import Event, Progress, SuiteReady
from ci.reporters.strings import harmless, mapped, readable


@given(st.text() | st.text(alphabet="\x00\x07\x1b\x9b\x7f[]2J\n\r\t\u202e\u2066\u200e\ud800m;A"))
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    clean = harmless(text)
    assert not [sign for sign in clean if unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not set(clean) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u061c\u200e\u200f")
    clean.encode("utf-8")


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"])))
def test_words_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


def test_controls_are_spelled_out_so_that_one_sees_that_they_were_there() -> None:
    assert harmless("a\x1b[31mred\x9b2J\nnext\r\n") == "a\\x1b[31mred\\x9b2J next "
    assert harmless("\u202eabc") == "\\u202eabc"


def test_digests_are_shown_as_far_as_people_compare_them() -> None:
    assert readable("runs app@sha256:" + "1f0c" * 16 + "\n.") == "runs app@sha256:1f0c1f0c1f0c ."
    assert readable("sha256:1f0c9e7a2b4d") == "sha256:1f0c9e7a2b4d"


def test_every_text_of_an_event_is_changed_however_deep() -> None:
    event = Progress(at=1.0, step=5, gates={"pods": {"sentence": "ok", "evidence": 2, "list": ["x", ("y",)]}})
    changed = mapped(event, str.upper)
    assert changed.gates == {"PODS": {"SENTENCE": "OK", "EVIDENCE": 2, "LIST": ["X", ["Y"]]}}
    assert (changed.at, changed.step) == (1.0, 5)


def test_an_event_keeps_its_kind_and_its_numbers(promoted: list[Event]) -> None:
    for event in promoted:
        assert mapped(event, lambda text: text) == event
    ready = next(event for event in promoted if isinstance(event, SuiteReady))
    assert {field.name for field in fields(mapped(ready, str.upper))} == {field.name for field in fields(ready)}
