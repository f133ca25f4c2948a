"""A Jenkins that is a folder and a process a build: the real Jenkinsfile, really run, by runner/ on Groovy."""

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest
from aiosmtpd.smtp import SMTP

from fixtures.sandbox.binaries import cache
from fixtures.waiting import wait

RUNNER = Path(__file__).parent / "runner"
GROOVY = "org.apache.groovy:groovy:4.0.28"
SHA256 = "d77164a44ab994837e61eecead64721bdb1794fa2bc6704ac6fe70cd32ef9dd3"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
NOT_RUN = "THE JENKINSFILE IS NOT EXECUTED: "
WHO = ["-c", "user.name=ana", "-c", "user.email=ana@example.com"]


@pytest.fixture(scope="session")
def groovy() -> Path:
    """Groovy's jar, by way of Maven, which knows where this machine gets its artifacts from."""
    if not (shutil.which("java") and shutil.which("mvn")):
        pytest.skip(f"{NOT_RUN}it needs java (17) and mvn on PATH")
    folder = cache() / "groovy"
    jar = folder / f"{GROOVY.split(':')[1]}-{GROOVY.split(':')[2]}.jar"
    if not jar.exists():
        words = ["mvn", "-q", "-B", COPY, f"-Dartifact={GROOVY}", f"-DoutputDirectory={folder}"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            pytest.skip(f"{NOT_RUN}Maven can not get {GROOVY}")
    assert hashlib.sha256(jar.read_bytes()).hexdigest() == SHA256, f"{jar} is not {GROOVY}"
    return jar


@pytest.fixture(scope="session")
def jenkins(groovy: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs a build; the runner is compiled once."""
    classes = tmp_path_factory.mktemp("runner")
    compiler = ["org.codehaus.groovy.tools.FileSystemCompiler", "-d", str(classes)]
    sources = sorted(map(str, RUNNER.glob("*.groovy")))
    subprocess.run(["java", "-cp", str(groovy), *compiler, *sources], check=True, timeout=120)
    options = ["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{groovy}:{classes}"]
    return ["java", *options, "run"]


@dataclass
class Build:
    """One build, as somebody sees it who looks at its page."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    number: int

    @property
    def console(self) -> str:
        return (self.folder / "console.txt").read_text()

    def until(self, text: str, timeout: float = 600.0) -> None:
        """Wait for a line of the console."""

        def seen() -> bool:
            assert text in self.console or self.process.poll() is None, self.console[-3000:]
            return text in self.console

        wait(seen, what=f"'{text}' on the console", timeout=timeout)

    def abort(self) -> None:
        """Press the cross."""
        self.process.send_signal(signal.SIGTERM)

    def end(self, timeout: float = 600.0) -> str:
        """Wait for its end; give its result."""
        self.process.wait(timeout)
        return self.console.rstrip().rpartition("Finished: ")[2]

    def scripts(self) -> list[psutil.Process]:
        """Give what its steps have started and what that has started, the parents first."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def tests(self) -> list[list[str]]:
        """Give suite, class, name and outcome of each test that Jenkins has read."""
        return [line.split("\t") for line in (self.folder / "junit.tsv").read_text().splitlines()]


@dataclass
class Job:
    """A job: its repository, its builds, and what they are given."""

    folder: Path
    jenkins: list[str]
    smtp: str
    mails: list[EmailMessage]
    asked: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    builds: list[Build] = field(default_factory=list)

    @property
    def work(self) -> Path:
        """The checkout of a developer."""
        return self.folder / "work"

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *WHO, *words], cwd=self.work, check=True, capture_output=True, text=True, timeout=30
        )
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        """Commit and push all that has changed; give the commit."""
        if not (self.folder / "scm.git").exists():
            self.git("init", "--quiet", "--initial-branch=main")
            subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", self.folder / "scm.git"], check=True)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message)
        self.git("push", "--quiet", str(self.folder / "scm.git"), "HEAD:main")
        return self.git("rev-parse", "HEAD")

    def start(self, number: int = 0, **params: str) -> Build:
        """Begin a build: of the next number, or of one that is said."""
        number = number or len(self.builds) + 1
        asked = {
            "job": "rebate-core",
            "number": str(number),
            "url": "https://jenkins.example.com/",
            "home": str(self.folder / "home"),
            "scm": str(self.folder / "scm.git"),
            "smtp": self.smtp,
            **{f"param.{name}": value for name, value in params.items()},
            **self.asked,
        }
        folder = self.folder / "home" / "jobs" / "rebate-core" / str(number)
        folder.mkdir(parents=True)
        properties = folder / "asked.properties"
        properties.write_text("".join(f"{key}={value}\n" for key, value in asked.items()))
        with (folder / "console.txt").open("wb") as console:
            process = subprocess.Popen(
                [*self.jenkins, str(properties)], stdout=console, stderr=subprocess.STDOUT, env=self.environment
            )
        self.builds.append(Build(process, folder, number))
        return self.builds[-1]

    def run(self, **params: str) -> tuple[Build, str]:
        """Run a build to its end; give it and its result."""
        build = self.start(**params)
        return build, build.end()

    def close(self) -> None:
        """End what still runs."""
        for build in self.builds:
            if build.process.poll() is None:
                for each in [*build.scripts(), build.process]:
                    each.kill()
                build.process.wait()


class Inbox:
    """Keeps the mails that a real SMTP server is given."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        message = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        return "250 OK"


@pytest.fixture(scope="session")
def mail_server() -> Iterator[tuple[str, list[EmailMessage]]]:
    """A real SMTP server: its address, and the mails that it was given."""
    inbox, loop = Inbox(), asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    begin = loop.create_server(lambda: SMTP(inbox, loop=loop), "127.0.0.1", 0)
    server = asyncio.run_coroutine_threadsafe(begin, loop).result(10)
    yield "{}:{}".format(*server.sockets[0].getsockname()), inbox.mails
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture(scope="session")
def new_job(jenkins: list[str], mail_server: tuple[str, list[EmailMessage]]) -> Iterator[Callable[[Path], Job]]:
    """Make a job in a folder."""
    jobs: list[Job] = []

    def make(folder: Path) -> Job:
        (folder / "work").mkdir(parents=True)
        jobs.append(Job(folder, jenkins, *mail_server))
        return jobs[-1]

    yield make
    for job in jobs:
        job.close()


@pytest.fixture
def job(new_job: Callable[[Path], Job], tmp_path: Path) -> Job:
    """A job whose builds take seconds."""
    return new_job(tmp_path)
