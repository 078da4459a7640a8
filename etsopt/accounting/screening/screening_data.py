"""The tables that rules of screening read, and robust statistics over months and peers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.coded import month_number
from etsopt.accounting.vocabulary import RATES
from etsopt.language import LANGUAGES, pgettext, speaking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.accounting.accounts import Accounts
    from etsopt.accounting.rows import Reports
    from etsopt.language import Text

    Floats = NDArray[np.float64]

SERIES = ["unit_id", "process", "item", "flow"]
PEERS = ["sector", "process", "item", "flow"]
NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
FEWEST_MONTHS, FEWEST_PEERS = 6, 5
"""Fewer say nothing of the spread."""
LEAST_SPREAD = 0.003
"""Relative spread below which no series is taken to be, or rounding would be found."""


@dataclass(frozen=True, eq=False)
class Material:
    """Reports and their accounts, as rules read them.

    Parameters
    ----------
    reports, accounts
        Validated reports, and the accounts of them.
    """

    reports: Reports
    accounts: Accounts

    @cached_property
    def months(self) -> pd.DataFrame:
        """Emissions [tCO2e] and output [t] of every unit and month; output of steel is its iron, if it has some."""
        table = self.accounts.unit_months
        output = table["intensity_output_t"].where(table["intensity_output_t"] > 0, table["output_t"])
        columns = ["unit_id", "month", "sector", "emissions_tco2e", "intensity_emissions_tco2e"]
        return table[columns].assign(output_t=output, number=numbers(table["month"]))

    @cached_property
    def lines(self) -> pd.DataFrame:
        """Quantities by unit, month, process, item and flow, with emissions of all gases and output of the month.

        ``size_t`` is what the line weighs: its emissions, or for an output those of its process, else of the unit.
        """
        every = self.accounts.lines
        emitted = every.groupby("figure", sort=True)["emissions_tco2e"].sum()
        table = every.drop_duplicates("figure").drop(columns="emissions_tco2e").set_index("figure")
        # A rate is no quantity: that it stays is nothing to ask about.
        table = table[~table["item"].isin(RATES)]
        table = table[["unit_id", "month", "process", "item", "flow", "quantity", "ncv_gj_per_unit", "ncv_basis"]]
        table = table.assign(emissions_tco2e=emitted).reset_index(drop=True)
        months = self.months.set_index(["unit_id", "month"])
        table = table.join(
            months[["sector", "output_t", "number"]].assign(whole=months["emissions_tco2e"].abs()),
            on=["unit_id", "month"],
        )
        own = table["emissions_tco2e"].abs()
        process = own.groupby([table["unit_id"], table["month"], table["process"]], sort=False).transform("sum")
        output = table["flow"] == "product"
        size = own.where(~output, process.where(process > 0, table["whole"]))
        return table.assign(
            size_t=size,
            series=table.groupby(SERIES, sort=False).ngroup(),
            peers=table.groupby(PEERS, sort=False).ngroup(),
        ).drop(columns="whole")

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The rows that accounts take, of the highest version."""
        return self.reports.rows[self.reports.counted]


def numbers(months: pd.Series[str]) -> NDArray[np.int64]:
    """Return the months since year 0 of texts such as 2025-01."""
    code, names = pd.factorize(months.to_numpy())
    return np.array([month_number(name) for name in names], dtype=np.int64)[code]


def deviation(values: pd.Series[float], series: Any, peers: Any) -> pd.DataFrame:
    """Return how far values are from the median of their series, and in which units of spread.

    Parameters
    ----------
    values
        Logarithms.
    series, peers
        Group of each value, and group of comparable series.

    Returns
    -------
    pandas.DataFrame
        ``difference`` from the median, and ``score``: the difference over the spread of the series by its median
        absolute deviation, or over that usual among peers if it is larger. Too short series have the score 0.
    """
    group = values.groupby(series, sort=False)
    difference = values - group.transform("median")
    own = difference.abs().groupby(series, sort=False).transform("median") * NORMAL
    usual = own.groupby(peers, sort=False).transform("median")
    spread = np.maximum(np.maximum(own, usual), LEAST_SPREAD)
    enough = group.transform("count") >= FEWEST_MONTHS
    return pd.DataFrame({"difference": difference, "score": (difference / spread).where(enough, 0.0)})


WORDS = ("process", "item", "flow", "ending", "usual_by", "measure")
"""Columns of words that a reason may name; the catalogue has them under the column."""


def reasons(table: pd.DataFrame, texts: Mapping[str, Text], kind: str, **values: object) -> dict[str, list[str]]:
    """Return the reason of each row in English and Chinese.

    Parameters
    ----------
    texts
        Texts by kind, with columns of the table, and further values, as slots.
    kind
        Column that names the kind of each row, or the only kind.
    """
    told = {}
    rows = table.to_dict("records")
    codes = {name: [code for code in table[name].unique() if code] for name in WORDS if name in table}
    for language in LANGUAGES:
        with speaking(language):
            words = {name: {code: str(pgettext(name, code)) for code in own} | {"": ""} for name, own in codes.items()}
            templates = {name: str(text) for name, text in texts.items()}
            told[language] = [
                templates[row.get(kind, kind)].format(
                    **row | {name: own[row[name]] for name, own in words.items()}, **values
                )
                for row in rows
            ]
    return told


def findings(table: pd.DataFrame, reason: Text, item: str | None = None, **values: object) -> pd.DataFrame:
    """Return findings from rows with ``unit_id``, ``month``, ``size_t`` and, unless it is given, ``item``.

    Parameters
    ----------
    reason
        Text with columns of the table, and further values, as slots.
    """
    told = reasons(table, {"reason": reason}, "reason", **values)
    return pd.DataFrame(
        {
            "unit_id": table["unit_id"].to_numpy(dtype=object),
            "month": table["month"].to_numpy(dtype=object),
            "item": table["item"].to_numpy(dtype=object) if item is None else np.full(len(table), item, dtype=object),
            "size_t": table["size_t"].to_numpy(dtype=float),
            "reason": np.array(told["en"], dtype=object),
            "reason_zh": np.array(told["zh"], dtype=object),
        }
    )
