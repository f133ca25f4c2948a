"""What the cluster does by itself: pods get ready, Argo CD syncs, istiod sends routes, an autoscaler shrinks stable."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.simulation.repository import Git, images_in
from benchmarks.simulation.store import Object, Store, Write
from benchmarks.simulation.timeline import Timeline
from benchmarks.simulation.weather import Weather
from fixtures.argocd import REFRESH
from fixtures.cluster import APPLICATIONS, DEPLOYMENTS, HPAS, VIRTUAL_SERVICES, NotFound, Resource

STABLE, CANARY, HOST = "shop", "shop-canary", "shop.production.svc.cluster.local"
APPLICATION = "shop-prod"
POLL = 180.0  # seconds after which Argo CD looks at Git by itself


@dataclass(frozen=True)
class Pods:
    """A Deployment's pods since a moment: ready ones by image."""

    at: float
    deployment: str
    ready: dict[str, int]


@dataclass(frozen=True)
class Routes:
    """What the data plane gives the canary since a moment: the greatest and the least share of all routes, percent."""

    at: float
    most: float
    least: float


class Pod:
    """The Deployment controller and the kubelet: replicas and images come true after a while."""

    def __init__(self, store: Store, timeline: Timeline, weather: Weather, random: Random, broken: set[str]) -> None:
        self.log: list[Pods] = []
        self._store, self._timeline, self._weather, self._random = store, timeline, weather, random
        self._broken = broken  # images that never get ready
        store.listeners.append(self._hear)

    def ready(self, name: str) -> dict[str, int]:
        """Give the ready pods by image."""
        return next((each.ready for each in reversed(self.log) if each.deployment == name), {})

    def settle(self, name: str) -> None:
        """Let the pods be there at once."""
        body = self._store.objects["deployments", name]
        wanted, image = _wanted(body)
        self._say(name, body, {image: wanted}, new=wanted)

    def _hear(self, write: Write) -> None:
        if write.kind != "deployments":
            return
        if write.after is None:
            self.log.append(Pods(self._timeline.now, write.name, {}))
        elif write.before is None or write.before["spec"] != write.after["spec"]:
            self._timeline.after(self._random.uniform(0.05, 0.3), lambda: self._begin(write.name))

    def _begin(self, name: str) -> None:
        """The controller has seen the change: some pods are of the new revision, none of them ready."""
        body = self._read(name)
        if body is None:
            return
        wanted, image = _wanted(body)
        ready = self.ready(name)
        kept = {each: min(count, wanted) for each, count in ready.items()}
        old = sum(count for each, count in kept.items() if each != image)
        self._say(name, body, kept, new=wanted if not old else 1)
        generation = body["metadata"]["generation"]
        if old > 1 and wanted > 1:
            self._timeline.after(self._random.uniform(0.2, 1.5), lambda: self._half(name, generation))
        self._timeline.after(self._random.uniform(1.5, 3.0), lambda: self._finish(name, generation))

    def _half(self, name: str, generation: int) -> None:
        """Half of the pods run the new image."""
        body = self._read(name)
        if body is None or body["metadata"]["generation"] != generation:
            return
        wanted, image = _wanted(body)
        old = next(each for each in (*self.ready(name), "") if each != image)
        if old and image not in self._broken and not self._weather.until("pods", self._timeline.now):
            self._say(name, body, {old: wanted - wanted // 2, image: wanted // 2}, new=wanted // 2)

    def _finish(self, name: str, generation: int) -> None:
        body = self._read(name)
        if body is None or body["metadata"]["generation"] != generation:
            return
        wanted, image = _wanted(body)
        if end := self._weather.until("pods", self._timeline.now):
            self._timeline.at(end + 1, lambda: self._finish(name, generation))
        elif image in self._broken and not self.ready(name).get(image):
            return  # it never gets ready
        else:
            self._say(name, body, {image: wanted}, new=wanted)

    def _say(self, name: str, body: Object, ready: dict[str, int], new: int) -> None:
        ready = {image: count for image, count in ready.items() if count}
        self.log.append(Pods(self._timeline.now, name, ready))
        old = sum(count for image, count in ready.items() if image != _wanted(body)[1])
        status = {
            "observedGeneration": body["metadata"]["generation"],
            "replicas": old + new,
            "updatedReplicas": new,
            "readyReplicas": sum(ready.values()),
        }
        self._store.change("controller", DEPLOYMENTS, name, lambda there: there.update(status=status))

    def _read(self, name: str) -> Object | None:
        return self._store.objects.get(("deployments", name))


class Argo:
    """Argo CD, for one Application: looks when asked, or each three minutes; syncs images, and never replicas."""

    def __init__(self, store: Store, git: Git, timeline: Timeline, weather: Weather, random: Random) -> None:
        self._store, self._git, self._timeline = store, git, timeline
        self._weather, self._random = weather, random
        self._since = 0.0
        self._syncs = False  # one operation at a time, as the real one
        store.listeners.append(self._hear)
        timeline.after(POLL, self._poll)

    def _hear(self, write: Write) -> None:
        asked = (
            write.kind == "applications"
            and write.after
            and REFRESH in (write.after["metadata"].get("annotations") or {})
        )
        if asked and write.who != "argo":
            self._timeline.after(self._random.uniform(0.2, 1.0), self._look)
        if write.kind == "deployments" and write.who == "controller":
            self._timeline.after(0.1, self._health)
        if write.kind == "deployments" and write.after is None:
            self._timeline.after(self._random.uniform(0.5, 1.5), self._look)  # it heals what is gone

    def _poll(self) -> None:
        self._look()
        self._timeline.after(POLL, self._poll)

    def _look(self) -> None:
        if end := self._weather.until("argo", self._timeline.now):
            self._timeline.at(end + 1, self._look)
            return
        revision = self._git.head.name
        synced = self._status().get("sync", {}).get("revision") == revision and not self._differs()
        running = {"phase": "Running", "operation": {"sync": {"revision": revision}}}
        status = {"sync": {"revision": revision, "status": "Synced" if synced else "OutOfSync"}}
        begins = not synced and not self._syncs
        status |= {"operationState": running} if begins else {}
        self._write(status, looked=True)
        if begins:
            self._syncs = True
            self._timeline.after(self._random.uniform(0.2, 1.0), lambda: self._sync(revision))
        self._health()

    def _differs(self) -> bool:
        images = images_in(self._git.head.files)
        return any(_image(self._store, name) != image for name, image in images.items())

    def _sync(self, revision: str) -> None:
        for name, image in images_in(self._git.commits[self._git.place(revision)].files).items():
            if _image(self._store, name) == image:
                continue
            if ("deployments", name) not in self._store.objects:
                self._store.put("argo", "create", DEPLOYMENTS, name, deployment(1, image))
            else:
                self._store.change("argo", DEPLOYMENTS, name, lambda body, image=image: _set_image(body, image))
        done = {"phase": "Succeeded", "operation": {"sync": {"revision": revision}}}
        self._since = self._timeline.now
        self._syncs = False
        self._write({"sync": {"revision": revision, "status": "Synced"}, "operationState": done})
        self._health()
        if self._git.head.name != revision:
            self._timeline.after(self._random.uniform(0.1, 0.5), self._look)

    def _health(self) -> None:
        bodies = [self._store.objects.get(("deployments", name)) for name in (STABLE, CANARY)]
        if any(body is None for body in bodies):
            health = {"status": "Missing"}
        elif all(rolled(body) for body in bodies if body):
            health = {"status": "Healthy"}
        elif self._timeline.now - self._since > 120:
            health = {"status": "Degraded", "message": "deadline exceeded"}
        else:
            health = {"status": "Progressing"}
            self._timeline.at(self._since + 121, self._health)
        if self._status().get("health") != health:
            self._write({"health": health})

    def _status(self) -> Object:
        return self._store.objects["applications", APPLICATION].get("status", {})

    def _write(self, status: Object, *, looked: bool = False) -> None:
        def edit(body: Object) -> None:
            body["status"] = {**body.get("status", {}), **status}
            if looked:
                body["metadata"].get("annotations", {}).pop(REFRESH, None)

        self._store.change("argo", APPLICATIONS, APPLICATION, edit)


class Mesh:
    """istiod and the Envoys: what a VirtualService says is in effect a moment later; keeps what was, when."""

    def __init__(self, store: Store, timeline: Timeline, weather: Weather, random: Random) -> None:
        self.log: list[Routes] = [Routes(0.0, 0.0, 0.0)]
        self._shares: dict[str, float] = {}
        self._store, self._timeline, self._weather, self._random = store, timeline, weather, random
        store.listeners.append(self._hear)

    @property
    def canary(self) -> float:
        """The greatest of the canary's shares, percent."""
        return self.log[-1].most

    def gives(self, canary: float) -> bool:
        """Say whether all routes give the canary this share."""
        return self.log[-1].most == self.log[-1].least == canary

    def _hear(self, write: Write) -> None:
        if write.kind == "virtualservices":
            self._timeline.after(self._random.uniform(0.02, 0.3), lambda: self._send(write.name))

    def _send(self, name: str) -> None:
        if end := self._weather.until("mesh", self._timeline.now):
            self._timeline.at(end + 0.1, lambda: self._send(name))
            return
        body = self._store.objects.get(("virtualservices", name))
        self._shares[name] = canary_weight(body) if body else 0.0
        routes = Routes(self._timeline.now, max(self._shares.values()), min(self._shares.values()))
        if (routes.most, routes.least) != (self.log[-1].most, self.log[-1].least):
            self.log.append(routes)


class Shrinker:
    """An autoscaler that sees stable idle while the canary has its traffic, and shrinks it to minReplicas."""

    def __init__(self, store: Store, timeline: Timeline, mesh: Mesh) -> None:
        self._store, self._timeline, self._mesh = store, timeline, mesh
        timeline.after(5.0, self._look)

    def _look(self) -> None:
        least = self._store.objects["horizontalpodautoscalers", STABLE]["spec"].get("minReplicas", 1)
        wanted = max(least, 2 if self._mesh.canary >= 50 else 4)
        body = self._store.objects.get(("deployments", STABLE))
        if body is not None and body["spec"]["replicas"] != wanted:
            self._store.change("autoscaler", DEPLOYMENTS, STABLE, lambda there: there["spec"].update(replicas=wanted))
        self._timeline.after(5.0, self._look)


def canary_weight(virtual_service: Object) -> float:
    """Give the canary's weight, percent."""
    return float(virtual_service["spec"]["http"][0]["route"][1].get("weight", 0))


def rolled(body: Object, needed: int = 0) -> bool:
    """Say whether a Deployment is all of its newest revision and ready."""
    status = body.get("status", {})
    fresh = status.get("observedGeneration", 0) >= body["metadata"].get("generation", 1)
    full = max(needed, body["spec"]["replicas"])
    return (
        fresh
        and status.get("updatedReplicas", 0) == status.get("readyReplicas", 0) == status.get("replicas", 0) >= full
    )


def services(store: Store) -> list[Object]:
    """Give the release's VirtualServices."""
    return [body for (kind, _), body in store.objects.items() if kind == "virtualservices"]


def put_all(store: Store, names: Sequence[str], image: str, replicas: int) -> None:
    """Put a release at rest; it has these VirtualServices."""
    route = [
        {"destination": {"host": HOST, "subset": "stable"}, "weight": 100},
        {"destination": {"host": HOST, "subset": "canary"}, "weight": 0},
    ]
    spec = {"hosts": ["shop.example.com"], "http": [{"name": "primary", "timeout": "5s", "route": route}]}
    for name in names:
        _create(store, VIRTUAL_SERVICES, name, {"metadata": {}, "spec": spec})
    scaler = {"scaleTargetRef": {"kind": "Deployment", "name": STABLE}, "minReplicas": 2, "maxReplicas": 8}
    _create(store, HPAS, STABLE, {"metadata": {}, "spec": scaler})
    for name, count in ((STABLE, 4), (CANARY, replicas)):
        _create(store, DEPLOYMENTS, name, deployment(count, image))
    synced = {"sync": {"revision": "c0", "status": "Synced"}, "health": {"status": "Healthy"}}
    _create(store, APPLICATIONS, APPLICATION, {"metadata": {}, "spec": {}, "status": synced})


def deployment(replicas: int, image: str) -> Object:
    """Make a Deployment."""
    containers = [{"name": "app", "image": image}]
    return {
        "metadata": {"generation": 1},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}},
        "status": {},
    }


def _create(store: Store, resource: Resource, name: str, body: Object) -> None:
    store.put("people", "create", resource, name, body)


def _wanted(body: Object) -> tuple[int, str]:
    return body["spec"]["replicas"], body["spec"]["template"]["spec"]["containers"][0]["image"]


def _image(store: Store, name: str) -> str:
    try:
        return _wanted(store.get(DEPLOYMENTS, name))[1]
    except NotFound:
        return ""


def _set_image(body: Object, image: str) -> None:
    body["spec"]["template"]["spec"]["containers"][0]["image"] = image
