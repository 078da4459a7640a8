"""Rules on theoretical extremes: what stoichiometry, heat of formation and the heat of carbon allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.screening.rates import RATIOS
from etsopt.accounting.screening.registry import rule
from etsopt.accounting.screening.screening_data import findings
from etsopt.accounting.vocabulary import ITEMS
from etsopt.common.language import _

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.accounting.screening.material import Material

HEAT = "heat of formation of clinker, about 1.75 GJ/t (textbooks); upper limit an assumption"
ANODE = "stoichiometry of 2 Al2O3 + 3 C, 0.3338 t carbon per tonne of aluminium; upper limit an assumption"
COKE = "assumption: the range of coke per tonne of iron in blast furnaces, with and without injection of coal"
CALORIFIC = "heat of carbon 32.8 GJ/t and of liquid hydrocarbons about 50 GJ/t, with a margin (textbooks)"


def _outside(data: Material, name: str, lower: float, upper: float) -> pd.DataFrame:
    make, ratio = RATIOS[name]
    table = make(data)
    value = table["value"]
    table = table[np.isfinite(value) & ((value < lower) | (value > upper))]
    value = table["value"]
    excess = (value.clip(lower, upper) - value).abs() / value.where(value > 0)
    # What is wholly absent has no size of its own, and concerns the month.
    months = data.months.set_index(["unit_id", "month"])["emissions_tco2e"].abs().rename("whole")
    table = table.assign(excess=excess).join(months, on=["unit_id", "month"])
    table = table.assign(size_t=(table["size_t"] * table["excess"]).fillna(table["whole"]))
    text = _("{ratio} {value:.4g}: possible is {lower:g} to {upper:g}")
    return findings(table, text, ratio=ratio, lower=lower, upper=upper)


@rule("heat_extreme", "extreme", HEAT, lower=1.75, upper=10)
def heat_extreme(data: Material, lower: float, upper: float) -> pd.DataFrame:
    """Heat per tonne of clinker is below the heat of formation, or above that of any kiln."""
    return _outside(data, "heat_rate", lower, upper)


@rule("anode_extreme", "extreme", ANODE, lower=0.3338, upper=0.7)
def anode_extreme(data: Material, lower: float, upper: float) -> pd.DataFrame:
    """Anodes per tonne of aluminium are below the carbon that electrolysis needs, or above that of any process."""
    return _outside(data, "anode_rate", lower, upper)


@rule("coke_extreme", "extreme", COKE, lower=0.2, upper=1)
def coke_extreme(data: Material, lower: float, upper: float) -> pd.DataFrame:
    """Coke per tonne of iron is outside the range of furnaces."""
    return _outside(data, "coke_rate", lower, upper)


@rule("calorific_extreme", "extreme", CALORIFIC, solid=35, liquid=52)
def calorific_extreme(data: Material, solid: float, liquid: float) -> pd.DataFrame:
    """A measured calorific value exceeds that of pure carbon, or of liquid hydrocarbons."""
    limits = {"solid": solid, "liquid": liquid}
    limit = data.lines["item"].map({name: limits.get(item.phase, np.inf) for name, item in ITEMS.items()}).astype(float)
    above = (data.lines["ncv_basis"] == "measured") & (data.lines["ncv_gj_per_unit"] > limit)
    table = data.lines[above].assign(limit=limit[above])
    table = table.assign(size_t=table["size_t"] * (1 - table["limit"] / table["ncv_gj_per_unit"]))
    text = _("calorific value {ncv_gj_per_unit:g} GJ/t: pure carbon or hydrocarbons have at most {limit:g}")
    return findings(table, text)


@rule("deduction_extreme", "extreme", "a raw material replaces at most all of the limestone", limit=1)
def deduction_extreme(data: Material, limit: float) -> pd.DataFrame:
    """Carbide slag avoids more carbon dioxide than the clinker has."""
    months = data.accounts.unit_months
    table = months[months["carbide_slag_rate"] > limit].assign(size_t=lambda own: own["emissions_tco2e"].abs())
    return findings(table, _("carbide slag avoids {carbide_slag_rate:.0%} of the process emissions"), "carbide_slag")
