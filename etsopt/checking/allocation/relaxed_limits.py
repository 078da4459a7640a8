"""What has to give way where nothing is feasible: the limits that an allocation misses which the result states.

Of each way out the result holds an allocation. It keeps what stands in that way, bands or targets, and what it misses
of the rest is what gives way. That no less would do is proven of the limits by their multipliers, with exceptions where
these close the gap; of bands it is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.allocation.bands import band_rates
from etsopt.checking.allocation.infeasibility import GIVE_WAY
from etsopt.checking.allocation.limits import derive
from etsopt.checking.allocation.rows import UNIT_TOLERANCE_T
from etsopt.checking.allocation.totals import ABSOLUTE, RELATIVE, distance, wrong_with
from etsopt.checking.report import Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.checking.allocation.limits import Demands
    from etsopt.data.instance import Instance

WAYS = ("target_relaxation", "band_relaxation")
LIMITS = {"sector_target": "target", "province_balance": "balance", "national_total": "nation"}
COLUMNS = ("way_out", "limit", "index", "by", "from", "to", "unit")
KEYS = ["way_out", "limit", "index"]
GIVES_WAY_T, WIDENS = 1e-3, 1e-9
"""What is missed by less, and what widens a band by less, gives no way."""

RATE = 1e-8
"""A rate may differ by as much as an order of rates may be missed."""


def check_relief(
    instance: Instance, demands: Demands, tables: Mapping[str, pd.DataFrame], proven_t: float | None
) -> list[Violation]:
    """Statements of the tables ``relaxed_limits`` and ``relaxed_units`` that do not hold.

    Parameters
    ----------
    demands
        Of the instance, where no unit is an exception.
    proven_t
        Tonnes that are proven to be the least by which limits give way; None where nothing is proven. With exceptions a
        claim of the level says whether it is what is proven.
    """
    found = _shape(instance, demands, tables, proven_t is not None)
    if found:
        return found
    units, stated = tables["relaxed_units"], tables["relaxed_limits"]
    lines = _alone(instance, demands)
    for way in WAYS:
        if f"{way}_t" not in units:
            continue
        allowance = np.zeros(len(instance.units))
        allowance[~demands.fixed] = units[f"{way}_t"].to_numpy(dtype=float)
        chosen = np.zeros(len(allowance), dtype=bool)
        if instance.policy.allocation.exceptions.units:
            chosen[~demands.fixed] = units[f"{way}_exceptional"].to_numpy(dtype=bool)
        bands = _bands(instance, stated, way)
        lines += _given_way(demands, way, allowance) + bands
        wider = {line[2]: line[3] for line in bands}
        found += _keeps(instance, chosen, way, allowance, wider)
        found += _exceptions(instance, demands, chosen, way, allowance, _room(instance, wider))
    tonnes = sum(line[3] for line in lines if line[0] == WAYS[0])
    exact = not instance.policy.allocation.exceptions.units
    if proven_t is not None and exact and not tonnes <= proven_t + ABSOLUTE + 1e-6 * proven_t:
        message = f"limits give way by no more than the {proven_t:.12g} t that are proven to be the least"
        found.append(Violation("relaxed_limits", WAYS[0], tonnes - proven_t, "t", message))
    return found + _lines_are_stated(stated, lines)


Line = tuple[str, str, str, float, float, float, str]


def _shape(instance: Instance, demands: Demands, tables: Mapping[str, pd.DataFrame], proven: bool) -> list[Violation]:
    """Both tables are there, with a row for every unit that is not fixed, numbers and texts, and nothing else."""
    for name in ("relaxed_limits", "relaxed_units"):
        if name not in tables:
            return [Violation("tables", name, 1.0, "tables", "the table is there")]
    units, relief = tables["relaxed_units"], tables["relaxed_limits"]
    absent = [column for column in COLUMNS if column not in relief]
    ways = [way for way in WAYS if f"{way}_t" in units]
    if proven and WAYS[0] not in ways:
        absent.append(f"relaxed_units.{WAYS[0]}_t")
    numbers = [(relief, name) for name in ("by", "from", "to") if name in relief and len(relief)]
    numbers += [(units, f"{way}_t") for way in ways]
    wrong = [
        str(name)
        for table, name in numbers
        if not pd.api.types.is_numeric_dtype(table[name]) or not np.isfinite(table[name].to_numpy(dtype=float)).all()
    ]
    exceptional = [f"{way}_exceptional" for way in ways] if instance.policy.allocation.exceptions.units else []
    wrong += [name for name in exceptional if name not in units or not pd.api.types.is_bool_dtype(units[name])]
    texts = [column for column in ("way_out", "limit", "index", "unit") if column in relief]
    wrong += [f"relief.{column}" for column in texts if wrong_with(relief, column, False)]
    known = {"unit_id", *exceptional, *(f"{way}_t" for way in ways)}
    wrong += [str(column) for column in relief if column not in COLUMNS]
    wrong += [str(column) for column in units if column not in known]
    names = instance.units["unit_id"].to_numpy()[~demands.fixed].tolist()
    if units.get("unit_id", pd.Series(dtype=object)).tolist() != names:
        wrong.append("relaxed_units.unit_id")
    return [
        Violation("tables", name, 1.0, "columns", "the column is there and holds what it must")
        for name in absent + wrong
    ]


def _alone(instance: Instance, demands: Demands) -> list[Line]:
    """Targets that the bands of their own sector rule out, whatever the other limits are."""
    rows, bands, lines = demands.rows, demands.bands, list[Line]()
    most = instance.policy.allocation.exceptions.units
    below = np.where(demands.enterprise >= 0, bands.shared_below, bands.added_below)
    above = np.where(demands.enterprise >= 0, bands.shared_above, bands.added_above)
    for row in np.flatnonzero(rows.rule == "sector_target"):
        here = rows.position[rows.row == row]
        gained = [float(np.sort(side[here])[::-1][:most].sum()) for side in (below, above)]
        lowest, highest = (float(side[here].sum()) for side in (demands.lower, demands.upper))
        lowest, highest = lowest - gained[0], highest + gained[1]
        limit, name = (float(rows.least[row]), float(rows.most[row])), str(rows.index[row])
        if lowest - limit[1] > GIVES_WAY_T:
            lines.append(("alone", "target", name, lowest - limit[1], limit[1], lowest, "t"))
        if limit[0] - highest > GIVES_WAY_T:
            lines.append(("alone", "target", name, limit[0] - highest, limit[0], highest, "t"))
    return lines


def _given_way(demands: Demands, way: str, allowance: NDArray[np.float64]) -> list[Line]:
    """Limits that an allocation misses, and by how much."""
    rows, lines = demands.rows, list[Line]()
    totals = rows.totals(allowance).value
    for row in np.flatnonzero(np.isin(rows.rule, GIVE_WAY)):
        for limit, off in (
            (rows.most[row], totals[row] - rows.most[row]),
            (rows.least[row], rows.least[row] - totals[row]),
        ):
            if off > GIVES_WAY_T:
                name = LIMITS[rows.rule[row]], str(rows.index[row])
                lines.append((way, *name, float(off), float(limit), float(totals[row]), "t"))
    return lines


def _bands(instance: Instance, stated: pd.DataFrame, way: str) -> list[Line]:
    """Sectors whose bands widen as the result states, from the widest that they have."""
    lines: list[Line] = []
    down, up = band_rates(instance)
    here = stated[(stated["way_out"] == way) & (stated["limit"] == "band") & (way == WAYS[1])]
    for name, by in dict(zip(here["index"].fillna("").astype(str), here["by"], strict=True)).items():
        of_sector = instance.labels("sector").where(name)
        if by > WIDENS and of_sector.any():
            widest = float(max(down[of_sector].max(), up[of_sector].max()))
            lines.append((way, "band", str(name), float(by), widest, widest + float(by), "rate"))
    return lines


def _keeps(
    instance: Instance, chosen: NDArray[np.bool_], way: str, allowance: NDArray[np.float64], wider: Mapping[str, float]
) -> list[Violation]:
    """The allocation keeps what stands in its way, with no more exceptions than are allowed."""
    demands = derive(instance, chosen)
    rows, sector = demands.rows, instance.labels("sector")
    room = _room(instance, wider)
    off = np.maximum(demands.lower - room - allowance, allowance - demands.upper - room)
    own = ~demands.fixed & (demands.enterprise < 0)
    names = instance.units["unit_id"].to_numpy()
    size = UNIT_TOLERANCE_T + RELATIVE * instance.emissions_tco2e
    found = [
        Violation("relaxed_limits", f"{way}, {names[unit]}", float(off[unit]), "t", "the unit stays in its band")
        for unit in np.flatnonzero(own & ~(off <= size))
    ]
    totals = rows.totals(allowance).value
    outside = np.maximum(rows.least - totals, totals - rows.most)
    inside = demands.enterprise >= 0
    outside -= np.bincount(demands.enterprise[inside], room[inside], len(rows))
    stands = ~np.isin(rows.rule, GIVE_WAY) if way == WAYS[0] else rows.rule != "province_balance"
    for row in np.flatnonzero(stands & ~(outside <= rows.tolerance + RELATIVE * np.abs(totals))):
        message = "what does not give way is kept"
        found.append(
            Violation("relaxed_limits", f"{way}, {rows.rule[row]} {rows.index[row]}", float(outside[row]), "", message)
        )
    if chosen.sum() > instance.policy.allocation.exceptions.units:
        message = "no more units are exceptions than are allowed"
        found.append(Violation("relaxed_limits", way, float(chosen.sum()), "units", message))
    needed = np.where(own, (off + room) / np.where(own, instance.emissions_tco2e, 1.0), -np.inf)
    for name, by in wider.items():
        of_sector = sector.where(name)
        least = float(np.max(needed[of_sector], initial=0.0))
        # Where an enterprise has one band for several units, no unit tells how wide it has to be.
        if not by <= least + RATE and not (of_sector & inside).any():
            message = "the band is no wider than the allocation needs"
            found.append(Violation("relaxed_limits", f"{way}, {name}", by - least, "rate", message))
    return found


def _room(instance: Instance, wider: Mapping[str, float]) -> NDArray[np.float64]:
    """Tonnes by which the band of each unit is wider on either side."""
    sector = instance.labels("sector")
    rate = np.array([wider.get(str(name), 0.0) for name in sector.names])[sector.code]
    room: NDArray[np.float64] = rate * instance.emissions_tco2e
    return room


def _exceptions(
    instance: Instance,
    demands: Demands,
    chosen: NDArray[np.bool_],
    way: str,
    allowance: NDArray[np.float64],
    room: NDArray[np.float64],
) -> list[Violation]:
    """Only who is outside its band, or shares one that is missed, is an exception."""
    outside = np.maximum(demands.lower - room - allowance, allowance - demands.upper - room) > 0
    inside, rows = demands.enterprise >= 0, demands.rows
    totals, wider = rows.totals(allowance).value, np.bincount(demands.enterprise[inside], room[inside], len(rows))
    missed = np.maximum(rows.least - wider - totals, totals - rows.most - wider) > 0
    outside[inside] = missed[demands.enterprise[inside]]
    names, message = instance.units["unit_id"].to_numpy(), "a unit that keeps its band is no exception"
    return [
        Violation("relaxed_limits", f"{way}, {names[k]}", 1.0, "cells", message)
        for k in np.flatnonzero(chosen & ~outside)
    ]


def _lines_are_stated(stated: pd.DataFrame, lines: list[Line]) -> list[Violation]:
    """Every limit that gives way has one row, and no other has."""
    expected = pd.DataFrame(lines, columns=list(COLUMNS))
    message, found = "a limit that gives way has one row, and no other has", []
    left, right = (
        table.assign(index=table["index"].fillna("").astype(str)).sort_values([*KEYS, "from"]).reset_index(drop=True)
        for table in (stated, expected)
    )
    if left[[*KEYS, "unit"]].astype(str).to_numpy().tolist() != right[[*KEYS, "unit"]].astype(str).to_numpy().tolist():
        return [Violation("relaxed_limits", "relaxed_limits", float(abs(len(left) - len(right))), "rows", message)]
    for column in ("by", "from", "to"):
        off, value = distance(left[column], right[column]), np.abs(right[column].to_numpy(dtype=float))
        size = np.where(right["unit"] == "t", ABSOLUTE + RELATIVE * value, RATE + RELATIVE * value)
        for row in np.flatnonzero(~(off <= size)):
            where = " ".join(str(left[key][row]) for key in KEYS)
            found.append(
                Violation(
                    "relaxed_limits", where, float(off[row]), left["unit"][row], f"{column} is what the allocation says"
                )
            )
    return found
