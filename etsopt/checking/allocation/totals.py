"""Check the tables derived from the table of allocations: their shape, totals, limits and shadow prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.checking import cells
from etsopt.checking.allocation.duals import KEPT
from etsopt.checking.readings.plan import has_balance_value, inside
from etsopt.checking.theorem import ALLOCATION, DUALS, EXCEPTIONS, INFEASIBLE
from etsopt.checking.tolerances import NUMBER_RELATIVE, RATE_ROW_TOLERANCES, TOTAL_TOLERANCE_T
from etsopt.checking.verdict import Violation
from etsopt.common.language import _
from etsopt.data.tables.report_columns import SHOWN_WITH_RESULTS
from etsopt.data.tables.schema import USER_COLUMN_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.checking.allocation.limits import Demands
    from etsopt.checking.arrays import Floats
    from etsopt.checking.readings.instance_inputs import InstanceInputs

TOTALS = (("enterprises", "enterprise_id"), ("sectors", "sector"), ("provinces", "province"))
SUMS = ("emissions_tco2e", "reference_t", "allowance_t", "surplus_t")
ISSUED = ("pre_allocated_t", "top_up_t", "return_t")
SIDES = ("lower", "upper", "fixed")
BALANCE_VALUES = ("balance_value", "balance_value_lower", "balance_value_upper")
SEVERAL = (*EXCEPTIONS, INFEASIBLE)
"""Objectives that several vectors of multipliers may prove together."""

COLUMNS = ALLOCATION | DUALS
TEXTS = {name: tuple(filter(cells.TEXTS.__contains__, columns)) for name, columns in COLUMNS.items()}


def tables_are_whole(
    instance: InstanceInputs, tables: Mapping[str, pd.DataFrame], names: Sequence[str]
) -> list[Violation]:
    """Check that every table and column of an allocation is present and of its kind."""
    columns = {name: COLUMNS[name] for name in names}
    if "allocation" in columns:
        chosen, rounds = bool(instance.policy.allocation.exceptions.units), instance.rounds and "duals" in names
        columns["allocation"] += ("exceptional",) * chosen + ("before_rounding_t",) * rounds
    return cells.are_whole(tables, columns, may_lack(instance))


def may_lack(instance: InstanceInputs) -> tuple[str, ...]:
    """Return the columns that allocations need not have: balance values are those of a rule."""
    return ("in_scope",) if has_balance_value(instance) else ("in_scope", *BALANCE_VALUES)


def _differing(
    rule: str, labels: object, stated: object, expected: object, tolerance: float, message: str
) -> list[Violation]:
    return cells.above(rule, labels, cells.distance(stated, expected), tolerance, "", message)


def totals_add_up(instance: InstanceInputs, table: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> list[Violation]:
    """Check counts, sums and rates by enterprise, sector and province against the units.

    `same_units` has checked before that the units have the enterprises, sectors and provinces of the instance.
    """
    violations = []
    sides = {f"units_{side}": (table["at_bound"].to_numpy() == side).astype(float) for side in SIDES}
    for name, key in TOTALS:
        groups, group, stated = instance.labels(key), key.removesuffix("_id"), tables[name]
        place, names = np.arange(len(groups)), stated[key].to_numpy()
        if not np.array_equal(names, groups.names):
            place = pd.Index(groups.names).get_indexer(names)
        if not np.array_equal(np.sort(place), np.arange(len(groups))):
            message = _("every {key} of the units has one row", key=key)
            violations.append(Violation("totals_add_up", name, 1.0, "rows", message))
            continue
        columns = [*SUMS, *ISSUED] if name == "enterprises" else list(SUMS)
        expected = {column: groups.sums(table[column].to_numpy(dtype=float)) for column in columns}
        expected["units"] = np.bincount(groups.code[inside(instance)], minlength=len(groups)).astype(float)
        expected |= {column: groups.sums(values) for column, values in sides.items()}
        total = expected["emissions_tco2e"]
        rate = np.divide(expected["surplus_t"], total, out=np.full(len(total), np.nan), where=total > 0)
        for column, values in (expected | {"surplus_rate": rate}).items():
            tolerance = TOTAL_TOLERANCE_T if column in (*SUMS, *ISSUED) else NUMBER_RELATIVE
            message = _("{column} of a {group} is the total over its units", column=column, group=group)
            violations += _differing("totals_add_up", names, stated[column], values[place], tolerance, message)
    return violations


def own_columns_are_unchanged(
    instance: InstanceInputs, table: pd.DataFrame, enterprises: pd.DataFrame
) -> list[Violation]:
    """Check that names and the user's own columns of units, and all columns of enterprises, are unchanged."""
    columns = [*_own_columns(instance), *(["name"] if "name" in instance.units else [])]
    violations = _unchanged("as_given", "allocation", instance.units, table, "unit_id", columns)
    if instance.enterprises is None:
        return violations
    given = [name for name in instance.enterprises if name != "enterprise_id"]
    return violations + _unchanged("as_given", "enterprises", instance.enterprises, enterprises, "enterprise_id", given)


def _own_columns(instance: InstanceInputs) -> list[str]:
    """Return the user's own columns of the units."""
    return [name for name in instance.units if name.startswith(USER_COLUMN_PREFIX) or name in SHOWN_WITH_RESULTS]


def _unchanged(
    rule: str, name: str, given: pd.DataFrame, table: pd.DataFrame, key: str, columns: list[str]
) -> list[Violation]:
    """Check that columns of a table equal those of a table of the instance, or are empty if that has no row."""
    wanted = given if given[key].array.equals(table[key].array) else given.set_index(key).reindex(table[key])
    violations = []
    for column in columns:
        if column not in table:
            violations.append(Violation("tables", f"{name}.{column}", 1.0, "columns", _("the column is present")))
            continue
        if table[column].array.equals(wanted[column].array):
            continue  # The same cells need no second look as strings.
        stated, expected = (part[column].astype(object) for part in (table, wanted))
        same = _as_strings(stated) == _as_strings(expected)
        if pd.api.types.is_numeric_dtype(wanted[column]):
            # A file may return a number as its text; the text 007 is not 7.
            same |= (pd.to_numeric(stated, errors="coerce") == wanted[column].to_numpy()).to_numpy()
        message = _("{column} is that of the instance", column=column)
        violations += cells.above(rule, table[key], ~same, 0.0, "cells", message)
    return violations


def _as_strings(column: pd.Series[Any]) -> NDArray[np.object_]:
    """Return cells as strings, empty if absent."""
    return np.asarray(column.where(column.notna(), "").astype(str).to_numpy(dtype=object))


def targets_are_stated(
    instance: InstanceInputs, demands: Demands, table: pd.DataFrame, sectors: pd.DataFrame
) -> list[Violation]:
    """Check the targets of the table against the policy, and the tonnes left under them against the allowances."""
    most = {name: limits[1] for name, limits in demands.rows.limits_of("sector_target").items()}
    groups = instance.labels("sector")
    held = groups.sums(np.where(demands.fixed, 0.0, table["allowance_t"].to_numpy(dtype=float)))
    names = sectors["sector"].to_numpy(dtype=object)
    target = _aligned_by_name(names, most)
    left = target - _aligned_by_name(names, dict(zip(groups.names, held, strict=True)))
    policy = instance.policy.sectors
    free = np.bincount(groups.code[~demands.fixed], minlength=len(groups)) > 0
    senses = dict.fromkeys(groups.names[free], "none") | dict.fromkeys(most, "at_most")
    senses |= {name: "exactly" for name in most if name in policy and policy[name].target_sense == "exactly"}
    sense = np.array([senses.get(name, "") for name in names], dtype=object)
    wrong = sectors["target_sense"].fillna("").to_numpy(dtype=object) != sense
    rule = "targets_are_stated"
    return [
        *_differing(rule, names, sectors["target_t"], target, TOTAL_TOLERANCE_T, _("the target is the policy's [t]")),
        *_differing(
            rule, names, sectors["under_target_t"], left, TOTAL_TOLERANCE_T, _("target less allowances is stated [t]")
        ),
        *cells.above(rule, names, wrong, 0.0, "", _("the sense of the target is the policy's")),
    ]


def balances_are_stated(demands: Demands, provinces: pd.DataFrame) -> list[Violation]:
    """Check the limits of the provinces' balances against the policy."""
    limits = demands.rows.limits_of("province_balance")
    names = provinces["province"].to_numpy(dtype=object)
    expected = _aligned_by_name(names, {name: (most - least) / 2 for name, (least, most) in limits.items()})
    message = _("the balance is the policy's share of emissions [t]")
    return _differing("balances_are_stated", names, provinces["balance_limit_t"], expected, TOTAL_TOLERANCE_T, message)


def _aligned_by_name(names: NDArray[np.object_], values: Mapping[str, float]) -> Floats:
    """Return the value of each name, NaN for one that has none."""
    return np.array([values.get(name, np.nan) for name in names], dtype=float)


def units_of_multipliers(duals: pd.DataFrame, units: Mapping[str, str]) -> list[Violation]:
    """Check that the unit of each multiplier is that of its objective by that of its row.

    Parameters
    ----------
    units
        Unit of each objective.
    """
    stated, in_rates = duals["level"].to_numpy(), duals["row"].isin(RATE_ROW_TOLERANCES).to_numpy()
    keeps = duals["row"].to_numpy() == KEPT
    indices, given = duals["index"].to_numpy(), duals["unit"].to_numpy()
    right = np.zeros(len(duals), dtype=bool)
    for level in pd.unique(stated):
        # Exceptions, and an infeasibility, may have several proofs: "exceptions:2" is the second.
        name, numbered, number = str(level).partition(":")
        if name not in units or (numbered and not (name in SEVERAL and number.isdecimal())):
            continue
        unit, of_level = units[name], stated == level
        for by, has_unit in (("rate", in_rates), ("t", ~in_rates & ~keeps)):
            right |= of_level & has_unit & (given == f"{unit}/{by}")
        for earlier, by in units.items():
            right |= of_level & keeps & (indices == earlier) & (given == f"{unit}/{by}")
    message = _("the unit is that of the objective by that of the row")
    return cells.above("prices_are_stated", stated, ~right, 0.0, "", message)


def prices_are_stated(
    demands: Demands, tables: Mapping[str, pd.DataFrame], units: Mapping[str, str]
) -> list[Violation]:
    """Check that shadow prices of sectors and provinces are the duals, in units of the objective by those of the row.

    Parameters
    ----------
    units
        Unit of each objective.
    """
    duals = tables["duals"]
    stated, rows, indices = (duals[name].to_numpy(dtype=object) for name in ("level", "row", "index"))
    multipliers, keeps = duals["multiplier"].to_numpy(dtype=float), rows == KEPT
    violations = units_of_multipliers(duals, units)
    for name, key, row in (("sectors", "sector", "sector_target"), ("provinces", "province", "province_balance")):
        table, names = tables[name], tables[name][key].to_numpy(dtype=object)
        # A sector without a target and a province without a balance have no row, and so no shadow price.
        limited = np.isin(names, demands.rows.index[demands.rows.rule == row])
        for level in units:
            of_row = (stated == level) & (rows == row)
            prices = dict(zip(indices[of_row], multipliers[of_row], strict=True))
            dual = np.where(limited, [prices.get(label, 0.0) for label in names], np.nan)
            column = table.get(f"{level}_shadow_price")
            given = np.where(limited, 0.0, np.nan) if column is None else pd.to_numeric(column, errors="coerce")
            if column is None and ((stated == level) & ~keeps).any():
                message = _("the shadow prices are present")
                violations.append(Violation("prices_are_stated", f"{name}.{level}", 1.0, "columns", message))
            tolerance = NUMBER_RELATIVE * float(np.abs(multipliers[of_row]).max(initial=0.0))
            message = _("the shadow price of {level} is the dual of the row", level=level)
            violations += _differing("prices_are_stated", names, given, dual, tolerance, message)
    return violations
