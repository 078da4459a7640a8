"""Rules on copies: quantities that repeat those of another month or unit, to the last digit.

A single equal figure may be chance: the chance is the number of others times the density of the series at its middle,
in steps of its last digit that varies. Figures of one process that are equal together multiply their chances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.decimals import hundredths
from etsopt.accounting.screening.registry import rule
from etsopt.accounting.screening.screening_data import NORMAL, PEERS, SERIES, findings
from etsopt.common.language import _

if TYPE_CHECKING:
    from etsopt.accounting.screening.material import Material

CHANCE = "chance of equal figures, from their spread"
DENSITY = 2 * np.sqrt(np.pi)
"""Two draws of a normal distribution are equal with a density of one over this many standard deviations."""
MOST_DIGITS = 7
LEAST_CHANCE = 1e-5
"""Chance below which equal figures are copies."""


def _quantities(data: Material) -> pd.DataFrame:
    """Return lines with their quantity in hundredths, without zeros."""
    lines = data.lines
    table = lines.assign(hundredths=hundredths(lines["quantity"].to_numpy(dtype=float)))
    return table[table["hundredths"] != 0]


def _chance(table: pd.DataFrame, group: pd.Series[int]) -> pd.Series[float]:
    """Return the logarithm of the chance that a quantity of a group equals one of the others."""
    value = table["hundredths"]
    step = pd.Series(1.0, index=table.index)
    for digits in range(1, MOST_DIGITS + 1):
        whole = (value % 10**digits == 0).groupby(group, sort=False).transform("all")
        step = step.where(~whole, 10.0**digits)
    by_group = value.groupby(group, sort=False)
    spread = (value - by_group.transform("median")).abs().groupby(group, sort=False).transform("median") * NORMAL
    count = by_group.transform("count")
    return np.log(np.minimum(1.0, (count - 1).clip(lower=0) / (DENSITY * np.maximum(spread / step, 1e-9)) + 1e-12))


def _pairs(table: pd.DataFrame, same: list[str], apart: str) -> pd.DataFrame:
    """Return pairs of lines with equal quantities: each line, and the one before it in the order of ``apart``."""
    key = [*same, "hundredths"]
    twice = table[table.duplicated(key, keep=False)].sort_values([*key, apart], kind="stable")
    before = twice.groupby(key, sort=False)[apart].shift()
    return twice.assign(other=before)[before.notna()]


def _found(table: pd.DataFrame, same: list[str], apart: str, chance: float) -> pd.DataFrame:
    """Return pairs of processes whose equal quantities together are less likely than ``chance``, from either side."""
    pairs = _pairs(table, same, apart)
    # An output weighs what its process emits, and has the emissions of the other quantities in it.
    product = pairs["flow"] == "product"
    pairs = pairs.assign(used_t=pairs["size_t"].where(~product, 0.0), made_t=pairs["size_t"].where(product, 0.0))
    groups = pairs.groupby(["unit_id", "process", "month", "other"], sort=True)
    found = groups.agg(
        chance=("chance", "sum"),
        used_t=("used_t", "sum"),
        made_t=("made_t", "max"),
        equal=("item", "size"),
        item=("item", "first"),
    )
    found = found.assign(size_t=found[["used_t", "made_t"]].max(axis=1))
    found = found[found["chance"] < np.log(chance)].reset_index()
    return pd.concat([found, found.rename(columns={apart: "other", "other": apart})], ignore_index=True)


def copied_processes(data: Material) -> pd.DataFrame:
    """Return unit, process and month of quantities that the rules of this file find, by their default chances."""
    table, chance = _quantities(data), LEAST_CHANCE
    months = _found(table.assign(chance=_chance(table, table["series"])), SERIES, "month", chance)
    units = _found(table.assign(chance=_chance(table, table["peers"])), [*PEERS, "month"], "unit_id", chance)
    return pd.concat([months, units], ignore_index=True)[["unit_id", "process", "month"]].drop_duplicates()


@rule("copied_month", "logic", CHANCE, chance=LEAST_CHANCE)
def copied_month(data: Material, chance: float) -> pd.DataFrame:
    """Quantities of a process repeat those of another month of the unit; both are found, as either may be the copy."""
    table = _quantities(data)
    found = _found(table.assign(chance=_chance(table, table["series"])), SERIES, "month", chance)
    return findings(found, _("{equal} quantities of {process} are those of {other}"))


@rule("copied_unit", "logic", CHANCE, chance=LEAST_CHANCE)
def copied_unit(data: Material, chance: float) -> pd.DataFrame:
    """Quantities of a process are those of another unit in the month; both are found, as either may be the copy."""
    table = _quantities(data)
    found = _found(table.assign(chance=_chance(table, table["peers"])), [*PEERS, "month"], "unit_id", chance)
    return findings(found, _("{equal} quantities of {process} are those of unit {other}"))
