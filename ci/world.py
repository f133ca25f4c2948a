"""What a driver acts on, and a driver put together on it: the same on every target, and in the simulation.

A ``World`` is all that is outside. ``driver_in`` puts the parts of a driver together on it; ``recover_in`` is a whole
recovery, from the first look to its end.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from checks.restored import Snapshot
from ci.abort import PATIENCE, taking_back
from ci.autoscaler import Autoscaler
from ci.companion import Companion
from ci.deployer import ArgoCD, Deployer, Repository
from ci.driver import Driver
from ci.events import Event, RolloutEnded
from ci.holding import Holding
from ci.lease import Lease
from ci.left import BEFORE_FILE, before_of, left_by
from ci.listener import Listener
from ci.lockstep import Lockstep, Pace
from ci.mover import Mover, RoutesGive
from ci.people import People
from ci.performer import Performer
from ci.phases import CANARY_CARRIES
from ci.state import Job, State
from ci.suite import Suites
from ci.traffic import Traffic
from ci.watch import Watch
from fixtures.cluster import Cluster
from fixtures.snapshot import as_text
from fixtures.waiting import Clock

Tell = Callable[[Event], None]


@dataclass(frozen=True)
class World:
    """All that is outside of a driver.

    Attributes:
        clock: where time comes from.
        cluster: with the driver's rights; who renews the Lease uses it too.
        traffic: the release's VirtualServices.
        repository: the GitOps repository.
        argocd: gives the service's Application, which is waited for on the clock that is given.
        suites: starts runs.
        routes_give: asks the data plane; None where it can not be asked.
        snapshot: takes one of the release's three places.
        lease: makes the service's Lease, for an identity and with more of its arguments.
    """

    clock: Clock
    cluster: Cluster
    traffic: Traffic
    repository: Repository
    argocd: Callable[[Clock], ArgoCD]
    suites: Suites
    routes_give: RoutesGive | None
    snapshot: Callable[[], Snapshot]
    lease: Callable[..., Lease]


def driver_in(
    world: World,
    job: Job,
    state: State,
    tell: Tell,
    *,
    pulled: Callable[[], str],
    held: Callable[[], bool],
    pace: Pace | None = None,
) -> Driver:
    """Put a driver together.

    Args:
        world: that it acts on.
        job: what is released.
        state: what has been done.
        tell: hears of what happens.
        pulled: the name of the signal that pulled the brake, "" for none.
        held: whether the Lease is held beyond doubt.
        pace: its part among those that are released as one; None when it is alone.
    """
    pace = pace or Lockstep([job.release.service]).pace(job.release.service)
    people = People(tell, world.clock.now)
    words = people.words
    watch = Watch(state, world.traffic, people, pulled, held, world.clock)
    mover = Mover(state, world.traffic, watch, world.routes_give, tell)
    deployer = Deployer(
        job, state, world.cluster, world.repository, world.argocd(watch), watch, tell, mover.note_commit
    )
    listener = Listener(job, state, words, world.suites, watch, tell, mover.move)
    watch.meanwhile, watch.deserted = Companion(state, listener, watch).look, pace.deserted
    performer = Performer(
        job,
        state,
        mover=mover,
        deployer=deployer,
        autoscaler=Autoscaler(job, state, world.cluster, mover.note, watch, tell),
        listener=listener,
        holding=Holding(job, state, words, listener, mover, watch, tell, pace),
        keep_before=partial(_keep_before, world, job, state),
        watch=watch,
        tell=tell,
    )
    return Driver(job, state, words, watch, performer, tell, pace.leave)


def recover_in(world: World, job: Job, tell: Tell, *, now: bool) -> RolloutEnded | None:
    """Take back what a rollout has left whose driver has died, to its end.

    Args:
        world: where.
        job: that rollout; ``who`` is the one who recovers.
        tell: hears of what happens.
        now: whether somebody knows that the driver is dead; else its Lease is watched until it has run out.

    Returns:
        How it ended; None when there is nothing to recover any more.

    Raises:
        Held: when its driver is alive.
        SluicegateError: when nothing could begin.
    """
    if now:
        why = f"{job.who}: recovers it at once, its driver is dead"
        world.traffic.insist(taking_back(why, job.rollout), PATIENCE)
    identity = f"{job.who} (recovers, {secrets.token_hex(2)})/{job.rollout}"
    with world.lease(identity, dead=job.rollout if now else "", patience=PATIENCE) as lease:
        record = left_by(world.traffic.look_again(PATIENCE))
        if record is None or record.rollout != job.rollout:
            return None
        why = f"its driver {record.who} is gone"
        world.traffic.insist(taking_back(f"{job.who}: recovers it, {why}", job.rollout), PATIENCE)
        state = State(replace(record, who=job.who), before=before_of(record, job.reports))
        state.raised = record.step > 0 or record.phase in CANARY_CARRIES
        driver = driver_in(world, job, state, tell, pulled=lambda: "", held=lambda: lease.held)
        return driver.recover(record.place, why)


def _keep_before(world: World, job: Job, state: State) -> Path:
    """Keep a snapshot in a file, and in the record, which is written with the next phase: nothing changes before it."""
    kept, path = as_text(world.snapshot()), job.reports / BEFORE_FILE
    path.write_text(kept + "\n", encoding="utf-8")
    state.record = replace(state.record, before=kept)
    return path
