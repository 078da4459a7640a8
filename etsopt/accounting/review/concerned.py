"""What the open findings of a month concern together: emissions at risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.accounts import account
from etsopt.accounting.review.items import WITHIN
from etsopt.accounting.store.reading import parameters_in, unchecked
from etsopt.errors import DataError

if TYPE_CHECKING:
    from etsopt.accounting.store.schema import Connection


def emitted_by(opened: Connection) -> pd.Series[float]:
    """Return the emissions of units with open findings by unit and month, of the present versions [tCO2e].

    Months of units that cannot be accounted are absent.
    """
    try:
        months = account(unchecked(opened, "unit_id IN (SELECT unit_id FROM open_findings)"), parameters_in(opened))
    except DataError:
        return pd.Series(dtype=float)
    return months.unit_months.set_index(["unit_id", "month"])["emissions_tco2e"].abs()


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
    month = ["unit_id", "month"]
    largest = findings.groupby([*month, *WITHIN], as_index=False)["size_t"].max()
    whole = (largest[list(WITHIN)] == "").all(axis=1)
    table = largest.assign(
        whole=largest["size_t"].where(whole, 0.0), parts=largest["size_t"].where(~whole, 0.0)
    ).groupby(month)
    size = table["whole"].max().combine(table["parts"].sum(), max)
    return size.clip(upper=emitted.reindex(size.index).fillna(np.inf)).rename("size_t").reset_index()
