"""A rollout's numbers for Prometheus, pushed to a Pushgateway at each turn.

A rollout in a build lasts minutes, on an agent that is gone afterwards: a port would be found by no scrape, or by one
and never with the last numbers, and a file would need an exporter on the agent. A Pushgateway is made for jobs that
end: it keeps the last numbers of each service, until its next rollout replaces them.

Each service has one group, ``job="sluicegate"`` with its name, namespace and target; a group is replaced as a whole.
"""

from collections.abc import Callable, Mapping
from functools import partial

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import push_to_gateway

from ci.events import (
    Event,
    Held,
    HoldEnded,
    PhaseEntered,
    RollbackMeasured,
    RolloutBegan,
    RolloutEnded,
    VerdictReached,
    WeightsWritten,
)
from ci.phases import ENDS
from ci.reporters.notify.channel import needs
from ci.reporters.notify.http import send
from fixtures.notify import Metrics, filled

OUTCOMES = tuple(sorted(phase.value.replace(" ", "_") for phase in ENDS))
PUSHES = (PhaseEntered, WeightsWritten, Held, HoldEnded, RolloutEnded)


class Numbers:
    """The numbers of a rollout, as far as it has come."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._info = self._gauge("info", "The rollout; always 1", "rollout", "image", "who")
        self._began = self._gauge("begin_timestamp_seconds", "When the rollout began")
        self._ended = self._gauge("end_timestamp_seconds", "When the rollout ended; 0 while it goes on")
        self._weight = self._gauge("canary_weight_ratio", "The canary's weight as last written")
        self._held = self._gauge("held", "1 while the weight is held")
        self._outcome = self._gauge("outcome", "1 for how it ended, 0 for all else", "outcome")
        self._verdicts = self._gauge("verdicts", "Verdicts of its gates so far", "gate", "outcome")
        self._rollback = self._gauge("rollback_seconds", "From the first bad answer to the last request routed")

    def _gauge(self, name: str, words: str, *labels: str) -> Gauge:
        return Gauge(f"sluicegate_rollout_{name}", words, labels, registry=self.registry)

    def note(self, event: Event) -> None:
        """Take in what has happened.

        Args:
            event: the next one.
        """
        match event:
            case RolloutBegan():
                self._info.labels(event.rollout, event.image, event.who).set(1)
                self._began.set(event.at)
                self._end("")
            case WeightsWritten():
                self._weight.set(event.canary / 100)
            case Held() | HoldEnded():
                self._held.set(isinstance(event, Held))
            case VerdictReached():
                self._verdicts.labels(event.gate, event.outcome).inc()
            case RollbackMeasured():
                self._rollback.set(event.seconds or 0.0)
            case RolloutEnded():
                self._ended.set(event.at)
                self._end(event.outcome.replace(" ", "_"))
            case _:
                pass

    def _end(self, outcome: str) -> None:
        for each in OUTCOMES:
            self._outcome.labels(each).set(each == outcome)


class MetricsChannel:
    """Tells a Pushgateway.

    Args:
        name: what the release file's reader knows it by.
        metrics: where it is.
        group: the labels of all numbers of this service.
        environ: has the variables that it names.
    """

    def __init__(self, name: str, metrics: Metrics, group: Mapping[str, str], environ: Mapping[str, str]) -> None:
        self.name = name
        self._metrics = metrics
        self._group = group
        self._environ = environ
        self._numbers = Numbers()

    def tell(self, event: Event) -> None:
        """Take the event in, and push where it is a turn.

        Raises:
            NotDelivered: when a variable is not there, or the Pushgateway does not take it.
        """
        self._numbers.note(event)
        needs(self._metrics.variables, self._environ)
        if isinstance(event, PUSHES):
            registry, group = self._numbers.registry, dict(self._group)
            push_to_gateway(self._metrics.pushgateway, "sluicegate", registry, group, handler=self._request)

    def _request(
        self, *, url: str, method: str, headers: list[tuple[str, str]], data: bytes, **_: object
    ) -> Callable[[], None]:
        own = filled(self._metrics.headers, self._environ)
        return partial(send, method, url, data, {**dict(headers), **own})
