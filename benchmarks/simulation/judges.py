"""What must be true of every history, whatever went wrong. Each judge reads the logs only, and names what it found.

==================  =================================================================================================
``raises``          a weight rises only for the rollout that the record names, which nobody has aborted, whose driver
                    holds the Lease, whose suites of all steps before have passed or were skipped by a person, whose
                    own suite is ready to watch, and whose canary has the pods that the weight needs
``agreement``       after each of our writes the weights are those of the record's place, or the safe ones
``others``          our writes change our two weights, our annotations, the canary's replicas, stable's minReplicas and
                    our two images, and nothing else; nobody's rollout is written over
``lease``           a Lease changes hands only when it is free, has been unchanged for 15 s, or a person says so; who
                    could not renew it for 10 s raises nothing
``traffic``         no version gets traffic that has no ready pod, and stable none while it is half rolled to an
                    image that has not been proved ready (what has been goes back by an ordinary rolling update)
``width``           stable is never scaled by us; where its autoscaler is held it stays as wide as it was while the
                    canary has traffic, and is freed only where the data plane has left the canary
``commits``         stable's image goes into Git only after the last step has passed or was skipped
``ends``            who says ``promoted`` or ``rolled back`` is right about Git, cluster and data plane; who says
                    that a person is needed says for what, and has not left the canary its weight
``rest``            some time after it is calm all is at rest; where people have meddled, or a person was called
``progress``        a good release in whose way nothing was is promoted
``mistakes``        no error of the driver's own
==================  =================================================================================================
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator

from benchmarks.simulation.outside import CANARY, HOST, STABLE, Routes, canary_weight, services
from benchmarks.simulation.plan import Driving
from benchmarks.simulation.repository import images_in
from benchmarks.simulation.simulation import End, History
from benchmarks.simulation.store import Object, Write, copied
from benchmarks.simulation.weather import Weather
from checks.evidence import Weights
from ci.events import Asked, RolloutEnded, SuiteReady
from ci.lease import BELIEF, DURATION
from ci.phases import CANARY_CARRIES, Phase, safe_weights, weights_at
from ci.record import PREFIX, Record
from fixtures.errors import ClusterRefused
from fixtures.istio import Subsets, weights

OURS = ("driver", "cron", "person")
Judge = Callable[[History], Iterator[str]]


def judged(history: History) -> list[str]:
    """Give all that is wrong with a history."""
    return [f"{judge.__name__}: {found}" for judge in JUDGES for found in judge(history)]


def raises(history: History) -> Iterator[str]:
    for write in _ours(history, "virtualservices"):
        if not _rises(write):
            continue
        record, before = _record(write.after), _record(write.before)
        if record is not None and (record.phase in CANARY_CARRIES or (record.abort and record.phase in CANARY_CARRIES)):
            continue  # there it is the safe weight
        if record is None or record.phase is not Phase.STEP or canary_weight(write.after) != record.step:
            yield f"{_at(write)} raises outside of a step: {record and record.place}"
            continue
        if before is None or before.rollout != record.rollout or before.abort:
            yield f"{_at(write)} raises what is not its own, or is aborted"
        if not write.holder.startswith(write.who + "/"):
            yield f"{_at(write)} raises without the Lease, which {write.holder or 'nobody'} holds"
        if not _watched(history, write, record.step):
            yield f"{_at(write)} raises to {record.step} % before anybody watches it"
        if missing := _not_passed(history, record.rollout, record.step, write):
            yield f"{_at(write)} raises to {record.step} %, but {missing} has not passed"
        if not _meddled(history, "delete the canary", write.at):
            yield from _enough_pods(history, record, write)


def agreement(history: History) -> Iterator[str]:
    for write in _ours(history, "virtualservices"):
        if write.after is None or write.before is None or _by_hand(write):
            continue
        record, there = _record(write.after), weights(write.after, SUBSETS)
        if record is None:
            by_hand = _by_people(history, write.at, "edit the weights", "remove the record")
            if canary_weight(write.after) and not by_hand:
                yield f"{_at(write)} leaves {there} without a record"
        elif record.phase is not Phase.PREFLIGHT and there not in _right(record):
            yield f"{_at(write)} leaves {there} in {record.place}"


def others(history: History) -> Iterator[str]:
    for write in history.store.writes:
        if not write.who.startswith(OURS) or write.kind == "leases":
            continue
        if write.after is None or write.before is None:
            yield f"{_at(write)} creates or deletes {write.kind} {write.name}"
        elif _without_ours(write.kind, write.before) != _without_ours(write.kind, write.after):
            yield f"{_at(write)} changes what is not its own in {write.kind} {write.name}"
        elif write.kind == "virtualservices":
            before, record = _record(write.before), _record(write.after)
            if before is not None and record is not None and before.rollout != record.rollout:
                yield f"{_at(write)} writes {record.rollout} over {before.rollout}"
    for at, commit in history.git.pushed:
        changed = {name for name, text in commit.files.items() if text != commit.before.get(name)}
        if commit.who != "people" and not changed <= {STABLE, CANARY}:
            yield f"{at:.2f} {commit.who} changes {changed} in Git"


def lease(history: History) -> Iterator[str]:
    renewed = 0.0
    for write in history.store.writes:
        if write.kind != "leases":
            continue
        old, new = _holder(write.before), _holder(write.after)
        if old and new and old != new and not write.who.startswith("person") and write.at - renewed < DURATION:
            yield f"{_at(write)} takes the Lease of {old} {write.at - renewed:.2f} s after it was renewed"
        renewed = write.at
    yield from _believed(history)


def traffic(history: History) -> Iterator[str]:
    if any(what in ("delete the canary", "edit the weights") for _, what in history.meddled):
        return
    for routes in history.routes:
        yield from _half_rolled(history, routes.at)
        if routes.most and not sum(_pods(history, CANARY, routes.at).values()):
            yield f"{routes.at:.2f} the canary gets {routes.most:g} % without a ready pod"
    for pods in history.pods:
        yield from _half_rolled(history, pods.at)
        share = _routes(history, pods.at).most
        if pods.deployment == CANARY and share and not pods.ready:
            yield f"{pods.at:.2f} the canary has no pod any more and {share:g} % of the traffic"


def width(history: History) -> Iterator[str]:
    for write in history.store.writes:
        if write.kind != "deployments" or write.name != STABLE or not write.before or not write.after:
            continue
        before, after = (body["spec"]["replicas"] for body in (write.before, write.after))
        if before != after and write.who.startswith(OURS):
            yield f"{_at(write)} scales stable"
        by_hand = any(
            _meddled(history, what, write.at) for what in ("edit the weights", "remove the record", "shrink stable")
        )
        share = _routes(history, write.at).most
        if write.who == "autoscaler" and after < before and share and not by_hand:
            yield f"{_at(write)} shrinks stable to {after} while the canary has {share:g} %"
    yield from _freed(history)


def commits(history: History) -> Iterator[str]:
    for at, commit in history.git.pushed:
        if "stable runs" in commit.subject:
            rollout = _rollout_of(history, commit.who)
            last = Write(at, commit.who, "push", "git", commit.name, None, None, "")
            if missing := _not_passed(history, rollout, 101, last):
                yield f"{at:.2f} {commit.who} brings the image into stable, but {missing} has not passed"


def ends(history: History) -> Iterator[str]:
    for end in history.ends:
        if not isinstance(end.end, RolloutEnded) or _meddled(history, "remove the record", end.at):
            continue
        what, said = f"{end.at:.2f} {end.who} says {end.end.outcome}", end.end
        images = set(images_in(end.files).values())
        if said.exit_code == 4 and not said.sentence.partition("a person is needed:")[2].strip():
            yield f"{what} and not why a person is needed: {said.sentence}"
        if "the driver has made a mistake" in said.sentence:
            yield f"{what}: {said.sentence}"
        others_images = {each.image for each in history.ends if each.image != end.image}
        next_one = len(images) > 1 and images & others_images  # it has begun meanwhile
        over = said.outcome in ("promoted", "rolled back") and not _changed_since(history, end.at)
        if over and not next_one and (end.weight or end.share or len(images) != 1):
            yield f"{what}, but the canary has {end.weight:g} % ({end.share:g} % routed), Git has {images}"
        if said.exit_code == 4 and end.weight and not _may_be_left(history, end):
            yield f"{what} and leaves the canary {end.weight:g} %"
        if said.outcome == "rolled back" and end.image in images:
            yield f"{what}, but Git has its image"
        if said.outcome == "promoted" and images != {end.image}:
            yield f"{what}, but Git has {images}"


def rest(history: History) -> Iterator[str]:
    if _meddled(history, "remove the record", history.over):
        return  # with it goes what a recovery could know
    wrong = list(_not_at_rest(history))
    if wrong and not (history.meddled and _called(history)):
        yield f"at the end ({history.over:.0f} s, calm since {history.plan.weather.calm:g} s) {'; '.join(wrong)}"


def progress(history: History) -> Iterator[str]:
    plan = history.plan
    kept = any((plan.words, plan.meddling, plan.recoveries, plan.bad, plan.release.get("approve")))
    alone = plan.drivers == (Driving(0.0, plan.drivers[0].rollout),)
    if alone and not kept and plan.weather == Weather(plan.weather.calm):
        said = [each.end.outcome for each in history.ends if isinstance(each.end, RolloutEnded)]
        if said != ["promoted"]:
            yield f"nothing was in the way, and it ended as {said}"


def mistakes(history: History) -> Iterator[str]:
    for who, error in history.crashes:
        yield f"{who} {error!r}"


JUDGES: tuple[Judge, ...] = (
    raises, agreement, others, lease, traffic, width, commits, ends, rest, progress, mistakes,
)  # fmt: skip
SUBSETS = Subsets(HOST, "stable", "canary")


def _called(history: History) -> bool:
    """Say whether the last word was that a person is needed."""
    said = [each.end for each in history.ends if isinstance(each.end, RolloutEnded)]
    return bool(said) and said[-1].exit_code == 4


def _not_at_rest(history: History) -> Iterator[str]:
    bodies = services(history.store)
    if any(_record(body) is not None for body in bodies):
        yield "a record is still there"
    if any(map(canary_weight, bodies)) and not _meddled(history, "edit the weights", history.over):
        yield f"the canary has {max(map(canary_weight, bodies)):g} %"
    images = images_in(history.git.head.files)
    if len(set(images.values())) != 1:
        yield f"Git has {images}"
    for name, image in images.items():
        deployment = history.store.objects.get(("deployments", name))
        there = deployment and deployment["spec"]["template"]["spec"]["containers"][0]["image"]
        if there != image:
            yield f"{name} runs {there}, Git has {image}"
    least = history.store.objects["horizontalpodautoscalers", STABLE]["spec"]["minReplicas"]
    if least != 2:
        yield f"minReplicas is {least}"
    canary = history.store.objects.get(("deployments", CANARY))
    replicas = canary["spec"]["replicas"] if canary else history.plan.replicas
    if replicas != history.plan.replicas and not _meddled(history, "delete the canary", history.over):
        yield f"the canary has {replicas} replicas, had {history.plan.replicas}"


def _believed(history: History) -> Iterator[str]:
    """Say which weights were raised on a Lease that had not been renewed; a request that is slow proves nothing."""
    if history.plan.weather.late or history.plan.weather.slow:
        return
    renewed = 0.0
    for write in history.store.writes:
        if write.kind == "leases":
            renewed = write.at
        elif write.kind == "virtualservices" and write.who.startswith(OURS) and _rises(write):
            record = _record(write.after)
            if record and record.phase is Phase.STEP and write.at - renewed > BELIEF + 1:
                yield f"{_at(write)} raises {write.at - renewed:.2f} s after the Lease was renewed"


def _rises(write: Write) -> bool:
    if write.before is None or write.after is None:
        return False
    return canary_weight(write.after) > canary_weight(write.before)


def _freed(history: History) -> Iterator[str]:
    for write in _ours(history, "horizontalpodautoscalers"):
        before, after = ((body or {})["spec"].get("minReplicas", 1) for body in (write.before, write.after))
        share = _routes(history, write.at).most
        if after < before and share and not _by_people(history, write.at, "edit the weights", "remove the record"):
            yield f"{_at(write)} frees the autoscaler while the canary has {share:g} %"


def _may_be_left(history: History, end: End) -> bool:
    """Say whether the canary may keep a weight: it carries all, it is another rollout's, or people were at it."""
    written = [each for each in history.store.writes if each.kind == "virtualservices" and each.at <= end.at]
    record = _record(written[-1].after) if written else None
    carries = record is not None and record.phase in CANARY_CARRIES
    anothers = record is not None and record.image != end.image
    return carries or anothers or _by_people(history, end.at, "edit the weights", "remove the record")


def _not_passed(history: History, rollout: str, step: int, write: Write) -> str:
    """Name a suite before a step that has neither passed nor been skipped, "" when there is none."""
    passed = {(each.scenario, each.step) for each in history.judged if each.rollout == rollout and each.at <= write.at}
    forced = {
        event.step
        for at, _, event in history.events
        if isinstance(event, Asked) and event.what == "force" and at <= write.at
    }
    if ("deployed", 0) not in passed:
        return "deployed"
    for before in history.plan.steps:
        if before < step and ("canary_step", before) not in passed and before not in forced:
            return f"step {before}"
    return ""


def _watched(history: History, write: Write, step: int) -> bool:
    """Say whether the suite of a step was ready to watch before its weight was written."""
    told = (event for at, who, event in history.events if who == write.who and at <= write.at)
    return any(isinstance(event, SuiteReady) and event.step == step for event in told)


def _enough_pods(history: History, record: Record, write: Write) -> Iterator[str]:
    stable, canary = (_pods(history, name, write.at) for name in (STABLE, CANARY))
    needed = max(1, math.ceil(record.step * min(sum(stable.values()), 2) / 100))
    if canary.get(record.image, 0) < needed:
        yield f"{_at(write)} raises to {record.step} % with {canary}, {needed} needed"


def _ours(history: History, kind: str) -> Iterator[Write]:
    return (each for each in history.store.writes if each.kind == kind and each.who.startswith(OURS))


def _record(body: Object | None) -> Record | None:
    try:
        return Record.read((body or {}).get("metadata", {}).get("annotations") or {})
    except ClusterRefused:
        return None


def _right(record: Record) -> set[Weights]:
    """Give the weights that fit a record: those of its place, and where it is aborted the safe ones."""
    return {weights_at(record.place), *([safe_weights(record.phase)] if record.abort else [])}


def _by_hand(write: Write) -> bool:
    """Say whether the weights were wrong already, and this write did not touch them."""
    assert write.before
    assert write.after
    return weights(write.before, SUBSETS) == weights(write.after, SUBSETS) == weights_by_hand(write.after)


def weights_by_hand(body: Object) -> object:
    """Give the weights that a person sets, where the body has them."""
    found = weights(body, SUBSETS)
    return found if found and found.canary == 50 else None


def _without_ours(kind: str, body: Object) -> Object:
    """Give an object without what we may change in it."""
    body = copied(body)
    for key in ("resourceVersion", "generation"):
        body["metadata"].pop(key, None)
    annotations = body["metadata"].get("annotations") or {}
    own = (PREFIX, "argocd.argoproj.io/refresh")
    body["metadata"]["annotations"] = {key: text for key, text in annotations.items() if not key.startswith(own)}
    if kind == "virtualservices":
        for entry in body["spec"]["http"][0]["route"]:
            entry.pop("weight", None)
    if kind == "deployments" and body["metadata"]["name"] == CANARY:
        body["spec"].pop("replicas")
    if kind == "horizontalpodautoscalers":
        body["spec"].pop("minReplicas", None)
    return body


def _holder(body: Object | None) -> str:
    return ((body or {}).get("spec") or {}).get("holderIdentity") or ""


def _pods(history: History, name: str, at: float) -> dict[str, int]:
    log = [each for each in history.pods if each.deployment == name]
    place = bisect_right([each.at for each in log], at)
    return log[place - 1].ready if place else {}


def _routes(history: History, at: float) -> Routes:
    return history.routes[bisect_right([each.at for each in history.routes], at) - 1]


def _half_rolled(history: History, at: float) -> Iterator[str]:
    """Say whether stable has traffic while its pods are of two images, and it has never been proved ready."""
    stable = 100 - _routes(history, at).least
    if stable and len(_pods(history, STABLE, at)) > 1 and not _proved(history, at):
        yield f"{at:.2f} stable is half rolled and has {stable:g} % of the traffic"


def _proved(history: History, at: float) -> bool:
    """Say whether stable has been proved ready with a new image: it may serve, and go back by a rolling update."""
    return any(each.scenario == "promotion" and each.at <= at for each in history.judged)


def _meddled(history: History, what: str, until: float) -> bool:
    return any(at <= until and each == what for at, each in history.meddled)


def _by_people(history: History, until: float, *deeds: str) -> bool:
    """Say whether people have done any of this."""
    return any(_meddled(history, what, until) for what in deeds)


def _changed_since(history: History, at: float) -> bool:
    """Say whether somebody changed the weights by hand just before a rollout ended."""
    return any(
        at - 60 <= when <= at and what in ("edit the weights", "remove the record") for when, what in history.meddled
    )


def _rollout_of(history: History, who: str) -> str:
    return next(each.rollout for each in history.plan.drivers if each.rollout in who)


def _at(write: Write) -> str:
    return f"{write.at:.2f} {write.who}"
