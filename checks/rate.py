"""A share of bad requests is shown to be under its objective: what error rate and latency gates have in common.

Rules:
    1. FAIL is looked at first: evidence of checks/harm.py, one process over the whole rollout
    2. PASS: evidence below the objective (checks/sequential.py), begun anew at each weight, and the soak is over
    3. a part of the FAIL evidence looks at each pod by itself (checks/harm_by_pod.py)
    4. no request, no evidence; a rate equal to the objective never decides
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from checks.evidence import Count, Nearness, Terms, Tick, Traffic
from checks.gate import Judge, Role
from checks.harm import Harm, cautious
from checks.harm_by_pod import HarmByPod
from checks.sequential import evidence_above, evidence_below, lower_bound, upper_bound
from checks.verdict import Number, Outcome, Proof, Verdict, failed, inconclusive, passed
from checks.wanting import told
from checks.words import count, percent, seconds

INTERVAL_ERROR = 0.025  # a side: a 95 % interval that holds at every look
POOLED = 0.9  # of the FAIL evidence; the rest is the pods': it costs the pooled part a tenth, theirs a factor of ten


class RateJudge(Judge):
    """A share of bad requests is shown to be under its objective.

    Args:
        terms: what the release file promises for this step.
        objective: the share that the rate has to be under.
        what: the rate in words, such as ``canary error rate``.
        fail_error: probability of a false FAIL.
    """

    role = Role.DECIDER
    version: ClassVar[str] = "canary"

    def __init__(self, terms: Terms, objective: float, what: str, fail_error: float) -> None:
        super().__init__(terms)
        self.objective, self._what, self._fail_error = objective, what, fail_error
        self._harm = Harm(objective, terms.group, terms.horizon, terms.block)
        self._by_pod = HarmByPod(objective, terms.group)
        self._seen = Count()  # under this weight
        self._watched = Count()  # also before it was in effect
        self._unreached = 0.0
        self._at = 0.0
        self._gap = ""
        self._worsened = False
        self._shown = Outcome.INCONCLUSIVE

    @abstractmethod
    def ended(self, traffic: Traffic) -> Count:
        """Give the requests that count, and which of them are bad.

        Args:
            traffic: of one tick.
        """

    def by_pod(self, traffic: Traffic) -> Mapping[str, Count]:  # noqa: ARG002 - not every version has pods told apart
        """Give the same for each pod, where they are told apart.

        Args:
            traffic: of one tick.
        """
        return {}

    def look(self, tick: Tick) -> Outcome:
        """Add the tick's requests and see what they show.

        Args:
            tick: what happened since the look before.
        """
        self._at, self._gap, self._worsened = tick.at, tick.gap, False
        if tick.traffic is not None:
            self._add(tick.traffic, tick)
        if self._shown is Outcome.FAIL or self._harmful():
            self._shown = Outcome.FAIL
        elif tick.at >= self.terms.soak and self._evidence() >= 1 / self.terms.pass_error:
            self._shown = Outcome.PASS
        else:
            self._shown = Outcome.INCONCLUSIVE
        return self._shown

    def _harmful(self) -> bool:
        return self._worsened and self._against() >= 1 / self._fail_error and not self.excused()

    def excused(self) -> bool:
        """Say whether the harm is not the canary's own."""
        return False

    def _add(self, traffic: Traffic, tick: Tick) -> None:
        ended = self.ended(traffic)
        self._watched += ended
        self._unreached += traffic.unreached
        if tick.settled:
            self._seen += ended
        # Most looks need not compute the evidence of harm: it has not grown.
        self._worsened = self._harm.add(ended.requests, ended.bad, tick.seconds)
        self._by_pod.add(self.by_pod(traffic))

    def _against(self) -> float:
        return POOLED * self._harm.evidence + (1 - POOLED) * self._by_pod.evidence

    def _evidence(self) -> float:
        return evidence_below(self.objective, self._seen.requests, self._seen.bad, self.terms.group)

    def verdict(self) -> Verdict:
        """Say rate, counts, interval, objective and seconds."""
        if self._shown is Outcome.FAIL:
            return failed(f"{self._harmful_rate()}{self._decided()}", **self._numbers())
        if self._shown is Outcome.PASS:
            sentence = f"{self._rate(self._seen)} is under the objective{self._decided()}"
            return passed(sentence, Proof(self._seen.requests), **self._numbers())
        return inconclusive(self._undecided() + self._wanting(), **self._numbers())

    def _bounds(self, seen: Count) -> tuple[float, float]:
        group = self.terms.group
        return lower_bound(seen, group, INTERVAL_ERROR), upper_bound(seen, group, INTERVAL_ERROR)

    def _rate(self, seen: Count) -> str:
        low, high = self._bounds(seen)
        rate = percent(seen.bad / seen.requests) if seen.requests else "unknown"
        reach = f"; {count(self._unreached)} reached no pod" if self._unreached else ""
        interval = f"95 % interval {percent(low)[:-2]} to {percent(high)}"
        return f"{self._what} {rate} ({count(seen.bad)} of {count(seen.requests)}, {interval}{reach})"

    def _harmful_rate(self) -> str:
        """Say which rate is too high: that of a pod, that of lately where all was well for long, or that of all."""
        pods, lately, seen = self._by_pod.culprits, self._harm.lately, self._watched
        if self._harm.evidence < self._by_pod.evidence and len(pods) < self._by_pod.seen:
            theirs = sum((self._by_pod.of(pod) for pod in pods), Count())
            who = f"pod {pods[0]} alone has" if len(pods) == 1 else f"pods {', '.join(pods)} have"
            share = f"{percent(theirs.bad / theirs.requests)} of {count(theirs.requests)}"
            return f"{self._rate(seen)}; {who} {share}, over the objective"
        if seen.bad <= self.objective * seen.requests and lately.seen.bad:
            of = f"{count(lately.seen.bad)} of the last {count(lately.seen.requests)}, in {seconds(lately.seconds)}"
            in_all = f"{count(seen.bad)} of {count(seen.requests)} in all"
            rate = percent(lately.seen.bad / lately.seen.requests)
            return f"{self._what} {rate} ({of}; {in_all}) is over the objective"
        return f"{self._rate(seen)} is over the objective"

    def _decided(self) -> str:
        return f" {percent(self.objective)}; decided after {seconds(self._at)}"

    def _undecided(self) -> str:
        if not self._seen.requests:
            reason = f" ({self._gap})" if self._gap else ""
            who = "the canary" if self.version == "canary" else self.version
            return f"no traffic reached {who} in {seconds(self._at)}{reason}: {self._what} unknown"
        gap = f"; last look without data: {self._gap}" if self._gap else ""
        shown = f"neither over nor under {percent(self.objective)} is shown in {seconds(self._at)}"
        return f"{self._rate(self._seen)}: {shown}{gap}"

    def _wanting(self) -> str:
        """Say how much more traffic it would take, as it was so far."""
        seen, objective = self._seen, self.objective
        over = seen.bad > objective * seen.requests
        group = cautious(self.terms.group) if over else self.terms.group

        def shown(times: float) -> bool:
            whole = (objective, times * seen.requests, times * seen.bad, group)
            if over:  # from the start is a quarter of the evidence of harm
                return evidence_above(*whole) >= 4 / POOLED / self._fail_error
            return evidence_below(*whole) >= 1 / self.terms.pass_error

        return "" if self.excused() else told(seen, self._at, shown)

    def _numbers(self) -> dict[str, Number]:
        seen = self._seen if self._seen.requests else self._watched
        low, high = self._bounds(seen)
        return {
            "requests": seen.requests,
            "bad": seen.bad,
            "lower": low,
            "upper": high,
            "objective": self.objective,
            "group": self.terms.group,
        }

    def nearness(self) -> Nearness:
        """Say how much evidence there is, for the side that is nearer."""
        good, bad = self._evidence() * self.terms.pass_error, self._against() * self._fail_error
        if bad > good:
            return Nearness(self._undecided(), self._against(), 1 / self._fail_error)
        return Nearness(self._undecided(), self._evidence(), 1 / self.terms.pass_error)

    def state(self) -> dict[str, Any]:
        """Keep the evidence of harm: it is one process over the whole rollout."""
        return {"pooled": self._harm.state(), "pods": self._by_pod.state()}

    def resume(self, state: dict[str, Any]) -> None:
        """Take the evidence of harm that the steps before have gathered.

        Args:
            state: what ``state`` gave there.
        """
        self._harm.resume(state["pooled"])
        self._by_pod.resume(state["pods"])
