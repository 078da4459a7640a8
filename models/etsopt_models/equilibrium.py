r"""The balance value that everybody's best responses to a given price reproduce (exact calculation).

Under the intensity rule of 2025 and 2026 the allowances of a sector add up to its emissions whatever its units do: the
rule makes no scarcity, every price clears, and the price $p$ is taken as given (`market.prices_cny_per_t`). What moves is
the balance value. Each year of the horizon is by itself: its output and intensities before abatement, its price, the
measures that may run in it, and a balance value of its own; a measure costs its annuity in the years in which it runs and
binds nobody for the next, so that a year has the same equilibrium in any horizon. Let unit $i$ emit $E_i(S)$ at intensity $I_i(S)$ when it runs the set $S$ of
its measures, at a yearly cost $C_i(S)$; let $\varphi$ be the share of allowances that is auctioned (`market.paid_share`),
slope $\sigma$ and cap $d$ those of the rule. The rule gives

$$A_i(S; B) = E_i(S) \bigl( 1 + \mathrm{clip}(\sigma (1 - I_i(S)/B), \pm d) \bigr)$$

of which $1 - \varphi$ is free. Every unit takes a set that is best for it,

$$S_i(B) \in \arg\min_S \; C_i(S) + p \bigl( E_i(S) - (1 - \varphi) A_i(S; B) \bigr),$$

of equally good ones that with the fewest measures, then that whose measures come first. Then the rule takes a new
balance value $b$ of what units emit, $\sum_i A_i(S_i; b) = \sum_i E_i(S_i)$, as in `balance_value`. An equilibrium is a $B$
with $b(S(B)) = B$. Units at A = E (special cases, small enterprises, both as of before abatement) take what pays by
itself and at $\varphi p$; they stand outside the balance.

**All of them are found.** In $z = 1/B$ the cost of each set is piecewise linear, so each unit has finitely many best
responses, found exactly by `_equilibrium/responses.py`; between the points where somebody changes, the surplus
$g(z) = \sum_i (A_i - E_i)$ falls, and it jumps there. The equilibria are its zeros (`_equilibrium/fixed_points.py`). With whole
measures there may be several, or none, where $g$ passes zero only by jumps:

- status `fixed point` or `several`: the one told is that which responses repeated from the balance value without
  abatement reach, or, if they settle nowhere, that of least cost of measures; all stand in the table `fixed_points`;
- status `cycle`: there is none. The repeated responses go round among the values of the table `cycles`. What is told is
  the balance value where $g$ comes closest to zero: each unit responds best, one is indifferent, and the residual
  $\sum_i (A_i - E_i)$ is not zero. The checker then says so, and the result is feasible, not certified.

At a given $B$ a higher price never raises a unit's $E - (1 - \varphi) A$. Its $E$ may rise: a unit at the largest surplus
holds $d$ of every tonne that it emits, and lets a measure that saves money go once the price is high enough.

What one tonne less earns (`marginal_incentive_cny_per_t`, in the process on which intensity is measured, and
`marginal_incentive_elsewhere_cny_per_t`) is at a given $B$, as in `abatement`. Allowances are those before rounding to whole tonnes.
A balance value that is published with few decimals (`rule.balance_value_decimals`) is rounded before units respond, and
then leaves a residual. Measures are taken whole, whatever `abatement.divisible_measures` says.

There is no program and no dual; every table has the year of its rows. Units: tonnes of CO2 equivalent, allowances [t], CNY a year, CNY/t, $B$ and $I$ in t/t.
Reference: 2026 plan, consultation draft of 27 July 2026; on the zero-sum design Goulder, Long, Lu and Morgenstern, Journal
of Environmental Economics and Management 111, 2022.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.errors import DataError, Problem
from etsopt.rules import parameters_of
from etsopt.rules.intensity import IntensityParameters
from etsopt_models._equilibrium.tables import equilibrium_tables

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.instance import Instance

CHECKED_AS = "equilibrium"

READS = (
    "year",
    "rule.name",
    "rule.slope",
    "rule.cap",
    "rule.balance_value_decimals",
    "rule.threshold_tco2e",
    "rule.special_cases",
    "rule.carbide_slag_limit",
    "rule.outside_scope",
    "horizon",
    "abatement.no_regret",
    "abatement.output_cut",
    "market.prices_cny_per_t",
    "market.paid_share",
)
"""Keys and sections of the policy; allowances are those of the rule, without targets, balances and bands."""


def calculate(instance: Instance) -> dict[str, pd.DataFrame]:
    """Result tables: ``equilibrium``, ``fixed_points``, ``cycles``, ``units``.

    Raises
    ------
    DataError
        If the rule has no balance value, or no price is stated.
    """
    if not isinstance(parameters_of(instance), IntensityParameters):
        what = f"the rule {instance.policy.rule.name!r} has no balance value to which units could respond"
        advice = "Use cn-2025 or cn-2026; under other rules solve abatement."
        raise DataError("The policy", [Problem("policy.toml", what, advice, "rule.name")])
    return equilibrium_tables(instance)
