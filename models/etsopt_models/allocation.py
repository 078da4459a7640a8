r"""Allocation inside a band (lexicographic linear program; mixed-integer with whole tonnes or exceptions).

The regulator starts from the reference allowances $R$ of a rule. It chooses allowances $A$ so that every surplus rate
stays in its band and every total meets its target, with the least change of the reference.

| symbol | meaning | unit | in the code |
| --- | --- | --- | --- |
| $i \in$ `UNITS` | adjustable units (not fixed at $A = E$); those with whole tonnes | | `UNITS`, `WHOLE` |
| $s, p, f$ | sectors with a target, provinces with a balance, enterprises with a band of their own | | `SECTORS`, `PROVINCES`, `ENTERPRISES` |
| $E_i, R_i, O_i$ | verified emissions; reference allowances; $E_i$ as the deficit counts it | tCO2e; t; t | `emissions`, `reference`, `obligation` |
| $A_i \in [\underline A_i, \overline A_i]$ | allowances; the bounds are the band where it applies to units, for exceptions the wider one | t | `allowance` |
| $z_i \in \mathbb{Z}$ | allowances in whole tonnes | t | `whole_allowance` |
| $e_i \in \{0, 1\}$ | 1 if the unit is an exception; at most $n$ units are | units | `exceptional`, `exceptions_most` |
| $[\underline B_i, \overline B_i]$; $\underline x_i, \overline x_i$ | band of the unit; margins by which an exception widens it | t | `band_lower`, `band_upper`; `widening_lower`, `widening_upper` |
| $u_i, v_i \ge 0$ | increase and decrease against the reference | t | `increase`, `decrease` |
| $w \ge 0$ | largest change against emissions | rate | `largest_rate` |
| $q_i \ge 0$ | deficit | t | `shortfall` |
| $a_i, b_i \ge 0$ | distance above and below the sector's target rate $\rho_s$ | t | `above`, `below` |
| $(1 + \rho_s) E_i$ | allowances at that rate: $1 + \rho_s = T_s / \sum_{i \in s} E_i$; without a target that of the sector's reference allowances, $\sum_{i \in s} R_i / \sum_{i \in s} E_i$ | t | `at_target_rate` |
| $\underline T_s, T_s$ | target of a sector; $\underline T_s = T_s$ if it is exact, else 0 | t | `target_least`, `target_most` |

A sector has a target if the policy states one, or if the rule balances sectors (plans of 2024, 2025 and 2026). Under
such a rule the target is the sector's emissions unless the policy states another. Any other sector, and one with
`target_sense = "none"`, has no row, no target and no shadow price. A band may be wider than all emissions;
$\underline A_i$ is never below zero. Where neither rule nor policy states a band,
$0 \le A_i \le 100 \max(E_i, R_i)$: a proof needs a bound, and this one moves no reference. A unit without emissions gets
what its rule says, and is no unit of the program.

**Limits that couple the units.**

$$\underline T_s \le \sum_{i \in s} A_i \le T_s \tag{sector_target}$$
$$-\beta_p E_p \le \sum_{i \in p} (A_i - E_i) \le \beta_p E_p \tag{province_balance}$$
$$\underline N \le \sum_i A_i + A^{fixed} \le N \tag{national_total}$$
$$\underline A_f \le \sum_{i \in f} A_i \le \overline A_f \tag{enterprise_band}$$
$$A_i / E_i \ge A_j / E_j \quad \text{for neighbours } I_i < I_j \text{ of a sector} \tag{intensity_order}$$
$$A_i / E_i = A_j / E_j \quad \text{for neighbours } I_i = I_j \text{ of a sector} \tag{equal_rates}$$

**Whole tonnes**, if the policy asks for them:

$$A_i = z_i \tag{whole_tonnes}$$

**Exceptions**, if the policy allows them. An exception in an enterprise with a band of its own widens that band:

$$A_i + \underline x_i e_i \ge \underline B_i, \quad A_i - \overline x_i e_i \le \overline B_i
  \tag{band_least, band_most}$$
$$\sum_{i \in f} (A_i + \underline x_i e_i) \ge \underline A_f, \quad
  \sum_{i \in f} (A_i - \overline x_i e_i) \le \overline A_f \tag{enterprise_least, enterprise_most}$$
$$\sum_i e_i \le n \tag{exceptions_limit}$$

**Quantities that the objectives measure.**

$$A_i = R_i + u_i - v_i \tag{change_from_reference}$$
$$u_i + v_i \le E_i\, w \tag{largest_change_covers}$$
$$A_i + q_i \ge O_i \tag{shortfall_covers}$$
$$A_i - a_i + b_i = (1 + \rho_s) E_i \tag{distance_from_target_rate}$$

**Objectives in lexicographic order.** The first three choose the exceptions: the fewest units, then the units with the
most emissions in whole tonnes $\hat E_i$, then the first by `unit_id`, where $k_i$ is the place of a unit. The
objectives of the policy follow in its order, over allocations with these exceptions. The last, a tie-break, leaves one
answer only:

$$\min \sum_i e_i \tag{exceptions}$$
$$\min \sum_i (\max_j \hat E_j - \hat E_i)\, e_i \tag{exception_size}$$
$$\min \sum_i k_i e_i \tag{exception_order}$$
$$\min \sum_i (u_i + v_i) \tag{change}$$
$$\min w \tag{largest_change}$$
$$\min \sum_i q_i \tag{deficit}$$
$$\min \sum_i (a_i + b_i) \Big/ \sum_i E_i \tag{spread}$$
$$\min \sum_i (A_i - R_i)^2 / E_i \tag{least_squares}$$

**Duals.** The dual of a row is the change of the objective per tonne added to the row's right-hand side. For
`sector_target` it is minus the tonnes of change (or minus the rate) that a target one tonne tighter would cost: zero or
negative where the target is an upper limit. It is no price in CNY. `spread` weights units by emissions, so that it
does not change if a unit is split in two. With sector rows alone the tie-break gives
$A_i = \mathrm{clip}(R_i + \lambda_s E_i)$.

**Integrality.** With whole tonnes, limits are rounded inward before the solve, an exact target that is not whole to the
tonne below, and $R_i$, $O_i$ and $(1 + \rho_s) E_i$ to the nearest tonne. The rows of sectors, provinces and the nation
then form a network with integer limits, and every objective has its kinks at integers. So all vertices of the linear
relaxation are integer, and its multipliers prove the objectives. `largest_change` alone has kinks elsewhere: the
multipliers of its rows prove that no smaller rate leaves integers inside it.

**Whole tonnes in the order of intensity.** The order applies to rates before rounding; whole tonnes cannot keep it. So
the objectives are solved and proven for real allowances $A^*$, exactly in the order. Then the program is solved again
for whole tonnes, with every limit in tonnes rounded inward, without `intensity_order` and `equal_rates`, and with $A^*$
to the kilogram for $R$. Its one objective is the least sum of squared moves:

$$\min \sum_i (A_i - A^*_i)^2 \tag{rounding}$$

With a single total this is the largest-remainder method. Its multipliers prove that no whole tonnes are nearer; where
enterprises do not nest in the other totals, they may prove less.

**Aggregation, for very many units.** Coupling rows distinguish units by sector, province and enterprise only. Units
that agree in all of these form a *cell* $c$, which is one unit of the formulation. Let the earlier objectives leave the
intervals $[l_i, u_i]$. An objective $\sum_i \phi(A_i - K_i)$ with one kink and one slope on each side of it, such as
`change`, then costs a cell at least

$$\min \Bigl\{ \sum_{i \in c} \phi(A_i - K_i) : \sum_{i \in c} A_i = A_c \Bigr\}
  = \sum_{i \in c} \phi(B_i - K_i) + \phi\Bigl(A_c - \sum_{i \in c} B_i\Bigr), \quad B_i = \mathrm{clip}(K_i, l_i, u_i).$$

For `largest_change`, units are aggregated by cell and by which of their ends bind at a rate, and again at the least
rate that follows, until the rate stops rising. The duals of the rows leave every unit an interval, and the tie-break is
solved for all units. The method is exact, and its multipliers are those of all units' rows. It supports neither
`intensity_order` nor bands over several units (`_methods/allocation_aggregation.py`).

References: the 2026 plan (consultation draft of 27 July 2026) for bands and rounding; the lower band limit is rounded
down where the rule rounds down. Ogryczak and Sliwinski (2003) for lexicographic minimax; Hoffman and Kruskal (1956) for
integer vertices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo

from etsopt.modelling import ProgramModel
from etsopt.rules import reference_allowances
from etsopt.units import RELATIVE_TOLERANCE, ROUNDING_NOISE_T
from etsopt_models._allocation.exceptions import bounds_with, exception_rows
from etsopt_models._allocation.integer import nearest
from etsopt_models._allocation.limits import fixed_allowances, limits_of
from etsopt_models._allocation.rounding import before_rounding, nearest_to, to_round
from etsopt_models._allocation.tables import allocation_tables

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


EXCEPTION_LEVELS = ("exceptions", "exception_size", "exception_order")


def formulate() -> pyo.AbstractModel:  # long because it is the whole formulation on one screen
    """Return the program without data."""
    m = pyo.AbstractModel("allocation")
    m.UNITS = pyo.Set(doc="adjustable units")
    m.SECTORS, m.PROVINCES, m.ENTERPRISES, m.NATION = pyo.Set(), pyo.Set(), pyo.Set(), pyo.Set()
    m.UNITS_IN_SECTOR = pyo.Set(m.SECTORS, within=m.UNITS)
    m.UNITS_IN_PROVINCE = pyo.Set(m.PROVINCES, within=m.UNITS)
    m.UNITS_OF_ENTERPRISE = pyo.Set(m.ENTERPRISES, within=m.UNITS)
    m.LINKS, m.EQUAL_LINKS = pyo.Set(), pyo.Set()
    # All units or none: those with whole tonnes, those that may be exceptions, and of these those with a band of their
    # own. Enterprises are in BANDED without exceptions, else in WIDENED. LIMITED has one member or none.
    m.WHOLE, m.MAY_BE_EXCEPTIONAL, m.WITH_OWN_BAND = (pyo.Set(within=m.UNITS) for _ in range(3))
    m.BANDED, m.WIDENED = pyo.Set(within=m.ENTERPRISES), pyo.Set(within=m.ENTERPRISES)
    m.LIMITED = pyo.Set()
    # An objective that the policy does not name needs no columns and rows: its set is empty.
    m.CHANGED, m.WORST, m.SHORT, m.SPREAD, m.ROUNDED = (pyo.Set(within=m.UNITS) for _ in range(5))

    m.emissions, m.per_emission, m.reference, m.obligation = (pyo.Param(m.UNITS) for _ in range(4))
    m.lower, m.upper, m.at_target_rate = pyo.Param(m.UNITS), pyo.Param(m.UNITS), pyo.Param(m.UNITS)
    m.increase_most, m.decrease_most = pyo.Param(m.UNITS), pyo.Param(m.UNITS)
    m.largest_rate_most, m.per_total_emissions = pyo.Param(), pyo.Param()
    m.target_least, m.target_most = pyo.Param(m.SECTORS), pyo.Param(m.SECTORS)
    m.balance_least, m.balance_most = pyo.Param(m.PROVINCES), pyo.Param(m.PROVINCES)
    m.nation_least, m.nation_most = pyo.Param(m.NATION), pyo.Param(m.NATION)
    m.enterprise_lower, m.enterprise_upper = pyo.Param(m.ENTERPRISES), pyo.Param(m.ENTERPRISES)
    m.better, m.worse = pyo.Param(m.LINKS), pyo.Param(m.LINKS)
    m.one, m.other = pyo.Param(m.EQUAL_LINKS), pyo.Param(m.EQUAL_LINKS)
    m.band_lower, m.band_upper, m.widening_lower, m.widening_upper = (pyo.Param(m.UNITS) for _ in range(4))
    m.exceptions_most, m.smaller, m.place = pyo.Param(), pyo.Param(m.UNITS), pyo.Param(m.UNITS)

    m.allowance = pyo.Var(m.UNITS, bounds=lambda m, i: (m.lower[i], m.upper[i]), doc="allowances [t]")
    m.increase = pyo.Var(m.CHANGED, bounds=lambda m, i: (0, m.increase_most[i]), doc="above the reference [t]")
    m.decrease = pyo.Var(m.CHANGED, bounds=lambda m, i: (0, m.decrease_most[i]), doc="below the reference [t]")
    m.largest_rate = pyo.Var(bounds=lambda m: (0, m.largest_rate_most), doc="largest change against emissions [rate]")
    m.shortfall = pyo.Var(m.SHORT, bounds=lambda m, i: (0, m.obligation[i]), doc="deficit [t]")
    m.above = pyo.Var(m.SPREAD, bounds=lambda m, i: (0, m.upper[i]), doc="above the target rate [t]")
    m.below = pyo.Var(m.SPREAD, bounds=lambda m, i: (0, m.at_target_rate[i]), doc="below the target rate [t]")

    m.whole_allowance = pyo.Var(
        m.WHOLE, domain=pyo.Integers, bounds=lambda m, i: (m.lower[i], m.upper[i]), doc="allowances, whole [t]"
    )
    m.exceptional = pyo.Var(m.MAY_BE_EXCEPTIONAL, domain=pyo.Binary, doc="1 if the unit is an exception [units]")

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

    @m.Constraint(m.BANDED, doc="the enterprise stays inside its band [t]")
    def enterprise_band(m, f):
        total = sum(m.allowance[i] for i in m.UNITS_OF_ENTERPRISE[f])
        return (m.enterprise_lower[f], total, m.enterprise_upper[f])

    @m.Constraint(m.LINKS, doc="a lower intensity never gets a lower surplus rate [rate]")
    def intensity_order(m, j):
        better = m.per_emission[m.better[j]] * m.allowance[m.better[j]]
        return better - m.per_emission[m.worse[j]] * m.allowance[m.worse[j]] >= 0

    @m.Constraint(m.EQUAL_LINKS, doc="equal intensities get equal surplus rates [rate]")
    def equal_rates(m, j):
        one = m.per_emission[m.one[j]] * m.allowance[m.one[j]]
        return one - m.per_emission[m.other[j]] * m.allowance[m.other[j]] == 0

    @m.Constraint(m.WHOLE, doc="the allowance is a whole number [t]")
    def whole_tonnes(m, i):
        return m.allowance[i] - m.whole_allowance[i] == 0

    @m.Constraint(m.WITH_OWN_BAND, doc="only an exception is below its band [t]")
    def band_least(m, i):
        return m.allowance[i] + m.widening_lower[i] * m.exceptional[i] >= m.band_lower[i]

    @m.Constraint(m.WITH_OWN_BAND, doc="only an exception is above its band [t]")
    def band_most(m, i):
        return m.allowance[i] - m.widening_upper[i] * m.exceptional[i] <= m.band_upper[i]

    @m.Constraint(m.WIDENED, doc="only with exceptions is the enterprise below its band [t]")
    def enterprise_least(m, f):
        wider = sum(m.allowance[i] + m.widening_lower[i] * m.exceptional[i] for i in m.UNITS_OF_ENTERPRISE[f])
        return wider >= m.enterprise_lower[f]

    @m.Constraint(m.WIDENED, doc="only with exceptions is the enterprise above its band [t]")
    def enterprise_most(m, f):
        wider = sum(m.allowance[i] - m.widening_upper[i] * m.exceptional[i] for i in m.UNITS_OF_ENTERPRISE[f])
        return wider <= m.enterprise_upper[f]

    @m.Constraint(m.LIMITED, doc="no more exceptions than are allowed [units]")
    def exceptions_limit(m, k):
        return sum(m.exceptional[i] for i in m.MAY_BE_EXCEPTIONAL) <= m.exceptions_most

    @m.Constraint(m.CHANGED, doc="increase and decrease measure the change [t]")
    def change_from_reference(m, i):
        return m.allowance[i] - m.increase[i] + m.decrease[i] == m.reference[i]

    @m.Constraint(m.WORST, doc="no change exceeds the largest rate [t]")
    def largest_change_covers(m, i):
        return m.increase[i] + m.decrease[i] - m.emissions[i] * m.largest_rate <= 0

    @m.Constraint(m.SHORT, doc="the shortfall covers the deficit [t]")
    def shortfall_covers(m, i):
        return m.allowance[i] + m.shortfall[i] >= m.obligation[i]

    @m.Constraint(m.SPREAD, doc="above and below measure the distance from the target rate [t]")
    def distance_from_target_rate(m, i):
        return m.allowance[i] - m.above[i] + m.below[i] == m.at_target_rate[i]

    @m.Objective(doc="number of exceptions [units]")
    def exceptions(m):
        return sum(m.exceptional[i] for i in m.MAY_BE_EXCEPTIONAL)

    @m.Objective(doc="by how much exceptions are smaller than the largest unit [t]")
    def exception_size(m):
        return sum(m.smaller[i] * m.exceptional[i] for i in m.MAY_BE_EXCEPTIONAL)

    @m.Objective(doc="sum of the places of exceptions in the order of unit_id [places]")
    def exception_order(m):
        return sum(m.place[i] * m.exceptional[i] for i in m.MAY_BE_EXCEPTIONAL)

    @m.Objective(doc="sum of changes against the reference [t]")
    def change(m):
        return sum(m.increase[i] + m.decrease[i] for i in m.CHANGED)

    @m.Objective(doc="largest change against emissions [rate]")
    def largest_change(m):
        return m.largest_rate

    @m.Objective(doc="sum of deficits [t]")
    def deficit(m):
        return sum(m.shortfall[i] for i in m.SHORT)

    @m.Objective(doc="mean absolute deviation of the surplus rates from the target rate [rate]")
    def spread(m):
        return sum(m.per_total_emissions * (m.above[i] + m.below[i]) for i in m.SPREAD)

    @m.Objective(doc="sum of squared changes over emissions [t]")
    def least_squares(m):
        return sum(m.per_emission[i] * (m.allowance[i] - m.reference[i]) ** 2 for i in m.UNITS)

    @m.Objective(doc="sum of squared moves to whole tonnes [t²]")
    def rounding(m):
        return sum((m.allowance[i] - m.reference[i]) ** 2 for i in m.ROUNDED)

    return m


def objectives(instance: Instance) -> list[str]:
    """Return the objectives in lexicographic order: exceptions, those of the policy, and the tie-break."""
    allocation = instance.policy.allocation
    first = EXCEPTION_LEVELS if allocation.exceptions.units else ()
    return [*first, *allocation.objectives, "least_squares"]


def parameters(instance: Instance) -> dict[str, Any]:
    """Return arrays for the sets and parameters of `formulate`, with positions for labels and before any rounding."""
    instance = before_rounding(instance)
    limits = limits_of(instance, reference_allowances(instance))
    all_units, no_units = np.arange(len(limits.free)), np.arange(0)
    emissions, sizes = limits.emissions, nearest(limits.emissions)
    # The widest range of an allowance: that of an exception.
    lower, upper = bounds_with(limits, np.full(len(limits.free), limits.margin.units > 0))
    least, most = np.minimum(lower, limits.reference), np.maximum(upper, limits.reference)
    # Room beyond a reference at the edge of its band is rounding, hence none; for a unit of a few grams the noise is
    # smaller.
    noise = np.minimum(ROUNDING_NOISE_T, RELATIVE_TOLERANCE * most)
    increase, decrease = (
        np.where(room > noise, room, 0.0) for room in (most - limits.reference, limits.reference - least)
    )
    enterprises = len(limits.enterprises)
    return {
        "UNITS": len(limits.free),
        **_measured(instance, len(limits.free)),
        "WHOLE": all_units if instance.policy.allocation.integer_allowances else no_units,
        "BANDED": np.arange(0 if limits.margin.units else enterprises),
        "emissions": emissions,
        "per_emission": 1 / emissions,
        "reference": limits.reference,
        "obligation": limits.obligation,
        "lower": lower,
        "upper": upper,
        "increase_most": increase,
        "decrease_most": decrease,
        "largest_rate_most": float(np.max((most - least) / emissions, initial=0.0)),
        "at_target_rate": limits.at_target_rate,
        "per_total_emissions": 1 / float(emissions.sum()) if len(limits.free) else 0.0,
        "smaller": np.max(sizes, initial=0.0) - sizes,
        "place": all_units + 1.0,
        **limits.rows,
        **exception_rows(limits),
    }


def _measured(instance: Instance, units: int) -> dict[str, Any]:
    """Return the units that each objective measures: all if the policy names it, else none."""
    named = set(instance.policy.allocation.objectives)
    all_units, no_units = np.arange(units), np.arange(0)
    return {
        "CHANGED": all_units if named & {"change", "largest_change"} else no_units,
        "WORST": all_units if "largest_change" in named else no_units,
        "SHORT": all_units if "deficit" in named else no_units,
        "SPREAD": all_units if "spread" in named else no_units,
        "ROUNDED": no_units,
    }


def second_program(instance: Instance, solution: Any) -> tuple[Instance, dict[str, Any], list[str]] | None:
    """Return limits, parameters and objectives of rounding to whole tonnes; None if nothing is rounded."""
    if not instance.policy.allocation.rounds:
        return None
    rounded = to_round(instance)
    return rounded, parameters(rounded) | nearest_to(solution.values["allowance"]), ["rounding"]


def answer(instance: Instance, solution: Any) -> NDArray[np.float64]:
    """Return the allowances of every unit, those of fixed units by the rule, shape ``(units,)`` [t]."""
    reference = reference_allowances(instance)
    allowance = fixed_allowances(instance, reference).copy()
    allowance[~reference.fixed] = solution.values["allowance"]
    return allowance


def tables(instance: Instance, solution: Any) -> dict[str, pd.DataFrame]:
    """Return the tables ``allocation``, ``enterprises``, ``sectors``, ``provinces`` and ``duals``."""
    allowance, exceptional = solution.values["allowance"], solution.values["exceptional"]
    real = None
    if instance.policy.allocation.rounds:
        real = (solution.before or solution).values["allowance"]
    if real is allowance:
        # The solve stopped before rounding: the allowances are real.
        instance = before_rounding(instance)
    if instance.policy.allocation.integer_allowances:
        # The solver's integers differ from whole tonnes by its rounding alone, which the checker verifies.
        allowance = np.round(allowance)
    chosen = exceptional > 0.5 if len(exceptional) else np.zeros(len(allowance), dtype=bool)
    return allocation_tables(instance, allowance, solution.levels, chosen, real)


MODEL = ProgramModel(
    formulate=formulate,
    parameters=parameters,
    objectives=objectives,
    tables=tables,
    second_program=second_program,
    answer=answer,
    # The objectives after those of exceptions are over allocations with these values.
    fix_after={"exception_order": ("exceptional",)},
    reads=("year", "rule", "!rule.carry_over_*", "sectors", "provinces.balance", "national", "allocation"),
)
