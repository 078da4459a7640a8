"""Annual emissions by unit with their status: verified once the national level has passed every item of the year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.accounts import Accounts, account
from etsopt.accounting.review.items import look_at_items
from etsopt.accounting.review.scope import Scope
from etsopt.accounting.review.summary import NAMES, Review, review_of
from etsopt.accounting.review.words import INCOMPLETE, OPEN, VERIFIED
from etsopt.accounting.store.opening import open_store
from etsopt.accounting.store.reading import parameters_in, reports_of
from etsopt.common.errors import UsageError
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.accounting.rows import Reports

MONTHS = 12
ACCOUNTED = "accounted_emissions_tco2e"
VERIFIED_EMISSIONS = "verified_emissions_tco2e"


@dataclass(frozen=True, eq=False)
class Verification:
    """Accounts of a store and the state of their review, of one moment.

    Parameters
    ----------
    year
        Year of the emissions.
    units
        Units with reports in the year: status, months, items and how many have passed the national level,
        ``accounted_emissions_tco2e``, and ``verified_emissions_tco2e``, NaN unless the status is ``verified``.
    reports, accounts
        Reports and accounts of all years.
    review
        State of the review in the year.
    """

    year: int
    units: pd.DataFrame
    reports: Reports
    accounts: Accounts
    review: Review


def annual_emissions(
    path: str | Path,
    year: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    on: date | None = None,
    as_of: int | str | None = None,
    wait_s: float | None = None,
) -> Verification:
    """Return annual emissions by unit, and whether the review has verified them.

    A unit and year is verified if the national level has passed the present version of every item, no finding is open,
    and every month has a report, or a closed finding that explains why it has none.

    Parameters
    ----------
    year
        Year of the emissions; None for the last one of the reports.
    parameters
        Factors in place of those of the store, by dotted keys.
    on
        Day by which a month without a report counts as missing, for the enterprises at risk; None for today in China.
    as_of
        Number of an entry of the journal, or a day such as 2026-01-31; None for the present.
    wait_s
        Time to wait while another process has the store open [s]; None for 10.

    Raises
    ------
    UsageError
        As `open_store` does, or if no unit has reports of the year.
    DataError
        As `account` does.
    """
    with open_store(path, wait_s=wait_s) as opened:
        entry = look_at_items(opened, as_of)
        reports, stated = reports_of(opened), parameters_in(opened)
        year = int(reports.rows["month"].max()[:4]) if year is None else year
        state = review_of(opened, Path(path), entry, Scope(year), on)
    accounts = account(reports, {**stated, **(parameters or {})})
    known = sorted(set(accounts.unit_years["year"].tolist()))
    if year not in known:
        raise UsageError(
            _("No unit has reports of {year}.", year=year),
            _("Choose one of {names}.", names=", ".join(map(str, known))),
        )
    return Verification(year, _units(accounts, state, year), reports, accounts, state)


def _units(accounts: Accounts, state: Review, year: int) -> pd.DataFrame:
    own = accounts.unit_years[accounts.unit_years["year"] == year].reset_index(drop=True)
    items = state.items.assign(rank=pd.Categorical(state.items["status"], list(NAMES)).codes)
    groups = items.groupby("unit_id")
    passed = items[items["status"] == NAMES[-1]].groupby("unit_id").size()
    still = state.findings[state.findings["open"]].groupby("unit_id").size()
    unit = own["unit_id"]
    table = unit.to_frame().merge(
        accounts.register[["unit_id", "enterprise_id", "sector", "province"]], on="unit_id", how="left"
    )
    rank = unit.map(groups["rank"].min()).fillna(0).astype(int).to_numpy()
    open_findings = unit.map(still).fillna(0).astype(int)
    unexplained = MONTHS - unit.map(_months_settled(state)).fillna(0).astype(int)
    waiting = [(open_findings > 0).to_numpy(), (unexplained > 0).to_numpy(), rank == len(NAMES) - 1]
    status = np.select(waiting, [OPEN, INCOMPLETE, VERIFIED], NAMES[rank]).astype(object)
    accounted = own["emissions_tco2e"]
    return table.assign(
        year=year,
        status=status,
        months=own["months"],
        items=unit.map(groups.size()).fillna(0).astype(int),
        items_national=unit.map(passed).fillna(0).astype(int),
        open_findings=open_findings,
        accounted_emissions_tco2e=accounted,
        verified_emissions_tco2e=accounted.where(status == VERIFIED),
        output_t=own["output_t"],
        intensity=own["intensity"],
        confidence=own["confidence"],
    )


def _months_settled(state: Review) -> pd.Series[int]:
    """Return, by unit, the months with a report, or without one but with a closed finding."""
    closed = state.findings[~state.findings["open"]]
    pairs = pd.concat([state.months[["unit_id", "month"]], closed[["unit_id", "month"]]]).drop_duplicates()
    return pairs.groupby("unit_id").size()
