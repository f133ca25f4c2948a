"""A run of pytest that judges a release: started with an environment of its own, and listened to line by line.

Rules:
    1. The environment is built, not inherited: the gates' read-only kubeconfig with an empty home, and the few
       variables that a program needs to run. No Git or registry secret of the driver is in it.
    2. The run has a process group of its own: Ctrl-C reaches the driver only, which then ends the run.
    3. Verdicts are read from a file that the run appends to; it is looked at every ``LOOK`` seconds.
    4. A run is ended with SIGTERM, so that it writes its JUnit file; one that does not end is killed.
"""

import json
import os
import signal
import site
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ci.conclusion import Line

ROOT = Path(__file__).resolve().parent.parent
LOOK = 0.02  # seconds between two looks at the verdict lines
GRACE = 5.0  # seconds that a run has to end by itself
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Order:
    """Which run is wanted.

    Attributes:
        scenario: its name, such as ``canary_step``.
        name: of the files it leaves, and of its JUnit suite behind the service's name.
        nonce: that its verdict lines carry.
        options: of the scenario, such as ``{"--step": "25"}``.
        watch: whether it decides nothing, looks for harm only, and goes on until it is told to end.
    """

    scenario: str
    name: str
    nonce: str
    options: Mapping[str, str]
    watch: bool = False


class Run(Protocol):
    """A run that was started; ``command`` is how a person could start it."""

    command: Sequence[str]
    junit: Path
    verdicts: Path

    def lines(self) -> list[Line]:
        """Give the verdict lines that are new."""

    def status(self) -> int | None:
        """Give the exit status; None while it runs."""

    def end(self, *, gently: bool) -> int:
        """See to it that it ends, and give its exit status; ``gently`` lets it end by itself first."""


Suites = Callable[[Order], Run]


class PytestSuites:
    """Starts runs of pytest.

    Args:
        service: the service's name, for JUnit.
        reports: where JUnit files, verdict lines and the runs' own output go.
        kubeconfig: what the gates may use; None for the usual client configuration.
    """

    def __init__(self, service: str, reports: Path, kubeconfig: Path | None) -> None:
        self._service = service
        self._reports = reports
        self._kubeconfig = kubeconfig

    def __call__(self, order: Order) -> Run:
        """Start a run.

        Args:
            order: what is wanted.
        """
        files = {ending: self._reports / f"{order.name}.{ending}" for ending in ("xml", "verdicts.jsonl", "log")}
        for file in files.values():
            file.unlink(missing_ok=True)
        home = self._reports / ".home"
        home.mkdir(exist_ok=True)
        words = command(order, self._service, files["xml"], files["verdicts.jsonl"])
        with files["log"].open("wb") as log:
            process = subprocess.Popen(
                words,
                cwd=ROOT,
                env=environment(os.environ, home, self._kubeconfig),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return PytestRun(process, words, files["xml"], files["verdicts.jsonl"], order.nonce)


class PytestRun:
    """A run of pytest.

    Args:
        process: the leader of its own process group.
        command: that started it.
        junit: the JUnit file that it will leave.
        verdicts: the file of its verdict lines.
        nonce: that its lines carry; others are not its own.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        command: Sequence[str],
        junit: Path,
        verdicts: Path,
        nonce: str,
    ) -> None:
        self.command = command
        self.junit = junit
        self.verdicts = verdicts
        self._process = process
        self._nonce = nonce
        self._read = 0

    def lines(self) -> list[Line]:
        """Give the verdict lines that are new; half a line waits for its end."""
        with suppress(FileNotFoundError), self.verdicts.open("rb") as file:
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
            self._read += len(whole) + len(newline)
            return [line for text in whole.splitlines() if (line := self._line(text))]
        return []

    def status(self) -> int | None:
        """Give the exit status; None while it runs."""
        return self._process.poll()

    def end(self, *, gently: bool) -> int:
        """See to it that the run ends.

        Args:
            gently: whether it may end by itself first, because it has said its last verdict.

        Returns:
            Its exit status.
        """
        for number in (0, signal.SIGTERM, signal.SIGKILL) if gently else (signal.SIGTERM, signal.SIGKILL):
            self._signal(number)
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(GRACE)
        return self._process.wait(GRACE)

    def _signal(self, number: int) -> None:
        """Reach the run and all that it has started."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _line(self, text: bytes) -> Line | None:
        """Read a line; what is not one of this run's is nobody's verdict."""
        try:
            line: dict[str, Any] = json.loads(text)
            return line if line["nonce"] == self._nonce else None
        except (ValueError, TypeError, KeyError):
            return None


def command(order: Order, service: str, junit: Path, verdicts: Path) -> Sequence[str]:
    """Write the command line, as a person could type it.

    Args:
        order: what is wanted.
        service: the service's name.
        junit: the JUnit file to write.
        verdicts: the file of verdict lines.
    """
    options = [word for option, value in order.options.items() for word in (option, value)]
    options += ["--watch"] if order.watch else []
    return [
        *(sys.executable, "-m", "pytest", f"scenarios/{order.scenario}.py", *options),
        *("--verdicts", str(verdicts), "--nonce", order.nonce, f"--junitxml={junit}"),
        *("-o", f"junit_suite_name={service}.{order.name}", "-p", "no:cacheprovider", "-p", "no:xdist"),
    ]


def environment(ours: Mapping[str, str], home: Path, kubeconfig: Path | None) -> dict[str, str]:
    """Build the environment of a run.

    Args:
        ours: the driver's own environment.
        home: an empty folder.
        kubeconfig: what the gates may use; None for the usual client configuration, which may need the real home
            (a plugin of the kubeconfig that logs in).
    """
    kept = KEPT if kubeconfig else (*KEPT, "HOME", "KUBECONFIG")
    return {
        **({"HOME": str(home), "KUBECONFIG": str(kubeconfig)} if kubeconfig else {}),
        **{name: ours[name] for name in kept if name in ours},
        "PYTHONUSERBASE": site.getuserbase(),  # where packages are that were installed with --user
        "PYTHONUNBUFFERED": "1",
        # No pytest plugin that happens to be installed has a say in a verdict; and it starts half a second sooner.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
