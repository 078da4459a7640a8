"""Check the tables of a market and bound its cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.checking.allocation.totals import wrong_with
from etsopt.checking.market import statements
from etsopt.checking.market.accounts import derive_accounts, derive_terms, pool_accounts
from etsopt.checking.market.baseline import derive_baseline
from etsopt.checking.market.bound import Bound
from etsopt.checking.market.choices import derive_choices
from etsopt.checking.market.cost import cost_of, spent_by
from etsopt.checking.market.leaves import LEAVES, read_leaves
from etsopt.checking.market.leeway import leeway_of
from etsopt.checking.market.plans import of_measures, of_units, plans_are_admissible, read_plans
from etsopt.checking.market.prices import COST, UNMET, StatedMultipliers, interval_is_proven
from etsopt.checking.market.remainder import remainder
from etsopt.checking.market.restricted import Restricted
from etsopt.checking.market.uplift import UPLIFT, uplift_follows
from etsopt.checking.plan import inside_in
from etsopt.checking.report import LevelCheck, Violation
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.checking.market.accounts import Accounts, TradeTerms
    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.choices import Choices
    from etsopt.checking.market.leaves import Leaf
    from etsopt.checking.market.leeway import Leeway
    from etsopt.checking.market.plans import Amounts
    from etsopt.data.instance import Instance

MARKETS = ("abatement", "clearing", "pathway")
"""Kinds of results that are markets; all but the pathway start from an allocation."""

DECIDED = ("bought_t", "sold_t", "offset_t", "outstanding_t")
PRICES = ("price_cny_per_t", "price_lower_cny_per_t", "price_upper_cny_per_t")
OF_RESERVE = ("intake_t", "released_t")


def check_market(
    instance: Instance, tables: Mapping[str, pd.DataFrame], kind: str, gap: float
) -> tuple[list[Violation], LevelCheck | None]:
    """Return the violations of a market, and its cost with a bound; None if the tables are not those of a market.

    Parameters
    ----------
    tables
        Tables of the result, with the allocation from which it started, if any.
    gap
        Relative gap of the solve.
    """
    baseline, accounts, offered, terms = derived(instance, tables, kind)
    violations = _shape(instance, baseline, accounts, tables, kind)
    if violations:
        return violations, None
    taken, violations = read_plans(instance, baseline, offered, tables["plans"])
    if taken is None:
        return violations, None
    pool = pool_accounts(accounts) if instance.policy.market.transaction_cost_cny_per_t == 0 else accounts
    stated = StatedMultipliers(baseline, pool, tables["duals"])
    given, violations = stated.at(COST, "CNY/t")
    price = terms.expected_price if kind == statements.ABATEMENT else -given.market_balance / baseline.discount
    units, of_plans = of_units(baseline, offered, taken, price)
    keys, measures = of_measures(instance, baseline, offered, taken, of_plans)
    emissions, free = accounts.total(units.emissions), accounts.total(units.free)
    holdings = statements.read_holdings(tables["enterprise_years"], accounts, emissions, free)
    violations += plans_are_admissible(instance, baseline, offered, taken)
    violations += statements.texts_follow("years", tables["years"], "price_unit", f"CNY {instance.policy.price_year}/t")
    violations += _units_follow(instance, baseline, units, tables)
    violations += _measures_follow(baseline, keys, measures, tables["measure_years"])
    expected = statements.enterprise_columns(instance, baseline, accounts, terms, holdings, units, price)
    enterprises, years = tables["enterprise_years"], tables["years"]
    violations += statements.columns_follow("enterprise_years", accounts.labels, baseline.years, enterprises, expected)
    violations += statements.limits_of_accounts(baseline, accounts, terms, holdings, emissions)
    violations += statements.holdings_within_need(baseline, pool, holdings)
    no_label = np.array([""], dtype=object)
    of_years = statements.year_columns(baseline, terms, enterprises, years, kind) | {"price_cny_per_t": price[None]}
    if kind == statements.ABATEMENT:
        of_years |= {"price_lower_cny_per_t": price[None], "price_upper_cny_per_t": price[None]}
    violations += statements.columns_follow("years", no_label, baseline.years, years, of_years)
    if any(violation.rule == "tables" for violation in violations):
        return violations, None
    violations += statements.limits_of_market(baseline, terms, years, of_years, kind)
    value, uncertain, spending = cost_of(baseline, offered, accounts, terms, holdings, units, years, kind)
    leeway = leeway_of(baseline, accounts, pool, terms, holdings, units, years)
    root = Bound(baseline, offered, pool, terms, given, leeway)
    bound = relaxed = root.of_all() - uncertain
    integer = not instance.policy.abatement.divisible_measures
    if integer:
        if pool is accounts:
            discounted, sizes = baseline.discount * price, root.sizes
            spent = spent_by(baseline, accounts, terms, holdings, units, sizes, discounted, given.offsets_on_offer)
            bound = root.of_whole(spent) - uncertain
        leaves, more = read_leaves(instance, baseline, offered, tables.get(LEAVES))
        violations += more
        if leaves:
            proven, more = _proven_by(leaves, baseline, offered, pool, terms, leeway, stated, root)
            violations += more
            bound = max(bound, proven - uncertain)
    elif LEAVES in tables:
        message = "divisible measures have no leaves"
        violations.append(Violation(LEAVES, "", 1.0, "tables", message))
    violations += uplift_follows(instance, units, root, tables.get(UPLIFT), integer)
    if kind != statements.ABATEMENT:
        violations += interval_is_proven(baseline, offered, pool, terms, leeway, stated, years, price, relaxed)
    if not bound <= value + tolerance_of(value, "CNY"):
        violations.append(Violation("cost", "", bound - value, "CNY", "the cost is not below its lower bound"))
    off = max(value - bound, 0.0)
    asked = gap * max(abs(value), spending)
    return violations, LevelCheck(COST, "CNY", value, value - off, off, tolerance_of(value, "CNY"), asked)


def _proven_by(
    leaves: Sequence[Leaf],
    baseline: Baseline,
    offered: Choices,
    pool: Accounts,
    terms: TradeTerms,
    leeway: Leeway,
    stated: StatedMultipliers,
    root: Bound,
) -> tuple[float, list[Violation]]:
    """Return the least bound of the leaves of a tree [CNY], and the violations of its multipliers."""
    unmet_most = float(baseline.emissions.sum() + np.abs(terms.auctioned - terms.demand).sum())
    costless = replace(baseline, discount=np.zeros_like(baseline.discount))
    known, violations, least = {COST: root}, list[Violation](), np.inf
    restricted = Restricted(baseline, offered, {branching.unit for leaf in leaves for branching in leaf.branchings})
    for leaf in leaves:
        of_unmet = leaf.level.startswith(f"{UNMET}:")
        if leaf.level and leaf.level not in known:
            given, wrong = stated.at(leaf.level, "t/t" if of_unmet else "CNY/t")
            violations += wrong
            part = (costless if of_unmet else baseline, offered, pool, terms, given, leeway)
            known[leaf.level] = Bound(*part, unmet_most if of_unmet else 0.0)
        bound = known[leaf.level or COST].under(leaf.branchings, restricted)
        # A leaf without plans, or with unmet demand, is empty.
        empty = bound == np.inf or (of_unmet and bound > 0)
        least = min(least, np.inf if empty else -np.inf if of_unmet or not leaf.level else bound)
    return least, violations


def derived(
    instance: Instance, tables: Mapping[str, pd.DataFrame], kind: str
) -> tuple[Baseline, Accounts, Choices, TradeTerms]:
    """Derive baseline, accounts, measures and terms again, from the instance and the allocation of the market."""
    baseline = derive_baseline(instance, None if kind == "pathway" else tables["allocation"])
    left = np.zeros(len(baseline.years)) if kind == "pathway" else remainder(instance, baseline, tables)
    return (
        baseline,
        derive_accounts(instance, baseline, kind),
        derive_choices(instance, baseline),
        derive_terms(instance, baseline, kind, left),
    )


def _shape(
    instance: Instance, baseline: Baseline, accounts: Accounts, tables: Mapping[str, pd.DataFrame], kind: str
) -> list[Violation]:
    """Return the violations of tables, their rows, and the numbers that are decided."""
    units = {
        name: instance.units[name].to_numpy(dtype=object) for name in ("unit_id", "enterprise_id", "sector", "province")
    }
    keys: dict[str, dict[str, NDArray[Any]]] = {
        "years": {},
        "sector_years": {"sector": np.array(instance.sectors, dtype=object)},
        "enterprise_years": {"enterprise_id": accounts.labels},
        "unit_years": units,
    }
    violations = [
        violation
        for name, labels in keys.items()
        for violation in statements.rows_are_there(name, tables.get(name), labels, baseline.years)
    ]
    numbers = {
        "years": [*PRICES, *(() if kind == statements.ABATEMENT else OF_RESERVE)],
        "enterprise_years": [*DECIDED],
        "plans": ["plan", "share", "start_year"],
        "measure_years": ["year", "units"],
        "duals": ["year", "multiplier"],
    }
    texts = {"plans": ["unit_id", "measure_id"], "duals": ["level", "row", "index", "unit"]}
    for name, columns in numbers.items():
        if name not in tables:
            violations.append(Violation("tables", name, 1.0, "tables", "the table is present"))
            continue
        violations += [
            Violation("tables", f"{name}.{column}", 1.0, "columns", f"the column {wrong}")
            for column in texts.get(name, ())
            if (wrong := wrong_with(tables[name], column, False))
        ]
        if not violations:
            violations += statements.numbers_are_there(name, tables[name], columns)
            if (
                not violations
                and name != "duals"
                and not np.isfinite(tables[name][columns].to_numpy(dtype=float)).all()
            ):
                violations.append(Violation("tables", name, 1.0, "tables", "the numbers of the table are finite"))
    return violations


def _units_follow(
    instance: Instance, baseline: Baseline, units: Amounts, tables: Mapping[str, pd.DataFrame]
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
    sums["output_t"] = np.array([baseline.output[sector == one].sum(axis=0) for one in names])
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
    baseline: Baseline, keys: pd.DataFrame, columns: dict[str, NDArray[np.float64]], table: pd.DataFrame
) -> list[Violation]:
    """Check that the totals of each measure follow from the plans."""
    wanted = {name: keys[name].to_numpy(dtype=object) for name in ("measure_id", "sector")}
    if not len(keys):
        return (
            [Violation("measure_years", "", 1.0, "rows", "without measures the table is empty")] if len(table) else []
        )
    violations = statements.rows_are_there("measure_years", table, wanted, baseline.years)
    return violations or statements.columns_follow(
        "measure_years", wanted["measure_id"], baseline.years, table, columns
    )
