"""An image's program: unpacked inside its folder or not at all, and started with its pod's variables."""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import psutil
import pytest

from fixtures.sandbox.controllers.kubelet.program import Program, pod_variables
from fixtures.waiting import wait

PROGRAM = Program(("sh", "-c", "true"), "/", ("PATH=/nowhere", "MODE=image"), ("low", "high"))
POD = {
    "metadata": {"name": "shop-1", "namespace": "production", "labels": {"version": "canary"}},
    "spec": {
        "containers": [
            {
                "env": [
                    {"name": "MODE", "value": "pod"},
                    {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                    {"name": "VERSION", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['version']"}}},
                    {"name": "SPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
                ]
            }
        ]
    },
}


def layer(**files: str) -> bytes:
    """Make a layer of files; a text that begins with ``->`` is a symbolic link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            if text.startswith("->"):
                entry.type, entry.linkname = tarfile.SYMTYPE, text[2:]
            entry.size = 0 if entry.issym() else len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


def test_a_higher_layer_wins_over_a_lower_one(tmp_path: Path) -> None:
    layers = {"low": layer(a="old", b="kept"), "high": layer(a="new")}
    PROGRAM.unpack(tmp_path / "images" / "root", layers.__getitem__)
    found = {each.name: each.read_text() for each in (tmp_path / "images" / "root").iterdir()}
    assert found == {"a": "new", "b": "kept"}


@pytest.mark.parametrize("evil", [{"../out": "x"}, {"link": "->../../out"}, {"link": "->/etc/passwd"}])
def test_a_layer_that_leaves_its_folder_is_refused_and_nothing_stays(tmp_path: Path, evil: dict[str, str]) -> None:
    layers = {"low": layer(a="good"), "high": layer(**evil)}
    with pytest.raises(tarfile.TarError):
        PROGRAM.unpack(tmp_path / "images" / "root", layers.__getitem__)
    assert [each.name for each in tmp_path.rglob("*")] == ["images"]


def test_a_layer_that_deletes_files_of_another_is_refused_instead_of_half_done(tmp_path: Path) -> None:
    layers = {"low": layer(a="old"), "high": layer(**{"d/.wh.a": ""})}
    with pytest.raises(tarfile.TarError, match=r"d/.wh.a deletes a file"):
        PROGRAM.unpack(tmp_path / "images" / "root", layers.__getitem__)


@pytest.mark.parametrize(
    ("written", "folder"), [(None, "/"), ("/app", "/app"), ("../../etc", "/etc"), ("/a/../..", "/")]
)
def test_a_working_directory_is_inside_the_image(tmp_path: Path, written: str | None, folder: str) -> None:
    program = Program.of({"config": {"Entrypoint": ["sh"], "WorkingDir": written}}, {"layers": []})
    assert program is not None
    assert program.folder == folder
    root = tmp_path / "images" / "root"
    program.unpack(root, lambda _: b"")
    assert (root / folder.lstrip("/")).is_dir()


def test_a_pod_says_its_variables_by_value_or_by_a_field_of_its_own() -> None:
    assert pod_variables(POD, "127.0.0.9") == {
        "MODE": "pod",
        "POD_IP": "127.0.0.9",
        "VERSION": "canary",
        "SPACE": "production",
    }


def test_the_pods_variables_win_over_the_images_and_programs_are_found_where_this_machine_has_them() -> None:
    environment = PROGRAM.environment(POD, "127.0.0.9")
    assert environment["MODE"] == "pod"
    assert environment["PATH"] != "/nowhere"


def test_a_program_that_this_machine_does_not_have_is_said_in_the_log() -> None:
    command = [sys.executable, "-m", "fixtures.sandbox.tied", str(os.getpid()), "no-java"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (127, "no-java can not be run here: No such file or directory\n")


def test_a_program_ends_with_the_one_that_started_it() -> None:
    script = (
        "import subprocess,sys,os,signal\n"
        "words = ['-m', 'fixtures.sandbox.tied', str(os.getpid()), 'sh', '-c', 'echo up; exec sleep 30']\n"
        "p = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE)\n"
        "p.stdout.readline(); print(p.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, timeout=30, check=False)
    pid = int(done.stdout)
    wait(lambda: ended(pid) or None, what="its end", timeout=10)


def ended(pid: int) -> bool:
    """Say whether a process is over; whoever has inherited it may not have asked for its status yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
