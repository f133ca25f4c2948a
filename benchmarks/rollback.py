"""How fast a bad canary is gone: whole rollouts on the sandbox, timed by the Envoy's own log.

    python benchmarks/rollback.py --runs 20 --image bad --step 25       # 5 % errors at weight 25
    python benchmarks/rollback.py --runs 20 --image hopeless --step 5   # nothing but errors at weight 5

Each run is ``sluicegate run``; the times are those of its journal (``rollback_measured``): from the first request that
the canary answered badly to the last one routed to it, and from the verdict to that one.
"""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click
import yaml

from fixtures.arranged import EXAMPLE
from fixtures.sandbox import up


@click.command()
@click.option("--runs", default=20, show_default=True)
@click.option("--image", default="bad", show_default=True, help="bad (5 % errors), hopeless, slow")
@click.option("--step", default=25, show_default=True, help="the weight at which it is tried, percent")
@click.option("--rate", default=300.0, show_default=True, help="requests a second")
def main(runs: int, image: str, step: int, rate: float) -> None:
    """Time rollbacks."""
    with TemporaryDirectory() as folder, up.start(Path(folder) / "sandbox", rate=rate) as sandbox:
        release = Path(folder) / "release.yaml"
        document = yaml.safe_load(EXAMPLE.read_text()) | {"steps": sorted({step, 100}), "gates": []}
        release.write_text(yaml.safe_dump(document))
        rows = [once(sandbox, release, image, Path(folder) / f"run{number}") for number in range(runs)]
    times = sorted(row["last_routed"] - row["first_bad"] for row in rows)
    after = sorted(row["last_routed"] - row["verdict"] for row in rows)
    bad = sorted(row["bad"] for row in rows)
    print(f"{image} at {step} %, {rate:g} requests a second, {runs} runs")
    for name, values in (("rollback time, s", times), ("verdict to last request, s", after), ("bad answers", bad)):
        print(f"  {name:28} median {median(values):.2f}  19 of 20 {at(values, 0.95):.2f}  most {values[-1]:.2f}")


def at(values: list[float], share: float) -> float:
    """Give the value that a share of all do not exceed."""
    return values[max(0, round(share * len(values)) - 1)]


def once(sandbox: up.Sandbox, release: Path, image: str, reports: Path) -> dict[str, float]:
    """Run one rollout, and give what its journal says of the rollback."""
    command = ["run", str(release), "--image", sandbox.info["images"][image], "--target", f"sandbox:{sandbox.state}"]
    done = subprocess.run(
        [sys.executable, "-m", "ci.rollout", *command, "--reports", str(reports)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in (reports / "journal.jsonl").read_text().splitlines()]
    measured = [line for line in lines if line["kind"] == "rollback_measured"]
    if done.returncode != 1 or not measured or measured[0]["first_bad"] is None:
        sys.exit(f"exit {done.returncode}, no rollback to measure:\n{done.stdout}")
    print(f"{measured[0]['last_routed'] - measured[0]['first_bad']:6.2f} s", flush=True)
    return measured[0]


if __name__ == "__main__":
    main()
