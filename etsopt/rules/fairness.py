r"""The table ``fairness``: how equal an allocation is, by the rule and optimised.

Measured are allowances against a weight, for units and for their sums by enterprise, province and sector:

- ``emissions``: the weight of a unit is its verified emissions in scope, and its rate is allowances over emissions. All
  measures are zero if every unit has the same surplus rate.
- ``output``: the weight is the unit's output times the mean intensity of its sector, in tCO2e, so that tonnes of steel
  and of cement add up. All measures are zero if every unit gets the same per output as its sector's mean, which is
  what a benchmark gives.

The two oppose each other: equal surplus rates reward no low intensity, equal allowances per output do. So both are
stated. `etsopt.rules.inequality` has the formulas of Gini, Theil T, Hoover and Atkinson (aversion 1/2); beside them are

$$\text{largest loss} = \max_i \frac{\max(R_i - A_i, 0)}{R_i}, \qquad
  \text{coverage} = \frac{\sum_i \min(A_i, w_i)}{\sum_i w_i}$$

for reference $R$, allowances $A$ and weights $w$ of the level. Against emissions, coverage is one less the share of
emissions that deficits leave uncovered. Theil T of units is `theil_between` plus `theil_within` of any level.

A unit without a weight, as without emissions or output, has no rate: it counts at no level, and its allowances are
`left_out_t`. A member with $R_i = 0$ has nothing to lose. Without any allowances every share is absent.

Results of up to `STATED_UNITS_MAX` units state the table, and the checker recomputes it. Above, it takes a quarter of
the time of a solve, and is made where it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.data.content import output_of
from etsopt.rules.inequality import Distribution

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etsopt.data.content import Content

    Floats = NDArray[np.float64]

STATED_UNITS_MAX = 20_000
"""Units up to which an allocation states the table: some 30 ms of a solve and its check."""

GROUPS = {"enterprise": "enterprise_id", "province": "province", "sector": "sector"}
"""Levels above units, and the column of the units that names the group of each."""


def fairness_table(instance: Content, reference: Floats, final: Floats) -> pd.DataFrame:
    """Return the table, with a row for each level, weight and allocation.

    Parameters
    ----------
    reference, final
        Allowances of the units by the rule and as they are allocated, shape ``(units,)`` [t].
    """
    # A solver may leave a kilogram below zero.
    return pd.DataFrame(list(_rows(instance, np.maximum(reference, 0.0), np.maximum(final, 0.0))))


def _rows(instance: Content, reference: Floats, final: Floats) -> Iterator[dict[str, object]]:
    for name, weight in (("emissions", instance.emissions_tco2e), ("output", output_weight(instance))):
        has = weight > 0
        groups = {level: _numbered(instance.labels(by).code[has]) for level, by in GROUPS.items()}
        for stage, allowance in (("reference", reference), ("final", final)):
            left_out = float(allowance[~has].sum())
            own = [part[has] for part in (weight, allowance, reference)]
            of_units = Distribution.of(own[1], own[0]).theil
            for level, group in {"unit": None, **groups}.items():
                parts = own if group is None else [np.bincount(group, part) for part in own]
                about = {"level": level, "against": name, "allocation": stage}
                yield {**about, **_measures(of_units, *parts), "left_out_t": left_out}


def _measures(of_units: float, weight: Floats, allowance: Floats, reference: Floats) -> dict[str, float]:
    """Return the measures of members; ``of_units`` is Theil T of the units."""
    shares = dict.fromkeys(("gini", "theil_between", "theil_within", "hoover", "atkinson"), np.nan)
    if allowance.any():
        distribution = Distribution.of(allowance, weight)
        between = distribution.theil
        within = max(of_units - between, 0.0)
        found = (distribution.gini, between, within, distribution.hoover, distribution.atkinson())
        shares = dict(zip(shares, found, strict=True))
    lost = np.divide(reference - allowance, reference, out=np.zeros(len(weight)), where=reference > 0)
    return {
        "measured": len(weight),
        **shares,
        "coverage": float(np.minimum(allowance, weight).sum() / weight.sum()) if len(weight) else np.nan,
        "largest_loss_rate": float(np.max(lost, initial=0.0)),
    }


def _numbered(code: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return positions among groups of which each has a member."""
    there = np.bincount(code) > 0
    return code if there.all() else (np.cumsum(there) - 1)[code]


def output_weight(instance: Content) -> Floats:
    """Return output at the mean intensity of each sector, zero without any, shape ``(units,)`` [tCO2e]."""
    emissions, sector = instance.emissions_tco2e, instance.labels("sector")
    output = np.where(instance.in_scope, np.nan_to_num(output_of(instance.units)), 0.0)
    of_sector = sector.sums(output)
    emitted = sector.sums(np.where(output > 0, emissions, 0.0))
    intensity = np.divide(emitted, of_sector, out=np.zeros(len(sector)), where=of_sector > 0)
    weight: Floats = output * intensity[sector.code]
    return weight
