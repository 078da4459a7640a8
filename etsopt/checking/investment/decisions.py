"""Read what is installed and what runs, and check that both may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.verdict import Violation
from etsopt.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etsopt.checking.investment.states import States
    from etsopt.readings.choices import Choices
    from etsopt.readings.instance_inputs import InstanceInputs

    Mask = NDArray[np.bool_]


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
    instance: InstanceInputs,
    offered: Choices,
    states: States,
    years: NDArray[np.int64],
    first: NDArray[np.int64],
    investments: pd.DataFrame,
    operations: pd.DataFrame,
) -> tuple[Decision | None, list[Violation]]:
    """Return the decision of the tables; None if rows are unknown, twice or missing.

    Parameters
    ----------
    first
        Position of the first year in which each slot can run, shape ``(units, slots)``.
    """
    unit, slot = _places(instance, offered, investments)
    violations = list(_unknown("investments", investments, (unit < 0) | (slot < 0)))
    if violations:
        return None, violations
    stated, installed, at_mean = np.zeros((3, *offered.code.shape), dtype=bool)
    twice = pd.DataFrame({"unit": unit, "slot": slot}).duplicated().to_numpy()
    stated[unit, slot] = True
    installed[unit, slot] = investments["installed"].to_numpy(dtype=bool)
    has_mean = "installed_at_mean" in investments
    if has_mean:
        at_mean[unit, slot] = investments["installed_at_mean"].to_numpy(dtype=bool)
    lacking = (offered.code >= 0) & (first < len(years)) & ~stated
    if twice.any() or lacking.any():
        by = float(twice.sum() + lacking.sum())
        return None, [Violation("same_rows", "investments", by, "rows", _("each measure on offer has one row"))]
    runs, violations = _runs(instance, offered, states, years, operations, installed, first)
    return None if violations else Decision(installed, at_mean if has_mean else None, runs), violations


def _runs(
    instance: InstanceInputs,
    offered: Choices,
    states: States,
    years: NDArray[np.int64],
    operations: pd.DataFrame,
    installed: Mask,
    first: NDArray[np.int64],
) -> tuple[Mask, list[Violation]]:
    """Return what runs: what may stop as the table says, everything else from its first year on."""
    there = installed[:, :, None] & (first[:, :, None] <= np.arange(len(years)))
    shape = (*installed.shape, len(states.names), len(years))
    runs = np.broadcast_to((there & ~offered.stops[:, :, None])[:, :, None], shape).copy()
    wanted = np.broadcast_to((there & offered.stops[:, :, None])[:, :, None], shape)
    unit, slot = _places(instance, offered, operations)
    scenario = pd.Index(states.names).get_indexer(operations["scenario"])
    year = pd.Index(years).get_indexer(operations["year"])
    bad = (unit < 0) | (slot < 0) | (scenario < 0) | (year < 0)
    violations = list(_unknown("operations", operations, bad))
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


def _places(
    instance: InstanceInputs, offered: Choices, table: pd.DataFrame
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the unit and slot of each row, -1 where it names none."""
    unit = pd.Index(instance.units["unit_id"]).get_indexer(table["unit_id"]).astype(np.int64)
    return unit, offered.slots_in(table, unit)


def _unknown(name: str, table: pd.DataFrame, bad: Mask) -> Iterator[Violation]:
    for label in table["unit_id"].to_numpy()[bad]:
        yield Violation("measures_are_on_offer", f"{name}, {label}", 1.0, "rows", _("the row names what is on offer"))


def decision_is_admissible(
    instance: InstanceInputs, offered: Choices, decision: Decision, first: NDArray[np.int64], years: int
) -> Iterator[Violation]:
    """Check exclusive groups, requirements, steps and first years of what is installed, and of what runs."""
    units = instance.units["unit_id"].to_numpy()
    shape = (len(units), offered.code.shape[1], -1)
    for name, chosen in (
        ("installed", decision.installed[:, :, None]),
        ("installed_at_mean", None if decision.at_mean is None else decision.at_mean[:, :, None]),
        ("runs", decision.runs.reshape(shape)),
    ):
        if chosen is None:
            continue
        cases = {
            "first_year": (chosen.any(axis=2) & (first == years)).any(axis=1),
            "exclusive_group": _clashes(offered, chosen),
            "requires": _lacks(offered, chosen),
            "steps": (chosen & ~np.roll(chosen, 1, axis=1) & (offered.step > 1)[:, :, None]).any(axis=(1, 2)),
        }
        for rule, bad in cases.items():
            for label in units[bad]:
                message = _("first years, exclusive groups, requirements and steps of measures hold")
                yield Violation(rule, f"{label}, {name}", 1.0, "units", message)


def _clashes(offered: Choices, chosen: Mask) -> Mask:
    """Return True for units with two measures of a group at once."""
    clash = np.zeros(len(chosen), dtype=bool)
    for one in range(chosen.shape[1]):
        for other in range(one):
            same = (offered.group[:, one] == offered.group[:, other]) & (offered.group[:, one] >= 0)
            if same.any():
                clash |= same & (chosen[:, one] & chosen[:, other]).any(axis=1)
    return clash


def _lacks(offered: Choices, chosen: Mask) -> Mask:
    """Return True for units with a measure without every step of one that it requires."""
    lacks = np.zeros(len(chosen), dtype=bool)
    for one in range(chosen.shape[1]):
        for needed in offered.required[:, one].T:
            same = (offered.code == needed[:, None]) & (needed >= 0)[:, None]
            without = (same[:, :, None] & ~chosen).any(axis=1) | (needed == -1)[:, None]
            lacks |= (chosen[:, one] & without).any(axis=1)
    return lacks
