r"""Check self-balancing years: the allowances of a sector equal its emissions after abatement.

A market is solved at balance values that its answer reproduces. They are read from the table, everything else is
derived at them, and then $\sum_i A_{it} = \sum_i E_{it}$ is summed again over the plans of every sector.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.checking import plan
from etsopt.checking.market import statements
from etsopt.checking.market.baseline import NO_BALANCE, balance_value
from etsopt.checking.market.plans import of_units
from etsopt.checking.report import Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.derived import Market
    from etsopt.checking.market.market import Answer
    from etsopt.data.instance import Instance

BALANCE_VALUES = "balance_values"
HELD = ("balance_value", "emissions_held_tco2e")
DERIVED = ("balance_value_before", "emissions_before_tco2e", "emissions_tco2e", "allowance_t", "residual_t")

NO_FIXED_POINT = "fixed_point"
"""Rule whose violation is an answer without a fixed point, which is not proven, but not wrong."""

REPEATED = 1e-9
"""Relative difference of balance values, or of emissions, that counts as none."""


class Held(NamedTuple):
    """What a market holds in self-balancing years, shape ``(sectors, years)``; NaN in others [t/t, tCO2e]."""

    balance_value: NDArray[np.float64]
    emissions: NDArray[np.float64]


def read_held(instance: Instance, tables: Mapping[str, pd.DataFrame], kind: str) -> tuple[Held | None, list[Violation]]:
    """Return what is held, None without self-balancing years, and the violations of a table that cannot be read."""
    years = np.array(instance.policy.years)
    allocation = None if kind == "pathway" else tables["allocation"]
    here = plan.self_balancing(instance, years, allocation)
    table = tables.get(BALANCE_VALUES)
    if not here.any():
        message = "there is no self-balancing year, and no table"
        wrong = [Violation("tables", BALANCE_VALUES, 1.0, "tables", message)] if table is not None else []
        return None, wrong
    if table is None:
        return None, [Violation("tables", BALANCE_VALUES, 1.0, "tables", "the table is present")]
    if violations := statements.numbers_are_there(BALANCE_VALUES, table, ["year", *HELD, *DERIVED]):
        return None, violations
    sector, at = np.nonzero(here)
    names = np.array(instance.sectors, dtype=object)
    if table.get("sector", table["year"]).tolist() != names[sector].tolist() or (
        table["year"].tolist() != years[at].tolist()
    ):
        message = "the table has a row for every sector and self-balancing year, in order"
        return None, [Violation("same_rows", BALANCE_VALUES, 1.0, "rows", message)]
    held = Held(np.full(here.shape, np.nan), np.full(here.shape, np.nan))
    for name, values in zip(HELD, held, strict=True):
        values[sector, at] = table[name]
        if not (np.isnan(values) | (np.isfinite(values) & (values >= 0))).all():
            message = "what is held is a finite number, at least zero"
            return None, [Violation(BALANCE_VALUES, name, 1.0, "cells", message)]
    return held, []


def answer_balances(instance: Instance, market: Market, answer: Answer, table: pd.DataFrame | None) -> list[Violation]:
    """Check the table, and that allowances equal emissions after abatement in every sector and self-balancing year.

    If they do not, the answer has no fixed point (`NO_FIXED_POINT`).
    """
    baseline = market.baseline
    if table is None or not baseline.follows.any():
        return []
    # The balance value refers to free and paid allowances together.
    unpaid = replace(baseline, paid_share=np.zeros_like(baseline.paid_share))
    units, _ = of_units(unpaid, market.offered, answer.taken, answer.price)
    rows = []
    for name, number in zip(table["sector"], table["year"], strict=True):
        here, year = instance.labels("sector").where(name), int(number - baseline.years[0])
        emitted, free = units.emissions[here, year].sum(), units.free[here, year].sum()
        before = baseline.emissions[here, year]
        rows.append((_unabated(baseline, here, year), before.sum(), emitted, free, free - emitted))
    violations = []
    derived = dict(zip(DERIVED, np.array(rows).T, strict=True))
    size = statements.LEAST["t"] + statements.RELATIVE * derived["emissions_before_tco2e"]
    for name, values in derived.items():
        near = 1e-7 * np.abs(values) if name == DERIVED[0] else size
        stated = table[name].to_numpy(dtype=float)
        same = (np.abs(stated - values) <= near) | (np.isnan(stated) & np.isnan(values))
        if not same.all():
            message = "the column follows from plans and balance values"
            violations.append(Violation(BALANCE_VALUES, name, 1.0, "cells", message))
    slope = np.array([baseline.slope[int(number - baseline.years[0])] for number in table["year"]])
    apart = np.abs(table["emissions_held_tco2e"].to_numpy(dtype=float) - derived["emissions_tco2e"])
    off = np.maximum(np.abs(derived["residual_t"]) / np.maximum(slope, 1.0), apart)
    message = "allowances equal emissions after abatement, at which they are held"
    open_rows = np.flatnonzero(~(off <= statements.LEAST["t"] + REPEATED * derived["emissions_tco2e"]))
    where = [f"{table['sector'].iloc[row]} {table['year'].iloc[row]}" for row in open_rows]
    return violations + [
        Violation(NO_FIXED_POINT, name, float(off[row]), "t", message)
        for name, row in zip(where, open_rows, strict=True)
    ]


def _unabated(baseline: Baseline, here: NDArray[np.bool_], year: int) -> float:
    """Return the balance value of a sector before abatement; NaN if none of its units has one."""
    balanced = here & ~np.isnan(baseline.balance_value[:, year]) & (baseline.emissions[:, year] > 0)
    if not balanced.any():
        return float("nan")
    emissions, intensity = baseline.emissions[balanced, year], baseline.intensity[balanced, year]
    value = balance_value(emissions, intensity, float(baseline.slope[year]), float(baseline.cap[year]))
    return NO_BALANCE if np.isnan(value) else value
