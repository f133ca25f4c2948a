"""The picture of the state machine, drawn from the table itself: README's is this one, and a test sees to it.

``python -m ci.picture README.md`` draws it anew between the two marks.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from ci.phases import ENDS, TABLE, Phase, Place, Result, next_place, safe_weights

BEGIN, END = "<!-- drawn by `python -m ci.picture README.md` from ci/phases.py -->", "<!-- end of the drawing -->"
STEPS = (1, 2)  # any two: one has another after it, one has not


def picture() -> str:
    """Draw the table as a mermaid state diagram; what leads to the same place stands on one arrow."""
    arrows: dict[tuple[Phase, Phase], list[str]] = {}
    for before, result, after in _ways():
        words = arrows.setdefault((before, after), [])
        words += [result.value] if result.value not in words else []
    lines = [
        "stateDiagram-v2",
        f"    [*] --> {_name(Phase.PREFLIGHT)}",
        *(f"    {_name(before)} --> {_name(after)}: {', '.join(words)}" for (before, after), words in arrows.items()),
        *(f"    {_name(phase)} --> [*]" for phase in Phase if phase in ENDS),
        *(f"    {_name(phase)}: {title}" for phase in TABLE if (title := _title(phase)) != phase.value),
    ]
    return "\n".join(["```mermaid", *lines, "```"])


def redrawn(text: str) -> str:
    """Put the picture between the marks of a text.

    Args:
        text: of a Markdown file that has both marks.

    Raises:
        ValueError: when it has not.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the text has no place for the picture: {BEGIN} ... {END}")
    return f"{head}{BEGIN}\n{picture()}\n{END}{tail}"


def _ways() -> Iterator[tuple[Phase, Result, Phase]]:
    for phase, results in TABLE.items():
        for result in results:
            for step in STEPS if phase in {Phase.STEP, Phase.HOLD} else (0,):
                yield phase, result, next_place(Place(phase, step), result, STEPS).phase


def _name(phase: Phase) -> str:
    return phase.value.replace(" ", "_")


def _title(phase: Phase) -> str:
    """Say where the canary carries everything when something goes wrong; elsewhere it is stable."""
    return f"{phase.value} (safe is canary 100 %)" if safe_weights(phase).canary else phase.value


if __name__ == "__main__":
    for name in sys.argv[1:]:
        file = Path(name)
        file.write_text(redrawn(file.read_text(encoding="utf-8")), encoding="utf-8")
