"""An image is set in Git by hand or by a pipeline: once, in one place, and not at all for a dry run."""

import subprocess
from pathlib import Path

import pytest

from ci import bump as room
from fixtures.git import GitOps
from fixtures.release import load_release

EXAMPLE = Path(__file__).parents[2] / "examples" / "rebate-core" / "release.yaml"
OLD, NEW = (f"registry.example.com/shop/rebate-core-service@sha256:{letter * 64}" for letter in "ab")
TEXT = (
    f"kind: Deployment\nmetadata: {{name: rebate-core}}\n"
    f"spec: {{template: {{spec: {{containers: [{{image: {OLD}}}]}}}}}}\n"
)


def git(at: Path, *words: str) -> str:
    who = ["-c", "user.name=p", "-c", "user.email=p@example.test"]
    return subprocess.run(["git", "-C", str(at), *who, *words], check=True, capture_output=True, text=True).stdout


def test_a_bump_is_one_commit_and_none_for_a_dry_run_or_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, clone = tmp_path / "bare.git", tmp_path / "clone"
    git(tmp_path, "init", "-b", "main", "--bare", str(bare))
    git(tmp_path, "clone", str(bare), str(clone))
    manifest = clone / "bases/rebate-core/a.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(TEXT)
    git(clone, "add", ".")
    git(clone, "commit", "-m", "first")
    git(clone, "push", "origin", "HEAD:main")
    monkeypatch.setattr(room, "GitOps", lambda *given, **named: GitOps(*given, **named, files=True))
    release, address = load_release(EXAMPLE), f"file://{bare}"
    dry = room.bump(release, "stable", NEW, address, dry=True)
    assert (dry.changes, dry.commit, dry.before) == (True, "", OLD)
    assert git(bare, "log", "--format=%s", "main").splitlines() == ["first"]
    done = room.bump(release, "stable", NEW, address)
    assert git(bare, "rev-parse", "main").strip() == done.commit
    assert git(bare, "log", "-1", "--format=%s", "main").strip().endswith("[skip ci]")
    assert git(bare, "show", "main:bases/rebate-core/a.yaml") == TEXT.replace(OLD, NEW)
    again = room.bump(release, "stable", NEW, address)
    assert (again.changes, again.commit) == (False, "")
    assert "nothing to commit" in str(again)
