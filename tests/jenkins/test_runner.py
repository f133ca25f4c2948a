"""The runner that executes the Jenkinsfile: it does what Jenkins does, and what it does not know is an error."""

import signal
from pathlib import Path
from typing import Any

import pytest

from fixtures.waiting import wait

PIPELINE = """
pipeline {{
    agent {{ label 'k8s-agent' }}
    options {{ skipDefaultCheckout() }}
    stages {{
        stage('One') {{
            steps {{
                {steps}
            }}
            post {{
                cleanup {{ sh 'echo at last' }}
                unsuccessful {{ sh 'echo went wrong' }}
                success {{ sh 'echo went well' }}
                always {{ sh 'echo in any case' }}
            }}
        }}
        stage('Two') {{ steps {{ sh 'echo in the second' }} }}
    }}
    post {{
        unsuccessful {{
            mail to: 'team@example.com', subject: "${{env.JOB_NAME}} ${{currentBuild.currentResult}}", body: 'a\\n.b'
        }}
    }}
}}
"""


def given(job: Any, steps: str, pipeline: str = PIPELINE) -> None:
    (job.work / "Jenkinsfile").write_text(pipeline.format(steps=steps))
    job.commit("a pipeline")


def said(console: str) -> list[str]:
    """Give what the scripts have printed."""
    return [line.removeprefix("+ echo ") for line in console.splitlines() if line.startswith("+ echo ")]


def test_a_build_that_goes_well(job: Any) -> None:
    given(job, "sh 'echo first'")
    build, result = job.run()
    assert result == "SUCCESS"
    assert build.process.returncode == 0
    assert said(build.console) == ["first", "in any case", "went well", "at last", "in the second"]


def test_a_step_that_fails_skips_later_stages_and_no_condition_of_post_keeps_another_from_being_run(job: Any) -> None:
    text = PIPELINE.replace("'echo in any case'", "'echo in any case; exit 7'")
    given(job, "sh 'echo first; exit 3'", text)
    build, result = job.run()
    assert result == "FAILURE"
    assert [each.partition(";")[0] for each in said(build.console)] == ["first", "in any case", "went wrong", "at last"]
    assert "script returned exit code 3" in build.console
    assert 'Stage "Two" skipped due to earlier failure(s)' in build.console
    mail = job.mails[-1]
    assert (mail["to"], mail["subject"]) == ("team@example.com", "rebate-core FAILURE")
    assert mail.get_content().split() == ["a", ".b"]


UNKNOWN_BLOCKS = {
    "emailext to: 'a'": "there is no 'emailext' here",
    "def version = 1": "here stand checkout, sh, ",
    "withEnv(['A=b']) { steps { sh 'ls' } }": "there is no 'steps' here",
}
UNKNOWN_WORDS = {
    "sh script: 'ls', returnStdot: true": "there is no argument returnStdot",
    "mail to: 'a', subject: 'b'": "missing: body",
    "sh GIT_COMMIT": "there is no property GIT_COMMIT",
    "withCredentials([file(credentialsId: 'none', variable: 'X')]) { sh 'ls' }": "entry with ID 'none'",
    "junit 'none/*.xml'": "No test report files were found",
    "archiveArtifacts artifacts: 'none/**'": "No artifacts found",
}


def test_what_can_not_stand_there_stops_the_build_before_it_begins(job: Any) -> None:
    given(
        job,
        "\n".join(["sh 'echo first'", *UNKNOWN_BLOCKS]),
        PIPELINE.replace("stage('Two') {{ st", "stage('Two') {{ t"),
    )
    build, result = job.run()
    assert result == "FAILURE"
    for wrong in [*UNKNOWN_BLOCKS.values(), "there is no 'teps' here, but options, steps, post", "there is no 'steps'"]:
        assert wrong in build.console
    assert not said(build.console)


@pytest.mark.parametrize("steps", UNKNOWN_WORDS)
def test_what_a_step_does_not_know_or_find_is_an_error_and_not_passed_over(job: Any, steps: str) -> None:
    given(job, steps)
    build, result = job.run()
    assert result == "FAILURE"
    assert UNKNOWN_WORDS[steps] in build.console
    assert "went wrong" in said(build.console)


def test_an_abort_ends_the_children_first_and_then_the_post_section_is_run(job: Any) -> None:
    """The parent is asked to end when its child has, or when 5 s are over: this child takes one."""
    child = "trap 'sleep 1; echo child ends; exit 1' TERM; echo child is up; while :; do sleep 0.1; done"
    (job.work / "child.sh").write_text(child)
    (job.work / "parent.sh").write_text(
        "trap 'echo parent ends; exit 1' TERM; sh child.sh & wait; while :; do sleep 0.1; done"
    )
    given(job, "checkout scm\nsh 'exec sh parent.sh'")
    build = job.start()
    build.until("child is up\n")
    build.abort()
    assert build.end() == "ABORTED"
    assert build.console.index("child ends") < build.console.index("parent ends")
    assert [each for each in said(build.console) if " " in each] == ["in any case", "went wrong", "at last"]
    assert job.mails[-1]["subject"] == "rebate-core ABORTED"


def test_a_script_that_is_killed_is_a_failure(job: Any) -> None:
    given(job, "sh 'echo first; sleep 60'")
    build = job.start()
    build.until("sleep 60\n")
    for each in wait(build.scripts, what="the script", timeout=10):
        each.send_signal(signal.SIGKILL)
    assert build.end() == "FAILURE"
    assert "script returned exit code 137" in build.console


def test_an_older_build_gives_up_where_a_newer_one_has_passed(job: Any) -> None:
    given(job, "milestone 1\nsh 'echo first'")
    assert job.start(number=2).end() == "SUCCESS"
    build = job.start(number=1)
    assert build.end() == "NOT_BUILT"
    assert "first" not in said(build.console)


def test_of_two_builds_that_want_one_lock_one_waits(job: Any) -> None:
    given(job, "lock(resource: 'shop') { sh 'echo first; touch $JENKINS_UP; sleep 2' }")
    job.environment["JENKINS_UP"] = str(job.folder / "up")
    first = job.start()
    wait((job.folder / "up").exists, what="the first build to be in it", timeout=60)
    second = job.start()
    first.end()
    assert "first" not in said(second.console)
    assert second.end() == "SUCCESS"


def test_secrets_are_in_the_environment_and_not_on_the_console(job: Any) -> None:
    job.asked |= {"credential.registry.username": "robot", "credential.registry.password": "pa55word"}
    login = "usernamePassword(credentialsId: 'registry', usernameVariable: 'U', passwordVariable: 'P')"
    given(job, f"withCredentials([{login}]) {{ sh 'echo $P > kept; echo $P' }}")
    build, result = job.run()
    assert (result, "pa55word" in build.console, "****" in build.console) == ("SUCCESS", False, True)
    assert (job.folder / "home" / "workspace" / "rebate-core" / "kept").read_text() == "pa55word\n"


def test_the_shared_librarys_step_says_what_it_does_not_know_and_what_it_misses(job: Any) -> None:
    job.asked["library"] = str(Path(__file__).parents[2] / "ci" / "shared-library")
    given(job, "canaryRelease imgae: 'shop:1', target: 'prod-eu'")
    build, result = job.run()
    assert result == "FAILURE"
    assert "canaryRelease: unknown or missing: imgae, image" in build.console
