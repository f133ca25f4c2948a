"""The data plane serves what the VirtualService says.

Rules:
    1. the canary's share of the requests is shown to lie within the tolerance of the weight: PASS
    2. shown to lie outside: FAIL, in either direction; the mesh does not do what was written
    3. a request counts when it ends, so those of a slow canary are missing at first: where Envoy exports how many are
       in flight, these count too; elsewhere counting begins after the longest latency objective (1 s without one), and
       a canary whose requests do not end fails here
    4. the threads of a busy Envoy are late with new weights: counting begins after the look that has first seen the
       canary served, or after 5 s, when it surely should have been
    5. Envoy draws each request's version on its own, so each is an observation of its own (group 1)
    6. someone who changes the weights while they are watched: FAIL at once

A share w is judged by four one-sided tests of checks/sequential.py's formula at the edges w - t and w + t. An edge
beyond 0 or 100 % can not be crossed and needs no proof.
"""

from checks.evidence import Count, InFlight, Nearness, Terms, Tick, Traffic, Weights
from checks.gate import Judge, Role, gate
from checks.sequential import Mixture, evidence
from checks.verdict import Number, Outcome, Proof, Verdict, failed, inconclusive, passed
from checks.words import count, percent, seconds, several

MORE: Mixture = ((1.03, 0.15), (1.07, 0.2), (1.15, 0.2), (1.4, 0.2), (2.5, 0.15), (30.0, 0.1))
LESS: Mixture = tuple((1 / odds, weight) for odds, weight in MORE)
_UNKNOWN_LATENCY = 1.0
_THREADS_ARE_UP_TO_DATE = 1.0  # seconds, once one of them has been seen to be
_SURELY_SERVED = 5.0


class TrafficSplit(Judge):
    """The share that the canary serves agrees with its weight."""

    role = Role.DECIDER

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms)
        self._low = (terms.weight - terms.split_tolerance) / 100
        self._high = (terms.weight + terms.split_tolerance) / 100
        self._seen = Count()  # requests of both versions; ``bad`` are the canary's
        self._patience = max((each.bound for each in terms.latency), default=_UNKNOWN_LATENCY)
        self._served = False  # whether the canary has been seen to get requests
        self._counts = False  # whether counting has begun
        self._before = InFlight()  # when counting began
        self._open = InFlight()  # how many more are in flight now than then; fewer, where those of before have ended
        self._at = 0.0
        self._moved_to: Weights | None = None
        self._shown = Outcome.INCONCLUSIVE

    def look(self, tick: Tick) -> Outcome:
        """Add the tick's requests and see what the canary's share is shown to be.

        Args:
            tick: what happened since the look before.
        """
        self._at = tick.at
        if tick.weights is not None and tick.weights.canary != self.terms.weight:
            self._moved_to = tick.weights
        if tick.traffic is not None and self._counts:
            self._add(tick.traffic, tick.in_flight)
        elif tick.traffic is not None:
            self._wait(tick, tick.traffic)
        self._shown = self._look()
        return self._shown

    def _wait(self, tick: Tick, traffic: Traffic) -> None:
        """See whether the next look counts."""
        in_flight = tick.in_flight or InFlight()
        self._served = self._served or traffic.canary.all.requests > 0 or in_flight.canary > self._before.canary
        self._before = in_flight
        patience = _THREADS_ARE_UP_TO_DATE if tick.in_flight is not None else self._patience
        self._counts = tick.settled and tick.at >= (patience if self._served else max(patience, _SURELY_SERVED))

    def _add(self, traffic: Traffic, in_flight: InFlight | None) -> None:
        canary = traffic.canary.all.requests
        self._seen += Count(canary + traffic.stable.all.requests, canary)
        # What has begun is what has ended, and what is more in flight than was.
        if in_flight is not None:
            to_canary = max(in_flight.canary - self._before.canary, -self._seen.bad)
            to_stable = max(in_flight.stable - self._before.stable, self._seen.bad - self._seen.requests)
            self._open = InFlight(to_canary, to_stable)

    @property
    def _routed(self) -> Count:
        more = self._open
        return Count(self._seen.requests + more.canary + more.stable, self._seen.bad + more.canary)

    def _look(self) -> Outcome:
        # A FAIL may come from two sides and in each of the steps.
        outside = max(self._above(self._high), self._below(self._low))
        if self._moved_to is not None or outside >= 2 * self.terms.steps / self.terms.fail_error:
            return Outcome.FAIL
        if self._inside() >= 1 / self.terms.pass_error and self._seen.requests and self._at >= self.terms.soak:
            return Outcome.PASS
        return Outcome.INCONCLUSIVE

    def verdict(self) -> Verdict:
        """Say share, counts, weight and tolerance."""
        if self._moved_to is not None:
            return failed(
                f"the canary's weight was changed to {self._moved_to.canary:g} % by someone else while"
                f" {self.terms.weight:g} % was watched",
            )
        if self._shown is Outcome.FAIL:
            return failed(f"{self._share()} is not the weight {self._expected()}{self._after()}", **self._numbers())
        if self._shown is Outcome.PASS:
            sentence = f"{self._share()} agrees with the weight {self._expected()}{self._after()}"
            return passed(sentence, Proof(self._routed.requests), **self._numbers())
        return inconclusive(self._undecided(), **self._numbers())

    def _above(self, edge: float) -> float:
        """Give the evidence that the share is over an edge."""
        if edge >= 1:
            return 0.0
        return evidence(MORE, edge, self._routed.requests, self._routed.bad, 1) if edge > 0 else float("inf")

    def _below(self, edge: float) -> float:
        """Give the evidence that the share is under an edge."""
        if edge <= 0:
            return 0.0
        return evidence(LESS, edge, self._routed.requests, self._routed.bad, 1) if edge < 1 else float("inf")

    def _inside(self) -> float:
        return min(self._above(self._low), self._below(self._high))

    def _share(self) -> str:
        routed = self._routed
        served = percent(routed.bad / routed.requests) if routed.requests else "nothing"
        more = self._open.canary + self._open.stable
        open_ones = f", {count(more)} not ended yet" if more >= 1 else ""
        return f"the canary served {served} ({count(routed.bad)} of {count(routed.requests)} requests{open_ones})"

    def _expected(self) -> str:
        return f"{self.terms.weight:g} % (tolerance {several(self.terms.split_tolerance, 'point')})"

    def _after(self) -> str:
        return f"; decided after {seconds(self._at)}"

    def _undecided(self) -> str:
        if not self._seen.requests:
            return f"no traffic in {seconds(self._at)}: the split is unknown"
        return f"{self._share()}: too few to say whether that is {self._expected()}, in {seconds(self._at)}"

    def _numbers(self) -> dict[str, Number]:
        return {"requests": self._routed.requests, "canary": self._routed.bad, "weight": self.terms.weight}

    def nearness(self) -> Nearness:
        """Say how much evidence there is that the share is within the tolerance."""
        inside = self._inside() if self._seen.requests else 1.0
        return Nearness(self._undecided(), inside, 1 / self.terms.pass_error)


@gate(TrafficSplit)
def test_traffic_split(verdict: Verdict) -> None:
    """The data plane serves the canary's weight."""
    verdict.require()
