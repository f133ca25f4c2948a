"""How fast a bad canary is gone: whole rollouts on the sandbox, timed by the Envoy's own log.

    python -m benchmarks.rollback --runs 20 --image bad --step 25       # 5 % errors at weight 25
    python -m benchmarks.rollback --runs 20 --image hopeless --step 5   # nothing but errors at weight 5
    python -m benchmarks.rollback --runs 50 --latency 0.05              # each call to the API server takes 50 ms longer
    python -m benchmarks.rollback --runs 50 --refused 0.5               # it answers half of them with 500

Each run is ``sluicegate run``; the times are those of its journal (``rollback_measured``): from the first request that
the canary answered badly to the last one routed to it, and from the verdict to that one. Driver and gates reach the API
server by a proxy (``benchmarks/robustness/proxy.py``), which refuses calls from the moment the canary has its weight.
"""

import math
import sys
from dataclasses import replace
from statistics import median

import click

from benchmarks.live import Event, Live, live
from benchmarks.robustness.faults import Faults
from benchmarks.robustness.proxy import FaultyApi
from benchmarks.robustness.stage import faulty


@click.command()
@click.option("--runs", default=20, show_default=True)
@click.option("--image", default="bad", show_default=True, help="bad (5 % errors), hopeless, slow")
@click.option("--step", default=25, show_default=True, help="the weight at which it is tried, percent")
@click.option("--rate", default=300.0, show_default=True, help="requests a second")
@click.option("--latency", default=0.0, show_default=True, help="seconds that a call to the API server takes longer")
@click.option("--refused", default=0.0, show_default=True, help="the share of calls to it that are answered with 500")
def main(runs: int, image: str, step: int, rate: float, latency: float, refused: float) -> None:
    """Time rollbacks."""
    faults = Faults(latency=latency, refused=refused)
    with live(rate, steps=sorted({step, 100})) as straight, faulty(straight) as (place, api):
        rows = [once(place, api, replace(faults, seed=seed), image, step) for seed in range(runs)]
    print(
        f"{image} at {step} %, {rate:g} requests a second, API {latency:g} s slower, {refused:.0%} refused, {runs} runs"
    )
    times = [row["last_routed"] - row["first_bad"] for row in rows]
    after = [row["last_routed"] - row["verdict"] for row in rows]
    bad = [row["bad"] for row in rows]
    for name, values in (("rollback time, s", times), ("verdict to last request, s", after), ("bad answers", bad)):
        print(f"  {name:28} median {median(values):.2f}  p95 {at(values, 0.95):.2f}  p99 {at(values, 0.99):.2f}")


def at(values: list[float], share: float) -> float:
    """Give the least value that this share of all do not exceed; of 50 values, 99 % do not exceed the greatest."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def once(place: Live, api: FaultyApi, faults: Faults, image: str, step: int) -> Event:
    """Run one rollout, and give what its journal says of the rollback."""
    api.begin(replace(faults, refused=0.0))

    def hear(event: Event) -> None:
        if event["kind"] == "weights_written" and event["canary"] == step:
            api.begin(faults)

    released = place.run(image, f"run{faults.seed}", hear)
    measured, began = released.one("rollback_measured"), released.one("rollback_began")
    if released.exit_code != 1 or measured.get("first_bad") is None:
        sys.exit(f"exit {released.exit_code}, no rollback to measure:\n{released.said}")
    total, after = (measured["last_routed"] - measured[since] for since in ("first_bad", "verdict"))
    print(
        f"{total:6.2f} s, of it {after:5.2f} s after the verdict; {len(api.done)} refused; {began['reason']}",
        flush=True,
    )
    return measured


if __name__ == "__main__":
    main()
