r"""Carbon dioxide of fuels.

$$E = \mathrm{FC} \times \mathrm{NCV} \times \mathrm{CC} \times \mathrm{OF} \times \tfrac{44}{12}$$

with the quantity FC [t, 10^4 Nm3], the calorific value NCV [GJ per unit], measured or the default, the carbon content
CC [tC/GJ], the oxidation rate OF, and 44/12 tonnes of carbon dioxide per tonne of carbon. Each line is rounded to two
decimals. The mass balance of a steel enterprise and its processes has no oxidation rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.decimals import hundredths
from etsopt.accounting.figures import fuel_keys
from etsopt.accounting.lines import Emitted, Lines
from etsopt.accounting.vocabulary import ITEMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.accounting.factors import Factors

CO2_PER_CARBON = 44 / 12

FUEL_KEYS = {
    (sector, oxidised): tuple(
        " ".join(fuel_keys(sector, name)[: 3 if oxidised else 2]) if item.kind == "fuel" else ""
        for name, item in ITEMS.items()
    )
    for sector in ("steel", "cement")
    for oxidised in (False, True)
}
"""Keys of the factors of a fuel, by item."""


def burnt(
    lines: Lines,
    which: NDArray[np.bool_],
    formula: str,
    factors: Factors,
    sector: str,
    oxidised: bool,
    sign: NDArray[np.int64] | int = 1,
) -> Emitted:
    """Return the carbon dioxide of lines of fuels, times a sign for each line."""
    line = np.flatnonzero(which)
    item = lines.coded.item[line]
    fuels = factors.fuels(sector)
    measured = ~np.isnan(lines.ncv[line])
    ncv = np.where(measured, lines.ncv[line], fuels.ncv[item])
    oxidation = fuels.oxidation[item] if oxidised else np.ones(len(line))
    factor = fuels.carbon[item] * CO2_PER_CARBON * oxidation
    signs = np.broadcast_to(sign, len(lines))[line]
    amount = signs * hundredths(lines.quantity[line] * ncv * factor)
    mark = np.maximum(fuels.mark[item], np.where(measured, 0, fuels.ncv_mark[item]))
    return Emitted(line, amount, formula, "CO2", FUEL_KEYS[sector, oxidised], mark, ncv, signs * factor)
