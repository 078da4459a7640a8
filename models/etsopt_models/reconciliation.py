r"""Reconciliation of monthly quantities with all evidence on them, and the interval of emissions (linear program).

The quantities of a unit are fuels, materials and products of each month. Statements on them come from reports,
purchases and stocks, stack monitors, material balances, and ratios that are usual for the unit and its peers. A statement
says that a sum of quantities is within a range; a report's range is a single value. How far a sum may be from the
range without a gross error is the statement's uncertainty. No unit shares a quantity or a statement with another, so the
program separates by unit.

| symbol | meaning | unit | in the code |
| --- | --- | --- | --- |
| $i$; $s \in S$; $k \in K_s$ | quantities; statements; terms of a statement, each with its quantity $i(k)$ | | `QUANTITIES`, `STATEMENTS`, `TERMS`, `TERMS_OF_STATEMENT`, `quantity` |
| $x_i \in [0, M_i]$ | quantity | own unit | `amount`, `most` |
| $a_k$ | coefficient of a term | | `coefficient` |
| $v_s \in [l_s, h_s]$; $u_s$ | most likely value and range of the sum; uncertainty | unit of the sum | `value` |
| $p^+_s, p^-_s$ | distance from $v_s$ within the range, up to $h_s - v_s$ and $v_s - l_s$ | unit of the sum | `within_above`, `within_below`, `within_upper`, `within_lower` |
| $e^+_s, e^-_s \ge 0$ | distance beyond the range, above and below | unit of the sum | `beyond_above`, `beyond_below`, `beyond_most` |
| $\kappa_s$ | 0.01 over the half-width of the range; 0 for a single value, or without a most likely one | 1/unit | `central` |
| $c_i$ | emissions per unit of the quantity, below 0 for carbon that leaves | tCO2e/unit | `factor` |
| $y_i, z_i \in [0, M_i]$ | quantities at the least and the greatest emissions | own unit | `at_lowest`, `at_highest` |

$$\sum_{k \in K_s} a_k x_{i(k)} = v_s + p^+_s - p^-_s + e^+_s - e^-_s \tag{statement_holds}$$

**First the gross errors.** The least weighted absolute adjustment makes the statements consistent; within their ranges,
sums prefer the most likely value, which leaves one answer in all but exact ties:

$$\min \sum_{s \in S} \Bigl[ \frac{e^+_s + e^-_s}{u_s} + \kappa_s (p^+_s + p^-_s + e^+_s + e^-_s) \Bigr] \tag{adjustment}$$

A sum of absolute values, unlike one of squares, leaves a correct statement alone and gives the whole adjustment to the
one that conflicts with the others. A statement with $e^+_s + e^-_s > u_s$ is a *gross error*.

**Then, without them,** the remaining statements $S'$ hold within their uncertainty: $e^+_s, e^-_s \le u_s$. The answer above
does so, hence there is one. The *reconciled* quantities minimise the same sum over $S'$,

$$\min \sum_{s \in S'} \Bigl[ \frac{e^+_s + e^-_s}{u_s} + \kappa_s (p^+_s + p^-_s + e^+_s + e^-_s) \Bigr] \tag{estimate}$$

and the *interval* of a unit has the least and the greatest emissions of all quantities with which $S'$ agrees:

$$l_s - u_s \le \sum_{k \in K_s} a_k y_{i(k)} \le h_s + u_s, \quad s \in S' \tag{lowest_agrees}$$
$$l_s - u_s \le \sum_{k \in K_s} a_k z_{i(k)} \le h_s + u_s, \quad s \in S' \tag{highest_agrees}$$
$$\min \sum_i c_i (y_i - z_i) \tag{interval}$$

The sum of minima is the minimum of the sum, so this one objective has both ends for every unit. Uncertainties of all
statements count at once and in the same direction: errors of months are not assumed to cancel, so the interval is
wider than that of independent errors. A gross error leaves the evidence altogether, since a false figure says nothing of
the true one; the quantity then is as uncertain as the remaining statements leave it. The reconciled emissions are inside.

**Duals.** That of `statement_holds` is the change of the adjustment per unit of the statement's value; those of
`lowest_agrees` and `highest_agrees` are the change of the end of the interval per unit of the limit [tCO2e/unit]. The result
states them by statement, and the checker computes bounds from them, unit by unit.

**Substitutes.** A quantity without a report has no statement of its own. Its reconciled value is an estimate, marked
`substituted`, with an interval as wide as the other statements leave. `conservative_tco2e` has the stated substitute in its
place, which the bridge from monthly reports chooses so that emissions are not underestimated.

A relative millionth is added to each $u_s$ for rounding.

References: Narasimhan and Jordache (1999), Data Reconciliation and Gross Error Detection; Crowe (1986), Reconciliation
of process flow rates by matrix projection, AIChE J. 32; for absolute values Bloomfield and Steiger (1983), Least Absolute
Deviations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyomo.environ as pyo

from etsopt_models._reconciliation.evidence import Evidence, arrays
from etsopt_models._reconciliation.tables import reconciled_tables

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.instance import Instance

CHECKED_AS = "reconciliation"
"""The checker holds the tables to the instance."""

READS = ()
"""No key of the policy: the evidence is in the tables."""


def formulate() -> pyo.AbstractModel:  # long because it is the whole formulation on one screen
    """Return the program without data."""
    m = pyo.AbstractModel("reconciliation")
    m.QUANTITIES, m.STATEMENTS, m.TERMS = pyo.Set(), pyo.Set(), pyo.Set()
    m.TERMS_OF_STATEMENT = pyo.Set(m.STATEMENTS, within=m.TERMS)
    m.BOUNDED = pyo.Set(within=m.QUANTITIES, doc="quantities of the interval: none before gross errors are known")
    m.AGREED = pyo.Set(within=m.STATEMENTS, doc="statements that the interval agrees with")

    m.factor, m.most = pyo.Param(m.QUANTITIES), pyo.Param(m.QUANTITIES)
    m.quantity = pyo.Param(m.TERMS, within=m.QUANTITIES)
    m.coefficient = pyo.Param(m.TERMS)
    m.value, m.within_lower, m.within_upper = (pyo.Param(m.STATEMENTS) for _ in range(3))
    m.central, m.beyond_weight, m.beyond_most = (pyo.Param(m.STATEMENTS) for _ in range(3))
    m.agreed_lower, m.agreed_upper = pyo.Param(m.STATEMENTS), pyo.Param(m.STATEMENTS)

    m.amount = pyo.Var(m.QUANTITIES, bounds=lambda m, i: (0, m.most[i]), doc="quantity [own unit]")
    m.within_above = pyo.Var(m.STATEMENTS, bounds=lambda m, s: (0, m.within_upper[s]), doc="above the value [own unit]")
    m.within_below = pyo.Var(m.STATEMENTS, bounds=lambda m, s: (0, m.within_lower[s]), doc="below the value [own unit]")
    m.beyond_above = pyo.Var(m.STATEMENTS, bounds=lambda m, s: (0, m.beyond_most[s]), doc="above the range [own unit]")
    m.beyond_below = pyo.Var(m.STATEMENTS, bounds=lambda m, s: (0, m.beyond_most[s]), doc="below the range [own unit]")
    m.at_lowest = pyo.Var(m.BOUNDED, bounds=lambda m, i: (0, m.most[i]), doc="quantity at least emissions [own unit]")
    m.at_highest = pyo.Var(m.BOUNDED, bounds=lambda m, i: (0, m.most[i]), doc="quantity at most emissions [own unit]")

    @m.Constraint(m.STATEMENTS, doc="the sum is the value and its distances [own unit]")
    def statement_holds(m, s):
        total = sum(m.coefficient[k] * m.amount[m.quantity[k]] for k in m.TERMS_OF_STATEMENT[s])
        above, below = m.within_above[s] + m.beyond_above[s], m.within_below[s] + m.beyond_below[s]
        return total - above + below == m.value[s]

    @m.Constraint(m.AGREED, doc="the sum agrees with the statement at the least emissions [own unit]")
    def lowest_agrees(m, s):
        total = sum(m.coefficient[k] * m.at_lowest[m.quantity[k]] for k in m.TERMS_OF_STATEMENT[s])
        return m.agreed_lower[s], total, m.agreed_upper[s]

    @m.Constraint(m.AGREED, doc="the sum agrees with the statement at the greatest emissions [own unit]")
    def highest_agrees(m, s):
        total = sum(m.coefficient[k] * m.at_highest[m.quantity[k]] for k in m.TERMS_OF_STATEMENT[s])
        return m.agreed_lower[s], total, m.agreed_upper[s]

    def distances(m):
        beyond = sum(m.beyond_weight[s] * (m.beyond_above[s] + m.beyond_below[s]) for s in m.STATEMENTS)
        return beyond + sum(m.central[s] * (m.within_above[s] + m.within_below[s]) for s in m.STATEMENTS)

    @m.Objective(doc="weighted distances of all statements [1]")
    def adjustment(m):
        return distances(m)

    @m.Objective(doc="weighted distances of the statements without gross errors [1]")
    def estimate(m):
        return distances(m)

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


def levels(instance: Instance) -> list[str]:
    """Return the objective that finds the gross errors."""
    return ["adjustment"]


def afterwards(instance: Instance, solution: Any) -> tuple[Instance, dict[str, Any], list[str]]:
    """Return the program without the gross errors of a solution."""
    evidence = Evidence.of(instance)
    gross = evidence.gross(solution.values["amount"])
    return instance, arrays(evidence, gross), ["estimate", "interval"]


def tables(instance: Instance, solution: Any) -> dict[str, pd.DataFrame]:
    """Return the tables that `reconciled_tables` lists."""
    return reconciled_tables(instance, Evidence.of(instance), solution)
