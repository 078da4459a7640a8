r"""Allowances of power units under the plans of 2019 to 2026.

A unit $i$ of class $k$ that is not a special case gets

$$A_i = \lfloor Q_i\, B_k\, F^l_i F^r_i F^f_i \rfloor + \lfloor H_i\, B^h_k \rfloor$$

with its electricity $Q_i$ [MWh] and heat $H_i$ [GJ], the benchmarks $B_k$ [t/MWh] and $B^h_k$ [t/GJ], and the
corrections of cooling $F^l$, heat supply $F^r$ and load $F^f$, rounded to six decimals. Electricity is net supply up to
2022; from 2023 on it is gross generation, and the load correction alone remains. It applies to conventional coal, at
low load; in 2019 and 2020 to condensing units alone, those without heat, as one reader of the plan has it:

| years | load factor F, in % | $F^f$ |
| --- | --- | --- |
| 2019-2022 | 80 to 85 | $1 + 0.0014\,(85 - F)$ |
| | 75 to 80 | $1.007 + 0.0016\,(80 - F)$ |
| | below 75 | $1.015^{16 - F/5}$ |
| 2023-2024 | below 65 | $1.015^{16 - F/5}$ |
| 2025-2026 | below 50 | $7.254 - 0.633\,(1 - e^{-F/29.822}) - 5.643\,(1 - e^{-F/6.871})$ |

A gas unit gets at least its emissions, to the nearest tonne: $A_i = \max(A_i, \lfloor E_i + 1/2 \rfloor)$. The power
units of an enterprise get at least 80 % of their emissions: what $\sum_i A_i$ lacks of $\lfloor 0.8 \sum_i E_i \rfloor$
is added to the units with a deficit, in proportion to it. In years without a plan the benchmarks of 2026 change by a
rate that the policy states.

The correction jumps where it ends: from 1.0457 to 1 at 65 % up to 2024, and from 1.1003 to 1 at 50 % since.

Source: the plans in `etsopt.data.policy.official`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.units import nearest_tonnes, whole_tonnes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def _power_below_65(percent: Floats) -> Floats:
    return _below(percent, 65.0, 1.015 ** (16 - percent / 5))


def _exponentials_below_50(percent: Floats) -> Floats:
    slow, fast = np.exp(-percent / 29.822), np.exp(-percent / 6.871)
    return _below(percent, 50.0, 7.254 - 0.633 * (1 - slow) - 5.643 * (1 - fast))


def _below(load: Floats, limit: float, correction: Floats) -> Floats:
    return np.where(load < limit, correction, 1.0)


def _in_steps(percent: Floats) -> Floats:
    forms = [1.015 ** (16 - percent / 5), 1.007 + 0.0016 * (80 - percent), 1 + 0.0014 * (85 - percent)]
    return np.select([percent < 75, percent < 80, percent < 85], forms, 1.0)


LOAD_CORRECTIONS = {
    "steps below 85 %, condensing": _in_steps,
    "steps below 85 %": _in_steps,
    "power of 1.015 below 65 %": _power_below_65,
    "two exponentials below 50 %": _exponentials_below_50,
}
"""Forms of the load correction by their names in the table, as functions of the load factor in %."""

CONDENSING = "steps below 85 %, condensing"
"""Form that is for units without heat alone."""


def load_correction(form: str, load_factor: Floats) -> Floats:
    """Return the load correction of conventional coal, rounded to six decimals, at load factors from 0 to 1.

    >>> load_correction("two exponentials below 50 %", np.array([0.3, 0.4, 0.45, 0.4999, 0.5]))
    array([1.281146, 1.160254, 1.126059, 1.100321, 1.      ])
    """
    # A load factor of two decimals in percent stays one after the product.
    correction = LOAD_CORRECTIONS[form](np.round(100 * load_factor, 9))
    rounded: Floats = np.floor(correction * 1e6 + 0.5) / 1e6
    return rounded


@dataclass(frozen=True)
class PowerPlan:
    """Parameters of the plan of one year.

    Parameters
    ----------
    electricity, heat
        Benchmarks by class [t/MWh], and of heat from coal and gas [t/GJ].
    load_form
        Name of the load correction.
    air_cooling, heat_supply
        Correction of air cooling, and reduction per heat supply ratio of coal and gas.
    least_allowance_share
        Least allowances of an enterprise, as a share of its emissions.
    gas_topped_up
        True if a gas unit gets at least its emissions.
    """

    electricity: Mapping[str, float]
    heat: Mapping[str, float]
    load_form: str
    air_cooling: float
    heat_supply: Mapping[str, float]
    least_allowance_share: float
    gas_topped_up: bool


@dataclass(frozen=True)
class PowerUnits:
    """Data of power units, shape ``(units,)``.

    Parameters
    ----------
    classes
        Class of each, or several joined by ``+``.
    electricity, heat
        Electricity as the plan measures it [MWh], and heat [GJ].
    load_factor, heat_supply_ratio
        Fractions.
    air_cooled
        True with air cooling.
    emissions
        Verified emissions [tCO2e].
    owner
        Position of the enterprise.
    fixed
        True for units with A = E.
    """

    classes: NDArray[np.object_]
    electricity: Floats
    heat: Floats
    load_factor: Floats
    heat_supply_ratio: Floats
    air_cooled: NDArray[np.bool_]
    emissions: Floats
    owner: NDArray[np.int64]
    fixed: NDArray[np.bool_]


@dataclass(frozen=True)
class PowerSteps:
    """Allowances of power units in the steps of the plan, each in whole tonnes, shape ``(units,)``.

    Parameters
    ----------
    load_correction
        Correction of low load, 1 without one.
    electricity_t, heat_t
        Allowances of electricity and heat [t]; NaN for a unit with A = E that states no class.
    gas_top_up_t
        What a gas unit gets beside these, up to its emissions [t].
    of_unit_t
        Allowances before the least share of the enterprise: the sum of these steps, or the emissions if A = E [t].
    added_t
        Share of the unit in what its enterprise lacks of the least share of its emissions [t].
    """

    load_correction: Floats
    electricity_t: Floats
    heat_t: Floats
    gas_top_up_t: Floats
    of_unit_t: Floats
    added_t: Floats


def power_allowances(plan: PowerPlan, units: PowerUnits) -> Floats:
    """Return the allowances of power units in whole tonnes, shape ``(units,)`` [t].

    >>> plan = PowerPlan({"I": 0.7902}, {"coal": 0.1027}, "two exponentials below 50 %", 1.0, {}, 0.8, True)
    >>> one = [np.array([number]) for number in (2.7e6, 1.5e6, 0.62, 0.0, False, 2.33e6, 0, False)]
    >>> power_allowances(plan, PowerUnits(np.array(["I"], dtype=object), *one))
    array([2287590.])
    """
    steps = power_steps(plan, units)
    return steps.of_unit_t + steps.added_t


def power_steps(plan: PowerPlan, units: PowerUnits) -> PowerSteps:
    """Return the allowances of power units step by step."""
    electricity, heat, conventional, gas = _by_class(plan, units.classes)
    supply = np.where(gas, plan.heat_supply.get("gas", 0.0), plan.heat_supply.get("coal", 0.0))
    correction = np.where(units.air_cooled, plan.air_cooling, 1.0) * (1 - supply * units.heat_supply_ratio)
    conventional &= (plan.load_form != CONDENSING) | (units.heat == 0)
    with np.errstate(invalid="ignore"):
        load = np.where(conventional, load_correction(plan.load_form, units.load_factor), 1.0)
    owed = nearest_tonnes(units.emissions)
    of_electricity = whole_tonnes(units.electricity * electricity * (correction * load))
    of_heat = whole_tonnes(units.heat * heat)
    allowances = of_electricity + of_heat
    top_up = np.where(gas & plan.gas_topped_up, np.maximum(owed - allowances, 0.0), 0.0)
    allowances = np.where(units.fixed, owed, allowances + top_up)
    return PowerSteps(load, of_electricity, of_heat, top_up, allowances, _raised(plan, units, allowances))


def _by_class(
    plan: PowerPlan, classes: NDArray[np.object_]
) -> tuple[Floats, Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return benchmarks of electricity and heat, NaN without one, and True for conventional coal and for gas."""
    names, code = np.unique(classes.astype(str), return_inverse=True)
    members = [str(name).split("+") for name in names]
    electricity = [min(plan.electricity.get(one, np.nan) for one in classes) for classes in members]
    gas = [classes == ["IV"] for classes in members]
    heat = [plan.heat.get("gas" if is_gas else "coal", np.nan) for is_gas in gas]
    conventional = [set(classes) <= {"I", "II"} for classes in members]
    return (
        np.array(electricity, dtype=float)[code],
        np.array(heat, dtype=float)[code],
        np.array(conventional, dtype=bool)[code],
        np.array(gas, dtype=bool)[code],
    )


def _raised(plan: PowerPlan, units: PowerUnits, allowances: Floats) -> Floats:
    """Return what is added so that every enterprise gets its least share of its emissions, in whole tonnes [t]."""
    owner, count = units.owner, int(units.owner.max(initial=-1)) + 1
    emitted: Floats = np.bincount(owner, units.emissions, count).astype(float)
    lacking = np.maximum(
        whole_tonnes(plan.least_allowance_share * emitted) - np.bincount(owner, allowances, count), 0.0
    )
    if not lacking.any():
        return np.zeros(len(owner))
    deficit = np.where(units.fixed, 0.0, np.maximum(units.emissions - allowances, 0.0))
    total = np.bincount(owner, deficit, count)
    added = np.floor(lacking[owner] * np.divide(deficit, total[owner], out=np.zeros(len(owner)), where=deficit > 0))
    # Tonnes that rounding leaves go to the largest deficit of the enterprise, of equal ones to the first unit.
    order = np.lexsort((np.arange(len(owner)), -deficit, owner))
    first = order[np.r_[True, np.diff(owner[order]) > 0]]
    added[first] += (lacking - np.bincount(owner, added, count))[owner[first]]
    return added
