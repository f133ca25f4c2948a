"""Plays a journal as if it happened now, so that a person can look at the screens.

python tests/ci/reporters/demonstration.py tests/ci/reporters/recorded/rolled_back.jsonl --speed 2
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from ci.reporters.closing import closing
from ci.reporters.journal import read
from ci.reporters.kept import Kept
from ci.reporters.plain import Plain
from ci.reporters.reporter import Reporters
from ci.reporters.terminal import Terminal, suits


@click.command()
@click.argument("journal", type=click.Path(path_type=Path, exists=True))
@click.option("--speed", default=1.0, help="times as fast as it happened")
@click.option("--until", default=float("inf"), help="stop after so many seconds and stay there")
def play(journal: Path, speed: float, until: float) -> None:
    """Play JOURNAL."""
    events = list(read(journal))
    first, started = events[0].at, time.time()
    kept = Kept()

    def now() -> float:
        return first + min((time.time() - started) * speed, until)

    live = (
        Terminal("sluicegate abort examples/rebate-core/release.yaml", now=now)
        if suits(sys.stdout)
        else Plain(sys.stdout)
    )
    reporters = Reporters([kept, live])
    for event in events:
        while now() < event.at:
            time.sleep(0.01)
        reporters.tell(replace(event))
    reporters.close()
    Console().print(closing(kept.events, {"journal": str(journal)}))


if __name__ == "__main__":
    play()
