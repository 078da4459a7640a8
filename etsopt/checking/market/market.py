"""Check the tables of a market and bound its cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from etsopt.checking.cells import are_whole, crossed, rows_are
from etsopt.checking.market import statements
from etsopt.checking.market.bound import Bound
from etsopt.checking.market.closure import CLOSURE, closure_follows
from etsopt.checking.market.combinations import proven_together
from etsopt.checking.market.cost import cost_of, spent_by, tolerance_of_cost
from etsopt.checking.market.derived import derive_market
from etsopt.checking.market.leaves import LEAVES, read_leaves
from etsopt.checking.market.leeway import leeway_of
from etsopt.checking.market.plans import of_measures, of_units, plans_are_admissible, read_plans
from etsopt.checking.market.prices import StatedMultipliers, interval_is_proven
from etsopt.checking.market.restricted import Restricted
from etsopt.checking.market.self_balancing import BALANCE_VALUES, answer_balances, read_held
from etsopt.checking.market.statements import Answer
from etsopt.checking.market.terminal_prices import terminal_prices_follow
from etsopt.checking.market.uplift import UPLIFT, uplift_follows
from etsopt.checking.readings.plan import inside_in
from etsopt.checking.theorem import COST, DUALS, UNMET
from etsopt.checking.verdict import LevelCheck, Violation
from etsopt.common.language import _
from etsopt.common.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etsopt.checking.arrays import Floats
    from etsopt.checking.market.arcs import Multipliers
    from etsopt.checking.market.derived import Market
    from etsopt.checking.market.leaves import Leaf
    from etsopt.checking.market.plans import Amounts, SelectedPlans
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.instance_inputs import InstanceInputs

DECIDED = ("bought_t", "sold_t", "offset_t", "outstanding_t")
PRICES = ("price_cny_per_t", "price_lower_cny_per_t", "price_upper_cny_per_t")
OF_RESERVE = ("intake_t", "released_t")


class Read(NamedTuple):
    """A market, the decisions of its tables, the table of its years, and all multipliers and those of the cost."""

    market: Market
    answer: Answer
    years: pd.DataFrame
    stated: StatedMultipliers
    given: Multipliers


def read_market(
    instance: InstanceInputs, tables: Mapping[str, pd.DataFrame], kind: str
) -> tuple[Read | None, list[Violation]]:
    """Return what tables say of a market, None if they are not those of one, and the violations of their shape."""
    held, violations = read_held(instance, tables, kind)
    if violations:
        return None, violations
    market = derive_market(instance, tables, kind, held)
    violations = _shape(instance, market, tables, kind)
    if violations:
        return None, violations
    taken, violations = read_plans(instance, market.baseline, market.offered, tables["plans"])
    if taken is None:
        return None, violations
    stated = StatedMultipliers(market.program.baseline, market.program.accounts, tables["duals"])
    given, violations = stated.at(COST, "CNY/t")
    answer = _answer(market, taken, -given.market_balance / market.baseline.discount, tables, kind)
    return Read(market, answer, tables["years"], stated, given), violations


def check_market(
    instance: InstanceInputs, tables: Mapping[str, pd.DataFrame], kind: str, gap: float
) -> tuple[list[Violation], LevelCheck | None]:
    """Return the violations of a market, and its cost with a bound; None if the tables are not those of a market.

    Parameters
    ----------
    tables
        Tables of the result, with the allocation from which it started, if any.
    gap
        Largest relative gap that the reader accepts.
    """
    read, violations = read_market(instance, tables, kind)
    if read is None:
        return violations, None
    market, answer, years, stated, given = read
    program = market.program
    violations += _tables_follow(instance, market, answer, tables, kind)
    if any(violation.rule == "tables" for violation in violations):
        return violations, None
    value, uncertain, spending = cost_of(market, answer.holdings, answer.units, years, kind)
    tolerance = tolerance_of_cost(value, market)
    root = Bound(program, given, leeway_of(market, answer.holdings, answer.units, years))
    bound = relaxed = root.of_all() - uncertain
    integer, others = not instance.policy.abatement.divisible_measures, list[Bound]()
    if integer:
        if program is market:
            discounted = market.baseline.discount * answer.price
            spent = spent_by(market, answer.holdings, answer.units, discounted, given.offsets_on_offer)
            bound = root.of_whole(spent) - uncertain
        leaves, more = read_leaves(instance, market.baseline, market.offered, tables.get(LEAVES))
        violations += more
        if leaves:
            proven, of_leaves, more = _proven_by(leaves, stated, root)
            violations += more
            others += of_leaves
            bound = max(bound, proven - uncertain)
        proven, together, more = proven_together(stated, root, value)
        violations += more
        others += together
        bound = max(bound, proven - uncertain)
    elif LEAVES in tables:
        message = _("divisible measures have no leaves")
        violations.append(Violation(LEAVES, "", 1.0, "tables", message))
    violations += uplift_follows(instance, answer.units, root, tables.get(UPLIFT), integer)
    if kind != statements.ABATEMENT:
        violations += interval_is_proven(root, others, stated, years, answer.price, relaxed, tolerance)
        wrong = closure_follows(root, given, years, tables.get(CLOSURE))
        # Whether there are other terminal prices follows from a right table.
        violations += wrong or terminal_prices_follow(instance, market, stated, tables, kind)
    elif CLOSURE in tables:
        violations.append(Violation(CLOSURE, "", 1.0, "tables", _("a stated price is set by the policy alone")))
    if not bound <= value + tolerance_of(value, "CNY"):
        violations.append(Violation("cost", "", bound - value, "CNY", _("the cost is not below its lower bound")))
    off = max(value - bound, 0.0)
    asked = gap * max(abs(value), spending)
    check = LevelCheck(COST, "CNY", value, value - off, off, tolerance, asked)
    if not integer:
        return violations, check
    of_prices = None if kind == statements.ABATEMENT else max(value - relaxed, 0.0)
    return violations, replace(check, spending=spending, of_prices=of_prices)


def _answer(
    market: Market, taken: SelectedPlans, price: Floats, tables: Mapping[str, pd.DataFrame], kind: str
) -> Answer:
    """Return the decisions of the tables; the price of abatement is the stated one."""
    if kind == statements.ABATEMENT:
        price = market.terms.expected_price
    units, of_plans = of_units(market.baseline, market.offered, taken, price)
    emissions, free = market.accounts.total(units.emissions), market.accounts.total(units.free)
    table, banks = tables["enterprise_years"], market.terms.banks
    holdings = statements.read_holdings(table, market.accounts, emissions, free, banks)
    return Answer(taken, units, of_plans, holdings, price)


def _tables_follow(
    instance: InstanceInputs, market: Market, answer: Answer, tables: Mapping[str, pd.DataFrame], kind: str
) -> list[Violation]:
    """Check that all tables follow from the decisions, which meet their limits."""
    baseline, accounts, offered = market.baseline, market.accounts, market.offered
    units, holdings, price = answer.units, answer.holdings, answer.price
    enterprises, years = tables["enterprise_years"], tables["years"]
    violations = answer_balances(instance, market, answer, tables.get(BALANCE_VALUES))
    violations += plans_are_admissible(instance, baseline, offered, answer.taken)
    violations += statements.texts_follow("years", years, "price_unit", f"CNY {instance.price_year}/t")
    violations += _units_follow(instance, baseline, units, tables)
    keys, measures = of_measures(instance, baseline, offered, answer.taken, answer.of_plans)
    violations += _measures_follow(baseline, keys, measures, tables["measure_years"])
    expected = statements.enterprise_columns(instance, market, holdings, units, price)
    violations += statements.columns_follow("enterprise_years", accounts.labels, baseline.years, enterprises, expected)
    if any(violation.rule == "tables" for violation in violations):
        return violations
    violations += statements.limits_of_accounts(market, holdings, accounts.total(units.emissions))
    violations += statements.holdings_within_need(baseline, market.program.accounts, holdings)
    no_label = np.array([""], dtype=object)
    of_years = statements.year_columns(baseline, market.terms, enterprises, years, kind)
    of_years["price_cny_per_t"] = price[None]
    if kind == statements.ABATEMENT:
        of_years |= {"price_lower_cny_per_t": price[None], "price_upper_cny_per_t": price[None]}
    violations += statements.columns_follow("years", no_label, baseline.years, years, of_years)
    if not any(violation.rule == "tables" for violation in violations):
        violations += statements.limits_of_market(baseline, market.terms, years, of_years, kind)
    return violations


def _proven_by(
    leaves: Sequence[Leaf], stated: StatedMultipliers, root: Bound
) -> tuple[float, list[Bound], list[Violation]]:
    """Return the least bound of the leaves of a tree [CNY], bounds at their multipliers, and violations of these."""
    market = root.market
    known, violations, least = {COST: root}, list[Violation](), np.inf
    branched = {branching.unit for leaf in leaves for branching in leaf.branchings}
    restricted = Restricted(market.baseline, market.offered, branched)
    for leaf in leaves:
        of_unmet = leaf.level.startswith(f"{UNMET}:")
        if leaf.level and leaf.level not in known:
            given, wrong = stated.at(leaf.level, "t/t" if of_unmet else "CNY/t")
            violations += wrong
            most = market.unmet_most if of_unmet else 0.0
            known[leaf.level] = Bound(market.costless if of_unmet else market, given, root.leeway, most)
        bound = known[leaf.level or COST].under(leaf.branchings, restricted)
        # A leaf without plans, or with unmet demand, is empty.
        empty = bound == np.inf or (of_unmet and bound > 0)
        least = min(least, np.inf if empty else -np.inf if of_unmet or not leaf.level else bound)
    return least, [bound for level, bound in known.items() if not level.startswith(f"{UNMET}:")], violations


def _shape(instance: InstanceInputs, market: Market, tables: Mapping[str, pd.DataFrame], kind: str) -> list[Violation]:
    """Return the violations of tables, their rows, and the numbers that are decided."""
    units, years = instance.units, market.baseline.years
    read = {
        "years": (*PRICES, *(() if kind == statements.ABATEMENT else OF_RESERVE)),
        "sector_years": (),
        "enterprise_years": DECIDED,
        "unit_years": (),
        "plans": ("unit_id", "measure_id", "plan", "share", *market.offered.numbers_of_plans),
        "measure_years": ("year", "units"),
        **DUALS,
    }
    names = ("unit_id", "enterprise_id", "sector", "province")
    keys = {
        "years": crossed(year=years),
        "sector_years": crossed(sector=instance.sectors, year=years),
        "enterprise_years": crossed(enterprise_id=market.accounts.labels, year=years),
        "unit_years": {name: np.repeat(units[name].to_numpy(dtype=object), len(years)) for name in names}
        | {"year": np.tile(years, len(units))},
    }
    violations = are_whole(tables, read)
    # The multipliers of the allocation, which the table has as well, are of no year.
    violations = violations or statements.numbers_are_there("duals", tables["duals"], ["year"])
    return violations or [
        violation for name, wanted in keys.items() for violation in rows_are(name, tables[name], wanted)
    ]


def _units_follow(
    instance: InstanceInputs, baseline: Baseline, units: Amounts, tables: Mapping[str, pd.DataFrame]
) -> list[Violation]:
    """Check that units follow from their plans, and that sectors are sums of their units."""
    columns = {
        "emissions_before_tco2e": baseline.emissions,
        "emissions_tco2e": units.emissions,
        "allowance_t": units.free,
        "surplus_t": units.free - units.emissions,
        "measures_cost_cny": units.cost,
    }
    names = np.array(instance.sectors, dtype=object)
    sector = instance.units["sector"].to_numpy()
    sums = {name: np.array([values[sector == one].sum(axis=0) for one in names]) for name, values in columns.items()}
    sums["output_t"] = np.array([baseline.output_t[sector == one].sum(axis=0) for one in names])
    cost, output = sums["measures_cost_cny"], sums["output_t"]
    sums["measures_cost_cny_per_t"] = np.divide(cost, output, out=np.full_like(cost, np.nan), where=output > 0)
    scope = inside_in(instance, baseline.years)
    if not scope.all():
        columns["in_scope"] = scope.astype(float)
    columns["marginal_incentive_cny_per_t"] = units.incentive_measured
    columns["marginal_incentive_elsewhere_cny_per_t"] = units.incentive_elsewhere
    labels = instance.units["unit_id"].to_numpy()
    return [
        *statements.columns_follow("unit_years", labels, baseline.years, tables["unit_years"], columns),
        *statements.columns_follow("sector_years", names, baseline.years, tables["sector_years"], sums),
    ]


def _measures_follow(
    baseline: Baseline, keys: pd.DataFrame, columns: dict[str, Floats], table: pd.DataFrame
) -> list[Violation]:
    """Check that the totals of each measure follow from the plans."""
    if not len(keys):
        message = _("without measures the table is empty")
        return [Violation("measure_years", "", 1.0, "rows", message)] if len(table) else []
    years = baseline.years
    wanted = {name: np.repeat(keys[name].to_numpy(dtype=object), len(years)) for name in ("measure_id", "sector")}
    violations = rows_are("measure_years", table, wanted | {"year": np.tile(years, len(keys))})
    labels = keys["measure_id"].to_numpy(dtype=object)
    return violations or statements.columns_follow("measure_years", labels, years, table, columns)
