"""Puts a driver together for a target: who talks to what, with which client.

The brake has a client of its own, so that it waits for nobody; the renewing of the Lease shares the driver's.
"""

import json
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from ci.abort import PATIENCE, taking_back
from ci.autoscaler import Autoscaler
from ci.brake import Brake
from ci.companion import Companion
from ci.deployer import ArgoCD, Deployer
from ci.driver import Driver
from ci.events import Event, Note, RolloutEnded
from ci.hold import Words
from ci.holding import Holding
from ci.lease import Lease
from ci.left import BEFORE_FILE, before_of, left_by, text_of
from ci.listener import Listener
from ci.mover import Mover, RoutesGive
from ci.people import People
from ci.performer import Performer
from ci.phases import CANARY_CARRIES, Phase
from ci.record import Record
from ci.state import Job, State
from ci.suite import PytestSuites
from ci.traffic import traffic_of
from ci.watch import Watch
from fixtures import argocd, snapshot
from fixtures.cluster import DEPLOYMENTS, Cluster
from fixtures.errors import Unreachable
from fixtures.git import GitOps
from fixtures.istio import in_effect, routed_share
from fixtures.surroundings import Service, subsets
from fixtures.target import Target
from fixtures.waiting import SYSTEM_CLOCK

SYNCED_WITHIN = 600.0  # seconds: Argo CD calls a Deployment that does not get ready Degraded after so long
BRAKE_PATIENCE = 60.0

Tell = Callable[[Event], None]


def drive(job: Job, target: Target, tell: Tell) -> RolloutEnded:
    """Drive a rollout on a target, to its end.

    Args:
        job: what is released.
        target: where.
        tell: hears of what happens.

    Returns:
        How it ended.

    Raises:
        Held: when another driver holds the service.
        SluicegateError: when nothing could begin; nothing has been changed then.
    """
    cluster, release = target.cluster(), job.release
    state = State(first_record(job, cluster))
    identity = f"{job.who}/{job.rollout}"
    with (
        tempfile.TemporaryDirectory(prefix="sluicegate-") as scratch,
        Lease(cluster, release.namespace, release.service, identity) as lease,
        Brake(take_back(job, target, tell)) as brake,
    ):
        people, traffic = People(tell, SYSTEM_CLOCK.now), traffic_of(release, cluster)
        watch = Watch(state, traffic, people, lambda: brake.pulled, lambda: lease.held, SYSTEM_CLOCK)
        performer = _performer(job, state, people.words, target, cluster, watch, Path(scratch), tell)
        return Driver(job, state, people.words, watch, performer, tell).run()


def recover(job: Job, target: Target, tell: Tell, *, now: bool) -> RolloutEnded | None:
    """Take back what a rollout has left whose driver has died, to its end.

    Args:
        job: that rollout; ``who`` is the one who recovers.
        target: where.
        tell: hears of what happens.
        now: whether somebody knows that the driver is dead; else its Lease is watched until it has run out.

    Returns:
        How it ended; None when there is nothing to recover any more.

    Raises:
        Held: when its driver is alive.
        SluicegateError: when nothing could begin.
    """
    cluster, release = target.cluster(), job.release
    traffic = traffic_of(release, cluster)
    if now:
        traffic.insist(taking_back(f"{job.who}: recovers it at once, its driver is dead", job.rollout), PATIENCE)
    identity = f"{job.who} (recovers, {secrets.token_hex(2)})/{job.rollout}"
    with (
        tempfile.TemporaryDirectory(prefix="sluicegate-") as scratch,
        Lease(cluster, release.namespace, release.service, identity, by_force=now, patience=PATIENCE) as lease,
    ):
        record = left_by(traffic.look())
        if record is None or record.rollout != job.rollout:
            return None
        why = f"its driver {record.who} is gone"
        traffic.insist(taking_back(f"{job.who}: recovers it, {why}", job.rollout), PATIENCE)
        state = State(replace(record, who=job.who), before=before_of(record, job.reports))
        state.raised = record.place.step > 0 or record.phase in CANARY_CARRIES
        people = People(tell, SYSTEM_CLOCK.now)
        watch = Watch(state, traffic, people, lambda: "", lambda: lease.held, SYSTEM_CLOCK)
        performer = _performer(job, state, people.words, target, cluster, watch, Path(scratch), tell)
        return Driver(job, state, people.words, watch, performer, tell).recover(record.place, why)


def first_record(job: Job, cluster: Cluster) -> Record:
    """Write down what is known before anything is done.

    Args:
        job: what is released.
        cluster: where the canary's Deployment is.
    """
    canary = cluster.get(DEPLOYMENTS, job.release.namespace, job.release.names.canary)
    return Record(
        rollout=job.rollout,
        phase=Phase.PREFLIGHT,
        image=job.image,
        who=job.who,
        before_replicas=canary["spec"].get("replicas", 1),
        release=text_of(job.file),
    )


def take_back(job: Job, target: Target, tell: Tell) -> Callable[[str], None]:
    """Make what the brake does, with a warm client of its own.

    Args:
        job: the only rollout that it may take back.
        target: where.
        tell: hears when it is done.
    """
    own = traffic_of(job.release, target.cluster())
    own.look()

    def pull(signal: str) -> None:
        began = SYSTEM_CLOCK.monotonic()
        own.insist(taking_back(f"{job.who}: {signal}", job.rollout), BRAKE_PATIENCE)
        took = SYSTEM_CLOCK.monotonic() - began
        tell(Note(at=SYSTEM_CLOCK.now(), text=f"{signal}: traffic was at the safe weights after {took:.2f} s"))

    return pull


def routes_give(target: Target, service: Service, job: Job) -> RoutesGive | None:
    """Make the question to the data plane; None where there is nobody to ask.

    Args:
        target: knows the sending Envoys.
        service: knows the VirtualServices.
        job: whose subsets they are.
    """
    ours = subsets(job.release)

    def ask(canary: float) -> bool:
        found = service.virtual_services()
        try:
            shares = [routed_share(admin, each, ours) for admin in target.admins for each in found]
        except Unreachable:
            return False
        return in_effect(tuple(share for some in shares for share in some), canary)

    return ask if target.admins else None


def _performer(
    job: Job, state: State, words: Words, target: Target, cluster: Cluster, watch: Watch, scratch: Path, tell: Tell
) -> Performer:
    release = job.release
    gitops = release.gitops
    repository = GitOps(target.rewrite(gitops.repository), gitops.path, scratch, branch=gitops.branch)
    service = Service(cluster, release)
    mover = Mover(state, traffic_of(release, cluster), watch, routes_give(target, service, job), tell)
    application = ArgoCD(
        partial(argocd.refresh, cluster, gitops.application),
        lambda commit: argocd.wait_synced(
            cluster, gitops.application, commit, repository, timeout=SYNCED_WITHIN, clock=watch
        ),
    )
    deployer = Deployer(job, state, cluster, repository, application, watch, tell, mover.note_commit)
    suites = PytestSuites(release.service, job.reports, target.gates_kubeconfig)
    listener = Listener(job, state, words, suites, watch, tell, mover.move)
    holding = Holding(job, state, words, listener, mover, watch, tell)
    watch.meanwhile = Companion(state, listener, watch).look
    autoscaler = Autoscaler(job, state, cluster, mover.note, watch, tell)

    def keep_before() -> Path:
        path = job.reports / BEFORE_FILE
        snapshot.save(snapshot.take(service, release, target.admins, repository.tree()), path)
        kept = json.dumps(json.loads(path.read_text(encoding="utf-8")), separators=(",", ":"))
        state.record = replace(state.record, before=kept)  # written with the next phase: nothing changes before it
        return path

    return Performer(
        job,
        state,
        mover=mover,
        deployer=deployer,
        autoscaler=autoscaler,
        listener=listener,
        holding=holding,
        keep_before=keep_before,
        watch=watch,
        tell=tell,
    )
