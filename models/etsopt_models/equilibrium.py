r"""The balance value that all units' best responses to a given price reproduce (exact calculation).

Under the intensity rule of 2025 and 2026 the allowances of a sector equal its emissions, whatever its units do. So the
rule makes no scarcity, every price clears, and the price $p$ is taken as given (`market.prices_cny_per_t`). The balance
value, however, moves. Each year of the horizon stands alone: it has its own output and intensities before abatement,
price, balance value and measures that may run. A measure costs its annuity in the years in which it runs and commits
its unit to nothing in the next, so that a year has the same equilibrium in any horizon.

Let unit $i$ emit $E_i(S)$ at intensity $I_i(S)$ if it runs the set $S$ of its measures, at a yearly cost $C_i(S)$. Let
$\varphi$ be the share of allowances that is auctioned (`market.paid_share`), and slope $\sigma$ and cap $d$ those of
the rule. The rule gives

$$A_i(S; B) = E_i(S) \bigl( 1 + \mathrm{clip}(\sigma (1 - I_i(S)/B), \pm d) \bigr)$$

of which $1 - \varphi$ is free. Every unit takes a best response,

$$S_i(B) \in \arg\min_S \; C_i(S) + p \bigl( E_i(S) - (1 - \varphi) A_i(S; B) \bigr),$$

among equally good ones the set with the fewest measures, then the one whose measures come first. The rule then takes a
new balance value $b$ from the resulting emissions, $\sum_i A_i(S_i; b) = \sum_i E_i(S_i)$, as in `balance_value`. An
equilibrium is a $B$ with $b(S(B)) = B$. Units at A = E (special cases, small enterprises, both as of before abatement)
take the no-regret measures and those that pay at $\varphi p$; they are outside the balance.

**All equilibria are found.** In $z = 1/B$ the cost of each set is piecewise linear, so each unit has finitely many best
responses, which `_equilibrium/responses.py` finds exactly. Between the points where a response changes, the surplus
$g(z) = \sum_i (A_i - E_i)$ falls; at these points it jumps. The equilibria are its zeros
(`_equilibrium/fixed_points.py`). With indivisible measures there may be several, or none if $g$ passes zero only by
jumps:

- status `fixed point` or `several`: the one reported is that which repeated responses reach from the balance value
  without abatement; if they do not converge, the one with the least cost of measures. All are in the table
  `fixed_points`.
- status `cycle`: there is none. The repeated responses cycle among the values of the table `cycles`. The balance value
  reported is that at which $g$ comes closest to zero: each unit responds best, one is indifferent, and the residual
  $\sum_i (A_i - E_i)$ is not zero. The checker reports this, and the result is feasible, not certified.

At a given $B$ a higher price never raises a unit's $E - (1 - \varphi) A$. Its $E$ may rise: a unit at the largest
surplus gains $d$ for every tonne that it emits, and gives up a no-regret measure once the price is high enough.

The marginal incentives (`marginal_incentive_cny_per_t`, in the process on which intensity is measured, and
`marginal_incentive_elsewhere_cny_per_t`) are those at a given $B$, as in `abatement`. Allowances are those before
rounding to whole tonnes. A balance value that is published with few decimals (`rule.balance_value_decimals`) is rounded
before units respond, and then leaves a residual. Measures are indivisible here, also if
`abatement.divisible_measures` is true.

There is no program and no dual; every row has its year. Units: tonnes of CO2 equivalent, allowances [t], CNY a year,
CNY/t, $B$ and $I$ in t/t. Reference: 2026 plan, consultation draft of 27 July 2026; on the zero-sum design Goulder,
Long, Lu and Morgenstern, Journal of Environmental Economics and Management 111, 2022.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.modelling import CalculationModel
from etsopt.rules.intensity import balances_every_sector
from etsopt_models._equilibrium.tables import equilibrium_tables

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.instance import Instance

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
    "sectors.*.balance_value",
    "horizon",
    "abatement.no_regret",
    "abatement.output_cut",
    "market.prices_cny_per_t",
    "market.paid_share",
)
"""Keys and sections of the policy; allowances are those of the rule, without targets, balances and bands."""


def calculate(instance: Instance) -> dict[str, pd.DataFrame]:
    """Return the tables ``equilibrium``, ``fixed_points``, ``cycles`` and ``units``.

    Raises
    ------
    DataError
        If the rule does not balance every sector, a balance value is stated, or no price is.
    """
    outside = [name for name in instance.sectors if instance.policy.states_balance_value(name)]
    if outside:
        what = _("is stated, so that responses of these units do not move it")
        advice = _("Solve abatement, or leave the balance value to the units of the table.")
        raise DataError(
            _("The policy"),
            [Problem("policy.toml", what, advice, f"sectors.{outside[0]}.balance_value")],
        )
    if not balances_every_sector(instance):
        what = _(
            "the rule {name!r} does not balance every sector: expected an intensity rule",
            name=instance.policy.rule.name,
        )
        advice = _("Use cn-2025 or cn-2026 on an instance of industry alone, or solve abatement.")
        raise DataError(_("The policy"), [Problem("policy.toml", what, advice, "rule.name")])
    return equilibrium_tables(instance)


MODEL = CalculationModel(calculate=calculate, reads=READS)
