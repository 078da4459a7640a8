"""Annual emissions with their status: of a store, or of an instance or folder with monthly reports."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from etsopt.accounting.review import annual_emissions, take_findings
from etsopt.accounting.review.words import LEVELS
from etsopt.accounting.store import import_reports, is_store
from etsopt.data.files.read import POLICY, find_folder, read_policy, reports_in
from etsopt.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from etsopt.accounting.review import Verification

SCREENING = "etsopt screen"
"""Who found what screening finds in a folder, which has no review."""


def verify(
    source: str | Path,
    year: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    on: date | None = None,
    as_of: int | str | None = None,
    wait_s: float | None = None,
) -> Verification:
    """Return annual emissions by unit, and whether the review has verified them, as `annual_emissions` does.

    Reports in a folder have no review: none of their units is verified, and the findings are those of screening.

    Parameters
    ----------
    source
        A store, or a folder with a store ``reports.duckdb`` or with monthly reports.
    year
        Year of the emissions; None for that of the policy of an instance, or the last one of the reports.

    Raises
    ------
    UsageError
        As `annual_emissions` does, or if a folder has no reports, or is asked for an earlier state.
    DataError
        With every problem of the reports.
    """
    if is_store(source):
        return annual_emissions(source, year, parameters, on, as_of, wait_s)
    folder = find_folder(source)
    place = reports_in(folder)
    if place is None:
        advice = "Add register.csv and reports/, or name a store: etsopt verify plants.duckdb"
        raise UsageError(f"The folder {str(folder)!r} has no monthly reports.", advice)
    if year is None:
        policy, _ = read_policy(folder / POLICY)
        year = policy.year if policy is not None else None
    if is_store(place):
        return annual_emissions(place, year, parameters, on, as_of, wait_s)
    if as_of is not None:
        raise UsageError("A folder has no earlier state.", "Import it into a store, or leave out --as-of.")
    with TemporaryDirectory(prefix="etsopt-") as held:
        store = Path(held) / "reports.duckdb"
        import_reports(store, folder)
        take_findings(store, next(iter(LEVELS)), SCREENING)
        return annual_emissions(store, year, parameters, on)
