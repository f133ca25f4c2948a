"""Where seeds are tried: a sandbox under load, with a faulty way to its API server."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from benchmarks.live import Live, live
from benchmarks.robustness.proxy import FaultyApi
from benchmarks.robustness.rollouts import Bench
from fixtures.sandbox.real.choice import Real

RATE = 150.0
EASY = {"objectives": {"error_rate": "5%"}, "margin": "5 points"}  # what is wide is shown with few requests
SHORT = {"steps": [25, 100], "soak": "1s", "after": "1s", "limit": "30s", **EASY}


@contextmanager
def faulty(sandbox: Live) -> Iterator[tuple[Live, FaultyApi]]:
    """Put a faulty way before a sandbox's API server.

    Args:
        sandbox: that runs.

    Yields:
        The same sandbox with that way as its target, and the way.
    """
    with FaultyApi(sandbox.sandbox.state, sandbox.folder / "faulty") as api:
        yield replace(sandbox, target=api.target), api


@contextmanager
def stage(real: frozenset[Real] = frozenset()) -> Iterator[Bench]:
    """Start a sandbox on which a whole rollout takes a quarter of a minute, and end it.

    Args:
        real: control planes that are not stood in for.
    """
    with live(RATE, real, **SHORT) as sandbox, faulty(sandbox) as (place, api), closing(Bench(place, api)) as bench:
        yield bench
