r"""Carbon dioxide of steel enterprises, by the guideline CETS-AG-03.01-V01-2024.

The enterprise is a mass balance of carbon, without oxidation rates:

$$E = \sum_i \mathrm{FC}_i\, \mathrm{NCV}_i\, \mathrm{CC}_i \tfrac{44}{12} + \sum_q M_q\, \mathrm{EF}_q
- \sum_k \mathrm{AD}_k\, \mathrm{EF}_k$$

with net purchases of fuels $\mathrm{FC}_i$, carbonates, electrodes and other inputs with carbon $M_q$ [t], and products
$\mathrm{AD}_k$ [t] with their factors [tCO2/t]; a fuel that is sold counts negative. A process $j$ (coking, sintering,
pelletising, ironmaking, both kinds of steelmaking) has fuels alone, in and out:

$$E_j = \sum_i \mathrm{FC}^{in}_{ij}\, \mathrm{NCV}_i\, \mathrm{CC}_i \tfrac{44}{12}
- \sum_i \mathrm{FC}^{out}_{ij}\, \mathrm{NCV}_i\, \mathrm{CC}_i \tfrac{44}{12}$$

A mixed-fired power unit of the enterprise burns fuels with their oxidation rates; units of the power sector are outside
the boundary. The rest is the difference:

$$E_{other} = E - \sum_j E_j - \sum_u E_u$$

The allocation rule measures $I = (E_b + E_t)/Q_b$: ironmaking and sintering over the iron produced, to four decimals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.coded import FLOW, ITEM, PROCESS, SECTOR
from etsopt.accounting.combustion import burnt
from etsopt.accounting.figures import factor_key
from etsopt.accounting.lines import Emitted, Lines, emitted
from etsopt.accounting.vocabulary import ENTERPRISE, IRON, ITEMS, MIXED_FIRED, STEEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.accounting.factors import Factors

MATERIAL_KEYS = tuple(factor_key("material", name) if item.kind == "material" else "" for name, item in ITEMS.items())


def emissions(lines: Lines, factors: Factors) -> list[Emitted]:
    """Return the emissions of every line of steel enterprises by formula."""
    coded = lines.coded
    of_steel = (coded.sector == SECTOR[STEEL]) & (coded.flow != FLOW["product"])
    fuel, sign = coded.is_fuel, np.where(coded.flow == FLOW["out"], -1, 1)
    enterprise, power = coded.process == PROCESS[ENTERPRISE], coded.process == PROCESS[MIXED_FIRED]
    value, mark = factors.per_tonne("material")
    return [
        burnt(lines, of_steel & fuel & enterprise, "steel mass balance, fuel", factors, STEEL, False, sign),
        *(
            emitted(
                lines, of_steel & enterprise & ~fuel & leaves, f"steel mass balance, {name}", MATERIAL_KEYS, way, mark
            )
            for name, leaves, way in (("material", sign > 0, value), ("product", sign < 0, -value))
        ),
        burnt(lines, of_steel & ~enterprise & ~power, "steel process, fuel", factors, STEEL, False, sign),
        burnt(lines, of_steel & power, "steel mixed-fired power, fuel", factors, STEEL, True),
    ]


def output(lines: Lines) -> NDArray[np.bool_]:
    """Return True for lines of crude steel that leave the enterprise, the output of a unit."""
    coded = lines.coded
    sold = (coded.process == PROCESS[ENTERPRISE]) & (coded.flow == FLOW["out"])
    return (coded.sector == SECTOR[STEEL]) & sold & (coded.item == ITEM["crude_steel"])


def intensity_output(lines: Lines) -> NDArray[np.bool_]:
    """Return True for lines of iron, the output over which the rule measures intensity."""
    coded = lines.coded
    iron = np.isin(coded.item, [ITEM[name] for name in IRON]) & (coded.flow == FLOW["product"])
    return (coded.sector == SECTOR[STEEL]) & (coded.process == PROCESS["ironmaking"]) & iron


def steel_that_stays(lines: Lines) -> list[str]:
    """Return the units whose furnaces make crude steel of which none leaves the enterprise in any month."""
    coded = lines.coded
    furnaces = np.isin(coded.process, [PROCESS["bof"], PROCESS["eaf"]]) & (coded.flow == FLOW["product"])
    made = (coded.sector == SECTOR[STEEL]) & furnaces & (coded.item == ITEM["crude_steel"])
    of_furnaces, sold = (coded.unit[which & (lines.hundredths > 0)] for which in (made, output(lines)))
    return [str(name) for name in coded.units[np.setdiff1d(of_furnaces, sold)]]
