"""Result tables of an allocation, from the allowances of the adjustable units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.tables.report_columns import SHOWN_WITH_RESULTS
from etsopt.data.tables.schema import USER_COLUMN_PREFIX
from etsopt.rules import issuance, reference_allowances
from etsopt_models._allocation.coupling import COUPLING
from etsopt_models._allocation.exceptions import bounds_with
from etsopt_models._allocation.limits import IN_RATES, Limits, fixed_allowances, limits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.rules import Reference

SIDES = ("", "lower", "upper", "fixed")
"""Bounds at which an allowance may be."""

AT_BOUND_T = 1e-3
"""Distance from a bound of its band up to which an allowance is at it [t]."""


def allocation_tables(
    instance: Instance,
    free_allowances: NDArray[np.float64],
    levels: Sequence[Any] | None = None,
    exceptional: NDArray[np.bool_] | None = None,
    before_rounding: NDArray[np.float64] | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the tables of an allocation.

    Parameters
    ----------
    free_allowances
        Allowances of the adjustable units, in the order of the instance [t].
    levels
        Objectives with their ``name``, ``unit`` and ``multipliers`` by row; None if nothing is optimised.
    exceptional
        True for exceptions among the adjustable units; None if there is none.
    before_rounding
        Real allowances of these units before rounding [t]; None if nothing is rounded.

    Returns
    -------
    dict
        ``allocation``, ``enterprises``, ``sectors``, ``provinces`` and, with objectives, ``duals``.
    """
    reference = reference_allowances(instance)
    limits = limits_of(instance, reference)
    allowance = fixed_allowances(instance, reference).copy() if levels is not None else reference.reference_t.copy()
    allowance[limits.free] = free_allowances
    if exceptional is None:
        exceptional = np.zeros(len(limits.free), dtype=bool)
    allocation = _allocation(instance, reference, limits, allowance, exceptional)
    if before_rounding is not None:
        real = reference.reference_t.copy()
        real[limits.free] = before_rounding
        allocation.insert(allocation.columns.get_loc("allowance_t"), "before_rounding_t", real)
    with_duals = [level for level in levels or () if _has_duals(level)]
    result = {
        "allocation": allocation,
        "enterprises": _enterprises(instance, allocation),
        "sectors": _sectors(instance, reference, limits, allocation, with_duals),
        "provinces": _provinces(instance, limits, allocation, with_duals),
    }
    return result | ({} if levels is None else {"duals": dual_table(instance, limits, levels)})


def _allocation(
    instance: Instance,
    reference: Reference,
    limits: Limits,
    allowance: NDArray[np.float64],
    exceptional: NDArray[np.bool_],
) -> pd.DataFrame:
    units, emissions = instance.units, instance.emissions_tco2e
    free = allowance[limits.free]
    lower, upper = bounds_with(limits, exceptional)
    bound = np.full(len(units), SIDES.index("fixed"))
    bound[~instance.in_scope] = SIDES.index("")
    bound[limits.free] = np.select([free <= lower + AT_BOUND_T, free >= upper - AT_BOUND_T], [1, 2], 0)
    surplus = allowance - emissions
    passed = [name for name in units if name.startswith(USER_COLUMN_PREFIX) or name in SHOWN_WITH_RESULTS]
    names = [name for name in ("unit_id", "name", "enterprise_id", "sector", "province") if name in units]
    table: dict[str, Any] = {name: units[name] for name in names} | {
        "emissions_tco2e": emissions,
        "intensity": instance.intensity,
        "reference_t": reference.reference_t,
        "allowance_t": allowance,
        "change_t": allowance - reference.reference_t,
        "surplus_t": surplus,
        "surplus_rate": _rate(surplus, emissions),
        "at_bound": pd.Series(SIDES).array.take(bound),
    }
    if not instance.in_scope.all():
        table["in_scope"] = instance.in_scope
    if limits.margin.units:
        table["exceptional"] = np.zeros(len(units), dtype=bool)
        table["exceptional"][limits.free[exceptional]] = True
    issued = issuance(instance, allowance)
    return pd.DataFrame(table | {name: issued[name] for name in issued} | {name: units[name] for name in passed})


def _rate(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _totals(instance: Instance, allocation: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return sums over the units of each group in the scope, surplus rate, and numbers at a bound and fixed."""
    groups = instance.labels(by)
    units = np.bincount(groups.code[instance.in_scope], minlength=len(groups))
    table: dict[str, Any] = {by: groups.names, "units": units}
    for name in ("emissions_tco2e", "reference_t", "allowance_t", "surplus_t"):
        table[name] = groups.sums(allocation[name].to_numpy())
    table["surplus_rate"] = _rate(table["surplus_t"], table["emissions_tco2e"])
    for side in SIDES[1:]:
        here = (allocation["at_bound"] == side).to_numpy()
        table[f"units_{side}"] = np.bincount(groups.code[here], minlength=len(groups))
    return pd.DataFrame(table)


def _enterprises(instance: Instance, allocation: pd.DataFrame) -> pd.DataFrame:
    table, owner = _totals(instance, allocation, "enterprise_id"), instance.labels("enterprise_id")
    for name in ("pre_allocated_t", "top_up_t", "return_t"):
        table[name] = owner.sums(allocation[name].to_numpy())
    if instance.enterprises is None:
        return table
    return instance.enterprises.merge(table, on="enterprise_id", how="right")


def _sectors(
    instance: Instance, reference: Reference, limits: Limits, allocation: pd.DataFrame, with_duals: Sequence[Any]
) -> pd.DataFrame:
    table, sector = _totals(instance, allocation, "sector"), instance.labels("sector")
    held = sector.sums(np.where(reference.fixed, 0.0, allocation["allowance_t"]))
    target = pd.Series(limits.rows["target_most"], index=limits.sectors, dtype=float)
    table["target_t"] = table["sector"].map(target)
    senses = {name: instance.policy.target_sense_of(name) for name in limits.all_sectors}
    table["target_sense"] = [senses.get(name, "") for name in table["sector"]]
    table["under_target_t"] = table["target_t"] - held
    for name in ("balance_value", "balance_value_lower", "balance_value_upper"):
        if name in reference.sectors:
            table[name] = table["sector"].map(reference.sectors[name])
    return _with_shadow_prices(table, "sector", "sector_target", limits.sectors, with_duals)


def _provinces(instance: Instance, limits: Limits, allocation: pd.DataFrame, with_duals: Sequence[Any]) -> pd.DataFrame:
    table = _totals(instance, allocation, "province")
    room = pd.Series(
        (limits.rows["balance_most"] - limits.rows["balance_least"]) / 2, index=limits.provinces, dtype=float
    )
    table["balance_limit_t"] = table["province"].map(room)
    return _with_shadow_prices(table, "province", "province_balance", limits.provinces, with_duals)


def _has_duals(level: Any) -> bool:
    """Return True if the table of multipliers has a row for an objective."""
    return any(
        row in (*COUPLING, "largest_change_covers") and np.any(prices) for row, prices in level.multipliers.items()
    )


def _with_shadow_prices(
    table: pd.DataFrame, key: str, row: str, names: Sequence[str], with_duals: Sequence[Any]
) -> pd.DataFrame:
    """Add a column for each objective: its change per tonne on the row's right-hand side; NaN without a row."""
    for level in with_duals:
        price = pd.Series(level.multipliers.get(row, np.zeros(len(names))), index=names, dtype=float)
        table[f"{level.name}_shadow_price"] = table[key].map(price)
    return table


def dual_table(instance: Instance, limits: Limits, levels: Sequence[Any]) -> pd.DataFrame:
    """Return the nonzero multipliers, with the labels of their rows.

    If the proof of an objective needs several sets of multipliers, the others have its name with a number.
    """
    frames = []
    proofs = [
        (level, f"{level.name}:{number}", proof) for level in levels for number, proof in enumerate(level.proofs, 2)
    ]
    for level, stated, multipliers in [*((level, level.name, level.multipliers) for level in levels), *proofs]:
        for row, multiplier in multipliers.items():
            where = np.flatnonzero(multiplier)
            index = _row_labels(instance, limits, row, where)
            if len(where) and index is not None:
                name = "enterprise_band" if row.startswith("enterprise_") else row
                cells = {"level": stated, "row": name, "index": index, "multiplier": multiplier[where]}
                frames.append(pd.DataFrame(cells).assign(unit=f"{level.unit}/{'rate' if row in IN_RATES else 't'}"))
    columns = ["level", "row", "index", "multiplier", "unit"]
    if not frames:
        return pd.DataFrame(columns=columns)
    table = pd.concat(frames, ignore_index=True)
    if not limits.margin.units or not limits.enterprises:
        return table[columns]
    # The multipliers of the two rows of an enterprise with a wider band are added.
    keys = ["level", "row", "index", "unit"]
    return table.groupby(keys, sort=False, as_index=False)["multiplier"].sum()[columns]


def _row_labels(instance: Instance, limits: Limits, row: str, where: NDArray[np.int64]) -> Any:
    """Return the labels of some rows of a component; None if it is in no table.

    A row between two units has the label of the first.
    """
    names = {
        "sector_target": limits.sectors,
        "province_balance": limits.provinces,
        "national_total": [""],
        **dict.fromkeys(("enterprise_band", "enterprise_least", "enterprise_most"), limits.enterprises),
    }
    of_units = {
        "intensity_order": limits.rows["better"],
        "equal_rates": limits.rows["one"],
        "largest_change_covers": slice(None),
    }
    if row in of_units:
        # Labels of many units are taken from their table without conversion.
        return instance.units["unit_id"].array.take(limits.free[of_units[row]][where])
    return np.array(names[row], dtype=object)[where] if row in names else None
