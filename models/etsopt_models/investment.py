r"""An investment under uncertainty: install now, then run, trade and bank in every scenario (mixed-integer program).

Enterprises decide *now* which measures to install. Prices, outputs, balance values and allowances of the coming years
are not known: one of several scenarios comes, with a probability each (`scenarios.csv`). *Then*, in each scenario, an
installed measure that may stop runs or rests year by year, and the account buys, sells and banks. This is a two-stage
stochastic program in its extensive form. Baseline and measures are those of `abatement`.

.. formulation:: formulate

The term with $\beta$ is CVaR at the level $\alpha$, the mean cost of the worst scenarios. With $\beta = 0$, the default,
the objective is the expected cost.

**Costs.** Investment is an annuity over the lifetime, as in `abatement`. With the fixed cost it is due in every year from
the first in which the measure can run, whether it runs or not. A measure that is ordered now runs from its first year,
and not before those that it requires; one step of a measure is built a year. One that may not stop always runs. The
budget limits the investment itself, at the cost of the year in which it is built.

**By prices.** Trading at the price costs nothing, so that the bank pays or not whatever is emitted, and net demand
$d$ costs $\pi d$. So the cost $C_{j\omega}$ of an option in a scenario is known beforehand, with the best operation of
each year, and a unit without budget and CVaR takes the option of least expected cost. Budget and CVaR couple the units
of an enterprise. These choose among the options that no other option of the unit beats in every scenario, by the same
program with $C$ in place of trades. The method `decomposition` does so; the method `direct` takes the extensive form as
long as it is small, and gives the same answer.

**Bound.** CVaR is the largest mean over the probabilities $q$ with $0 \le q_\omega \le p_\omega / (1 - \alpha)$
(Rockafellar and Uryasev), so that with multipliers $\lambda_a \ge 0$ of the budgets and

$$(1 - \beta) p_\omega \le q_{a\omega} \le (1 - \beta) p_\omega + \frac{\beta}{1 - \alpha} p_\omega, \qquad
\sum_\omega q_{a\omega} = 1$$

no decision costs less than

$$\sum_a \Bigl[ \sum_\omega q_{a\omega} c_{a\omega} - \lambda_a G_a + \sum_{i \in a} \min_{j \in J_i} \Bigl(
  \sum_\omega q_{a\omega} C_{j\omega} + \lambda_a I_j \Bigr) \Bigr].$$

Without budget and CVaR it is the cost itself. Otherwise the choice of whole options leaves a gap, which is zero if the
checker can look at every combination of an enterprise's options.

**By hand** (`tests/models/test_investment.py`). A plant emits 100,000 t and gets 90,000 t in one year. A measure of
5,000,000 CNY, over ten years without interest, avoids 20,000 t at 60 CNY/t and may stop. The price will be 40 or 120
CNY/t, with equal probability. *Wait*: the plant buys 10,000 t for 400,000 or 1,200,000 CNY, 800,000 expected. *Invest*:
at 40 the measure rests, for 500,000 + 400,000 = 900,000; at 120 it runs and 10,000 t are sold, for 500,000 + 1,200,000
- 1,200,000 = 500,000; 700,000 expected. So it invests. At the expected price of 80 it would save only 400,000 of the
500,000, and wait: the value of the stochastic solution is 800,000 - 700,000 = 100,000 CNY. Who knows the price pays
400,000 or 500,000, 450,000 expected: perfect information is worth 250,000 CNY. Regret is 500,000 CNY at 40, none at 120.

**Tables.** `investments` has the decision of each measure, and the one for expected values. `operations` says when an
installed measure that may stop runs. `scenario_years` has trades and costs in CNY of the year, `scenario_costs` discounted
costs, and regret: how much less the best decision for that scenario alone would cost. `investment_summary` has the
value of the stochastic solution (decision for the expected scenario less this decision, by the objective) and the
expected value of perfect information (this decision less the best one for each scenario). With a budget neither of them
nor regret is stated, since nothing would prove them.

**Limits.** After the first decision everything is known within a scenario, and nothing is installed later. An account
keeps a surplus, but neither borrows nor buys to hold: in a known path that would be a certain gain. Offsets, the penalty
and the transaction cost play no part. An enterprise takes the balance values of its sectors as given.

**Duals.** That of `cost_of_scenario` is the weight $q_{a\omega}$ of a scenario, minus that of `budget` is $\lambda_a$.

References: Birge and Louveaux (2011), Introduction to Stochastic Programming, chapters 1 and 4; Rockafellar and Uryasev
(2000), Optimization of conditional value-at-risk; Geoffrion (1974) for the bound.
"""

from __future__ import annotations

import pyomo.environ as pyo

from etsopt.modelling import PreparedModel
from etsopt_models._investment.programs import prepare_extensive
from etsopt_models._investment.tables import investment_tables

READS = (
    "rule.carry_over_*",
    "horizon",
    "abatement",
    "!abatement.divisible_measures",
    "market.prices_cny_per_t",
    "market.paid_share",
    "market.terminal_price_cny_per_t",
    "pathway.self_balancing_until",
    "investment",
)
"""Keys and sections of the policy, beside those of the model it starts from."""


def formulate() -> pyo.AbstractModel:  # long because a symbol and an equation each have their line
    r"""Return the program without data.

    | symbol | meaning | unit | in the code |
    | --- | --- | --- | --- |
    | $i, a$ | units; enterprises, each with an account | | `UNITS`, `ENTERPRISES` |
    | $j \in J_i$ | options of a unit: sets of measures that may be installed | | `OPTIONS`, `OPTIONS_OF_UNIT`, `OPTIONS_OF_ENTERPRISE` |
    | $o \in O_j$ | ways to run an option: the part of it that runs | | `OPERATIONS`, `OPERATIONS_OF_OPTION`, `OPERATIONS_OF_ENTERPRISE` |
    | $\omega, t$ | scenarios; years | | `SCENARIOS`, `YEARS` |
    | $0, \dots, T$ | points in time: a year begins at its own and ends at the next | | `TIMES` |
    | $p_\omega$ | probability | 1 | `probability` |
    | $x_j \in \{0, 1\}$ | 1 if the option is installed | 1 | `install` |
    | $y_{o\omega t} \in [0, 1]$ | share of the year in which an option runs so | 1 | `operate` |
    | $b_{a\omega t}, s_{a\omega t} \ge 0$ | bought, sold, up to a limit that excludes nothing | t | `bought`, `sold`, `traded_most` |
    | $B_{a\omega t}$ | banked at a point in time; at most the opening balance and the surpluses so far, before abatement | t | `banked`; `banked_least`, `banked_most` |
    | $Z_{a\omega}$ | discounted cost in a scenario, between its bounds | CNY | `scenario_cost`; `cost_least`, `cost_most` |
    | $\eta_a, u_{a\omega} \ge 0$ | quantile of the cost; cost above it | CNY | `quantile`, `excess`; `quantile_least`, `quantile_most` |
    | $f_j, v_{o\omega t}$ | discounted fixed and variable cost of measures | CNY | `fixed_cost`, `operating_cost` |
    | $d_{o\omega t}$ | net demand: emissions less free allowances | t | `net_demand` |
    | $\pi_{\omega t}, w_t$ | discounted price; worth of an allowance that is banked at a point in time, only at the last above zero | CNY/t | `price`, `banked_worth` |
    | $I_j, G_a$ | investment of an option, budget of an enterprise with one, $a \in$ `LIMITED` | CNY | `investment`, `budget_limit`, `LIMITED` |
    | $1 - \beta, \beta, \beta / (1 - \alpha)$ | weights of expected cost and CVaR; $1 - \alpha$ is the probability of the worst scenarios | 1 | `expected_weight`, `cvar_weight`, `excess_weight` |
    | $c_{a\omega}, c_0$ | cost that is decided outside the program: of an account, and of other enterprises | CNY | `account_cost`, `decided_cost` |
    """
    m = pyo.AbstractModel("investment")
    m.UNITS, m.ENTERPRISES, m.OPTIONS, m.OPERATIONS = pyo.Set(), pyo.Set(), pyo.Set(), pyo.Set()
    m.SCENARIOS, m.YEARS, m.TIMES = pyo.Set(), pyo.Set(), pyo.Set()
    m.LIMITED = pyo.Set(within=m.ENTERPRISES, doc="enterprises with a budget")
    m.OPTIONS_OF_UNIT = pyo.Set(m.UNITS, within=m.OPTIONS)
    m.OPTIONS_OF_ENTERPRISE = pyo.Set(m.ENTERPRISES, within=m.OPTIONS)
    m.OPERATIONS_OF_OPTION = pyo.Set(m.OPTIONS, within=m.OPERATIONS)
    m.OPERATIONS_OF_ENTERPRISE = pyo.Set(m.ENTERPRISES, within=m.OPERATIONS)
    m.probability = pyo.Param(m.SCENARIOS, doc="probability [1]")
    m.investment = pyo.Param(m.OPTIONS, doc="investment [CNY]")
    m.fixed_cost = pyo.Param(m.OPTIONS, doc="discounted cost of what is installed [CNY]")
    m.operating_cost = pyo.Param(m.OPERATIONS, m.SCENARIOS, m.YEARS, doc="discounted cost of what runs [CNY]")
    m.net_demand = pyo.Param(m.OPERATIONS, m.SCENARIOS, m.YEARS, doc="emissions less free allowances [t]")
    m.price = pyo.Param(m.SCENARIOS, m.YEARS, doc="discounted price [CNY/t]")
    m.banked_worth = pyo.Param(m.TIMES, doc="discounted worth of a banked allowance [CNY/t]")
    m.budget_limit = pyo.Param(m.ENTERPRISES, doc="most investment [CNY]")
    m.account_cost = pyo.Param(m.ENTERPRISES, m.SCENARIOS, doc="cost of the account that is decided [CNY]")
    m.decided_cost = pyo.Param(mutable=True, doc="expected cost of enterprises that are decided [CNY]")
    m.expected_weight = pyo.Param(mutable=True, doc="weight of the expected cost [1]")
    m.cvar_weight = pyo.Param(mutable=True, doc="weight of the quantile in CVaR [1]")
    m.excess_weight = pyo.Param(mutable=True, doc="weight of the cost above it [1]")
    m.traded_most = pyo.Param(m.ENTERPRISES, m.SCENARIOS, m.YEARS, doc="most that is bought or sold [t]")
    m.banked_least = pyo.Param(m.ENTERPRISES, m.SCENARIOS, m.TIMES, doc="least balance [t]")
    m.banked_most = pyo.Param(m.ENTERPRISES, m.SCENARIOS, m.TIMES, doc="largest balance [t]")
    m.cost_least = pyo.Param(m.ENTERPRISES, m.SCENARIOS, doc="least cost of a scenario [CNY]")
    m.cost_most = pyo.Param(m.ENTERPRISES, m.SCENARIOS, doc="largest cost of a scenario [CNY]")
    m.quantile_least = pyo.Param(m.ENTERPRISES, doc="least quantile [CNY]")
    m.quantile_most = pyo.Param(m.ENTERPRISES, doc="largest quantile [CNY]")

    m.install = pyo.Var(m.OPTIONS, domain=pyo.Binary, doc="1 if the option is installed [1]")
    m.operate = pyo.Var(m.OPERATIONS, m.SCENARIOS, m.YEARS, bounds=(0, 1), doc="share of the year it runs so [1]")
    most = lambda m, a, w, t: (0, m.traded_most[a, w, t])  # noqa: E731  the same bounds of two variables
    m.bought = pyo.Var(m.ENTERPRISES, m.SCENARIOS, m.YEARS, bounds=most, doc="bought [t]")
    m.sold = pyo.Var(m.ENTERPRISES, m.SCENARIOS, m.YEARS, bounds=most, doc="sold [t]")
    held = lambda m, a, w, t: (m.banked_least[a, w, t], m.banked_most[a, w, t])  # noqa: E731
    m.banked = pyo.Var(m.ENTERPRISES, m.SCENARIOS, m.TIMES, bounds=held, doc="banked [t]")
    within = lambda m, a, w: (m.cost_least[a, w], m.cost_most[a, w])  # noqa: E731
    m.scenario_cost = pyo.Var(m.ENTERPRISES, m.SCENARIOS, bounds=within, doc="discounted cost [CNY]")
    between = lambda m, a: (m.quantile_least[a], m.quantile_most[a])  # noqa: E731
    m.quantile = pyo.Var(m.ENTERPRISES, bounds=between, doc="quantile of the cost [CNY]")
    above = lambda m, a, w: (0, m.quantile_most[a] - m.quantile_least[a])  # noqa: E731
    m.excess = pyo.Var(m.ENTERPRISES, m.SCENARIOS, bounds=above, doc="cost above the quantile [CNY]")

    # $$\sum_{j \in J_i} x_j = 1 \tag{one_option}$$
    @m.Constraint(m.UNITS, doc="a unit installs one option [1]")
    def one_option(m, i):
        return sum(m.install[j] for j in m.OPTIONS_OF_UNIT[i]) == 1

    # $$\sum_{o \in O_j} y_{o\omega t} = x_j \tag{operation_of_installed}$$
    @m.Constraint(m.OPTIONS, m.SCENARIOS, m.YEARS, doc="what is installed runs in one way or another [1]")
    def operation_of_installed(m, j, w, t):
        return sum(m.operate[o, w, t] for o in m.OPERATIONS_OF_OPTION[j]) - m.install[j] == 0

    # $$\sum_{j \in a} I_j x_j \le G_a \tag{budget}$$
    @m.Constraint(m.LIMITED, doc="investment within the budget [CNY]")
    def budget(m, a):
        return sum(m.investment[j] * m.install[j] for j in m.OPTIONS_OF_ENTERPRISE[a]) <= m.budget_limit[a]

    # $$B_{a\omega t} - B_{a\omega,t+1} + b_{a\omega t} - s_{a\omega t} = \sum_{o \in a} d_{o\omega t} y_{o\omega t} \tag{account_balance}$$
    @m.Constraint(m.ENTERPRISES, m.SCENARIOS, m.YEARS, doc="an account closes the year [t]")
    def account_balance(m, a, w, t):
        traded = m.banked[a, w, t] - m.banked[a, w, t + 1] + m.bought[a, w, t] - m.sold[a, w, t]
        demand = sum(m.net_demand[o, w, t] * m.operate[o, w, t] for o in m.OPERATIONS_OF_ENTERPRISE[a])
        return traded - demand == 0

    # $$Z_{a\omega} = c_{a\omega} + \sum_{j \in a} f_j x_j + \sum_{o \in a, t} v_{o\omega t} y_{o\omega t}
    #   + \sum_t \pi_{\omega t} (b_{a\omega t} - s_{a\omega t}) - \sum_t w_t B_{a\omega t} \tag{cost_of_scenario}$$
    @m.Constraint(m.ENTERPRISES, m.SCENARIOS, doc="the cost of a scenario [CNY]")
    def cost_of_scenario(m, a, w):
        fixed = sum(m.fixed_cost[j] * m.install[j] for j in m.OPTIONS_OF_ENTERPRISE[a])
        running = sum(
            m.operating_cost[o, w, t] * m.operate[o, w, t] for o in m.OPERATIONS_OF_ENTERPRISE[a] for t in m.YEARS
        )
        traded = sum(m.price[w, t] * (m.bought[a, w, t] - m.sold[a, w, t]) for t in m.YEARS)
        left = sum(m.banked_worth[t] * m.banked[a, w, t] for t in m.TIMES)
        return m.scenario_cost[a, w] - fixed - running - traded + left == m.account_cost[a, w]

    # $$u_{a\omega} \ge Z_{a\omega} - \eta_a \tag{cost_above_quantile}$$
    @m.Constraint(m.ENTERPRISES, m.SCENARIOS, doc="cost above the quantile [CNY]")
    def cost_above_quantile(m, a, w):
        return m.excess[a, w] - m.scenario_cost[a, w] + m.quantile[a] >= 0

    # $$\min c_0 + \sum_a \Bigl[ (1 - \beta) \sum_\omega p_\omega Z_{a\omega}
    #   + \beta \Bigl( \eta_a + \frac{1}{1 - \alpha} \sum_\omega p_\omega u_{a\omega} \Bigr) \Bigr] \tag{cost}$$
    @m.Objective(doc="expected discounted cost and CVaR, weighted [CNY]")
    def cost(m):
        expected = sum(m.probability[w] * m.scenario_cost[a, w] for a in m.ENTERPRISES for w in m.SCENARIOS)
        above = sum(m.probability[w] * m.excess[a, w] for a in m.ENTERPRISES for w in m.SCENARIOS)
        quantiles = sum(m.quantile[a] for a in m.ENTERPRISES)
        return m.decided_cost + m.expected_weight * expected + m.cvar_weight * quantiles + m.excess_weight * above

    return m


MODEL = PreparedModel(
    formulate=formulate,
    prepare=prepare_extensive,
    tables=investment_tables,
    starts_from="allocation",
    gap=1e-4,
    reads=READS,
)
