"""Sources of monthly reports: a folder, a workbook, or a store of its present or an earlier state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etsopt.accounting import factors, rows
from etsopt.accounting.store import is_store, read_store
from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.data.files.read import reports_in

if TYPE_CHECKING:
    from pathlib import Path

    from etsopt.accounting.rows import Reports


@dataclass(frozen=True, eq=False)
class Source:
    """Reports with the parameters that are filed with them.

    Parameters
    ----------
    reports
        Validated reports.
    parameters
        Factors in place of the official ones, by dotted keys.
    """

    reports: Reports
    parameters: dict[str, Any]


def read_source(
    source: str | Path, as_of: int | str | None = None, wait_s: float | None = None, *, to_screen: bool = False
) -> Source:
    """Read reports and parameters of a folder, or together from a store, whose path ends in ``.duckdb``.

    A workbook with a sheet of the register has reports alone. An instance may have a store in place of reports.

    Parameters
    ----------
    as_of
        State of a store: the number of an entry of its journal, or a day such as 2026-01-31; None for the present.
    wait_s
        Time to wait while another process has the store open [s]; None for 10.
    to_screen
        True to read calorific values that look like kcal or kJ as they are: reports with any can be screened alone.

    Raises
    ------
    UsageError
        If there is no such folder, store or entry, or a folder is asked for an earlier state.
    DataError
        With every problem of every file.
    """
    source = _place(source)
    if is_store(source):
        content = read_store(source, as_of, wait_s)
        return Source(content.reports, content.parameters)
    refuse_earlier_state(as_of)
    return Source(rows.read_reports(source, to_screen), factors.read_parameters(source))


def read_reports(source: str | Path, as_of: int | str | None = None, wait_s: float | None = None) -> Reports:
    """Read the reports of a folder or store, as `read_source` does."""
    place = _place(source)
    if is_store(place) or as_of is not None:
        return read_source(place, as_of, wait_s).reports
    return rows.read_reports(place)


def read_parameters(source: str | Path, as_of: int | str | None = None, wait_s: float | None = None) -> dict[str, Any]:
    """Return the parameters of a folder or store, as `read_source` does."""
    place = _place(source)
    return read_source(place, as_of, wait_s).parameters if is_store(place) else factors.read_parameters(place)


def refuse_earlier_state(as_of: int | str | None) -> None:
    """Raise UsageError if a folder is asked for an earlier state."""
    if as_of is not None:
        raise UsageError(_("A folder has no earlier state."), _("Import it into a store, or leave out --as-of."))


def _place(source: str | Path) -> str | Path:
    """Return a store, folder or workbook as it is named, or the store of an instance."""
    if is_store(source):
        return source
    place = rows.find_reports(source)
    return place if place.is_file() else reports_in(place) or place
