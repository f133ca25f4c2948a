"""All examinations of a release, one after the other: none of them writes, and none keeps the next from being made.

Example:
    $ sluicegate doctor release.yaml --target prod-eu
    PASS          rights      the driver may do all of the 13 things that a release needs
    FAIL          git         git push: remote: Permission denied ...
                  do: give git a credential helper or an ssh key for this address
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from checks.verdict import Outcome, Verdict, failed
from ci.doctor import places
from fixtures.errors import SluicegateError
from fixtures.subject import Subject, named

Look = Callable[[Subject], Iterator[Verdict]]


@dataclass(frozen=True)
class Examined:
    """One thing that was looked at.

    Attributes:
        about: in a word.
        verdict: what was found.
        remedy: what to do where it is not PASS.
    """

    about: str
    verdict: Verdict
    remedy: str

    def lines(self) -> Iterator[str]:
        """Give it as lines for people."""
        yield f"{self.verdict.outcome.value:13} {self.about:11} {self.verdict.sentence}"
        if self.verdict.outcome is not Outcome.PASS and self.remedy:
            yield f"{'':13} do: {self.remedy}"

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        found = {"about": self.about, "outcome": self.verdict.outcome.value, "sentence": self.verdict.sentence}
        return {**found, "remedy": "" if self.verdict.outcome is Outcome.PASS else self.remedy}


def examine(file: Path, target: str) -> Iterator[Examined]:
    """Look at everything that a release of this file will need.

    Args:
        file: the release file.
        target: where it will run.

    Yields:
        What was found, as soon as it is.

    Raises:
        InputError: when the release file or the target can not be read.
    """
    subject = named(file, target, None, None, None)
    looks: list[tuple[str, Look, str]] = [
        ("rights", places.cluster_rights, "sluicegate rights prints the Roles that it needs"),
        ("gates", places.gates_only_read, "let SLUICEGATE_GATES_KUBECONFIG name an account that can only read"),
        ("git", places.git_takes_our_commits, "check gitops in the release file, and the credentials of git here"),
        ("manifests", partial(places.manifests_are_clean, file=file), "sluicegate lint says where, why and what to do"),
        ("image", places.image_can_be_pulled, "check image in the release file, and the registry's credentials"),
        ("argocd", places.argo_cd_is_settled, "bring the Application to Synced and Healthy first: argocd app get"),
        ("envoys", places.envoys_answer, "send a request through the gateway, and look again"),
        ("prometheus", places.prometheus_is_fresh, "check metrics in the release file, and what scrapes the gateways"),
    ]
    for about, look, remedy in looks:
        try:
            yield from (Examined(about, verdict, remedy) for verdict in look(subject))
        except SluicegateError as error:
            yield Examined(
                about, failed(f"{error.where}: {error.what}" if error.where else error.what), error.remedy or remedy
            )
