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
from etsopt_models._tolerances import AT_BOUND_TOLERANCE_T

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.rules import Reference

SIDES = ("", "lower", "upper", "fixed")
"""Bounds at which an allowance may be."""


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
    bound[limits.free] = np.select(
        [free <= lower + AT_BOUND_TOLERANCE_T, free >= upper - AT_BOUND_TOLERANCE_T], [1, 2], 0
    )
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


def _totals(instance: Instance, allocation: pd.DataFrame, by: str) -> dict[str, Any]:
    """Return sums over the units of each group in the scope, surplus rate, and numbers at a bound and fixed."""
    groups, side = instance.labels(by), allocation["at_bound"].to_numpy(dtype=object)
    units = np.bincount(groups.code[instance.in_scope], minlength=len(groups))
    table: dict[str, Any] = {by: groups.names, "units": units}
    for name in ("emissions_tco2e", "reference_t", "allowance_t", "surplus_t"):
        table[name] = groups.sums(allocation[name].to_numpy())
    table["surplus_rate"] = _rate(table["surplus_t"], table["emissions_tco2e"])
    for name in SIDES[1:]:
        table[f"units_{name}"] = np.bincount(groups.code[side == name], minlength=len(groups))
    return table


def _enterprises(instance: Instance, allocation: pd.DataFrame) -> pd.DataFrame:
    table, owner = _totals(instance, allocation, "enterprise_id"), instance.labels("enterprise_id")
    for name in ("pre_allocated_t", "top_up_t", "return_t"):
        table[name] = owner.sums(allocation[name].to_numpy())
    if instance.enterprises is None:
        return pd.DataFrame(table)
    return pd.DataFrame(instance.cached("columns of enterprises", lambda: _own_columns(instance)) | table)


def _own_columns(instance: Instance) -> dict[str, pd.Series]:
    """Return the own columns of the enterprises that have units, in the order of their sums."""
    assert instance.enterprises is not None
    names = pd.DataFrame({"enterprise_id": instance.labels("enterprise_id").names})
    return dict(instance.enterprises.merge(names, on="enterprise_id", how="right").items())


def _sectors(
    instance: Instance, reference: Reference, limits: Limits, allocation: pd.DataFrame, with_duals: Sequence[Any]
) -> pd.DataFrame:
    table, sector = _totals(instance, allocation, "sector"), instance.labels("sector")
    held = sector.sums(np.where(reference.fixed, 0.0, allocation["allowance_t"]))
    table["target_t"] = _placed(sector.names, limits.sectors, limits.rows["target_most"])
    named = set(limits.all_sectors)
    senses = [instance.policy.target_sense_of(name) if name in named else "" for name in sector.names]
    table["target_sense"] = np.array(senses, dtype=object)
    table["under_target_t"] = table["target_t"] - held
    for name in ("balance_value", "balance_value_lower", "balance_value_upper"):
        if name in reference.sectors:
            table[name] = _placed(sector.names, reference.sectors.index, reference.sectors[name])
    return pd.DataFrame(table | _shadow_prices(sector.names, "sector_target", limits.sectors, with_duals))


def _provinces(instance: Instance, limits: Limits, allocation: pd.DataFrame, with_duals: Sequence[Any]) -> pd.DataFrame:
    table, names = _totals(instance, allocation, "province"), instance.labels("province").names
    room = (limits.rows["balance_most"] - limits.rows["balance_least"]) / 2
    table["balance_limit_t"] = _placed(names, limits.provinces, room)
    return pd.DataFrame(table | _shadow_prices(names, "province_balance", limits.provinces, with_duals))


def _placed(names: NDArray[np.object_], own: Iterable[str], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the value of each name, NaN for one that has none."""
    known = dict(zip(own, values, strict=True))
    return np.array([known.get(name, np.nan) for name in names], dtype=float)


def _has_duals(level: Any) -> bool:
    """Return True if the table of multipliers has a row for an objective."""
    return any(
        row in (*COUPLING, "largest_change_covers") and np.any(prices) for row, prices in level.multipliers.items()
    )


def _shadow_prices(
    names: NDArray[np.object_], row: str, own: Sequence[str], with_duals: Sequence[Any]
) -> dict[str, NDArray[np.float64]]:
    """Return a column for each objective: its change per tonne on the row's right-hand side; NaN without a row."""
    return {
        f"{level.name}_shadow_price": _placed(names, own, level.multipliers.get(row, np.zeros(len(own))))
        for level in with_duals
    }


def dual_table(instance: Instance, limits: Limits, levels: Sequence[Any]) -> pd.DataFrame:
    """Return the nonzero multipliers, with the labels of their rows.

    If the proof of an objective needs several sets of multipliers, the others have its name with a number.
    """
    found = []
    proofs = [
        (level, f"{level.name}:{number}", proof) for level in levels for number, proof in enumerate(level.proofs, 2)
    ]
    for level, stated, multipliers in [*((level, level.name, level.multipliers) for level in levels), *proofs]:
        for row, multiplier in multipliers.items():
            where = np.flatnonzero(multiplier)
            index = _row_labels(instance, limits, row, where)
            if len(where) and index is not None:
                name = "enterprise_band" if row.startswith("enterprise_") else row
                unit = f"{level.unit}/{'rate' if row in IN_RATES else 't'}"
                found.append((stated, name, pd.Series(index), multiplier[where], unit))
    columns = ["level", "row", "index", "multiplier", "unit"]
    if not found:
        return pd.DataFrame(columns=columns)
    names, rows, labels, values, units = zip(*found, strict=True)
    part = np.repeat(np.arange(len(found)), [len(one) for one in values])
    table = pd.DataFrame(
        {
            "level": pd.Series(names).array.take(part),
            "row": pd.Series(rows).array.take(part),
            "index": pd.concat(labels, ignore_index=True),
            "multiplier": np.concatenate(values),
            "unit": pd.Series(units).array.take(part),
        }
    )
    if not limits.margin.units or not limits.enterprises:
        return table
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
        "intensity_order": limits.rows["lower_intensity"],
        "equal_rates": limits.rows["first_equal"],
        "largest_change_covers": slice(None),
    }
    if row in of_units:
        # Labels of many units are taken from their table without conversion.
        return instance.units["unit_id"].array.take(limits.free[of_units[row]][where])
    return np.array(names[row], dtype=object)[where] if row in names else None
