"""Annual emissions with their status: of a store, or of an instance or folder with monthly reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from etsopt.accounting.review import annual_emissions, import_findings
from etsopt.accounting.review.words import LEVELS
from etsopt.accounting.sources import refuse_earlier_state
from etsopt.accounting.store import import_reports, is_store
from etsopt.common.errors import DataError, UsageError
from etsopt.common.language import _
from etsopt.data.files.read import POLICY, STORE, find_folder, read_policy, reports_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from etsopt.accounting.review import Verification

SCREENING = "etsopt screen"
"""Who found the findings of a folder."""


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
        With every problem of the reports, or of the policy if it has to state the year.
    """
    place = Path(source)
    if not is_store(place):
        folder = find_folder(source)
        place = _with_reports(folder)
        year = _year_of_policy(folder) if year is None else year
    if is_store(place):
        return annual_emissions(place, year, parameters, on, as_of, wait_s)
    refuse_earlier_state(as_of)
    return _of_folder(place, year, parameters, on)


def _with_reports(folder: Path) -> Path:
    place = reports_in(folder)
    if place is None:
        advice = _("Add register.csv and reports/, or name a store: etsopt verify plants.duckdb")
        raise UsageError(_("The folder {folder!r} has no monthly reports.", folder=str(folder)), advice)
    return place


def _year_of_policy(folder: Path) -> int | None:
    """Return the year of an instance; None for a folder without a policy."""
    if not (folder / POLICY).is_file():
        return None
    policy, problems = read_policy(folder / POLICY)
    if policy is None:
        raise DataError(_("The instance {name!r}", name=folder.name), problems)
    return policy.year


def _of_folder(folder: Path, year: int | None, parameters: Mapping[str, Any] | None, on: date | None) -> Verification:
    """Return the emissions of a folder by a store made for the moment, without acts of a level: there are none."""
    with TemporaryDirectory(prefix="etsopt-") as held:
        store = Path(held) / STORE
        import_reports(store, folder)
        import_findings(store, next(iter(LEVELS)), SCREENING)
        found = annual_emissions(store, year, parameters, on)
    findings = found.review.findings.assign(level="", decided_on="")
    return replace(
        found, review=replace(found.review, findings=findings, rates=found.review.rates.iloc[:0], entry=0, line=None)
    )
