"""Months of a year that open findings put in doubt, by unit of an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from etsopt.accounting.screening import screen
from etsopt.data.doubts import DOUBTFUL_SHARE

if TYPE_CHECKING:
    from etsopt.accounting.accounts import Accounts
    from etsopt.accounting.rows import Reports

MONTH = ["unit_id", "month"]
FINDING = [*MONTH, "rule"]
BEGINS_OR_ENDS = ("new", "closed")
"""Special cases of units that stand still in months of a year."""


def doubtful_months(
    reports: Reports,
    accounts: Accounts,
    year: int,
    ids: pd.Series[str],
    of_review: pd.DataFrame | None,
    verified: frozenset[str],
) -> pd.DataFrame:
    r"""Return the units of an instance whose year open findings put in doubt.

    A month of a unit of the register is in doubt if it has an open finding and holds more than a tenth of the emissions
    of its year. Findings are those of screening, but for those that the review has closed, and those that the review
    has open.

    Parameters
    ----------
    ids
        Unit of the instance by unit of the register: a complex is one.
    of_review
        All findings of the review of a store, with ``open``; None without one.
    verified
        Units of the register that the national level has passed, which are in no doubt.

    Returns
    -------
    pandas.DataFrame
        ``doubtful_months``, apart by spaces, and ``doubtful_t``, the emissions of all of them [tCO2e].
    """
    years = accounts.unit_years[accounts.unit_years["year"] == year].set_index("unit_id")["emissions_tco2e"]
    months = accounts.unit_months
    months = months[months["month"].str.startswith(f"{year:04d}-") & ~months["unit_id"].isin(verified)]
    months = months[months["emissions_tco2e"] > DOUBTFUL_SHARE * months["unit_id"].map(years).astype(float)]
    if len(months):
        found = screen(reports, accounts=accounts).findings[FINDING]
        if of_review is not None:
            closed = pd.MultiIndex.from_frame(of_review.loc[~of_review["open"], FINDING])
            found = found[~pd.MultiIndex.from_frame(found).isin(closed)]
            found = pd.concat([found, of_review.loc[of_review["open"], FINDING]])
        months = months.merge(found[MONTH].drop_duplicates())
    parts = months.groupby(months["unit_id"].map(ids))
    return parts.agg(doubtful_months=("month", _listed), doubtful_t=("emissions_tco2e", "sum"))


def missing_months(
    accounts: Accounts, year: int, ids: pd.Series[str], of_review: pd.DataFrame | None, verified: frozenset[str]
) -> pd.Series[str]:
    """Return the months of a year without a report by unit of an instance, apart by spaces; none if all have one.

    A unit that is new or closed has months without one, as has one that the national level has verified, and a month
    whose finding the review has closed. Parameters are those of `doubtful_months`.
    """
    own = accounts.unit_years.loc[accounts.unit_years["year"] == year, "unit_id"]
    register = accounts.register.set_index("unit_id")
    own = own[~own.isin(verified) & ~own.map(register["special_case"]).isin(BEGINS_OR_ENDS)]
    months = [f"{year:04d}-{month:02d}" for month in range(1, 13)]
    asked = pd.MultiIndex.from_product([own, months], names=MONTH)
    missing = asked.difference(pd.MultiIndex.from_frame(accounts.unit_months[MONTH]))
    if of_review is not None:
        closed = of_review[~of_review["open"] & (of_review["rule"] == "missing_month")]
        missing = missing.difference(pd.MultiIndex.from_frame(closed[MONTH]))
    found = missing.to_frame(index=False)
    return found["month"].groupby(found["unit_id"].map(ids)).agg(_listed)


def _listed(months: pd.Series[str]) -> str:
    """Return months, each once."""
    return " ".join(sorted(set(months)))
