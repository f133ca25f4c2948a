"""What holds for all tests.

What is not tested here is said once, loudly: a reason to skip that begins in capitals, with the number of tests.
"""

import os
from collections import Counter

import pytest
from _pytest.nodeid import coerce_node_id
from hypothesis import HealthCheck, settings

# A busy machine is no counterexample: nothing here is about time.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


LONG = pytest.mark.skip(reason="LONG TESTS ARE NOT RUN HERE: whole stories that take minutes; make long")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what takes minutes, unless it is asked for.

    Keep xdist's groups together: its 3.8 writes them where pytest, since 9.2, reads an item's id no longer.
    """
    for item in items:
        if item.get_closest_marker("long") and "SLUICEGATE_LONG" not in os.environ:
            item.add_marker(LONG)
        if grouped := vars(item).get("_nodeid"):
            item._id = coerce_node_id(grouped)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say each such reason in one line."""
    reports = terminalreporter.getreports("skipped")
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in reports)
    for reason, tests in reasons.items():
        if reason.split()[0].isupper():
            terminalreporter.write_line(f"{tests} tests skipped: {reason}", yellow=True, bold=True)
