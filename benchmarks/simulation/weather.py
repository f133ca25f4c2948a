"""What goes wrong on the way: drawn from the seed, asked at every call, over when it is calm."""

from dataclasses import dataclass, field
from random import Random

Spell = tuple[float, float]  # from, to, seconds


def rarely(random: Random, chance: float, *levels: float) -> float:
    """Draw a level with some chance, else 0."""
    return random.choice(levels) if random.random() < chance else 0.0


def spells(random: Random, chance: float, longest: float, within: float) -> tuple[Spell, ...]:
    """Draw up to two spells."""
    found = []
    while random.random() < chance and len(found) < 2:
        begin = random.uniform(0, within)
        found.append((round(begin, 1), round(begin + random.uniform(1, longest), 1)))
    return tuple(found)


@dataclass(frozen=True)
class Weather:
    """What goes wrong.

    Attributes:
        calm: from then on nothing does, seconds.
        refused: the share of API calls that get a 500 or 429.
        lost: the share of writes that are made, and whose answer is lost.
        late: the share of writes that are made only after the caller has given up.
        touched: the share of writes before which somebody else bumps the object's version.
        slow: the share of calls that take seconds.
        partitions: spells without an API server.
        webhook: spells in which istiod's webhook hangs: every write of a VirtualService is a 500 after 5 s.
        unauthorized: spells in which the credentials are not accepted.
        mesh: spells in which istiod sends nothing to the Envoys.
        git: spells without a Git server.
        refusing: spells in which the branch is protected.
        races: the share of pushes that somebody else is faster than.
        half: the share of pushes that arrive, and whose answer is lost.
        argo: spells in which Argo CD is stuck.
        pods: spells in which no pod gets ready.
        runs: the share of pytest runs that crash, hang or lose a verdict.
    """

    calm: float
    refused: float = 0.0
    lost: float = 0.0
    late: float = 0.0
    touched: float = 0.0
    slow: float = 0.0
    partitions: tuple[Spell, ...] = ()
    webhook: tuple[Spell, ...] = ()
    unauthorized: tuple[Spell, ...] = ()
    mesh: tuple[Spell, ...] = ()
    git: tuple[Spell, ...] = ()
    refusing: tuple[Spell, ...] = ()
    races: float = 0.0
    half: float = 0.0
    argo: tuple[Spell, ...] = ()
    pods: tuple[Spell, ...] = ()
    runs: float = 0.0
    random: Random = field(default_factory=Random, compare=False, repr=False)

    def hits(self, what: str, now: float) -> bool:
        """Say whether something with this chance goes wrong now."""
        chance: float = getattr(self, what)
        return now < self.calm and chance > 0 and self.random.random() < chance

    def until(self, what: str, now: float) -> float:
        """Give the end of the spell that it is in, 0 when there is none."""
        found: tuple[Spell, ...] = getattr(self, what)
        ends = [min(end, self.calm) for begin, end in found if begin <= now < min(end, self.calm)]
        return max(ends, default=0.0)


def drawn(random: Random) -> Weather:
    """Draw a weather; each thing is rare, and many seeds see some of them together."""
    calm = random.choice((60.0, 120.0, 200.0))

    def times(chance: float, longest: float) -> tuple[Spell, ...]:
        return spells(random, chance, longest, min(calm, 90.0))

    return Weather(
        calm=calm,
        refused=rarely(random, 0.3, 0.02, 0.1, 0.5),
        lost=rarely(random, 0.3, 0.05, 0.2),
        late=rarely(random, 0.1, 0.03, 0.1),
        touched=rarely(random, 0.3, 0.1, 0.5),
        slow=rarely(random, 0.2, 0.02, 0.1),
        partitions=times(0.1, 60),
        webhook=times(0.08, 60),
        unauthorized=times(0.03, 30),
        mesh=times(0.08, 60),
        git=times(0.1, 90),
        refusing=times(0.05, 60),
        races=rarely(random, 0.2, 0.3, 0.8),
        half=rarely(random, 0.1, 0.3),
        argo=times(0.1, 120),
        pods=times(0.1, 120),
        runs=rarely(random, 0.15, 0.05, 0.2),
        random=Random(random.random()),
    )
