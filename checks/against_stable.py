"""The canary's error rate is not worse than stable's by more than the margin.

Rules:
    1. both versions are watched over the same time; nothing is assumed about how they depend on each other
    2. stable's rate is only known within bounds that hold at every look. PASS: the canary is shown to be under
       stable's *lower* bound plus the margin; FAIL: over stable's *upper* bound plus the margin. Both have one
       boundary, so they can not both be true
    3. each of the two parts, bounds and canary, gets half of the error probability; a FAIL is shared by the steps,
       since this evidence begins anew at each
    4. each side has a group size of its own: both share a kind of bursts, but not how many requests one hits
    5. without traffic on stable there is nothing to compare with, which is INCONCLUSIVE; at 100 % there is no stable
       left, and the gate has nothing to say
"""

from checks.evidence import Count, Nearness, Terms, Tick
from checks.gate import Judge, Role, gate
from checks.sequential import ABOVE, BELOW, Bound, evidence_above, evidence_below, lower_bound, upper_bound
from checks.verdict import Number, Outcome, Proof, Verdict, failed, inconclusive, passed
from checks.wanting import told
from checks.words import count, percent, seconds, several

_ALL = 100


class AgainstStable(Judge):
    """The canary's error rate is shown not to be worse than stable's by more than the margin."""

    role = Role.DECIDER

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms)
        self._canary, self._stable = Count(), Count()
        self._at = 0.0
        self._group = terms.margin_group or terms.group
        self._stable_group = terms.stable_group or terms.group
        self._pass_at = 2 / terms.pass_error
        self._fail_at = 2 * terms.steps / terms.fail_error
        self._lowest = Bound(ABOVE, terms.pass_error / 2)
        self._highest = Bound(BELOW, terms.fail_error / terms.steps / 2)
        self._shown = Outcome.INCONCLUSIVE

    def look(self, tick: Tick) -> Outcome:
        """Add the tick's requests on both sides and see what they show.

        Args:
            tick: what happened since the look before.
        """
        self._at = tick.at
        if tick.traffic is not None and tick.settled:
            self._canary += tick.traffic.canary.all
            self._stable += tick.traffic.stable.all
        self._shown = self._look()
        return self._shown

    def _look(self) -> Outcome:
        if self.terms.weight >= _ALL:
            return Outcome.PASS
        if not (self._canary.requests and self._stable.requests):
            return Outcome.INCONCLUSIVE
        # Stable's bounds lie around its observed rate, so at most one of the two can be shown: the other costs no time.
        if self._is_over_the_margin():
            return Outcome.FAIL if self._worse() >= self._fail_at else Outcome.INCONCLUSIVE
        if self._at >= self.terms.soak and self._good() >= self._pass_at:
            return Outcome.PASS
        return Outcome.INCONCLUSIVE

    def _is_over_the_margin(self) -> bool:
        canary, stable = self._canary, self._stable
        return canary.bad / canary.requests > stable.bad / stable.requests + self.terms.margin

    def _worse(self) -> float:
        """Give the evidence that the canary is over stable's upper bound plus the margin."""
        limit = self._highest.update(self._stable, self._stable_group) + self.terms.margin
        return evidence_above(limit, self._canary.requests, self._canary.bad, self._group) if limit < 1 else 0.0

    def _good(self) -> float:
        """Give the evidence that the canary is under stable's lower bound plus the margin."""
        limit = self._lowest.update(self._stable, self._stable_group) + self.terms.margin
        return evidence_below(limit, self._canary.requests, self._canary.bad, self._group)

    def verdict(self) -> Verdict:
        """Say both rates with their counts, and the margin."""
        if self.terms.weight >= _ALL:
            return passed("at 100 % no stable is left to compare with; the objective alone decides", Proof(1))
        if self._shown is Outcome.FAIL:
            return failed(f"{self._rates()} is worse by more than{self._margin()}", **self._numbers())
        if self._shown is Outcome.PASS:
            proof = Proof(min(self._canary.requests, self._stable.requests))
            return passed(f"{self._rates()} is not worse by more than{self._margin()}", proof, **self._numbers())
        return inconclusive(self._undecided() + self._wanting(), **self._numbers())

    def _rates(self) -> str:
        sides = (("canary error rate", self._canary), ("against stable's", self._stable))
        return " ".join(
            f"{name} {percent(seen.bad / seen.requests)} ({count(seen.bad)} of {count(seen.requests)})"
            for name, seen in sides
        )

    def _margin(self) -> str:
        return f" {several(self.terms.margin * 100, 'point')}; decided after {seconds(self._at)}"

    def _undecided(self) -> str:
        for who, seen in (("the canary", self._canary), ("stable", self._stable)):
            if not seen.requests:
                return f"no traffic reached {who} in {seconds(self._at)}: there is nothing to compare"
        margin = several(self.terms.margin * 100, "point")
        return f"{self._rates()}: whether it is worse by more than {margin} is not shown in {seconds(self._at)}"

    def _wanting(self) -> str:
        """Say how much more traffic it would take, as it was so far."""
        canary, stable = self._canary, self._stable
        if not (canary.requests and stable.requests):
            return ""

        def shown(times: float) -> bool:
            theirs = Count(times * stable.requests, times * stable.bad)
            ours = (times * canary.requests, times * canary.bad, self._group)
            if self._is_over_the_margin():
                error = self.terms.fail_error / self.terms.steps / 2
                limit = upper_bound(theirs, self._stable_group, error) + self.terms.margin
                return limit < 1 and evidence_above(limit, *ours) >= self._fail_at
            limit = lower_bound(theirs, self._stable_group, self.terms.pass_error / 2) + self.terms.margin
            return evidence_below(limit, *ours) >= self._pass_at

        return told(canary, self._at, shown)

    def _numbers(self) -> dict[str, Number]:
        sides = {"canary": self._canary, "stable": self._stable}
        counts = {f"{name}_{part}": getattr(seen, part) for name, seen in sides.items() for part in ("requests", "bad")}
        return {**counts, "margin": self.terms.margin, "group": self._group}

    def nearness(self) -> Nearness:
        """Say how much evidence there is, for the side that is nearer."""
        if self.terms.weight >= _ALL or not (self._canary.requests and self._stable.requests):
            return Nearness(self.verdict().sentence, 0, self._pass_at)
        good, worse = self._good(), self._worse()
        if worse / self._fail_at > good / self._pass_at:
            return Nearness(self._undecided(), worse, self._fail_at)
        return Nearness(self._undecided(), good, self._pass_at)


@gate(AgainstStable)
def test_error_rate_against_stable(verdict: Verdict) -> None:
    """The canary's error rate is shown not to be worse than stable's by more than the margin."""
    verdict.require()
