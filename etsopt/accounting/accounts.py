"""Accounts: from validated monthly reports to emissions, outputs and intensities, with their trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting import aluminium, cement, power, steel
from etsopt.accounting.factors import Factors
from etsopt.accounting.heat_and_power import heat_and_power
from etsopt.accounting.lines import Lines
from etsopt.accounting.periods import Emissions, by_process, by_unit
from etsopt.accounting.substitutes import substitutes
from etsopt.accounting.tables import figures_table, fuels_table
from etsopt.accounting.trail import trail
from etsopt.accounting.vocabulary import OTHER
from etsopt.common.errors import AssumedWarning, DataError, UsageError, brief, warn
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.data.messages import first_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.accounting.rows import Reports


OCCASIONAL = ("power", "substitutes")
"""Tables that are written only if they have rows."""


@dataclass(frozen=True, eq=False)
class Accounts:
    """Tables of one account; emissions have two decimals, and every table the least confidence of its factors.

    Parameters
    ----------
    monthly, annual
        Emissions by unit, month or year, process and gas; they add up to those of the unit.
    unit_months, unit_years
        Emissions, outputs and intensity of every unit, as the allocation rule measures them.
    power
        Electricity and heat of power units by month, and the emissions of each.
    lines
        The figures: quantity, calorific value, factor, formula, guideline and emissions.
    trail
        The rows of every figure, by ``figure``.
    fuels
        Consumption and calorific value of every fuel by year, and emissions at the year's value.
    substitutes
        Figures in place of missing measurements, with their clause.
    factors
        The factors that were used, with source and confidence.
    register
        The units.
    """

    monthly: pd.DataFrame
    annual: pd.DataFrame
    unit_months: pd.DataFrame
    unit_years: pd.DataFrame
    power: pd.DataFrame
    lines: pd.DataFrame
    trail: pd.DataFrame
    fuels: pd.DataFrame
    substitutes: pd.DataFrame
    factors: pd.DataFrame
    register: pd.DataFrame

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables but the register, by name, and but those that concern none of the units."""
        every = {name: table for name, table in vars(self).items() if name != "register"}
        return {name: table for name, table in every.items() if name not in OCCASIONAL or len(table)}

    def trail_of(self, unit_id: str, period: str | int, process: str | None = None) -> pd.DataFrame:
        """Return the rows behind a figure of a unit: the lines of a month or year and process, with their rows.

        The process ``other`` of a steel enterprise is a difference, and has all rows of the unit.

        Raises
        ------
        UsageError
            If there is no such figure.
        """
        own = self.lines[self.lines["unit_id"] == unit_id]
        # A year has the months that begin with it and a dash.
        own = own[(own["month"] == str(period)) | own["month"].str.startswith(f"{period}-")]
        if process not in (None, OTHER):
            own = own[own["process"] == process]
        if own.empty:
            what = _("No figure of unit {unit} in {period}.", unit=brief(unit_id), period=brief(period))
            if process:
                text = _("No figure of unit {unit} in {period} at {process}.")
                what = _(text, unit=brief(unit_id), period=brief(period), process=brief(process))
            raise UsageError(what, _("Name a unit, a month such as 2025-01 or a year, and a process of the reports."))
        return own.merge(self.trail, on="figure")


def account(reports: Reports, parameters: Mapping[str, Any] | None = None) -> Accounts:
    """Account for the emissions of monthly reports.

    Parameters
    ----------
    parameters
        Factors in place of the official ones, by nested or dotted keys, such as
        ``{"cement.deductions.carbide_slag.tco2_per_t": 0.0}``; ``accounting.toml`` has the same under [accounting].

    Raises
    ------
    DataError
        If a parameter is unknown or out of range, a formula needs rows that are missing, or the reports were read to be
        screened and have rows that are refused.
    """
    if reports.refused:
        raise DataError(_("The monthly reports"), [*reports.refused])
    factors = Factors.of(parameters)
    checkpoint(_("accounting"))
    rows = reports.rows if reports.counted.all() else reports.rows[reports.counted]
    lines = Lines.of(rows, reports.coded.select(reports.counted))
    if units := steel.steel_that_stays(lines):
        text = _(
            "{units}: crude steel is a product of its furnaces, but no row has it leave the enterprise (process "
            "enterprise, flow out). Its output is 0 t, and the carbon of its steel counts as emitted."
        )
        warn(_(text, units=first_of(units)), AssumedWarning)
    parts = [part for room in (steel, cement, aluminium, power) for part in room.emissions(lines, factors)]
    emissions = Emissions.of(lines, parts)
    keys = frozenset(
        key for part in parts for item in np.unique(lines.coded.item[part.line]) for key in part.keys[item].split()
    )
    checkpoint(_("accounting"))
    return Accounts(
        monthly=by_process(emissions, yearly=False),
        annual=by_process(emissions, yearly=True),
        unit_months=by_unit(emissions, factors, yearly=False),
        unit_years=by_unit(emissions, factors, yearly=True),
        power=heat_and_power(emissions, factors),
        lines=figures_table(lines, parts),
        trail=trail(lines, rows, slope=factors["aluminium.anode_effect"] == "slope"),
        fuels=fuels_table(lines, factors),
        substitutes=substitutes(lines, factors),
        factors=factors.table(keys),
        register=reports.register,
    )
