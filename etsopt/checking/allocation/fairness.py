r"""Recompute the table of the fairness of an allocation from allowances, reference, emissions and output.

With shares $p$ of the weights and $q$ of the allowances, in the order of their rates $q / p$, and cumulative shares
$P_i$ of the weights, the Gini coefficient is $\sum_i q_i (2 P_i - p_i) - 1$, Theil T is $\sum_i q_i \ln(q_i / p_i)$, of
which the part within groups is that of the units less that of the groups, Hoover is $\sum_i \max(q_i - p_i, 0)$, and
Atkinson with aversion 1/2 is $1 - (\sum_i \sqrt{p_i q_i})^2$.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.readings import plan
from etsopt.checking.tolerances import FAIRNESS_TOLERANCE, NUMBER_RELATIVE
from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etsopt.checking.arrays import Floats
    from etsopt.checking.readings.instance_inputs import InstanceInputs

KEYS = ("level", "against", "allocation")
SHARES = ("gini", "theil_between", "theil_within", "hoover", "atkinson", "coverage")
NUMBERS = ("measured", *SHARES, "largest_loss_rate", "left_out_t")
GROUPS = {"enterprise": "enterprise_id", "province": "province", "sector": "sector"}


def fairness_is_stated(instance: InstanceInputs, allocation: pd.DataFrame, fairness: pd.DataFrame) -> list[Violation]:
    """Check the table, of which each level, weight and allocation has a row; a column that is off is named once."""
    expected = dict(_expected(instance, allocation))
    if [*zip(*(fairness[key] for key in KEYS), strict=True)] != [*expected]:
        message = _("each level, weight and allocation has one row")
        return [Violation("fairness_is_stated", "fairness", 1.0, "rows", message)]
    violations = []
    for name, wanted in zip(NUMBERS, np.array([*expected.values()]).T, strict=True):
        stated = fairness[name].to_numpy(dtype=float)
        off = np.where(np.isnan(stated) & np.isnan(wanted), 0.0, np.abs(stated - wanted))
        # A wrong allowance moves every row, and one that says so is enough.
        worst = int(np.argmax(np.nan_to_num(off, nan=np.inf)))
        # Tonnes that are left out are a sum of allowances as they are stated.
        tolerance = NUMBER_RELATIVE * (1 + abs(wanted[worst])) if name == "left_out_t" else FAIRNESS_TOLERANCE
        if not off[worst] <= tolerance:
            message = _("{column} follows from the allowances", column=name)
            where = ", ".join(list(expected)[worst])
            violations.append(Violation("fairness_is_stated", where, float(off[worst]), "", message))
    return violations


def _expected(instance: InstanceInputs, allocation: pd.DataFrame) -> Iterator[tuple[tuple[str, str, str], list[float]]]:
    """Yield the numbers of each row."""
    # What is below zero by more than a kilogram is another violation.
    tonnes_of = (allocation[name].to_numpy(dtype=float) for name in ("reference_t", "allowance_t"))
    reference, final = (np.maximum(tonnes, 0.0) for tonnes in tonnes_of)
    for weight, tonnes in {"emissions": plan.emissions_inside(instance), "output": at_mean(instance)}.items():
        has = tonnes > 0
        codes = {level: instance.labels(column).code[has] for level, column in GROUPS.items()}
        for stage, allowance in (("reference", reference), ("final", final)):
            units = [part[has] for part in (tonnes, allowance, reference)]
            of_units, left_out = _theil(units[1], units[0]), float(allowance[~has].sum())
            yield ("unit", weight, stage), [*_numbers(of_units, *units), left_out]
            for level, code in codes.items():
                there = np.bincount(code) > 0
                sums = [np.bincount(code, part)[there].astype(float) for part in units]
                yield (level, weight, stage), [*_numbers(of_units, *sums), left_out]


def _numbers(of_units: float, weight: Floats, allowance: Floats, reference: Floats) -> list[float]:
    claims = reference > 0
    loss = 1.0 - float(np.min(allowance[claims] / reference[claims], initial=1.0))
    if not len(weight):
        return [0.0, *[np.nan] * len(SHARES), loss]
    covered = 1.0 - float(np.maximum(weight - allowance, 0.0).sum() / weight.sum())
    if not allowance.any():
        return [float(len(weight)), *[np.nan] * (len(SHARES) - 1), covered, loss]
    p, q = weight / weight.sum(), allowance / allowance.sum()
    order = np.argsort(q / p)
    gini = float((q[order] * (2 * np.cumsum(p[order]) - p[order])).sum()) - 1.0
    hoover, affinity = float(np.maximum(q - p, 0.0).sum()), float(np.sqrt(p * q).sum())
    between = _theil(allowance, weight)
    return [float(len(weight)), gini, between, of_units - between, hoover, 1.0 - affinity**2, covered, loss]


def _theil(allowance: Floats, weight: Floats) -> float:
    total = float(allowance.sum())
    if not total:
        return np.nan
    # An amount of zero counts by zero, whatever is taken for its logarithm.
    rate = np.where(allowance == 0, 1.0, allowance / weight * (weight.sum() / total))
    return float((allowance * np.log(rate)).sum()) / total


def at_mean(instance: InstanceInputs) -> Floats:
    """Return the emissions of each unit's output at the mean intensity of its sector, shape ``(units,)`` [tCO2e]."""
    output = np.where(plan.inside(instance) & (instance.output > 0), instance.output, 0.0)
    sector, emissions = instance.labels("sector").code, plan.emissions_inside(instance)
    made, emitted = np.bincount(sector, output), np.bincount(sector, emissions * (output > 0))
    return np.asarray(output * (emitted / np.where(made > 0, made, 1.0))[sector])
