"""Lint at the command line: every finding with its place, what is wrong, why, and what to do.

Example:
    $ sluicegate lint release.yaml --manifests ~/src/k8s-manifests
    FAIL bases/rebate-core/deployments.yaml:41 spec.template.spec.containers[0].image
         image shop/rebate-core-service:latest may be any   [image-fixed]
         why: latest is another image tomorrow: ...
         do:  write the digest: REPOSITORY@sha256:...
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.manifests.evidence import Manifests
from checks.manifests.lint import RULES
from checks.manifests.rule import Finding, Flaw, Level, Rule, conclude, findings, rule
from checks.verdict import Outcome
from ci.reporters.notify.channels import missing, not_understood, written
from fixtures.manifests import of_folder
from fixtures.release import load_release
from fixtures.subject import named
from fixtures.yaml_document import load


@dataclass(frozen=True)
class Linted:
    """What lint found in a release file and its manifests."""

    rules: tuple[Rule, ...]
    manifests: Manifests
    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> Outcome:
        """PASS when no rule is broken and all could be looked at."""
        return conclude(self.rules, self.manifests, self.findings).outcome

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        return {
            "outcome": self.outcome.value,
            "rules": len(self.rules),
            "manifests": len(self.manifests.found),
            "findings": [_as_json(each) for each in self.findings],
        }

    def lines(self) -> list[str]:
        """Give it as lines for people."""
        many = {level: sum(each.flaw.level is level for each in self.findings) for level in Level}
        counted = f"{len(self.rules)} rules, {len(self.manifests.found)} manifests: {self.outcome.value}"
        total = f"{counted}, {many[Level.FAIL]} mistakes, {many[Level.NOTE]} notes, {many[Level.UNSEEN]} not looked at"
        return [*(line for each in self.findings for line in _lines(each)), total]


def _lines(finding: Finding) -> Iterator[str]:
    flaw = finding.flaw
    yield f"{flaw.level.value:6} {flaw.where}"
    yield f"       {flaw.what}   [{finding.rule.id}]"
    yield f"       why: {finding.why}"
    yield f"       do:  {finding.remedy}"


def _as_json(finding: Finding) -> dict[str, str]:
    flaw, rule = finding.flaw, finding.rule
    said = {"level": flaw.level.value, "rule": rule.id, "promise": rule.promise}
    return {**said, "where": flaw.where, "what": flaw.what, "why": finding.why, "remedy": finding.remedy}


def lint(file: Path, folder: Path | None, target: str | None) -> Linted:
    """Look at a release file and its manifests.

    Args:
        file: the release file.
        folder: where the manifests are; None reads them from Git.
        target: whose cluster has what is not there; None with a folder asks nobody.

    Raises:
        SluicegateError: when they can not be read.
    """
    if folder is not None and target is None:
        manifests = of_folder(load_release(file), folder)
    else:
        manifests = named(file, target or "sandbox", None, None, None).manifests(folder)
    rules = (*RULES, told(file, os.environ))
    return Linted(rules, manifests, findings(rules, manifests))


def told(file: Path, environ: Mapping[str, str]) -> Rule:
    """Make the rule about ``notify`` in a release file: it looks at the environment, which no gate has.

    Args:
        file: the release file.
        environ: where the addresses are.
    """

    @rule(
        "told",
        "whoever a release file wants to be told can be told",
        why="a message that goes nowhere is missed by nobody until it is needed",
        remedy="set the variable where `sluicegate run` is called, in Jenkins by withCredentials",
    )
    def look(_: Manifests) -> Iterator[Flaw]:
        notify, document = load_release(file).notify, load(file)
        for place, name in not_understood(notify, environ):
            where = f"{file}:{document.places['notify', *place].line} {written(place)}"
            what, remedy = f"{name} holds no address that Apprise knows", "such as mailtos://user:password@example.com"
            yield Flaw(where, what, remedy=remedy)
        for place, name in missing(notify, environ):
            where = f"{file}:{document.places['notify', *place].line} {written(place)}"
            yield Flaw(where, f"the environment here has no {name}", Level.NOTE)

    return look
