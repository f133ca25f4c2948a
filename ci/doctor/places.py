"""What a release will speak to, each asked as the release will ask it: Git, registry, Argo CD, Envoys, Prometheus."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from checks import argocd, image
from checks.manifests.rule import Level
from checks.verdict import Outcome, Proof, Verdict, failed, inconclusive, passed
from ci.doctor.rights import granted, of_driver, of_gates
from ci.lint import lint
from fixtures.gateways import bounds, version_labels
from fixtures.git_review import to_write
from fixtures.prometheus import latest
from fixtures.scraped import WINDOW, wanted
from fixtures.subject import Subject

MOST_SKEW = 5.0  # seconds: evidence that is older than that counts as stale
SLOW_SCRAPES = 5.0  # seconds between two: from there on a rollback is no longer a matter of seconds


def cluster_rights(subject: Subject) -> Iterator[Verdict]:
    """Ask whether the driver and the gates may do what they will have to."""
    for who, cluster, rights in (
        ("the driver", subject.target.cluster(), of_driver(subject.release)),
        ("the gates", subject.cluster, of_gates(subject.release)),
    ):
        asked = list(rights)
        refused = [right for right in asked if not granted(cluster, right)]
        if refused:
            yield failed(f"{who} may not {'; not '.join(map(str, refused))}")
        else:
            yield passed(f"{who} may do all of the {len(asked)} things that a release needs", Proof(len(asked)))


def gates_only_read(subject: Subject) -> Iterator[Verdict]:
    """Ask whether the account of the gates could write a weight."""
    release = subject.release
    writes = [right for right in of_driver(release) if right.verb not in ("get", "list")]
    able = [right for right in writes if granted(subject.cluster, right)]
    if able:
        yield inconclusive(f"the gates' account may {able[0]} and more: a service's own gates run with it")
    else:
        yield passed("the gates' account can only read", Proof(len(writes)))


def git_takes_our_commits(subject: Subject) -> Iterator[Verdict]:
    """Fetch the branch, and let the server say whether we may push."""
    gitops, address = subject.release.gitops, subject.target.rewrite(subject.release.gitops.repository)
    with TemporaryDirectory(prefix="sluicegate-") as folder:
        repository = to_write(gitops, address, Path(folder))
        files = repository.files()
        if not files:
            yield failed(f"there are no manifests in {gitops.path} of {gitops.repository}, branch {gitops.branch}")
            return
        repository.rehearse()
    how = "by pull request" if gitops.pull_request else f"to {gitops.branch}"
    yield passed(f"Git has {len(files)} manifests in {gitops.path} and lets us push {how}", Proof(len(files)))


def manifests_are_clean(subject: Subject, file: Path) -> Iterator[Verdict]:
    """Run the lint, which says more itself."""
    found = lint(file, None, subject.target.name)
    mistakes = [each for each in found.findings if each.flaw.level is Level.FAIL]
    if mistakes:
        first = mistakes[0].flaw
        yield failed(f"{len(mistakes)} mistakes in the manifests, the first in {first.where}: {first.what}")
    elif found.outcome is not Outcome.PASS:
        yield inconclusive("not all of the manifests could be looked at")
    else:
        yield passed(f"{len(found.manifests.found)} manifests keep {len(found.rules)} rules", Proof(len(found.rules)))


def image_can_be_pulled(subject: Subject) -> Iterator[Verdict]:
    """Ask the registry for the image that the canary has now."""
    yield image.judge(subject.published_image())


def argo_cd_is_settled(subject: Subject) -> Iterator[Verdict]:
    """Look at the Application."""
    yield argocd.judge(subject.service.application())


def envoys_answer(subject: Subject) -> Iterator[Verdict]:
    """Scrape the sending Envoys, where the target knows them."""
    if not subject.target.admins:
        yield inconclusive(f"no sending Envoy is known on target {subject.target.name}: Prometheus is asked instead")
    for admin in subject.target.admins:
        seen = admin.scrape()
        ours = [each for each in seen if each.labels.get("destination_service") == subject.release.host]
        if ours:
            yield passed(f"Envoy {admin.url} counts this service's requests", Proof(len(ours)))
        else:
            yield inconclusive(f"Envoy {admin.url} has counted no request to {subject.release.host} yet")


def prometheus_is_fresh(subject: Subject) -> Iterator[Verdict]:
    """Ask Prometheus for this service's counters: how often they come, and by whose clock."""
    if subject.prometheus is None:
        yield inconclusive("the release file names no Prometheus: no history, no alerts, no queries of your own")
        return
    query = wanted(version_labels(subject.release), bounds(subject.release))
    samples, newest, interval = latest(subject.prometheus.query(f"{query}[{WINDOW}]"))
    now = subject.prometheus.value("time()") or 0.0
    ahead = now - time.time()
    if abs(ahead) > MOST_SKEW:
        yield failed(f"Prometheus' clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's")
    if not samples:
        yield failed(f"Prometheus has no istio_requests_total of {subject.release.host} within {WINDOW}")
        return
    age = f"a sample each {interval:.3g} s, the newest {now - newest:.0f} s old"
    said = f"Prometheus has {len(samples)} series of this service, {age}"
    if interval > SLOW_SCRAPES and not subject.target.admins:
        yield inconclusive(f"{said}: a bad canary is seen only with the scrape after, about {1.5 * interval:.0f} s")
    else:
        yield passed(said, Proof(len(samples)))
