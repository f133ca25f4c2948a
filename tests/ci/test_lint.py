"""``sluicegate lint``: what a person reads, what a program reads, and the exit status."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ci.rollout import main

EXAMPLE = Path(__file__).parents[2] / "examples" / "rebate-core"
MANIFESTS = EXAMPLE.parent / "k8s-manifests"
RELEASE = str(EXAMPLE / "release.yaml")
WHY = "Istio has none, and counts a request when it ends: a canary that hangs shows neither errors nor latency"


def lint(*options: str) -> Result:
    return CliRunner().invoke(main, ["lint", RELEASE, *options])


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """The example's repository without the route's timeout, in which stable's image has a tag."""
    for file in MANIFESTS.rglob("*.yaml"):
        copy = tmp_path / file.relative_to(MANIFESTS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text().replace("      timeout: 5s ", "      # ")
        copy.write_text(text.replace("@sha256:" + "0" * 64, ":1.4", 1))
    return tmp_path


def test_clean_manifests_are_zero() -> None:
    result = lint("--manifests", str(MANIFESTS))
    assert result.exit_code == 0
    assert result.output.startswith("37 rules, 8 manifests: PASS, 0 mistakes, 0 notes")


def test_each_finding_says_where_what_why_and_what_to_do(spoilt) -> None:
    result = lint("--manifests", str(spoilt))
    assert result.exit_code == 1
    first, *_ = result.output.split("note ")
    assert first.splitlines() == [
        f"FAIL   {spoilt}/traffic/rebate-core.yaml:33 spec.http[0].timeout",
        "       the route has no timeout   [timeout]",
        f"       why: {WHY}",
        "       do:  write `timeout: 5s` into the route, a little over your slowest good answer",
    ]
    assert "1 mistakes, 1 notes" in result.output


def test_a_program_gets_json(spoilt) -> None:
    found = json.loads(lint("--manifests", str(spoilt), "--json").output)
    assert found["outcome"] == "FAIL"
    assert [(each["level"], each["rule"]) for each in found["findings"]] == [
        ("FAIL", "timeout"),
        ("note", "image-fixed"),
    ]
    assert all(each["why"] and each["remedy"] and each["where"] for each in found["findings"])


@pytest.fixture
def telling(tmp_path: Path) -> str:
    """The example's release file, which wants people to be told."""
    file = tmp_path / "release.yaml"
    file.write_text(Path(RELEASE).read_text() + "notify:\n  messages:\n    - to: TEAM_MAIL\n")
    return str(file)


def test_a_variable_that_is_not_there_is_a_note_with_its_line(telling, monkeypatch) -> None:
    monkeypatch.delenv("TEAM_MAIL", raising=False)
    result = CliRunner().invoke(main, ["lint", telling, "--manifests", str(MANIFESTS)])
    assert result.exit_code == 0, "another machine may have it"
    assert f"note   {telling}:22 notify.messages[0]\n       the environment here has no TEAM_MAIL" in result.output


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise asks for it
def test_an_address_that_is_none_is_a_mistake_and_not_shown(telling, monkeypatch) -> None:
    monkeypatch.setenv("TEAM_MAIL", "nonsense://s3cret")
    result = CliRunner().invoke(main, ["lint", telling, "--manifests", str(MANIFESTS)])
    assert result.exit_code == 1
    assert f"FAIL   {telling}:22 notify.messages[0].to\n" in result.output
    assert "s3cret" not in result.output


def test_what_could_not_be_looked_at_is_not_clean() -> None:
    result = lint("--manifests", str(MANIFESTS / "bases" / "rebate-core"))
    assert result.exit_code == 1
    assert "3 not looked at" in result.output


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--manifests", "/nothing/here"), "there is no such folder"),
        (("--target", "sandbox:/nothing"), "no sandbox runs"),
    ],
)
def test_wrong_usage_is_two(options, says) -> None:
    result = lint(*options)
    assert result.exit_code == 2
    assert says in result.output
