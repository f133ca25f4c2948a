"""The command line: ``sluicegate`` (or ``python -m ci.rollout``).

Everything heavy is imported by the command that needs it: ``--help`` answers at once. Errors that are meant for a
person are printed as what is wrong, where, and what to do; anything else is a mistake of ours and shows its trace.
"""

import json
import sys
from pathlib import Path
from typing import Any

import click

from fixtures.errors import SluicegateError

EXIT_CODES = """\b
Exit status:
  0  promoted (or: the command did what was asked)
  1  not promoted: rolled back, or refused by preflight; the service is as before
  2  wrong usage or configuration; nothing was changed
  3  another rollout has the service; nothing was changed (a weight that is held keeps `run` running)
  4  the rollback is not complete: a person is needed
"""

RELEASE = click.argument("file", metavar="RELEASE", type=click.Path(dir_okay=False, path_type=Path))
TARGET = click.option(
    "--target", default="sandbox", show_default=True, help="sandbox, sandbox:FOLDER, or a context of your kubeconfig."
)
REASON = click.option("--reason", default="by hand", show_default=True, help="Stands in the record, for the others.")
JSON = click.option("--json", "as_json", is_flag=True, help="JSON on stdout, for programs.")


class Commands(click.Group):
    """Commands whose errors are told to people."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of the harness becomes its sentence and its exit status."""
        try:
            return super().invoke(ctx)
        except SluicegateError as error:
            click.echo(told(error), err=True)
            ctx.exit(error.exit_code)


def told(error: SluicegateError) -> str:
    """Write an error as what, where, remedy, a line each.

    Args:
        error: to be told.
    """
    from ci.reporters.strings import harmless  # noqa: PLC0415
    from fixtures.redaction import redact  # noqa: PLC0415

    parts = (("sluicegate:", error.what), ("  where:", error.where), ("  do:   ", error.remedy))
    lines = ((label, "\n            ".join(map(harmless, redact(text).split("\n")))) for label, text in parts if text)
    return "\n".join(f"{label} {text}" for label, text in lines)


@click.group(cls=Commands, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sluicegate")
def main() -> None:
    """Let a new version have traffic step by step, as long as its gates pass."""


@main.command(epilog=EXIT_CODES)
@click.argument("files", metavar="RELEASE...", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--image", "images", required=True, multiple=True, metavar="REF", help="Its new image: tag or digest.")
@TARGET
@click.option("--reports", type=click.Path(file_okay=False, path_type=Path), help="Folder for all evidence.")
@click.option("--force", is_flag=True, help="Begin although a step can not pass within its limit; no gate is skipped.")
@click.option("--reason", default="", help="Why, for --force; stands in the record and in every report.")
@JSON
def run(
    files: tuple[Path, ...],
    images: tuple[str, ...],
    target: str,
    reports: Path | None,
    force: bool,
    reason: str,
    as_json: bool,
) -> None:
    """Release an image: up step by step, or back in seconds.

    Several files, each with an --image in the same order, are released as one: a weight rises for all when all have
    passed, and one failure takes all back.
    """
    if force != bool(reason.strip()):
        raise click.UsageError(
            "--force begins what can not pass in time: say why, with --reason TEXT; one needs the other"
        )
    from ci.job import as_one, job_for  # noqa: PLC0415
    from ci.together import release_all  # noqa: PLC0415
    from fixtures.release import load_release  # noqa: PLC0415
    from fixtures.target import resolve  # noqa: PLC0415

    releases = {file: load_release(file) for file in files}  # first: what is wrong can be said without a cluster
    as_one(releases, images)
    where = resolve(target)
    several = len(releases) > 1
    jobs = [
        job_for(
            release, file, image, where, reports / release.service if reports and several else reports, reason.strip()
        )
        for (file, release), image in zip(releases.items(), images, strict=True)
    ]
    sys.exit(release_all(jobs, where, as_json=as_json))


@main.command()
@RELEASE
@TARGET
@JSON
def status(file: Path, target: str, as_json: bool) -> None:
    """Show a service: rollout, weights, data plane, who drives."""
    from ci.status import status as look  # noqa: PLC0415
    from fixtures.release import load_release  # noqa: PLC0415
    from fixtures.target import resolve  # noqa: PLC0415

    found = look(load_release(file), resolve(target))
    click.echo(json.dumps(found.as_json(), default=str) if as_json else "\n".join(found.lines()))


@main.command()
@RELEASE
@TARGET
@REASON
@JSON
def abort(file: Path, target: str, reason: str, as_json: bool) -> None:
    """Take the traffic of a running rollout back at once, whoever drives it."""
    from ci.abort import abort_now  # noqa: PLC0415
    from ci.who import driver_name  # noqa: PLC0415
    from fixtures.release import load_release  # noqa: PLC0415
    from fixtures.target import resolve  # noqa: PLC0415

    done = abort_now(load_release(file), resolve(target), f"{driver_name()}: {reason}")
    click.echo(json.dumps(done.as_json()) if as_json else done.sentence)


def _seconds(_context: click.Context, _option: click.Parameter, text: str | None) -> float:
    from fixtures.quantities import duration  # noqa: PLC0415

    try:
        return duration(text) if text else 0.0
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@main.command(epilog=EXIT_CODES)
@click.argument("file", metavar="[RELEASE]", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--all", "everything", is_flag=True, help="All services of the cluster, from what their records say.")
@click.option("--expired", is_flag=True, help="Only where the driver's Lease has run out; --all has to say so.")
@click.option("--now", is_flag=True, help="You know that its driver is dead: traffic first, no watching of its Lease.")
@click.option("--wait", metavar="10m", callback=_seconds, help="For so long, wait for a driver that is alive to end.")
@TARGET
@click.option("--reports", type=click.Path(file_okay=False, path_type=Path), default=Path("reports"), help="Folder.")
@JSON
def recover(file: Path | None, target: str, reports: Path, wait: float, as_json: bool, **how: bool) -> None:
    """Bring a service back to a safe state whose driver has died, from the cluster alone.

    A driver that is alive is left alone, and named (exit status 3). 0: there was nothing to recover.
    """
    from ci.recovery import recover_all, recover_one  # noqa: PLC0415
    from fixtures.target import resolve  # noqa: PLC0415

    if (file is not None) == how["everything"] or how["everything"] != how["expired"]:
        raise click.UsageError("name a RELEASE, or say --all --expired")
    if how["everything"] and (how["now"] or wait):
        raise click.UsageError(
            "--now and --wait are for one RELEASE, whose driver you know to be dead, or to be ending"
        )
    where, worst = resolve(target), 0
    found = (
        [recover_one(file, where, reports, now=how["now"], as_json=as_json, wait=wait)]
        if file
        else recover_all(where, reports)
    )
    for each in found:
        worst = max(worst, each.exit_code)
        if not file or not each.reports:  # else the screen has told all of it
            click.echo(json.dumps(each.as_json()) if as_json else str(each))
    sys.exit(worst)


def _say(file: Path, target: str, what: str, reason: str, *, as_json: bool) -> None:
    """Say something to the rollout that is going on, whoever drives it."""
    from ci.ask import ask  # noqa: PLC0415
    from ci.traffic import traffic_of  # noqa: PLC0415
    from ci.who import driver_name  # noqa: PLC0415
    from fixtures.release import load_release  # noqa: PLC0415
    from fixtures.target import resolve  # noqa: PLC0415
    from fixtures.waiting import SYSTEM_CLOCK  # noqa: PLC0415

    traffic = traffic_of(load_release(file), resolve(target).cluster())
    said = ask(traffic, what, driver_name(), reason, SYSTEM_CLOCK.now())
    click.echo(json.dumps(said.as_json()) if as_json else said.sentence)


@main.command()
@RELEASE
@TARGET
@REASON
@JSON
def pause(file: Path, target: str, reason: str, as_json: bool) -> None:
    """Let no weight rise any more, whoever drives; the canary goes on being watched."""
    _say(file, target, "pause", reason, as_json=as_json)


@main.command()
@RELEASE
@TARGET
@REASON
@JSON
def resume(file: Path, target: str, reason: str, as_json: bool) -> None:
    """End a pause, or have an undecided step judged again."""
    _say(file, target, "resume", reason, as_json=as_json)


@main.command()
@RELEASE
@TARGET
@click.option("--reason", help="Stands in the record; with --force it has to be given.  [default: by hand]")
@click.option("--force", is_flag=True, help="Skip the gates of this weight as well; stands in every report.")
@JSON
def promote(file: Path, target: str, reason: str | None, force: bool, as_json: bool) -> None:
    """Skip the waiting, not the gates: approve what comes after this weight."""
    if force and not (reason or "").strip():
        raise click.UsageError("--force skips gates: say why, with --reason TEXT")
    _say(file, target, "force" if force else "promote", reason or "by hand", as_json=as_json)


@main.command()
@RELEASE
@TARGET
@JSON
def watch(file: Path, target: str, as_json: bool) -> None:
    """Show a running rollout, whoever drives it, until it is over; Ctrl-C only stops looking."""
    from ci.follow import follow  # noqa: PLC0415
    from ci.reporters.glances import shown  # noqa: PLC0415
    from fixtures.release import load_release  # noqa: PLC0415
    from fixtures.target import resolve  # noqa: PLC0415

    with shown(as_json=as_json) as show:
        follow(load_release(file), resolve(target), show)


@main.group()
def sandbox() -> None:
    """Everything that a release needs, on this machine: no Docker, no cluster."""


STATE = click.option(
    "--state", type=click.Path(file_okay=False, path_type=Path), help="Its folder; default: one for this user."
)


@sandbox.command()
@STATE
@click.option("--rate", default=300.0, show_default=True, help="Requests a second to begin with.")
@click.option("--real", default="", help="Control planes that are not stood in for: some of kube,argocd,istio.")
def up(state: Path | None, rate: float, real: str) -> None:
    """Start one and leave it running; print where everything is."""
    from fixtures.sandbox.real.choice import parse  # noqa: PLC0415
    from fixtures.sandbox.up import describe, start  # noqa: PLC0415
    from fixtures.target import sandbox_state  # noqa: PLC0415

    click.echo(describe(start(state or sandbox_state(), rate=rate, keep=True, real=parse(real)).info))


@sandbox.command()
@STATE
def down(state: Path | None) -> None:
    """End it, and whatever a killed one has left."""
    from fixtures.sandbox.up import stop  # noqa: PLC0415
    from fixtures.target import sandbox_state  # noqa: PLC0415

    stop(state or sandbox_state())


@sandbox.command("status")
@STATE
def sandbox_status(state: Path | None) -> None:
    """Print where everything is, if one runs."""
    from fixtures.sandbox.up import describe  # noqa: PLC0415
    from fixtures.target import sandbox_info, sandbox_state  # noqa: PLC0415

    click.echo(describe(sandbox_info(state or sandbox_state())))


@main.command()
@RELEASE
@click.option("--manifests", type=click.Path(path_type=Path), help="A checkout to look at instead of Git.")
@click.option("--target", help="Whose cluster has what lies elsewhere; with --manifests alone, none is asked.")
@JSON
def lint(file: Path, manifests: Path | None, target: str | None, as_json: bool) -> None:
    """Find what in the manifests would spoil a canary; exit status 1 when there is something."""
    from checks.verdict import Outcome  # noqa: PLC0415
    from ci.lint import lint as look  # noqa: PLC0415

    found = look(file, manifests, target)
    click.echo(json.dumps(found.as_json()) if as_json else "\n".join(found.lines()))
    sys.exit(0 if found.outcome is Outcome.PASS else 1)


@main.command()
@click.argument("checkout", type=click.Path(file_okay=False, path_type=Path))
@click.option("--path", required=True, help="The service's folder in the checkout, such as bases/rebate-core.")
@click.option("--host", required=True, help="By which clients address the service, such as rebate.example.com.")
@click.option("--gateway", default="", help="That serves it, NAMESPACE/NAME; else one is proposed.")
@click.option("--repository", default="", help="Address of the GitOps repository; else what the Application says.")
@click.option("--prometheus", default="", help="Its address, such as http://prometheus.istio-system:9090.")
@click.option(
    "--release", type=click.Path(dir_okay=False, path_type=Path), default=Path("release.yaml"), help="The file."
)
@click.option("--write", is_flag=True, help="Write it into the checkout; else it is only shown.")
def init(checkout: Path, *, write: bool, **given: Any) -> None:
    """Propose, as a diff, what a service with one Deployment needs for a canary."""
    from ci.adopt.found import look  # noqa: PLC0415
    from ci.adopt.propose import Given, propose  # noqa: PLC0415

    proposal = propose(look(checkout, given["path"].strip("/")), Given(**given))
    click.echo(proposal.diff(), nl=False)
    if write:
        proposal.write(checkout)
    for number, step in enumerate(proposal.steps, start=1):
        click.echo(f"{number}. {step}", err=True)


@main.command()
@RELEASE
@TARGET
@JSON
def doctor(file: Path, target: str, as_json: bool) -> None:
    """Look whether all that a release will need is there; exit status 1 when something is not."""
    from checks.verdict import Outcome  # noqa: PLC0415
    from ci.doctor.examine import examine  # noqa: PLC0415

    worst = 0
    for each in examine(file, target):
        worst = max(worst, int(each.verdict.outcome is Outcome.FAIL))
        click.echo(json.dumps(each.as_json()) if as_json else "\n".join(each.lines()))
    sys.exit(worst)


@main.command()
@RELEASE
@click.option("--accounts", default="sluicegate", show_default=True, help="The namespace in which the accounts are.")
def rights(file: Path, accounts: str) -> None:
    """Print the accounts and Roles that a release needs, and no more, for kubectl apply."""
    from ci.adopt.objects import dumped  # noqa: PLC0415
    from ci.doctor.roles import roles  # noqa: PLC0415
    from fixtures.release import load_release  # noqa: PLC0415

    click.echo(dumped(list(roles(load_release(file), accounts))), nl=False)


@main.command()
@click.argument("journal", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder; else report, by the journal.")
def report(journal: Path, out: Path | None) -> None:
    """Draw a rollout's report again, from its journal.jsonl."""
    from ci.reporters.report.reporter import FOLDER, draw  # noqa: PLC0415

    click.echo(draw(journal, out or journal.parent / FOLDER))


@main.command()
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", default="trend", show_default=True, type=click.Path(file_okay=False, path_type=Path))
@JSON
def trend(folders: tuple[Path, ...], out: Path, as_json: bool) -> None:
    """Tell what many rollouts say together, from the journals below some folders; draws a page in --out.

    How long they took and how often they were taken back, what each step needs, and DORA's four keys as far as a
    journal knows them. A journal that can not be used is named and passed over.
    """
    from rich.console import Console  # noqa: PLC0415

    from ci.trend.collect import collected  # noqa: PLC0415
    from ci.trend.page import write  # noqa: PLC0415
    from ci.trend.told import files, screen  # noqa: PLC0415

    found = collected(folders)
    page = write(found, out)
    if as_json:
        click.echo(json.dumps(found.as_json(), allow_nan=False))
    else:
        Console(highlight=False, markup=False, emoji=False).print(screen(found))
        click.echo("\n" + "\n".join(files(found, page)))


@main.command()
@RELEASE
@click.option("--rate", required=True, metavar="N/s", help="The traffic to both versions, such as 120/s.")
@click.option("--group", type=float, help="Requests that may share one fate; else what the release file says.")
@JSON
def plan(file: Path, rate: str, group: float | None, as_json: bool) -> None:
    """Say how long a release will take, and how soon a bad canary is stopped."""
    from ci.outlook import outlook, rate_of  # noqa: PLC0415
    from fixtures.release import load_release  # noqa: PLC0415

    found = outlook(load_release(file), rate_of(rate), group)
    click.echo(json.dumps(found.as_json()) if as_json else "\n".join(found.lines()))


@main.command()
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--error-rate", metavar="1%", help="The objective.")
@click.option("--latency", metavar="99%", help="The share of answers that must not be slow.")
@click.option("--margin", metavar="0.5%", help="By how much the canary's error rate may be over stable's.")
@click.option("--soak", metavar="60s", help="No PASS of a weight before so long.")
@click.option("--limit", metavar="10m", help="No look at a weight after so long.")
@click.option("--group", metavar="N|auto", help="Requests that may share one fate; auto: by the lines at weight 0.")
@click.option("--release", type=click.Path(dir_okay=False, path_type=Path), help="A release file, for the rest.")
@JSON
def replay(file: Path, as_json: bool, release: Path | None, **options: str | None) -> None:
    """Judge recorded traffic again: a journal, or JSON Lines with one look a line.

    A line is {"run": "a", "t": 12.0, "weight": 5, "canary": [{"pod": "c-1", "requests": 1204, "errors": 3,
    "slow": 9}], "stable": [...]}, with cumulative counters; docs/decision.md says more.
    """
    from ci.replay.command import replay as judged  # noqa: PLC0415

    for line in judged(file, as_json=as_json, release=release, options=options):
        click.echo(line)


@main.command()
@RELEASE
@click.option("--since", default="30d", show_default=True, help="How far back.")
@click.option("--every", default="1h", show_default=True, help="The time between two starts.")
@click.option("--prometheus", metavar="URL", help="Where the past is kept; else the release file's, on the target.")
@TARGET
@click.option("--reports", type=click.Path(file_okay=False, path_type=Path), help="Folder for a page with drawings.")
@JSON
def backtest(
    file: Path, since: str, every: str, prometheus: str | None, target: str, reports: Path | None, as_json: bool
) -> None:
    """Judge the past: what would have become of a canary as good as stable, day by day."""
    from rich.console import Console  # noqa: PLC0415

    from ci.backtest.command import backtest as judged  # noqa: PLC0415
    from ci.backtest.page import write  # noqa: PLC0415
    from ci.backtest.told import screen  # noqa: PLC0415
    from fixtures.waiting import SYSTEM_CLOCK  # noqa: PLC0415

    with Console(stderr=True).status(f"reading and judging the last {since}"):
        found = judged(file, since, every, prometheus, target, SYSTEM_CLOCK.now())
    page = str(write(found, reports)) if reports else ""
    if as_json:
        click.echo(json.dumps(found.as_json()))
    else:
        Console(highlight=False, markup=False, emoji=False).print(screen(found, page))


@main.command()
@RELEASE
@click.option("--image", required=True, metavar="REF", help="With a tag, or better a digest.")
@click.option("--role", type=click.Choice(["stable", "canary"]), default="stable", show_default=True)
@click.option("--dry-run", is_flag=True, help="Say what would change; push nothing.")
@TARGET
@JSON
def bump(file: Path, image: str, role: str, dry_run: bool, target: str, as_json: bool) -> None:
    """Set an image in the GitOps repository, and no more: no canary, no gates."""
    from ci.bump import bump as bumped  # noqa: PLC0415
    from ci.job import is_of  # noqa: PLC0415
    from fixtures.release import load_release  # noqa: PLC0415
    from fixtures.target import resolve  # noqa: PLC0415

    release = load_release(file)
    is_of(image, release, file)
    address = resolve(target).rewrite(release.gitops.repository)
    done = bumped(release, "canary" if role == "canary" else "stable", image, address, dry=dry_run)
    click.echo(json.dumps(done.as_json()) if as_json else str(done))


@main.command()
def schema() -> None:
    """Print the JSON Schema of a release file, for editors."""
    from fixtures.release import json_schema  # noqa: PLC0415

    click.echo(json.dumps(json_schema(), indent=2))


if __name__ == "__main__":
    main()
