"""Read what is installed and what runs, and check that both may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.cells import above
from etsopt.checking.market.plans import clashes, lacks
from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.checking.arrays import Ints, Mask
    from etsopt.checking.investment.derived import Derived


@dataclass(frozen=True)
class Decision:
    """The decision of the tables.

    Parameters
    ----------
    installed, at_mean
        True for slots that are installed, and for those that would be at expected values, shape ``(units, slots)``.
    runs
        True for slots that run, shape ``(units, slots, scenarios, years)``.
    """

    installed: Mask
    at_mean: Mask | None
    runs: Mask


def read_decision(
    derived: Derived, investments: pd.DataFrame, operations: pd.DataFrame
) -> tuple[Decision | None, list[Violation]]:
    """Return the decision of the tables; None if rows are unknown, twice or missing."""
    offered = derived.offered
    unit, slot = _places(derived, investments)
    violations = _unknown("investments", investments, (unit < 0) | (slot < 0))
    if violations:
        return None, violations
    stated, installed, at_mean = np.zeros((3, *offered.code.shape), dtype=bool)
    twice = pd.DataFrame({"unit": unit, "slot": slot}).duplicated().to_numpy()
    stated[unit, slot] = True
    installed[unit, slot] = investments["installed"].to_numpy(dtype=bool)
    has_mean = "installed_at_mean" in investments
    if has_mean:
        at_mean[unit, slot] = investments["installed_at_mean"].to_numpy(dtype=bool)
    lacking = (offered.code >= 0) & (derived.first < len(derived.before.years)) & ~stated
    if twice.any() or lacking.any():
        by = float(twice.sum() + lacking.sum())
        return None, [Violation("same_rows", "investments", by, "rows", _("each measure on offer has one row"))]
    runs, violations = _runs(derived, operations, installed)
    return None if violations else Decision(installed, at_mean if has_mean else None, runs), violations


def _runs(derived: Derived, operations: pd.DataFrame, installed: Mask) -> tuple[Mask, list[Violation]]:
    """Return what runs: what may stop as the table says, everything else from its first year on."""
    offered, names, years = derived.offered, derived.states.names, derived.before.years
    there = installed[:, :, None] & (derived.first[:, :, None] <= np.arange(len(years)))
    shape = (*installed.shape, len(names), len(years))
    runs = np.broadcast_to((there & ~offered.stops[:, :, None])[:, :, None], shape).copy()
    wanted = np.broadcast_to((there & offered.stops[:, :, None])[:, :, None], shape)
    unit, slot = _places(derived, operations)
    scenario = pd.Index(names).get_indexer(operations["scenario"])
    year = pd.Index(years).get_indexer(operations["year"])
    bad = (unit < 0) | (slot < 0) | (scenario < 0) | (year < 0)
    violations = _unknown("operations", operations, bad)
    if violations:
        return runs, violations
    stated = np.zeros(shape, dtype=bool)
    stated[unit, slot, scenario, year] = True
    if len(operations) != wanted.sum() or (stated != wanted).any():
        by = max(float((stated != wanted).sum()), 1.0)
        message = _("each installed measure that may stop has a row for every scenario and year in which it can run")
        return runs, [Violation("same_rows", "operations", by, "rows", message)]
    runs[unit, slot, scenario, year] = operations["runs"].to_numpy(dtype=bool)
    return runs, []


def _places(derived: Derived, table: pd.DataFrame) -> tuple[Ints, Ints]:
    """Return the unit and slot of each row, -1 where it names none."""
    unit = pd.Index(derived.instance.units["unit_id"]).get_indexer(table["unit_id"]).astype(np.int64)
    return unit, derived.offered.slots_in(table, unit)


def _unknown(name: str, table: pd.DataFrame, bad: Mask) -> list[Violation]:
    labels = f"{name}, " + table["unit_id"].to_numpy(dtype=object)
    return above("measures_are_on_offer", labels, bad, 0.0, "rows", _("the row names what is on offer"))


def decision_is_admissible(derived: Derived, decision: Decision) -> Iterator[Violation]:
    """Check exclusive groups, requirements, steps and first years of what is installed, and of what runs."""
    units, offered = derived.instance.units["unit_id"].to_numpy(dtype=object), derived.offered
    never = derived.first == len(derived.before.years)
    shape = (len(units), offered.code.shape[1], -1)
    for name, chosen in (
        ("installed", decision.installed[:, :, None]),
        ("installed_at_mean", None if decision.at_mean is None else decision.at_mean[:, :, None]),
        ("runs", decision.runs.reshape(shape)),
    ):
        if chosen is None:
            continue
        cases = {
            "first_year": (chosen.any(axis=2) & never).any(axis=1),
            "exclusive_group": clashes(offered.group, chosen),
            "requires": lacks(offered.code, offered.required, chosen),
            "steps": (chosen & ~np.roll(chosen, 1, axis=1) & (offered.step > 1)[:, :, None]).any(axis=(1, 2)),
        }
        for rule, bad in cases.items():
            message = _("first years, exclusive groups, requirements and steps of measures hold")
            yield from above(rule, units + f", {name}", bad, 0.0, "units", message)
