"""Read the plans of units, check that they are admissible, and compute their amounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.cells import above
from etsopt.checking.tolerances import SHARE_EXCESS
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.checking.arrays import Floats, Ints, Mask
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.readings.choices import Choices
    from etsopt.checking.readings.instance_inputs import InstanceInputs
    from etsopt.checking.verdict import Violation


@dataclass(frozen=True)
class SelectedPlans:
    """Chosen plans other than the one without measures.

    Parameters
    ----------
    unit, share
        Position of the unit, and share of the plan there, shape ``(plans,)``.
    runs
        True for the years in which each measure runs, shape ``(plans, slots, years)``.
    """

    unit: Ints
    share: Floats
    runs: Mask


@dataclass(frozen=True)
class Amounts:
    """Emissions [tCO2e], free allowances [t], cost [CNY] and incentives of plans or units, shape ``(..., years)``."""

    emissions: Floats
    free: Floats
    cost: Floats
    incentive_measured: Floats
    incentive_elsewhere: Floats


def read_plans(
    instance: InstanceInputs, baseline: Baseline, offered: Choices, table: pd.DataFrame
) -> tuple[SelectedPlans | None, list[Violation]]:
    """Return the plans of the table; None if a row has no valid unit, measure or year, or rows of a plan disagree."""
    years = len(baseline.years)
    unit = pd.Index(instance.units["unit_id"]).get_indexer(table["unit_id"])
    slot = offered.slots_in(table, unit)
    last_year = table["last_year"] if "last_year" in table else np.full(len(table), baseline.years[-1])
    start, last = (np.searchsorted(baseline.years, number) for number in (table["start_year"], last_year))
    known = np.isin(table["start_year"], baseline.years) & np.isin(last_year, baseline.years) & (start <= last)
    keys = np.column_stack([unit, table["plan"].to_numpy(dtype=np.int64)])
    plans, first, plan = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    plan = plan.ravel()
    share = table["share"].to_numpy(dtype=float)
    twice = _meet_earlier(plan, slot, start, last)
    cases = [
        ("plans_are_known", unit < 0, _("the unit is one of the instance")),
        ("measures_are_on_offer", (unit >= 0) & (slot < 0), _("the measure and its step are on offer at the unit")),
        ("plans_are_known", ~known, _("first and last year are of the horizon, in order")),
        ("plans_are_known", twice & (slot >= 0), _("a plan names a spell of a measure once, and spells are apart")),
        ("plans_are_known", share != share[first][plan], _("a plan has one share")),
        ("plans_are_known", ~_numbered(plans)[plan], _("the plans of a unit are numbered from zero on")),
    ]
    violations = _cases(table["unit_id"], cases)
    if violations:
        return None, violations
    runs = np.zeros((len(plans), offered.code.shape[1], years), dtype=bool)
    for year in range(years):
        in_years = (start <= year) & (year <= last)
        runs[plan[in_years], slot[in_years], year] = True
    unit, share = plans[:, 0], share[first]
    # Shares that total one within rounding are divided by their sum.
    total = np.bincount(unit, share, len(offered.code))[unit]
    return SelectedPlans(unit, np.where(total <= 1 + SHARE_EXCESS, share / np.maximum(total, 1.0), share), runs), []


def _meet_earlier(plan: Ints, slot: Ints, start: Ints, last: Ints) -> Mask:
    """Return True for spells of a measure that overlap one that begins before, or follow it at once, row by row."""
    order = np.lexsort((start, slot, plan))
    same = (np.diff(plan[order]) == 0) & (np.diff(slot[order]) == 0)
    meets = np.zeros(len(plan), dtype=bool)
    meets[order[1:]] = same & (start[order[1:]] <= last[order[:-1]] + 1)
    return meets


def _numbered(plans: Ints) -> Mask:
    """Return True for each plan, sorted by unit and number, whose number counts the unit's earlier plans."""
    unit, number = plans.T
    return np.asarray(number == np.arange(len(plans)) - np.searchsorted(unit, unit))


def plans_are_admissible(
    instance: InstanceInputs, baseline: Baseline, offered: Choices, taken: SelectedPlans, divisible: bool = False
) -> list[Violation]:
    """Check first years, steps, exclusive groups, requirements and shares of plans.

    Parameters
    ----------
    divisible
        True if plans may be mixed even if measures are not divisible.
    """
    unit, runs = taken.unit, taken.runs
    early = (runs & (baseline.years < offered.first_year[unit][:, :, None])).any(axis=(1, 2))
    stopped = ((runs[:, :, :-1] & ~runs[:, :, 1:]).any(axis=2) & ~offered.stops[unit]).any(axis=1)
    clash = clashes(offered.group[unit], runs)
    unmet = lacks(offered.code[unit], offered.required[unit], runs)
    share, divisible = taken.share, divisible or instance.policy.abatement.divisible_measures
    total = np.bincount(unit, share, len(offered.code))[unit]
    wrong_share, out_of_step = ~((share > 0) & (total <= 1 + SHARE_EXCESS)), _out_of_step(offered.step[unit] > 1, runs)
    names = instance.units["unit_id"].to_numpy()[unit]
    cases = [
        ("first_year", early, _("a measure starts in its first year or later")),
        ("steps", out_of_step, _("a step runs once the one before it has run for a year")),
        ("stops", stopped, _("a measure that does not stop runs to the last year")),
        ("exclusive_group", clash, _("a unit takes one measure of an exclusive group")),
        ("requires", unmet, _("a required measure runs as long as the one that requires it")),
        ("shares", wrong_share, _("the shares of a unit's plans are positive and total at most one")),
        ("shares", (share != 1) & (not divisible), _("a plan has a share of one if measures are not divisible")),
    ]
    return _cases(names, cases)


def _cases(names: object, cases: Sequence[tuple[str, Mask, str]]) -> list[Violation]:
    """Return a violation for every plan that is a bad case of a rule."""
    return [one for rule, bad, message in cases for one in above(rule, names, bad, 0.0, "plans", message)]


def clashes(group: Ints, runs: Mask) -> Mask:
    """Return True for rows of ``(rows, slots, years)`` that run two slots of an exclusive group at once."""
    clash = np.zeros(len(runs), dtype=bool)
    for one in range(runs.shape[1]):
        for other in range(one if (group[:, one] >= 0).any() else 0):
            same = (group[:, one] == group[:, other]) & (group[:, one] >= 0)
            clash |= same & (runs[:, one] & runs[:, other]).any(axis=1)
    return clash


def lacks(code: Ints, required: Ints, runs: Mask) -> Mask:
    """Return True for rows that run a slot without every step of a measure that it requires."""
    unmet = np.zeros(len(runs), dtype=bool)
    for one in range(runs.shape[1]):
        for needed in required[:, one].T:
            same = (needed[:, None] == code) & (needed >= 0)[:, None]
            # All steps of a measure that is required have to run.
            without = np.logical_or.reduce(same[:, :, None] & ~runs, axis=1) | (~same.any(axis=1))[:, None]
            unmet |= (runs[:, one] & without).any(axis=1) & (needed > -2)
    return unmet


def _out_of_step(later: Mask, runs: Mask) -> Mask:
    """Return True for plans with a step without that of the slot before it, in the same year and in the year before."""
    needed, before = runs & later[:, :, None], np.roll(runs, 1, axis=1)
    ran = np.zeros_like(runs)
    ran[:, :, 1:] = before[:, :, 1:] & before[:, :, :-1]
    return np.logical_or.reduce(needed & ~ran, axis=(1, 2))


def amounts(baseline: Baseline, offered: Choices, unit: Ints, runs_in: Mask, price: Floats) -> Amounts:
    """Return the amounts of plans of some units in each year, which run measures as `SelectedPlans.runs`."""
    result = [np.zeros((len(unit), len(baseline.years))) for _ in range(5)]
    for year in range(len(baseline.years)):
        runs = runs_in[:, :, year]
        left, kept = (np.where(runs, part[unit], 1.0).prod(axis=1) for part in (offered.left, offered.intensity_left))
        output_left = np.where(runs, offered.output_left[unit], 1.0).prod(axis=1)
        each = offered.fixed[unit] + offered.variable[unit] * baseline.output[unit, year, None]
        each = each * offered.factor(baseline.years[year])[unit]
        emissions = baseline.emissions[unit, year] * left
        free = baseline.free(unit, year, emissions, kept, output_left)
        measured, elsewhere = _incentives(baseline, unit, year, emissions, kept, output_left)
        values = (
            emissions,
            free,
            np.where(runs, each, 0.0).sum(axis=1),
            price[year] * measured,
            price[year] * elsewhere,
        )
        for into, of_year in zip(result, values, strict=True):
            into[:, year] = of_year
    return Amounts(*result)


def _incentives(
    baseline: Baseline, unit: Ints, year: int, emissions: Floats, kept: Floats, output_left: Floats
) -> tuple[Floats, Floats]:
    """Return the marginal incentive in allowances per tonne, at measured intensity and elsewhere [t/t]."""
    follows = baseline.follows[unit, year]
    if not follows.any():
        return np.ones(len(unit)), np.ones(len(unit))
    balance, slope, cap = baseline.balance_value[unit, year], baseline.slope[year], baseline.cap[year]
    wanted = slope * (1 - baseline.intensity[unit, year] * kept / balance)
    rate = np.nan_to_num(np.clip(wanted, -cap, cap))
    output = baseline.measured_output[unit, year] * output_left
    slack = np.where(np.abs(wanted) < cap, slope * emissions / (balance * output), 0.0)
    share = np.where(follows, 1 - baseline.paid_share[year], 0.0)
    return 1 - share * (1 + rate - slack), 1 - share * (1 + rate)


def of_units(baseline: Baseline, offered: Choices, taken: SelectedPlans, price: Floats) -> tuple[Amounts, Amounts]:
    """Return the amounts of units with their plans, and of each plan; the rest of a unit takes no measure."""
    every_unit = np.arange(len(offered.code))
    without_measures = amounts(
        baseline, offered, every_unit, np.zeros((*offered.code.shape, len(baseline.years)), dtype=bool), price
    )
    per_plan = amounts(baseline, offered, taken.unit, taken.runs, price)
    share = taken.share[:, None]
    totals = []
    for name in Amounts.__dataclass_fields__:
        total = getattr(without_measures, name).copy()
        np.add.at(total, taken.unit, share * (getattr(per_plan, name) - getattr(without_measures, name)[taken.unit]))
        totals.append(total)
    return Amounts(*totals), per_plan


def of_measures(
    instance: InstanceInputs, baseline: Baseline, offered: Choices, taken: SelectedPlans, per_plan: Amounts
) -> tuple[pd.DataFrame, dict[str, Floats]]:
    """Return keys and yearly totals of measures by sector; abatement is shared in proportion to each measure alone."""
    runs = taken.runs
    alone = runs * offered.alone[taken.unit][:, :, None]
    total = alone.sum(axis=1)
    avoided = (baseline.emissions[taken.unit] - per_plan.emissions) * taken.share[:, None]
    abated = alone * np.divide(avoided, total, out=np.zeros_like(total), where=total > 0)[:, None]
    cost = offered.variable[taken.unit][:, :, None] * baseline.output[taken.unit][:, None]
    cost = runs * taken.share[:, None, None] * (cost + offered.fixed[taken.unit][:, :, None])
    cost *= np.stack([offered.factor(year)[taken.unit] for year in baseline.years], axis=2)
    plan, slot = np.nonzero(runs.any(axis=2))
    sector = instance.units["sector"].to_numpy(dtype=str)[taken.unit[plan]]
    keys = pd.DataFrame({"measure_id": offered.names[offered.code[taken.unit[plan], slot]], "sector": sector})
    groups = keys.groupby(["measure_id", "sector"], sort=True)
    number = groups.ngroup().to_numpy(dtype=np.int64)
    columns = {}
    for name, values in (
        ("units", runs * taken.share[:, None, None] / offered.steps[taken.unit][:, :, None]),
        ("abated_tco2e", abated),
        ("measures_cost_cny", cost),
    ):
        columns[name] = np.zeros((groups.ngroups, len(baseline.years)))
        np.add.at(columns[name], number, values[plan, slot])
    return groups.size().reset_index()[["measure_id", "sector"]], columns
