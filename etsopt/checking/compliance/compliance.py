"""Check the tables of a compliance year against the instance: conservation, limits, fines and least cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.allocation import statements as allocation_statements
from etsopt.checking.allocation import totals
from etsopt.checking.compliance import limits, statements
from etsopt.checking.compliance.statements import FLOWS
from etsopt.checking.theorem import OWN_STAGE
from etsopt.checking.verdict import LevelCheck, Verdict, Violation
from etsopt.language import _
from etsopt.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.readings.instance_inputs import InstanceInputs

LEVELS = dict(zip(OWN_STAGE["compliance"], ("CNY", "t", "t"), strict=True))

ISSUED = ("pre_allocated_t", "top_up_t", "return_t")
PROVINCE = ("province_received_t", "province_surrendered_t", "province_released_t")
PAID = ("purchases_cny", "offsets_cny", "transactions_cny", "penalty_cny", "fixed_fine_cny")
MONEY = (*PAID, "sales_cny", "cost_cny", "kept_worth_cny")
TONNES = ("obligation_t", *FLOWS, "offset_t", "shortfall_t", "deducted_next_year_t", *PROVINCE)
COUNTED = ("enterprises", "enterprises_at_risk", "enterprises_with_shortfall")
SUMMED = ("units", "emissions_tco2e", *TONNES, *MONEY)
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


def check(instance: InstanceInputs, tables: Mapping[str, pd.DataFrame]) -> Verdict:
    """Check the tables of a compliance year against the instance.

    Returns
    -------
    Verdict
        Violations, and every objective with its least value.
    """
    violations = totals.tables_are_whole(instance, tables, tuple(TEXTS), TEXTS, NUMBERS)
    violations = violations or allocation_statements.same_units(instance, tables["issuance"])
    if violations:
        return Verdict(tuple(violations), ())
    units, stated = tables["issuance"], tables["compliance"].set_index("enterprise_id")
    enterprises = limits.enterprises(instance, units)
    violations = _same_rows(instance, enterprises.index, tables) or _whole_tonnes(tables)
    if violations:
        return Verdict(tuple(violations), ())
    flows = statements.flows_of(tables["holdings"], enterprises.index, limits.vintages_of(instance))
    prices = limits.tariff(instance)
    violations = [
        *statements.allowances(instance, units, tables["compliance_sectors"]),
        *statements.holdings(instance, units, tables["holdings"], flows),
        *statements.accounts(enterprises, stated, flows),
        *statements.obligations_met(instance, enterprises, stated, flows),
        *statements.money(instance, stated, flows, prices),
        *statements.totals_add_up(tables, instance),
    ]
    return Verdict(tuple(violations), tuple(_levels(instance, enterprises, stated, flows, prices)))


def _levels(
    instance: InstanceInputs,
    enterprises: pd.DataFrame,
    stated: pd.DataFrame,
    flows: Mapping[str, NDArray[np.float64]],
    prices: limits.Tariff,
) -> list[LevelCheck]:
    """Return the value of each objective in the tables, with its least value as bound."""
    year, vintages = instance.policy.year, np.array(limits.vintages_of(instance))
    usable = limits.usable(vintages, year)
    least = limits.best(
        enterprises, statements.held_of(flows)[:, usable], int(np.flatnonzero(vintages[usable] == year)[0]), prices
    )
    surrendered = (flows["surrendered_t"] - flows["bought_t"])[:, usable]
    bought, offset, shortfall = (stated[name].to_numpy(dtype=float) for name in ("bought_t", "offset_t", "shortfall_t"))
    sold, banked = flows["sold_t"][:, usable].sum(), flows["closing_t"][:, usable].sum()
    amounts = [
        (prices.market + prices.transaction, bought.sum()),
        (prices.offset, offset.sum()),
        (prices.multiple * prices.reference, shortfall.sum()),
        (prices.transaction - prices.market, sold),
        (-prices.keep, banked),
    ]
    # A missing price does not matter if nothing is traded at it.
    cost = sum(price * tonnes for price, tonnes in amounts if tonnes)
    effort = offset.sum() + 2 * bought.sum() + 3 * shortfall.sum() + sold
    values = {
        "cost": (cost, least.cost, max(1e-9 * least.turnover, 0.01)),
        "effort": (effort, least.effort, tolerance_of(effort, "t")),
        "older_first": (float((surrendered * np.arange(surrendered.shape[1])).sum()), least.older_first, 0.0),
    }
    # The bound is the exact least value, so a value below it is as wrong as one above.
    return [
        LevelCheck(name, LEVELS[name], float(value), bound, abs(float(value) - bound), tolerance)
        for name, (value, bound, tolerance) in values.items()
    ]


def _same_rows(instance: InstanceInputs, names: pd.Index, tables: Mapping[str, pd.DataFrame]) -> list[Violation]:
    """Check that every enterprise has one row, each of its vintages at most one, and the nation one."""
    violations = []
    if tables["compliance"]["enterprise_id"].tolist() != names.tolist():
        message = _("every enterprise has one row, in order")
        violations.append(Violation("same_enterprises", "compliance", 1.0, "tables", message))
    holdings = tables["holdings"]
    misplaced = ~holdings["enterprise_id"].isin(names) | ~holdings["vintage"].isin(limits.vintages_of(instance))
    misplaced |= holdings.duplicated(["enterprise_id", "vintage"])
    message = _("an enterprise and a vintage have one row")
    violations += statements.above("same_enterprises", holdings["enterprise_id"], misplaced, message, "rows")
    if len(tables["nation"]) != 1:
        violations.append(Violation("same_enterprises", "nation", 1.0, "rows", _("the nation has one row")))
    return violations


def _whole_tonnes(tables: Mapping[str, pd.DataFrame]) -> list[Violation]:
    """Check that tonnes are whole numbers, and that only a carry-over is negative."""
    violations = []
    for name in TEXTS:
        table = tables[name]
        first = table.iloc[:, 0].to_numpy(dtype=object)
        for column in table.columns:
            if not column.endswith("_t") or column.endswith("_per_t") or column == "reference_t":
                continue
            values = table[column].to_numpy(dtype=float)
            message = _("{column} of {table} is a whole number", column=column, table=name)
            violations += statements.above("whole_tonnes", first, values - np.round(values), message)
            if column not in SIGNED:
                below = np.minimum(values, 0.0)
                message = _("{column} of {table} is not negative", column=column, table=name)
                violations += statements.above("not_negative", first, below, message)
    return violations
