"""No alert of the team's own fires, and its own queries stay in range, while the canary takes traffic.

Rules:
    1. which alerts count is said by labels in the release file; one that fires is a FAIL at once: whoever wrote it
       has already decided how long to wait
    2. a query of the release file has to stay within its range; out of it for 3 looks in a row is a FAIL
    3. an alert that can not be asked about, labels that no alerting rule can give, a query without a number: not passed
    4. these are thresholds: no error probability belongs to them, and the report says so
"""

from checks.evidence import Nearness, Range, Terms, Tick
from checks.gate import Judge, Role, gate
from checks.verdict import Outcome, Proof, Verdict, failed, inconclusive, passed

LOOKS = 3


class NoAlert(Judge):
    """No alert with the release file's labels fires."""

    role = Role.GUARD

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms)
        self._last = inconclusive("Prometheus has not been asked for alerts yet")
        if not terms.alerts:
            self._last = passed("the release file names no alerts", Proof(1))

    def look(self, tick: Tick) -> Outcome:
        """Judge the latest answer; a look without one leaves nothing to pass on.

        Args:
            tick: what happened since the look before.
        """
        if self.terms.alerts and tick.alerts is not None:
            self._last = passed("no alert fires", Proof(1))
            if tick.alerts:
                self._last = failed(f"alert {', '.join(tick.alerts)} fires", alerts=", ".join(tick.alerts))
        elif self.terms.alerts and tick.gap:
            self._last = inconclusive(f"whether an alert fires is not known: {tick.gap}")
        return self._last.outcome

    def verdict(self) -> Verdict:
        """Say which alerts fire."""
        return self._last

    def nearness(self) -> Nearness:
        """Say which alerts fire."""
        return Nearness(self._last.sentence)


class OwnQueries(Judge):
    """Every query of the release file stays within its range."""

    role = Role.GUARD

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms)
        self._out = dict.fromkeys((each.name for each in terms.queries), 0)
        self._values: dict[str, float | None] = {}
        self._gap = ""

    def look(self, tick: Tick) -> Outcome:
        """Judge the latest numbers.

        Args:
            tick: what happened since the look before.
        """
        if tick.queries is not None:
            self._values, self._gap = dict(tick.queries), ""
            for query in self.terms.queries:
                value = self._values.get(query.name)
                if value is not None:
                    self._out[query.name] = 0 if query.holds(value) else self._out[query.name] + 1
        elif tick.gap:
            self._values, self._gap = {}, f": {tick.gap}"
        return self.verdict().outcome

    def verdict(self) -> Verdict:
        """Say which query is out of range, or without a number."""
        if not self.terms.queries:
            return passed("the release file names no queries", Proof(1))
        out = [query for query in self.terms.queries if self._out[query.name] >= LOOKS]
        if out:
            return failed("; ".join(self._says(query) for query in out))
        open_ones = [query for query in self.terms.queries if self._values.get(query.name) is None]
        if open_ones:
            return inconclusive(f"no number for query {', '.join(query.name for query in open_ones)}{self._gap}")
        if any(self._out.values()):
            return inconclusive("; ".join(self._says(query) for query in self.terms.queries if self._out[query.name]))
        return passed("; ".join(self._says(query) for query in self.terms.queries), Proof(len(self.terms.queries)))

    def _says(self, query: Range) -> str:
        value = self._values.get(query.name)
        return f"query {query.name} is {'unknown' if value is None else f'{value:.6g}'}, allowed is {query}"

    def nearness(self) -> Nearness:
        """Say for how many looks a query was out of range."""
        out = max(self._out.values(), default=0)
        return Nearness(self.verdict().sentence, out, LOOKS if out else 0)


@gate(NoAlert)
def test_no_alert_fires(verdict: Verdict) -> None:
    """No alert with the release file's labels fires."""
    verdict.require()


@gate(OwnQueries)
def test_own_queries_in_range(verdict: Verdict) -> None:
    """Every query of the release file stays within its range."""
    verdict.require()
