r"""Check self-balancing years: the allowances of a sector equal its emissions after abatement.

A market is solved at balance values that its answer reproduces. They are read from the table, everything else is
derived at them, and then $\sum_i A_{it} = \sum_i E_{it}$ is summed again over the plans of every sector.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.checking.cells import above, rows_are
from etsopt.checking.market import statements
from etsopt.checking.market.plans import of_units
from etsopt.checking.readings import plan
from etsopt.checking.readings.balance import balance_value
from etsopt.checking.readings.baseline import NO_BALANCE, Held
from etsopt.checking.tolerances import (
    BALANCE_VALUE_EQUALITY_RELATIVE,
    CELL_TOLERANCE,
    INTENSITY_MIN_RELATIVE,
    NUMBER_RELATIVE,
    SHARE_EXCESS,
)
from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.checking.arrays import Floats, Ints, Mask
    from etsopt.checking.market.derived import Market
    from etsopt.checking.market.plans import SelectedPlans
    from etsopt.checking.market.statements import Answer
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.choices import Choices
    from etsopt.checking.readings.instance_inputs import InstanceInputs

BALANCE_VALUES = "balance_values"
HELD = ("balance_value", "emissions_held_tco2e")
DERIVED = ("balance_value_before", "emissions_before_tco2e", "emissions_tco2e", "allowance_t", "residual_t")

NO_FIXED_POINT = "fixed_point"
"""Rule whose violation is an answer without a fixed point, which is not proven, but not wrong."""


def read_held(
    instance: InstanceInputs, tables: Mapping[str, pd.DataFrame], kind: str
) -> tuple[Held | None, list[Violation]]:
    """Return what is held, None without self-balancing years, and the violations of a table that cannot be read."""
    years = instance.years
    allocation = None if kind == "pathway" else tables["allocation"]
    is_self_balancing = plan.self_balancing(instance, years, allocation)
    table = tables.get(BALANCE_VALUES)
    if not is_self_balancing.any():
        message = _("there is no self-balancing year, and no table")
        wrong = [Violation("tables", BALANCE_VALUES, 1.0, "tables", message)] if table is not None else []
        return None, wrong
    if table is None:
        return None, [Violation("tables", BALANCE_VALUES, 1.0, "tables", _("the table is present"))]
    if violations := statements.numbers_are_there(BALANCE_VALUES, table, ["year", *HELD, *DERIVED]):
        return None, violations
    sector, at = np.nonzero(is_self_balancing)
    names = np.array(instance.sectors, dtype=object)
    if violations := rows_are(BALANCE_VALUES, table, {"sector": names[sector], "year": years[at]}):
        return None, violations
    held = Held(np.full(is_self_balancing.shape, np.nan), np.full(is_self_balancing.shape, np.nan))
    for name, values in zip(HELD, held, strict=True):
        values[sector, at] = table[name]
        least = np.finfo(float).tiny if name == HELD[0] else 0.0
        if not (np.isnan(values) | (np.isfinite(values) & (values >= least))).all():
            message = _("what is held is a finite number, above zero")
            return None, [Violation(BALANCE_VALUES, name, 1.0, "cells", message)]
    return held, []


def answer_balances(
    instance: InstanceInputs, market: Market, answer: Answer, table: pd.DataFrame | None
) -> list[Violation]:
    """Check the table, and that allowances equal emissions after abatement in every sector and self-balancing year.

    If they do not, the answer has no fixed point (`NO_FIXED_POINT`).
    """
    baseline = market.baseline
    if table is None or not baseline.balances.any():
        return []
    # The balance value refers to free and paid allowances together.
    unpaid = replace(baseline, paid_share=np.zeros_like(baseline.paid_share))
    units = of_units(unpaid, market.offered, answer.taken, answer.price)[0]
    plans, rows, own = _chosen(baseline, market.offered, answer.taken), [], []
    for name, number in zip(table["sector"], table["year"], strict=True):
        in_sector, year = instance.labels("sector").where(name), int(number - baseline.years[0])
        emitted, free = units.emissions[in_sector, year].sum(), units.free[in_sector, year].sum()
        before = baseline.emissions[in_sector, year]
        unabated = _balance(baseline, in_sector, year, before, baseline.intensity[in_sector, year])
        rows.append((unabated, before.sum(), emitted, free, free - emitted))
        of_sector = in_sector[plans.unit]
        amounts = (part[of_sector, year] for part in (plans.emissions, plans.intensity))
        after = _balance(baseline, plans.unit[of_sector], year, *amounts)
        # A sector that emits nothing any more keeps the balance value before abatement.
        own.append(unabated if np.isnan(after) else after)
    violations = []
    derived = dict(zip(DERIVED, np.array(rows).T, strict=True))
    size = CELL_TOLERANCE["t"] + NUMBER_RELATIVE * derived["emissions_before_tco2e"]
    for name, values in derived.items():
        near = 1e-7 * np.abs(values) if name == DERIVED[0] else size
        stated = table[name].to_numpy(dtype=float)
        same = (np.abs(stated - values) <= near) | (np.isnan(stated) & np.isnan(values))
        if not same.all():
            message = _("the column follows from plans and balance values")
            violations.append(Violation(BALANCE_VALUES, name, 1.0, "cells", message))
    return violations + _no_fixed_point(baseline, table, derived, np.array(own))


def _no_fixed_point(
    baseline: Baseline, table: pd.DataFrame, derived: Mapping[str, Floats], own: Floats
) -> list[Violation]:
    """Return the sectors and years whose balance value, allowances or emissions are not those that are held."""
    slope = np.array([baseline.slope[int(number - baseline.years[0])] for number in table["year"]])
    held, emissions = (table[name].to_numpy(dtype=float) for name in HELD)
    apart = np.abs(emissions - derived["emissions_tco2e"])
    off = np.maximum(np.abs(derived["residual_t"]) / np.maximum(slope, 1.0), apart)
    moved = ~((np.abs(held - own) <= BALANCE_VALUE_EQUALITY_RELATIVE * own) | (np.isnan(held) & np.isnan(own)))
    # A balance value that is another one is open however small the residual.
    tolerance = np.where(moved, -1.0, CELL_TOLERANCE["t"] + NUMBER_RELATIVE * derived["emissions_tco2e"])
    message = _("allowances equal emissions after abatement at the balance value of the answer")
    names = table["sector"].astype(str) + " " + table["year"].astype(str)
    return above(NO_FIXED_POINT, names, off, tolerance, "t", message)


class _Chosen(NamedTuple):
    """Plans of units with the part without measures: unit, and emissions and intensity, shape ``(plans, years)``."""

    unit: Ints
    emissions: Floats
    intensity: Floats


def _chosen(baseline: Baseline, offered: Choices, taken: SelectedPlans) -> _Chosen:
    """Return all chosen plans, weighted by their shares."""
    rest = 1 - np.bincount(taken.unit, taken.share, len(baseline.emissions))
    # Shares of one in all leave nothing but their rounding.
    idle = np.flatnonzero(rest > SHARE_EXCESS)
    unit, share = np.concatenate([idle, taken.unit]), np.concatenate([rest[idle], taken.share])
    never = np.zeros((len(idle), *taken.runs.shape[1:]), dtype=bool)
    runs = np.concatenate([never, taken.runs])
    left, kept = (
        np.where(runs, part[unit][:, :, None], 1.0).prod(axis=1) for part in (offered.left, offered.intensity_left)
    )
    return _Chosen(unit, share[:, None] * baseline.emissions[unit] * left, baseline.intensity[unit] * kept)


def _balance(baseline: Baseline, units: Mask | Ints, year: int, emissions: Floats, intensity: Floats) -> float:
    """Return the balance value of units, or of plans of theirs; NaN if none that has one emits."""
    follows_rule = ~np.isnan(baseline.balance_value[units, year]) & (emissions > 0)
    if not follows_rule.any():
        return float("nan")
    positive = np.maximum(intensity[follows_rule], INTENSITY_MIN_RELATIVE * intensity[follows_rule].max())
    value = balance_value(emissions[follows_rule], positive, float(baseline.slope[year]), float(baseline.cap[year]))
    return NO_BALANCE if np.isnan(value) else value
