"""What happens in a seed: which image, who is killed and when, how it is recovered, what the API server does."""

from dataclasses import dataclass
from random import Random
from typing import Literal

from benchmarks.robustness.faults import Faults, Spell
from ci.phases import Phase

Image = Literal["good", "bad"]
Who = Literal["driver", "pytest", "both"]
PHASES = {
    "good": (Phase.PREFLIGHT, Phase.DEPLOY, Phase.STEP, Phase.STEP, Phase.PROMOTE, Phase.SERVE),
    "bad": (Phase.STEP, Phase.ROLL_BACK),
}
LONGEST = 4.0  # seconds: about as long as a phase takes
MOST = 30  # writes that a rollout makes


@dataclass(frozen=True)
class Killing:
    """Who gets SIGKILL, and when.

    Attributes:
        who: the driver, the pytest run that it has started, or both.
        phase: in which phase; what counts where ``write`` is 0.
        after: seconds after the phase was entered, in a step after its weight was written.
        write: at which of its writes to the API server, counted from 1.
        made: whether that write is made first.
    """

    who: Who
    phase: Phase
    after: float
    write: int = 0
    made: bool = False

    def __str__(self) -> str:
        """Say it in a few words."""
        if self.write:
            return f"{self.who} {'after' if self.made else 'before'} write {self.write}"
        return f"{self.who} {self.after:.1f} s into {self.phase.value}"


@dataclass(frozen=True)
class Plan:
    """What happens.

    Attributes:
        seed: that it was drawn from.
        image: a good one, or one that answers nothing but errors.
        killing: of the driver.
        now: whether a person says ``recover --now``, or a CronJob looks with ``--all --expired``.
        again: that recovery's own write at which it is killed as well; 0 for never.
        faults: on the way to the API server, all the time.
    """

    seed: int
    image: Image
    killing: Killing
    now: bool
    again: int
    faults: Faults


def draw(seed: int) -> Plan:
    """Draw a plan.

    Args:
        seed: to draw from; the same gives the same plan.
    """
    random = Random(seed)
    image: Image = random.choice(("good", "good", "good", "bad"))
    return Plan(
        seed=seed,
        image=image,
        killing=_killing(random, image),
        now=random.random() < 0.5,
        again=random.choice((0, 0, 0, random.randint(1, 12))),
        faults=_faults(random, seed),
    )


def _killing(random: Random, image: Image) -> Killing:
    who: Who = random.choice(("driver", "both", "both", "pytest"))
    by_write = who != "pytest" and random.random() < 0.5  # a run of pytest writes nothing
    phase, after = random.choice(PHASES[image]), round(random.uniform(0, LONGEST), 1)
    write, made = random.randint(1, MOST), random.random() < 0.5
    return Killing(who, phase, after, write if by_write else 0, made)


def _faults(random: Random, seed: int) -> Faults:
    """Draw faults; every third seed has none."""
    if random.random() < 1 / 3:
        return Faults(seed)
    return Faults(
        seed=seed,
        latency=random.choice((0.0, 0.01, 0.05)),
        refused=random.choice((0.0, 0.02, 0.1)),
        throttled=random.choice((0.0, 0.05)),
        lost=random.choice((0.0, 0.03, 0.1)),
        hung=random.choice((0.0, 0.0, 0.005)),
        partitions=_partitions(random),
    )


def _partitions(random: Random) -> tuple[Spell, ...]:
    begin = round(random.uniform(1, 30), 1)
    return random.choice(((), (), ((begin, round(begin + random.uniform(1, 8), 1)),)))
