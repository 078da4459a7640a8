"""The worked example of each rule: units, figures worked by hand, and the text that leads from one to the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

HAND = "Worked by hand from the formula of the plan; the plan prints no example of this."


@dataclass(frozen=True)
class Example:
    """A case of a rule and its answer by hand.

    Parameters
    ----------
    origin
        Source of the example: an official text, or the hand.
    text
        Derivation in Markdown.
    units
        Columns of `units.csv`, beside names and provinces.
    year
        Compliance year of the policy.
    rule
        Keys of `[rule]` beside its name.
    by_hand
        Allowances of each unit, or their pre-allocation [t].
    column
        Column of the result that holds these.
    """

    origin: str
    text: str
    units: dict[str, list[Any]]
    year: int
    by_hand: list[float]
    rule: dict[str, Any] = field(default_factory=dict)
    column: str = "reference_t"

    def frame(self) -> pd.DataFrame:
        """Return the units as a table, with names, owners and provinces."""
        count = len(next(iter(self.units.values())))
        names = [f"unit-{number}" for number in range(1, count + 1)]
        return pd.DataFrame({"unit_id": names, "enterprise_id": names, "province": "Hebei", **self.units})


FIVE_LINES = Example(
    HAND,
    r"""Five clinker lines. The balance value $V$ is the intensity at which surpluses and deficits cancel. Line 5 is at
the lower limit of -3 %, the others are not, so

$$ 0.15 \sum_{i \le 4} E_i \, (1 - I_i / V) = 0.03 \, E_5 . $$

With $\sum_{i \le 4} E_i = 3{,}726{,}000$ t and $\sum_{i \le 4} E_i I_i = 3{,}089{,}160$ t² per t of clinker this gives
$V = 0.15 \cdot 3{,}089{,}160 / (0.15 \cdot 3{,}726{,}000 - 0.03 \cdot 540{,}000) = 0.853831$ t/t. Line 1 has the
deviation $X = 1 - 0.78 / V = 8.647$ %, the coefficient $0.15 X = 1.2971$ %, and 790,117 t, rounded down.""",
    {
        "sector": ["cement"] * 5,
        "emissions_tco2e": [780_000, 984_000, 672_000, 1_290_000, 540_000],
        "output_t": [1_000_000, 1_200_000, 800_000, 1_500_000, 500_000],
    },
    2025,
    [790_117, 989_848, 673_632, 1_288_601, 523_800],
)

STEEL = Example(
    HAND,
    r"""Two steel enterprises of equal emissions. Intensity is measured on ironmaking and sintering, allowances on the
whole enterprise: $I$ is 4.4 / 5 = 0.88 and 6.0 / 5 = 1.2 t/t of iron. Neither is at a limit, so the balance value is
their mean, $V = 1.04$ t/t. The deviation is $\pm 0.16 / 1.04$, and $10{,}500{,}000 \cdot 0.15 \cdot 0.16 / 1.04 =
242{,}307.69$ t is the surplus of the one and the deficit of the other, rounded down.""",
    {
        "sector": ["steel"] * 2,
        "emissions_tco2e": [10_500_000] * 2,
        "output_t": [5_300_000] * 2,
        "intensity_output_t": [5_000_000] * 2,
        "intensity_emissions_tco2e": [4_400_000, 6_000_000],
    },
    2026,
    [10_742_307, 10_257_692],
)

PRE_ALLOCATION = Example(
    "Official: consultation draft of 27 July 2026, notes of the annex tables: 1,789.70 is rounded down to 1,789 [A]. "
    "The emissions of last year, twice that, are chosen here.",
    "Half of last year's 3,579.40 t is issued in advance: 1,789.70 t, rounded down to 1,789 t.",
    {
        "sector": ["cement"],
        "emissions_tco2e": [4_000],
        "output_t": [5_000],
        "prior_emissions_tco2e": [3_579.40],
    },
    2026,
    [1_789],
    column="pre_allocated_t",
)

POWER = Example(
    HAND,
    r"""A conventional coal unit of 600 MW, class I, generates 2.7 TWh and supplies 1.5 PJ of heat at a load of 62 %.
The load correction of 2024 is $1.015^{16 - 20 \cdot 0.62} = 1.055056$, to six decimals. Electricity gets
$2{,}700{,}000 \cdot 0.7910 \cdot 1.055056$ and heat $1{,}500{,}000 \cdot 0.1033$ t, each rounded down: 2,253,293 and
154,950 t.""",
    {
        "sector": ["power"],
        "unit_class": ["I"],
        "capacity_mw": [600.0],
        "generation_mwh": [2.7e6],
        "heat_gj": [1.5e6],
        "load_factor": [0.62],
        "emissions_tco2e": [2.33e6],
    },
    2024,
    [2_408_243],
)

EXAMPLES: dict[str, list[Example]] = {
    "benchmark": [
        Example(
            "Published, not official: 639,600 t for a million tonnes of clinker in 2026, by the open data set "
            "[free-allocation-benchmarks](https://github.com/ets-overview/free-allocation-benchmarks) [B].",
            "The EU's benchmark of grey clinker in 2026-2030 is 0.656 t/t [B], and its factor for goods of the border "
            r"adjustment in 2026 is 0.975 [B]. So $1{,}000{,}000 \cdot 0.656 \cdot 0.975 = 639{,}600$ t.",
            {"sector": ["cement"], "emissions_tco2e": [830_000], "output_t": [1_000_000]},
            2026,
            [639_600],
            {"benchmarks": {"cement": 0.6396}},
        )
    ],
    "cn": [POWER],
    "cn-2024": [
        Example(
            HAND,
            "Allowances equal verified emissions.",
            {"sector": ["cement", "steel"], "emissions_tco2e": [830_000, 8_030_000]},
            2024,
            [830_000, 8_030_000],
        )
    ],
    "cn-2025": [FIVE_LINES],
    "cn-2026": [STEEL, PRE_ALLOCATION],
    "given": [
        Example(
            "Worked by hand: the figures are the user's own.",
            "The allowances of `units.csv` are taken as they are, without rounding.",
            {"sector": ["cement"] * 2, "emissions_tco2e": [830_000, 900_000], "reference_t": [820_000.5, 905_000.0]},
            2025,
            [820_000.5, 905_000.0],
        )
    ],
    "grandfathering": [
        Example(
            "Worked by hand from the general form; no plan of China uses it for industry.",
            r"Last year's emissions times the factor 0.98: $1{,}000{,}001 \cdot 0.98 = 980{,}000.98$ t, rounded down.",
            {
                "sector": ["cement"],
                "emissions_tco2e": [990_000],
                "prior_emissions_tco2e": [1_000_001],
            },
            2025,
            [980_000],
            {"factor": 0.98},
        )
    ],
}
"""Worked examples by rule; a test asks for one of every rule."""
