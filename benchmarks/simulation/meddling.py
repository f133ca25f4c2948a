"""What people and others do to a release while it is on its way."""

from collections.abc import Callable

from benchmarks.simulation.outside import CANARY, STABLE
from benchmarks.simulation.repository import Git
from benchmarks.simulation.store import Object, Store
from fixtures.cluster import DEPLOYMENTS, VIRTUAL_SERVICES, NotFound

FOREIGN = "team/owner"


def meddle(what: str, store: Store, git: Git) -> bool:
    """Do it; say whether there was something to do it to."""
    deeds: dict[str, Callable[[], None]] = {
        "edit the VirtualService": lambda: store.change("people", VIRTUAL_SERVICES, STABLE, _edit),
        "edit the weights": lambda: store.change("people", VIRTUAL_SERVICES, STABLE, _weights),
        "remove the record": lambda: store.change("people", VIRTUAL_SERVICES, STABLE, _purge),
        "shrink stable": lambda: store.change("people", DEPLOYMENTS, STABLE, lambda b: b["spec"].update(replicas=3)),
        "commit elsewhere": lambda: git.others({"README": f"theirs {len(git.commits)}"}),
        "commit in the path": lambda: git.others({"config": f"theirs {len(git.commits)}"}),
        "delete the canary": lambda: store.delete("people", DEPLOYMENTS, CANARY),
    }
    try:
        deeds[what]()
    except NotFound:
        return False
    return True


def _edit(body: Object) -> None:
    body["spec"]["http"][0]["timeout"] = "7s"
    body["metadata"].setdefault("annotations", {})[FOREIGN] = "payments"


def _weights(body: Object) -> None:
    for entry, weight in zip(body["spec"]["http"][0]["route"], (50, 50), strict=True):
        entry["weight"] = weight


def _purge(body: Object) -> None:
    kept = {key: value for key, value in body["metadata"].get("annotations", {}).items() if key == FOREIGN}
    body["metadata"]["annotations"] = kept
