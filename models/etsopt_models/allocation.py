r"""Allocation inside a band (lexicographic linear program; mixed-integer with whole tonnes or exceptions).

The regulator starts from the reference allowances $R$ of a rule. It chooses allowances $A$ so that every surplus rate
stays in its band and every total meets its target, with the least change of the reference.

.. formulation:: formulate

**Targets and bounds.** A sector has a target if the policy states one, or if the rule balances sectors (plans of 2024,
2025 and 2026). Under such a rule the target is the sector's emissions unless the policy states another. Any other
sector, and one with `target_sense = "none"`, has no row, no target and no shadow price. A band may be wider than all
emissions; $\underline A_i$ is never below zero. Where neither rule nor policy states a band,
$0 \le A_i \le 100 \max(E_i, R_i)$: a proof needs a bound, and this one moves no reference. A unit without emissions gets
what its rule says, and is no unit of the program.

**Duals.** The dual of a row is the change of the objective per tonne added to the row's right-hand side. For
`sector_target` it is minus the tonnes of change (or minus the rate) that a target one tonne tighter would cost: zero or
negative where the target is an upper limit. It is no price in CNY. `spread` weights units by emissions, so that it
does not change if a unit is split in two. With sector rows alone the tie-break gives
$A_i = \mathrm{clip}(R_i + \lambda_s E_i)$.

**Tie-breaks.** Each is a sum of squares $(A_i - C_i)^2 / W_i$, so that with a sum $\mu_i$ of the duals of its rows a unit
gets $\mathrm{clip}(C_i + \tfrac12 W_i \mu_i)$. The weight is the rule: with $W = E$ rates of units move alike, from the
reference (`least_squares`) or from the rate of the sector's target (`equal_rates`, which rewards no low intensity); with
$W = R$ allowances are in proportion to the reference (`proportional`); with one weight for all each unit loses the same
tonnes (`equal_losses`, which falls on small units until their band holds them, and changes if a unit is split). A
reference below a thousandth of emissions counts as that in $W$: such a unit, with $R_i = 0$ too, hardly moves.

**Integrality.** With whole tonnes, limits are rounded inward before the solve, an exact target that is not whole to the
tonne below, and $R_i$, $O_i$ and $(1 + \rho_s) E_i$ to the nearest tonne. The rows of sectors, provinces and the nation
then form a network with integer limits, and every objective has its kinks at integers. So all vertices of the linear
relaxation are integer, and its multipliers prove the objectives. `largest_change` alone has kinks elsewhere: the
multipliers of its rows prove that no smaller rate leaves integers inside it.

**Whole tonnes in the order of intensity.** The order applies to rates before rounding; whole tonnes cannot keep it. So
the objectives are solved and proven for real allowances $A^*$, exactly in the order. Then the program is solved again
for whole tonnes, with every limit in tonnes rounded inward, without `intensity_order` and `equal_rates`, and with $A^*$
to the kilogram for $R$. Its one objective, `rounding`, is the least sum of squared moves. With a single total this is
the largest-remainder method. Its multipliers prove that no whole tonnes are nearer; where enterprises do not nest in the
other totals, they may prove less.

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

from etsopt.common.units import LEAST_REFERENCE_SHARE, RELATIVE_TOLERANCE, ROUNDING_NOISE_T
from etsopt.modelling import ProgramModel
from etsopt.rules import reference_allowances
from etsopt_models._allocation.coupling import SQUARES, before_rounding, nearest_to, to_round
from etsopt_models._allocation.limits import bounds_with, exception_rows, fixed_allowances, limits_of, nearest, writable
from etsopt_models._allocation.tables import UnitNumbers, allocation_tables, claim_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


EXCEPTION_LEVELS = ("exceptions", "exception_size", "exception_order")


def formulate() -> pyo.AbstractModel:  # long because a symbol and an equation each have their line
    r"""Return the program without data.

    | symbol | meaning | unit | in the code |
    | --- | --- | --- | --- |
    | $i \in$ `UNITS` | adjustable units (not fixed at $A = E$); those with whole tonnes, those that may be exceptions, and of these those with a band of their own | | `UNITS`, `WHOLE`, `MAY_BE_EXCEPTIONAL`, `WITH_OWN_BAND` |
    | $s, p, f$ | sectors with a target, provinces with a balance, enterprises with a band of their own | | `SECTORS`, `PROVINCES`, `ENTERPRISES` |
    | $E_i, R_i, O_i$ | verified emissions; reference allowances; $E_i$ as the deficit counts it | tCO2e; t; t | `emissions`, `reference`, `obligation` |
    | $1 / E_i$; $1 / \sum_i E_i$ | | 1/tCO2e | `per_emission`; `per_total_emissions` |
    | $1 / \max(R_i, E_i / 1000)$; $1 / \bar E$ | one over the reference, or over what a reference of less counts as; one over the mean emissions of the units | 1/t; 1/tCO2e | `per_reference`; `per_mean_emissions` |
    | $A_i \in [\underline A_i, \overline A_i]$ | allowances; the bounds are the band where it applies to units, for exceptions the wider one | t | `allowance`; `lower`, `upper` |
    | $z_i \in \mathbb{Z}$ | allowances in whole tonnes | t | `whole_allowance` |
    | $e_i \in \{0, 1\}$ | 1 if the unit is an exception; at most $n$ units are | units | `exceptional`, `exceptions_most` |
    | $[\underline B_i, \overline B_i]$; $\underline x_i, \overline x_i$ | band of the unit; margins by which an exception widens it | t | `band_lower`, `band_upper`; `widening_lower`, `widening_upper` |
    | $\max_j \hat E_j - \hat E_i$; $k_i$ | by how much the unit is smaller than the largest, in whole tonnes; its place in the order of `unit_id` | t; places | `size_gap`; `place` |
    | $u_i, v_i \ge 0$ | increase and decrease against the reference, up to what the bounds leave | t | `increase`, `decrease`; `increase_most`, `decrease_most` |
    | $w \ge 0$ | largest change against emissions | rate | `largest_rate`, `largest_rate_most` |
    | $q_i \ge 0$ | deficit | t | `shortfall` |
    | $a_i, b_i \ge 0$ | distance above and below the sector's target rate $\rho_s$ | t | `above`, `below` |
    | $(1 + \rho_s) E_i$ | allowances at that rate: $1 + \rho_s = T_s / \sum_{i \in s} E_i$; without a target that of the sector's reference allowances, $\sum_{i \in s} R_i / \sum_{i \in s} E_i$ | t | `at_target_rate` |
    | $\underline T_s, T_s$ | target of a sector; $\underline T_s = T_s$ if it is exact, else 0 | t | `target_least`, `target_most` |
    | $\underline P_p, \overline P_p$ | $\sum_{i \in p} E_i \mp \beta_p E_p$: the balance of a province is a share $\beta_p$ of its emissions $E_p$; fixed units have neither surplus nor deficit | t | `balance_least`, `balance_most` |
    | $\underline N, N$ | national total, less the allowances of fixed units; $\underline N = N$ if it is exact, else 0 | t | `nation_least`, `nation_most` |
    | $\underline A_f, \overline A_f$ | band of an enterprise | t | `enterprise_lower`, `enterprise_upper` |
    | $i, j$ | neighbours in the order of intensity $I$ in a sector: with $I_i < I_j$; with $I_i = I_j$ | positions | `lower_intensity`, `higher_intensity`; `first_equal`, `second_equal` |
    """
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
    m.CHANGE_MEASURED, m.LARGEST_CHANGE_MEASURED = pyo.Set(within=m.UNITS), pyo.Set(within=m.UNITS)
    m.DEFICIT_MEASURED, m.SPREAD_MEASURED = pyo.Set(within=m.UNITS), pyo.Set(within=m.UNITS)
    m.ROUNDING_MEASURED = pyo.Set(within=m.UNITS)

    m.emissions = pyo.Param(m.UNITS, doc="verified emissions [tCO2e]")
    m.per_emission = pyo.Param(m.UNITS, doc="one over emissions [1/tCO2e]")
    m.per_total_emissions = pyo.Param(doc="one over the emissions of all adjustable units [1/tCO2e]")
    m.per_reference = pyo.Param(m.UNITS, doc="one over the reference allowances [1/t]")
    m.per_mean_emissions = pyo.Param(doc="one over the mean emissions of adjustable units [1/tCO2e]")
    m.reference = pyo.Param(m.UNITS, doc="reference allowances of the rule [t]")
    m.obligation = pyo.Param(m.UNITS, doc="emissions as the deficit counts them [t]")
    m.lower = pyo.Param(m.UNITS, doc="least allowances [t]")
    m.upper = pyo.Param(m.UNITS, doc="most allowances [t]")
    m.at_target_rate = pyo.Param(m.UNITS, doc="allowances at the sector's target rate [t]")
    m.increase_most = pyo.Param(m.UNITS, doc="largest increase within the bounds [t]")
    m.decrease_most = pyo.Param(m.UNITS, doc="largest decrease within the bounds [t]")
    m.largest_rate_most = pyo.Param(doc="largest change within the bounds, against emissions [rate]")
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
    m.band_lower = pyo.Param(m.UNITS, doc="lower end of the unit's band [t]")
    m.band_upper = pyo.Param(m.UNITS, doc="upper end of the unit's band [t]")
    m.widening_lower = pyo.Param(m.UNITS, doc="margin of an exception below the band [t]")
    m.widening_upper = pyo.Param(m.UNITS, doc="margin of an exception above the band [t]")
    m.exceptions_most = pyo.Param(doc="most exceptions [units]")
    m.size_gap = pyo.Param(m.UNITS, doc="emissions of the largest unit less those of the unit [t]")
    m.place = pyo.Param(m.UNITS, doc="place in the order of unit_id [places]")

    m.allowance = pyo.Var(m.UNITS, bounds=lambda m, i: (m.lower[i], m.upper[i]), doc="allowances [t]")
    m.increase = pyo.Var(m.CHANGE_MEASURED, bounds=lambda m, i: (0, m.increase_most[i]), doc="above the reference [t]")
    m.decrease = pyo.Var(m.CHANGE_MEASURED, bounds=lambda m, i: (0, m.decrease_most[i]), doc="below the reference [t]")
    m.largest_rate = pyo.Var(bounds=lambda m: (0, m.largest_rate_most), doc="largest change against emissions [rate]")
    m.shortfall = pyo.Var(m.DEFICIT_MEASURED, bounds=lambda m, i: (0, m.obligation[i]), doc="deficit [t]")
    m.above = pyo.Var(m.SPREAD_MEASURED, bounds=lambda m, i: (0, m.upper[i]), doc="above the target rate [t]")
    m.below = pyo.Var(m.SPREAD_MEASURED, bounds=lambda m, i: (0, m.at_target_rate[i]), doc="below the target rate [t]")

    m.whole_allowance = pyo.Var(
        m.WHOLE, domain=pyo.Integers, bounds=lambda m, i: (m.lower[i], m.upper[i]), doc="allowances, whole [t]"
    )
    m.exceptional = pyo.Var(m.MAY_BE_EXCEPTIONAL, domain=pyo.Binary, doc="1 if the unit is an exception [units]")

    # **Limits that couple the units.**
    #
    # $$\underline T_s \le \sum_{i \in s} A_i \le T_s \tag{sector_target}$$
    @m.Constraint(m.SECTORS, doc="the sector meets its target [t]")
    def sector_target(m, s):
        return (m.target_least[s], sum(m.allowance[i] for i in m.UNITS_IN_SECTOR[s]), m.target_most[s])

    # $$\underline P_p \le \sum_{i \in p} A_i \le \overline P_p \tag{province_balance}$$
    @m.Constraint(m.PROVINCES, doc="surpluses and deficits of a province nearly cancel [t]")
    def province_balance(m, p):
        total = sum(m.allowance[i] for i in m.UNITS_IN_PROVINCE[p])
        return (m.balance_least[p], total, m.balance_most[p])

    # $$\underline N \le \sum_i A_i \le N \tag{national_total}$$
    @m.Constraint(m.NATION, doc="all allowances together meet the national total [t]")
    def national_total(m, k):
        return (m.nation_least[k], sum(m.allowance[i] for i in m.UNITS), m.nation_most[k])

    # $$\underline A_f \le \sum_{i \in f} A_i \le \overline A_f \tag{enterprise_band}$$
    @m.Constraint(m.BANDED, doc="the enterprise stays inside its band [t]")
    def enterprise_band(m, f):
        total = sum(m.allowance[i] for i in m.UNITS_OF_ENTERPRISE[f])
        return (m.enterprise_lower[f], total, m.enterprise_upper[f])

    # $$A_i / E_i \ge A_j / E_j \quad \text{for neighbours } I_i < I_j \text{ of a sector} \tag{intensity_order}$$
    @m.Constraint(m.LINKS, doc="a lower intensity never gets a lower surplus rate [rate]")
    def intensity_order(m, j):
        rate = m.per_emission[m.lower_intensity[j]] * m.allowance[m.lower_intensity[j]]
        return rate - m.per_emission[m.higher_intensity[j]] * m.allowance[m.higher_intensity[j]] >= 0

    # $$A_i / E_i = A_j / E_j \quad \text{for neighbours } I_i = I_j \text{ of a sector} \tag{equal_rates}$$
    @m.Constraint(m.EQUAL_LINKS, doc="equal intensities get equal surplus rates [rate]")
    def equal_rates(m, j):
        rate = m.per_emission[m.first_equal[j]] * m.allowance[m.first_equal[j]]
        return rate - m.per_emission[m.second_equal[j]] * m.allowance[m.second_equal[j]] == 0

    # **Whole tonnes**, if the policy asks for them:
    #
    # $$A_i = z_i \tag{whole_tonnes}$$
    @m.Constraint(m.WHOLE, doc="the allowance is a whole number [t]")
    def whole_tonnes(m, i):
        return m.allowance[i] - m.whole_allowance[i] == 0

    # **Exceptions**, if the policy allows them. An exception in an enterprise with a band of its own widens that band:
    #
    # $$A_i + \underline x_i e_i \ge \underline B_i \tag{band_least}$$
    @m.Constraint(m.WITH_OWN_BAND, doc="only an exception is below its band [t]")
    def band_least(m, i):
        return m.allowance[i] + m.widening_lower[i] * m.exceptional[i] >= m.band_lower[i]

    # $$A_i - \overline x_i e_i \le \overline B_i \tag{band_most}$$
    @m.Constraint(m.WITH_OWN_BAND, doc="only an exception is above its band [t]")
    def band_most(m, i):
        return m.allowance[i] - m.widening_upper[i] * m.exceptional[i] <= m.band_upper[i]

    # $$\sum_{i \in f} (A_i + \underline x_i e_i) \ge \underline A_f \tag{enterprise_least}$$
    @m.Constraint(m.WIDENED, doc="only with exceptions is the enterprise below its band [t]")
    def enterprise_least(m, f):
        wider = sum(m.allowance[i] + m.widening_lower[i] * m.exceptional[i] for i in m.UNITS_OF_ENTERPRISE[f])
        return wider >= m.enterprise_lower[f]

    # $$\sum_{i \in f} (A_i - \overline x_i e_i) \le \overline A_f \tag{enterprise_most}$$
    @m.Constraint(m.WIDENED, doc="only with exceptions is the enterprise above its band [t]")
    def enterprise_most(m, f):
        wider = sum(m.allowance[i] - m.widening_upper[i] * m.exceptional[i] for i in m.UNITS_OF_ENTERPRISE[f])
        return wider <= m.enterprise_upper[f]

    # $$\sum_i e_i \le n \tag{exceptions_limit}$$
    @m.Constraint(m.LIMITED, doc="no more exceptions than are allowed [units]")
    def exceptions_limit(m, k):
        return sum(m.exceptional[i] for i in m.MAY_BE_EXCEPTIONAL) <= m.exceptions_most

    # **Quantities that the objectives measure.**
    #
    # $$A_i = R_i + u_i - v_i \tag{change_from_reference}$$
    @m.Constraint(m.CHANGE_MEASURED, doc="increase and decrease measure the change [t]")
    def change_from_reference(m, i):
        return m.allowance[i] - m.increase[i] + m.decrease[i] == m.reference[i]

    # $$u_i + v_i \le E_i\, w \tag{largest_change_covers}$$
    @m.Constraint(m.LARGEST_CHANGE_MEASURED, doc="no change exceeds the largest rate [t]")
    def largest_change_covers(m, i):
        return m.increase[i] + m.decrease[i] - m.emissions[i] * m.largest_rate <= 0

    # $$A_i + q_i \ge O_i \tag{shortfall_covers}$$
    @m.Constraint(m.DEFICIT_MEASURED, doc="the shortfall covers the deficit [t]")
    def shortfall_covers(m, i):
        return m.allowance[i] + m.shortfall[i] >= m.obligation[i]

    # $$A_i - a_i + b_i = (1 + \rho_s) E_i \tag{distance_from_target_rate}$$
    @m.Constraint(m.SPREAD_MEASURED, doc="above and below measure the distance from the target rate [t]")
    def distance_from_target_rate(m, i):
        return m.allowance[i] - m.above[i] + m.below[i] == m.at_target_rate[i]

    # **Objectives in lexicographic order.** The first three choose the exceptions: the fewest units, then the units with
    # the most emissions in whole tonnes $\hat E_i$, then the first by `unit_id`. The objectives of the policy follow in
    # its order, over allocations with these exceptions. The last, a tie-break that the policy chooses, leaves one
    # answer only.
    #
    # $$\min \sum_i e_i \tag{exceptions}$$
    @m.Objective(doc="number of exceptions [units]")
    def exceptions(m):
        return sum(m.exceptional[i] for i in m.MAY_BE_EXCEPTIONAL)

    # $$\min \sum_i (\max_j \hat E_j - \hat E_i)\, e_i \tag{exception_size}$$
    @m.Objective(doc="by how much exceptions are smaller than the largest unit [t]")
    def exception_size(m):
        return sum(m.size_gap[i] * m.exceptional[i] for i in m.MAY_BE_EXCEPTIONAL)

    # $$\min \sum_i k_i e_i \tag{exception_order}$$
    @m.Objective(doc="sum of the places of exceptions in the order of unit_id [places]")
    def exception_order(m):
        return sum(m.place[i] * m.exceptional[i] for i in m.MAY_BE_EXCEPTIONAL)

    # $$\min \sum_i (u_i + v_i) \tag{change}$$
    @m.Objective(doc="sum of changes against the reference [t]")
    def change(m):
        return sum(m.increase[i] + m.decrease[i] for i in m.CHANGE_MEASURED)

    # $$\min w \tag{largest_change}$$
    @m.Objective(doc="largest change against emissions [rate]")
    def largest_change(m):
        return m.largest_rate

    # $$\min \sum_i q_i \tag{deficit}$$
    @m.Objective(doc="sum of deficits [t]")
    def deficit(m):
        return sum(m.shortfall[i] for i in m.DEFICIT_MEASURED)

    # $$\min \sum_i (a_i + b_i) \Big/ \sum_i E_i \tag{spread}$$
    @m.Objective(doc="mean absolute deviation of the surplus rates from the target rate [rate]")
    def spread(m):
        return sum(m.per_total_emissions * (m.above[i] + m.below[i]) for i in m.SPREAD_MEASURED)

    # $$\min \sum_i (A_i - R_i)^2 / E_i \tag{least_squares}$$
    @m.Objective(doc="sum of squared changes over emissions [t]")
    def least_squares(m):
        return sum(m.per_emission[i] * (m.allowance[i] - m.reference[i]) ** 2 for i in m.UNITS)

    # With `tie_break = "equal_rates"`, `"proportional"` and `"equal_losses"`:
    #
    # $$\min \sum_i (A_i - (1 + \rho_s) E_i)^2 / E_i \tag{squared_rates}$$
    @m.Objective(doc="sum of squared distances from the target rate, over emissions [t]")
    def squared_rates(m):
        return sum(m.per_emission[i] * (m.allowance[i] - m.at_target_rate[i]) ** 2 for i in m.UNITS)

    # $$\min \sum_i (A_i - R_i)^2 / \max(R_i, E_i / 1000) \tag{squared_shares}$$
    @m.Objective(doc="sum of squared changes over the reference [t]")
    def squared_shares(m):
        return sum(m.per_reference[i] * (m.allowance[i] - m.reference[i]) ** 2 for i in m.UNITS)

    # $$\min \sum_i (A_i - R_i)^2 / \bar E \tag{squared_losses}$$
    @m.Objective(doc="sum of squared changes over the mean emissions of a unit [t]")
    def squared_losses(m):
        return sum(m.per_mean_emissions * (m.allowance[i] - m.reference[i]) ** 2 for i in m.UNITS)

    # Rounding real allowances in the order of intensity, which are $R_i$ here:
    #
    # $$\min \sum_i (A_i - R_i)^2 \tag{rounding}$$
    @m.Objective(doc="sum of squared moves to whole tonnes [t²]")
    def rounding(m):
        return sum((m.allowance[i] - m.reference[i]) ** 2 for i in m.ROUNDING_MEASURED)

    return m


def objectives(instance: Instance) -> list[str]:
    """Return the objectives in lexicographic order: exceptions, those of the policy, and the tie-break."""
    allocation = instance.policy.allocation
    first = EXCEPTION_LEVELS if allocation.exceptions.units else ()
    return [*first, *allocation.objectives, SQUARES[allocation.tie_break]]


def parameters(instance: Instance) -> dict[str, Any]:
    """Return arrays for the sets and parameters of `formulate`, with positions for labels and before any rounding."""
    instance = before_rounding(instance)
    limits = limits_of(instance)
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
    found = {
        "UNITS": len(limits.free),
        **_measured(instance, len(limits.free)),
        "WHOLE": all_units if instance.policy.allocation.integer_allowances else no_units,
        "BANDED": np.arange(0 if limits.margin.units else enterprises),
        "emissions": emissions,
        "per_emission": 1 / emissions,
        "per_reference": 1 / np.maximum(limits.reference, LEAST_REFERENCE_SHARE * emissions),
        "per_mean_emissions": len(emissions) / float(emissions.sum()) if len(emissions) else 0.0,
        "reference": limits.reference,
        "obligation": limits.obligation,
        "lower": lower,
        "upper": upper,
        "increase_most": increase,
        "decrease_most": decrease,
        "largest_rate_most": float(np.max((most - least) / emissions, initial=0.0)),
        "at_target_rate": limits.at_target_rate,
        "per_total_emissions": 1 / float(emissions.sum()) if len(limits.free) else 0.0,
        "size_gap": np.max(sizes, initial=0.0) - sizes,
        "place": all_units + 1.0,
        **limits.rows,
        **exception_rows(limits),
    }
    return writable(found)


def _measured(instance: Instance, units: int) -> dict[str, Any]:
    """Return the units that each objective measures: all if the policy names it, else none."""
    named = set(instance.policy.allocation.objectives)
    all_units, no_units = np.arange(units), np.arange(0)
    return {
        "CHANGE_MEASURED": all_units if named & {"change", "largest_change"} else no_units,
        "LARGEST_CHANGE_MEASURED": all_units if "largest_change" in named else no_units,
        "DEFICIT_MEASURED": all_units if "deficit" in named else no_units,
        "SPREAD_MEASURED": all_units if "spread" in named else no_units,
        "ROUNDING_MEASURED": no_units,
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
    return allocation_tables(*_numbers(instance, solution))


def claim(instance: Instance, solution: Any) -> dict[str, Any]:
    """Return the allocation and its multipliers as arrays, with the tables ``sectors`` and ``provinces``."""
    instance, allowance, levels, chosen, real = _numbers(instance, solution)
    return claim_of(UnitNumbers.of(instance, allowance, chosen), levels, real)


def _numbers(instance: Instance, solution: Any) -> tuple[Any, ...]:
    """Return the instance whose limits hold, allowances, objectives, exceptions and real allowances, if they differ."""
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
    return instance, allowance, solution.levels, chosen, real


MODEL = ProgramModel(
    formulate=formulate,
    parameters=parameters,
    objectives=objectives,
    tables=tables,
    second_program=second_program,
    answer=answer,
    claim=claim,
    # The objectives after those of exceptions are over allocations with these values.
    fix_after={"exception_order": ("exceptional",)},
    reads=("year", "rule", "!rule.carry_over_*", "sectors", "provinces.balance", "national", "allocation"),
)
