"""How fast a dead driver's canary is gone: rollouts on the sandbox, killed at random moments, and recovered.

    python -m benchmarks.recovery --runs 20            # somebody knows that the driver is dead: recover --now
    python -m benchmarks.recovery --runs 20 --wait     # nobody does: its Lease is watched first

Each run is ``sluicegate run`` with a good image. After a random time the driver and all that it has started get
SIGKILL, and ``sluicegate recover`` follows. The time is that from the kill to the last request that the Envoy's own log
says was routed to the canary; where the record says that stable is half rolled the canary has to carry on until stable
is ready again, and that counts. A run is safe when ``recover`` says so and the canary has weight 0 at the end.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from statistics import median

import click
import psutil

from benchmarks.live import Live, live
from fixtures.access_log import entries
from fixtures.cluster import VIRTUAL_SERVICES
from fixtures.istio import Subsets, weights
from fixtures.target import resolve


@click.command()
@click.option("--runs", default=20, show_default=True)
@click.option("--wait", is_flag=True, help="Watch the Lease until it has run out, as a Job does.")
@click.option("--rate", default=300.0, show_default=True, help="requests a second")
@click.option("--seed", default=0, show_default=True, help="of the moments")
def main(runs: int, wait: bool, rate: float, seed: int) -> None:
    """Kill drivers, and time what follows."""
    moments = Random(seed)
    with live(rate, steps=[5, 25, 100]) as sandbox:
        rows = [once(sandbox, f"run{n}", moments.uniform(1, 25), now=not wait) for n in range(runs)]
    gone, whole = sorted(row[0] for row in rows), sorted(row[1] for row in rows)
    print(f"{runs} drivers killed at random moments, {'Lease watched' if wait else 'recover --now'}; all safe")
    print(f"  kill to last canary request, s   median {median(gone):.2f}  most {gone[-1]:.2f}")
    print(f"  recover, start to end, s         median {median(whole):.2f}  most {whole[-1]:.2f}")


def once(sandbox: Live, name: str, after: float, *, now: bool) -> tuple[float, float]:
    """Kill one driver and recover what it leaves; give the seconds until its canary was gone, and of all."""
    target = f"sandbox:{sandbox.sandbox.state}"
    kill(sandbox, target, sandbox.folder / name, after)
    died = time.time()
    words = ["recover", str(sandbox.release), "--target", target, "--json", *(["--now"] if now else [])]
    done = sluicegate([*words, "--reports", str(sandbox.folder / f"{name}-back")])
    took = time.time() - died
    weight = canary(target)
    left = [json.loads(line) for line in done.stdout.splitlines()]
    phase = next((each["reason"] for each in left if each.get("kind") == "rollback_began"), "nothing to recover")
    if done.returncode not in (0, 1) or weight:
        sys.exit(f"killed after {after:.1f} s, exit {done.returncode}, canary {weight:g} %: {done.stdout}{done.stderr}")
    last = max((e.start for e in entries(resolve(target).access_log or Path()) if e.subset == "canary"), default=died)
    print(
        f"killed after {after:4.1f} s: canary gone {max(0.0, last - died):5.2f} s, all {took:5.2f} s; {phase}",
        flush=True,
    )
    return max(0.0, last - died), took


def kill(sandbox: Live, target: str, reports: Path, after: float) -> None:
    """Start a release, and end it and all that it has started after a while, as kill -9 does."""
    words = [str(sandbox.release), "--image", sandbox.sandbox.info["images"]["v2"], "--target", target]
    command = [sys.executable, "-m", "ci.rollout", "run", *words, "--reports", str(reports)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after)
    for each in [*psutil.Process(process.pid).children(recursive=True), process]:
        each.kill()
    process.wait()


def sluicegate(words: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run a command of ours."""
    return subprocess.run([sys.executable, "-m", "ci.rollout", *words], capture_output=True, text=True, check=False)


def canary(target: str) -> float:
    """Give the canary's weight, percent."""
    service = Subsets("rebate-core.production.svc.cluster.local", "stable", "canary")
    found = weights(resolve(target).cluster().get(VIRTUAL_SERVICES, "production", "rebate-core"), service)
    return found.canary if found else 0.0


if __name__ == "__main__":
    main()
