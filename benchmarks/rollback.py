"""How fast a bad canary is gone: whole rollouts on the sandbox, timed by the Envoy's own log.

    python -m benchmarks.rollback --runs 20 --image bad --step 25       # 5 % errors at weight 25
    python -m benchmarks.rollback --runs 20 --image hopeless --step 5   # nothing but errors at weight 5

Each run is ``sluicegate run``; the times are those of its journal (``rollback_measured``): from the first request that
the canary answered badly to the last one routed to it, and from the verdict to that one.
"""

import sys
from statistics import median

import click

from benchmarks.live import Live, live


@click.command()
@click.option("--runs", default=20, show_default=True)
@click.option("--image", default="bad", show_default=True, help="bad (5 % errors), hopeless, slow")
@click.option("--step", default=25, show_default=True, help="the weight at which it is tried, percent")
@click.option("--rate", default=300.0, show_default=True, help="requests a second")
def main(runs: int, image: str, step: int, rate: float) -> None:
    """Time rollbacks."""
    with live(rate, steps=sorted({step, 100})) as sandbox:
        rows = [once(sandbox, image, f"run{number}") for number in range(runs)]
    times = sorted(row["last_routed"] - row["first_bad"] for row in rows)
    after = sorted(row["last_routed"] - row["verdict"] for row in rows)
    bad = sorted(row["bad"] for row in rows)
    print(f"{image} at {step} %, {rate:g} requests a second, {runs} runs")
    for name, values in (("rollback time, s", times), ("verdict to last request, s", after), ("bad answers", bad)):
        print(f"  {name:28} median {median(values):.2f}  19 of 20 {at(values, 0.95):.2f}  most {values[-1]:.2f}")


def at(values: list[float], share: float) -> float:
    """Give the value that a share of all do not exceed."""
    return values[max(0, round(share * len(values)) - 1)]


def once(sandbox: Live, image: str, name: str) -> dict[str, float]:
    """Run one rollout, and give what its journal says of the rollback."""
    released = sandbox.run(image, name)
    measured = released.one("rollback_measured")
    if released.exit_code != 1 or measured.get("first_bad") is None:
        sys.exit(f"exit {released.exit_code}, no rollback to measure:\n{released.said}")
    print(f"{measured['last_routed'] - measured['first_bad']:6.2f} s", flush=True)
    return measured


if __name__ == "__main__":
    main()
