"""The command line: what it says, with which exit status, and how fast."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from checks.evidence import Weights
from ci.events import Note
from ci.job import as_one
from ci.patch import Change
from ci.phases import Phase
from ci.record import ABORT, Record
from ci.reporting import JsonLines, fresh
from ci.rollout import main, told
from ci.traffic import traffic_of
from fixtures.cluster import VIRTUAL_SERVICES
from fixtures.errors import InputError
from fixtures.release import load_release

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "rebate-core" / "release.yaml"
IMAGE = "registry.example.com/shop/rebate-core-service"
HEAVY = ("kubernetes", "pydantic", "rich", "requests", "pytest", "ruamel")


@dataclass(frozen=True)
class Place:
    """A target whose cluster is in memory and where no Envoy can be asked."""

    in_memory: Any
    name: str = "memory"
    admins: tuple[Any, ...] = ()

    def cluster(self) -> Any:
        return self.in_memory


@pytest.fixture
def type_in(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Type a command on a target in memory."""
    monkeypatch.setattr("fixtures.target.resolve", lambda name: Place(cluster))
    return lambda *words: CliRunner().invoke(main, list(map(str, words)))


@pytest.fixture
def at_25(cluster: Any) -> Any:
    """The same cluster with a rollout at 25 %."""
    record = Record(rollout="3f9c2a", phase=Phase.STEP, step=25, image=f"{IMAGE}@sha256:2", who="ci@jenkins-7")
    step = Change(Weights(75, 25), record.annotations())
    traffic_of(load_release(EXAMPLE), cluster).write(step, lambda seen: None)
    return cluster


def test_help_names_every_exit_status() -> None:
    for words in (["--help"], ["run", "--help"]):
        text = CliRunner().invoke(main, words).output
        assert all(f"\n    {status}  " in text for status in range(5))


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from click.testing import CliRunner; from ci.rollout import main; "
        f"CliRunner().invoke(main, ['run', '--help']); print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "[]\n"


def test_an_error_is_told_as_what_where_and_what_to_do() -> None:
    error = InputError("120% is over 100%", where="release.yaml:9:14", remedy="write a share such as 1%")
    assert told(error).splitlines() == [
        "sluicegate: 120% is over 100%",
        "  where: release.yaml:9:14",
        "  do:    write a share such as 1%",
    ]


def test_an_error_shows_no_password_and_obeys_no_escape() -> None:
    text = told(InputError("push to https://ci:hunter2@git.example.com failed \x1b[2J"))
    assert "hunter2" not in text
    assert "\x1b" not in text


def test_a_wrong_release_file_is_exit_2_and_says_where(type_in: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "release.yaml").write_text("service: shop\nnamespace: production\nstepz: [5]\n")
    result = type_in("run", tmp_path / "release.yaml", "--image", f"{IMAGE}:v1")
    assert result.exit_code == 2
    assert "release.yaml:3" in result.stderr
    assert "stepz" in result.stderr


@pytest.mark.parametrize("image", ["registry.example.com/shop/another:v1", "rebate-core-service:v1", IMAGE, "%%"])
def test_an_image_of_something_else_is_refused_before_anybody_is_asked(
    type_in: Callable[..., Result], image: str, tmp_path: Path
) -> None:
    result = type_in("run", EXAMPLE, "--image", image, "--reports", tmp_path / "reports")
    assert result.exit_code == 2
    assert image in result.stderr
    assert not (tmp_path / "reports").exists()


def test_status_says_who_released_what_and_how_far_it_is(type_in: Callable[..., Result], at_25: Any) -> None:
    text = type_in("status", EXAMPLE).output
    assert "rollout 3f9c2a" in text
    assert "by ci@jenkins-7, in step 25 %" in text
    assert "rebate-core: stable/canary 75/25" in text
    assert "4 of 4 pods ready" in text
    assert "although a rollout is not over: `sluicegate recover`" in text


def test_status_for_programs_is_json(type_in: Callable[..., Result], at_25: Any) -> None:
    found = json.loads(type_in("status", EXAMPLE, "--json").output)
    assert (found["record"]["phase"], found["record"]["step"]) == ("step", 25)
    assert found["weights"] == {"rebate-core": "75/25"}


def test_status_at_rest(type_in: Callable[..., Result]) -> None:
    assert type_in("status", EXAMPLE).output.startswith("rebate-core: no rollout is going on\n")


def test_abort_takes_the_traffic_back_and_says_so(type_in: Callable[..., Result], at_25: Any) -> None:
    result = type_in("abort", EXAMPLE, "--reason", "wrong version")
    assert result.exit_code == 0
    assert result.output.startswith("rollout 3f9c2a is aborted (it was in step): stable 100 %, canary 0 %, read back")
    left = at_25.get(VIRTUAL_SERVICES, "production", "rebate-core")
    assert [entry["weight"] for entry in left["spec"]["http"][0]["route"]] == [100, 0]
    assert left["metadata"]["annotations"][ABORT].endswith(": wrong version")


def test_abort_while_stable_may_be_half_rolled_leaves_the_canary_in_charge(
    type_in: Callable[..., Result], at_25: Any
) -> None:
    record = Record(rollout="3f9c2a", phase=Phase.PROMOTE)
    promote = Change(Weights(0, 100), record.annotations())
    traffic_of(load_release(EXAMPLE), at_25).write(promote, lambda seen: None)
    done = json.loads(type_in("abort", EXAMPLE, "--json").output)
    assert (done["phase"], done["stable"], done["canary"]) == ("promote", 0, 100)


def test_abort_without_a_rollout_changes_nothing(type_in: Callable[..., Result], cluster: Any) -> None:
    result = type_in("abort", EXAMPLE)
    assert result.exit_code == 2
    assert "no rollout is going on" in result.stderr
    assert cluster.writes == []


def test_pause_and_resume_say_what_they_have_done(type_in: Callable[..., Result], at_25: Any) -> None:
    paused = type_in("pause", EXAMPLE, "--reason", "lunch")
    assert paused.output.startswith("rollout 3f9c2a is paused: the canary stays at 25 % and goes on being watched")
    assert ": lunch (" in type_in("status", EXAMPLE).output
    assert type_in("resume", EXAMPLE).output.startswith("rollout 3f9c2a is resumed (its driver, ci@jenkins-7, hears")


def test_promote_for_programs_is_json(type_in: Callable[..., Result], at_25: Any) -> None:
    said = json.loads(type_in("promote", EXAMPLE, "--json").output)
    assert (said["what"], said["weight"], said["rollout"]) == ("promote", 25, "3f9c2a")


@pytest.mark.parametrize("words", [["--force"], ["--reason", "hotfix"], ["--force", "--reason", " "]])
def test_a_release_that_can_not_end_in_time_begins_only_with_a_reason(
    type_in: Callable[..., Result], words: list[str]
) -> None:
    refused = type_in("run", EXAMPLE, "--image", f"{IMAGE}:v1", *words)
    assert refused.exit_code == 2
    assert "say why, with --reason TEXT" in refused.stderr


def test_gates_are_skipped_only_with_a_reason(type_in: Callable[..., Result], at_25: Any) -> None:
    refused = type_in("promote", EXAMPLE, "--force")
    assert refused.exit_code == 2
    assert "say why, with --reason TEXT" in refused.stderr
    assert at_25.writes[-1:] == at_25.writes[:1]
    assert json.loads(type_in("promote", EXAMPLE, "--force", "--reason", "hotfix", "--json").output)["what"] == "force"
    assert "gates skipped by" in type_in("status", EXAMPLE).output


@pytest.mark.parametrize("verb", ["pause", "resume", "promote"])
def test_nobody_to_talk_to_is_exit_2(type_in: Callable[..., Result], cluster: Any, verb: str) -> None:
    result = type_in(verb, EXAMPLE)
    assert result.exit_code == 2
    assert "no rollout is going on" in result.stderr


def test_watch_shows_that_nothing_is_going_on(type_in: Callable[..., Result]) -> None:
    result = type_in("watch", EXAMPLE)
    assert result.exit_code == 0
    assert result.output.startswith("rebate-core: no rollout is going on\n")


def test_a_virtual_service_that_is_missing_is_named(type_in: Callable[..., Result], cluster: Any) -> None:
    cluster.delete(VIRTUAL_SERVICES, "production", "rebate-core")
    result = type_in("abort", EXAMPLE)
    assert result.exit_code == 2
    assert "virtualservices production/rebate-core" in result.stderr


def test_the_schema_is_that_of_the_release_file() -> None:
    schema = json.loads(CliRunner().invoke(main, ["schema"]).output)
    assert {"service", "steps", "objectives"} <= set(schema["properties"])


def test_a_sandbox_that_does_not_run_is_said_with_how_to_start_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["sandbox", "status", "--state", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "sluicegate sandbox up" in result.stderr


def test_left_over_reports_go_and_foreign_files_stay(tmp_path: Path) -> None:
    for name in ("step-05.xml", "rollback.xml", "promotion-ready.log", "journal.jsonl", "surefire.xml", "notes.txt"):
        (tmp_path / name).write_text("old")
    fresh(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "surefire.xml"]


def test_events_for_programs_are_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    JsonLines(sys.stdout).tell(Note(at=12.0, text="the canary takes 5 %"))
    assert json.loads(capsys.readouterr().out) == {"kind": "note", "at": 12.0, "text": "the canary takes 5 %"}


def test_services_that_can_not_be_released_as_one_are_refused_before_anything_else(
    type_in: Callable[..., Result], tmp_path: Path
) -> None:
    one = EXAMPLE.read_text().replace("gates: [own_gates.py]", "")
    other = one.replace("service: rebate-core", "service: till").replace("bases/rebate-core", "bases/till")
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    files[0].write_text(one)
    images = ["--image", f"{IMAGE}:v1", "--image", f"{IMAGE}:v1"]
    wrong = {
        one: "the same service twice",
        other.replace("[5, 25, 50, 100]", "[10, 100]"): "need the same steps",
        other.replace("bases/till", "bases/rebate-core"): "in one folder of Git",
    }
    for text, what in wrong.items():
        files[1].write_text(text)
        result = type_in("run", *files, *images)
        assert result.exit_code == 2
        assert what in result.stderr
    files[1].write_text(other)
    assert "2 different release files and 1 images" in type_in("run", *files, *images[:2]).stderr


def test_a_service_that_is_released_alone_may_leave_its_steps_to_preflight(tmp_path: Path) -> None:
    file = tmp_path / "release.yaml"
    file.write_text(EXAMPLE.read_text().replace("[5, 25, 50, 100]", "auto"))
    as_one({file: load_release(file)}, [f"{IMAGE}:v1"])


def test_a_bump_to_an_image_of_another_repository_is_refused(type_in: Callable[..., Result]) -> None:
    result = type_in("bump", EXAMPLE, "--image", "registry.example.com/shop/other:v1")
    assert result.exit_code == 2
    assert "is no image of registry.example.com/shop/rebate-core-service" in result.stderr
