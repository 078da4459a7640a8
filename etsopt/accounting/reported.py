"""Units of an instance from its monthly reports: as accounted, as verified, or as reconciliation leaves them open.

An instance may have a register and ``reports/``, or a store ``reports.duckdb``, instead of the emissions in
``units.csv``. Verified is a unit whose year the national level has passed, which a store alone can tell. Its emissions
are the accounted ones whatever is asked for; of the others `BASES` names the columns of ``reconciliation`` to take.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.accounts import account
from etsopt.accounting.bridge import PARTS_OF_EMISSIONS, enterprises_of, id_in_instance, units_of
from etsopt.accounting.doubtful import doubtful_months, missing_months
from etsopt.accounting.reconciliation import evidence_of, series_of
from etsopt.accounting.review import annual_emissions, words
from etsopt.accounting.schema import REGISTER, ROWS
from etsopt.accounting.sources import read_source
from etsopt.accounting.store import is_store
from etsopt.accounting.vocabulary import ALUMINIUM, CEMENT, ENTERPRISE, POWER, PROCESSES_OF
from etsopt.common.errors import SolverError, UsageError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.data.tables.raw import RawTable
from etsopt.data.tables.report_columns import ACCOUNTED, VERIFIED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from etsopt.accounting.accounts import Accounts
    from etsopt.accounting.rows import Reports
    from etsopt.data.instance import Instance

    Reconcile = Callable[[Instance], Mapping[str, pd.DataFrame]]

BASES = {
    "low": ("lowest", "lowest_tco2e"),
    "reconciled": ("reconciled", "reconciled_tco2e"),
    "high": ("highest", "highest_tco2e"),
}
"""What may be taken of units that are not verified: status, and column of the table of reconciliation."""

CHOICES = (ACCOUNTED, VERIFIED, *BASES)
SHOWN = 10
"""Units that a message names."""


@dataclass(frozen=True, eq=False)
class Reported:
    """Reports of a year, their accounts, units that the national level has passed, and findings of their review."""

    year: int
    reports: Reports
    accounts: Accounts
    verified: frozenset[str]
    findings: pd.DataFrame | None = None

    @property
    def id_in_instance(self) -> pd.Series[str]:
        """Unit of the instance by unit of the register: a complex is one."""
        register = self.accounts.register
        return id_in_instance(register, "unit_id").set_axis(register["unit_id"])

    @classmethod
    def of(cls, source: str | Path, year: int) -> Reported:
        """Read a folder of reports, or a store with the state of its review.

        Raises
        ------
        UsageError
            As `read_source` does, or if a store has no reports of the year.
        DataError
            As `account` does.
        """
        if is_store(source):
            found = annual_emissions(source, year)
            passed = found.units.loc[found.units["status"] == words.VERIFIED, "unit_id"]
            return cls(year, found.reports, found.accounts, frozenset(passed), found.review.findings)
        read = read_source(source)
        return cls(year, read.reports, account(read.reports, read.parameters), frozenset())

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
            If verified emissions are asked for and those of a unit are not, or no unit has reports of the year.
        """
        accounted, ids = units_of(self.accounts, self.year), self.id_in_instance
        not_passed = ids[~ids.index.isin(self.verified)]
        is_open = accounted["unit_id"].isin(not_passed).to_numpy()
        if basis == VERIFIED and is_open.any():
            raise _not_verified(accounted.loc[is_open, "unit_id"].tolist(), len(accounted))
        # Nothing reconciles the reports of power units.
        reconciled = is_open & (accounted["sector"] != POWER).to_numpy() & (basis in BASES)
        status = BASES[basis][0] if basis in BASES else ACCOUNTED
        found = accounted
        if reconciled.any():
            years = _reconciled(self, not_passed.index, reconcile, BASES[basis][1])
            found = units_of(replace(self.accounts, unit_years=years), self.year)
            # Reconciliation moves sums, and says nothing of their parts.
            found.loc[reconciled, [name for name in PARTS_OF_EMISSIONS if name in found]] = np.nan
        found = found.assign(
            emissions_status=np.select([reconciled, is_open], [status, ACCOUNTED], VERIFIED).astype(object),
            accounted_emissions_tco2e=accounted["emissions_tco2e"].where(is_open),
            reports_sha256=found["unit_id"].map(_digests(self.reports, ids, self.year)),
        ).set_index("unit_id", drop=False)
        return self._with_doubts(found)

    def enterprises(self, units: RawTable) -> RawTable | None:
        """Return the table of the enterprises of all units with the names that the register states; None without any.

        An enterprise whose name is not stated has an empty one.
        """
        names = enterprises_of(self.accounts.register).set_index("enterprise_id")["name"]
        owners = dict.fromkeys(str(one) for one in units.columns.get("enterprise_id", ()) if one != "")
        found = pd.DataFrame({"enterprise_id": [*owners], "name": [names.get(one, "") for one in owners]}, dtype=object)
        return RawTable.from_frame(found, REGISTER.file) if found["name"].any() else None

    def _with_doubts(self, units: pd.DataFrame) -> pd.DataFrame:
        """Return the units with their months in doubt and those without a report, if there are any."""
        checkpoint(_("screening"))
        own = self.accounts, self.year, self.id_in_instance, self.findings, self.verified
        missing = missing_months(*own)
        if len(missing):
            units = units.assign(missing_months=missing.reindex(units.index).fillna(""))
        doubts = doubtful_months(self.reports, *own)
        if doubts.empty:
            return units
        doubts = doubts.reindex(units.index)
        rate = (doubts["doubtful_t"] / units["accounted_emissions_tco2e"].fillna(units["emissions_tco2e"])).round(4)
        return units.assign(doubtful_months=doubts["doubtful_months"].fillna(""), doubtful_rate=rate)


def other_units(store: str | Path, instance: Instance) -> list[str]:
    """Return the units whose reports of a store are not those of an instance, of either.

    Reports are compared by their hash where the instance has one, else by their emissions; units without reports, such
    as those that ``units.csv`` alone states, are in no store.
    """
    reported = Reported.of(store, instance.policy.year)
    known = units_of(reported.accounts, reported.year).set_index("unit_id")["emissions_tco2e"]
    digests = _digests(reported.reports, reported.id_in_instance, reported.year)
    units = instance.units.set_index("unit_id")
    found = []
    for name in sorted({*known.index} | {*units.index}):
        if name not in units.index or name not in known.index:
            filed = name in known.index or bool(units.get("reports_sha256", pd.Series(dtype=object)).get(name, ""))
            found += [name] if filed or "reports_sha256" not in units else []
        elif digest := units.get("reports_sha256", pd.Series(dtype=object)).get(name, ""):
            found += [name] if digest != digests[name] else []
        elif abs(units["emissions_tco2e"][name] - known[name]) > SAME_T:
            found.append(name)
    return found


SAME_T = 0.5
"""Largest difference of emissions in whole tonnes from those with decimals [t]."""


def _not_verified(units: list[str], of: int) -> UsageError:
    named = ", ".join(units[:SHOWN]) + (f" and {len(units) - SHOWN:,} more" if len(units) > SHOWN else "")
    advice = _("See what is open: etsopt verify. Without --emissions accounted emissions are taken.")
    return UsageError(
        _("Emissions of {count:,} of {of:,} units are not verified: {named}.", count=len(units), of=of, named=named),
        advice,
    )


def _reconciled(reported: Reported, units: pd.Index[str], reconcile: Reconcile, column: str) -> pd.DataFrame:
    """Return the accounts of the year, those of some units with emissions and outputs of reconciliation.

    Outputs are its estimates in every case, so that low and high differ in emissions alone. Emissions of the processes
    of steel on which intensity is measured move as those of the enterprise do: an assumption.
    """
    checkpoint(_("evidence"))
    tables = reconcile(evidence_of(reported.reports, reported.year, accounts=reported.accounts))
    years = reported.accounts.unit_years
    own = (years["year"] == reported.year) & years["unit_id"].isin(units) & (years["sector"] != POWER)
    unit = years["unit_id"]
    # Evidence may leave room below zero, where emissions are not.
    emissions = unit.map(tables["reconciliation"].set_index("unit_id")[column]).clip(lower=0.0)
    if emissions[own].isna().any():
        raise SolverError(_("Reconciliation has no emissions of {unit}.", unit=", ".join(unit[own & emissions.isna()])))
    moved = _rate(emissions, years["emissions_tco2e"])
    outputs = _output_rates(tables["reconciled_quantities"])
    new = {
        "emissions_tco2e": emissions,
        "output_t": years["output_t"] * unit.map(outputs["output"]).fillna(1.0),
        "intensity_output_t": years["intensity_output_t"] * unit.map(outputs["intensity_output"]).fillna(1.0),
        "intensity_emissions_tco2e": years["intensity_emissions_tco2e"] * moved,
    }
    return years.assign(**{name: values.where(own, years[name]) for name, values in new.items()})


def _output_rates(quantities: pd.DataFrame) -> pd.DataFrame:
    """Return estimates over reports of the outputs of units, and of those on which intensity is measured."""
    rows = pd.concat([quantities[["unit_id", "reported", "reconciled"]], series_of(quantities["quantity_id"])], axis=1)
    single = rows["process"].isin((*PROCESSES_OF[CEMENT], *PROCESSES_OF[ALUMINIUM])) & (rows["flow"] == "product")
    sold = (rows["process"] == ENTERPRISE) & (rows["flow"] == "out") & (rows["item"] == "crude_steel")
    iron = (rows["process"] == "ironmaking") & (rows["flow"] == "product")
    rates = {}
    for name, which in (("output", single | sold), ("intensity_output", single | iron)):
        sums = rows[which].groupby("unit_id")[["reported", "reconciled"]].sum()
        rates[name] = _rate(sums["reconciled"], sums["reported"])
    return pd.DataFrame(rates)


def _rate(part: pd.Series[float], whole: pd.Series[float]) -> pd.Series[float]:
    """Return a ratio; 1 where there is nothing to relate to."""
    return (part / whole.where(whole > 0)).fillna(1.0)


def _digests(reports: Reports, ids: pd.Series[str], year: int) -> dict[str, str]:
    """Return the SHA-256 of all versions of the rows of a year, by unit of the instance, in whatever files they are."""
    rows = reports.rows[reports.rows["month"].str.startswith(f"{year:04d}-")]
    texts = [rows[column.name].astype(object).where(rows[column.name].notna(), "").map(str) for column in ROWS.columns]
    lines = texts[0].str.cat(texts[1:], sep="\x1f")
    by_unit = lines.groupby(rows["unit_id"].map(ids))
    return {str(name): hashlib.sha256("\x1e".join(sorted(part)).encode()).hexdigest() for name, part in by_unit}
