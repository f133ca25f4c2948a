"""The keys that Istio knows: mended typos, free maps, and how the list is compared with Istio's own.

``SLUICEGATE_ISTIO_CRDS=FILE pytest tests/checks/manifests/test_known_keys.py`` compares with Istio's definitions
(``kubernetes/customresourcedefinitions.gen.yaml`` of istio.io/api) and shows what a new release has changed.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from checks.manifests.keys import known_keys

CRDS = os.environ.get("SLUICEGATE_ISTIO_CRDS", "")
VS = "traffic/shop.yaml"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timeout: 5s", "timeout: 5s\n      match: [{headers: {x-any-name: {exact: a}}, sourceLabels: {any: a}}]"),
        ("timeout: 5s", "timeout: 5s\n      headers: {request: {set: {x-any-name: a}}}"),
        ("  host: shop.prod", "  trafficPolicy: {outlierDetection: {consecutive5xxErrors: 5}}\n  host: shop.prod"),
        ("metadata: {name: public", "metadata: {colour: red, name: public"),  # the API server's own part
    ],
)
def test_keys_that_istio_knows_are_left_alone(old, new, lint) -> None:
    assert "known-keys" not in lint((VS, old, new)).rules()


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("timeout: 5s", "timeout: 5s\n      match: [{headers: {x-any-name: {exakt: a}}}]", "headers.x-any-name.exakt"),
        ("  host: shop.prod", "  trafficPolicy: {tls: {mod: DISABLE}}\n  host: shop.prod", "trafficPolicy.tls.mod"),
    ],
)
def test_unknown_ones_are_found_at_any_depth(old, new, key, lint) -> None:
    assert lint((VS, old, new)).of("known-keys").flaw.where.endswith(key)


def test_objects_of_another_group_may_have_what_they_like(lint, texts) -> None:
    group = "apiVersion: networking.istio.io/v1\nkind: Gateway"
    spoilt = texts((VS, "servers: [{", "colour: red\n  servers: [{"))[VS]
    assert lint((VS, texts()[VS], spoilt)).rules() == ["known-keys"]
    other = spoilt.replace(group, group.replace("networking.istio.io/v1", "gateway.networking.k8s.io/v1"))
    assert not lint((VS, texts()[VS], other)).rules()


@pytest.mark.skipif(not CRDS, reason="SLUICEGATE_ISTIO_CRDS names no file")
def test_the_list_is_istio_s_own() -> None:
    found = {}
    for text in Path(CRDS).read_text(encoding="utf-8").split("\n---\n"):
        kind = next((each for each in known_keys() if f"\n    kind: {each}\n" in text), "")
        if kind and "group: networking.istio.io" in text:
            versions = YAML(typ="safe", pure=True).load(text)["spec"]["versions"]
            specs = [each["schema"]["openAPIV3Schema"]["properties"]["spec"] for each in versions]
            found[kind] = keys_of(specs[0])
            assert all(keys_of(each) == found[kind] for each in specs)
    assert found == known_keys()


def keys_of(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Give the keys that a schema names, below its lists too."""
    if "items" in schema:
        return keys_of(schema["items"])
    if "properties" in schema:
        return {key: keys_of(below) for key, below in schema["properties"].items()}
    any_key = schema.get("additionalProperties")
    below = keys_of(any_key) if isinstance(any_key, dict) else None
    return {"*": below} if below else None
