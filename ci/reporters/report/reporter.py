"""The reporter: when a rollout is over, its report is drawn from its journal.

It is drawn from the file and not from what was heard, so that ``sluicegate report`` on the same journal draws the
same page, also that of a driver that was killed.

Example:
    >>> draw(Path("reports/journal.jsonl"), Path("reports/report"))  # doctest: +SKIP
    PosixPath('reports/report/index.html')
"""

from pathlib import Path

from ci.events import Event
from ci.reporters.journal import read
from fixtures.errors import InputError

FOLDER = "report"


class Report:
    """Draws the report at the end of a rollout; one that never began, since another driver has the service, has none.

    Args:
        journal: that another reporter writes; it has to be there when this one is closed.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self.page = journal.parent / FOLDER / "index.html"
        self._last: Event | None = None

    def tell(self, event: Event) -> None:
        """Know that there is something to draw; the journal has it."""
        self._last = event

    def close(self) -> None:
        """Draw the report.

        Raises:
            InputError: when the journal can not be read, or the folder not be written.
        """
        if self._last is not None:
            draw(self._journal, self.page.parent)


def draw(journal: Path, folder: Path) -> Path:
    """Draw the report of the rollout that a journal tells.

    Args:
        journal: the file.
        folder: for the report.

    Returns:
        The page.

    Raises:
        InputError: when the journal can not be read, or the folder not be written.
    """
    # Drawing needs a template engine, and the gates' own statistics: nobody has to wait for them before the end.
    from ci.reporters.report.collect import collect  # noqa: PLC0415
    from ci.reporters.report.page import write  # noqa: PLC0415

    try:
        return write(collect(read(journal)), journal, folder)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        what = f"this journal does not tell a rollout: {error or repr(error)}"
        raise InputError(what, str(journal), "name the journal.jsonl of a rollout, as it was written") from error
