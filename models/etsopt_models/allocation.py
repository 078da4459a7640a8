r"""Allocation of allowances inside a band (linear program, lexicographic).

The regulator starts from the reference allowances $R$ of a rule and chooses allowances $A$ so that every surplus rate
stays in its band and every total meets its target, changing the rule's answer as little as possible.

| symbol | meaning | unit | in the code |
| --- | --- | --- | --- |
| $i \in$ `UNITS` | allocation units that are not fixed at $A = E$ | | |
| $s, p, f$ | sectors, provinces with a balance, enterprises with a band of their own | | `SECTORS`, `PROVINCES`, `ENTERPRISES` |
| $E_i, R_i$ | verified emissions; reference allowances | tCO2e; t | `emissions`, `reference` |
| $A_i \in [\underline A_i, \overline A_i]$ | allowances; the bounds are the band where it stands on units | t | `allowance` |
| $u_i, v_i \ge 0$ | increase and decrease against the reference | t | `increase`, `decrease` |
| $w \ge 0$ | largest change against emissions | rate | `worst_rate` |
| $q_i \ge 0$ | deficit | t | `shortfall` |
| $a_i, b_i \ge 0$ | distance above and below the sector's target rate $\rho_s$ | t | `above`, `below` |
| $\underline T_s, T_s$ | target of a sector; $\underline T_s = T_s$ where it is exact, else 0 | t | `target_least`, `target_most` |

Limits that couple the units:

$$\underline T_s \le \sum_{i \in s} A_i \le T_s \tag{sector_target}$$
$$-\beta_p E_p \le \sum_{i \in p} (A_i - E_i) \le \beta_p E_p \tag{province_balance}$$
$$\underline N \le \sum_i A_i + A^{fixed} \le N \tag{national_total}$$
$$\underline A_f \le \sum_{i \in f} A_i \le \overline A_f \tag{enterprise_band}$$
$$A_i / E_i \ge A_j / E_j \quad \text{for neighbours } I_i < I_j \text{ of a sector} \tag{fair_order}$$
$$A_i / E_i = A_j / E_j \quad \text{for neighbours } I_i = I_j \text{ of a sector} \tag{equal_rates}$$

What the levels measure:

$$A_i = R_i + u_i - v_i \tag{change_from_reference}$$
$$u_i + v_i \le E_i\, w \tag{worst_covers}$$
$$A_i + q_i \ge E_i \tag{shortfall_covers}$$
$$A_i - a_i + b_i = (1 + \rho_s) E_i \tag{distance_from_target_rate}$$

The levels, minimised in the order that the policy names them, each held before the next; and the last step, which
leaves one answer only:

$$\min \sum_i (u_i + v_i) \tag{change}$$
$$\min w \tag{worst}$$
$$\min \sum_i q_i \tag{deficit}$$
$$\min \sum_i (a_i + b_i) \Big/ \sum_i E_i \tag{spread}$$
$$\min \sum_i (A_i - R_i)^2 / E_i \tag{closest}$$

The dual of a row is what one more tonne on its right-hand side adds to the level: for `sector_target` it is minus the
tonnes of change (or minus the rate) that a target one tonne tighter would cost, so it is zero or negative where the
target is a limit from above. It is no price in CNY. `spread` weighs units by emissions, so that a unit cut in two
counts as before. Only sector rows: the last step is $A_i = \mathrm{clip}(R_i + \lambda_s E_i)$.

References: the 2026 plan (consultation draft of 27 July 2026) for bands and rounding; Ogryczak and Sliwinski (2003)
for lexicographic minimax; the lower band limit is rounded down where the rule rounds down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo

from etsopt.rules import reference_allowances
from etsopt.units import ROUNDING_NOISE_T
from etsopt_models._parts.allocation_tables import allocation_tables
from etsopt_models._parts.limits import limits

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.instance import Instance

CHECKED_AS = "allocation"
"""The checker holds the tables to the instance."""


def formulate() -> pyo.AbstractModel:  # long because it is the whole formulation on one screen
    """The mathematics of this file, without data."""
    m = pyo.AbstractModel("allocation")
    m.UNITS = pyo.Set(doc="units that are not fixed")
    m.SECTORS, m.PROVINCES, m.ENTERPRISES, m.NATION = pyo.Set(), pyo.Set(), pyo.Set(), pyo.Set()
    m.UNITS_IN_SECTOR = pyo.Set(m.SECTORS, within=m.UNITS)
    m.UNITS_IN_PROVINCE = pyo.Set(m.PROVINCES, within=m.UNITS)
    m.UNITS_OF_ENTERPRISE = pyo.Set(m.ENTERPRISES, within=m.UNITS)
    m.LINKS, m.EQUAL_LINKS = pyo.Set(), pyo.Set()
    # A level that the policy does not name needs no columns and rows: its set is empty.
    m.CHANGED, m.WORST, m.SHORT, m.SPREAD = (pyo.Set(within=m.UNITS) for _ in range(4))

    m.emissions, m.per_emission, m.reference = pyo.Param(m.UNITS), pyo.Param(m.UNITS), pyo.Param(m.UNITS)
    m.lower, m.upper, m.at_target_rate = pyo.Param(m.UNITS), pyo.Param(m.UNITS), pyo.Param(m.UNITS)
    m.increase_most, m.decrease_most = pyo.Param(m.UNITS), pyo.Param(m.UNITS)
    m.worst_most, m.per_total_emissions = pyo.Param(), pyo.Param()
    m.target_least, m.target_most = pyo.Param(m.SECTORS), pyo.Param(m.SECTORS)
    m.balance_least, m.balance_most = pyo.Param(m.PROVINCES), pyo.Param(m.PROVINCES)
    m.nation_least, m.nation_most = pyo.Param(m.NATION), pyo.Param(m.NATION)
    m.enterprise_least, m.enterprise_most = pyo.Param(m.ENTERPRISES), pyo.Param(m.ENTERPRISES)
    m.better, m.worse = pyo.Param(m.LINKS), pyo.Param(m.LINKS)
    m.one, m.other = pyo.Param(m.EQUAL_LINKS), pyo.Param(m.EQUAL_LINKS)

    m.allowance = pyo.Var(m.UNITS, bounds=lambda m, i: (m.lower[i], m.upper[i]), doc="allowances [t]")
    m.increase = pyo.Var(m.CHANGED, bounds=lambda m, i: (0, m.increase_most[i]), doc="above the reference [t]")
    m.decrease = pyo.Var(m.CHANGED, bounds=lambda m, i: (0, m.decrease_most[i]), doc="below the reference [t]")
    m.worst_rate = pyo.Var(bounds=lambda m: (0, m.worst_most), doc="largest change against emissions [rate]")
    m.shortfall = pyo.Var(m.SHORT, bounds=lambda m, i: (0, m.emissions[i]), doc="deficit [t]")
    m.above = pyo.Var(m.SPREAD, bounds=lambda m, i: (0, m.upper[i]), doc="above the target rate [t]")
    m.below = pyo.Var(m.SPREAD, bounds=lambda m, i: (0, m.at_target_rate[i]), doc="below the target rate [t]")

    @m.Constraint(m.SECTORS, doc="the sector meets its target [t]")
    def sector_target(m, s):
        return (m.target_least[s], sum(m.allowance[i] for i in m.UNITS_IN_SECTOR[s]), m.target_most[s])

    @m.Constraint(m.PROVINCES, doc="surpluses and deficits of a province nearly cancel [t]")
    def province_balance(m, p):
        total = sum(m.allowance[i] for i in m.UNITS_IN_PROVINCE[p])
        return (m.balance_least[p], total, m.balance_most[p])

    @m.Constraint(m.NATION, doc="all allowances together meet the national total [t]")
    def national_total(m, k):
        return (m.nation_least[k], sum(m.allowance[i] for i in m.UNITS), m.nation_most[k])

    @m.Constraint(m.ENTERPRISES, doc="the enterprise stays inside its band [t]")
    def enterprise_band(m, f):
        total = sum(m.allowance[i] for i in m.UNITS_OF_ENTERPRISE[f])
        return (m.enterprise_least[f], total, m.enterprise_most[f])

    @m.Constraint(m.LINKS, doc="a lower intensity never gets a lower surplus rate [rate]")
    def fair_order(m, j):
        better = m.per_emission[m.better[j]] * m.allowance[m.better[j]]
        return better - m.per_emission[m.worse[j]] * m.allowance[m.worse[j]] >= 0

    @m.Constraint(m.EQUAL_LINKS, doc="equal intensities get equal surplus rates [rate]")
    def equal_rates(m, j):
        one = m.per_emission[m.one[j]] * m.allowance[m.one[j]]
        return one - m.per_emission[m.other[j]] * m.allowance[m.other[j]] == 0

    @m.Constraint(m.CHANGED, doc="increase and decrease measure the change [t]")
    def change_from_reference(m, i):
        return m.allowance[i] - m.increase[i] + m.decrease[i] == m.reference[i]

    @m.Constraint(m.WORST, doc="no change exceeds the worst rate [t]")
    def worst_covers(m, i):
        return m.increase[i] + m.decrease[i] - m.emissions[i] * m.worst_rate <= 0

    @m.Constraint(m.SHORT, doc="the shortfall covers the deficit [t]")
    def shortfall_covers(m, i):
        return m.allowance[i] + m.shortfall[i] >= m.emissions[i]

    @m.Constraint(m.SPREAD, doc="above and below measure the distance from the target rate [t]")
    def distance_from_target_rate(m, i):
        return m.allowance[i] - m.above[i] + m.below[i] == m.at_target_rate[i]

    @m.Objective(doc="sum of changes against the reference [t]")
    def change(m):
        return sum(m.increase[i] + m.decrease[i] for i in m.CHANGED)

    @m.Objective(doc="largest change against emissions [rate]")
    def worst(m):
        return m.worst_rate

    @m.Objective(doc="sum of deficits [t]")
    def deficit(m):
        return sum(m.shortfall[i] for i in m.SHORT)

    @m.Objective(doc="mean absolute deviation of the surplus rates from the target rate [rate]")
    def spread(m):
        return sum(m.per_total_emissions * (m.above[i] + m.below[i]) for i in m.SPREAD)

    @m.Objective(doc="sum of squared changes over emissions [t]")
    def closest(m):
        return sum(m.per_emission[i] * (m.allowance[i] - m.reference[i]) ** 2 for i in m.UNITS)

    return m


def levels(instance: Instance) -> list[str]:
    """Objectives in lexicographic order: those of the policy, then the one that leaves a single answer."""
    return [*instance.policy.allocation.objectives, "closest"]


def parameters(instance: Instance) -> dict[str, Any]:
    """Arrays for the sets and parameters of `formulate`, positions instead of labels."""
    data = limits(instance, reference_allowances(instance))
    named = set(instance.policy.allocation.objectives)
    everyone, nobody = np.arange(len(data.free)), np.arange(0)
    emissions = data.emissions
    least, most = np.minimum(data.lower, data.reference), np.maximum(data.upper, data.reference)
    # A reference on the edge of its band leaves a room of rounding beyond it, which is none.
    increase, decrease = (
        np.where(room > ROUNDING_NOISE_T, room, 0.0) for room in (most - data.reference, data.reference - least)
    )
    return {
        "UNITS": len(data.free),
        "CHANGED": everyone if named & {"change", "worst"} else nobody,
        "WORST": everyone if "worst" in named else nobody,
        "SHORT": everyone if "deficit" in named else nobody,
        "SPREAD": everyone if "spread" in named else nobody,
        "emissions": emissions,
        "per_emission": 1 / emissions,
        "reference": data.reference,
        "lower": data.lower,
        "upper": data.upper,
        "increase_most": increase,
        "decrease_most": decrease,
        "worst_most": float(np.max((most - least) / emissions, initial=0.0)),
        "at_target_rate": data.at_target_rate,
        "per_total_emissions": 1 / float(emissions.sum()) if len(data.free) else 0.0,
        **data.rows,
    }


def tables(instance: Instance, solution: Any) -> dict[str, pd.DataFrame]:
    """Result tables: ``allocation``, ``enterprises``, ``sectors``, ``provinces``, ``duals``."""
    return allocation_tables(instance, solution.values["allowance"], solution.levels)
