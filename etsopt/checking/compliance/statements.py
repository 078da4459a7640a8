"""Check each statement that the tables of a compliance year must satisfy, one function for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking import cells
from etsopt.checking.allocation import statements
from etsopt.checking.compliance import limits
from etsopt.checking.readings import plan
from etsopt.checking.readings.instance_inputs import by_year
from etsopt.checking.readings.targets import fixed_at_emissions, floored
from etsopt.checking.tolerances import NUMBER_RELATIVE, ROUNDING_EDGE_T, TOTAL_TOLERANCE_T
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.checking.arrays import Floats
    from etsopt.checking.readings.instance_inputs import InstanceInputs
    from etsopt.checking.verdict import Violation

IN, OUT = (
    ("opening_t", "carried_over_t", "issued_t", "bought_t"),
    ("surrendered_t", "sold_t", "cancelled_t", "closing_t"),
)
FLOWS = (*IN, *OUT)


def above(
    rule: str, names: object, off: object, message: str, unit: str = "t", tolerance: float = 0.0
) -> list[Violation]:
    """Return a violation for every amount that is off by more than the tolerance, the largest first."""
    return cells.above(rule, names, np.abs(np.asarray(off, dtype=float)), tolerance, unit, message)


def flows_of(holdings: pd.DataFrame, names: pd.Index, vintages: list[int]) -> dict[str, Floats]:
    """Return the flows of the table of holdings, shape ``(enterprises, vintages)``, zero without a row [t]."""
    table = holdings.set_index(["enterprise_id", "vintage"])
    every = pd.MultiIndex.from_product([names, vintages])
    shape = (len(names), len(vintages))
    return {flow: table[flow].reindex(every, fill_value=0).to_numpy(dtype=float).reshape(shape) for flow in FLOWS}


def held_of(flows: Mapping[str, Floats]) -> Floats:
    """Return the holdings before any trade, shape ``(enterprises, vintages)`` [t]."""
    return flows["opening_t"] + flows["carried_over_t"] + flows["issued_t"] - flows["cancelled_t"]


def allowances(instance: InstanceInputs, units: pd.DataFrame, sectors: pd.DataFrame) -> list[Violation]:
    """Check that issued allowances follow the rule, in whole tonnes: pre-allocation, top-up and return."""
    names = units["unit_id"]
    fixed = fixed_at_emissions(instance)
    violations = statements.reference_follows_rule(instance, units, sectors, fixed)
    violations += statements.balance_value_balances(instance, sectors, fixed)
    free = 1 - by_year(instance.policy.market.paid_share, [instance.policy.year], 0.0)[0]
    exact, allowance = free * units["reference_t"].to_numpy(dtype=float), units["allowance_t"].to_numpy(dtype=float)
    # At the edge of rounding the whole tonne on either side is right.
    low, high = np.floor(exact - ROUNDING_EDGE_T), np.floor(exact + ROUNDING_EDGE_T)
    off = np.maximum(np.maximum(low - allowance, allowance - high), 0.0)
    violations += above("allowances", names, off, _("the allowance is the free allocation of the rule, rounded down"))
    advance = floored(statements.advance(instance))
    violations += above("advance", names, units["pre_allocated_t"] - advance, _("pre-allocation follows the rule"))
    due = units["allowance_t"] - units["pre_allocated_t"]
    message = _("the final allocation less the pre-allocation is topped up, or returned if negative")
    violations += above("issuance", names, units["top_up_t"] - due.clip(lower=0), message)
    return violations + above("issuance", names, units["return_t"] - (-due).clip(lower=0), message)


def holdings(
    instance: InstanceInputs, units: pd.DataFrame, table: pd.DataFrame, flows: Mapping[str, Floats]
) -> list[Violation]:
    """Check the balance of each vintage of each account: only usable vintages move."""
    year, vintages = instance.policy.year, np.array(limits.vintages_of(instance))
    names = pd.Index(sorted(limits.enterprises(instance, units).index))
    violations = []
    for flow, expected in limits.holdings(instance, units, names).items():
        off = np.abs(flows[flow] - expected.to_numpy()).sum(axis=1)
        message = _("{flow} of every vintage is that of the instance and its rules", flow=flow)
        violations += above(flow, names, off, message)
    off = np.abs(sum(flows[flow] for flow in IN) - sum(flows[flow] for flow in OUT)).sum(axis=1)
    violations += above("conservation", names, off, _("opening plus inflows equals outflows plus closing, by vintage"))
    usable = limits.usable(vintages, year)
    moves = (flows["surrendered_t"] + flows["sold_t"])[:, ~usable].sum(axis=1)
    violations += above("vintages", names, moves, _("an unusable vintage is neither surrendered nor sold"))
    wrong = table["usable"].astype(bool).to_numpy() != limits.usable(table["vintage"].to_numpy(), year)
    message = _("usable is true if the vintage may be surrendered for the year")
    violations += above("vintages", table["enterprise_id"], wrong, message, "cells")
    other = vintages != year
    message = _("purchased allowances have the year's vintage and are surrendered at once")
    violations += above("purchases", names, flows["bought_t"][:, other].sum(axis=1), message)
    early = np.maximum(flows["bought_t"] - flows["surrendered_t"], 0.0).sum(axis=1)
    return violations + above("purchases", names, early, message)


def accounts(enterprises: pd.DataFrame, stated: pd.DataFrame, flows: Mapping[str, Floats]) -> list[Violation]:
    """Check that the row of an enterprise follows from its units and its holdings."""
    violations = []
    for column, of_instance in (("province", "province"), ("at_risk", "at_risk"), ("units", "units")):
        wrong = stated[column].to_numpy() != enterprises[of_instance].to_numpy()
        message = _("{column} is that of the enterprise", column=column)
        violations += above("enterprise", enterprises.index, wrong, message, "cells")
    emitted = stated["emissions_tco2e"] - enterprises["emissions"]
    message = _("emissions are those of its units")
    violations += above("enterprise", enterprises.index, emitted, message, tolerance=TOTAL_TOLERANCE_T)
    message = _("the obligation is the verified emissions to the nearest tonne, and what is outstanding")
    violations += above("obligation", enterprises.index, stated["obligation_t"] - enterprises["obligation"], message)
    for flow in FLOWS:
        moved, what = flows[flow], _("the sum over all vintages")
        if flow == "carried_over_t":
            moved, what = np.maximum(moved, 0.0), _("what joins a vintage")
        off = stated[flow].to_numpy() - moved.sum(axis=1)
        violations += above("accounts", enterprises.index, off, _("{flow} is {sum}", flow=flow, sum=what))
    return violations


def obligations_met(
    instance: InstanceInputs, enterprises: pd.DataFrame, stated: pd.DataFrame, flows: Mapping[str, Floats]
) -> list[Violation]:
    """Check that obligations are met within the limits, and that the provincial account surrenders first."""
    names, year, vintages = enterprises.index, instance.policy.year, limits.vintages_of(instance)
    met = stated["surrendered_t"] + stated["offset_t"] + stated["shortfall_t"]
    message = _("surrender, offsets and shortfall total the obligation")
    violations = above("obligation_met", names, met - stated["obligation_t"], message)
    beyond = (stated["offset_t"] - enterprises["offset_most"]).clip(lower=0)
    violations += above("offsets", names, beyond, _("offsets are within their share of the obligation and the supply"))
    held = held_of(flows)[:, limits.usable(np.array(vintages), year)]
    beyond = np.maximum(stated["bought_t"].to_numpy() - limits.most_bought(enterprises, held), 0.0)
    message = _("an enterprise buys what it needs at most, and nothing if it is without purchases")
    violations += above("purchases", names, beyond, message)
    most = limits.largest_shortfall(enterprises, held)
    beyond = np.maximum(stated["shortfall_t"].to_numpy() - most, 0.0)
    message = _("a shortfall is at most the obligation less holdings and offsets")
    violations += above("shortfall", names, beyond, message)
    released = enterprises["received"] - enterprises["from_province"]
    for part, expected in (
        ("received", enterprises["received"]),
        ("surrendered", enterprises["from_province"]),
        ("released", released),
    ):
        column = f"province_{part}_t"
        message = _("{column} follows from the allowances and the obligation of an enterprise at risk", column=column)
        violations += above("province_account", names, stated[column] - expected, message)
    newest = vintages.index(year)
    surrendered = (flows["surrendered_t"] - flows["bought_t"])[:, newest]
    not_surrendered = np.maximum(enterprises["from_province"].to_numpy() - surrendered, 0.0)
    message = _("the provincial account of an enterprise at risk surrenders first")
    return violations + above("province_account", names, not_surrendered, message)


def money(
    instance: InstanceInputs, stated: pd.DataFrame, flows: Mapping[str, Floats], prices: limits.Tariff
) -> list[Violation]:
    """Check that amounts are tonnes times prices, and fines those of the law at the deadline."""
    year = instance.policy.year
    shortfall = stated["shortfall_t"]
    usable = limits.usable(np.array(limits.vintages_of(instance)), year)
    trades = stated["bought_t"] + stated["sold_t"]

    def times(price: float, tonnes: pd.Series) -> pd.Series:
        # A missing price does not matter if nothing is traded at it.
        return (price * tonnes).where(tonnes != 0, 0.0)

    expected = {
        "purchases_cny": times(prices.market, stated["bought_t"]),
        "offsets_cny": times(prices.offset, stated["offset_t"]),
        "sales_cny": times(prices.market, stated["sold_t"]),
        "transactions_cny": times(prices.transaction, trades),
        "penalty_cny": times(prices.multiple * prices.reference, shortfall),
        "fixed_fine_cny": times(float(plan.fixed_fines(instance, [year])[0]), (shortfall > 0).astype(float)),
        "kept_worth_cny": times(prices.keep, pd.Series(flows["closing_t"][:, usable].sum(axis=1), stated.index)),
    }
    paid = sum(expected[name] for name in expected if name not in ("sales_cny", "kept_worth_cny"))
    expected["cost_cny"] = paid - expected["sales_cny"]
    violations = []
    for column, amount in expected.items():
        tolerance = 0.01 + NUMBER_RELATIVE * (paid + expected["sales_cny"] + amount.abs())
        off = ((stated[column] - amount).abs() - tolerance).clip(lower=0)
        off = off.where((stated[column] - amount).notna(), np.inf)
        message = _("{column} is the product of tonnes and prices, or the fine", column=column)
        violations += above("money", stated.index, off, message, "CNY")
    deducted = stated["deducted_next_year_t"] - floored(
        (plan.deducted_share(instance) * shortfall).to_numpy(dtype=float)
    )
    message = _("a shortfall up to 2024 is deducted from the next year, a later one not, or as the policy states")
    return violations + above("deduction", stated.index, deducted, message)


def totals_add_up(tables: Mapping[str, pd.DataFrame], instance: InstanceInputs) -> list[Violation]:
    """Check that provinces and the nation total their enterprises, sectors their units, and shortfalls are listed."""
    compliance, units = tables["compliance"], tables["issuance"]
    counted = compliance.assign(
        enterprises=1,
        enterprises_at_risk=compliance["at_risk"].astype(int),
        enterprises_with_shortfall=(compliance["shortfall_t"] > 0).astype(int),
        year=instance.policy.year,
    )
    violations = []
    for name, key in (("compliance_provinces", "province"), ("nation", "year")):
        columns = [column for column in tables[name].columns if column != key]
        violations += _sums(name, key, tables[name], counted.groupby(key)[columns].sum())
    groups = units.groupby("sector")
    sums = groups[["emissions_tco2e", "reference_t", "allowance_t", "pre_allocated_t", "top_up_t", "return_t"]].sum()
    within = units[plan.inside(instance)].groupby("sector")["enterprise_id"]
    counts = {"units": within.size(), "enterprises": within.nunique()}
    expected = sums.assign(**{name: count.reindex(sums.index, fill_value=0) for name, count in counts.items()})
    violations += _sums("compliance_sectors", "sector", tables["compliance_sectors"], expected)
    shortfalls = compliance[compliance["shortfall_t"] > 0].set_index("enterprise_id")
    stated = tables["shortfalls"]
    if sorted(stated["enterprise_id"]) != sorted(shortfalls.index):
        return [*violations, *above("shortfalls", ["shortfalls"], [1.0], _("every shortfall has one row"), "rows")]
    penalty, year = instance.policy.penalty, instance.policy.year
    columns = ["obligation_t", "shortfall_t", "penalty_cny", "fixed_fine_cny", "deducted_next_year_t"]
    shortfalls = shortfalls.assign(
        reference_price_cny_per_t=by_year(penalty.reference_price_cny_per_t, [year])[0], multiple=penalty.multiple
    )
    expected = shortfalls[[*columns, "reference_price_cny_per_t", "multiple"]]
    violations += _sums("shortfalls", "enterprise_id", stated, expected.reset_index().set_index("enterprise_id"))
    regime = "from 2026-08-15" if year >= plan.AMENDED_LAW_FROM else "until 2026-08-14"
    wrong = (stated["regime"] != regime) | (stated["province"] != stated["enterprise_id"].map(shortfalls["province"]))
    message = _("regime and province are those of the shortfall")
    return violations + above("shortfalls", stated["enterprise_id"], wrong, message, "cells")


def _sums(name: str, key: str, table: pd.DataFrame, expected: pd.DataFrame) -> list[Violation]:
    """Check the groups and the sums of a table of totals."""
    if sorted(table[key]) != sorted(expected.index):
        return above("totals", [name], [1.0], _("every {key} has one row", key=key), "rows")
    stated = table.set_index(key).reindex(expected.index)
    violations = []
    for column in expected:
        tolerance = 0.0 if column.endswith("_t") and column != "reference_t" else TOTAL_TOLERANCE_T
        if column.endswith("_cny"):
            tolerance = 0.01 + NUMBER_RELATIVE * float(expected[column].abs().sum())
        off = stated[column].to_numpy(dtype=float) - expected[column].to_numpy(dtype=float)
        message = _("{column} of {table} is the sum of its rows", column=column, table=name)
        violations += above("totals", expected.index, off, message, tolerance=tolerance)
    return violations
