"""What a service's GitOps folder has today: one Deployment, the Service in front of it, its Argo CD Application.

Nothing is guessed: what is not there once, and only once, is asked for by name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import Node

from fixtures.errors import InputError
from fixtures.yaml_splice import at, documents, said

Labels = dict[str, str]


@dataclass(frozen=True)
class Document:
    """One YAML document in a file of the checkout.

    Attributes:
        file: its path in the checkout.
        text: of the whole file.
        place: of the document among those of the file.
    """

    file: Path
    text: str
    place: int

    @property
    def node(self) -> Node:
        """The document's root, which knows where it stands."""
        return documents(self.text)[self.place]

    @property
    def kind(self) -> str:
        """Its kind."""
        return said(at(self.node, "kind"))

    @property
    def name(self) -> str:
        """Its name."""
        return said(at(self.node, "metadata", "name"))

    def labels(self, *path: str) -> Labels:
        """Give the labels at a path."""
        mappings = [each.value for each in at(self.node, *path) if isinstance(each.value, list)]
        return {str(key.value): str(value.value) for pairs in mappings for key, value in pairs}

    def __str__(self) -> str:
        """Name it and where it stands."""
        return f"{self.kind} {self.name} ({self.file}:{self.node.start_mark.line + 1})"


@dataclass(frozen=True)
class Found:
    """What there is.

    Attributes:
        root: of the checkout.
        deployment: the service's only one.
        service: that selects its pods.
        application: that syncs the folder; None when it is not in the checkout.
    """

    root: Path
    deployment: Document
    service: Document
    application: Document | None


def look(root: Path, path: str) -> Found:
    """Read a checkout.

    Args:
        root: of the checkout.
        path: the service's folder in it.

    Raises:
        InputError: when there is not exactly one Deployment with a Service in front, or a second version is there.
    """
    folder = root / path
    if not folder.is_dir():
        raise InputError("there is no such folder", str(folder), "name a checkout, and with --path the folder in it")
    there = list(_documents(root, sorted(folder.rglob("*.y*ml"))))
    deployment = _only("Deployment", there, folder, "init begins where there is one Deployment and no canary yet")
    pods = deployment.labels("spec", "template", "metadata", "labels")
    services = [each for each in there if each.kind == "Service" and _selects(each, pods)]
    service = _only("Service", services, folder, "leave one Service that selects the Deployment's pods")
    applications = [
        each
        for each in _documents(root, sorted(root.rglob("*.y*ml")))
        if each.kind == "Application" and said(at(each.node, "spec", "source", "path")).strip("/") == path.strip("/")
    ]
    return Found(root, deployment, service, applications[0] if applications else None)


def _selects(service: Document, pods: Labels) -> bool:
    wanted = service.labels("spec", "selector")
    return bool(wanted) and wanted.items() <= pods.items()


def _only(kind: str, documents: Sequence[Document], folder: Path, remedy: str) -> Document:
    found = [each for each in documents if each.kind == kind]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(map(str, found)) or "none"
    raise InputError(f"there has to be one {kind} here, and there is {listed}", str(folder), remedy)


def _documents(root: Path, files: Sequence[Path]) -> Iterator[Document]:
    for path in files:
        text = path.read_text(encoding="utf-8")
        try:
            count = len(documents(text))
        except YAMLError as error:
            raise InputError(f"this is no plain YAML: {' '.join(str(error).split())[:200]}", str(path)) from error
        yield from (Document(path.relative_to(root), text, place) for place in range(count))


def value_of(document: Document) -> dict[str, Any]:
    """Give a document as values."""
    found: list[dict[str, Any]] = [
        each for each in YAML(typ="safe", pure=True).load_all(document.text) if each is not None
    ]
    return found[document.place]
