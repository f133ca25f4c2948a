"""Who gets in to the stand-in: tokens, the Host header, sizes, file modes."""

import json
import stat
import urllib.parse
from typing import Any

import pytest
import requests

Json = dict[str, Any]


@pytest.fixture
def server(stand_in: Any) -> Any:
    return stand_in


@pytest.fixture
def reader(server: Any, api: Any) -> Any:
    return server.client("reader", api.namespace)


@pytest.fixture
def stranger(alone: Any, api: Any) -> Any:
    with alone.session("reader_token") as session:
        del session.headers["Authorization"]
        yield type(api)(api.url, session, api.namespace)


def test_without_a_known_token_there_is_no_answer(stranger: Any) -> None:
    for header in ("", "Bearer wrong", "Bearer ", "Basic YWRtaW46YWRtaW4=", "Bearer ä"):
        stranger.session.headers["Authorization"] = header.encode("latin-1")
        code, status = stranger.ask("GET", "deployments")
        assert (code, status["reason"], status["message"]) == (401, "Unauthorized", "Unauthorized")


def test_anybody_may_ask_whether_it_lives(stranger: Any) -> None:
    answer = stranger.session.get(f"{stranger.url}/readyz", timeout=5)
    assert (answer.status_code, answer.text) == (200, "ok")
    assert stranger.get("/version")["major"] == "1"


def test_the_reader_reads(api: Any, reader: Any, deployment: Json) -> None:
    api.create("deployments", deployment)
    assert reader.get("deployments/web")["metadata"]["name"] == "web"
    assert len(reader.get("deployments")["items"]) == 1
    assert next(reader.watch("deployments"))["type"] == "ADDED"
    assert reader.get("deployments/web/scale")["spec"]["replicas"] == 1


def test_the_reader_writes_nothing(api: Any, reader: Any, deployment: Json) -> None:
    api.create("deployments", deployment)
    before = api.get("deployments/web")
    refusals = [
        reader.ask("POST", "deployments", deployment),
        reader.ask("PUT", "deployments/web", before),
        reader.ask("PATCH", "deployments/web", {"metadata": {"labels": {"a": "b"}}}, "merge"),
        reader.ask("PATCH", "deployments/web/scale", {"spec": {"replicas": 0}}, "merge"),
        reader.ask("PATCH", "deployments/web/status", {"status": {}}, "merge"),
        reader.ask("DELETE", "deployments/web"),
        reader.ask("DELETE", "deployments"),
        reader.ask("POST", "pods/web-1/binding", {"target": {"name": "node-1"}}),
    ]
    assert [(code, status["reason"]) for code, status in refusals] == [(403, "Forbidden")] * len(refusals)
    words = f'deployments.apps "web" is forbidden: User "gates" cannot update resource "deployments" in API group "apps" in the namespace "{api.namespace}"'  # noqa: E501
    assert refusals[1][1]["message"] == words
    assert api.get("deployments/web") == before


def test_the_reader_sees_no_secret(api: Any, reader: Any) -> None:
    api.create("secrets", {"metadata": {"name": "x"}})
    for where in ("secrets", "secrets/x"):
        assert reader.ask("GET", where)[0] == 403
    assert reader.ask("GET", "secrets", watch=1)[0] == 403


@pytest.mark.parametrize("host", ["evil.example.com", "evil.example.com:{port}", "127.0.0.1.example.com", ""])
def test_a_request_for_another_host_is_not_answered(api: Any, host: str) -> None:
    port = urllib.parse.urlsplit(api.url).port
    answer = api.session.get(f"{api.url}/version", headers={"Host": host.format(port=port)}, timeout=5)
    assert (answer.status_code, answer.text) == (400, "Invalid host header")


def test_localhost_is_this_host(api: Any) -> None:
    port = urllib.parse.urlsplit(api.url).port
    assert api.session.get(f"https://localhost:{port}/version", timeout=5).status_code == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_read(api: Any) -> None:
    body = b'{"metadata": {"name": "x"}, "data": {"a": "' + b"x" * (4 * 1024 * 1024) + b'"}}'
    code, status = api.ask("POST", "configmaps", body)
    assert (code, status["reason"]) == (413, "RequestEntityTooLarge")
    api.get("configmaps")


def test_deep_nesting_and_strange_numbers_do_no_harm(api: Any) -> None:
    for body in (b"[" * 100_000, b'{"a":' * 100_000, b'{"metadata": {"name": "x"}, "data": {"a": NaN}}', b"\xff"):
        assert api.ask("POST", "configmaps", body)[0] == 400
    assert api.get("configmaps", labelSelector="x=y")["items"] == []


def test_a_form_of_a_web_page_is_no_object(api: Any) -> None:
    answer = api.session.post(api.url + api.path("configmaps"), data={"a": "b"}, timeout=5)
    assert (answer.status_code, answer.json()["reason"]) == (415, "UnsupportedMediaType")


def test_what_the_client_does_not_accept(api: Any) -> None:
    answer = api.session.get(api.url + api.path("configmaps"), headers={"Accept": "text/csv"}, timeout=5)
    assert (answer.status_code, answer.json()["reason"]) == (406, "NotAcceptable")


def test_plain_http_is_no_way_in(api: Any) -> None:
    with pytest.raises(requests.ConnectionError):
        api.session.get(api.url.replace("https", "http"), timeout=5)


def test_its_files_are_for_their_owner_only(alone: Any) -> None:
    names = {each.name for each in alone.state.iterdir()}
    assert names == {"api.json", "ca.crt", "kubeconfig", "gates_kubeconfig", "writes.jsonl"}
    assert {stat.S_IMODE(each.stat().st_mode) for each in alone.state.iterdir()} == {0o600}


def test_the_kubeconfigs_carry_what_api_json_says(alone: Any) -> None:
    for name, token in (("kubeconfig", "admin_token"), ("gates_kubeconfig", "reader_token")):
        config = json.loads((alone.state / name).read_text())
        assert config["users"][0]["user"] == {"token": alone.known[token]}
        assert config["clusters"][0]["cluster"]["server"] == alone.known["url"]
