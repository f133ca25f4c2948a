"""The files are YAML, and Kubernetes reads in them what a person reads.

Kubernetes' reader follows YAML 1.1: ``yes`` and ``on`` are true, ``010`` is eight, and of a key that stands twice the
last wins. Many editors, and most other tools, follow 1.2 and show something else.
"""

import re
from collections.abc import Iterator
from typing import Any

from checks.gate import gate
from checks.manifests.evidence import KeyPath, Manifest, Manifests, Node
from checks.manifests.mesh import destination_rules
from checks.manifests.rule import Flaw, Level, judging, rule
from checks.verdict import Verdict

BOOLEAN_WORD = re.compile(r"y|yes|n|no|on|off", re.IGNORECASE)
LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+(\.[0-9]*)?")
FILE_MODES = ("defaultMode", "mode")  # octal on purpose
TEXT_MAPS = ("labels", "matchLabels", "annotations", "nodeSelector", "selector")
TEXT_LISTS = ("args", "command")
TEXT_KEYS = ("exact", "prefix", "regex")


@rule(
    "yaml",
    "every manifest can be read as it is applied",
    why="Argo CD applies nothing of a folder in which one file is broken, and says Healthy about what was there before",
    remedy="mend it",
)
def readable(manifests: Manifests) -> Iterator[Flaw]:
    """Every file is YAML. Seen: one that is not leaves the Application at Unknown, still Healthy and Succeeded."""
    for each in manifests.unread:
        level = Level.FAIL if each.wrong else Level.UNSEEN
        yield Flaw(each.where, each.what, level if each.synced else Level.NOTE, each.remedy)


@rule(
    "duplicate-keys",
    "no key stands twice",
    why="the last one wins without a word, and the next edit may hit the other one",
    remedy="delete one of them",
)
def no_duplicate_keys(manifests: Manifests) -> Iterator[Flaw]:
    """No key twice in a mapping: whoever edits the first ``image:`` of two, by hand or by ``sed``, releases nothing."""
    for each in _ours(manifests):
        for again in each.again:
            key = Node(each, again.path, None).key
            yield Flaw(f"{each.file}:{again.line} {key}", f"this key stands in line {again.first} already")


@rule(
    "yaml-1.1",
    "no number or word means something else to Kubernetes than it seems",
    why="Kubernetes reads YAML 1.1",
    remedy="write the number in full, or true or false; put it in quotes where text is meant",
)
def as_it_seems(manifests: Manifests) -> Iterator[Flaw]:
    """No ``010`` (eight) and no ``on`` (true): ``replicas: 010`` looks like ten, and the team gets eight."""
    for node, written in _plain(manifests):
        if LEADING_ZERO.fullmatch(written) and node.path[-1] not in FILE_MODES:
            yield Flaw(node.where, f"{written} is read as {node.value}")
        if BOOLEAN_WORD.fullmatch(written) and isinstance(node.value, bool):
            yield Flaw(node.where, f"{written} is read as {str(node.value).lower()}", Level.NOTE)


@rule(
    "text",
    "what has to be text is text",
    why="the API server refuses the whole object, and Argo CD's sync fails and is tried again for minutes",
    remedy="put it in quotes",
)
def text_is_text(manifests: Manifests) -> Iterator[Flaw]:
    """Labels, selectors, variables and arguments are text: with ``version: 1.10`` a release waits in vain."""
    for node, written in _plain(manifests):
        if isinstance(node.value, bool | int | float) and _wants_text(node.manifest, node):
            read = str(node.value).lower() if isinstance(node.value, bool) else f"the number {node.value}"
            yield Flaw(node.where, f"{written} is read as {read}, and here text is needed")


def _ours(manifests: Manifests) -> tuple[Manifest, ...]:
    """Give what the release stands on; a checkout holds other people's objects too."""
    more = (*manifests.virtual_services, *destination_rules(manifests), manifests.application)
    return tuple(each for each in manifests.found if each.synced or each in more)


def _plain(manifests: Manifests) -> Iterator[tuple[Node, str]]:
    """Give all that is written without quotes."""
    for each in _ours(manifests):
        for path, written in each.plain.items():
            yield Node(each, path, _value(each, path)), written


def _value(manifest: Manifest, path: KeyPath) -> Any:
    found: Any = manifest.body
    for part in path:
        found = found[part]  # it is there: the path was read from this very object
    return found


def _wants_text(manifest: Manifest, node: Node) -> bool:
    place, owner, last = ("", "", "", *node.path)[-3:]
    if last == "value":
        return place == "env"
    data = manifest.kind in ("ConfigMap", "Secret") and owner in ("data", "stringData")
    return data or owner in TEXT_MAPS or owner in TEXT_LISTS or last in TEXT_KEYS


RULES = (readable, no_duplicate_keys, as_it_seems, text_is_text)


@gate(judging(RULES), evidence="manifests")
def test_manifests_are_read_as_they_look(verdict: Verdict) -> None:
    """The manifests are YAML, and mean to Kubernetes what they seem to."""
    verdict.require()
