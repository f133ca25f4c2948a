"""Ticks of traffic, as an observation would show them."""

from collections.abc import Callable

import pytest

from checks.evidence import Answers, Count, Pod, Tick, Traffic
from checks.gate import Decision

Watch = Callable[..., Decision]


@pytest.fixture
def watch() -> Watch:
    """Show a judge the same tick for some seconds; ``error_rate`` is deterministic, spread over the ticks."""

    def run(decision: Decision, *, seconds: int, rate: float, weight: float, error_rate: float = 0.0) -> Decision:
        asked = bad = 0.0
        for second in range(1, seconds + 1):
            asked += rate * weight / 100
            now = int(asked * error_rate) - bad
            bad += now
            canary = Count(int(asked) - int(asked - rate * weight / 100), now)
            stable = Count(rate - canary.requests, 0)
            decision.look(Tick(at=second, seconds=1, traffic=Traffic(Answers(canary), Answers(stable))))
        return decision

    return run


@pytest.fixture
def pod() -> Callable[..., Pod]:
    def make(name: str = "canary-1", **changes: object) -> Pod:
        facts = {"ready": True, "restarts": 0, "digest": "sha256:new"} | changes
        return Pod(name=name, **facts)  # type: ignore[arg-type]

    return make
