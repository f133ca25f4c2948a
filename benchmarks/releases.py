"""Whether good images are promoted and bad ones are not: whole releases on the sandbox, and their journals replayed.

    python -m benchmarks.releases --runs 20 --image v2      # as good as stable
    python -m benchmarks.releases --runs 20 --image bad     # 5 % errors
    python -m benchmarks.releases --runs 5 --image fair     # 0.1 % errors

Each run is ``sluicegate run`` with the steps of the example. Exit status 1 when one ends in another way than the first,
or when a replay of its journal does not decide the same at the same look.
"""

import sys
from collections import Counter
from typing import Any

import click

from benchmarks.live import Released, live
from ci.replay import journal
from ci.replay.objectives import Objectives


@click.command()
@click.option("--runs", default=20, show_default=True)
@click.option("--image", default="v2", show_default=True, help="v2 (good), fair (0.1 % errors), bad, hopeless, slow")
@click.option("--rate", default=1000.0, show_default=True, help="requests a second")
def main(runs: int, image: str, rate: float) -> None:
    """Release an image again and again."""
    rows: list[tuple[str, ...]] = []
    with live(rate) as sandbox:
        for number in range(runs):
            promoted = number % 2 == 1 and rows[-1][0] == "promoted"
            rows.append(row(sandbox.run("v1" if promoted else image, f"run{number}")))  # what stable runs is no release
            print("  ".join(rows[-1]), flush=True)
    outcomes, alike = Counter(row[0] for row in rows), sum(row[1] == "alike" for row in rows)
    told = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    print(f"{image}, {rate:g} requests a second, {runs} runs: {told}; {alike} replays alike")
    sys.exit(len(outcomes) > 1 or alike < runs)


def row(released: Released) -> tuple[str, str, str, str]:
    """Say how a release ended, whether its replay is alike, how long it took, and why it ended so."""
    began, ended = released.one("rollout_began"), released.one("rollout_ended")
    found = journal.judge(released.journal, Objectives())
    alike = all(said(step["gates"]) == said(step["live"], among=step["gates"]) for step in found["steps"])
    return ended["outcome"], "alike" if alike else "NOT ALIKE", f"{ended['at'] - began['at']:.1f} s", ended["sentence"]


def said(gates: dict[str, Any], among: dict[str, Any] | None = None) -> dict[str, tuple[str, float]]:
    """Give what gates decided and after how many seconds; what they left undecided has no moment."""
    return {
        name: (gate["verdict"], gate["after"])
        for name, gate in gates.items()
        if name in (among or gates) and gate["after"] is not None and gate["verdict"] != "INCONCLUSIVE"
    }


if __name__ == "__main__":
    main()
