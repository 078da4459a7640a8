"""Hand-solved markets: marginal abatement costs, offsets, the reserve, banking, penalties, annuities."""

from __future__ import annotations

from functools import partial
from typing import Any

import etsopt
from benchmarks.reliability.golden import Golden
from tests.markets import market

STEPS = ((10.0, 0.05), (40.0, 0.05), (90.0, 0.05))
"""Marginal costs [CNY/t] and shares of emissions of one measure each at three units of 100,000 t: 5,000 t for each."""

MIXED = {"divisible_measures": True}


def measure(unit: int, cost: float, share: float, **more: Any) -> dict[str, object]:
    """Return a measure at a unit with a cost per tonne abated; output equals emissions."""
    named: dict[str, object] = {"measure_id": f"m{unit}", "unit_id": f"u{unit}", "abatement_rate": share}
    return {**named, "variable_opex_cny_per_t": cost * share, **more}


def solved(model: str, instance: etsopt.Instance, names: tuple[str, ...]) -> dict[str, float]:
    """Return figures of a certified result: by column and year, and the discounted cost."""
    result = etsopt.solve(instance, model)
    if "unmet_t" in names:
        assert result.status == "infeasible_certified", result.status
        return {"unmet_t": float(result.infeasible_by_t or 0.0)}
    assert result.certified, result.status
    table = result.tables["years"]
    figures = {"cost_cny": result.levels[-1].value}
    for name in names:
        column, _, place = name.partition(":")
        if column != "cost_cny":
            figures[name] = float(table[column].iloc[int(place or 0)])
    return {name: figures[name] for name in names}


def case(
    model: str, name: str, expected: dict[str, float], reference: float, steps: Any = STEPS, **policy: Any
) -> Golden:
    """Return units of 100,000 t with given reference allowances, one unit per step, at least one."""
    count = max(len(steps), 1)
    units: dict[str, Any] = {"emissions_tco2e": [100_000.0] * count, "reference_t": [reference] * count}
    measures = [measure(unit, *step) for unit, step in enumerate(steps)]
    instance = market(units, measures, **policy)
    return Golden("market", f"{model}, {name}", partial(solved, model, instance, tuple(expected)), expected)


CASES = (
    # 12,000 t are short: 5,000 at 10, 5,000 at 40, and 2,000 at 90, whose measure sets the price.
    case(
        "clearing",
        "three steps of marginal cost",
        {"cost_cny": 430_000, "price_cny_per_t": 90, "emissions_tco2e": 288_000},
        96_000.0,
        abatement=MIXED,
    ),
    # 9,000 t are short: 5,000 at 10 and 4,000 at 40.
    case("clearing", "two of three steps", {"cost_cny": 210_000, "price_cny_per_t": 40}, 97_000.0, abatement=MIXED),
    # All three together abate 15,000 of 18,000 t, and no obligation may stay outstanding.
    case("clearing", "what no measure avoids is missing", {"unmet_t": 3_000}, 94_000.0),
    # No unit has a measure; 4,000 t stay outstanding at 5 x 60, and at the end once more 60.
    case(
        "clearing",
        "a penalty sets the price",
        {"cost_cny": 1_440_000, "price_cny_per_t": 360, "outstanding_t": 4_000},
        96_000.0,
        (),
        penalty={"reference_price_cny_per_t": 60.0},
    ),
    # 4,000 t are short: 3,000 offsets at 30, and 1,000 t at 50.
    case(
        "clearing",
        "offsets before a measure",
        {"cost_cny": 140_000, "price_cny_per_t": 50, "offset_t": 3_000},
        96_000.0,
        ((50.0, 0.05),),
        abatement=MIXED,
        market={"ccer_price_cny_per_t": 30.0, "ccer_supply_t": 3_000.0},
    ),
    # 7,000 t are short, of which offsets cover 5 % of 100,000 less the 2,105.26 t that are abated: x + 0.05 (100,000 -
    # x) = 7,000, x = 2,000 / 0.95. Cost 50 x 2,105.263 + 30 x 4,894.737. A tonne more needs 1 / 0.95 t of abatement and
    # 0.05 / 0.95 t less of offsets: (50 - 1.5) / 0.95.
    case(
        "clearing",
        "offsets up to 5 % of what is emitted",
        {"cost_cny": 252_105.263, "price_cny_per_t": 51.0526316, "offset_t": 4_894.737},
        93_000.0,
        ((50.0, 0.05),),
        abatement=MIXED,
        market={"ccer_price_cny_per_t": 30.0, "ccer_supply_t": 90_000.0},
    ),
    # The reserve sells at 40, below the measure at 50.
    case(
        "clearing",
        "a ceiling",
        {"cost_cny": 160_000, "price_cny_per_t": 40, "released_t": 4_000},
        96_000.0,
        ((50.0, 0.05),),
        market={"ceiling_price_cny_per_t": 40.0, "reserve_t": 10_000.0},
    ),
    # A surplus of 4,000 t, and the reserve buys at 20.
    case(
        "clearing",
        "a floor",
        {"cost_cny": -80_000, "price_cny_per_t": 20, "intake_t": 4_000},
        104_000.0,
        (),
        market={"floor_price_cny_per_t": 20.0},
    ),
    # Other sectors demand 6,000 t of the surplus of 4,000: 2,000 t at 10.
    case(
        "clearing",
        "demand of other sectors",
        {"cost_cny": 20_000, "price_cny_per_t": 10},
        104_000.0,
        ((10.0, 0.05),),
        abatement=MIXED,
        market={"external_demand_t": 6_000.0},
    ),
    # 4,000 t are short in each of two years, 5,000 are auctioned in the first: 1,000 are banked, and 3,000 t are
    # avoided in the second year at 10, which are worth 10 / 1.05 in the first.
    case(
        "clearing",
        "banking at 5 %",
        {
            "cost_cny": 28_571.429,
            "price_cny_per_t:0": 9.5238095,
            "price_cny_per_t:1": 10,
            "banked_t:0": 1_000,
            "emissions_tco2e:1": 97_000,
        },
        96_000.0,
        ((10.0, 0.05),),
        abatement=MIXED,
        horizon={"last_year": 2026, "discount_rate": 0.05},
        market={"auctioned_t": {"2025": 5_000.0, "2026": 0.0}, "borrow_pre_allocation": False},
    ),
    # In the reverse order borrowing is impossible: 4,000 t at 10 are avoided from the first year on, 40,000 and
    # 40,000 / 1.05, while 5,000 t in the second year leave a surplus of 5,000 t.
    case(
        "clearing",
        "no borrowing",
        {"cost_cny": 78_095.238, "price_cny_per_t:1": 0, "emissions_tco2e:0": 96_000},
        96_000.0,
        ((10.0, 0.05),),
        abatement=MIXED,
        horizon={"last_year": 2026, "discount_rate": 0.05},
        market={"auctioned_t": {"2025": 0.0, "2026": 5_000.0}, "borrow_pre_allocation": False},
    ),
    # At 50 the measures at 10 and 40 are taken, 250,000, and of 12,000 t the other 2,000 are bought.
    case(
        "abatement",
        "price takers at 50",
        {"cost_cny": 350_000, "measures_cost_cny": 250_000, "emissions_tco2e": 290_000},
        96_000.0,
        market={"prices_cny_per_t": 50.0},
    ),
    # At 5 no unit abates, and 12,000 t are bought.
    case(
        "abatement",
        "price takers at 5",
        {"cost_cny": 60_000, "measures_cost_cny": 0, "emissions_tco2e": 300_000},
        96_000.0,
        market={"prices_cny_per_t": 5.0},
    ),
    # 4,000 t at 50 and 2 for the trade.
    case(
        "abatement",
        "a transaction cost",
        {"cost_cny": 208_000},
        96_000.0,
        (),
        market={"prices_cny_per_t": 50.0, "transaction_cost_cny_per_t": 2.0},
    ),
    # A surplus of 4,000 t brings 50 - 2.
    case(
        "abatement",
        "a surplus is sold",
        {"cost_cny": -192_000},
        104_000.0,
        (),
        market={"prices_cny_per_t": 50.0, "transaction_cost_cny_per_t": 2.0},
    ),
    # Two measures at one unit that each avoid a tenth of what is left avoid 19,000 t: 10 and 9 thousand. Each costs 1
    # CNY for a tonne of output, 100,000 CNY; the second avoids its 9,000 t at 11.11 CNY/t, less than 20.
    Golden(
        "market",
        "abatement, one measure acts on what the other left",
        partial(
            solved,
            "abatement",
            market(
                {"emissions_tco2e": [100_000.0], "reference_t": [100_000.0]},
                [
                    {"measure_id": name, "unit_id": "u0", "abatement_rate": 0.1, "variable_opex_cny_per_t": 1.0}
                    for name in ("one", "two")
                ],
                market={"prices_cny_per_t": 20.0},
            ),
            ("cost_cny", "measures_cost_cny", "emissions_tco2e"),
        ),
        # 200,000 for measures less 19,000 x 20.
        {"cost_cny": -180_000, "measures_cost_cny": 200_000, "emissions_tco2e": 81_000},
    ),
    # 100 CNY/t of investment over 10 years at 5 %: an annuity of 0.1295045750, so 1,295,045.75 CNY for 100,000 t; with
    # 1 of fixed cost and 3 of variable cost less 2 of fuel 200,000 CNY more. Half of the emissions at 80: 4,000,000.
    Golden(
        "market",
        "abatement, an annuity",
        partial(
            solved,
            "abatement",
            market(
                {"emissions_tco2e": [100_000.0], "reference_t": [100_000.0]},
                [
                    {
                        **measure(0, 0.0, 0.5),
                        "capex_cny_per_t": 100.0,
                        "fixed_opex_cny_per_t": 1.0,
                        "variable_opex_cny_per_t": 3.0,
                        "fuel_saving_cny_per_t": 2.0,
                        "lifetime_years": 10,
                    }
                ],
                market={"prices_cny_per_t": 80.0},
                horizon={"discount_rate": 0.05},
            ),
            ("cost_cny", "measures_cost_cny"),
        ),
        {"cost_cny": -2_504_954.25, "measures_cost_cny": 1_495_045.75},
    ),
)
