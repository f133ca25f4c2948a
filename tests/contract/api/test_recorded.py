"""What the stand-in knows of its kinds it has from a real server: discovery, schemas, columns of tables.

The files of fixtures/sandbox/kinds/recorded/ are that server's own words, cut down to what is served here:
`SLUICEGATE_RECORD=1` writes them anew (`make contract-record`), else a real server is asked whether they still hold.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.sandbox.kinds.resources import KINDS, REVIEWS

Json = dict[str, Any]
RECORD = bool(os.environ.get("SLUICEGATE_RECORD"))
FOLDER = Path(__file__).parents[3] / "fixtures" / "sandbox" / "kinds" / "recorded"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
# The parts of a schema that are looked at; descriptions alone would be two thirds of the file.
SAID = (
    "type", "format", "properties", "items", "additionalProperties", "required", "enum", "nullable", "pattern",
    "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "oneOf", "anyOf", "allOf", "not", "$ref",
    "x-kubernetes-validations", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string",
    "x-kubernetes-patch-merge-key", "x-kubernetes-patch-strategy", "x-kubernetes-group-version-kind",
)  # fmt: skip
NOT_SERVED = (
    "attach",
    "ephemeralcontainers",
    "eviction",
    "exec",
    "finalize",
    "portforward",
    "proxy",
    "resize",
    "token",
)


def discovery(client: Any) -> Json:
    """The rows of discovery of the kinds that are served, and of their subresources."""
    found: Json = {}
    for at in dict.fromkeys(kind.path for kind in KINDS):
        plurals = {kind.plural for kind in KINDS if kind.path == at}
        rows = [row for row in client.get(at)["resources"] if row["name"].split("/")[0] in plurals]
        found[at] = [
            {key: value for key, value in row.items() if key != "storageVersionHash"}
            for row in sorted(rows, key=lambda row: str(row["name"]))
            if row["name"].partition("/")[2] not in NOT_SERVED
        ]
    return found


def schemas(client: Any) -> Json:
    """The schemas of the kinds, and all that they refer to."""
    found: Json = {}
    for at in dict.fromkeys(kind.path for kind in KINDS):
        every = client.get(f"/openapi/v3{at}")["components"]["schemas"]
        names = {kind.kind for kind in KINDS if kind.path == at} | {"Binding", "Scale"}
        wanted = [
            name for name in every if name.rpartition(".")[2] in names and "group-version-kind" in str(every[name])
        ]
        while wanted:
            name = wanted.pop()
            if name not in found:
                found[name] = said(every[name])
                wanted += references(found[name])
    return dict(sorted(found.items()))


def said(schema: Json) -> Json:
    told: Json = {}
    for key, value in schema.items():
        if key == "properties":
            told[key] = {name: said(each) for name, each in value.items()}
        elif key in ("items", "additionalProperties", "not") and isinstance(value, dict):
            told[key] = said(value)
        elif key in ("oneOf", "anyOf", "allOf"):
            told[key] = [said(each) for each in value]
        elif key in SAID:
            told[key] = value
    return told


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from references(each)


def columns(client: Any) -> Json:
    """What `kubectl get` prints of each kind: names of columns, and whether they are wide."""
    found = {}
    for kind in (each for each in KINDS if each is not REVIEWS):
        answer = client.send("GET", f"{kind.path}/{kind.plural}", accept=TABLE, limit=1).json()
        found[kind.plural] = [
            {key: value for key, value in each.items() if key != "description"} for each in answer["columnDefinitions"]
        ]
    return found


@pytest.mark.xdist_group("real")
@pytest.mark.parametrize("what", [discovery, schemas, columns])
def test_a_real_server_says_what_is_recorded(real: Any, what: Any) -> None:
    told, path = what(real.client(namespace="default")), FOLDER / f"{what.__name__}.json"
    if RECORD:
        lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in told.items())
        path.write_text(f"{{\n{lines}\n}}\n")
    assert told == json.loads(path.read_text())
