"""The corpus: requests whose answers were recorded from a real kube-apiserver, and are compared word by word.

corpus/questions/*.yaml says what is asked, step by step, each case in a namespace of its own:

    - case: what exists is not created again
      steps:
      - {do: POST configmaps, object: configmap}     # the object of this name in objects.yaml
      - {do: POST configmaps, object: configmap, change: {data: {a: b}}}             # with a merge patch over it
      - {do: PUT configmaps/x, from: 0, query: {dryRun: All}, see: [data.color]}     # what step 0 answered; a part

and may have `body`, `raw` (text), `form` (of a patch), `accept`, `who` and, for WATCH, `events` (how many).
corpus/answers/*.json says what the real server answered; `SLUICEGATE_RECORD=1` asks it anew (`make contract-record`).
Names that a server makes up are replaced: the first uid is `uid-1` wherever it stands, so equal ones stay equal.

The stand-in's answer has to be the real one's without the fields that corpus/left_out.yaml lists, each with its
reason. Whole cases that it answers otherwise are listed there too, and have to go on disagreeing.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

Json = dict[str, Any]
CORPUS = Path(__file__).parent / "corpus"
RECORD = bool(os.environ.get("SLUICEGATE_RECORD"))
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
CHANCE = re.compile(  # names and addresses that the server makes, versions in sentences, ages in tables
    r"(?<=kube-api-access-)[a-z0-9]{5}|(?<=Bad_)[a-z0-9]{5}|(?<=^made-)[a-z0-9]{5}|10\.96\.\d+\.\d+"
    r"|(?<=in record \()\d+|(?<=current: )\d+|^\d+[smhd]$"
)
NEVER = ("managedFields", "description")  # not even recorded
MADE_UP = {"resourceVersion": "version", "continue": "continue", "uid": "uid"}
WHOLE = re.compile(r'"\{\\?"(?:apiVersion|kind|metadata).*\}"(?=:)')  # a message that quotes the object
HOLE = re.compile(r"\{(\d+)\.([^}]+)\}")


@cache
def yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def topics() -> dict[str, Path]:
    """The files of questions; those of kubectl are written by its tests."""
    return {path.name.removesuffix(path.suffix): path for path in sorted((CORPUS / "questions").iterdir())}


def cases() -> Iterator[Any]:
    for topic, path in topics().items():
        for each in yaml(path):
            yield pytest.param(topic, each["case"], each["steps"], id=f"{topic}: {each['case']}")


def merged(current: Any, change: Any) -> Any:
    """A merge patch that keeps null, for a body may say null."""
    if not isinstance(current, dict) or not isinstance(change, dict):
        return change
    return {**current, **{key: merged(current.get(key), value) for key, value in change.items()}}


def parts(value: Any, path: str) -> Any:
    """The part of a body at `items[*].metadata.name`, `resources[name=pods]` or `a~b.c` (~ is a dot in a name)."""
    for step in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        if value is None:
            return None
        if step == "[*]":
            return [parts(each, path.partition("[*]")[2].lstrip(".")) for each in value]
        if "=" in step:
            key, _, wanted = step[1:-1].partition("=")
            value = next((each for each in value if each[key] == wanted), None)
        elif step[0] == "[":
            value = value[int(step[1:-1])] if len(value) > int(step[1:-1]) else None
        else:
            value = value.get(step.replace("~", "."))
    return value


def comparable(body: Json) -> Json:
    """Without what is never compared: NEVER, and the version of a list, which counts what others write too."""
    told = {key: value for key, value in body.items() if key not in NEVER}
    if re.fullmatch(r".*List|Table", str(body.get("kind"))) and "metadata" in body:
        told["metadata"] = {**body["metadata"], "resourceVersion": ""}
    if body.get("type") == "BOOKMARK":
        told["object"] = {**body["object"], "metadata": {**body["object"]["metadata"], "resourceVersion": ""}}
    return told


@dataclass
class Conversation:
    """Puts the questions of one case to one server, and writes down what it says."""

    server: Any
    raw: list[Any] = field(default_factory=list)
    names: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clients = {"admin": self.server.client()}
        self.namespace = self.clients["admin"].namespace
        self.clients["reader"] = self.server.client("reader", self.namespace)
        self.objects = yaml(CORPUS / "objects.yaml")

    def ask(self, step: Json) -> Json:
        """One answer: its code, its warnings, and its body or the parts of it that are looked at."""
        method, where = self.filled(step["do"]).split(" ")
        client = self.clients[step.get("who", "admin")]
        accept, query = {"table": TABLE}.get(step.get("accept", ""), step.get("accept", "")), step.get("query", {})
        query = {key: str(self.filled(value)) for key, value in query.items()}
        if method == "WATCH":
            answer = client.send("GET", where, watch=1, timeoutSeconds=5, accept=accept, stream=True, **query)
            code, warned = answer.status_code, ""
            with answer:
                body: Any = list(islice(map(json.loads, answer.iter_lines()), step["events"] if code < 300 else 1))
        else:
            answer = client.send(method, where, self.body(step), step.get("form", ""), accept, **query)
            code, warned = answer.status_code, answer.headers.get("Warning", "")
            is_json = "json" in answer.headers.get("content-type", "")
            body = answer.json() if is_json else answer.text
        self.raw.append(body)
        told = (
            {path: parts(body, path) for path in step["see"]}
            if "see" in step and isinstance(body, dict) and code < 300
            else body
        )
        return {"do": step["do"], "code": code, **({"warning": warned} if warned else {}), "body": self.plain(told)}

    def body(self, step: Json) -> Any:
        if "raw" in step:
            return step["raw"].encode()
        if "from" in step:
            body = self.raw[step["from"]]
        else:
            body = self.objects[step["object"]] if "object" in step else step.get("body")
        return self.filled(merged(body, step["change"]) if "change" in step else body)

    def filled(self, value: Any) -> Any:
        """With the holes `{namespace}` and `{0.metadata.uid}` (of the answer to step 0) filled."""
        if isinstance(value, dict):
            return {key: self.filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        if not isinstance(value, str):
            return value
        value = value.replace("{namespace}", self.namespace)
        return HOLE.sub(lambda found: parts(self.raw[int(found[1])], found[2]), value)

    def plain(self, value: Any, key: str = "") -> Any:
        """Without what differs from one run to the next."""
        if isinstance(value, dict):
            return {each: self.plain(inner, each) for each, inner in comparable(value).items()}
        if isinstance(value, list):
            return [self.plain(each) for each in value]
        if not isinstance(value, str):
            return value
        if key.rpartition(".")[2] in MADE_UP and value:
            return self.name(MADE_UP[key.rpartition(".")[2]], value)
        value = WHOLE.sub('"{object}"', value)
        value = UUID.sub(lambda found: self.name("uid", found[0]), value.replace(self.namespace, "{namespace}"))
        value = CHANCE.sub("{chance}", value)
        return TIME.sub("{time}", value) if value != "2026-01-01T00:00:00Z" else value

    def name(self, sort: str, value: str) -> str:
        """A name for a value that the server has made up; the same wherever it stands."""
        known = [each for each in self.names if each[0] == sort]
        return self.names.setdefault((sort, value), f"{sort}-{len(known) + 1}")


def answered(server: Any, steps: list[Json]) -> list[Json]:
    conversation = Conversation(server)
    return [conversation.ask(step) for step in steps]


def recorded(topic: str) -> Json:
    return dict(json.loads((CORPUS / "answers" / f"{topic}.json").read_text()))


@cache
def unread() -> list[re.Pattern[str]]:
    """The paths that are not compared."""
    fields = yaml(CORPUS / "left_out.yaml")["fields"]
    return [re.compile(re.escape(at).replace(r"\*", ".*")) for each in fields for at in each["at"]]


@cache
def wordings() -> list[re.Pattern[str]]:
    """The parts of messages that are not compared."""
    return [re.compile(each["text"], re.DOTALL) for each in yaml(CORPUS / "left_out.yaml")["wordings"]]


@cache
def disagreements() -> dict[str, str]:
    """The cases that the stand-in answers otherwise, and why."""
    return {each["case"]: each["why"] for each in yaml(CORPUS / "left_out.yaml")["cases"]}


def reduced(value: Any, path: str = "") -> Any:
    """An answer without what is left out; what is then an empty object is left out too, as is null."""
    if isinstance(value, list):
        return [reduced(each, f"{path}.{at}") for at, each in enumerate(value)]
    if isinstance(value, dict):
        told = {key: reduced(each, f"{path}.{key}".lstrip(".")) for key, each in value.items()}
        if "causes" in told:
            told["causes"] = sorted(told["causes"], key=json.dumps)
        dropped = [key for key in told if any(each.fullmatch(f"{path}.{key}".lstrip(".")) for each in unread())]
        return {key: each for key, each in told.items() if key not in dropped and each not in ({}, None)}
    if isinstance(value, str):
        for each in wordings():
            value = each.sub("", value)
    return value


def compared(answer: Json) -> Json:
    return {**answer, "body": reduced(answer["body"]), "warning": reduced(answer.get("warning", ""))}


@pytest.mark.skipif(not RECORD, reason="records only when SLUICEGATE_RECORD is set")
@pytest.mark.parametrize("topic", topics())
def test_record(real: Any, topic: str) -> None:
    """Ask the real server twice: what it answers in two ways is no answer to compare with."""
    questions = {each["case"]: each["steps"] for each in yaml(topics()[topic])}
    first, second = ({case: answered(real, steps) for case, steps in questions.items()} for _ in range(2))
    said = json.dumps(first, indent=1, ensure_ascii=False)
    (CORPUS / "answers" / f"{topic}.json").write_text(said + "\n")
    assert first == second


class Corpus:
    """Every answer is the recorded one."""

    @pytest.mark.parametrize(("topic", "case", "steps"), list(cases()))
    def test_answers(self, server: Any, topic: str, case: str, steps: list[Json]) -> None:
        answers = answered(server, steps)
        assert [compared(each) for each in answers] == [compared(each) for each in recorded(topic)[case]]


class TestCorpusOnTheStandIn(Corpus):
    @pytest.fixture
    def server(self, request: pytest.FixtureRequest, stand_in: Any, topic: str, case: str) -> Any:
        if why := disagreements().get(f"{topic}: {case}"):
            request.applymarker(pytest.mark.xfail(reason=why, strict=True, raises=AssertionError))
        return stand_in

    def test_only_cases_that_are_there_are_left_out(self) -> None:
        assert disagreements().keys() <= {each.id for each in cases()}


@pytest.mark.xdist_group("real")
class TestCorpusOnARealServer(Corpus):
    @pytest.fixture
    def server(self, real: Any) -> Any:
        return real
