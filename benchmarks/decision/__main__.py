"""Measure the decision: ``python -m benchmarks.decision [--runs 1000] [--only null] [--write docs/decision.md]``.

Prints every table and the bars; exit status 1 when one does not hold. ``--write`` puts tables and picture into the
documentation. The whole takes about half an hour of one processor.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.decision import compared, exact, many, null, recorded, releases, speed
from benchmarks.decision.report import Part, bars_table, write_into

PARTS: Mapping[str, Callable[[int], Part]] = {
    "exact": lambda runs: exact.part(20 * runs),
    "null": lambda runs: null.part(10 * runs),
    "speed": lambda runs: speed.part(max(20, runs // 4)),
    "releases": releases.part,
    "compared": lambda runs: compared.part(max(20, runs // 2)),
    "many": many.part,
    "recorded": recorded.part,
}


def main() -> int:
    """Run the parts that are wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="of a row; rows at the boundary have ten times as many")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; may be given again")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put tables and picture into this document")
    options = parser.parse_args()
    found = Part()
    for name in options.only or PARTS:
        part = PARTS[name](options.runs)
        found.tables += part.tables
        found.bars += part.bars
        print("\n\n".join(table.markdown() for table in part.tables), end="\n\n", flush=True)
    bars = bars_table(found.bars)
    print(bars.markdown())
    if options.write:
        _write(options.write, found, options.runs, whole=not options.only)
    return 0 if all(bar.holds for bar in found.bars) else 1


def _write(document: Path, found: Part, runs: int, *, whole: bool) -> None:
    write_into(document, [*found.tables, *([bars_table(found.bars)] if whole else [])])
    if whole:
        from benchmarks.decision.plot import draw, measured  # noqa: PLC0415 - the only use of a plotting library

        draw(measured(max(20, runs // 10)), document.parent / "pictures" / "decision.svg")


if __name__ == "__main__":
    sys.exit(main())
