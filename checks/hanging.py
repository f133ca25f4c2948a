"""Requests to the canary end.

Istio counts a request when it ends, so a canary that hangs shows neither errors nor latency. Where Envoy exports how
many requests are in flight, this guard looks at that; elsewhere the route's timeout (a hang becomes a 504) and the
split gate (completions that are missing) stand in.

Rules:
    1. in flight at most 3 x (rate x bound) + 10, where the bound is the longest latency objective (1 s without one)
    2. over it for 5 looks in a row: FAIL
"""

from checks.evidence import Nearness, Terms, Tick
from checks.gate import Judge, Role, gate
from checks.verdict import Outcome, Proof, Verdict, failed, inconclusive, passed
from checks.words import count, seconds

LOOKS = 5
_DEFAULT_BOUND = 1.0
_SLACK = 10
_FACTOR = 3


class Hanging(Judge):
    """The canary's requests in flight stay few."""

    role = Role.GUARD

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms)
        self._bound = max((each.bound for each in terms.latency), default=_DEFAULT_BOUND)
        self._over = 0
        self._in_flight: float | None = None
        self._allowed = 0.0
        self._requests = self._seconds = 0.0
        self._told = False

    def look(self, tick: Tick) -> Outcome:
        """Compare the requests in flight with what the traffic explains.

        Args:
            tick: what happened since the look before.
        """
        if tick.traffic is not None:
            # The rate is that of all traffic at the canary's weight: a canary that hangs has no rate of its own.
            whole = tick.traffic.canary.all.requests + tick.traffic.stable.all.requests
            self._requests += whole * self.terms.weight / 100
            self._seconds += tick.seconds
            self._in_flight = tick.in_flight.canary if tick.in_flight else None
            self._told = True
        if self._in_flight is None:
            return self._outcome()
        rate = self._requests / self._seconds if self._seconds else 0.0
        self._allowed = _FACTOR * rate * self._bound + _SLACK
        self._over = self._over + 1 if self._in_flight > self._allowed else 0
        return self._outcome()

    def _outcome(self) -> Outcome:
        if self._over >= LOOKS:
            return Outcome.FAIL
        return Outcome.PASS if self._told and not self._over else Outcome.INCONCLUSIVE

    def verdict(self) -> Verdict:
        """Say how many are in flight, and how many may be."""
        if not self._told:
            return inconclusive("the requests in flight have not been read yet")
        if self._in_flight is None:
            return passed("in-flight requests are not exported here: route timeout and split gate stand in", Proof(1))
        state = f"{count(self._in_flight)} requests to the canary are in flight"
        allowed = f"{count(self._allowed)} are explained by its traffic and {seconds(self._bound)} each"
        if self._over >= LOOKS:
            return failed(f"{state}, only {allowed}: they do not end", in_flight=self._in_flight)
        if self._over:
            return inconclusive(f"{state}, only {allowed}")
        return passed(f"{state}: they end", Proof(1), in_flight=self._in_flight)

    def nearness(self) -> Nearness:
        """Say for how many looks there were too many."""
        return Nearness(self.verdict().sentence, self._over, LOOKS if self._over else 0)


@gate(Hanging)
def test_requests_end(verdict: Verdict) -> None:
    """The canary's requests end."""
    verdict.require()
