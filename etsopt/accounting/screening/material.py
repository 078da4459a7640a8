"""Reports and their accounts, as the rules of screening read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from etsopt.accounting.screening.causes import causes_of
from etsopt.accounting.screening.screening_data import PEERS, SERIES, numbers
from etsopt.accounting.vocabulary import RATES

if TYPE_CHECKING:
    from etsopt.accounting.accounts import Accounts
    from etsopt.accounting.rows import Reports


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

    @cached_property
    def causes(self) -> pd.DataFrame:
        """The likeliest mistakes behind what is suspicious, as `causes_of` returns them."""
        return causes_of(self.reports, self.accounts, self.months)
