"""Check the tables of a compliance year against the instance: conservation, limits, fines and least cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.allocation import statements as allocation_statements
from etsopt.checking.allocation import totals
from etsopt.checking.cells import are_whole
from etsopt.checking.compliance import limits, statements
from etsopt.checking.theorem import OWN_STAGE, OWN_TABLES
from etsopt.checking.verdict import LevelCheck, Verdict, Violation
from etsopt.common.language import _
from etsopt.common.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.checking.arrays import Floats
    from etsopt.checking.readings.instance_inputs import InstanceInputs

LEVELS = dict(zip(OWN_STAGE["compliance"], ("CNY", "t", "t"), strict=True))

COLUMNS = OWN_TABLES["compliance"]
SIGNED = ("carried_over_t",)


def check(instance: InstanceInputs, tables: Mapping[str, pd.DataFrame]) -> Verdict:
    """Check the tables of a compliance year against the instance.

    Returns
    -------
    Verdict
        Violations, and every objective with its least value.
    """
    violations = are_whole(tables, COLUMNS, totals.may_lack(instance))
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
    flows: Mapping[str, Floats],
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
    for name in COLUMNS:
        table = tables[name]
        first = table.iloc[:, 0].to_numpy(dtype=object)
        for column in table.columns:
            not_in_tonnes = not column.endswith("_t") or column.endswith("_per_t") or column == "reference_t"
            if not_in_tonnes:
                continue
            values = table[column].to_numpy(dtype=float)
            message = _("{column} of {table} is a whole number", column=column, table=name)
            violations += statements.above("whole_tonnes", first, values - np.round(values), message)
            if column not in SIGNED:
                below = np.minimum(values, 0.0)
                message = _("{column} of {table} is not negative", column=column, table=name)
                violations += statements.above("not_negative", first, below, message)
    return violations
