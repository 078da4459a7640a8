"""Units of an instance from its monthly reports: as accounted, as verified, or as reconciliation leaves them open.

An instance may have a register and ``reports/``, or a store ``reports.duckdb``, instead of the emissions in
``units.csv``. Verified is a unit whose year the national level has passed, which a store alone can tell. Its emissions
are the accounted ones whatever is asked for; of the others `BASES` names the columns of ``reconciliation`` to take.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.accounts import account
from etsopt.accounting.bridge import in_complex, units_of
from etsopt.accounting.reconciliation import evidence_of
from etsopt.accounting.review import annual_emissions
from etsopt.accounting.review.words import VERIFIED as PASSED
from etsopt.accounting.schema import ROWS
from etsopt.accounting.sources import read_source
from etsopt.accounting.store import is_store
from etsopt.accounting.vocabulary import ALUMINIUM, CEMENT, ENTERPRISE, PROCESSES_OF
from etsopt.data.tables.report_columns import ACCOUNTED, VERIFIED
from etsopt.errors import UsageError
from etsopt.progress import checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from etsopt.accounting.accounts import Accounts
    from etsopt.accounting.rows import Reports
    from etsopt.data.instance import Instance

    Reconcile = Callable[[Instance], Mapping[str, pd.DataFrame]]

BASES = {
    "low": ("lowest", "lowest_tco2e", "at_lowest"),
    "reconciled": ("reconciled", "reconciled_tco2e", "reconciled"),
    "high": ("highest", "highest_tco2e", "at_highest"),
}
"""What may be taken of units that are not verified: status, and columns of the tables of reconciliation."""

CHOICES = (ACCOUNTED, VERIFIED, *BASES)
SHOWN = 10
"""Units that a message names."""


@dataclass(frozen=True, eq=False)
class Reported:
    """Reports of a year, their accounts, and the units that the national level has passed."""

    year: int
    reports: Reports
    accounts: Accounts
    verified: frozenset[str]

    @property
    def ids(self) -> list[str]:
        """Units of the instance that the register has."""
        return sorted(set(in_complex(self.accounts.register, "unit_id")))

    @classmethod
    def of(cls, source: str | Path, year: int, parameters: Mapping[str, Any] | None = None) -> Reported:
        """Read a folder of reports, or a store with the state of its review.

        Raises
        ------
        UsageError
            As `read_source` does.
        DataError
            As `account` does, or if no unit has reports of the year.
        """
        if is_store(source):
            found = annual_emissions(source, year, parameters)
            passed = found.units.loc[found.units["status"] == PASSED, "unit_id"]
            return cls(year, found.reports, found.accounts, frozenset(passed))
        read = read_source(source)
        return cls(year, read.reports, account(read.reports, {**read.parameters, **(parameters or {})}), frozenset())

    def units(self, basis: str, reconcile: Reconcile) -> pd.DataFrame:
        """Return the units as ``units.csv`` has them, with `etsopt.data.tables.report_columns`, indexed by unit.

        Parameters
        ----------
        basis
            One of `CHOICES`.
        reconcile
            A function that solves the model ``reconciliation`` and returns its tables.

        Raises
        ------
        UsageError
            If verified emissions are asked for and there are none.
        """
        accounted = units_of(self.accounts, self.year)
        of_instance = in_complex(self.accounts.register, "unit_id").set_axis(self.accounts.register["unit_id"])
        open_ = of_instance[~of_instance.index.isin(self.verified)]
        is_open = accounted["unit_id"].isin(open_).to_numpy()
        if basis == VERIFIED and is_open.any():
            raise _not_verified(accounted.loc[is_open, "unit_id"].tolist(), len(accounted))
        status = BASES[basis][0] if basis in BASES else ACCOUNTED
        found = accounted
        if basis in BASES and is_open.any():
            years = _at(self, open_.index, reconcile, *BASES[basis][1:])
            found = units_of(replace(self.accounts, unit_years=years), self.year)
        return found.assign(
            emissions_status=np.where(is_open, status, VERIFIED).astype(object),
            accounted_emissions_tco2e=accounted["emissions_tco2e"].where(is_open),
            reports_sha256=found["unit_id"].map(_digests(self.reports, of_instance, self.year)),
        ).set_index("unit_id", drop=False)


def _not_verified(units: list[str], of: int) -> UsageError:
    named = ", ".join(units[:SHOWN]) + (f" and {len(units) - SHOWN:,} more" if len(units) > SHOWN else "")
    advice = "See what is open: etsopt verify. Without --emissions accounted emissions are taken."
    return UsageError(f"Emissions of {len(units):,} of {of:,} units are not verified: {named}.", advice)


def _at(reported: Reported, units: pd.Index[str], reconcile: Reconcile, column: str, quantity: str) -> pd.DataFrame:
    """Return the emissions, outputs and intensities of the year that reconciliation has in its columns for some units.

    Those of the processes of steel on which intensity is measured move as the enterprise's do: an assumption.
    """
    checkpoint("evidence")
    tables = reconcile(evidence_of(reported.reports, reported.year, accounts=reported.accounts))
    years = reported.accounts.unit_years
    own = (years["year"] == reported.year) & years["unit_id"].isin(units)
    unit = years["unit_id"]
    emissions = unit.map(tables["reconciliation"].set_index("unit_id")[column])
    moved = _rate(emissions, years["emissions_tco2e"])
    outputs = _output_rates(tables["reconciled_quantities"], quantity)
    new = {
        "emissions_tco2e": emissions,
        "output_t": years["output_t"] * unit.map(outputs["output"]).fillna(1.0),
        "intensity_output_t": years["intensity_output_t"] * unit.map(outputs["intensity_output"]).fillna(1.0),
        "intensity_emissions_tco2e": years["intensity_emissions_tco2e"] * moved,
    }
    return years.assign(**{name: values.where(own, years[name]) for name, values in new.items()})


def _output_rates(quantities: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return by how much outputs of units, and those on which intensity is measured, differ from the reported ones."""
    keys = quantities["quantity_id"].str.split(" ", expand=True).set_axis(["month", "process", "item", "flow"], axis=1)
    rows = pd.concat([quantities[["unit_id", "reported", column]], keys], axis=1)
    single = rows["process"].isin((*PROCESSES_OF[CEMENT], *PROCESSES_OF[ALUMINIUM])) & (rows["flow"] == "product")
    steel_output = (rows["process"] == ENTERPRISE) & (rows["flow"] == "out") & (rows["item"] == "crude_steel")
    iron = (rows["process"] == "ironmaking") & (rows["flow"] == "product")
    rates = {}
    for name, which in (("output", single | steel_output), ("intensity_output", single | iron)):
        sums = rows[which].groupby("unit_id")[["reported", column]].sum()
        rates[name] = _rate(sums[column], sums["reported"])
    return pd.DataFrame(rates)


def _rate(part: pd.Series[float], whole: pd.Series[float]) -> pd.Series[float]:
    """Return a ratio; 1 where there is nothing to relate to."""
    return (part / whole.where(whole > 0)).fillna(1.0)


def _digests(reports: Reports, of_instance: pd.Series[str], year: int) -> dict[str, str]:
    """Return the SHA-256 of all versions of the rows of a year, by unit of the instance, in whatever files they are."""
    rows = reports.rows[reports.rows["month"].str.startswith(f"{year:04d}-")]
    texts = [rows[column.name].astype(object).where(rows[column.name].notna(), "").map(str) for column in ROWS.columns]
    lines = texts[0].str.cat(texts[1:], sep="\x1f")
    by_unit = lines.groupby(rows["unit_id"].map(of_instance))
    return {str(name): hashlib.sha256("\x1e".join(sorted(part)).encode()).hexdigest() for name, part in by_unit}
