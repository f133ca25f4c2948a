"""What the doctor asks for: every right that a release uses, in the words of the API server."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checks.verdict import Outcome, Proof, failed, passed
from ci.doctor.examine import Examined
from ci.doctor.places import cluster_rights, gates_only_read
from ci.doctor.rights import Right, granted, of_driver, of_gates
from fixtures.cluster import DEPLOYMENTS, VIRTUAL_SERVICES
from fixtures.release import HoldStable, Release, load_release
from fixtures.subject import Subject
from fixtures.target import Target

RELEASE = load_release(Path(__file__).parents[2] / "examples" / "rebate-core" / "release.yaml")


class Reviewer:
    """An API server that grants all but some rights."""

    def __init__(self, *refused: str) -> None:
        self.refused, self.asked = refused, list[dict[str, Any]]()

    def create(self, resource: Any, namespace: str, body: dict[str, Any]) -> dict[str, Any]:
        wanted = body["spec"]["resourceAttributes"]
        self.asked.append(wanted)
        kind = "/".join(wanted[key] for key in ("resource", "subresource") if wanted.get(key))
        return {"status": {"allowed": f"{wanted['verb']} {kind}" not in self.refused}}


def subject(monkeypatch: pytest.MonkeyPatch, driver: Reviewer, gates: Reviewer) -> Subject:
    monkeypatch.setattr(Target, "cluster", lambda self: driver)
    monkeypatch.setattr(Target, "gates_cluster", lambda self: gates)
    return Subject(RELEASE, Target("somewhere"), 5)


def rights(release: Release) -> set[str]:
    return {str(each) for each in of_driver(release)}


def test_a_right_is_asked_for_as_kubernetes_reviews_it() -> None:
    reviewer: Any = Reviewer()
    assert granted(reviewer, Right("patch", DEPLOYMENTS, "production", "shop-canary", "scale"))
    [asked] = reviewer.asked
    assert asked == {
        "verb": "patch",
        "group": "apps",
        "resource": "deployments",
        "subresource": "scale",
        "namespace": "production",
        "name": "shop-canary",
    }


def test_only_what_the_release_file_wants_is_asked_for() -> None:
    assert "patch deployments/scale production/rebate-core-canary" in rights(RELEASE)
    assert not any("horizontalpodautoscalers" in each for each in rights(RELEASE))
    held = RELEASE.model_copy(update={"hold_stable": HoldStable.MIN_REPLICAS})
    assert "patch horizontalpodautoscalers production/rebate-core" in rights(held)


def test_the_gates_only_read() -> None:
    assert {each.verb for each in of_gates(RELEASE)} == {"get", "list"}


def test_what_is_refused_is_named_for_each_account(monkeypatch: pytest.MonkeyPatch) -> None:
    driver, gates = Reviewer("patch virtualservices"), Reviewer("list pods")
    said = list(cluster_rights(subject(monkeypatch, driver, gates)))
    assert [each.outcome for each in said] == [Outcome.FAIL, Outcome.FAIL]
    assert said[0].sentence == f"the driver may not {Right('patch', VIRTUAL_SERVICES, 'production', 'rebate-core')}"
    assert said[1].sentence == "the gates may not list pods production"


def test_gates_that_could_write_are_no_mistake_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    [said] = gates_only_read(subject(monkeypatch, Reviewer(), Reviewer()))
    assert said.outcome is Outcome.INCONCLUSIVE
    assert "the gates' account may patch virtualservices production/rebate-core" in said.sentence
    writes = [f"{each.verb} {each.resource.plural}" for each in of_driver(RELEASE)]
    [said] = gates_only_read(subject(monkeypatch, Reviewer(), Reviewer(*writes, "patch deployments/scale")))
    assert said.outcome is Outcome.PASS


def test_what_to_do_is_said_only_where_something_is_to_be_done() -> None:
    good = Examined("git", passed("Git has it", Proof(1)), "look at git")
    assert list(good.lines()) == ["PASS          git         Git has it"]
    bad = replace(good, verdict=failed("Git has it not"))
    assert list(bad.lines()) == ["FAIL          git         Git has it not", "              do: look at git"]
    assert (good.as_json()["remedy"], bad.as_json()["remedy"]) == ("", "look at git")
