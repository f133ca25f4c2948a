"""What is done in each phase, as data: the whole release on one screen.

``PLAN`` says what, the ``Performer`` (ci/performer.py) does it, the ``Driver`` (ci/driver.py) goes from phase to
phase. An effect that fails ends its phase; those marked ``again`` are tried for some seconds first where the API server
stumbles. Where traffic is being taken back, those marked ``always`` are done all the same: what can be put right is put
right, and a person is told of the rest.

The order is the safety: capacity before weight, weight before Git when traffic goes away, proof before scaling down,
and before stable is rolled: a person may have skipped the gates that would have seen that it still has traffic.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from ci.phases import Phase

Role = Literal["stable", "canary"]


@dataclass(frozen=True)
class Effect:
    """Something that the driver does to the world."""

    always: ClassVar[bool] = False
    again: ClassVar[bool] = False  # on the way up, where the API server stumbles


@dataclass(frozen=True)
class Enter(Effect):
    """The record says that the phase has begun; the weights stay."""


@dataclass(frozen=True)
class Refresh(Effect):
    """Argo CD looks at Git now."""

    again = True


@dataclass(frozen=True)
class KeepBefore(Effect):
    """A snapshot of the three places is kept, for the proof after a rollback."""

    again = True


@dataclass(frozen=True)
class Commit(Effect):
    """The Deployment's new image is in Git."""

    role: Role


@dataclass(frozen=True)
class Settle(Effect):
    """Argo CD runs our newest commit, and is healthy."""

    always = True
    again = True


@dataclass(frozen=True)
class Provide(Effect):
    """The canary has as many ready pods as the weight of the step needs, or before a step that of the first one."""


@dataclass(frozen=True)
class Suite(Effect):
    """A scenario passes; ``rises`` moves the weights of the place once it is ready to watch them."""

    scenario: str
    part: str = ""
    rises: bool = False


@dataclass(frozen=True)
class Meet(Effect):
    """All services that are released together have come here."""


@dataclass(frozen=True)
class ChooseSteps(Effect):
    """The steps are known: the release file's, or what preflight has found."""


@dataclass(frozen=True)
class HoldStable(Effect):
    """Stable's autoscaler can not shrink it, where the release file wants that."""


@dataclass(frozen=True)
class FreeStable(Effect):
    """Stable's autoscaler is as it was; not before the data plane is proved: until then stable may not shrink."""


@dataclass(frozen=True)
class Hold(Effect):
    """Nothing keeps the weight any more; until then the canary is watched."""


@dataclass(frozen=True)
class WatchAfter(Effect):
    """Stable's new version has been watched for a while, and until all others' have been, without harm."""


@dataclass(frozen=True)
class Shift(Effect):
    """The weights of the place, if nothing speaks against it."""


@dataclass(frozen=True)
class TakeBack(Effect):
    """The weights of the place, whatever it takes."""


@dataclass(frozen=True)
class Prove(Effect):
    """The data plane itself routes by the weights of the place."""


@dataclass(frozen=True)
class Reap(Effect):
    """A suite that was left behind has ended and written its JUnit file."""

    always = True


@dataclass(frozen=True)
class Revert(Effect):
    """Our commits for these Deployments are taken back in Git."""

    always = True
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class StableReady(Effect):
    """Every pod of stable is of its newest revision and ready."""


@dataclass(frozen=True)
class Rest(Effect):
    """The canary has its number of replicas at rest."""


@dataclass(frozen=True)
class Measure(Effect):
    """How long the canary could hurt, by Envoy's own log."""

    always = True


@dataclass(frozen=True)
class Finish(Effect):
    """The record says that it is over, if nobody has aborted meanwhile."""


@dataclass(frozen=True)
class Purge(Effect):
    """The record is purged, whatever it takes."""


PLAN: Mapping[Phase, tuple[Effect, ...]] = {
    Phase.PREFLIGHT: (Enter(), Refresh(), KeepBefore(), Suite("preflight"), ChooseSteps(), Meet()),
    Phase.DEPLOY: (Enter(), Commit("canary"), Settle(), Provide(), Suite("deployed")),
    Phase.STEP: (Meet(), HoldStable(), Provide(), Suite("canary_step", rises=True)),
    Phase.HOLD: (Hold(),),
    Phase.PROMOTE: (Meet(), Enter(), Prove(), Commit("stable"), Settle(), Suite("promotion", part="ready")),
    Phase.SERVE: (
        Meet(),
        Shift(),
        Prove(),
        Suite("promotion", part="serving"),
        WatchAfter(),
        Rest(),
        FreeStable(),
        Finish(),
    ),
    Phase.RESTORE: (TakeBack(), Reap(), Revert(("stable",)), Settle(), StableReady()),
    Phase.ROLL_BACK: (
        TakeBack(),
        Prove(),
        Reap(),
        Rest(),
        FreeStable(),
        Revert(("canary", "stable")),
        Settle(),
        Measure(),
        Suite("rollback"),
    ),
    Phase.REFUSED: (Reap(), Purge()),
    Phase.ROLLED_BACK: (Purge(),),
    Phase.PROMOTED: (Purge(),),
    Phase.INCOMPLETE: (Reap(),),
}
