r"""Carbon dioxide of clinker lines, after the guideline CETS-AG-02.01-V01-2024.

$$E = \sum_i \mathrm{FC}_i\, \mathrm{NCV}_i\, \mathrm{CC}_i\, \mathrm{OF}_i \tfrac{44}{12}
+ \sum_c Q_c\, \mathrm{EF}_c - \sum_k M_k\, d_k$$

with fuels and their oxidation rates, clinker $Q_c$ [t] of each kind with its process factor, and raw materials without
carbonates $M_k$ [t] with their deduction factors [tCO2/t]. The rate of carbide slag is
$M_{slag}\, d_{slag} / \sum_c Q_c\, \mathrm{EF}_c$.

The text of the guideline was not obtained: structure and factors have confidence C, and parameters replace each factor,
the oxidation rates (``cement.oxidation``) and the deductions (``cement.deduct``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.coded import FLOW, ITEM, SECTOR
from etsopt.accounting.combustion import burnt
from etsopt.accounting.figures import factor_key
from etsopt.accounting.lines import Emitted, Lines, emitted
from etsopt.accounting.vocabulary import CEMENT, ITEMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.accounting.factors import Factors

CARBIDE_SLAG = ITEM["carbide_slag"]
CLINKER_KEYS = tuple(factor_key("clinker", name) if item.kind == "clinker" else "" for name, item in ITEMS.items())
DEDUCTION_KEYS = tuple(
    f"{factor_key('deduction', name)} cement.deduct" if item.kind == "deduction" else "" for name, item in ITEMS.items()
)


def emissions(lines: Lines, factors: Factors) -> list[Emitted]:
    """Return the emissions of every line of clinker lines by formula."""
    of_cement = lines.coded.sector == SECTOR[CEMENT]
    fuel, clinker = of_cement & lines.coded.is_fuel, output(lines)
    value, mark = factors.per_tonne("clinker")
    avoided, mark_avoided = factors.per_tonne("deduction")
    # Switched off, deductions stay as lines of zero, so that the trail shows them.
    avoided = avoided if factors["cement.deduct"] else np.zeros(len(avoided))
    mark_avoided = np.maximum(mark_avoided, factors.mark("cement.deduct"))
    of_fuel = burnt(lines, fuel, "clinker, fuel", factors, CEMENT, bool(factors["cement.oxidation"]))
    switch = factors.mark("cement.oxidation")
    return [
        replace(
            of_fuel,
            mark=np.maximum(of_fuel.mark, switch),
            keys=tuple(f"{keys} cement.oxidation" if keys else "" for keys in of_fuel.keys),
        ),
        emitted(lines, clinker, "clinker, process", CLINKER_KEYS, value, mark),
        emitted(lines, of_cement & ~fuel & ~clinker, "clinker, deduction", DEDUCTION_KEYS, -avoided, mark_avoided),
    ]


def output(lines: Lines) -> NDArray[np.bool_]:
    """Return True for lines of clinker, the output of a unit."""
    return (lines.coded.sector == SECTOR[CEMENT]) & (lines.coded.flow == FLOW["product"])


def carbide_slag(lines: Lines) -> NDArray[np.bool_]:
    """Return True for lines of carbide slag."""
    return (lines.coded.sector == SECTOR[CEMENT]) & (lines.coded.item == CARBIDE_SLAG)
