"""Check the tables of a market and bound its cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.checking.allocation.totals import wrong_with
from etsopt.checking.market import statements as says
from etsopt.checking.market.accounts import accounts, terms, together
from etsopt.checking.market.baseline import baseline
from etsopt.checking.market.bound import Bound
from etsopt.checking.market.choices import choices
from etsopt.checking.market.cost import cost_of, spent_by
from etsopt.checking.market.leaves import LEAVES, read_leaves
from etsopt.checking.market.leeway import leeway_of
from etsopt.checking.market.plans import of_measures, of_units, plans_are_admissible, read_plans
from etsopt.checking.market.prices import COST, UNMET, Stated, interval_is_proven
from etsopt.checking.market.remainder import remainder
from etsopt.checking.market.restricted import Restricted
from etsopt.checking.market.uplift import UPLIFT, uplift_follows
from etsopt.checking.plan import inside_in
from etsopt.checking.report import LevelCheck, Violation
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.checking.market.accounts import Accounts, Terms
    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.choices import Choices
    from etsopt.checking.market.leaves import Leaf
    from etsopt.checking.market.leeway import Leeway
    from etsopt.checking.market.plans import Amounts
    from etsopt.data.instance import Instance

MARKETS = ("abatement", "clearing", "pathway")
"""Kinds of results that are markets; all but the path start from an allocation."""

DECIDED = ("bought_t", "sold_t", "offset_t", "outstanding_t")
PRICES = ("price_cny_per_t", "price_lower_cny_per_t", "price_upper_cny_per_t")
OF_RESERVE = ("intake_t", "released_t")


def check_market(
    instance: Instance, tables: Mapping[str, pd.DataFrame], kind: str, gap: float
) -> tuple[list[Violation], LevelCheck | None]:
    """Statements of a market that do not hold, and its cost with a bound; None where tables are not those of a market.

    Parameters
    ----------
    tables
        With the allocation that it started from, if it did.
    gap
        Relative gap that was asked for.
    """
    found, own, offered, deal = derived(instance, tables, kind)
    broken = _shape(instance, found, own, tables, kind)
    if broken:
        return broken, None
    taken, broken = read_plans(instance, found, offered, tables["plans"])
    if taken is None:
        return broken, None
    pool = together(own) if instance.policy.market.transaction_cost_cny_per_t == 0 else own
    stated = Stated(found, pool, tables["duals"])
    given, broken = stated.at(COST, "CNY/t")
    price = deal.expected if kind == says.ABATEMENT else -given.market_balance / found.discount
    units, of_plans = of_units(found, offered, taken, price)
    keys, measures = of_measures(instance, found, offered, taken, of_plans)
    emissions, free = own.total(units.emissions), own.total(units.free)
    held = says.holdings(tables["enterprise_years"], own, emissions, free)
    broken += plans_are_admissible(instance, found, offered, taken)
    broken += says.texts_follow("years", tables["years"], "price_unit", f"CNY {instance.policy.price_year}/t")
    broken += _units_follow(instance, found, units, tables)
    broken += _measures_follow(found, keys, measures, tables["measure_years"])
    expected = says.enterprise_columns(instance, found, own, deal, held, units, price)
    enterprises, years = tables["enterprise_years"], tables["years"]
    broken += says.columns_follow("enterprise_years", own.labels, found.years, enterprises, expected)
    broken += says.limits_of_accounts(found, own, deal, held, emissions)
    broken += says.dealings_within_need(found, pool, held)
    nobody = np.array([""], dtype=object)
    of_years = says.year_columns(found, deal, enterprises, years, kind) | {"price_cny_per_t": price[None]}
    if kind == says.ABATEMENT:
        of_years |= {"price_lower_cny_per_t": price[None], "price_upper_cny_per_t": price[None]}
    broken += says.columns_follow("years", nobody, found.years, years, of_years)
    if any(violation.rule == "tables" for violation in broken):
        return broken, None
    broken += says.limits_of_market(found, deal, years, of_years, kind)
    value, uncertain, spending = cost_of(found, offered, own, deal, held, units, years, kind)
    leeway = leeway_of(found, own, pool, deal, held, units, years)
    at = Bound(found, offered, pool, deal, given, leeway)
    bound = plain = at.of_all() - uncertain
    whole = not instance.policy.abatement.divisible_measures
    if whole:
        if pool is own:
            discounted, sizes = found.discount * price, at.sizes
            spent = spent_by(found, own, deal, held, units, sizes, discounted, given.offsets_on_offer)
            bound = at.of_whole(spent) - uncertain
        leaves, wrong = read_leaves(instance, found, offered, tables.get(LEAVES))
        broken += wrong
        if leaves:
            proven, wrong = _proven_by(leaves, found, offered, pool, deal, leeway, stated, at)
            broken += wrong
            bound = max(bound, proven - uncertain)
    elif LEAVES in tables:
        broken.append(Violation(LEAVES, "", 1.0, "tables", "where measures are divisible no leaves prove anything"))
    broken += uplift_follows(instance, units, at, tables.get(UPLIFT), whole)
    if kind != says.ABATEMENT:
        broken += interval_is_proven(found, offered, pool, deal, leeway, stated, years, price, plain)
    if not bound <= value + tolerance_of(value, "CNY"):
        broken.append(Violation("cost", "", bound - value, "CNY", "no bound lies above what the answer costs"))
    off = max(value - bound, 0.0)
    asked = gap * max(abs(value), spending)
    return broken, LevelCheck(COST, "CNY", value, value - off, off, tolerance_of(value, "CNY"), asked)


def _proven_by(
    leaves: Sequence[Leaf],
    found: Baseline,
    offered: Choices,
    pool: Accounts,
    deal: Terms,
    leeway: Leeway,
    stated: Stated,
    root: Bound,
) -> tuple[float, list[Violation]]:
    """The least that the leaves of a tree come to, and multipliers that are stated wrongly [CNY]."""
    anything = float(found.emissions.sum() + np.abs(deal.auctioned - deal.demand).sum())
    free = replace(found, discount=np.zeros_like(found.discount))
    known, broken, least = {COST: root}, list[Violation](), np.inf
    restricted = Restricted(found, offered, {held.unit for leaf in leaves for held in leaf.held})
    for leaf in leaves:
        of_missing = leaf.level.startswith(f"{UNMET}:")
        if leaf.level and leaf.level not in known:
            given, wrong = stated.at(leaf.level, "t/t" if of_missing else "CNY/t")
            broken += wrong
            part = (free if of_missing else found, offered, pool, deal, given, leeway)
            known[leaf.level] = Bound(*part, anything if of_missing else 0.0)
        at = known[leaf.level or COST].under(leaf.held, restricted)
        # Where no plan is left, or something is missing, nothing lies in the leaf.
        empty = at == np.inf or (of_missing and at > 0)
        least = min(least, np.inf if empty else -np.inf if of_missing or not leaf.level else at)
    return least, broken


def derived(
    instance: Instance, tables: Mapping[str, pd.DataFrame], kind: str
) -> tuple[Baseline, Accounts, Choices, Terms]:
    """What lies before a market, derived again from the instance and the allocation that it started from."""
    found = baseline(instance, None if kind == "pathway" else tables["allocation"])
    left = np.zeros(len(found.years)) if kind == "pathway" else remainder(instance, found, tables)
    return found, accounts(instance, found, kind), choices(instance, found), terms(instance, found, kind, left)


def _shape(
    instance: Instance, found: Baseline, own: Accounts, tables: Mapping[str, pd.DataFrame], kind: str
) -> list[Violation]:
    """Tables, their rows, and the numbers that are decided."""
    units = {
        name: instance.units[name].to_numpy(dtype=object) for name in ("unit_id", "enterprise_id", "sector", "province")
    }
    keys: dict[str, dict[str, NDArray[Any]]] = {
        "years": {},
        "sector_years": {"sector": np.array(instance.sectors, dtype=object)},
        "enterprise_years": {"enterprise_id": own.labels},
        "unit_years": units,
    }
    broken = [
        violation
        for name, labels in keys.items()
        for violation in says.rows_are_there(name, tables.get(name), labels, found.years)
    ]
    numbers = {
        "years": [*PRICES, *(() if kind == says.ABATEMENT else OF_RESERVE)],
        "enterprise_years": [*DECIDED],
        "plans": ["plan", "share", "start_year"],
        "measure_years": ["year", "units"],
        "duals": ["year", "multiplier"],
    }
    texts = {"plans": ["unit_id", "measure_id"], "duals": ["level", "row", "index", "unit"]}
    for name, columns in numbers.items():
        if name not in tables:
            broken.append(Violation("tables", name, 1.0, "tables", "the table is there"))
            continue
        broken += [
            Violation("tables", f"{name}.{column}", 1.0, "columns", f"the column {wrong}")
            for column in texts.get(name, ())
            if (wrong := wrong_with(tables[name], column, False))
        ]
        if not broken:
            broken += says.numbers_are_there(name, tables[name], columns)
            if not broken and name != "duals" and not np.isfinite(tables[name][columns].to_numpy(dtype=float)).all():
                broken.append(Violation("tables", name, 1.0, "tables", "its numbers are finite"))
    return broken


def _units_follow(
    instance: Instance, found: Baseline, units: Amounts, tables: Mapping[str, pd.DataFrame]
) -> list[Violation]:
    """Units follow from their plans, and sectors are sums of their units."""
    columns = {
        "emissions_before_tco2e": found.emissions,
        "emissions_tco2e": units.emissions,
        "allowance_t": units.free,
        "surplus_t": units.free - units.emissions,
        "measures_cost_cny": units.cost,
    }
    names = np.array(instance.sectors, dtype=object)
    sector = instance.units["sector"].to_numpy()
    sums = {name: np.array([values[sector == one].sum(axis=0) for one in names]) for name, values in columns.items()}
    sums["output_t"] = np.array([found.output[sector == one].sum(axis=0) for one in names])
    cost, output = sums["measures_cost_cny"], sums["output_t"]
    sums["measures_cost_cny_per_t"] = np.divide(cost, output, out=np.full_like(cost, np.nan), where=output > 0)
    scope = inside_in(instance, found.years)
    if not scope.all():
        columns["in_scope"] = scope.astype(float)
    columns["marginal_incentive_cny_per_t"] = units.reward_measured
    columns["marginal_incentive_elsewhere_cny_per_t"] = units.reward_elsewhere
    labels = instance.units["unit_id"].to_numpy()
    return [
        *says.columns_follow("unit_years", labels, found.years, tables["unit_years"], columns),
        *says.columns_follow("sector_years", names, found.years, tables["sector_years"], sums),
    ]


def _measures_follow(
    found: Baseline, keys: pd.DataFrame, columns: dict[str, NDArray[np.float64]], table: pd.DataFrame
) -> list[Violation]:
    """What each measure does follows from the plans."""
    wanted = {name: keys[name].to_numpy(dtype=object) for name in ("measure_id", "sector")}
    if not len(keys):
        return [Violation("measure_years", "", 1.0, "rows", "no measure is taken")] if len(table) else []
    broken = says.rows_are_there("measure_years", table, wanted, found.years)
    return broken or says.columns_follow("measure_years", wanted["measure_id"], found.years, table, columns)
