"""What a dead driver has left is read from all of a release's VirtualServices, and written to files again."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from checks.evidence import Weights
from checks.restored import Snapshot
from ci.left import before_of, job_of, left_by, release_of, text_of
from ci.phases import Phase
from ci.record import Record
from ci.traffic import Seen
from fixtures.errors import PersonNeeded
from fixtures.release import Links, load_release
from fixtures.snapshot import load
from fixtures.target import Target

EXAMPLE = Path(__file__).parents[2] / "examples" / "rebate-core" / "release.yaml"
RECORD = Record(rollout="3f9c2a", phase=Phase.STEP, step=25, who="ci@jenkins-7", image="shop@sha256:2")


def seen(record: Record | None, name: str = "shop") -> Seen:
    annotations = {key: value for key, value in (record.annotations() if record else {}).items() if value is not None}
    return Seen({"metadata": {"name": name, "annotations": annotations}}, frozenset())


def test_without_a_record_nothing_is_left() -> None:
    assert left_by([seen(None), seen(None, "mesh")]) is None


def test_one_record_of_two_virtual_services_is_enough() -> None:
    assert left_by([seen(None), seen(RECORD, "mesh")]) == RECORD


@pytest.mark.parametrize("carries", [Phase.PROMOTE, Phase.RESTORE])
def test_the_one_that_says_that_stable_may_be_half_rolled_is_believed(carries: Phase) -> None:
    promote = replace(RECORD, phase=carries, step=0)
    served = replace(RECORD, phase=Phase.SERVE, step=0)
    assert left_by([seen(served), seen(promote, "mesh")]) == promote


def test_commits_of_all_count() -> None:
    one, other = replace(RECORD, commits={"canary": "c1", "stable": "c2"}), replace(RECORD, commits={"canary": "c1"})
    for order in ([one, other], [other, one]):
        left = left_by([seen(record, str(place)) for place, record in enumerate(order)])
        assert left is not None
        assert left.commits == one.commits


def test_two_rollouts_at_once_are_left_to_a_person() -> None:
    with pytest.raises(PersonNeeded, match="two rollouts at once: 3f9c2a, 77aa01"):
        left_by([seen(RECORD), seen(replace(RECORD, rollout="77aa01"), "mesh")])


def test_the_release_file_survives_in_the_record_without_its_own_gates(tmp_path: Path) -> None:
    record = replace(RECORD, release=text_of(EXAMPLE))
    release, file = release_of(record, tmp_path / "not there.yaml", tmp_path)
    assert release == load_release(EXAMPLE).model_copy(update={"gates": ()})
    assert load_release(file) == release
    assert "gates" not in json.loads(record.release)


def test_a_record_of_before_that_relies_on_the_file_of_today(tmp_path: Path) -> None:
    assert release_of(RECORD, EXAMPLE, tmp_path) == (load_release(EXAMPLE), EXAMPLE)


def test_the_snapshot_of_before_is_a_file_again(tmp_path: Path) -> None:
    assert before_of(RECORD, tmp_path) is None
    text = (
        '{"weights":{"stable":100.0,"canary":0.0},"routed":0.0,"specs":{"shop":"1f"},"images":{"shop":"shop@1"},'
        '"replicas":{"shop":4},"tree":"77"}'
    )
    file = before_of(replace(RECORD, before=text), tmp_path)
    assert file is not None
    assert load(file) == Snapshot(Weights(100, 0), 0.0, {"shop": "1f"}, {"shop": "shop@1"}, {"shop": 4}, "77")


def test_the_job_is_that_of_the_dead_driver_with_another_who(tmp_path: Path) -> None:
    page = "https://argocd.example.com/applications/argocd/shop"
    release = load_release(EXAMPLE).model_copy(update={"links": Links(application=page)})
    target = Target("sandbox", access_log=tmp_path / "access.log")
    job = job_of(RECORD, release, EXAMPLE, target, who="ana@laptop", reports=tmp_path)
    assert (job.rollout, job.image, job.who) == ("3f9c2a", "shop@sha256:2", "ana@laptop")
    assert job.access_log == target.access_log
    assert job.links == {"application": page}
