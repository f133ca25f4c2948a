"""A request to the canary ends, and its first answer is the one that counts."""

import re
from collections.abc import Iterator

from checks.gate import gate
from checks.manifests.evidence import Manifests
from checks.manifests.mesh import splits
from checks.manifests.rule import Flaw, Level, judging, rule
from checks.verdict import Verdict

NO_TIME = re.compile(r"(0+(\.0+)?(h|m|s|ms))*0?")


@rule(
    "timeout",
    "every route that carries the weights has a timeout",
    why="Istio has none, and counts a request when it ends: a canary that hangs shows neither errors nor latency",
    remedy="write `timeout: 5s` into the route, a little over your slowest good answer",
)
def timeout(manifests: Manifests) -> Iterator[Flaw]:
    """Routes have a timeout: users wait for a canary that hangs, and every gate sees a quiet, faultless one."""
    for route in splits(manifests):
        found = route["timeout"]
        if found.value is None:
            yield Flaw(found.where, "the route has no timeout")
        elif NO_TIME.fullmatch(str(found.value)):
            yield Flaw(found.where, f"timeout {found.value} means none")


@rule(
    "retries",
    "every route that carries the weights says how often it retries",
    why="unsaid, Istio tries a failed request twice more, which hides the canary's errors",
    remedy="write `retries: {attempts: 0}` into the route",
)
def retries(manifests: Manifests) -> Iterator[Flaw]:
    """Retries are explicit: only the last try counts at the sender, so a canary that fails often looks clean."""
    for route in splits(manifests):
        attempts = route["retries", "attempts"]
        if attempts.value is None:
            yield Flaw(attempts.where, "the route does not say how often it retries")
        elif attempts.value:
            what = f"each failed request is tried {attempts.value} times more: fewer errors are seen than there are"
            yield Flaw(attempts.where, what, Level.NOTE)


RULES = (timeout, retries)


@gate(judging(RULES), evidence="manifests")
def test_requests_end_and_count_once(verdict: Verdict) -> None:
    """Routes with weights have a timeout and say how often they retry."""
    verdict.require()
