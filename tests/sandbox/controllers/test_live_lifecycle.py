"""The controllers' own end, and their return."""

import os
import subprocess
import sys

import psutil
import pytest

from fixtures.sandbox.lifeline import Lifeline
from fixtures.waiting import wait

pytestmark = pytest.mark.xdist_group("controllers")


def pods_processes(controllers):
    return psutil.Process(controllers.pid).children()


def test_pods_end_when_the_controllers_are_killed_and_come_back_with_them(deployed):
    before = pods_processes(deployed.controllers)
    assert len(before) == 2
    deployed.controllers.kill()
    deployed.controllers.wait(10)
    wait(lambda: not any(each.is_running() for each in before), what="the end of the pods", timeout=10)
    with (deployed.state / "again.log").open("wb") as log:
        again = subprocess.Popen(deployed.controllers.args, stdout=log, stderr=log)

    def restarted():
        return [pod["status"]["containerStatuses"][0]["restartCount"] for pod in deployed.ready("")] == [1, 1]

    try:
        deployed.until(restarted, "both pods, with one restart each")
    finally:
        again.terminate()
        again.wait(10)


@pytest.mark.parametrize("how", ["lifeline", "sigterm"])
def test_the_controllers_end_with_their_owner_or_when_they_are_asked(world, how):
    line = Lifeline()
    state = world.state / how
    state.mkdir()
    command = [sys.executable, "-m", "fixtures.sandbox.controllers", "--state", state, "--only", "istiod"]
    command += ["--kubeconfig", world.state / "kubeconfig", "--lifeline", str(line.child_end)]
    with (state / "log").open("wb") as log:
        process = subprocess.Popen(command, pass_fds=[line.child_end], stdout=log, stderr=log)
    world.until((state / "envoy" / "rds.json").exists, "its first file")
    line.cut() if how == "lifeline" else process.terminate()
    assert process.wait(10) == 0
    if how == "sigterm":
        line.cut()


def test_a_controller_that_does_not_exist_is_a_usage_error(tmp_path):
    command = [sys.executable, "-m", "fixtures.sandbox.controllers", "--state", tmp_path, "--kubeconfig", os.devnull]
    done = subprocess.run([*command, "--only", "scheduler"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "there is no controller scheduler" in done.stderr
