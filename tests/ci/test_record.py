"""The record survives the way through annotations, and never touches what people have said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.phases import Phase
from ci.record import KEYS, PREFIX, PURGED, SAID, Record, as_utc, from_utc
from fixtures.errors import ClusterRefused

words = st.text("abcdef0123456789@.-/ ", max_size=20)
records = st.builds(
    Record,
    rollout=words.filter(bool),
    phase=st.sampled_from(Phase),
    image=words,
    step=st.integers(0, 100),
    who=words,
    began=words,
    since=words,
    commits=st.dictionaries(
        st.sampled_from(["canary", "stable"]), st.text("0123456789abcdef", min_size=7, max_size=40)
    ),
    before_replicas=st.integers(0, 50),
    before=words,
    release=words,
    before_min=words,
    despite=words,
    held=words,
)


@given(records)
def test_what_is_written_can_be_read(record: Record) -> None:
    assert Record.read(record.annotations()) == record


@given(records)
def test_writing_never_touches_what_people_have_said(record: Record) -> None:
    assert not {KEYS[name] for name in SAID} & set(record.annotations())


def test_purging_names_every_key_and_nobody_elses() -> None:
    ours = Record(rollout="x", phase=Phase.STEP).annotations()
    assert set(PURGED) == set(KEYS.values()) == {*ours, *(KEYS[name] for name in SAID)}
    assert all(key.startswith(PREFIX) for key in PURGED)


def test_without_a_rollout_there_is_no_record() -> None:
    assert Record.read({"kubectl.kubernetes.io/last-applied-configuration": "{}", KEYS["phase"]: "step"}) is None


@pytest.mark.parametrize(
    "broken", [{"phase": "dancing"}, {}, {"phase": "step", "step": "much"}, {"phase": "step", "commits": "4b82"}]
)
def test_an_edited_record_is_refused_with_what_to_do(broken: dict[str, str]) -> None:
    annotations = {KEYS["rollout"]: "3f9c2a"} | {KEYS[name]: value for name, value in broken.items()}
    with pytest.raises(ClusterRefused, match="set the weights by hand"):
        Record.read(annotations)


def test_a_moment_is_written_for_people_anywhere() -> None:
    assert as_utc(1_700_000_000.9) == "2023-11-14T22:13:20Z"
    assert from_utc("2023-11-14T22:13:20Z") == 1_700_000_000
    assert [from_utc(text) for text in ("", "yesterday")] == [None, None]
