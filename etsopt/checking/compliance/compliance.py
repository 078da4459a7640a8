"""Check the tables of a compliance year against the instance: conservation, limits, fines and least cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.allocation import statements, totals
from etsopt.checking.compliance import limits
from etsopt.checking.compliance import statements as said
from etsopt.checking.compliance.statements import FLOWS, vintages_of
from etsopt.checking.report import CheckReport, LevelCheck, Violation
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.checking.report import LevelStated
    from etsopt.data.instance import Instance

LEVELS = {"cost": "CNY", "effort": "t", "older_first": "t"}

ISSUED = ("pre_allocated_t", "top_up_t", "return_t")
PROVINCE = ("province_received_t", "province_surrendered_t", "province_released_t")
PAID = ("purchases_cny", "offsets_cny", "transactions_cny", "penalty_cny", "fixed_fine_cny")
MONEY = (*PAID, "sales_cny", "cost_cny", "kept_worth_cny")
SETTLED = ("obligation_t", *FLOWS, "offset_t", "shortfall_t", "deducted_next_year_t", *PROVINCE)
COUNTED = ("enterprises", "enterprises_at_risk", "enterprises_with_shortfall")
SUMMED = ("units", "emissions_tco2e", *SETTLED, *MONEY)
FINED = ("penalty_cny", "fixed_fine_cny", "deducted_next_year_t")

TEXTS = {
    "compliance": ("enterprise_id", "province", "at_risk"),
    "holdings": ("enterprise_id", "usable"),
    "compliance_provinces": ("province",),
    "nation": (),
    "shortfalls": ("enterprise_id", "province", "regime"),
    "issuance": ("unit_id", "enterprise_id", "sector", "province"),
    "compliance_sectors": ("sector",),
}
BY_UNIT = ("emissions_tco2e", "reference_t", "allowance_t", *ISSUED)
NUMBERS = {
    "compliance": SUMMED,
    "holdings": ("vintage", *FLOWS),
    "compliance_provinces": (*COUNTED, *SUMMED),
    "nation": ("year", *COUNTED, *SUMMED),
    "shortfalls": ("obligation_t", "shortfall_t", "reference_price_cny_per_t", "multiple", *FINED),
    "issuance": BY_UNIT,
    "compliance_sectors": ("enterprises", "units", *BY_UNIT),
}
SIGNED = ("carried_over_t",)


def check(instance: Instance, tables: Mapping[str, pd.DataFrame], levels: Sequence[LevelStated]) -> CheckReport:
    """Check tables and levels of a compliance year against the instance.

    Returns
    -------
    CheckReport
        Every statement that is broken, and every level with the least value that it can have.
    """
    found = totals.tables_are_whole(instance, tables, tuple(TEXTS), TEXTS, NUMBERS)
    found = found or statements.same_units(instance, tables["issuance"])
    found = found or _same_rows(instance, tables) or _whole_tonnes(tables)
    if found:
        return CheckReport(tuple(found), ())
    units, stated = tables["issuance"], tables["compliance"].set_index("enterprise_id")
    known = limits.enterprises(instance, units)
    year = instance.policy.year
    flows = said.flows_of(tables["holdings"], known.index, year)
    prices = limits.tariff(instance)
    found = [
        *said.allowances(instance, units, tables["compliance_sectors"]),
        *said.holdings(instance, units, tables["holdings"], flows),
        *said.accounts(known, stated, flows),
        *said.settled(known, stated, flows, year),
        *said.money(instance, stated, flows, prices),
        *said.totals_add_up(tables, instance),
    ]
    if [level.name for level in levels] != list(LEVELS)[: len(levels)]:
        names = ", ".join(level.name for level in levels)
        message = "the levels are those of a compliance year, in order"
        return CheckReport((*found, Violation("levels", names, 1.0, "levels", message)), ())
    checks = _levels(known, stated, flows, year, prices)
    for level, again in zip(levels, checks, strict=False):
        by = abs(again.value - level.value)
        if not by <= again.tolerance + tolerance_of(again.value, again.unit):
            message = f"the level recomputed from the tables is {again.value:.12g}"
            found.append(Violation("level_is_kept", level.name, by, again.unit, message))
    return CheckReport(tuple(found), tuple(checks))


def _levels(
    known: pd.DataFrame,
    stated: pd.DataFrame,
    flows: Mapping[str, NDArray[np.float64]],
    year: int,
    prices: limits.Tariff,
) -> list[LevelCheck]:
    """The value of each level by the tables, and the least that it can be."""
    vintages = np.array(vintages_of(year))
    usable = limits.settles(vintages, year)
    least = limits.best(known, said.held_of(flows)[:, usable], int(np.flatnonzero(vintages[usable] == year)[0]), prices)
    own = (flows["surrendered_t"] - flows["bought_t"])[:, usable]
    bought, offset, short = (stated[name].to_numpy(dtype=float) for name in ("bought_t", "offset_t", "shortfall_t"))
    sold, kept = flows["sold_t"][:, usable].sum(), flows["closing_t"][:, usable].sum()
    amounts = [
        (prices.market + prices.transaction, bought.sum()),
        (prices.offset, offset.sum()),
        (prices.multiple * prices.reference, short.sum()),
        (prices.transaction - prices.market, sold),
        (-prices.keep, kept),
    ]
    # A price that is not stated is no matter where nothing is dealt in.
    cost = sum(price * tonnes for price, tonnes in amounts if tonnes)
    effort = offset.sum() + 2 * bought.sum() + 3 * short.sum() + sold
    values = {
        "cost": (cost, least.cost, max(1e-9 * least.turnover, 0.01)),
        "effort": (effort, least.effort, tolerance_of(effort, "t")),
        "older_first": (float((own * np.arange(own.shape[1])).sum()), least.older_first, 0.0),
    }
    # The least is no bound but known, so a value below it is as wrong as one above.
    return [
        LevelCheck(name, LEVELS[name], float(value), bound, abs(float(value) - bound), tolerance)
        for name, (value, bound, tolerance) in values.items()
    ]


def _same_rows(instance: Instance, tables: Mapping[str, pd.DataFrame]) -> list[Violation]:
    """Every enterprise has one row, every vintage of it at most one, and there is one nation."""
    names = limits.enterprises(instance, tables["issuance"]).index
    found = []
    if tables["compliance"]["enterprise_id"].tolist() != names.tolist():
        found.append(
            Violation("same_enterprises", "compliance", 1.0, "tables", "every enterprise has one row, in order")
        )
    holdings = tables["holdings"]
    strange = ~holdings["enterprise_id"].isin(names) | ~holdings["vintage"].isin(vintages_of(instance.policy.year))
    strange |= holdings.duplicated(["enterprise_id", "vintage"])
    message = "a row is of an enterprise and a vintage, and the only one of them"
    found += said.say("same_enterprises", holdings["enterprise_id"], strange, message, "rows")
    if len(tables["nation"]) != 1:
        found.append(Violation("same_enterprises", "nation", 1.0, "rows", "the nation has one row"))
    return found


def _whole_tonnes(tables: Mapping[str, pd.DataFrame]) -> list[Violation]:
    """Tonnes are whole numbers, and none but a conversion is negative."""
    found = []
    for name in TEXTS:
        table, first = tables[name], tables[name].columns[0]
        for column in table.columns:
            if not column.endswith("_t") or column.endswith("_per_t") or column == "reference_t":
                continue
            values = table[column].to_numpy(dtype=float)
            message = f"{column} of {name} is a whole number"
            found += said.say("whole_tonnes", table[first], values - np.round(values), message)
            if column not in SIGNED:
                below = np.minimum(values, 0.0)
                found += said.say("not_negative", table[first], below, f"{column} of {name} is not negative")
    return found
