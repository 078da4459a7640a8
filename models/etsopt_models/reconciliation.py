r"""Reconciliation of monthly quantities with all evidence on them, and the interval of emissions (linear program).

The quantities of a unit are fuels, materials and products of each month, most of them reported. Statements on them come
from purchases and stocks, stack monitors, material balances, physical limits, and ratios that are usual for the unit and
its peers. A statement says that a sum of quantities is within a range, which may be a single value. The uncertainty of a
report or a statement is the distance that is no gross error. No unit shares a quantity or a statement with another, so
the program separates by unit.

.. formulation:: formulate

**Gross errors.** A sum of absolute values, unlike one of squares, leaves correct figures alone and gives the whole
adjustment to the one that conflicts with the others. A report with $d^+_i + d^-_i > u_i$ or a statement with
$e^+_s + e^-_s > u_s$ is a *gross error*. If several answers have the least adjustment, the gross errors are those of the
stated one.

**Interval.** The sum of minima is the minimum of the sum, so the one objective `interval` has both ends for every unit.
Uncertainties of all figures count at once and in the same direction: errors of months are not assumed to cancel, so the
interval is wider than one of independent errors. A gross error leaves the evidence altogether, since a false figure says
nothing of the true one; its quantity is then as uncertain as the other statements leave it. The reconciled emissions are
in the interval.

**Duals.** Those of `within_range` and `near_value` are the change of the adjustment per unit of the range or the value;
those of `lowest_agrees` and `highest_agrees` are the change of the end of the interval per unit of the limit [tCO2e/unit]. The
result states them by statement, and the checker computes bounds from them, unit by unit.

**Substitutes.** A quantity without a report has a reconciled value all the same, marked `substituted`, with an interval as
wide as the statements leave. `conservative_tco2e` has the stated substitute in its place; the bridge from monthly reports
chooses it so that emissions are not underestimated.

A relative millionth is added to each uncertainty for rounding.

References: Narasimhan and Jordache (1999), Data Reconciliation and Gross Error Detection; Crowe (1986), Reconciliation
of process flow rates by matrix projection, AIChE J. 32; for absolute values Bloomfield and Steiger (1983), Least Absolute
Deviations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyomo.environ as pyo

from etsopt.modelling import ProgramModel
from etsopt_models._reconciliation import Evidence, arrays, reconciled_tables

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.instance import Instance


def formulate() -> pyo.AbstractModel:  # long because a symbol and an equation each have their line
    r"""Return the program without data.

    | symbol | meaning | unit | in the code |
    | --- | --- | --- | --- |
    | $i$; $s \in S$; $k \in K_s$ | quantities; statements; terms of a statement, each with its quantity $i(k)$ | | `QUANTITIES`, `STATEMENTS`, `TERMS`, `TERMS_OF_STATEMENT`, `quantity` |
    | $r_i$, $u_i$ | quantity as reported, 0 without a report; its uncertainty, of which $1 / u_i$ is the weight, 0 without a report | own unit | `reported`; `report_weight` |
    | $d^+_i, d^-_i \ge 0$ | how far the quantity $x_i = r_i + d^+_i - d^-_i$ is above and below the report; $0 \le x_i \le M_i$ | own unit | `raised`, `lowered`, `raised_most`, `lowered_most` |
    | $a_k$ | coefficient of a term | | `coefficient` |
    | $l_s, h_s$; $u_s$ | range of the sum; its uncertainty, of which $1 / u_s$ is the weight | unit of the sum | `lower`, `upper`; `weight` |
    | $e^+_s, e^-_s \ge 0$ | distance of the sum from the range, above and below | unit of the sum | `above`, `below`, `beyond_most` |
    | $C \subseteq S$; $v_s$ | statements with a most likely value, on a quantity of which no report tells; that value | unit of the sum | `CENTRED`, `value` |
    | $p^+_s, p^-_s \ge 0$ | distance of the sum from the most likely value | unit of the sum | `above_value`, `below_value`, `farthest` |
    | $\kappa_s$ | 0.1 over the half-width of the range, or over $u_s$ if that is larger | 1/unit | `central` |
    | $c_i$ | emissions per unit of the quantity, below 0 for carbon that leaves | tCO2e/unit | `factor` |
    | $y_i, z_i$ | quantities at the least and the greatest emissions, in $[r_i - u_i, r_i + u_i]$, or in $[0, M_i]$ without a report | own unit | `at_lowest`, `at_highest`, `bounded_lower`, `bounded_upper`, `BOUNDED` |
    | $l_s - u_s, h_s + u_s$ | range with the uncertainty, for statements that are no gross errors | unit of the sum | `agreed_lower`, `agreed_upper`, `AGREED` |
    """
    m = pyo.AbstractModel("reconciliation")
    m.QUANTITIES, m.STATEMENTS, m.TERMS = pyo.Set(), pyo.Set(), pyo.Set()
    m.TERMS_OF_STATEMENT = pyo.Set(m.STATEMENTS, within=m.TERMS)
    m.CENTRED = pyo.Set(within=m.STATEMENTS, doc="statements with a weight within: none before gross errors are known")
    m.BOUNDED = pyo.Set(within=m.QUANTITIES, doc="quantities of the interval: none before gross errors are known")
    m.AGREED = pyo.Set(within=m.STATEMENTS, doc="statements of the interval: none before gross errors are known")

    m.quantity = pyo.Param(m.TERMS, within=m.QUANTITIES, doc="position of the term's quantity [1]")
    m.coefficient = pyo.Param(m.TERMS, doc="coefficient of the term [unit of the sum/own unit]")
    m.factor = pyo.Param(m.QUANTITIES, doc="emissions per unit of the quantity [tCO2e/own unit]")
    m.reported = pyo.Param(m.QUANTITIES, doc="quantity as reported, 0 without a report [own unit]")
    m.report_weight = pyo.Param(m.QUANTITIES, doc="one over the report's uncertainty, 0 without a report [1/own unit]")
    m.raised_most = pyo.Param(m.QUANTITIES, doc="most above the report [own unit]")
    m.lowered_most = pyo.Param(m.QUANTITIES, doc="most below the report [own unit]")
    m.bounded_lower = pyo.Param(m.QUANTITIES, doc="least quantity of the interval [own unit]")
    m.bounded_upper = pyo.Param(m.QUANTITIES, doc="greatest quantity of the interval [own unit]")
    m.lower = pyo.Param(m.STATEMENTS, doc="lower end of the range [unit of the sum]")
    m.upper = pyo.Param(m.STATEMENTS, doc="upper end of the range [unit of the sum]")
    m.value = pyo.Param(m.STATEMENTS, doc="most likely value [unit of the sum]")
    m.beyond_most = pyo.Param(m.STATEMENTS, doc="largest distance from the range [unit of the sum]")
    m.farthest = pyo.Param(m.STATEMENTS, doc="largest distance from the most likely value [unit of the sum]")
    m.weight = pyo.Param(m.STATEMENTS, doc="one over the uncertainty [1/unit of the sum]")
    m.central = pyo.Param(m.STATEMENTS, doc="weight of a distance from the most likely value [1/unit of the sum]")
    m.agreed_lower = pyo.Param(m.STATEMENTS, doc="lower end less the uncertainty [unit of the sum]")
    m.agreed_upper = pyo.Param(m.STATEMENTS, doc="upper end and the uncertainty [unit of the sum]")

    m.raised = pyo.Var(m.QUANTITIES, bounds=lambda m, i: (0, m.raised_most[i]), doc="above the report [own unit]")
    m.lowered = pyo.Var(m.QUANTITIES, bounds=lambda m, i: (0, m.lowered_most[i]), doc="below the report [own unit]")
    m.above = pyo.Var(m.STATEMENTS, bounds=lambda m, s: (0, m.beyond_most[s]), doc="above the range [own unit]")
    m.below = pyo.Var(m.STATEMENTS, bounds=lambda m, s: (0, m.beyond_most[s]), doc="below the range [own unit]")
    m.above_value = pyo.Var(m.CENTRED, bounds=lambda m, s: (0, m.farthest[s]), doc="above the value [own unit]")
    m.below_value = pyo.Var(m.CENTRED, bounds=lambda m, s: (0, m.farthest[s]), doc="below the value [own unit]")
    m.at_lowest, m.at_highest = (
        pyo.Var(m.BOUNDED, bounds=lambda m, i: (m.bounded_lower[i], m.bounded_upper[i]), doc=f"quantity at the {end}")
        for end in ("least emissions [own unit]", "greatest emissions [own unit]")
    )

    def total(m, s):
        return sum(
            m.coefficient[k] * (m.reported[m.quantity[k]] + m.raised[m.quantity[k]] - m.lowered[m.quantity[k]])
            for k in m.TERMS_OF_STATEMENT[s]
        )

    # $$l_s \le \sum_{k \in K_s} a_k x_{i(k)} - e^+_s + e^-_s \le h_s, \quad s \in S \tag{within_range}$$
    @m.Constraint(m.STATEMENTS, doc="the sum is within the range but for its distances [own unit]")
    def within_range(m, s):
        return m.lower[s], total(m, s) - m.above[s] + m.below[s], m.upper[s]

    # A quantity without a report, or with a false one, is drawn to the most likely value of its statements $C$, which leaves
    # one answer in all but exact ties:
    #
    # $$\sum_{k \in K_s} a_k x_{i(k)} - p^+_s + p^-_s = v_s, \quad s \in C \tag{near_value}$$
    @m.Constraint(m.CENTRED, doc="the sum is the most likely value but for its distances [own unit]")
    def near_value(m, s):
        return total(m, s) - m.above_value[s] + m.below_value[s] == m.value[s]

    # The *interval* of a unit has the least and the greatest emissions of all quantities with which the reports and statements
    # that are no gross errors agree:
    #
    # $$l_s - u_s \le \sum_{k \in K_s} a_k y_{i(k)} \le h_s + u_s, \quad s \in S \tag{lowest_agrees}$$
    @m.Constraint(m.AGREED, doc="the sum agrees with the statement at the least emissions [own unit]")
    def lowest_agrees(m, s):
        at_lowest = sum(m.coefficient[k] * m.at_lowest[m.quantity[k]] for k in m.TERMS_OF_STATEMENT[s])
        return m.agreed_lower[s], at_lowest, m.agreed_upper[s]

    # $$l_s - u_s \le \sum_{k \in K_s} a_k z_{i(k)} \le h_s + u_s, \quad s \in S \tag{highest_agrees}$$
    @m.Constraint(m.AGREED, doc="the sum agrees with the statement at the greatest emissions [own unit]")
    def highest_agrees(m, s):
        at_highest = sum(m.coefficient[k] * m.at_highest[m.quantity[k]] for k in m.TERMS_OF_STATEMENT[s])
        return m.agreed_lower[s], at_highest, m.agreed_upper[s]

    def distances(m):
        of_reports = sum(m.report_weight[i] * (m.raised[i] + m.lowered[i]) for i in m.QUANTITIES)
        return of_reports + sum(m.weight[s] * (m.above[s] + m.below[s]) for s in m.STATEMENTS)

    # **First the gross errors.** The least weighted absolute adjustment makes reports and statements consistent:
    #
    # $$\min \sum_i \frac{d^+_i + d^-_i}{u_i} + \sum_{s \in S} \frac{e^+_s + e^-_s}{u_s} \tag{adjustment}$$
    @m.Objective(doc="weighted distances of all reports and statements [1]")
    def adjustment(m):
        return distances(m)

    # **Then, without them,** what remains holds within its uncertainty: $d^+_i, d^-_i \le u_i$ and $e^+_s, e^-_s \le u_s$. The
    # answer above does so, hence there is one. Over the reports and statements that are no gross errors:
    #
    # $$\min \sum_i \frac{d^+_i + d^-_i}{u_i} + \sum_{s \in S} \frac{e^+_s + e^-_s}{u_s} + \sum_{s \in C} \kappa_s (p^+_s + p^-_s) \tag{estimate}$$
    @m.Objective(doc="weighted distances of those without gross errors, and from most likely values [1]")
    def estimate(m):
        return distances(m) + sum(m.central[s] * (m.above_value[s] + m.below_value[s]) for s in m.CENTRED)

    # $$\min \sum_i c_i (y_i - z_i) \tag{interval}$$
    @m.Objective(doc="least less greatest emissions of all units [t]")
    def interval(m):
        return sum(m.factor[i] * (m.at_lowest[i] - m.at_highest[i]) for i in m.BOUNDED)

    return m


def parameters(instance: Instance) -> dict[str, Any]:
    """Return arrays for the sets and parameters of `formulate`, with positions for labels.

    Raises
    ------
    DataError
        If the instance has no evidence.
    """
    return arrays(Evidence.of(instance), None)


def objectives(instance: Instance) -> list[str]:
    """Return the objective that finds the gross errors."""
    return ["adjustment"]


def second_program(instance: Instance, solution: Any) -> tuple[Instance, dict[str, Any], list[str]]:
    """Return the program without the gross errors of a solution."""
    evidence = Evidence.of(instance)
    found = evidence.gross(evidence.amount(solution.values))
    return instance, arrays(evidence, found), ["estimate", "interval"]


def tables(instance: Instance, solution: Any) -> dict[str, pd.DataFrame]:
    """Return the tables that `reconciled_tables` lists."""
    return reconciled_tables(instance, Evidence.of(instance), solution)


MODEL = ProgramModel(
    formulate=formulate,
    parameters=parameters,
    objectives=objectives,
    tables=tables,
    second_program=second_program,
    # Reported quantities are nearly consistent, so simplex begins near the optimum; interior point takes thrice as long.
    solver_options={"solver": "simplex"},
    # The evidence is in the tables.
    reads=(),
)
