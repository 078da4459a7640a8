"""Result tables of an allocation, from the allowances of the adjustable units.

Lines of the table of relaxed limits, and the allocation that they follow from.

What is claimed of an allocation: columns of its units and multipliers, for a check without tables of units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.tables.report_columns import SHOWN_WITH_RESULTS
from etsopt.data.tables.schema import USER_COLUMN_PREFIX
from etsopt.rules import issuance, reference_allowances
from etsopt.rules.fairness import STATED_UNITS_MAX, fairness_table
from etsopt_models._allocation.coupling import COUPLING
from etsopt_models._allocation.limits import IN_RATES, Limits, bounds_with, fixed_allowances, limits_of
from etsopt_models._tolerances import AT_BOUND_TOLERANCE_T, LIMIT_EXCESS_T

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
        ``allocation``, ``enterprises``, ``sectors``, ``provinces``, with few units ``fairness``, and with objectives
        ``duals``.
    """
    units = UnitNumbers.of(instance, free_allowances, exceptional, optimised=levels is not None)
    issued = issuance(instance, units.allowance)
    allocation = _allocation(units, issued)
    if before_rounding is not None:
        place = allocation.columns.get_loc("allowance_t")
        allocation.insert(place, "before_rounding_t", units.with_free(before_rounding))
    result = {"allocation": allocation, "enterprises": _enterprises(units, issued)}
    result |= {name: pd.DataFrame(columns) for name, columns in totals_of(units, levels or ()).items()}
    if len(units.allowance) <= STATED_UNITS_MAX:
        result["fairness"] = fairness_table(instance, units.reference.reference_t, units.allowance)
    return result | ({} if levels is None else {"duals": dual_table(instance, units.limits, levels)})


def totals_of(units: UnitNumbers, levels: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return the columns of the tables ``sectors`` and ``provinces``."""
    with_duals = [level for level in levels if _has_duals(level)]
    return {"sectors": _sectors(units, with_duals), "provinces": _provinces(units, with_duals)}


@dataclass(frozen=True)
class UnitNumbers:
    """Numbers of all units of an instance, shape ``(units,)``.

    Parameters
    ----------
    allowance
        Allowances [t].
    at_bound
        Position among `SIDES` of the bound at which it is.
    exceptional
        True for exceptions.
    """

    instance: Instance
    reference: Reference
    limits: Limits
    allowance: NDArray[np.float64]
    at_bound: NDArray[np.int64]
    exceptional: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        instance: Instance,
        free_allowances: NDArray[np.float64],
        exceptional: NDArray[np.bool_] | None,
        optimised: bool = True,
    ) -> UnitNumbers:
        """Return the numbers of all units from those of the adjustable ones, as `allocation_tables` takes them."""
        reference = reference_allowances(instance)
        limits = limits_of(instance)
        allowance = fixed_allowances(instance, reference).copy() if optimised else reference.reference_t.copy()
        allowance[limits.free] = free_allowances
        chosen = np.zeros(len(limits.free), dtype=bool) if exceptional is None else exceptional
        lower, upper = bounds_with(limits, chosen)
        bound = np.full(len(allowance), SIDES.index("fixed"))
        bound[~instance.in_scope] = SIDES.index("")
        low, high = free_allowances <= lower + AT_BOUND_TOLERANCE_T, free_allowances >= upper - AT_BOUND_TOLERANCE_T
        bound[limits.free] = np.select([low, high], [SIDES.index("lower"), SIDES.index("upper")], SIDES.index(""))
        every = np.zeros(len(allowance), dtype=bool)
        every[limits.free[chosen]] = True
        return cls(instance, reference, limits, allowance, bound, every)

    @cached_property
    def surplus(self) -> NDArray[np.float64]:
        """Allowances less emissions [t]."""
        surplus: NDArray[np.float64] = self.allowance - self.instance.emissions_tco2e
        return surplus

    def with_free(self, free: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return reference allowances, with others for the adjustable units [t]."""
        every = self.reference.reference_t.copy()
        every[self.limits.free] = free
        return every


def _allocation(numbers: UnitNumbers, issued: pd.DataFrame) -> pd.DataFrame:
    instance, units = numbers.instance, numbers.instance.units
    emissions, reference = instance.emissions_tco2e, numbers.reference.reference_t
    passed = [name for name in units if name.startswith(USER_COLUMN_PREFIX) or name in SHOWN_WITH_RESULTS]
    names = [name for name in ("unit_id", "name", "enterprise_id", "sector", "province") if name in units]
    table: dict[str, Any] = {name: units[name] for name in names} | {
        # What the instance keeps is copied, and no more: a million rows take half a second.
        "emissions_tco2e": emissions.copy(),
        "intensity": instance.intensity.copy(),
        "reference_t": reference.copy(),
        "allowance_t": numbers.allowance,
        "change_t": numbers.allowance - reference,
        "surplus_t": numbers.surplus,
        "surplus_rate": _rate(numbers.surplus, emissions),
        "at_bound": pd.Series(SIDES).array.take(numbers.at_bound),
    }
    if not instance.in_scope.all():
        table["in_scope"] = instance.in_scope.copy()
    if numbers.limits.margin.units:
        table["exceptional"] = numbers.exceptional
    table |= {name: issued[name] for name in issued} | {name: units[name] for name in passed}
    return pd.DataFrame(table, copy=False)


def _rate(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _totals(numbers: UnitNumbers, by: str) -> dict[str, Any]:
    """Return sums over the units of each group in the scope, surplus rate, and numbers at a bound and fixed."""
    instance, groups = numbers.instance, numbers.instance.labels(by)
    table: dict[str, Any] = {
        by: groups.names,
        "units": np.bincount(groups.code[instance.in_scope], minlength=len(groups)),
        "emissions_tco2e": groups.sums(instance.emissions_tco2e),
        "reference_t": groups.sums(numbers.reference.reference_t),
        "allowance_t": groups.sums(numbers.allowance),
        "surplus_t": groups.sums(numbers.surplus),
    }
    table["surplus_rate"] = _rate(table["surplus_t"], table["emissions_tco2e"])
    at = {name: groups.code[numbers.at_bound == side] for side, name in enumerate(SIDES) if name}
    return table | {f"units_{name}": np.bincount(code, minlength=len(groups)) for name, code in at.items()}


def _enterprises(numbers: UnitNumbers, issued: pd.DataFrame) -> pd.DataFrame:
    instance = numbers.instance
    table, owner = _totals(numbers, "enterprise_id"), instance.labels("enterprise_id")
    for name in ("pre_allocated_t", "top_up_t", "return_t"):
        table[name] = owner.sums(issued[name].to_numpy())
    if instance.enterprises is not None:
        table = instance.cached("columns of enterprises", lambda: _own_columns(instance)) | table
    table["enterprise_id"] = instance.cached("column of enterprises", lambda: pd.Series(owner.names).array).copy()
    return pd.DataFrame(table, copy=False)


def _own_columns(instance: Instance) -> dict[str, pd.Series]:
    """Return the own columns of the enterprises that have units, in the order of their sums."""
    assert instance.enterprises is not None
    names = pd.DataFrame({"enterprise_id": instance.labels("enterprise_id").names})
    return dict(instance.enterprises.merge(names, on="enterprise_id", how="right").items())


def _sectors(numbers: UnitNumbers, with_duals: Sequence[Any]) -> dict[str, Any]:
    instance, reference, limits = numbers.instance, numbers.reference, numbers.limits
    table, sector = _totals(numbers, "sector"), instance.labels("sector")
    held = sector.sums(np.where(reference.fixed, 0.0, numbers.allowance))
    table["target_t"] = _aligned_by_name(sector.names, limits.sectors, limits.rows["target_most"])
    named = set(limits.all_sectors)
    senses = [instance.policy.target_sense_of(name) if name in named else "" for name in sector.names]
    table["target_sense"] = np.array(senses, dtype=object)
    table["under_target_t"] = table["target_t"] - held
    for name in ("balance_value", "balance_value_lower", "balance_value_upper"):
        if name in reference.sectors:
            table[name] = _aligned_by_name(sector.names, reference.sectors.index, reference.sectors[name])
    return table | _shadow_prices(sector.names, "sector_target", limits.sectors, with_duals)


def _provinces(numbers: UnitNumbers, with_duals: Sequence[Any]) -> dict[str, Any]:
    table, limits = _totals(numbers, "province"), numbers.limits
    names = numbers.instance.labels("province").names
    room = (limits.rows["balance_most"] - limits.rows["balance_least"]) / 2
    table["balance_limit_t"] = _aligned_by_name(names, limits.provinces, room)
    return table | _shadow_prices(names, "province_balance", limits.provinces, with_duals)


def _aligned_by_name(
    names: NDArray[np.object_], own: Iterable[str], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the value of each name, NaN for one that has none."""
    known = dict(zip(own, values, strict=True))
    return np.array([known.get(name, np.nan) for name in names], dtype=float)


def _has_duals(level: Any) -> bool:
    """Return True if the table of multipliers has a row for an objective."""
    return any(np.any(own) for row, own in level.multipliers.items() if row in (*COUPLING, "largest_change_covers"))


def _shadow_prices(
    names: NDArray[np.object_], row: str, own: Sequence[str], with_duals: Sequence[Any]
) -> dict[str, NDArray[np.float64]]:
    """Return a column for each objective: its change per tonne on the row's right-hand side; NaN without a row."""
    return {
        f"{level.name}_shadow_price": _aligned_by_name(names, own, level.multipliers.get(row, np.zeros(len(own))))
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
            index = row_labels(instance, limits, row, where)
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


def row_labels(instance: Instance, limits: Limits, row: str, where: NDArray[np.int64]) -> Any:
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


Line = tuple[str, str, str, float, float, float, str]


def outside_band(limits: Limits, allowance: NDArray[np.float64], wider: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return True for units outside their normal band, or outside that of the enterprise whose band they share."""
    room = limits.emissions * wider
    outside = (allowance < limits.lower - room - LIMIT_EXCESS_T) | (allowance > limits.upper + room + LIMIT_EXCESS_T)
    rows = limits.rows
    for number in range(rows["ENTERPRISES"]):
        units = rows["UNITS_OF_ENTERPRISE"][number]
        total, more = float(allowance[units].sum()), float(room[units].sum()) + LIMIT_EXCESS_T
        least, most = rows["enterprise_lower"][number], rows["enterprise_upper"][number]
        outside[units] = not least - more <= total <= most + more
    return outside


def of_units(
    limits: Limits, values: Mapping[str, Any], wider: NDArray[np.float64], part: NDArray[np.int64] | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return allowances and exceptions by unit; units of an aggregated part take equal shares of their bands."""
    chosen = values["exceptional"] > 0.5 if limits.margin.units else np.zeros(len(values["allowance"]), dtype=bool)
    if part is None:
        return values["allowance"], chosen
    exceptional = chosen[part]
    lower, upper = bounds_with(limits, exceptional)
    lower, upper = lower - limits.emissions * wider, upper + limits.emissions * wider
    low, room = (np.bincount(part, side, len(chosen)) for side in (lower, upper - lower))
    share = np.clip(np.divide(values["allowance"] - low, room, out=np.zeros(len(low)), where=room > 0), 0.0, 1.0)
    # No unit of a part of several has a wider band, so none of them is an exception.
    alone = np.bincount(part, minlength=len(chosen))[part] == 1
    return lower + share[part] * (upper - lower), exceptional & alone


def targets_alone(limits: Limits) -> list[Line]:
    """Return the targets that the bands of their own sector exclude, whatever the other limits."""
    lines = []
    for number, name in enumerate(limits.sectors):
        units = limits.rows["UNITS_IN_SECTOR"][number]
        least, most = float(limits.rows["target_least"][number]), float(limits.rows["target_most"][number])
        # The exceptions that would help this target most.
        below, above = (
            np.sort(side[units])[::-1][: limits.margin.units].sum()
            for side in (limits.margin.lower, limits.margin.upper)
        )
        lowest, highest = float(limits.lower[units].sum() - below), float(limits.upper[units].sum() + above)
        if lowest - most > LIMIT_EXCESS_T:
            lines.append(("alone", "target", name, lowest - most, most, lowest, "t"))
        if least - highest > LIMIT_EXCESS_T:
            lines.append(("alone", "target", name, least - highest, least, highest, "t"))
    return lines


def relaxed_lines(way: str, limits: Limits, allowance: NDArray[np.float64]) -> list[Line]:
    """Return the relaxed limits, the largest relaxation first."""
    lines = []
    for limit, labels, groups, least, most in (
        ("target", limits.sectors, limits.rows["UNITS_IN_SECTOR"], "target_least", "target_most"),
        ("balance", limits.provinces, limits.rows["UNITS_IN_PROVINCE"], "balance_least", "balance_most"),
        ("nation", [""] * limits.rows["NATION"], [slice(None)], "nation_least", "nation_most"),
    ):
        for number, label in enumerate(labels):
            total = math.fsum(allowance[groups[number]].tolist())
            low, high = float(limits.rows[least][number]), float(limits.rows[most][number])
            if total - high > LIMIT_EXCESS_T:
                lines.append((way, limit, label, total - high, high, total, "t"))
            if low - total > LIMIT_EXCESS_T:
                lines.append((way, limit, label, low - total, low, total, "t"))
    return sorted(lines, key=lambda line: -line[3])


def claim_of(units: UnitNumbers, levels: Sequence[Any], real: NDArray[np.float64] | None) -> dict[str, Any]:
    """Return what is claimed of an allocation, as `etsopt.modelling.ProgramModel.claim` states it.

    Parameters
    ----------
    real
        Allowances of the adjustable units before rounding [t]; None if nothing is rounded.
    """
    names = units.instance.cached("units as objects", lambda: units.instance.units["unit_id"].to_numpy(dtype=object))
    columns: dict[str, Any] = {"unit_id": names}
    columns |= {"reference_t": units.reference.reference_t, "allowance_t": units.allowance}
    columns |= {"exceptional": units.exceptional} if units.limits.margin.units else {}
    columns |= {} if real is None else {"before_rounding_t": units.with_free(real)}
    stated = {level.name: level.multipliers for level in levels}
    stated |= {f"{one.name}:{number}": own for one in levels for number, own in enumerate(one.proofs, 2)}
    # Rounding, which is solved after the others, has no rows of the order.
    sizes = {row: max((len(own.get(row, ())) for own in stated.values()), default=0) for row in COUPLING}
    rows: list[tuple[str, str]] = []
    for row, size in ((row, size) for row, size in sizes.items() if size):
        name = "enterprise_band" if row.startswith("enterprise_") else row
        rows += [(name, str(label)) for label in row_labels(units.instance, units.limits, row, np.arange(size))]
    starts = dict(zip(COUPLING, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
    duals = {name: np.zeros(len(rows)) for name in stated}
    for name, own in stated.items():
        for row, start in starts.items():
            multipliers = own.get(row, np.zeros(0))
            duals[name][start : start + len(multipliers)] = multipliers
    weights = np.zeros(len(units.allowance))
    covers = stated.get("largest_change", {}).get("largest_change_covers", np.zeros(0))
    weights[units.limits.free[: len(covers)]] = -covers
    totals = totals_of(units, levels)
    return {"allocation": columns, "totals": totals, "rows": rows, "duals": duals, "weights": weights}
