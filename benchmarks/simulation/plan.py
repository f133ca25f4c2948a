"""What happens in one seed, besides the weather: who drives, who dies, who meddles. All of it is drawn here."""

from dataclasses import dataclass
from random import Random

from benchmarks.simulation.weather import Weather, drawn

MEDDLING = ("edit the VirtualService", "edit the weights", "shrink stable", "commit elsewhere", "commit in the path",
            "delete the canary", "remove the record")  # fmt: skip
WORDS = ("pause", "resume", "promote", "force", "abort", "abort")


@dataclass(frozen=True)
class Driving:
    """A process that drives.

    Attributes:
        at: when it begins, seconds.
        rollout: its id, and the image's number.
        dies_at: at which write it is killed, 0 for never; ``dies_after`` whether the write is made first.
        killed: when it is killed, seconds; 0 for never.
        stopped: when it gets a SIGTERM, seconds; 0 for never.
    """

    at: float
    rollout: str
    dies_at: int = 0
    dies_after: bool = False
    killed: float = 0.0
    stopped: float = 0.0


@dataclass(frozen=True)
class Recovering:
    """A recovery: by the CronJob, or (``now``) by a person at that second; it may be killed at a write too."""

    at: float
    now: bool
    dies_at: int = 0
    dies_after: bool = False


@dataclass(frozen=True)
class Strike:
    """A death that was not drawn: of a process (from 0, as they begin), at a write (from 1), before or after it."""

    process: int
    write: int
    after: bool


@dataclass(frozen=True)
class Plan:
    """One seed.

    Attributes:
        seed: that it was drawn from.
        weather: what goes wrong on the way.
        drivers: who drives.
        recoveries: who recovers besides the CronJob; those with ``now`` at their second.
        cron: how the CronJob's first recoveries die.
        words: who says what when: second and word.
        meddling: who does what when.
        steps: of the release, percent.
        bad: ``canary``, ``stable``, ``never ready`` or "": what is wrong with the image.
        release: more of the release file.
        replicas: of the canary at rest.
        services: names of the release's VirtualServices.
        strike: a death besides those that were drawn.
    """

    seed: int
    weather: Weather
    drivers: tuple[Driving, ...]
    recoveries: tuple[Recovering, ...]
    cron: tuple[Recovering, ...]
    words: tuple[tuple[float, str], ...]
    meddling: tuple[tuple[float, str], ...]
    steps: tuple[int, ...]
    bad: str
    release: dict[str, object]
    replicas: int
    services: tuple[str, ...] = ("shop",)
    strike: Strike | None = None


def draw(seed: int) -> Plan:
    """Draw a plan."""
    random = Random(seed)
    weather = drawn(random)
    first = _driving(random, 0.0, "aaaa01")
    drivers = [first]
    if random.random() < 0.3:
        drivers.append(_driving(random, random.uniform(0, weather.calm), random.choice(("bbbb02", "bbbb03"))))
    when = weather.calm * 0.8
    return Plan(
        seed=seed,
        weather=weather,
        drivers=tuple(drivers),
        recoveries=tuple(_recovering(random, when, now=True) for _ in range(random.choice((0, 0, 0, 1, 2)))),
        cron=tuple(_recovering(random, 0, now=False) for _ in range(random.choice((0, 0, 1, 3)))),
        words=tuple((random.uniform(0, when), random.choice(WORDS)) for _ in range(random.choice((0, 0, 0, 1, 2)))),
        meddling=tuple(
            (random.uniform(0, when), random.choice(MEDDLING)) for _ in range(random.choice((0, 0, 0, 1, 2)))
        ),
        steps=random.choice(((25, 100), (5, 50, 100), (100,))),
        bad=random.choice(("", "", "", "", "", "canary", "stable", "never ready")),
        release={
            "on_inconclusive": random.choice(("rollback", "hold")),
            "hold_stable": random.choice(("check", "min_replicas", "min_replicas")),
            "approve": random.choice(((), (), (), (), (), ("stable",))),
            "after": random.choice(("0s", "5s")),
            "hold_limit": "60s",
        },
        replicas=random.choice((0, 1, 2)),
        services=random.choice((("shop",), ("shop",), ("shop", "shop-mesh"))),
    )


def _driving(random: Random, at: float, rollout: str) -> Driving:
    fate = random.choice(("", "", "write", "write", "killed", "stopped"))
    return Driving(
        at=at,
        rollout=rollout,
        dies_at=random.randint(1, 30) if fate == "write" else 0,
        dies_after=random.random() < 0.5,
        killed=at + random.uniform(0, 60) if fate == "killed" else 0.0,
        stopped=at + random.uniform(0, 60) if fate == "stopped" else 0.0,
    )


def _recovering(random: Random, within: float, *, now: bool) -> Recovering:
    dies = random.random() < 0.5
    return Recovering(random.uniform(0, within), now, random.randint(1, 12) if dies else 0, random.random() < 0.5)
