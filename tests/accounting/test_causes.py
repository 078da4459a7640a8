"""Causes: each mistake by hand is named in both languages, an honest year has none, and a correction removes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from etsopt.accounting import Reports, account, generate, read_reports, screen
from etsopt.accounting.screening import Material
from etsopt.accounting.screening.causes import CAUSES
from etsopt.accounting.screening.causes.hypotheses import CALORIFIC, QUANTITY, density, judged
from etsopt.accounting.screening.causes.series import centre_and_scale, grouped_middle, middle
from etsopt.accounting.screening.causes.table import COLUMNS, KEY
from tests.accounting.builders import REGISTER, Row, frame

SHIPPED = Path(__file__).parents[2] / "instances" / "cn-2025-reports"
MONTHS = [f"2025-{number:02d}" for number in range(1, 13)]
MAY = "2025-05"
CLINKER, COAL, DIESEL, TEST, STOCK, PURCHASE = (
    ("clinker", "portland_clinker", "product"),
    ("clinker", "bituminous", "in"),
    ("clinker", "diesel", "in"),
    ("clinker", "bituminous", "test"),
    ("clinker", "bituminous", "stock"),
    ("clinker", "bituminous", "purchase"),
)
MEDIAN_GJ = float(np.median([round(23.4 + 0.1 * np.cos(number), 3) for number in range(1, 13)]))
POWER = pd.DataFrame([("P1", "EP", "power", "Anhui", "grid_power")], columns=REGISTER.columns)
POWER_COAL = ("generation", "bituminous", "in")
OF_POWER = {"power.fuels.bituminous.carbon_tc_per_gj": 0.026, "power.oxidation_to_2025.coal": 0.99}
Place = tuple[str, str, str]
Change = Callable[[pd.DataFrame], pd.DataFrame]


def honest() -> pd.DataFrame:
    """A year of a clinker line whose rates vary by about 1 %, and whose stock of coal closes to the tonne."""
    rows: list[Row] = []
    stock = 5_000.11
    for number, month in enumerate(MONTHS, 1):
        clinker = 95_000.37 + 1_234.56 * number
        coal = round(0.13 * clinker * (1 + 0.01 * np.cos(7 * number)), 2)
        closing = round(5_000 + 700 * np.sin(3 * number), 2)
        figures = {CLINKER: clinker, COAL: coal, DIESEL: round(0.0002 * clinker * (1 + 0.01 * np.sin(5 * number)), 2)}
        figures |= {PURCHASE: round(coal + closing - stock, 2), STOCK: closing}
        rows += [("C1", month, *place, quantity) for place, quantity in figures.items()]
        value = round(23.4 + 0.1 * np.cos(number), 3)
        rows.append(("C1", month, *TEST, 1_000 + number, {"ncv_gj_per_unit": value, "batch": "B1"}))
        stock = closing
    return frame(rows).assign(version=1)


def power_year(by_carbon: bool = True) -> pd.DataFrame:
    """A year of a unit that burns 8.8 GJ/MWh and, in winter alone, 1.1 GJ for a GJ of heat, within about 1 %."""
    rows: list[Row] = []
    for number, month in enumerate(MONTHS, 1):
        electricity = 250_000.25 + 9_876.54 * np.sin(number)
        heat = 300_000.5 if number in (1, 2, 3, 11, 12) else 20_000.25
        value = round(21 + 0.1 * np.cos(number), 3)
        coal = (8.8 * electricity + 1.1 * heat) / value * (1 + 0.01 * np.cos(7 * number))
        rows += [
            ("P1", month, *POWER_COAL, round(coal, 2), {"ncv_gj_per_unit": value}),
            ("P1", month, "generation", "electricity", "product", round(electricity, 2)),
            ("P1", month, "generation", "heat", "product", round(heat + 37.13 * number, 2)),
        ]
        carbon = round(0.026 * value, 4)
        rows += [("P1", month, "generation", "bituminous", "carbon", carbon, {"unit": "tC/t"})] * by_carbon
    return frame(rows).assign(version=1)


def at(rows: pd.DataFrame, place: Place, month: str = MAY) -> pd.Series[bool]:
    """Which row is of a place and month."""
    own = (rows["process"] == place[0]) & (rows["item"] == place[1]) & (rows["flow"] == place[2])
    return own & (rows["month"] == month)


def times(place: Place, factor: float, column: str = "quantity") -> Change:
    """Multiply the figure of May."""

    def changed(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[at(rows, place), column] *= factor
        return rows

    return changed


def added(place: Place, tonnes: float) -> Change:
    """Add tonnes in May."""

    def changed(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[at(rows, place), "quantity"] += tonnes
        return rows

    return changed


def copied(rows: pd.DataFrame) -> pd.DataFrame:
    """Coal of May is that of April."""
    rows.loc[at(rows, COAL), "quantity"] = rows.loc[at(rows, COAL, "2025-04"), "quantity"].to_numpy()
    return rows


def with_parts(rows: pd.DataFrame) -> pd.DataFrame:
    """Two deliveries stand beside their total."""
    total = rows[at(rows, COAL)]
    whole = total["quantity"].iloc[0]
    parts = [total.assign(batch="P1", quantity=4_321.98), total.assign(batch="P2", quantity=round(whole - 4_321.98, 2))]
    return pd.concat([rows, *parts], ignore_index=True)


def partly_lignite(rows: pd.DataFrame) -> pd.DataFrame:
    """Give 40 % less coal in May, and three quarters of its heat as lignite."""
    other = rows[at(rows, COAL)].assign(item="lignite")
    other["quantity"] = (0.3 * other["quantity"] * 23.4 / 15.25).round(2)
    return pd.concat([times(COAL, 0.6)(rows), other], ignore_index=True)


FAULTS: dict[str, tuple[Place, Change]] = {
    "factor_1000": (COAL, times(COAL, 1_000)),
    "factor_10": (DIESEL, times(DIESEL, 0.1)),
    "factor_10000": (CLINKER, times(CLINKER, 1e-4)),
    "counted_twice": (DIESEL, times(DIESEL, 2)),
    "calorific_unit": (TEST, times(TEST, 4.1868, "ncv_gj_per_unit")),
    "copied_month": (COAL, copied),
    "total_and_parts": (COAL, with_parts),
    "stock_open": (STOCK, added(STOCK, 3_000)),
    "missing_row": (DIESEL, lambda rows: rows[~at(rows, DIESEL)]),
    "missing_month": (("", "", ""), lambda rows: rows[rows["month"] != MAY]),
    "tonnes_of_coal_equivalent": (COAL, times(COAL, 23.4 / 29.3076)),
    "heat_of_fuels": (COAL, partly_lignite),
    "unexplained": (COAL, times(COAL, 1.5)),
}
WORDS = {
    "factor_1000": ("13,", "A factor of 1,000 fits: look in the meter log", "符合1,000倍的差错：请核对计量记录"),
    "factor_10": ("0.1", "decimal point", "小数点"),
    "factor_10000": ("10.12 t, 0.000101 times", "by the other items of the month", "按当月其他项目推算"),
    "counted_twice": ("times the usual", "weighbridge tickets", "过磅单"),
    "calorific_unit": ("98.", "A factor of 4.187 fits: look in the test report for a value in GJ", "又按吉卡换算"),
    "copied_month": ("repeats 2025-04", "do: bituminous.", "与2025-04的数据相同"),
    "total_and_parts": ("13,", "is the sum of the other rows", "等于其余各行之和"),
    "stock_open": ("in 2025-05 opening stock", "leave -3,0", "期初库存"),
    "missing_row": ("No row of diesel (in) at clinker", "11 other months", "缺少熟料生产的柴油（输入）数据"),
    "missing_month": ("No row of 2025-05", "11 other months", "缺少2025-05的数据，其余11个月均已填报"),
    "tonnes_of_coal_equivalent": ("0.79 times", "Tonnes of coal equivalent", "吨标准煤"),
    "heat_of_fuels": ("where the other fuels leave 9,", "booked under another fuel or month", "计入其他燃料或其他月份"),
    "unexplained": ("1.48 times", "No usual mistake fits", "没有符合的常见差错"),
}


def named(rows: pd.DataFrame, register: pd.DataFrame = REGISTER) -> pd.DataFrame:
    """Causes of some rows, without the rules of screening."""
    source = Reports.from_frames(register, rows)
    return Material(source, account(source)).causes


def test_every_cause_has_a_fault_here() -> None:
    assert {*FAULTS} == {*WORDS} == {*CAUSES}


def test_an_honest_year_has_no_cause() -> None:
    causes = named(honest())
    assert causes.empty
    assert [*causes] == COLUMNS
    assert named(drawn()[1], drawn()[0]).empty


@pytest.mark.everyday("factor_1000", "stock_open", "missing_month")
@pytest.mark.parametrize("cause", CAUSES)
def test_a_fault_alone_is_named_and_nothing_else(cause: str) -> None:
    place, change = FAULTS[cause]
    row = named(change(honest()))
    assert row[[*KEY, "cause"]].to_numpy().tolist() == [["C1", MAY, *place, cause]]
    found = row.iloc[0]
    assert np.isnan(found["probability"]) if cause == "missing_month" else 0.5 < found["probability"] < 1
    figure, mistake, chinese = WORDS[cause]
    assert figure in found["reason"]
    assert mistake in found["reason"]
    assert chinese in found["reason_zh"]
    assert not {"{", "}"} & {*found["reason"], *found["reason_zh"]}


def test_a_correction_removes_the_cause() -> None:
    for cause, (place, change) in FAULTS.items():
        if cause in ("missing_month", "missing_row", "total_and_parts"):
            continue
        rows, true = change(honest()), honest()
        corrected = pd.concat([rows, true[at(true, place)].assign(version=2)], ignore_index=True)
        assert named(corrected).empty, cause


def test_the_order_of_rows_changes_no_cause() -> None:
    rows = honest()
    for cause in ("factor_1000", "stock_open", "calorific_unit"):
        rows = FAULTS[cause][1](rows)
    one, other = (named(table) for table in (rows, rows.sample(frac=1, random_state=1)))
    assert len(one) > 1
    pd.testing.assert_frame_equal(one, other)


def test_factors_and_sizes_by_hand() -> None:
    # Emissions of coal: tonnes times GJ/t, 0.02618 tC/GJ, oxidation 0.99 and 44/12, over what is true.
    true = honest()
    coal_t = true.loc[at(true, COAL), "quantity"].iloc[0]
    value = true.loc[at(true, TEST), "ncv_gj_per_unit"].iloc[0]
    coal = coal_t * value * 0.02618 * 0.99 * 44 / 12
    clinker = true.loc[at(true, CLINKER), "quantity"].iloc[0] * 0.535
    sizes = {
        "factor_1000": (1_000.0, coal * 999),
        "factor_10000": (1e-4, clinker * (1 - 1e-4)),
        "calorific_unit": (4.1868, coal * 3.1868),
        "total_and_parts": (2.0, coal),
        "tonnes_of_coal_equivalent": (MEDIAN_GJ / 29.3076, coal * (1 - MEDIAN_GJ / 29.3076)),
        "stock_open": (np.nan, coal * 3_000 / coal_t),
    }
    for cause, (factor, size) in sizes.items():
        found = named(FAULTS[cause][1](true.copy())).iloc[0]
        assert found["factor"] == pytest.approx(factor, nan_ok=True), cause
        # The usual gap of a balance is not exactly zero, and figures are rounded.
        assert found["size_t"] == pytest.approx(size, rel=0.01), cause


def test_a_copied_output_has_no_size() -> None:
    rows = honest()
    for place in (CLINKER, COAL, DIESEL):
        rows.loc[at(rows, place), "quantity"] = rows.loc[at(rows, place, "2025-04"), "quantity"].to_numpy()
    causes = named(rows)
    assert causes[["month", "item", "cause"]].to_numpy().tolist() == [[MAY, "bituminous", "copied_month"]]
    assert causes["size_t"].isna().all()
    assert "do: bituminous, diesel, portland_clinker." in causes["reason"][0]


@pytest.mark.parametrize(("place", "month"), [(PURCHASE, MAY), (STOCK, "2025-01"), (STOCK, "2025-12")])
def test_the_figure_that_opens_a_balance_is_named(place: Place, month: str) -> None:
    rows = honest()
    rows.loc[at(rows, place, month), "quantity"] *= 3
    causes = named(rows)
    assert causes[["month", "flow", "cause"]].to_numpy().tolist() == [[month, place[2], "stock_open"]]


def test_a_balance_tells_an_error_that_the_rate_alone_leaves_open() -> None:
    rows = times(COAL, 1.1)(honest())
    causes = named(rows)
    assert causes[["month", "flow", "cause"]].to_numpy().tolist() == [[MAY, "in", "unexplained"]]
    assert named(rows[~rows["flow"].isin(["stock", "purchase"])]).empty


@cache
def drawn() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Register and rows of 24 units over a year."""
    return generate(24, months=12, seed=12)


def unit_of(sector: str, place: int = 0) -> str:
    """A unit of the sector."""
    register, _ = drawn()
    return str(register.loc[register["sector"] == sector, "unit_id"].iloc[place])


def of_unit(rows: pd.DataFrame, unit: str, place: Place, months: list[str]) -> pd.Series[bool]:
    """Which rows are of a unit, a place and some months."""
    own = (rows["unit_id"] == unit) & rows["month"].isin(months)
    return own & (rows[["process", "item", "flow"]] == [*place]).all(axis=1)


def test_an_output_of_steel_is_named_at_its_item_and_comes_without_size() -> None:
    rows = drawn()[1].copy()
    iron, unit = ("ironmaking", "pig_iron", "product"), unit_of("steel")
    rows.loc[of_unit(rows, unit, iron, [MAY]), "quantity"] /= 10
    causes = named(rows, drawn()[0])
    assert causes[[*KEY, "cause"]].to_numpy().tolist() == [[unit, MAY, *iron, "factor_10"]]
    assert causes["size_t"].isna().all()


@pytest.mark.parametrize("count", [4, 12])
def test_several_months_and_a_whole_year_are_found(count: int) -> None:
    rows = drawn()[1].copy()
    unit = unit_of("cement")
    rows.loc[of_unit(rows, unit, COAL, MONTHS[:count]), "quantity"] /= 1_000
    causes = named(rows, drawn()[0])
    assert set(causes["cause"]) == {"factor_1000"}
    # A whole year is one question.
    assert len(causes) == (1 if count == 12 else count)
    assert {*causes["month"]} <= {*MONTHS[:count]}
    assert causes["reason"].str.contains("its peers").all() == (count == 12)


def test_where_most_months_are_wrong_the_right_ones_are_not_named() -> None:
    rows = drawn()[1].copy()
    rows.loc[of_unit(rows, unit_of("cement"), COAL, MONTHS[:7]), "quantity"] *= 1_000
    causes = named(rows, drawn()[0])
    assert sorted(causes["month"]) == MONTHS[:7]


def test_a_copy_of_another_unit_is_named_where_it_departs_from_its_level() -> None:
    rows = drawn()[1].copy()
    unit, other = unit_of("cement"), unit_of("cement", 1)
    own = (rows["month"] == MAY) & (rows["flow"] != "test")
    rows.loc[own & (rows["unit_id"] == unit), "quantity"] = rows.loc[own & (rows["unit_id"] == other), "quantity"].array
    causes = named(rows, drawn()[0])
    assert causes[[*KEY, "cause"]].to_numpy().tolist() == [[unit, MAY, *COAL, "copied_month"]]
    assert f"the figure of unit {other}" in causes["reason"][0]
    assert f"与单元{other}当月的数据相同" in causes["reason_zh"][0]


def test_lines_that_halve_every_figure_are_no_copies() -> None:
    rows = drawn()[1].copy()
    unit, other = unit_of("cement"), unit_of("cement", 1)
    rows.loc[rows["unit_id"] == unit, "quantity"] = rows.loc[rows["unit_id"] == other, "quantity"].array
    assert named(rows, drawn()[0]).empty


def test_a_month_that_was_copied_as_a_whole_is_one_cause() -> None:
    rows = drawn()[1].copy()
    own = (rows["unit_id"] == unit_of("steel")) & (rows["flow"] != "test")
    rows.loc[own & (rows["month"] == MAY), "quantity"] = rows.loc[own & (rows["month"] == "2025-04"), "quantity"].array
    causes = named(rows, drawn()[0])
    assert causes[["month", "flow", "cause"]].to_numpy().tolist() == [[MAY, "in", "copied_month"]]
    assert "of the month do: anthracite, bituminous, washed_coking_coal" in causes["reason"][0]


def test_tonnes_of_coal_equivalent_follow_the_measured_value() -> None:
    # A coal of 18 GJ/t is 0.614 tonnes of coal equivalent; by its default it would be 0.810.
    rows = honest()
    rows["ncv_gj_per_unit"] *= 18 / 23.4
    assert named(times(COAL, 18 / 29.3076)(rows.copy()))["cause"].tolist() == ["tonnes_of_coal_equivalent"]
    assert named(times(COAL, 23.736 / 29.3076)(rows))["cause"].tolist() == ["unexplained"]


def test_a_year_of_kilocalories_is_told_by_peers() -> None:
    rows = drawn()[1].copy()
    rows.loc[of_unit(rows, unit_of("cement"), TEST, MONTHS), "ncv_gj_per_unit"] *= 4.1868
    causes = named(rows, drawn()[0])
    assert set(causes["cause"]) == {"calorific_unit"}
    assert sorted(causes["month"]) == MONTHS


def test_the_shipped_faults_are_touched_and_clean_plants_are_not() -> None:
    source = read_reports("cn-2025-reports")
    found = screen(source)
    findings = found.findings.copy()
    causes = found.causes
    pd.testing.assert_frame_equal(found.findings, findings)
    assert not causes.duplicated(KEY).any()
    faults = pd.read_csv(SHIPPED / "planted.csv", keep_default_na=False)
    touched = [
        ((causes["unit_id"] == fault.unit_id) & ((fault.months > 1) | (causes["month"] == fault.month))).any()
        for fault in faults.itertuples()
    ]
    assert sum(touched) >= 17
    assert set(causes["unit_id"]) <= set(faults["unit_id"])


LIGNITE = ("clinker", "lignite", "in")


def switched(share: float, first: str) -> pd.DataFrame:
    """An honest year in which lignite gives a share of the heat of coal from a month on."""
    rows = honest()
    rows = rows[~rows["flow"].isin(["stock", "purchase"])].reset_index(drop=True)
    coal = (rows["item"] == "bituminous") & (rows["flow"] == "in") & (rows["month"] >= first)
    other = rows[coal].assign(item="lignite", quantity=(share * rows["quantity"] * 23.4 / 15.25).round(2))
    rows.loc[coal, "quantity"] = ((1 - share) * rows["quantity"]).round(2)
    return pd.concat([rows[rows["quantity"] > 0], other], ignore_index=True)


@pytest.mark.parametrize("factor", [2.0, 1.4, 0.7])
def test_an_output_is_named_where_both_other_items_fall_together(factor: float) -> None:
    rows = honest()
    # In the month of fewest output a figure twice as large is a usual one, and the true ones of its fuels are small.
    rows.loc[(rows["month"] == MAY) & (rows["flow"] != "test"), "quantity"] *= 0.5
    causes = named(times(CLINKER, factor)(rows[~rows["flow"].isin(["stock", "purchase"])].reset_index(drop=True)))
    assert causes[KEY].to_numpy().tolist() == [["C1", MAY, *CLINKER]]


@pytest.mark.parametrize("first", ["2025-04", "2025-10"])
@pytest.mark.parametrize("share", [0.3, 0.8, 1.0])
def test_a_fuel_that_another_makes_up_for_is_no_fault(share: float, first: str) -> None:
    assert named(switched(share, first)).empty


def test_a_fuel_that_was_taken_up_is_not_missing_before() -> None:
    rows = honest()
    assert named(rows[~((rows["item"] == "diesel") & (rows["month"] < "2025-03"))]).empty
    assert named(rows[~((rows["item"] == "diesel") & (rows["month"] > "2025-10"))]).empty
    single = named(rows[~((rows["item"] == "diesel") & (rows["month"] == "2025-12"))])
    assert single["cause"].tolist() == ["missing_row"]


def test_a_fault_in_a_blend_is_still_one() -> None:
    row = named(times(LIGNITE, 1.7)(switched(0.3, "2025-01")))
    assert row[[*KEY, "cause"]].to_numpy().tolist() == [["C1", MAY, *LIGNITE, "unexplained"]]
    rows = switched(0.3, "2025-01")
    assert named(rows[~at(rows, LIGNITE)])["cause"].tolist() == ["missing_row"]


@pytest.mark.filterwarnings("ignore:.*crude steel is a product of its furnaces")
def test_furnaces_of_another_kind_are_no_peers() -> None:
    # Converters take 80 kg of scrap for a tonne of iron, an electric furnace more than a tonne for its steel.
    rows: list[Row] = []
    for unit, (process, item, rate) in enumerate(
        [*[("ironmaking", "pig_iron", 0.08)] * 6, ("eaf", "crude_steel", 1.02)]
    ):
        for number, month in enumerate(MONTHS):
            made = 100_000.0 + 1_000 * unit + 700.37 * number
            scrap = round(rate * made * (1 + 0.01 * np.cos(7 * number + unit)), 2)
            rows += [
                (f"S{unit}", month, process, item, "product", made),
                (f"S{unit}", month, "enterprise", "scrap", "in", scrap),
            ]
    steel = REGISTER[REGISTER["unit_id"] == "S1"]
    register = pd.concat([steel.assign(unit_id=f"S{unit}", enterprise_id=f"E{unit}") for unit in range(7)])
    register.loc[register["unit_id"] == "S6", "activity"] = "short_process"
    assert named(frame(rows).assign(version=1), register).empty


def test_reports_of_one_month_or_of_tests_alone_have_no_cause() -> None:
    rows = honest()
    assert named(rows[rows["month"] == MAY]).empty
    assert named(rows[rows["flow"] == "test"]).empty


def test_medians_and_scales_by_hand() -> None:
    values = np.array([[1.0, 3.0, np.nan, 2.0], [np.nan, 4.0, np.nan, 6.0], [np.nan] * 4])
    assert middle(values).tolist()[:2] == [2.0, 5.0]
    assert np.isnan(middle(values)[2])
    found, count = grouped_middle(values, np.array([0, 0, 1]), 2)
    assert found[0].tolist()[:2] == [1.0, 3.5]
    assert np.isnan(found[1]).all()
    assert count.tolist() == [[1, 2, 0, 2], [0, 0, 0, 0]]
    drawn_values = 3 + 0.2 * np.random.default_rng(1).standard_t(4, size=(1, 20_000))
    centre, scale = centre_and_scale(drawn_values, 6)
    assert (centre[0], scale[0]) == (pytest.approx(3, abs=0.01), pytest.approx(0.2, rel=0.03))
    # A fault among twelve months moves neither much.
    twelve = drawn_values[:, :12].copy()
    before = centre_and_scale(twelve, 6)
    twelve[0, 3] += 7
    assert centre_and_scale(twelve, 6)[0] == pytest.approx(before[0], abs=0.1)
    assert np.isnan(centre_and_scale(twelve[:, :5], 6)[0]).all()


def test_a_month_entered_twice_is_named_where_no_rate_is_off() -> None:
    rows = honest()
    rows.loc[rows["month"].eq(MAY) & rows["flow"].ne("test"), "quantity"] *= 2
    rows = rows[rows["flow"].isin(["in", "product"])]
    cause = named(rows).iloc[0]
    assert cause[["month", "item", "cause", "factor"]].tolist() == [MAY, "", "counted_twice", 2.0]
    # Half of what the month emits.
    found = screen(Reports.from_frames(REGISTER, rows))
    months = found.accounts.unit_months.set_index("month")["emissions_tco2e"]
    assert cause["size_t"] == pytest.approx(months[MAY] / 2, abs=0.01)
    assert found.findings["rule"].tolist().count("likely_cause") == 1
    assert found.findings["reason_zh"].str.contains("请核对该月是否重复录入").any()


@pytest.mark.parametrize("by_carbon", [True, False])
def test_a_value_that_the_account_does_not_take_leaves_emissions_as_they_are(by_carbon: bool) -> None:
    rows = power_year(by_carbon)
    rows.loc[at(rows, POWER_COAL), "ncv_gj_per_unit"] /= 4.1868
    cause = screen(Reports.from_frames(POWER, rows), OF_POWER).causes.iloc[0]
    assert cause[["cause", "month"]].tolist() == ["calorific_unit", MAY]
    assert "look in the test report for Gcal in place of GJ." in cause["reason"]
    assert (cause["size_t"] == 0) == by_carbon
    assert ("emissions stay as they are" in cause["reason"]) == by_carbon


@pytest.mark.parametrize(("factor", "cause"), [(1000, "factor_1000"), (2, "counted_twice")])
def test_coal_of_a_power_unit_is_held_against_its_electricity_and_heat(factor: float, cause: str) -> None:
    rows = power_year()
    rows.loc[at(rows, POWER_COAL), "quantity"] *= factor
    found = screen(Reports.from_frames(POWER, rows), OF_POWER)
    assert found.findings[["rule", "month", "item"]].to_numpy().tolist() == [["fuel_rate", MAY, "bituminous"]]
    assert found.causes[["month", "item", "cause"]].to_numpy().tolist() == [[MAY, "bituminous", cause]]
    assert screen(Reports.from_frames(POWER, power_year()), OF_POWER).findings.empty


def test_hypotheses_are_weighed_by_hand() -> None:
    # At a ratio of e^0.4 and a scale of 0.02: 3,000 of usual variation against 4 of an unknown mistake.
    usual = 3_000 * float(density(np.array(0.4 / 0.02))) / 0.02
    unknown = 4 * np.exp(-0.8)
    fault, verdict = judged(np.array([0.4]), np.array([0.02]), QUANTITY)
    assert fault.tolist() == [unknown > usual] == [True]
    assert verdict.cause.tolist() == ["unexplained"]
    assert verdict.probability[0] == pytest.approx(unknown / (unknown + usual), rel=0.01)
    assert not judged(np.array([0.4]), np.array([0.04]), QUANTITY)[0].any()
    assert judged(np.log([4.2, 0.1]), np.array([0.02]), CALORIFIC)[1].cause.tolist() == ["calorific_unit", "factor_10"]


def test_causes_are_computed_once_and_from_what_was_screened() -> None:
    found = screen(Reports.from_frames(REGISTER, FAULTS["factor_10"][1](honest())))
    assert found.causes is found.causes
    pd.testing.assert_frame_equal(found.causes, Material(found.material.reports, found.material.accounts).causes)
