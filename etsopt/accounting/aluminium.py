r"""Greenhouse gases of electrolysis processes, after the guideline CETS-AG-04.01-V01-2024.

Carbon dioxide of the anodes, energy used as raw material, from their consumption $C$ [t]:

$$E_{anode} = C\,(1 - l)(1 - s - a) \tfrac{44}{12}$$

with the share $l$ that is not consumed, and sulphur $s$ and ash $a$. The anode effect emits CF4 and C2F6. By default it
is a factor for each tonne of liquid aluminium $Q$, split by the masses of both gases; the older formulas are
alternatives (parameter ``aluminium.anode_effect``):

| name | emissions [tCO2e] |
| --- | --- |
| ``default`` | $Q\, e$ |
| ``mass`` | $Q\,(\mathrm{ef}_1 G_1 + \mathrm{ef}_2 G_2) / 1000$ |
| ``slope`` | $Q\, S\, M\,(G_1 + w\, G_2) / 1000$ |

with the default factor $e$ [tCO2e/t], the masses $\mathrm{ef}$ [kg/t] and warming potentials $G$ of CF4 and C2F6, the
slope $S$ [kg/t per minute], the minutes of anode effect $M$ per pot and day, and C2F6 over CF4 $w$ by mass.

The text of the guideline was not obtained. The default factor, 0.1454 tCO2e/t, is a broker's reading of its draft; with
the anode figure beside it, it gives the official total of the sector in 2024. All factors but the warming potentials
have confidence C.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.coded import FLOW, ITEM, SECTOR, YEARS, joined
from etsopt.accounting.combustion import CO2_PER_CARBON
from etsopt.accounting.decimals import hundredths
from etsopt.accounting.lines import Emitted, Lines, emitted
from etsopt.accounting.vocabulary import ALUMINIUM, ITEMS
from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.accounting.factors import Factors

    Floats = NDArray[np.float64]

ANODE_KEYS = ("aluminium.anode_loss", "aluminium.anode_sulphur", "aluminium.anode_ash")
GWP_KEYS = ("aluminium.cf4_gwp", "aluminium.c2f6_gwp")
METHOD_KEYS = {
    "default": ("aluminium.default_tco2e_per_t", "aluminium.c2f6_per_cf4"),
    "mass": ("aluminium.cf4_kg_per_t", "aluminium.c2f6_kg_per_t"),
    "slope": ("aluminium.cf4_slope", "aluminium.c2f6_per_cf4"),
}


def emissions(lines: Lines, factors: Factors) -> list[Emitted]:
    """Return the emissions of every line of electrolysis processes by formula and gas.

    Raises
    ------
    DataError
        If minutes of anode effect are needed and a month has none.
    """
    coded = lines.coded
    of_aluminium = coded.sector == SECTOR[ALUMINIUM]
    loss, sulphur, ash = (float(factors[key]) for key in ANODE_KEYS)
    burnt = np.full(len(ITEMS), (1 - loss) * (1 - sulphur - ash) * CO2_PER_CARBON)
    mark = np.full(len(ITEMS), factors.mark(*ANODE_KEYS))
    keys = (" ".join(ANODE_KEYS),) * len(ITEMS)
    anode = of_aluminium & (coded.item == ITEM["anode"])
    metal = np.flatnonzero(output(lines))
    return [emitted(lines, anode, "anode", keys, burnt, mark), *_anode_effect(lines, metal, factors)]


def output(lines: Lines) -> NDArray[np.bool_]:
    """Return True for lines of liquid aluminium, the output of a unit."""
    return (lines.coded.sector == SECTOR[ALUMINIUM]) & (lines.coded.flow == FLOW["product"])


def _anode_effect(lines: Lines, metal: NDArray[np.int64], factors: Factors) -> list[Emitted]:
    """Return the emissions of both gases of lines of aluminium."""
    method = str(factors["aluminium.anode_effect"])
    keys = ("aluminium.anode_effect", *METHOD_KEYS[method], *GWP_KEYS)
    minutes = _minutes(lines, metal) if method == "slope" else np.ones(len(metal))
    mark = np.full(len(metal), factors.mark(*keys))
    nothing = np.full(len(metal), np.nan)
    quantity, texts = lines.quantity[metal], (" ".join(keys),) * len(ITEMS)
    cf4, c2f6 = (per_tonne * minutes for per_tonne in gases_per_tonne(method, factors))
    of_cf4 = hundredths(quantity * cf4)
    # A factor for both gases together is rounded once, and C2F6 is the rest.
    of_c2f6 = hundredths(quantity * (cf4 + c2f6)) - of_cf4 if method == "default" else hundredths(quantity * c2f6)
    return [
        Emitted(metal, amount, f"anode effect, {method}", gas, texts, mark, nothing, factor)
        for gas, amount, factor in (("CF4", of_cf4, cf4), ("C2F6", of_c2f6, c2f6))
    ]


def gases_per_tonne(method: str, factors: Factors) -> tuple[float, float]:
    """Return CF4 and C2F6 per tonne of aluminium [tCO2e/t]; for ``slope`` at one minute per pot and day."""
    first, second = (float(factors[key]) for key in METHOD_KEYS[method])
    cf4, c2f6 = (float(factors[key]) for key in GWP_KEYS)
    if method == "mass":
        return first * cf4 / 1000, second * c2f6 / 1000
    if method == "slope":
        return first * cf4 / 1000, first * second * c2f6 / 1000
    share = cf4 / (cf4 + second * c2f6)
    return first * share, first * (1 - share)


def minutes_of(lines: Lines) -> NDArray[np.int64]:
    """Return the line of the minutes of anode effect in the unit and month of every line, -1 without one."""
    coded = lines.coded
    month = joined([(coded.unit, 0), (coded.month, 12 * (YEARS[1] + 1))])
    of_minutes = np.flatnonzero(coded.item == ITEM["anode_effect_minutes"])
    if not len(of_minutes):
        return np.full(len(lines), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(month[of_minutes], month), len(of_minutes) - 1)
    return np.where(month[of_minutes][place] == month, of_minutes[place], -1)


def _minutes(lines: Lines, metal: NDArray[np.int64]) -> Floats:
    """Return the minutes of anode effect of the month of each line of aluminium [min/pot-day]."""
    line = minutes_of(lines)[metal]
    if (line < 0).any():
        unit = lines.coded.units[lines.coded.unit[metal[line < 0]]]
        cells = tuple((f"of {name}", "") for name in dict.fromkeys(unit))
        what = _("{total} months have aluminium but no minutes of anode effect", total=int((line < 0).sum()))
        advice = _("Add rows of anode_effect_minutes, or state another aluminium.anode_effect than slope.")
        raise DataError(_("The reports"), [Problem("reports/*.csv", what, advice, "item", cells)])
    return lines.quantity[line]
