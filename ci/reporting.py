"""Who listens to a rollout that was started from the command line."""

import json
import os
import sys
from pathlib import Path
from typing import TextIO

from ci.events import Event, as_json
from ci.reporters.aside import Aside
from ci.reporters.journal import JOURNAL, Journal
from ci.reporters.kept import Kept
from ci.reporters.kubernetes_events import KubernetesEvents
from ci.reporters.notify.channel import Notifiers
from ci.reporters.notify.channels import channels
from ci.reporters.plain import Plain
from ci.reporters.redaction import Redactor
from ci.reporters.report.reporter import Report
from ci.reporters.reporter import Reporter, Reporters
from ci.reporters.terminal import Terminal, suits
from ci.state import Job
from fixtures.target import Target


class JsonLines:
    """Writes each event as a JSON line, for programs.

    Args:
        stream: where to.
        service: stands in each line, where several are released as one.
    """

    def __init__(self, stream: TextIO, service: str = "") -> None:
        self._stream = stream
        self._service = {"service": service} if service else {}

    def tell(self, event: Event) -> None:
        """Write the event's line, flushed."""
        print(json.dumps(self._service | as_json(event), default=str), file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing to finish: the stream is not ours."""


class Listeners:
    """Journal, screen, Kubernetes Events, report and messages of one rollout.

    Args:
        job: the rollout.
        target: where it runs.
        as_json: JSON lines on stdout instead of something for people.
        alone: whether this is the only rollout; one of many shows nothing on the screen.
        name: of the service, where several are released as one: their lines stand between each other.
    """

    def __init__(self, job: Job, target: Target, *, as_json: bool, alone: bool = True, name: str = "") -> None:
        self._closes = alone and not as_json
        self._journal = job.reports / JOURNAL
        self._kept = Kept()
        first = job.release.names.virtual_services[0]
        events = KubernetesEvents(target.cluster(), job.release.namespace, first)
        abort = f"sluicegate abort {job.file} --target {job.target}"
        screen = [_screen(abort, name, as_json=as_json)] if alone else []
        self._report = Report(self._journal)
        self._told = Notifiers(channels(job, os.environ), self.tell)
        reporters: list[Reporter] = [
            Journal(self._journal),
            self._kept,
            *screen,
            Aside(events),
            self._report,
            self._told,
        ]
        self._all = Reporters(reporters, Redactor(os.environ, job.release.notify.secrets))

    def tell(self, event: Event) -> None:
        """Tell all of them; raises nothing."""
        self._all.tell(event)

    def close(self) -> None:
        """Let all of them finish, then print the closing screen of a rollout that has begun."""
        self._told.finish()
        self._all.close()
        if self._kept.events and self._closes:
            from rich.console import Console  # noqa: PLC0415 - only now

            from ci.reporters.closing import closing  # noqa: PLC0415

            left = {"journal": self._journal, "report": self._report.page}
            there = {name: str(file) for name, file in left.items() if file.exists()}
            Console(highlight=False, markup=False, emoji=False).print(closing(self._kept.events, there))


def _screen(abort: str, name: str, *, as_json: bool) -> Reporter:
    if as_json:
        return JsonLines(sys.stdout, name)
    return Terminal(abort) if suits(sys.stdout) and not name else Plain(sys.stdout, name)


def fresh(reports: Path) -> None:
    """Make the folder for a rollout's files, and clear away what an earlier rollout has left of the same names.

    Jenkins reads every JUnit file that it finds: one that is left over would count again.

    Args:
        reports: the folder.
    """
    reports.mkdir(parents=True, exist_ok=True)
    for scenario in ("preflight", "deployed", "step-*", "watch-*", "promotion-*", "rollback*"):
        for ending in ("xml", "log", "verdicts.jsonl"):
            for left in reports.glob(f"{scenario}.{ending}"):
                left.unlink()
    for left in (reports / JOURNAL, Report(reports / JOURNAL).page):
        left.unlink(missing_ok=True)
