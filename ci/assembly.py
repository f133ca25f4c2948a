"""Puts a driver together for a target: who talks to what, with which client.

The brake has a client of its own, so that it waits for nobody; the renewing of the Lease shares the driver's.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ci.abort import taking_back
from ci.brake import Brake
from ci.deployer import ArgoCD
from ci.events import Note, RolloutEnded
from ci.lease import BELIEF, Lease
from ci.left import text_of
from ci.lockstep import Lockstep
from ci.mover import RoutesGive
from ci.phases import Phase
from ci.record import Record
from ci.state import Job, State
from ci.suite import PytestSuites
from ci.traffic import traffic_of
from ci.world import Tell, World, driver_in, recover_in
from fixtures import argocd, snapshot
from fixtures.cluster import DEPLOYMENTS, Cluster
from fixtures.errors import Unreachable
from fixtures.git_review import to_write
from fixtures.istio import in_effect, routed_share
from fixtures.surroundings import Service, subsets
from fixtures.target import Target
from fixtures.waiting import SYSTEM_CLOCK, Clock

SYNCED_WITHIN = 600.0  # seconds: Argo CD calls a Deployment that does not get ready Degraded after so long
BRAKE_PATIENCE = 60.0
BRAKE_READS = 1.5  # seconds: who has sent the signal does not wait; what is slower is the driver's own rollback's


def drive(rollouts: Sequence[tuple[Job, Tell]], target: Target) -> list[RolloutEnded]:
    """Drive one service, or several as one, to the end: each in a thread, and one brake for all.

    Args:
        rollouts: what is released, and who hears of it.
        target: where.

    Returns:
        How each ended, in their order.

    Raises:
        Held: when another driver holds one of the services.
        SluicegateError: when one could not begin; none has changed anything then.
    """
    lockstep = Lockstep([job.release.service for job, _ in rollouts])
    pulls = [take_back(job, target, tell) for job, tell in rollouts]
    with ThreadPoolExecutor(2 * len(rollouts)) as pool:

        def pull_all(signal: str) -> None:
            wait([pool.submit(pull, signal) for pull in pulls])

        with Brake(pull_all) as brake:
            drives = [pool.submit(_driven, job, target, tell, lambda: brake.pulled, lockstep) for job, tell in rollouts]
            wait(drives)
        return [each.result() for each in drives]


def _driven(job: Job, target: Target, tell: Tell, pulled: Callable[[], str], lockstep: Lockstep) -> RolloutEnded:
    pace = lockstep.pace(job.release.service)
    try:
        with world_of(job, target) as world:
            state = State(first_record(job, world.cluster))
            with world.lease(f"{job.who}/{job.rollout}", patience=BELIEF) as lease:
                driver = driver_in(world, job, state, tell, pulled=pulled, held=lambda: lease.held, pace=pace)
                return driver.run()
    except Exception as error:
        pace.leave(str(error))
        raise


def recover(job: Job, target: Target, tell: Tell, *, now: bool) -> RolloutEnded | None:
    """Take back on a target what a rollout has left whose driver has died, to its end.

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
    with world_of(job, target) as world:
        return recover_in(world, job, tell, now=now)


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
        despite=job.despite,
    )


def take_back(job: Job, target: Target, tell: Tell) -> Callable[[str], None]:
    """Make what the brake does, with a warm client of its own.

    Args:
        job: the only rollout that it may take back.
        target: where.
        tell: hears when it is done.
    """
    own = traffic_of(job.release, target.cluster(read=BRAKE_READS))
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


@contextmanager
def world_of(job: Job, target: Target) -> Iterator[World]:
    """Reach everything that a driver acts on.

    Args:
        job: what is released.
        target: where.
    """
    cluster, release, gitops = target.cluster(), job.release, job.release.gitops
    service = Service(cluster, release)
    with tempfile.TemporaryDirectory(prefix="sluicegate-") as scratch:
        repository = to_write(gitops, target.rewrite(gitops.repository), Path(scratch))

        def application(clock: Clock) -> ArgoCD:
            about = (cluster, gitops.application)
            wait = partial(argocd.wait_synced, *about, history=repository, timeout=SYNCED_WITHIN, clock=clock)
            return ArgoCD(partial(argocd.refresh, *about), wait)

        yield World(
            clock=SYSTEM_CLOCK,
            cluster=cluster,
            traffic=traffic_of(release, cluster),
            repository=repository,
            argocd=application,
            suites=PytestSuites(release.service, job.reports, target.gates_kubeconfig),
            routes_give=routes_give(target, service, job),
            snapshot=lambda: snapshot.take(service, release, target.admins, repository.tree()),
            lease=partial(Lease, cluster, release.namespace, release.service),
        )
