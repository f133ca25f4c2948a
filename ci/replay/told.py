"""What a replay found, as lines for people.

Example:
    >>> list(in_short([{"run": "a", "verdict": "FAIL", "at": 14.0, "gates": {}, "steps": []}]))
    ['a: FAIL at 14 s', '1 run: 1 FAIL']
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from checks.words import count

FEW = 10  # runs that are told with every gate's sentence
Outcome = Mapping[str, Any]


def in_full(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Tell every step and gate.

    Args:
        outcomes: of the runs.
    """
    for each in outcomes:
        yield _headline(each)
        for step in each["steps"]:
            yield f"  weight {step['weight']:g} %: {step['verdict']}{_at(step)}"
            for name, gate in step["gates"].items():
                yield f"    {name:26} {gate['verdict']}{_at(gate)}{_live(step, name, gate)}"
                yield f"    {'':26} {gate['sentence']}"


def in_short(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Tell one line a run, and how many there are of each.

    Args:
        outcomes: of the runs.
    """
    verdicts: Counter[str] = Counter()
    for each in outcomes:
        verdicts[each["verdict"]] += 1
        gates = ", ".join(f"{name} {gate['verdict']}{_at(gate)}" for name, gate in each["gates"].items())
        yield _headline(each) + (f" ({gates})" if gates else "")
    runs = f"{count(verdicts.total())} run{'' if verdicts.total() == 1 else 's'}"
    yield f"{runs}: " + ", ".join(f"{count(many)} {verdict}" for verdict, many in sorted(verdicts.items()))


def _headline(outcome: Outcome) -> str:
    name = f"{outcome['run']}: " if outcome["run"] != "" else ""
    return f"{name}{outcome['verdict']}{_at(outcome)}"


def _at(decided: Mapping[str, Any]) -> str:
    return f" at {decided['at']:g} s" if decided["at"] is not None else ""


def _live(step: Mapping[str, Any], name: str, gate: Mapping[str, Any]) -> str:
    """Say what the live gate said, where it was something else."""
    said = step.get("live", {}).get(name)
    if said is None:
        return ""
    same = said["verdict"] == gate["verdict"] and gate["after"] in (None, said["after"])
    return ", as then" if same else f"; then it was {said['verdict']} after {said['after']:.1f} s"
