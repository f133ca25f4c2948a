"""``make demo``: a whole release on the sandbox, live, and then one that has to be taken back.

Both are what a person would type, ``sluicegate run``; this module only sets the stage, and afterwards looks for itself
whether Git, cluster and data plane are as they should be. Its exit status is 0 only when all of that was seen.
"""

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ci.demo_proof import Found, Places, look
from fixtures.access_log import Entry, TakenBack, entries, taken_back
from fixtures.arranged import EXAMPLE
from fixtures.errors import SluicegateError
from fixtures.release import load_release
from fixtures.sandbox import up
from fixtures.sandbox.real.choice import Real, parse
from fixtures.target import of_sandbox
from fixtures.waiting import SYSTEM_CLOCK

NAMES = {Real.KUBE: "Kubernetes", Real.ARGOCD: "Argo CD", Real.ISTIO: "Istio"}


@click.command()
@click.option("--rate", default=1000.0, show_default=True, help="Requests a second.")
@click.option("--reports", type=click.Path(file_okay=False, path_type=Path), default=Path("reports/demo"))
@click.option(
    "--real", default="", help="Control planes that are not stood in for: kube,argocd,istio, or some of them."
)
def main(rate: float, reports: Path, real: str) -> None:
    """Promote a good image and take a bad one back, on a sandbox of its own."""
    try:
        sys.exit(0 if shows(rate, reports, parse(real)) else 1)
    except SluicegateError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)


def shows(rate: float, reports: Path, real: frozenset[Real]) -> bool:
    """Run the demo; say whether all was seen.

    Args:
        rate: requests a second.
        reports: where the evidence goes.
        real: control planes that are not stood in for.
    """
    began = SYSTEM_CLOCK.monotonic()
    with TemporaryDirectory(prefix="sluicegate-demo-") as folder:
        state = Path(folder) / "sandbox"
        with up.start(state, rate=rate, real=real) as sandbox:
            parts = ", ".join(["Envoy", *(NAMES[each] for each in Real if each in real), "registry and Git"])
            took = SYSTEM_CLOCK.monotonic() - began
            heading(
                f"A sandbox is up after {took:.0f} s: {parts} are real, {rate:g} requests a second are on their way."
            )
            images = sandbox.info["images"]
            good = promoted(state, images["v2"], reports / "good")
            bad = taken_away(state, images["bad"], images["v2"], reports / "bad")
    heading(f"{SYSTEM_CLOCK.monotonic() - began:.0f} s in all; evidence is in {reports}/")
    return good and bad


def heading(text: str) -> None:
    """Print a line that stands out."""
    click.secho(f"\n{text}\n", bold=True)


def release(state: Path, image: str, reports: Path) -> int:
    """Type the command that a person would; gives its exit status.

    Args:
        state: the sandbox's folder.
        image: the new image.
        reports: where the evidence goes.
    """
    command = ["run", str(EXAMPLE), "--image", image, "--target", f"sandbox:{state}", "--reports", str(reports)]
    click.echo("$ sluicegate run examples/rebate-core/release.yaml --image ..." + image[-12:])
    return subprocess.run([sys.executable, "-m", "ci.rollout", *command], check=False).returncode


def promoted(state: Path, image: str, reports: Path) -> bool:
    """Release a good image; say whether it is where it should be.

    Args:
        state: the sandbox's folder.
        image: the new image.
        reports: where the evidence goes.
    """
    heading("1. A good image: up to 5, 25, 50 and 100 % as long as its tests pass, then into stable.")
    status = release(state, image, reports)
    return shown("promoted", status == 0, look(of_sandbox(state), load_release(EXAMPLE)), image)


def taken_away(state: Path, image: str, before: str, reports: Path) -> bool:
    """Release a bad image; say whether it is gone, and how fast.

    Args:
        state: the sandbox's folder.
        image: the bad image: 5 % of its answers are errors.
        before: the image that stable has and keeps.
        reports: where the evidence goes.
    """
    heading("2. A bad image: 5 % of its answers are errors, and nobody watches but the tests.")
    since = SYSTEM_CLOCK.now()
    status = release(state, image, reports)
    places = look(of_sandbox(state), load_release(EXAMPLE))
    found = shown("taken back", status == 1, places, before)
    logs = {"Envoy's log": entries(state / "access.log"), "the load generator": asked(state / "truth.csv")}
    times = {who: taken_back(log, "canary", since) for who, log in logs.items()}
    for who, time in times.items():
        click.echo(f"  rollback time by {who}: {told(time)}")
    return found and all(times.values())


def told(time: TakenBack | None) -> str:
    """Say how fast traffic was taken back."""
    if time is None:
        return "no bad answer of the canary was seen"
    return f"{time.seconds:.2f} s from the first of {time.bad} bad answers to the last request routed to the canary"


def asked(truth: Path) -> Iterator[Entry]:
    """Read what the load generator saw of each request.

    Args:
        truth: its file.
    """
    with truth.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["latency_ms"] is not None:
                yield Entry(float(row["start_unix"]), row["version"], int(row["status"] or 0))


def shown(what: str, ended: bool, places: Places, image: str) -> bool:
    """Print the three places beside what they should say; gives whether all agree.

    Args:
        what: how the release should have ended.
        ended: whether the command said so.
        places: what was found.
        image: the digest reference that stable shall run.
    """
    rows = [Found("the command", f"says: {what}", ended), *places.against(image)]
    click.echo()
    for row in rows:
        mark = click.style("yes", fg="green") if row.as_wanted else click.style("NO ", fg="red", bold=True)
        click.echo(f"  {mark}  {row.where:<12} {row.says}")
    return all(row.as_wanted for row in rows)


if __name__ == "__main__":
    main()
