"""All rules together: what ``sluicegate lint`` and preflight look at.

To add a rule, write it into the file of its group and into that file's ``RULES``; a new group has a line here and
one in ``scenarios/lint.py``.
"""

from checks.gate import gate
from checks.manifests import (
    deployments,
    files,
    gitops,
    images,
    keys,
    probes,
    routes,
    services,
    subsets,
    timeouts,
)
from checks.manifests.rule import Rule, judging
from checks.verdict import Verdict

GROUPS = (files, deployments, subsets, routes, timeouts, gitops, images, probes, services, keys)
RULES: tuple[Rule, ...] = tuple(rule for group in GROUPS for rule in group.RULES)


@gate(judging(RULES), evidence="manifests")
def test_manifests(verdict: Verdict) -> None:
    """Nothing in the release's manifests would spoil its canary."""
    verdict.require()
