"""What recorded traffic is judged by: defaults, a release file, options.

Options win over the release file, and both over the defaults. ``group`` None estimates it from the record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from checks.evidence import LatencyObjective, Terms
from checks.history import History
from fixtures.errors import InputError

_DEFAULT_LATENCY = (LatencyObjective(0.99, 0),)


@dataclass(frozen=True)
class Objectives:
    """What a record is judged by.

    Attributes:
        terms: of the release file, or the defaults; the weight is the record's.
        changes: fields of ``Terms`` that options have set.
        group: requests that may share one fate; None: estimated from the record's history.
        steps: how many the release has; None: as many as the record.
    """

    terms: Terms = field(default_factory=partial(Terms, weight=0))
    changes: Mapping[str, Any] = field(default_factory=dict)
    group: float | None = None
    steps: int | None = None

    def judged_by(self, *, weights: int, tells_time: bool) -> Terms:
        """Give what is the same for all steps of a run.

        Args:
            weights: how many weights over 0 it has.
            tells_time: whether it says which answers were slow.

        Raises:
            InputError: when there is more than one latency objective, and only one count of slow answers.
        """
        terms = replace(self.terms, steps=self.steps or max(1, weights), **self.changes)
        if not terms.latency and tells_time:
            terms = replace(terms, latency=_DEFAULT_LATENCY)
        if len(terms.latency) > 1:
            shares = ", ".join(f"{100 * each.share:g}%" for each in terms.latency)
            raise InputError(
                f"the release file has {len(terms.latency)} latency objectives ({shares}), a record has one count of"
                " slow answers",
                remedy="say which one it is: --latency 99%",
            )
        return terms

    def at(self, weight: float, terms: Terms, history: History) -> Terms:
        """Give the terms of one step.

        Args:
            weight: the canary's, percent.
            terms: of the run.
            history: stable's traffic before the release.
        """
        if self.group is not None:
            return replace(terms, weight=weight, group=self.group)
        return history.estimated(replace(terms, weight=weight))
