"""The first place that has a program wins, and what is not the program is not taken for it."""

import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.errors import InputError, SluicegateError
from fixtures.sandbox.binaries import ENVOY, REGISTRY, cache, find
from fixtures.sandbox.downloads import GO_PACKAGE

RIGHT = 'echo "$0 github.com/distribution/distribution v3.1.2"'
Script = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an own cache and a PATH with nothing on it but what a shell script needs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SLUICEGATE_REGISTRY", raising=False)
    for folder, names in {"shell": ("mkdir", "cp", "cat", "sleep", "chmod"), "path": ()}.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", f"{tmp_path}/path:{tmp_path}/shell")


@pytest.fixture
def debian(program: Script, tmp_path: Path) -> Path:
    """Have an apt-get that notes its calls and delivers a registry, and a dpkg that unpacks it."""
    program("right", RIGHT)
    calls = tmp_path / "calls"
    program("path/apt-get", f'echo "$@" >> {calls}; sleep 0.1; cp {tmp_path}/right docker-registry_2.8.2_all.deb')
    program("path/dpkg", 'mkdir -p "$3/usr/bin"; cp "$2" "$3/usr/bin/docker-registry"')
    return calls


def test_the_environment_comes_first(program: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    program("path/docker-registry", RIGHT)
    mine = program("mine", RIGHT)
    monkeypatch.setenv("SLUICEGATE_REGISTRY", str(mine))
    assert find(REGISTRY) == mine


def test_a_wrong_name_in_the_environment_is_an_error(program: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_REGISTRY", str(program("other", "echo npm 10.1")))
    with pytest.raises(InputError, match=r"^SLUICEGATE_REGISTRY: .*other is not registry.*unset the variable"):
        find(REGISTRY)


def test_another_program_of_the_same_name_on_path_is_passed_over(program: Script) -> None:
    program("path/docker-registry", "echo a registry of something else")
    right = program("path/registry", RIGHT)
    assert find(REGISTRY) == right


def test_what_was_fetched_is_kept(debian: Path) -> None:
    assert find(REGISTRY) == find(REGISTRY) == cache() / "bin" / "registry"
    assert debian.read_text().count("download docker-registry") == 1


def test_two_at_once_fetch_once(debian: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        found = set(pool.map(find, [REGISTRY, REGISTRY]))
    assert found == {cache() / "bin" / "registry"}
    assert debian.read_text().count("download docker-registry") == 1
    assert sorted(path.name for path in cache().iterdir()) == ["bin", "registry.lock"]


def test_empty_package_lists_are_fetched_into_a_folder_of_our_own(debian: Path, program: Script) -> None:
    there = Path(os.environ["PATH"].partition(":")[0]) / "apt-get"
    only_private = 'case "$*" in *Dir::State::Lists*) ;; *) echo "E: no such package" >&2; exit 100;; esac\n'
    program("path/apt-get", only_private + there.read_text().removeprefix("#!/bin/sh\n"))
    find(REGISTRY)
    update, download = debian.read_text().splitlines()
    assert update.endswith("update")
    assert f"Dir::State::Lists={cache()}" in download


def test_without_debian_it_is_built_by_go(program: Script, tmp_path: Path) -> None:
    right = program("right", RIGHT)
    calls = tmp_path / "calls"
    program("path/go", f'echo "$@" > {calls}; mkdir -p "$GOBIN"; cp {right} "$GOBIN/registry"')
    assert find(REGISTRY) == cache() / "bin" / "registry"
    assert "install" in calls.read_text()
    assert "github.com/distribution/distribution/v3/cmd/registry@v3.1.2" in calls.read_text()


def test_a_package_that_does_not_run_here_is_not_kept(debian: Path, program: Script) -> None:
    program("right", "exit 1")
    right = program("good", RIGHT)
    program("path/go", f'mkdir -p "$GOBIN"; cp {right} "$GOBIN/registry"')
    assert find(REGISTRY).read_text() == right.read_text()


def test_when_nothing_works_it_says_what_was_tried_and_what_helps(
    program: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(program("python", "echo no network >&2; exit 1")))
    with pytest.raises(SluicegateError) as failed:
        find(REGISTRY)
    assert "no apt-get here" in str(failed.value)
    assert f"{GO_PACKAGE}: no network" in str(failed.value)
    assert failed.value.remedy.startswith("install the package docker-registry, or set SLUICEGATE_REGISTRY")


def test_envoy_is_the_program_and_not_its_launcher() -> None:
    with find(ENVOY).open("rb") as file:
        assert file.read(2) != b"#!"


def test_an_envoy_that_is_nowhere_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SluicegateError, match=r"needs prometheus-x and has none \(it is not installed\); pip"):
        find(replace(ENVOY, name="prometheus-x", says="nobody", remedy="pip install"))
