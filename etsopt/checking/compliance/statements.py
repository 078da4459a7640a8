"""One function for each statement that the tables of a compliance year must satisfy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking import plan
from etsopt.checking.allocation import statements, totals
from etsopt.checking.allocation.bands import floored
from etsopt.checking.allocation.limits import fixed_at_emissions
from etsopt.checking.compliance import limits
from etsopt.data.yearly import by_year

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.checking.report import Violation
    from etsopt.data.instance import Instance

IN, OUT = (
    ("opening_t", "carried_over_t", "issued_t", "bought_t"),
    ("surrendered_t", "sold_t", "cancelled_t", "closing_t"),
)
FLOWS = (*IN, *OUT)

MONEY_TOLERANCE = 1e-9
"""Amounts may differ by rounding, against the sum of their parts, or by a hundredth of a yuan."""


def vintages_of(year: int) -> list[int]:
    """Vintages that a table of holdings may have."""
    return sorted({*range(2019, 2027), year})


def say(
    rule: str, names: object, off: object, message: str, unit: str = "t", tolerance: float = 0.0
) -> list[Violation]:
    """A violation for every amount above the tolerance, the largest first."""
    amounts = np.abs(np.asarray(off, dtype=float))
    return list(
        statements.largest_change_first(rule, np.asarray(names, dtype=object), amounts, tolerance, unit, message)
    )


def flows_of(holdings: pd.DataFrame, names: pd.Index, year: int) -> dict[str, NDArray[np.float64]]:
    """Flows of the table of holdings as enterprises by vintages, zero where there is no row [t]."""
    table = holdings.set_index(["enterprise_id", "vintage"])
    whole = pd.MultiIndex.from_product([names, vintages_of(year)])
    shape = (len(names), len(vintages_of(year)))
    return {flow: table[flow].reindex(whole, fill_value=0).to_numpy(dtype=float).reshape(shape) for flow in FLOWS}


def held_of(flows: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """What is held before any trade, by enterprise and vintage [t]."""
    return flows["opening_t"] + flows["carried_over_t"] + flows["issued_t"] - flows["cancelled_t"]


def allowances(instance: Instance, units: pd.DataFrame, sectors: pd.DataFrame) -> list[Violation]:
    """What is issued follows the rule, in whole tonnes: in advance, topped up, or owed back."""
    names = units["unit_id"]
    fixed = fixed_at_emissions(instance)
    found = statements.reference_follows_rule(instance, units, sectors, fixed)
    found += statements.balance_value_balances(instance, sectors, fixed)
    free = 1 - by_year(instance.policy.market.paid_share, [instance.policy.year], 0.0)[0]
    exact, allowance = free * units["reference_t"].to_numpy(dtype=float), units["allowance_t"].to_numpy(dtype=float)
    # Where a whole number falls on the edge of rounding either side of it is right.
    low, high = np.floor(exact - statements.EDGE_T), np.floor(exact + statements.EDGE_T)
    off = np.maximum(np.maximum(low - allowance, allowance - high), 0.0)
    found += say("allowances", names, off, "the allowance is what the rule gives free, rounded down")
    advance = floored(statements.advance(instance))
    found += say("advance", names, units["pre_allocated_t"] - advance, "what is issued in advance follows the rule")
    due = units["allowance_t"] - units["pre_allocated_t"]
    message = "what is due beyond the advance is topped up, the reverse owed"
    found += say("issuance", names, units["top_up_t"] - due.clip(lower=0), message)
    return found + say("issuance", names, units["return_t"] - (-due).clip(lower=0), message)


def holdings(
    instance: Instance, units: pd.DataFrame, table: pd.DataFrame, flows: Mapping[str, NDArray[np.float64]]
) -> list[Violation]:
    """Each vintage of each account begins and ends with what is in it, and only what settles the year moves."""
    year = instance.policy.year
    names = pd.Index(sorted(limits.enterprises(instance, units).index))
    found = []
    for flow, expected in limits.holdings(instance, units, names).items():
        off = np.abs(flows[flow] - expected.to_numpy()).sum(axis=1)
        found += say(flow, names, off, f"{flow} of every vintage is that of the instance and its rules")
    off = np.abs(sum(flows[flow] for flow in IN) - sum(flows[flow] for flow in OUT)).sum(axis=1)
    found += say("conservation", names, off, "opening and what comes in is what goes out and closing, by vintage")
    usable = limits.settles(np.array(vintages_of(year)), year)
    moves = (flows["surrendered_t"] + flows["sold_t"])[:, ~usable].sum(axis=1)
    found += say("vintages", names, moves, "a vintage that does not settle the year is not surrendered or sold")
    wrong = table["usable"].astype(bool).to_numpy() != limits.settles(table["vintage"].to_numpy(), year)
    found += say("vintages", table["enterprise_id"], wrong, "usable says whether the vintage settles the year", "cells")
    other = np.array(vintages_of(year)) != year
    message = "allowances that are bought are of the year and surrendered at once"
    found += say("purchases", names, flows["bought_t"][:, other].sum(axis=1), message)
    early = np.maximum(flows["bought_t"] - flows["surrendered_t"], 0.0).sum(axis=1)
    return found + say("purchases", names, early, message)


def accounts(known: pd.DataFrame, stated: pd.DataFrame, flows: Mapping[str, NDArray[np.float64]]) -> list[Violation]:
    """What is said of an enterprise is that of its units and its holdings."""
    found = []
    for column, of_instance in (("province", "province"), ("at_risk", "at_risk"), ("units", "units")):
        wrong = stated[column].to_numpy() != known[of_instance].to_numpy()
        found += say("enterprise", known.index, wrong, f"{column} is that of the enterprise", "cells")
    emitted = stated["emissions_tco2e"] - known["emissions"]
    found += say("enterprise", known.index, emitted, "emissions are those of its units", tolerance=totals.ABSOLUTE)
    message = "the obligation is the verified emissions to the nearest tonne"
    found += say("obligation", known.index, stated["obligation_t"] - known["obligation"], message)
    for flow in FLOWS:
        off = stated[flow].to_numpy() - flows[flow].sum(axis=1)
        found += say("accounts", known.index, off, f"{flow} is that of all vintages")
    return found


def settled(
    known: pd.DataFrame, stated: pd.DataFrame, flows: Mapping[str, NDArray[np.float64]], year: int
) -> list[Violation]:
    """Obligations are met within the limits; the account of the province surrenders first."""
    names = known.index
    met = stated["surrendered_t"] + stated["offset_t"] + stated["shortfall_t"]
    found = say("obligation_met", names, met - stated["obligation_t"], "all that is owed is settled, or a shortfall")
    beyond = (stated["offset_t"] - known["offset_most"]).clip(lower=0)
    found += say("offsets", names, beyond, "offsets stay within their share of the obligation and of the supply")
    bought = stated["bought_t"].where(~known["buys"].to_numpy(), 0)
    found += say("purchases", names, bought, "an enterprise without purchases buys nothing")
    usable = limits.settles(np.array(vintages_of(year)), year)
    most = limits.most_missing(known, held_of(flows)[:, usable])
    beyond = np.maximum(stated["shortfall_t"].to_numpy() - most, 0.0)
    found += say("shortfall", names, beyond, "a shortfall is at most what holdings and offsets cannot settle")
    released = known["received"] - known["first"]
    for part, expected in (("received", known["received"]), ("surrendered", known["first"]), ("released", released)):
        message = f"what the province {part} is what an enterprise at risk gets, owes, or gets beyond that"
        found += say("province_account", names, stated[f"province_{part}_t"] - expected, message)
    newest = vintages_of(year).index(year)
    own = (flows["surrendered_t"] - flows["bought_t"])[:, newest]
    missing = np.maximum(known["first"].to_numpy() - own, 0.0)
    message = "what the province holds for an enterprise at risk is surrendered first"
    return found + say("province_account", names, missing, message)


def money(
    instance: Instance, stated: pd.DataFrame, flows: Mapping[str, NDArray[np.float64]], prices: limits.Tariff
) -> list[Violation]:
    """Amounts are tonnes times prices, and fines those of the law at the deadline."""
    year = instance.policy.year
    short = stated["shortfall_t"]
    usable = limits.settles(np.array(vintages_of(year)), year)
    trades = stated["bought_t"] + stated["sold_t"]

    def times(price: float, tonnes: pd.Series) -> pd.Series:
        # A price that is not stated is no matter where nothing is dealt in.
        return (price * tonnes).where(tonnes != 0, 0.0)

    expected = {
        "purchases_cny": times(prices.market, stated["bought_t"]),
        "offsets_cny": times(prices.offset, stated["offset_t"]),
        "sales_cny": times(prices.market, stated["sold_t"]),
        "transactions_cny": times(prices.transaction, trades),
        "penalty_cny": times(prices.multiple * prices.reference, short),
        "fixed_fine_cny": times(float(plan.fixed_fines(instance, [year])[0]), (short > 0).astype(float)),
        "kept_worth_cny": times(prices.keep, pd.Series(flows["closing_t"][:, usable].sum(axis=1), stated.index)),
    }
    paid = sum(expected[name] for name in expected if name not in ("sales_cny", "kept_worth_cny"))
    expected["cost_cny"] = paid - expected["sales_cny"]
    found = []
    for column, amount in expected.items():
        room = 0.01 + MONEY_TOLERANCE * (paid + expected["sales_cny"] + amount.abs())
        off = ((stated[column] - amount).abs() - room).clip(lower=0)
        off = off.where((stated[column] - amount).notna(), np.inf)
        message = f"{column} is what prices and fines make of the tonnes"
        found += say("money", stated.index, off, message, "CNY")
    deducted = stated["deducted_next_year_t"] - floored((plan.deducted_share(instance) * short).to_numpy(dtype=float))
    message = "a shortfall of a year up to 2024 is deducted from the next, of a later one it is not, or as is stated"
    return found + say("deduction", stated.index, deducted, message)


def totals_add_up(tables: Mapping[str, pd.DataFrame], instance: Instance) -> list[Violation]:
    """Provinces and the nation are the sums of enterprises, sectors those of units; who falls short is listed."""
    compliance, units = tables["compliance"], tables["issuance"]
    counted = compliance.assign(
        enterprises=1,
        enterprises_at_risk=compliance["at_risk"].astype(int),
        enterprises_with_shortfall=(compliance["shortfall_t"] > 0).astype(int),
        year=instance.policy.year,
    )
    found = []
    for name, key in (("compliance_provinces", "province"), ("nation", "year")):
        columns = [column for column in tables[name].columns if column != key]
        found += _sums(name, key, tables[name], counted.groupby(key)[columns].sum())
    groups = units.groupby("sector")
    sums = groups[["emissions_tco2e", "reference_t", "allowance_t", "pre_allocated_t", "top_up_t", "return_t"]].sum()
    within = units[plan.inside(instance)].groupby("sector")["enterprise_id"]
    counts = {"units": within.size(), "enterprises": within.nunique()}
    expected = sums.assign(**{name: count.reindex(sums.index, fill_value=0) for name, count in counts.items()})
    found += _sums("compliance_sectors", "sector", tables["compliance_sectors"], expected)
    short = compliance[compliance["shortfall_t"] > 0].set_index("enterprise_id")
    stated = tables["shortfalls"]
    if sorted(stated["enterprise_id"]) != sorted(short.index):
        return [*found, *say("shortfalls", ["shortfalls"], [1.0], "every shortfall has one row", "rows")]
    penalty, year = instance.policy.penalty, instance.policy.year
    columns = ["obligation_t", "shortfall_t", "penalty_cny", "fixed_fine_cny", "deducted_next_year_t"]
    short = short.assign(
        reference_price_cny_per_t=by_year(penalty.reference_price_cny_per_t, [year])[0], multiple=penalty.multiple
    )
    expected = short[[*columns, "reference_price_cny_per_t", "multiple"]]
    found += _sums("shortfalls", "enterprise_id", stated, expected.reset_index().set_index("enterprise_id"))
    regime = "from 2026-08-15" if year >= plan.AMENDED_LAW_FROM else "until 2026-08-14"
    wrong = (stated["regime"] != regime) | (stated["province"] != stated["enterprise_id"].map(short["province"]))
    return found + say("shortfalls", stated["enterprise_id"], wrong, "law and province are those of the case", "cells")


def _sums(name: str, key: str, table: pd.DataFrame, expected: pd.DataFrame) -> list[Violation]:
    """A table of totals has the groups and the sums that are expected."""
    if sorted(table[key]) != sorted(expected.index):
        return say("totals", [name], [1.0], f"every {key} has one row", "rows")
    stated = table.set_index(key).reindex(expected.index)
    found = []
    for column in expected:
        tolerance = 0.0 if column.endswith("_t") and column != "reference_t" else totals.ABSOLUTE
        if column.endswith("_cny"):
            tolerance = 0.01 + MONEY_TOLERANCE * float(expected[column].abs().sum())
        off = stated[column].to_numpy(dtype=float) - expected[column].to_numpy(dtype=float)
        found += say("totals", expected.index, off, f"{column} of {name} is the sum of its rows", tolerance=tolerance)
    return found
