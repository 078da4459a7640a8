"""Check the relaxation of an infeasible policy: the limits that the allocations of the result miss.

The result has an allocation for each way out, which keeps either bands or targets and misses some of the rest. The
duals prove that limits cannot be relaxed by less, with exceptions only if these close the gap. For bands there is no
such proof.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.allocation.bands import band_rates
from etsopt.checking.allocation.infeasibility import ELASTIC_ROWS
from etsopt.checking.allocation.limits import derive
from etsopt.checking.cells import above, are_whole, distance
from etsopt.checking.readings import plan
from etsopt.checking.theorem import RELAXED
from etsopt.checking.tolerances import (
    NUMBER_RELATIVE,
    RATE_TOLERANCE,
    RELAXATION_MIN_T,
    TOTAL_TOLERANCE_T,
    UNIT_TOLERANCE_T,
    WIDENING_MIN_RATE,
)
from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.checking.allocation.limits import Demands
    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.readings.instance_inputs import InstanceInputs

WAYS = ("target_relaxation", "band_relaxation")
LIMITS = {"sector_target": "target", "province_balance": "balance", "national_total": "nation"}
COLUMNS = RELAXED["relaxed_limits"]
KEYS = ["way_out", "limit", "index"]


def check_relaxed_limits(
    instance: InstanceInputs, demands: Demands, tables: Mapping[str, pd.DataFrame], proven_t: float | None
) -> list[Violation]:
    """Return the violations of the tables ``relaxed_limits`` and ``relaxed_units``.

    Parameters
    ----------
    demands
        Demands of the instance without exceptions.
    proven_t
        Proven least relaxation in tonnes, None if nothing is proven. With exceptions a claim of the objective states
        if the relaxation is the proven one.
    """
    violations = _shape(instance, demands, tables, proven_t is not None)
    if violations:
        return violations
    units, stated = tables["relaxed_units"], tables["relaxed_limits"]
    lines = _targets_ruled_out(instance, demands)
    for way in WAYS:
        if f"{way}_allowance_t" not in units:
            continue
        allowance = np.zeros(len(instance.units))
        allowance[~demands.fixed] = units[f"{way}_allowance_t"].to_numpy(dtype=float)
        chosen = np.zeros(len(allowance), dtype=bool)
        if instance.policy.allocation.exceptions.units:
            chosen[~demands.fixed] = units[f"{way}_exceptional"].to_numpy(dtype=bool)
        bands = _bands(instance, stated, way)
        lines += _relaxed_rows(demands, way, allowance) + bands
        wider = {line[2]: line[3] for line in bands}
        violations += _kept_limits(instance, chosen, way, allowance, wider)
        violations += _exceptions(instance, demands, chosen, way, allowance, _widening(instance, wider))
    tonnes = sum(line[3] for line in lines if line[0] == WAYS[0])
    exact = not instance.policy.allocation.exceptions.units
    if proven_t is not None and exact and not tonnes <= proven_t + TOTAL_TOLERANCE_T + 1e-6 * proven_t:
        message = _("limits are relaxed by no more than the proven least, {least:.12g} t", least=proven_t)
        violations.append(Violation("relaxed_limits", WAYS[0], tonnes - proven_t, "t", message))
    return violations + _lines_are_stated(stated, lines)


Line = tuple[str, str, str, float, float, float, str]


def _shape(
    instance: InstanceInputs, demands: Demands, tables: Mapping[str, pd.DataFrame], proven: bool
) -> list[Violation]:
    """Check that both tables have a row for every adjustable unit, and columns of the right kind and no others."""
    units = tables.get("relaxed_units", pd.DataFrame())
    ways = [way for way in WAYS if f"{way}_allowance_t" in units or (proven and way == WAYS[0])]
    chosen = ways if instance.policy.allocation.exceptions.units else []
    known = ("unit_id", *(f"{way}_allowance_t" for way in ways), *(f"{way}_exceptional" for way in chosen))
    if violations := are_whole(tables, {"relaxed_limits": COLUMNS, "relaxed_units": known}):
        return violations
    wrong = [str(column) for column in units if column not in known]
    names = instance.units["unit_id"].to_numpy()[~demands.fixed].tolist()
    wrong += ["unit_id"] if units["unit_id"].tolist() != names else []
    message = _("the column is present, of its kind and one of the table")
    return [Violation("tables", f"relaxed_units.{name}", 1.0, "columns", message) for name in wrong]


def _targets_ruled_out(instance: InstanceInputs, demands: Demands) -> list[Line]:
    """Return the targets that the bands of their own sector rule out, whatever the other limits are."""
    rows, bands, lines = demands.rows, demands.bands, list[Line]()
    chosen = instance.policy.allocation.exceptions.units
    below = np.where(demands.in_enterprise, bands.shared_below, bands.added_below)
    above = np.where(demands.in_enterprise, bands.shared_above, bands.added_above)
    for row in np.flatnonzero(rows.rule == "sector_target"):
        of_row = rows.position[rows.row == row]
        gained = [float(np.sort(side[of_row])[::-1][:chosen].sum()) for side in (below, above)]
        lowest, highest = (float(side[of_row].sum()) for side in (demands.lower, demands.upper))
        lowest, highest = lowest - gained[0], highest + gained[1]
        least, most, name = float(rows.least[row]), float(rows.most[row]), str(rows.index[row])
        if lowest - most > RELAXATION_MIN_T:
            lines.append(("alone", "target", name, lowest - most, most, lowest, "t"))
        if least - highest > RELAXATION_MIN_T:
            lines.append(("alone", "target", name, least - highest, least, highest, "t"))
    return lines


def _relaxed_rows(demands: Demands, way: str, allowance: Floats) -> list[Line]:
    """Return the limits that an allocation misses, and the misses."""
    rows, lines = demands.rows, list[Line]()
    totals = rows.totals(allowance).value
    for row in np.flatnonzero(np.isin(rows.rule, ELASTIC_ROWS)):
        for limit, off in (
            (rows.most[row], totals[row] - rows.most[row]),
            (rows.least[row], rows.least[row] - totals[row]),
        ):
            if off > RELAXATION_MIN_T:
                name = LIMITS[rows.rule[row]], str(rows.index[row])
                lines.append((way, *name, float(off), float(limit), float(totals[row]), "t"))
    return lines


def _bands(instance: InstanceInputs, stated: pd.DataFrame, way: str) -> list[Line]:
    """Return the sectors whose bands widen as the result states, from their widest band."""
    lines: list[Line] = []
    down, up = band_rates(instance)
    of_way_out = stated[(stated["way_out"] == way) & (stated["limit"] == "band") & (way == WAYS[1])]
    for name, by in dict(zip(of_way_out["index"].fillna("").astype(str), of_way_out["by"], strict=True)).items():
        of_sector = instance.labels("sector").where(name)
        if by > WIDENING_MIN_RATE and of_sector.any():
            widest = float(np.maximum(down, up)[of_sector].max())
            lines.append((way, "band", str(name), float(by), widest, widest + float(by), "rate"))
    return lines


def _kept_limits(
    instance: InstanceInputs, chosen: Mask, way: str, allowance: Floats, wider: Mapping[str, float]
) -> list[Violation]:
    """Check that the allocation keeps the limits that its way does not relax, with no more exceptions than allowed."""
    demands = derive(instance, chosen)
    rows, inside, sector = demands.rows, demands.in_enterprise, instance.labels("sector")
    widening = _widening(instance, wider)
    (off, outside), own = _missed(demands, allowance, widening), ~demands.fixed & ~inside
    names = way + ", " + instance.units["unit_id"].to_numpy(dtype=object)
    size = UNIT_TOLERANCE_T + NUMBER_RELATIVE * plan.emissions_inside(instance)
    message = _("the unit is within its band")
    violations = above("relaxed_limits", names, np.where(own, off, -np.inf), size, "t", message)
    stands = ~np.isin(rows.rule, ELASTIC_ROWS) if way == WAYS[0] else rows.rule != "province_balance"
    size = rows.tolerance + NUMBER_RELATIVE * np.abs(rows.totals(allowance).value)
    message = _("a limit that is not relaxed is kept")
    names = way + ", " + rows.rule.astype(object) + " " + rows.index.astype(object)
    violations += above("relaxed_limits", names, np.where(stands, outside, -np.inf), size, "", message)
    if chosen.sum() > instance.policy.allocation.exceptions.units:
        message = _("no more units are exceptions than are allowed")
        violations.append(Violation("relaxed_limits", way, float(chosen.sum()), "units", message))
    needed = np.where(own, (off + widening) / np.where(own, plan.emissions_inside(instance), 1.0), -np.inf)
    for name, by in wider.items():
        of_sector = sector.where(name)
        least = float(np.max(needed[of_sector], initial=0.0))
        # If an enterprise has one band for several units, no single unit determines its width.
        if not by <= least + RATE_TOLERANCE and not (of_sector & inside).any():
            message = _("the band is no wider than the allocation needs")
            violations.append(Violation("relaxed_limits", f"{way}, {name}", by - least, "rate", message))
    return violations


def _missed(demands: Demands, allowance: Floats, widening: Floats) -> tuple[Floats, Floats]:
    """Return by how much units are beyond their wider bands, and rows beyond their limits with those of enterprises."""
    rows, inside, totals = demands.rows, demands.in_enterprise, demands.rows.totals(allowance).value
    wider = np.bincount(demands.enterprise[inside], widening[inside], len(rows))
    of_units = np.maximum(demands.lower - widening - allowance, allowance - demands.upper - widening)
    return of_units, np.maximum(rows.least - totals, totals - rows.most) - wider


def _widening(instance: InstanceInputs, wider: Mapping[str, float]) -> Floats:
    """Return the widening of each unit's band on either side, shape ``(units,)`` [t]."""
    sector = instance.labels("sector")
    rate = np.array([wider.get(str(name), 0.0) for name in sector.names])[sector.code]
    return np.asarray(rate * plan.emissions_inside(instance))


def _exceptions(
    instance: InstanceInputs, demands: Demands, chosen: Mask, way: str, allowance: Floats, widening: Floats
) -> list[Violation]:
    """Check that every exception is outside its band, or shares a band that is missed."""
    outside, missed = (part > 0 for part in _missed(demands, allowance, widening))
    inside = demands.in_enterprise
    outside[inside] = missed[demands.enterprise[inside]]
    names = way + ", " + instance.units["unit_id"].to_numpy(dtype=object)
    message = _("a unit within its band is no exception")
    return above("relaxed_limits", names, chosen & ~outside, 0.0, "cells", message)


def _lines_are_stated(stated: pd.DataFrame, lines: list[Line]) -> list[Violation]:
    """Check that every relaxed limit has one row, and no other limit has one."""
    expected = pd.DataFrame(lines, columns=list(COLUMNS))
    message, violations = _("every relaxed limit has one row, and no other limit has one"), []
    left, right = (
        table.assign(index=table["index"].fillna("").astype(str)).sort_values([*KEYS, "from"]).reset_index(drop=True)
        for table in (stated, expected)
    )
    if left[[*KEYS, "unit"]].astype(str).to_numpy().tolist() != right[[*KEYS, "unit"]].astype(str).to_numpy().tolist():
        return [Violation("relaxed_limits", "relaxed_limits", float(abs(len(left) - len(right))), "rows", message)]
    for column in ("by", "from", "to"):
        off, value = distance(left[column], right[column]), np.abs(right[column].to_numpy(dtype=float))
        size = np.where(
            right["unit"] == "t", TOTAL_TOLERANCE_T + NUMBER_RELATIVE * value, RATE_TOLERANCE + NUMBER_RELATIVE * value
        )
        for row in np.flatnonzero(~(off <= size)):
            where = " ".join(str(left[key][row]) for key in KEYS)
            message = _("{column} follows from the allocation", column=column)
            violations.append(Violation("relaxed_limits", where, float(off[row]), left["unit"][row], message))
    return violations
