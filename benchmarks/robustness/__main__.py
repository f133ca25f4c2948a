"""``python -m benchmarks.robustness``: seeds on a live sandbox; ``--seed N`` runs one, in the same way each time.

python -m benchmarks.robustness --runs 50              # make robustness
python -m benchmarks.robustness --runs 50 --calm       # without faults: how long a recovery takes on a good day
python -m benchmarks.robustness --runs 10 --real kube  # on a real API server
"""

import sys
import time
from collections import Counter
from dataclasses import replace
from statistics import median

import click

from benchmarks.robustness.faults import Faults
from benchmarks.robustness.plan import draw
from benchmarks.robustness.rollouts import Course
from benchmarks.robustness.stage import stage
from fixtures.sandbox.real.choice import parse


@click.command()
@click.option("--runs", default=50, show_default=True)
@click.option("--first", default=0, show_default=True, help="the first seed")
@click.option("--seed", type=int, help="this one only")
@click.option("--calm", is_flag=True, help="The API server is not faulty.")
@click.option("--real", default="", help="control planes that are not stood in for: kube,argocd,istio")
def main(runs: int, first: int, seed: int | None, calm: bool, real: str) -> None:
    """Kill drivers on a faulty way to the API server, recover, and judge; exit status 1 when one was not safe."""
    began = time.monotonic()
    plans = [draw(each) for each in ([seed] if seed is not None else range(first, first + runs))]
    courses = []
    with stage(parse(real)) as bench:
        for plan in plans:
            courses.append(bench.once(replace(plan, faults=Faults()) if calm else plan))
            print(told(courses[-1]), flush=True)
    print("\n".join(summary(courses, time.monotonic() - began)))
    sys.exit(any(course.wrong for course in courses))


def told(course: Course) -> str:
    """Tell a seed in a line, and what was wrong in lines of their own."""
    plan = course.plan
    how = "recover --now" if plan.now else "recover --all --expired"
    killed = str(plan.killing) if course.struck else "nobody was killed"
    line = (
        f"seed {plan.seed:3} {plan.image:4}  {killed:24} in {course.phase:10} {how:23} {course.faults:4} faults"
        f"  canary gone {course.gone:5.2f} s, all {course.whole:6.2f} s  {'; '.join(course.said)[:200]}"
    )
    reproduce = [f"    python -m benchmarks.robustness --seed {plan.seed}"] if course.wrong else []
    return "\n".join([line, *(f"    UNSAFE {each}" for each in course.wrong), *reproduce])


def summary(courses: list[Course], took: float) -> list[str]:
    """Give the figures."""
    unsafe = [course for course in courses if course.wrong]
    lines = [f"{len(courses)} rollouts in {took:.0f} s: {len(unsafe)} not safe"]
    killed = Counter(course.plan.killing.who for course in courses if course.struck)
    phases = Counter(course.phase for course in courses if course.struck)
    faults = sum(course.faults for course in courses)
    lines.append(f"  killed: {dict(killed)}, in {dict(phases)}; calls that went wrong: {faults}")
    for now, how in ((True, "--now"), (False, "--all --expired")):
        for carries, where in ((False, ""), (True, ", stable half rolled")):
            ours = [each for each in courses if each.struck and (each.plan.now, each.carries) == (now, carries)]
            lines += [_row(f"recover {how}{where}", ours)] if ours else []
    return lines


def _row(name: str, courses: list[Course]) -> str:
    gone, whole = ([getattr(each, what) for each in courses] for what in ("gone", "whole"))
    figures = ", ".join(
        f"{what}: median {median(values):.2f}, most {max(values):.2f}"
        for what, values in (("canary's last request", gone), ("all as before", whole))
    )
    return f"  {name:44} {len(courses):3} runs; seconds from the death to: {figures}"


if __name__ == "__main__":
    main()
