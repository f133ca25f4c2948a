"""What is around a release: whatever is not as before is named."""

from pathlib import Path
from typing import Any

from benchmarks.robustness.around import Around, Tail, requests

ROUTE = "outbound|80|canary|shop.production.svc.cluster.local"


def deployment(image: str, replicas: int = 1) -> dict[str, Any]:
    spec = {"replicas": replicas, "template": {"spec": {"containers": [{"name": "app", "image": image}]}}}
    return {"spec": spec, "record": {}}


def around(**changes: Any) -> Around:
    service = {"spec": {"http": [{"route": [{"weight": 100}, {"weight": 0}]}]}, "record": {}}
    objects = {"Deployment shop": deployment("old"), "Deployment shop-canary": deployment("old")}
    return Around({**objects, "VirtualService shop": service, **changes}, "4b825dc")


def test_what_is_as_before_has_no_difference() -> None:
    assert list(around().differences(around())) == []


def test_a_weight_a_record_a_replica_and_an_object_that_is_gone_are_seen() -> None:
    weight = {"spec": {"http": [{"route": [{"weight": 75}, {"weight": 25}]}]}, "record": {}}
    record = {"spec": around().objects["VirtualService shop"]["spec"], "record": {"sluicegate.dev/rollout": "3f9c2a"}}
    for name, other in (
        ("VirtualService shop", weight),
        ("VirtualService shop", record),
        ("Deployment shop-canary", deployment("old", replicas=2)),
        ("Deployment shop-canary", deployment("new")),
        ("Deployment shop", None),
    ):
        [found] = around().differences(around(**{name: other}))
        assert found.startswith(f"{name} is not as before")


def test_another_tree_in_git_is_seen() -> None:
    [found] = around().differences(Around(around().objects, "e69de29"))
    assert found == "the GitOps folder is not as before"


def test_with_another_image_only_the_deployments_differ() -> None:
    new = around().with_image("new", "e69de29")
    assert (around().images, new.images) == ({"old"}, {"new"})
    assert new.objects["VirtualService shop"] == around().objects["VirtualService shop"]


def test_the_log_is_read_on_from_where_it_was_and_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(f"1.0 {ROUTE} canary-1 200 - 3\n")
    tail = Tail(path)
    with path.open("a") as log:
        log.write(f"2.0 {ROUTE} canary-1 503 UF 3\n3.0 {ROUTE} can")
        log.flush()
        [seen] = requests(tail.lines()).values()
        log.write("ary-1 200 - 3\n")
        log.flush()
        [rest] = requests(tail.lines()).values()
    assert (seen.start, seen.code, rest.start) == (2.0, 503, 3.0)
    tail.close()
