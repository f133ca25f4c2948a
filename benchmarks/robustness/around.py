"""What is around a release: all that a rollout taken back must leave as it was, read past the faulty way.

Nothing here is the driver's own: what it says of itself is no evidence.
"""

import copy
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures.access_log import Entry, entry
from fixtures.cluster import (
    APPLICATIONS,
    DEPLOYMENTS,
    DESTINATION_RULES,
    GATEWAYS,
    HPAS,
    SERVICES,
    VIRTUAL_SERVICES,
    Cluster,
)
from fixtures.release import Release

KINDS = (APPLICATIONS, DEPLOYMENTS, DESTINATION_RULES, GATEWAYS, HPAS, SERVICES, VIRTUAL_SERVICES)
SECRETLY = "sluicegate.dev/"  # annotations of ours


@dataclass(frozen=True)
class Around:
    """What was there at a moment.

    Attributes:
        objects: the spec, and the rollout's record if there is one, of every object around the release.
        folder: Git's own hash of all that stands in the release's folder.
    """

    objects: dict[str, Any]
    folder: str

    @property
    def images(self) -> set[str]:
        """The images that the Deployments ask for."""
        specs = [each["spec"] for name, each in self.objects.items() if name.startswith("Deployment")]
        return {spec["template"]["spec"]["containers"][0]["image"] for spec in specs}

    def with_image(self, image: str, folder: str) -> "Around":
        """Give the same with another image in all Deployments."""
        objects = copy.deepcopy(self.objects)
        for name, each in objects.items():
            if name.startswith("Deployment"):
                each["spec"]["template"]["spec"]["containers"][0]["image"] = image
        return Around(objects, folder)

    def differences(self, other: "Around") -> Iterator[str]:
        """Name what is not as it is in the other."""
        for name in sorted(self.objects.keys() | other.objects.keys()):
            if self.objects.get(name) != other.objects.get(name):
                yield f"{name} is not as before: {json.dumps(other.objects.get(name))[:400]}"
        if self.folder != other.folder:
            yield "the GitOps folder is not as before"


def look(cluster: Cluster, release: Release, repository: Path) -> Around:
    """Look around.

    Args:
        cluster: to be asked.
        release: whose surroundings they are.
        repository: the bare GitOps repository.
    """
    objects = {
        f"{kind.kind} {each['metadata']['name']}": _kept(each) for kind in KINDS for each in cluster.list(kind, "")
    }
    words = ["git", "-C", str(repository), "rev-parse", f"{release.gitops.branch}:{release.gitops.path}"]
    return Around(objects, subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip())


def _kept(body: dict[str, Any]) -> dict[str, Any]:
    annotations = body["metadata"].get("annotations") or {}
    record = {key: value for key, value in annotations.items() if key.startswith(SECRETLY)}
    return {"spec": body["spec"], "record": record}


class Tail:
    """A file that grows: gives what has come since the last look.

    Args:
        path: of the file; what is in it already is passed over.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open(encoding="utf-8")
        self._file.seek(0, 2)
        self._half = ""

    def lines(self) -> list[str]:
        """Give the whole lines that are new."""
        *lines, self._half = (self._half + self._file.read()).split("\n")
        return lines

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def requests(lines: list[str]) -> dict[str, Entry]:
    """Read lines of Envoy's log; give each request by its line."""
    return {line: found for line in lines if (found := entry(line))}
