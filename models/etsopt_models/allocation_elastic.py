r"""Smallest relaxation of the limits of an infeasible `allocation` (linear programs; mixed-integer with exceptions).

Symbols as in `allocation`; in addition

.. formulation:: formulate

The multipliers of `target_relaxation` prove that no smaller relaxation suffices (Farkas). With duals between -1 and 1
the rest of the program is a sum over units, each at a bound of its band, less the gain of the $n$ best exceptions. If
parts of exceptions meet every limit, the duals are those without exceptions, and no unit gains more in a limit than
the infeasibility of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from etsopt.modelling import ElasticModel
from etsopt.rules import reference_allowances
from etsopt.rules.bands import band_rates
from etsopt_models._allocation.coupling import before_rounding
from etsopt_models._allocation.limits import IN_TONNES, bounds_with, limits_of, writable
from etsopt_models._allocation.tables import dual_table, of_units, outside_band, relaxed_lines, targets_alone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

WAYS_OUT = {
    "target_relaxation": ("band_widening",),
    "band_relaxation": ("target_over", "target_under", "nation_over", "nation_under"),
}
"""Objective of each relaxation, and the variables that it keeps at zero."""


def formulate() -> pyo.AbstractModel:  # long because a symbol and an equation each have their line
    r"""Return the program without data.

    | symbol | meaning | unit | in the code |
    | --- | --- | --- | --- |
    | $o_s, n_s \ge 0$ | allowances of a sector above and below its target, up to a bound that no limit reaches | t | `target_over`, `target_under`; `give_most` |
    | $x_p, y_p \ge 0$ | a province above and below its balance | t | `balance_over`, `balance_under` |
    | $o, n \ge 0$ | the nation above and below its total | t | `nation_over`, `nation_under` |
    | $g_s \in [0, 1]$; $s(i)$ | widening of a sector's band on both sides, for every sector, with a target or without; the sector of a unit | rate; position | `band_widening`; `BANDS`, `sector` |
    | $A_i \in [0, \overline A_i + E_i]$ | allowances, which may leave the band by all emissions | t | `allowance`, `allowance_most` |
    | $e_i \in \{0, 1\}$ | 1 if the unit is an exception, at most $n$ units; $\underline x_i, \overline x_i$ as there | units | `exceptional` |
    """
    m = pyo.AbstractModel("allocation_elastic")
    m.UNITS, m.SECTORS, m.PROVINCES, m.ENTERPRISES, m.NATION = (pyo.Set() for _ in range(5))
    m.UNITS_IN_SECTOR = pyo.Set(m.SECTORS, within=m.UNITS)
    m.UNITS_IN_PROVINCE = pyo.Set(m.PROVINCES, within=m.UNITS)
    m.UNITS_OF_ENTERPRISE = pyo.Set(m.ENTERPRISES, within=m.UNITS)
    m.LINKS, m.EQUAL_LINKS = pyo.Set(), pyo.Set()
    m.WITH_OWN_BAND = pyo.Set(within=m.UNITS)
    m.BANDS = pyo.Set(doc="sectors with adjustable units, with a target or without")

    m.emissions = pyo.Param(m.UNITS, doc="verified emissions [tCO2e]")
    m.per_emission = pyo.Param(m.UNITS, doc="one over emissions [1/tCO2e]")
    m.sector = pyo.Param(m.UNITS, doc="position of the unit's sector among BANDS [1]")
    m.band_lower = pyo.Param(m.UNITS, doc="lower end of the unit's band [t]")
    m.band_upper = pyo.Param(m.UNITS, doc="upper end of the unit's band [t]")
    m.allowance_most = pyo.Param(m.UNITS, doc="most allowances [t]")
    m.widening_lower = pyo.Param(m.UNITS, doc="margin of an exception below the band [t]")
    m.widening_upper = pyo.Param(m.UNITS, doc="margin of an exception above the band [t]")
    m.exceptions_most = pyo.Param(doc="most exceptions [units]")
    m.give_most = pyo.Param(doc="largest relaxation of a limit [t]")
    m.target_least = pyo.Param(m.SECTORS, doc="least allowances of the sector [t]")
    m.target_most = pyo.Param(m.SECTORS, doc="most allowances of the sector [t]")
    m.balance_least = pyo.Param(m.PROVINCES, doc="least allowances of the province [t]")
    m.balance_most = pyo.Param(m.PROVINCES, doc="most allowances of the province [t]")
    m.nation_least = pyo.Param(m.NATION, doc="least allowances of all adjustable units [t]")
    m.nation_most = pyo.Param(m.NATION, doc="most allowances of all adjustable units [t]")
    m.enterprise_lower = pyo.Param(m.ENTERPRISES, doc="lower end of the enterprise's band [t]")
    m.enterprise_upper = pyo.Param(m.ENTERPRISES, doc="upper end of the enterprise's band [t]")
    m.lower_intensity = pyo.Param(m.LINKS, doc="position of the unit with the lower intensity [1]")
    m.higher_intensity = pyo.Param(m.LINKS, doc="position of the unit with the higher intensity [1]")
    m.first_equal = pyo.Param(m.EQUAL_LINKS, doc="position of one unit of equal intensity [1]")
    m.second_equal = pyo.Param(m.EQUAL_LINKS, doc="position of the next one [1]")

    m.allowance = pyo.Var(m.UNITS, bounds=lambda m, i: (0, m.allowance_most[i]), doc="allowances [t]")
    m.band_widening = pyo.Var(m.BANDS, bounds=(0, 1), doc="widening of the band [rate]")
    m.exceptional = pyo.Var(m.UNITS, domain=pyo.Binary, doc="1 if the unit is an exception [units]")
    gives = {"bounds": lambda m, *_: (0, m.give_most), "doc": "relaxation of the limit [t]"}
    m.target_over, m.target_under = (pyo.Var(m.SECTORS, **gives) for _ in range(2))
    m.balance_over, m.balance_under = (pyo.Var(m.PROVINCES, **gives) for _ in range(2))
    m.nation_over, m.nation_under = (pyo.Var(m.NATION, **gives) for _ in range(2))

    # $$\underline T_s \le \sum_{i \in s} A_i - o_s + n_s \le T_s \tag{sector_target}$$
    @m.Constraint(m.SECTORS, doc="the sector meets its relaxed target [t]")
    def sector_target(m, s):
        total = sum(m.allowance[i] for i in m.UNITS_IN_SECTOR[s])
        return (m.target_least[s], total - m.target_over[s] + m.target_under[s], m.target_most[s])

    # $$\underline P_p \le \sum_{i \in p} A_i - x_p + y_p \le \overline P_p \tag{province_balance}$$
    @m.Constraint(m.PROVINCES, doc="the province meets its relaxed balance [t]")
    def province_balance(m, p):
        total = sum(m.allowance[i] for i in m.UNITS_IN_PROVINCE[p])
        return (m.balance_least[p], total - m.balance_over[p] + m.balance_under[p], m.balance_most[p])

    # $$\underline N \le \sum_i A_i - o + n \le N \tag{national_total}$$
    @m.Constraint(m.NATION, doc="all allowances meet the relaxed national total [t]")
    def national_total(m, k):
        total = sum(m.allowance[i] for i in m.UNITS)
        return (m.nation_least[k], total - m.nation_over[k] + m.nation_under[k], m.nation_most[k])

    # $$\sum_{i \in f} (A_i + E_i g_{s(i)} + \underline x_i e_i) \ge \underline A_f \tag{enterprise_least}$$
    @m.Constraint(m.ENTERPRISES, doc="the enterprise is not below its wider band [t]")
    def enterprise_least(m, f):
        wider = sum(m.allowance[i] + m.emissions[i] * m.band_widening[m.sector[i]] for i in m.UNITS_OF_ENTERPRISE[f])
        exceptions = sum(m.widening_lower[i] * m.exceptional[i] for i in m.UNITS_OF_ENTERPRISE[f])
        return wider + exceptions >= m.enterprise_lower[f]

    # $$\sum_{i \in f} (A_i - E_i g_{s(i)} - \overline x_i e_i) \le \overline A_f \tag{enterprise_most}$$
    @m.Constraint(m.ENTERPRISES, doc="the enterprise is not above its wider band [t]")
    def enterprise_most(m, f):
        wider = sum(m.allowance[i] - m.emissions[i] * m.band_widening[m.sector[i]] for i in m.UNITS_OF_ENTERPRISE[f])
        exceptions = sum(m.widening_upper[i] * m.exceptional[i] for i in m.UNITS_OF_ENTERPRISE[f])
        return wider - exceptions <= m.enterprise_upper[f]

    # $$A_i + E_i g_{s(i)} + \underline x_i e_i \ge \underline B_i \tag{band_least}$$
    @m.Constraint(m.WITH_OWN_BAND, doc="the unit is not below its wider band [t]")
    def band_least(m, i):
        wider = m.emissions[i] * m.band_widening[m.sector[i]] + m.widening_lower[i] * m.exceptional[i]
        return m.allowance[i] + wider >= m.band_lower[i]

    # $$A_i - E_i g_{s(i)} - \overline x_i e_i \le \overline B_i \tag{band_most}$$
    @m.Constraint(m.WITH_OWN_BAND, doc="the unit is not above its wider band [t]")
    def band_most(m, i):
        wider = m.emissions[i] * m.band_widening[m.sector[i]] + m.widening_upper[i] * m.exceptional[i]
        return m.allowance[i] - wider <= m.band_upper[i]

    # $$\sum_i e_i \le n \tag{exceptions_limit}$$
    @m.Constraint(doc="no more exceptions than are allowed [units]")
    def exceptions_limit(m):
        return (None, sum(m.exceptional[i] for i in m.UNITS), m.exceptions_most)

    # $$A_i / E_i \ge A_j / E_j \tag{intensity_order}$$
    @m.Constraint(m.LINKS, doc="a lower intensity never gets a lower surplus rate [rate]")
    def intensity_order(m, j):
        rate = m.per_emission[m.lower_intensity[j]] * m.allowance[m.lower_intensity[j]]
        return rate - m.per_emission[m.higher_intensity[j]] * m.allowance[m.higher_intensity[j]] >= 0

    # $$A_i / E_i = A_j / E_j \tag{equal_rates}$$
    @m.Constraint(m.EQUAL_LINKS, doc="equal intensities get equal surplus rates [rate]")
    def equal_rates(m, j):
        rate = m.per_emission[m.first_equal[j]] * m.allowance[m.first_equal[j]]
        return rate - m.per_emission[m.second_equal[j]] * m.allowance[m.second_equal[j]] == 0

    # The program is solved twice. The first solve keeps the bands ($g = 0$) and relaxes targets, balances and totals:
    #
    # $$\min \sum_s (o_s + n_s) + \sum_p (x_p + y_p) + o + n \tag{target_relaxation}$$
    @m.Objective(doc="relaxation of targets, balances and totals [t]")
    def target_relaxation(m):
        sectors = sum(m.target_over[s] + m.target_under[s] for s in m.SECTORS)
        provinces = sum(m.balance_over[p] + m.balance_under[p] for p in m.PROVINCES)
        return sectors + provinces + sum(m.nation_over[k] + m.nation_under[k] for k in m.NATION)

    # The second keeps targets and totals, and relaxes bands and balances:
    #
    # $$\min \sum_s g_s \sum_{i \in s} E_i + \sum_p (x_p + y_p) \tag{band_relaxation}$$
    @m.Objective(doc="relaxation of bands, over all emissions, and of balances [t]")
    def band_relaxation(m):
        bands = sum(m.emissions[i] * m.band_widening[m.sector[i]] for i in m.UNITS)
        return bands + sum(m.balance_over[p] + m.balance_under[p] for p in m.PROVINCES)

    return m


def parameters(instance: Instance) -> dict[str, Any]:
    """Return arrays for the sets and parameters of `formulate`, with positions for labels and before any rounding."""
    instance = before_rounding(instance)
    limits = limits_of(instance)
    rows = limits.rows
    upper = bounds_with(limits, np.full(len(limits.free), limits.margin.units > 0))[1]
    # No total is further from a limit than all allowances plus the limit, which rounding may put above emissions.
    named = [f"{name}_{side}" for name in ("target", "balance", "nation") for side in ("least", "most")]
    give_most = float(np.sum(upper) + np.sum(limits.emissions) + sum(np.sum(np.abs(rows[name])) for name in named))
    found = {
        "UNITS": len(limits.free),
        "emissions": limits.emissions,
        "per_emission": 1 / limits.emissions,
        "BANDS": len(limits.all_sectors),
        "sector": limits.sector_of,
        "WITH_OWN_BAND": np.flatnonzero(limits.unit_band),
        "band_lower": limits.lower,
        "band_upper": limits.upper,
        "widening_lower": limits.margin.lower,
        "widening_upper": limits.margin.upper,
        "exceptions_most": limits.margin.units,
        "allowance_most": upper + limits.emissions,
        "give_most": give_most,
        **rows,
    }
    return writable(found)


def relaxed_parameters(parameters: Mapping[str, Any], by_t: float) -> dict[str, Any]:
    """Return the parameters of `allocation` with every limit in tonnes relaxed by `by_t`."""
    wider: dict[str, Any] = {}
    for least, most in IN_TONNES.values():
        wider |= {least: parameters[least] - by_t, most: parameters[most] + by_t}
    return {**parameters, **wider}


def tables(
    instance: Instance, solution: Mapping[str, Any], part: NDArray[np.int64] | None = None
) -> dict[str, pd.DataFrame]:
    """Return the tables ``relaxed_limits``, ``relaxed_units`` (an allocation within these) and ``duals``.

    Parameters
    ----------
    solution
        Solution of each relaxation that has one; its multipliers prove the tonnes.
    part
        Part of the aggregated program that each unit belongs to; None if every unit is its own part.
    """
    instance = before_rounding(instance)
    reference = reference_allowances(instance)
    limits = limits_of(instance)
    units = {"unit_id": instance.units["unit_id"].to_numpy(dtype=object)[limits.free]}
    lines = targets_alone(limits)
    for way, one in solution.items():
        widening = one.values["band_widening"]
        allowance, exceptional = of_units(limits, one.values, widening[limits.sector_of], part)
        units |= {f"{way}_allowance_t": allowance}
        if limits.margin.units:
            units[f"{way}_exceptional"] = exceptional & outside_band(limits, allowance, widening[limits.sector_of])
        lines += relaxed_lines(way, limits, allowance)
    if "band_relaxation" in solution:
        down, up = band_rates(instance, reference)
        sector = instance.units["sector"].to_numpy()
        widening = solution["band_relaxation"].values["band_widening"]
        for name, wider in zip(limits.all_sectors, widening, strict=True):
            in_sector = sector == name
            if wider > 1e-9:
                widest = float(max(down[in_sector].max(), up[in_sector].max()))
                lines.append(("band_relaxation", "band", name, float(wider), widest, widest + float(wider), "rate"))
    columns = ["way_out", "limit", "index", "by", "from", "to", "unit"]
    proof = [level for way in ("target_relaxation",) if way in solution for level in solution[way].levels]
    return {
        "relaxed_limits": pd.DataFrame(lines, columns=columns),
        "relaxed_units": pd.DataFrame(units),
        "duals": dual_table(instance, limits, proof),
    }


MODEL = ElasticModel(
    formulate=formulate, parameters=parameters, tables=tables, relaxed_parameters=relaxed_parameters, ways_out=WAYS_OUT
)
