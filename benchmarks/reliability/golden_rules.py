"""Rules, pre-allocation and carry-over, calculated by hand from the texts of the plans."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import etsopt
from benchmarks.reliability.golden import Golden
from etsopt.rules import carried_over, issuance, reference_allowances

if TYPE_CHECKING:
    from collections.abc import Sequence


def lines(emissions: Sequence[float], output: Sequence[float], **columns: Any) -> pd.DataFrame:
    """Return units a, b, ... of one sector, by default cement, one enterprise each."""
    names = [chr(ord("a") + number) for number in range(len(emissions))]
    frame = pd.DataFrame({"unit_id": names, "enterprise_id": names, "sector": "cement", "province": "Hebei"})
    return frame.assign(emissions_tco2e=emissions, output_t=output, **columns)


def of_rule(units: pd.DataFrame, rule: dict[str, Any]) -> dict[str, float]:
    """Return reference allowances by unit [t], and the balance value if there is one."""
    found = reference_allowances(etsopt.Instance.from_frames(units, {"year": 2025, "rule": rule}))
    figures = {f"{name}_t": float(tonnes) for name, tonnes in zip(units["unit_id"], found.reference_t, strict=True)}
    values = found.sectors.get("balance_value", pd.Series(dtype=float))
    return figures | {f"{sector}_balance_value": float(value) for sector, value in values.items()}


def rule(name: str, units: pd.DataFrame, stated: dict[str, Any], expected: dict[str, float]) -> Golden:
    return Golden("rule", name, partial(of_rule, units, stated), expected)


def advance(year: int, sector: str, prior: float, due: float) -> dict[str, float]:
    units = lines([due], [due], sector=sector, prior_emissions_tco2e=[prior], reference_t=[due])
    policy = {"year": year, "rule": {"name": "given"}}
    row = issuance(etsopt.Instance.from_frames(units, policy), np.array([due])).iloc[0]
    return {name: float(row[name]) for name in ("pre_allocated_t", "top_up_t", "return_t")}


def issued(year: int, sector: str, prior: float, due: float, expected: tuple[float, float, float]) -> Golden:
    """Return a case of issuance: pre-allocation, top-up, return."""
    named = dict(zip(("pre_allocated_t", "top_up_t", "return_t"), expected, strict=True))
    return Golden("issuing", f"{sector} {year}", partial(advance, year, sector, prior, due), named)


def converted(year: int, sector: str, held: float, sold: float) -> dict[str, float]:
    units = lines([1e6], [1e6], sector=sector, reference_t=[1e6])
    instance = etsopt.Instance.from_frames(units, {"year": year, "rule": {"name": "given"}})
    total = carried_over(instance, np.array(["a"], dtype=object), np.array([held]), np.array([sold]))
    return {"carried_over_t": float(total[0])}


def carried(year: int, sector: str, held: float, sold: float, expected: float) -> Golden:
    """Return a case of carry-over: from holdings of 2019-2024, by net sales."""
    name = f"{sector} {year}, {held:g} t held, {sold:g} t sold"
    return Golden("carry-over", name, partial(converted, year, sector, held, sold), {"carried_over_t": expected})


FIVE = lines([780e3, 984e3, 672e3, 1290e3, 540e3], [1e6, 1.2e6, 0.8e6, 1.5e6, 0.5e6])
PAIR = lines([600e3, 400e3], [750e3, 400e3 / 0.9])

RULES = (
    # Five lines at 0.78, 0.82, 0.84, 0.86 and 1.08 t/t. The last is at the cap: over the first four,
    # B = 0.15 sum E I / (0.15 sum E - 0.03 E_5) = 463,374 / (558,900 - 16,200) = 0.853831. X = 8.6470, 3.9623, 1.6200,
    # -0.7225 %; A = E (1 + 0.15 X): 790,117.1, 989,848.5, 673,632.9, 1,288,601.9; the last 0.97 E.
    rule(
        "five clinker lines, one at the cap",
        FIVE,
        {"name": "cn-2025"},
        {
            "a_t": 790_117,
            "b_t": 989_848,
            "c_t": 673_632,
            "d_t": 1_288_601,
            "e_t": 523_800,
            "cement_balance_value": 0.853831,
        },
    ),
    # The same with B rounded to 0.8538: 780,000 (1 + 0.15 x 0.0738 / 0.8538) = 790,113.1, and so on.
    rule(
        "the balance value with four decimals",
        FIVE,
        {"name": "cn-2026", "balance_value_decimals": 4},
        {
            "a_t": 790_113,
            "b_t": 989_843,
            "c_t": 673_629,
            "d_t": 1_288_594,
            "e_t": 523_800,
            "cement_balance_value": 0.8538,
        },
    ),
    # Two mills of 10.5 Mt each, iron and sinter 4.4 Mt on 5 Mt of iron (0.88), and 4.8 Mt on 5 Mt (0.96): B = 0.92.
    # X = 0.04 / 0.92 = 4.3478 %, alpha = 0.65217 %: 10,568,478.3 and 10,431,521.7.
    rule(
        "steel measures intensity on iron and sinter",
        lines(
            [10.5e6] * 2, [5.5e6] * 2, sector="steel", intensity_output_t=5e6, intensity_emissions_tco2e=[4.4e6, 4.8e6]
        ),
        {"name": "cn-2025"},
        {"a_t": 10_568_478, "b_t": 10_431_521, "steel_balance_value": 0.92},
    ),
    # Equal emissions at 1.55 and 1.60 t/t: B = 1.575, X = 0.025 / 1.575 = 1.5873 %, alpha = 0.238095 %.
    rule(
        "two series of aluminium",
        lines([1e6, 1e6], [1e6 / 1.55, 1e6 / 1.6], sector="aluminium"),
        {"name": "cn-2026"},
        {"a_t": 1_002_380, "b_t": 997_619, "aluminium_balance_value": 1.575},
    ),
    # B is the mean weighted by emissions: 0.6 x 0.8 + 0.4 x 0.9 = 0.84, not by output (0.8372). X = 4.7619 and
    # -7.1429 %; 600,000 x 1.00714286 = 604,285.7 and 400,000 x 0.98928571 = 395,714.3.
    rule(
        "the mean weighs by emissions",
        PAIR,
        {"name": "cn-2025"},
        {"a_t": 604_285, "b_t": 395_714, "cement_balance_value": 0.84},
    ),
    # Slope 0.3 doubles the rates: 600,000 x 1.01428571 = 608,571.4, 400,000 x 0.97857143 = 391,428.6.
    rule(
        "a steeper slope",
        PAIR,
        {"name": "cn-2025", "slope": 0.3},
        {"a_t": 608_571, "b_t": 391_428, "cement_balance_value": 0.84},
    ),
    # Both at the cap of 3 % whatever B from 0.5 / 0.8 = 0.625 to 1 / 1.2 = 0.833333 is; the middle is 0.729167.
    rule(
        "both lines at the cap",
        lines([1e6, 1e6], [2e6, 1e6]),
        {"name": "cn-2025"},
        {"a_t": 1_030_000, "b_t": 970_000, "cement_balance_value": 0.7291667},
    ),
    # 2024: A = E, both to the nearest tonne.
    rule(
        "2024 gives verified emissions",
        lines([780_000.6, 30_000.0], [9e5, 4e4]),
        {"name": "cn-2024"},
        {"a_t": 780_001, "b_t": 30_000},
    ),
    # An enterprise of 25,999.6 t is below the threshold of 26,000 t, one of 26,000 t is not; alone in its
    # sector its own intensity is the balance value, and it gets its emissions as well.
    rule(
        "an enterprise below 26,000 t",
        lines([25_999.6, 26_000.0], [2e4, 3.25e4]),
        {"name": "cn-2025"},
        {"a_t": 26_000, "b_t": 26_000, "cement_balance_value": 0.8},
    ),
    # PAIR beside a third line that uses 16 % carbide slag: above 15 % it gets A = E in 2025, and PAIR is as before.
    rule(
        "carbide slag in 2025",
        lines([600e3, 400e3, 300e3], [750e3, 400e3 / 0.9, 4e5], carbide_slag_rate=[0.0, 0.15, 0.16]),
        {"name": "cn-2025"},
        {"a_t": 604_285, "b_t": 395_714, "c_t": 300_000, "cement_balance_value": 0.84},
    ),
    # In 2026 the limit is 30 %.
    rule(
        "carbide slag in 2026",
        lines([600e3, 400e3, 300e3], [750e3, 400e3 / 0.9, 4e5], carbide_slag_rate=[0.16, 0.30, 0.31]),
        {"name": "cn-2026"},
        {"a_t": 604_285, "b_t": 395_714, "c_t": 300_000, "cement_balance_value": 0.84},
    ),
    # New units are outside the scope of the plan of 2025, and get their emissions by that of 2026.
    *(
        rule(
            f"a new line by the plan of {name}",
            lines([600e3, 400e3, 300e3], [750e3, 400e3 / 0.9, 4e5], special_case=["", "", "new"]),
            {"name": name},
            {"a_t": 604_285, "b_t": 395_714, "c_t": tonnes, "cement_balance_value": 0.84},
        )
        for name, tonnes in (("cn-2025", 0), ("cn-2026", 300_000))
    ),
    # 0.98 x 790,001 = 774,200.98.
    rule(
        "grandfathering",
        lines([8e5], [1e6], prior_emissions_tco2e=[790_001.0]),
        {"name": "grandfathering", "factor": 0.98},
        {"a_t": 774_200},
    ),
    # Power, class I in 2024: 2,700,001 MWh x 0.7910 = 2,135,700.79; class III in 2026: 500,003 x 0.8080 = 404,002.42.
    *(
        rule(
            f"power of class {unit_class} in {year}",
            lines([2.2e6], [mwh], sector="power"),
            {"name": "benchmark", "benchmarks": {"power": benchmark}},
            {"a_t": tonnes},
        )
        for unit_class, year, mwh, benchmark, tonnes in (
            ("I", 2024, 2_700_001.0, 0.7910, 2_135_700),
            ("III", 2026, 500_003.0, 0.8080, 404_002),
        )
    ),
)

ISSUED = (
    # The example of the plan: half of 3,579.40 t is 1,789.70, rounded down; 70 % are 2,505.58.
    issued(2026, "cement", 3_579.40, 4_000.0, (1_789, 2_211, 0)),
    issued(2026, "power", 3_579.40, 4_000.0, (1_789, 2_211, 0)),
    issued(2025, "steel", 3_579.40, 4_000.0, (2_505, 1_495, 0)),
    issued(2024, "power", 3_579.40, 4_000.0, (2_505, 1_495, 0)),
    issued(2024, "cement", 3_579.40, 4_000.0, (0, 4_000, 0)),
    # 70 % of 71,428.60 are 50,000.02 t; due are 30,000, so that 20,000 are returned, as in the plan's annex.
    issued(2025, "aluminium", 71_428.60, 30_000.0, (50_000, 0, 20_000)),
)

CARRIED = (
    # T = B + 1.5 NS, at most the holdings; B = 10,000 t in power and 100,000 t in the other sectors.
    carried(2025, "power", 300_000.0, 100_000.0, 160_000),
    carried(2025, "power", 300_000.0, -5_000.0, 10_000),
    carried(2025, "power", 300_000.0, 3_333.0, 14_999),  # 10,000 + 4,999.5, rounded down
    carried(2025, "power", 7_000.0, 100_000.0, 7_000),
    carried(2025, "steel", 300_000.0, 20_000.0, 130_000),
    carried(2025, "cement", 240_000.0, 100_000.0, 240_000),  # at most 250,000
    carried(2026, "cement", 240_000.0, 100_000.0, 0),  # carry-over ended on 10 June 2026
)

CASES = (*RULES, *ISSUED, *CARRIED)
