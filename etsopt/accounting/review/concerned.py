"""What the open findings of a month concern together: emissions at risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.accounts import account
from etsopt.accounting.review.items import WITHIN
from etsopt.accounting.store.reading import parameters_in, unchecked
from etsopt.common.errors import DataError

if TYPE_CHECKING:
    from etsopt.accounting.accounts import Accounts
    from etsopt.accounting.store.schema import Connection

MONTH = ["unit_id", "month"]


def accounts_of(opened: Connection) -> Accounts | None:
    """Return the accounts of units with open findings, of the present versions; None if one cannot be accounted."""
    try:
        return account(unchecked(opened, "unit_id IN (SELECT unit_id FROM open_findings)"), parameters_in(opened))
    except DataError:
        return None


def emitted_by(accounts: Accounts | None) -> pd.Series[float]:
    """Return emissions by unit and month [tCO2e]; months of units that cannot be accounted are absent."""
    if accounts is None:
        return pd.Series(dtype=float)
    return accounts.unit_months.set_index(MONTH)["emissions_tco2e"].abs()


def with_sizes(findings: pd.DataFrame, accounts: Accounts | None) -> pd.DataFrame:
    """Return findings, and those of people that state no size with the emissions of what they name, or of the month."""
    without = findings["open"] & (findings["rule"] == "") & (findings["size_t"] == 0)
    if accounts is None or not without.any():
        return findings
    size, lines, months = findings["size_t"].copy(), accounts.lines, emitted_by(accounts)
    for row in findings[without].itertuples():
        own = (lines["unit_id"] == row.unit_id) & (lines["month"] == row.month)
        for name in ("process", "item", "flow"):
            own &= (lines[name] == getattr(row, name)) | (getattr(row, name) == "")
        emitted = abs(float(lines.loc[own, "emissions_tco2e"].sum())) if row.item or row.process else 0.0
        # What emits nothing of its own, as an output, concerns the month.
        size[row.Index] = round(emitted or float(months.get((row.unit_id, row.month), 0.0)), 2)
    return findings.assign(size_t=size)


def concerned(findings: pd.DataFrame, emitted: pd.Series[float]) -> pd.DataFrame:
    r"""Return the emissions that findings concern together, by unit and month [tCO2e].

    A finding $f$ concerns $s_f$ tonnes of the quantities $p$ that it names, and without any of them of the whole month.
    Of those on the same quantities the largest counts, those of the whole month have the others in them, and no more is
    concerned than the present versions emit:

    $$\min\Bigl(E,\ \max\bigl(\max_{f:\ p = \varnothing} s_f,\ \sum_p \max_{f \in p} s_f\bigr)\Bigr)$$

    Parameters
    ----------
    findings
        With ``unit_id``, ``month``, ``process``, ``item``, ``flow`` and ``size_t``.
    emitted
        Emissions $E$ by unit and month; where they are absent they do not limit [tCO2e].
    """
    month = MONTH
    largest = findings.groupby([*month, *WITHIN], as_index=False)["size_t"].max()
    whole = (largest[list(WITHIN)] == "").all(axis=1)
    table = largest.assign(
        whole=largest["size_t"].where(whole, 0.0), parts=largest["size_t"].where(~whole, 0.0)
    ).groupby(month)
    size = table["whole"].max().combine(table["parts"].sum(), max)
    return size.clip(upper=emitted.reindex(size.index).fillna(np.inf)).rename("size_t").reset_index()
