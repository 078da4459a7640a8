"""Hand-solved compliance years: carry-over, purchases, offsets, sales, and the cost of a shortfall in either law."""

from __future__ import annotations

from functools import partial
from typing import Any

import etsopt
from benchmarks.reliability.golden import Golden
from benchmarks.reliability.golden_rules import lines
from tests.compliance_years import by_hand

PRICE = {"prices_cny_per_t": 80.0}


def settled(instance: etsopt.Instance, enterprise: str, names: tuple[str, ...]) -> dict[str, float]:
    """Return some columns of an enterprise in a certified compliance year."""
    result = etsopt.solve(instance, "compliance")
    assert result.certified, result.status
    row = result.tables["compliance"].set_index("enterprise_id").loc[enterprise]
    return {name: float(row[name]) for name in names}


def of_one(names: tuple[str, ...], emissions: float, allowance: float, held: dict[str, float], **policy: Any) -> Any:
    """Return a compliance year of one clinker line, by default 2025."""
    import pandas as pd

    units = lines([emissions], [emissions], reference_t=[allowance])
    stated = {"year": 2025, "rule": {"name": "given"}, "market": PRICE, **policy}
    enterprises = pd.DataFrame([{"enterprise_id": "a", **held}])
    return settled(etsopt.Instance.from_frames(units, stated, enterprises=enterprises), "a", names)


def one(
    name: str, expected: dict[str, float], emissions: float, allowance: float, held: Any = None, **policy: Any
) -> Golden:
    figures = partial(of_one, tuple(expected), emissions, allowance, held or {}, **policy)
    return Golden("compliance", name, figures, expected)


def of_four(names: tuple[str, ...], enterprise: str, **changes: Any) -> dict[str, float]:
    return settled(
        by_hand().with_policy({key.replace("__", "."): value for key, value in changes.items()}), enterprise, names
    )


def four(enterprise: str, expected: dict[str, float], name: str = "2025", **changes: Any) -> Golden:
    """Return one of four enterprises of `tests.compliance_years.by_hand`."""
    figures = partial(of_four, tuple(expected), enterprise, **changes)
    return Golden("compliance", f"{enterprise} of four, {name}", figures, expected)


LAW_OF_2024: dict[str, Any] = {"year": 2024, "rule__carry_over_base_t": 0.0}
REFUSES = {"without_purchases": ["a"]}

CASES = (
    # A deficit of 10,000 t at 80 CNY/t.
    one("a deficit is bought", {"bought_t": 10_000, "cost_cny": 800_000}, 100_000.0, 90_000.0),
    # Offsets up to 5 % of 100,000 t at 60, the other 5,000 t at 80: 300,000 + 400,000.
    one(
        "offsets up to 5 %",
        {"offset_t": 5_000, "bought_t": 5_000, "cost_cny": 700_000},
        100_000.0,
        90_000.0,
        market=PRICE | {"ccer_price_cny_per_t": 60.0, "ccer_supply_t": 20_000.0},
    ),
    # A surplus of 10,000 t, sold for 80 - 1 each.
    one(
        "a surplus is sold",
        {"sold_t": 10_000, "cost_cny": -790_000},
        100_000.0,
        110_000.0,
        market=PRICE | {"transaction_cost_cny_per_t": 1.0},
    ),
    # A banked allowance is worth 80, more than a sale brings and less than a purchase costs: no trade.
    one(
        "a surplus is kept",
        {"sold_t": 0, "bought_t": 0, "closing_t": 10_000, "cost_cny": 0, "kept_worth_cny": 800_000},
        100_000.0,
        110_000.0,
        market=PRICE | {"transaction_cost_cny_per_t": 1.0, "terminal_price_cny_per_t": 80.0},
    ),
    # Worth 100, more than a purchase costs: one who may speculate banks all 110,000 t, and buys the obligation at 80.
    one(
        "everything is kept",
        {"bought_t": 100_000, "closing_t": 110_000, "cost_cny": 8_000_000, "kept_worth_cny": 11_000_000},
        100_000.0,
        110_000.0,
        market=PRICE | {"terminal_price_cny_per_t": 100.0},
        compliance={"speculating": ["a"]},
    ),
    # Another buys what it needs, which is nothing.
    one(
        "nothing is bought to be kept",
        {"bought_t": 0, "closing_t": 10_000, "cost_cny": 0, "kept_worth_cny": 1_000_000},
        100_000.0,
        110_000.0,
        market=PRICE | {"terminal_price_cny_per_t": 100.0},
    ),
    # 30,000 t of 2023 are fewer than the 100,000 t that industry may carry over: 10,000 are surrendered, 20,000 sold.
    one(
        "old vintages are converted",
        {"carried_over_t": 30_000, "bought_t": 0, "sold_t": 20_000, "cost_cny": -1_600_000},
        100_000.0,
        90_000.0,
        {"opening_2023_t": 30_000.0},
    ),
    # In 2026 they are neither usable nor carried over; vintage 2025 is usable: 4,000 of the 10,000 t.
    one(
        "old vintages after the conversion",
        {"bought_t": 6_000, "closing_t": 30_000, "cost_cny": 480_000},
        100_000.0,
        90_000.0,
        {"opening_2023_t": 30_000.0, "opening_2025_t": 4_000.0},
        year=2026,
    ),
    # 100,000.5 t are an obligation of 100,001 t.
    one("half a tonne", {"obligation_t": 100_001, "bought_t": 1, "cost_cny": 80}, 100_000.5, 100_000.0),
    # 10,000 t at 5 x 70 and the least fixed fine; from 2025 on nothing is deducted.
    one(
        "a shortfall of 2025",
        {"shortfall_t": 10_000, "penalty_cny": 3_500_000, "fixed_fine_cny": 1_000_000, "deducted_next_year_t": 0},
        100_000.0,
        90_000.0,
        compliance=REFUSES,
        penalty={"reference_price_cny_per_t": 70.0},
    ),
    # At ten times the price, and 5 million fixed.
    one(
        "a shortfall of 2025 at the upper ends",
        {"penalty_cny": 7_000_000, "fixed_fine_cny": 5_000_000, "cost_cny": 12_000_000},
        100_000.0,
        90_000.0,
        compliance=REFUSES,
        penalty={"reference_price_cny_per_t": 70.0, "multiple": 10.0, "fixed_fine_cny": 5_000_000.0},
    ),
    # Up to 2024 there is no fixed fine, and next year's allocation falls by the shortfall.
    one(
        "a shortfall of 2024",
        {"penalty_cny": 3_500_000, "fixed_fine_cny": 0, "deducted_next_year_t": 10_000},
        100_000.0,
        90_000.0,
        year=2024,
        compliance=REFUSES,
        penalty={"reference_price_cny_per_t": 70.0},
    ),
    # a: of 20,000 t of old vintages 10,000 + 1.5 x 2,000 = 13,000 are carried over; with 100 t and 1,030 issued 14,130.
    # Its share of 100 offsets is 100 x 1,000 / 7,101 = 14; 986 surrendered, 13,144 sold at 79: 14 x 75 - 1,038,376.
    four("a", {"offset_t": 14, "sold_t": 13_144, "closing_t": 7_000, "cost_cny": -1_037_326}),
    # b: 1,950 pre-allocated, 1,900 due: 50 returned. 2,000 - 1,900 = 100: 28 offsets at 75, 30 of 2026, 42 at 81.
    four("b", {"cancelled_t": 50, "offset_t": 28, "bought_t": 42, "cost_cny": 5_502}),
    # c: 2,900 issued and 40 carried over; 42 offsets; 3,001 - 2,982 = a shortfall of 19 at 450, a million, and 42 x 75.
    four("c", {"surrendered_t": 2_940, "shortfall_t": 19, "penalty_cny": 8_550, "cost_cny": 1_011_700}),
    # d: the province surrenders 1,100 of 1,150 first, and 50 are sold at 79.
    four("d", {"province_released_t": 50, "sold_t": 50, "cost_cny": -3_950}),
    # Under the law of 2024 b cannot use 30 t of 2026 and buys 72; c loses 19 t of the next year.
    four("b", {"bought_t": 72, "closing_t": 30}, "2024", **LAW_OF_2024),
    four("c", {"shortfall_t": 19, "deducted_next_year_t": 19, "fixed_fine_cny": 0}, "2024", **LAW_OF_2024),
)
