"""Formulas by hand: the worked figures of steel, clinker and aluminium, calorific values and decimals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from etsopt.accounting import account
from etsopt.accounting.aluminium import gases_per_tonne
from etsopt.accounting.decimals import hundredths, rounded
from etsopt.accounting.factors import Factors
from etsopt.accounting.vocabulary import ITEMS
from etsopt.common.errors import DataError
from tests.accounting.builders import ALUMINIUM_MONTH, CEMENT_MONTH, STEEL_MONTH, Row, reports


def amounts(lines: pd.DataFrame) -> dict[str, float]:
    """Emissions of lines by item and flow; exact sums of hundredths."""
    return {
        f"{row.item} {row.flow}": row.emissions_tco2e for row in lines[lines["process"] == "enterprise"].itertuples()
    }


def total(values: pd.Series) -> float:
    """Sum in hundredths."""
    return float(np.rint(values * 100).sum()) / 100


def test_a_month_of_steel_is_that_of_the_guideline_to_the_cent() -> None:
    found = account(reports(STEEL_MONTH))
    by_item = amounts(found.lines)
    # Bituminous coal: 120,000 t x 23.736 GJ/t x 0.02618 tC/GJ x 44/12 = 273,419.73 t.
    assert by_item["anthracite in"] == 5_801.37
    assert by_item["bituminous in"] == 273_419.73
    assert by_item["washed_coking_coal in"] == 736_341.14
    assert by_item["coke in"] == 202_446.96
    assert by_item["coke_oven_gas in"] == 6_941.99
    assert by_item["electrode in"] == 1_355.31
    assert by_item["crude_steel out"] == -22_015.00
    enterprise = found.lines[found.lines["process"] == "enterprise"]
    kinds = enterprise["item"].map(lambda item: ITEMS[item].kind)
    assert total(enterprise["emissions_tco2e"][kinds == "fuel"]) == 1_224_951.19
    assert total(enterprise["emissions_tco2e"][(kinds == "material") & (enterprise["flow"] == "in")]) == 32_207.37
    assert total(enterprise["emissions_tco2e"][enterprise["flow"] == "out"]) == -47_603.70
    (unit,) = found.unit_months.to_dict("records")
    assert unit["emissions_tco2e"] == 1_209_554.86
    assert unit["output_t"] == 595_000
    assert unit["intensity_output_t"] == 600_000
    assert unit["intensity"] == 0.7269
    assert unit["confidence"] == "A"
    by_process = found.monthly.set_index("process")["emissions_tco2e"]
    assert by_process["ironmaking"] == 358_080.94
    assert by_process["sintering"] == 78_053.12
    # The rest is the difference: 1,209,554.86 - 358,080.94 - 78,053.12.
    assert by_process["other"] == 773_420.80
    assert round(1_209_554.86 / 595_000, 4) == 2.0329


def test_a_mixed_fired_unit_of_the_enterprise_burns_with_oxidation() -> None:
    power: Row = ("S1", "2025-01", "power", "bituminous", "in", 1_000)
    found = account(reports([*STEEL_MONTH, power]))
    by_process = found.monthly.set_index("process")["emissions_tco2e"]
    # 1,000 x 23.736 x 0.02618 x 44/12 x 0.99 = 2,255.71 t.
    assert by_process["power"] == 2_255.71
    assert by_process["other"] == round(773_420.80 - 2_255.71, 2)
    assert found.unit_months["emissions_tco2e"].item() == 1_209_554.86


def test_semi_coke_has_the_defaults_of_coke_or_its_measured_value() -> None:
    month: Row = ("S1", "2025-01", "enterprise", "semi_coke", "in", 12_000)
    # 12,000 x 28.435 x 0.02942 x 44/12.
    assert account(reports([month])).lines["emissions_tco2e"].tolist() == [36_808.54]
    measured: Row = (*month, {"ncv_gj_per_unit": 28.0})
    # 12,000 x 28.000 x 0.02942 x 44/12.
    assert account(reports([measured])).lines["emissions_tco2e"].tolist() == [36_245.44]


def test_bought_and_own_gas_have_a_calorific_value_each() -> None:
    found = account(
        reports(
            [
                ("S1", "2025-01", "enterprise", "coke_oven_gas", "in", 1_000, {"ncv_gj_per_unit": 172.0}),
                ("S1", "2025-01", "enterprise", "own_coke_oven_gas", "out", 600, {"ncv_gj_per_unit": 175.0}),
            ]
        )
    )
    assert dict(zip(found.lines["item"], found.lines["emissions_tco2e"], strict=True)) == {
        "coke_oven_gas": 7_631.07,
        "own_coke_oven_gas": -4_658.50,
    }
    assert found.unit_months["emissions_tco2e"].item() == 2_972.57
    # One figure for both: a user who states the carbon of the gas states that of its own as well.
    own = account(
        reports([("S1", "2025-01", "enterprise", "own_coke_oven_gas", "out", 600)]),
        {"steel.fuels.coke_oven_gas.carbon_tc_per_gj": 0.0},
    )
    assert own.lines["emissions_tco2e"].tolist() == [0.0]
    assert own.lines["confidence"].tolist() == ["stated"]


def test_own_gas_does_not_enter_the_enterprise() -> None:
    with pytest.raises(DataError, match="item has no place"):
        reports([("S1", "2025-01", "enterprise", "own_converter_gas", "in", 1)])


def test_a_month_without_a_test_has_the_default_by_its_clause_or_is_refused() -> None:
    def months(item: str) -> list[Row]:
        return [
            ("S1", "2025-01", "enterprise", item, "in", 10, {"ncv_gj_per_unit": 30.0}),
            ("S1", "2025-02", "enterprise", item, "in", 10),
        ]

    found = account(reports(months("diesel")))
    (booked,) = found.substitutes.to_dict("records")
    assert (booked["month"], booked["item"], booked["value"]) == ("2025-02", "diesel", 42.652)
    assert booked["clause"] == "CETS-AG-03.01-V01-2024, 6.2.2.4"
    assert found.lines["ncv_basis"].tolist() == ["measured", "default"]
    # A fuel that was never measured takes the default by choice: nothing stands in for a test.
    assert account(reports(months("diesel")[1:])).substitutes.empty
    for solid in ("bituminous", "semi_coke"):
        with pytest.raises(DataError, match=r"6\.2\.2\.2, and 9\.1 d 5"):
            reports(months(solid))
    clinker: list[Row] = [("C1", month, "clinker", *rest) for _, month, _, *rest in months("diesel")]
    with pytest.raises(DataError, match="only the default in a later month"):
        reports(clinker)


def test_a_clinker_line_adds_fuel_and_process_less_deductions() -> None:
    found = account(reports(CEMENT_MONTH))
    by_item = found.lines.set_index("item")["emissions_tco2e"]
    assert by_item["bituminous"] == 45_114.26
    assert by_item["portland_clinker"] == 82_925.00
    assert by_item["carbide_slag"] == -1_920.00
    (unit,) = found.unit_months.to_dict("records")
    assert unit["emissions_tco2e"] == 126_119.26
    assert unit["intensity"] == 0.8137
    assert round(100 * unit["carbide_slag_rate"], 2) == 2.32
    assert unit["confidence"] == "C"


@pytest.mark.parametrize(
    ("gj_per_t", "oxidised", "without"), [(2.9, 0.8106, 0.8134), (3.1, 0.8296, 0.8326), (3.3, 0.8486, 0.8518)]
)
def test_clinker_by_its_heat_needs_the_oxidation_rate(gj_per_t: float, oxidised: float, without: float) -> None:
    rows: list[Row] = [
        ("C1", "2025-01", "clinker", "portland_clinker", "product", 100_000),
        # At 20 GJ/t the tonnes of coal are the heat over 20.
        ("C1", "2025-01", "clinker", "bituminous", "in", gj_per_t * 100_000 / 20, {"ncv_gj_per_unit": 20.0}),
    ]
    assert account(reports(rows)).unit_months["intensity"].item() == oxidised
    bare = account(reports(rows), {"cement.oxidation": False})
    assert bare.unit_months["intensity"].item() == without
    assert bare.unit_months["confidence"].item() == "stated"


def test_deductions_can_be_switched_off_or_replaced() -> None:
    off = account(reports(CEMENT_MONTH), {"cement": {"deduct": False}})
    assert off.unit_months["emissions_tco2e"].item() == 128_039.26
    assert off.lines.set_index("item").loc["carbide_slag", "emissions_tco2e"] == 0
    other = account(reports(CEMENT_MONTH), {"cement.deductions.carbide_slag.tco2_per_t": 0.5})
    assert other.lines.set_index("item").loc["carbide_slag", "emissions_tco2e"] == -2_000.00
    stated = other.factors.set_index("factor").loc["cement.deductions.carbide_slag.tco2_per_t"]
    assert (stated["value"], stated["official"], stated["confidence"]) == ("0.5", "0.48", "stated")


def test_anodes_and_the_anode_effect_by_tonne() -> None:
    scaled = [(*row[:5], row[5] * 10_000) for row in ALUMINIUM_MONTH]
    found = account(reports(scaled))
    by_gas = found.monthly.set_index("gas")["emissions_tco2e"]
    # 0.46 x (1 - 0.1518) x (1 - 0.02 - 0.004) x 44/12 = 1.3963 t/t.
    assert by_gas["CO2"] == pytest.approx(13_963, abs=0.5)
    assert round(by_gas["CF4"] + by_gas["C2F6"], 2) == 1_454.00
    # Split by mass: C2F6 is a tenth of CF4, so its share is 1,110 of 6,630 + 1,110.
    assert by_gas["CF4"] == round(1_454 * 6_630 / 7_740, 2)
    gross = 1.424 / ((1 - 0.1518) * (1 - 0.024) * 44 / 12)
    assert round(gross, 4) == 0.4691
    assert rounded(68.9975 / 44.005, 4) == 1.5679


def test_the_older_formulas_of_the_anode_effect() -> None:
    factors = Factors.of({})
    assert round(sum(gases_per_tonne("mass", factors)), 5) == 0.26316
    assert round(sum(gases_per_tonne("slope", factors)), 5) == 1.10682
    scaled = [(*row[:5], row[5] * 100_000) for row in ALUMINIUM_MONTH]
    mass = account(reports(scaled), {"aluminium.anode_effect": "mass"}).monthly.set_index("gas")["emissions_tco2e"]
    assert (mass["CF4"], mass["C2F6"]) == (22_542.00, 3_774.00)
    minutes: Row = ("A1", "2025-01", "electrolysis", "anode_effect_minutes", "in", 0.5)
    slope = account(reports([*scaled, minutes]), {"aluminium.anode_effect": "slope"})
    by_gas = slope.monthly.set_index("gas")["emissions_tco2e"]
    assert (by_gas["CF4"], by_gas["C2F6"]) == (47_404.50, 7_936.50)
    assert {"minutes"} <= set(slope.trail["role"])
    with pytest.raises(DataError, match="1 months have aluminium but no minutes of anode effect"):
        account(reports(scaled), {"aluminium.anode_effect": "slope"})


def test_a_month_s_value_is_weighted_by_batch_tonnes_and_a_year_s_by_consumption() -> None:
    def coal(month: str, quantity: float, *tests: tuple[float, float]) -> list[Row]:
        return [
            ("C1", month, "clinker", "bituminous", "in", quantity),
            *(
                (
                    "C1",
                    month,
                    "clinker",
                    "bituminous",
                    "test",
                    tonnes,
                    {"ncv_gj_per_unit": value, "batch": str(number)},
                )
                for number, (tonnes, value) in enumerate(tests)
            ),
        ]

    # January: (1,000 x 22 + 3,000 x 24) / 4,000 = 23.5; February 23.
    found = account(reports([*coal("2025-01", 5_000, (1_000, 22), (3_000, 24)), *coal("2025-02", 10_000, (1, 23))]))
    assert found.lines["ncv_gj_per_unit"].tolist() == [23.5, 23.0]
    assert found.lines["ncv_basis"].tolist() == ["measured", "measured"]
    # (5,000 x 23.5 + 10,000 x 23) / 15,000 = 23.1667, to three decimals.
    assert found.fuels["ncv_gj_per_unit"].tolist() == [23.167]
    year = 15_000 * 23.167 * 0.02618 * 44 / 12 * 0.99
    assert found.fuels["emissions_at_yearly_ncv_tco2e"].tolist() == [round(year, 2)]


def test_a_gas_has_the_plain_mean_of_its_tests() -> None:
    def gas(tonnes: float, value: float, batch: str) -> Row:
        more = {"ncv_gj_per_unit": value, "batch": batch}
        return ("C1", "2025-01", "clinker", "natural_gas", "test", tonnes, more)

    rows: list[Row] = [("C1", "2025-01", "clinker", "natural_gas", "in", 10), gas(0, 380, "1"), gas(9, 390, "2")]
    assert account(reports(rows)).lines["ncv_gj_per_unit"].tolist() == [385.0]


def test_consumption_with_values_of_its_own_is_weighted_by_itself() -> None:
    rows: list[Row] = [
        ("C1", "2025-01", "clinker", "bituminous", "in", 100, {"ncv_gj_per_unit": 22.0, "batch": "a"}),
        ("C1", "2025-01", "clinker", "bituminous", "in", 300, {"ncv_gj_per_unit": 24.0, "batch": "b"}),
        ("C1", "2025-01", "clinker", "bituminous", "in", 50, {"batch": "c"}),
    ]
    (line,) = account(reports(rows)).lines.to_dict("records")
    assert (line["quantity"], line["ncv_gj_per_unit"]) == (450.0, 23.5)


def test_one_fuel_has_one_value_at_all_processes_of_a_unit() -> None:
    test: Row = ("S1", "2025-01", "enterprise", "bituminous", "test", 10, {"ncv_gj_per_unit": 24.0})
    found = account(reports([*STEEL_MONTH, test])).lines
    coal = found[found["item"] == "bituminous"]
    assert coal["ncv_gj_per_unit"].tolist() == [24.0, 24.0]
    assert set(coal["process"]) == {"enterprise", "ironmaking"}


def test_quantities_and_emissions_have_two_decimals_and_calorific_values_three() -> None:
    more = {"ncv_gj_per_unit": 23.00051, "batch": "x"}
    rows: list[Row] = [("C1", "2025-01", "clinker", "bituminous", "in", 10.004, more)] * 1
    (line,) = account(reports(rows)).lines.to_dict("records")
    assert (line["quantity"], line["ncv_gj_per_unit"]) == (10.0, 23.001)
    assert line["emissions_tco2e"] == round(10 * 23.001 * 0.02618 * 44 / 12 * 0.99, 2)


def test_halves_are_rounded_away_from_zero_in_spite_of_binary_fractions() -> None:
    assert rounded(np.array([2.675, 1.005, -0.125, 0.00005]), 2).tolist() == [2.68, 1.01, -0.13, 0.0]
    assert hundredths([0.5 * 0.037, 1e8 + 0.005]).tolist() == [2, 10_000_000_001]


def test_a_sold_fuel_counts_negative_in_the_balance() -> None:
    sold: Row = ("S1", "2025-01", "enterprise", "coke", "out", 1_000)
    found = account(reports([*STEEL_MONTH, sold]))
    # 1,000 x 28.435 x 0.02942 x 44/12.
    assert found.unit_months["emissions_tco2e"].item() == round(1_209_554.86 - 3_067.38, 2)
