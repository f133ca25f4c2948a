"""The manifests of a release, parsed and frozen, where every value knows its line.

Rules look at *nodes*. A node that is not there has no value, no entries and no text, and still knows the nearest
line; so a rule reads as what it is about, and a manifest of any shape can not make it stumble.

Example:
    >>> deployment = Manifest("a.yaml", {"spec": {"replicas": 2}}, {(): 1, ("spec", "replicas"): 3})
    >>> deployment.root["spec", "replicas"].value, deployment.root["spec", "replicas"].where
    (2, 'a.yaml:3 spec.replicas')
    >>> deployment.root["spec", "template", "spec"].entries, deployment.root["spec", "template"].where
    ((), 'a.yaml:1 spec.template')
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Again:
    """A key that its mapping has already: the path, its line, and the line where it stood first."""

    path: KeyPath
    line: int
    first: int


@dataclass(frozen=True)
class Manifest:
    """One object.

    Attributes:
        file: where it was read, as people find it again: a path, or the object's name in the cluster.
        body: the object, as Kubernetes reads it.
        lines: per key path, the line where the key or entry stands; none for an object of the cluster.
        plain: per key path, what is written there without quotes.
        again: keys that stand twice.
        synced: whether it lies in the folder that Argo CD syncs.
    """

    file: str
    body: Mapping[str, Any]
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    plain: Mapping[KeyPath, str] = field(default_factory=dict)
    again: tuple[Again, ...] = ()
    synced: bool = False

    @property
    def root(self) -> "Node":
        """The whole object."""
        return Node(self, (), self.body)

    @property
    def kind(self) -> str:
        """Such as ``Deployment``."""
        return self.root["kind"].text

    @property
    def name(self) -> str:
        """Its name in its namespace."""
        return self.root["metadata", "name"].text

    @property
    def namespace(self) -> str:
        """Its namespace; empty when it does not say."""
        return self.root["metadata", "namespace"].text

    @property
    def written(self) -> bool:
        """Whether it was read from a file."""
        return bool(self.lines)

    def line(self, path: KeyPath) -> int | None:
        """Give the line of a key, or of the nearest thing around it.

        Args:
            path: of keys and places in lists.
        """
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def __str__(self) -> str:
        """Name it in a sentence."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Node:
    """A place in a manifest, and what stands there.

    Attributes:
        manifest: it is in.
        path: of keys and places in lists.
        value: None when nothing stands there.
    """

    manifest: Manifest
    path: KeyPath
    value: Any

    def __getitem__(self, keys: str | tuple[str, ...]) -> "Node":
        """Give the node below, by one key or several."""
        value = self.value
        keys = (keys,) if isinstance(keys, str) else keys
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return Node(self.manifest, (*self.path, *keys), value)

    @property
    def entries(self) -> tuple["Node", ...]:
        """What a list holds; nothing for anything else."""
        found = self.value if isinstance(self.value, list | tuple) else ()
        return tuple(Node(self.manifest, (*self.path, index), each) for index, each in enumerate(found))

    @property
    def mapping(self) -> Mapping[str, Any]:
        """What a mapping holds; nothing for anything else."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def text(self) -> str:
        """What is written there; empty when it is no text."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def where(self) -> str:
        """File, line and key."""
        line = self.manifest.line(self.path)
        place = f"{self.manifest.file}:{line}" if line else self.manifest.file
        return f"{place} {self.key}".strip()

    @property
    def key(self) -> str:
        """The key as people write it: spec.http[0].timeout."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).lstrip(".")


@dataclass(frozen=True)
class Unread:
    """A file that can not be judged.

    Attributes:
        where: file and line.
        what: is wrong with it.
        wrong: whether Argo CD can not read it either; else only we can not.
        synced: whether it lies in the folder that Argo CD syncs.
        remedy: what to do.
    """

    where: str
    what: str
    wrong: bool
    synced: bool = True
    remedy: str = ""


@dataclass(frozen=True)
class Names:
    """What the release file calls its things.

    Attributes:
        namespace: where all of it runs.
        service: the Service that clients address.
        stable: the Deployment of the version that serves; ``canary`` the other's.
        stable_subset: of the DestinationRule; ``canary_subset`` the other one.
        virtual_services: all that route to the service.
        image: the repository of its image.
        container: in the pods; None for the only one there is.
        path: the folder in Git that Argo CD syncs; ``branch`` the one it follows.
        application: the Argo CD Application.
        scaled_by_driver: whether the driver gives the canary its replicas.
    """

    namespace: str
    service: str
    stable: str
    canary: str
    virtual_services: tuple[str, ...]
    image: str
    path: str
    application: str
    branch: str = "main"
    stable_subset: str = "stable"
    canary_subset: str = "canary"
    container: str | None = None
    scaled_by_driver: bool = True

    @property
    def host(self) -> str:
        """The name by which the mesh knows the service."""
        return f"{self.service}.{self.namespace}.svc.cluster.local"


@dataclass(frozen=True)
class Manifests:
    """All that the rules look at.

    Attributes:
        names: what the release file calls its things.
        found: the objects, those of the Git folder first.
        unread: files that could not be judged.
        whole: whether the cluster was asked too: what is not here then is nowhere.
    """

    names: Names
    found: tuple[Manifest, ...]
    unread: tuple[Unread, ...] = ()
    whole: bool = False

    def of(self, kind: str) -> Iterator[Manifest]:
        """Give the objects of a kind in the release's namespace.

        Args:
            kind: such as ``Service``.
        """
        here = ("", self.names.namespace)
        yield from (each for each in self.found if each.kind == kind and each.namespace in here)

    def named(self, kind: str, name: str) -> Manifest | None:
        """Give the object of a name.

        Args:
            kind: such as ``Service``.
            name: its name, in the release's namespace.
        """
        return next((each for each in self.of(kind) if each.name == name), None)

    @property
    def deployments(self) -> tuple[Manifest, ...]:
        """The release's two Deployments, as far as they are there; stable first."""
        found = (self.named("Deployment", name) for name in (self.names.stable, self.names.canary))
        return tuple(each for each in found if each is not None)

    @property
    def virtual_services(self) -> tuple[Manifest, ...]:
        """The release's VirtualServices, as far as they are there."""
        found = (self.named("VirtualService", name) for name in self.names.virtual_services)
        return tuple(each for each in found if each is not None)

    @property
    def application(self) -> Manifest | None:
        """The Argo CD Application, wherever it lives."""
        named = (each for each in self.found if each.kind == "Application" and each.name == self.names.application)
        return next(named, None)
