"""Data of the power units of an instance as the rule needs them, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.messages import cells_of, counted
from etsopt.data.policy.official import GROSS_FROM
from etsopt.rules.power import PowerUnits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

LARGE_MW = 400.0
"""Rated power from which a unit of conventional coal is of class I."""


def electricity_of(year: int) -> str:
    """Return the column of electricity to which the benchmarks of a year apply."""
    return "generation_mwh" if year >= GROSS_FROM else "supply_mwh"


def power_units(instance: Instance, fixed: NDArray[np.bool_], year: int) -> PowerUnits:
    """Return the data of all power units for the plan of a year, in the order of the instance.

    Raises
    ------
    DataError
        If a unit that is not fixed at A = E lacks its class, its electricity, or the load factor of conventional coal.
    """
    where = instance.labels("sector").where("power")
    table, rows = instance.units, np.flatnonzero(where)

    def numbers(column: str, absent: float) -> NDArray[np.float64]:
        stated = table[column].to_numpy(dtype=float)[rows] if column in table else np.full(len(rows), np.nan)
        return np.where(np.isnan(stated), absent, stated)

    def texts(column: str) -> NDArray[np.object_]:
        return table[column].to_numpy(dtype=object)[rows] if column in table else np.full(len(rows), "", dtype=object)

    electricity = electricity_of(year)
    units = PowerUnits(
        texts("unit_class"),
        numbers(electricity, np.nan),
        numbers("heat_gj", 0.0),
        numbers("load_factor", np.nan),
        numbers("heat_supply_ratio", 0.0),
        texts("cooling") == "air",
        instance.emissions_tco2e[rows],
        instance.labels("enterprise_id").code[rows],
        fixed[rows],
    )
    checks = (
        *_checks(units, electricity),
        *_checks_of_capacity(units, numbers("capacity_mw", np.nan)),
        _check_of_output(numbers("output_t", np.nan)),
    )
    problems = [_problem(instance, rows, check) for check in checks if check.bad.any()]
    if problems:
        raise DataError(_("The instance {name!r}", name=instance.name), problems)
    return units


class _Check(NamedTuple):
    """Units that are wrong, the column, the words for one and for several of them, and what to do."""

    bad: NDArray[np.bool_]
    column: str
    words: tuple[str, str]
    advice: str


def _checks(units: PowerUnits, electricity: str) -> tuple[_Check, ...]:
    """Return the checks of cells that the rule needs."""
    free = ~units.fixed
    conventional = np.isin(units.classes.astype(str), ["I", "II", "I+II"])
    return (
        _Check(
            free & (units.classes == ""),
            "unit_class",
            (_("power unit has no class"), _("power units have no class")),
            _(
                "Fill it with I (conventional coal from 400 MW), II (below), III (unconventional coal, circulating "
                "fluidised bed) or IV (gas), or state the special case of the unit."
            ),
        ),
        _Check(
            free & np.isnan(units.electricity),
            electricity,
            (_("power unit has no electricity"), _("power units have no electricity")),
            _(
                "Fill it in MWh: net supply for years up to 2022, gross generation since; 0 for a unit that supplied "
                "heat alone."
            ),
        ),
        _Check(
            free & conventional & np.isnan(units.load_factor),
            "load_factor",
            (_("unit of conventional coal has no load factor"), _("units of conventional coal have no load factor")),
            _("Fill it as a fraction: output over rated power in the hours of operation. The rule corrects low loads."),
        ),
    )


def _checks_of_capacity(units: PowerUnits, capacity: NDArray[np.float64]) -> tuple[_Check, ...]:
    """Return the checks of classes against the rated power; units reported together have none of their own."""
    advice = _(
        "Correct one of the two: conventional coal is of class I from {large_mw:g} MW on, of class II below.",
        large_mw=LARGE_MW,
    )
    words = (_("of class I has less than 400 MW"), _("of class II has 400 MW or more"))
    wrong = ((units.classes == "I") & (capacity < LARGE_MW), (units.classes == "II") & (capacity >= LARGE_MW))
    return tuple(
        _Check(bad & ~units.fixed, "capacity_mw", (f"unit {one}", f"units {one.replace(' has ', ' have ')}"), advice)
        for bad, one in zip(wrong, words, strict=True)
    )


def _check_of_output(output: NDArray[np.float64]) -> _Check:
    """Return the check that no power unit states output in tonnes."""
    words = (_("power unit states output_t"), _("power units state output_t"))
    advice = _("Leave the cell empty: the output of a power unit is generation_mwh.")
    return _Check(~np.isnan(output), "output_t", words, advice)


def _problem(instance: Instance, rows: NDArray[np.int64], check: _Check) -> Problem:
    """Return the problem of the cells that a check finds wrong."""
    marked = np.zeros(len(instance.units), dtype=bool)
    marked[rows[check.bad]] = True
    count = counted(int(check.bad.sum()), *check.words)
    reported = "reports_sha256" in instance.units
    place = _("the register of the monthly reports, or units.csv") if reported else "units.csv"
    return Problem(place, count, check.advice, check.column, cells_of(instance.units, marked))
