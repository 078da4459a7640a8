"""The trail: a changed row changes exactly the figures that name it; every figure has factor, formula and version."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from etsopt.accounting import Accounts, Reports, account, generate
from etsopt.common.errors import UsageError
from tests.accounting.builders import CEMENT_MONTH, REGISTER, STEEL_MONTH, Row, frame, reports

KEYS = ["figure", "gas"]


def accounts_of(register: pd.DataFrame, rows: pd.DataFrame) -> Accounts:
    return account(Reports.from_frames(register, rows))


def figures_of(accounts: Accounts, row: int) -> set[int]:
    """Figures whose trail names a row; rows of a frame are labelled by its index."""
    return set(accounts.trail["figure"][accounts.trail["line"] == row].tolist())


def changed(before: Accounts, after: Accounts) -> set[int]:
    """Figures with other quantities, calorific values or emissions."""
    columns = ["quantity", "ncv_gj_per_unit", "emissions_tco2e"]
    one, other = (accounts.lines.set_index(KEYS)[columns].fillna(-1.0) for accounts in (before, after))
    different = (one != other).any(axis=1)
    return set(different[different].index.get_level_values("figure").tolist())


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_row_changes_exactly_the_figures_that_name_it(seed: int) -> None:
    register, rows = generate(5, months=3, seed=seed)
    before = accounts_of(register, rows)
    random = np.random.default_rng(seed)
    for row in random.choice(len(rows), 12, replace=False):
        other = rows.copy()
        if rows["flow"].iat[row] == "test":
            other.loc[row, "ncv_gj_per_unit"] += 2.0
        else:
            other.loc[row, "quantity"] = round(2 * rows["quantity"].iat[row] + 10, 2)
        named = figures_of(before, row)
        assert named
        assert changed(before, accounts_of(register, other)) == named


def test_a_changed_row_of_a_power_unit_changes_exactly_the_figures_that_name_it() -> None:
    register = pd.DataFrame([("P1", "EP", "power", "Anhui", "grid_power")], columns=list(REGISTER.columns))
    month = ("P1", "2026-01", "generation")
    rows = frame(
        [
            (*month, "bituminous", "in", 10_000),
            (*month, "bituminous", "test", 4_000, {"batch": "1", "ncv_gj_per_unit": 20.0}),
            (*month, "bituminous", "test", 6_000, {"batch": "2", "ncv_gj_per_unit": 21.0}),
            (*month, "bituminous", "carbon", 0.52, {"batch": "1", "unit": "tC/t"}),
            (*month, "bituminous", "carbon", 0.50, {"batch": "2", "unit": "tC/t"}),
            (*month, "bituminous", "oxidation", 98, {"unit": "%"}),
            (*month, "lignite", "in", 300, {"batch": "1"}),
            (*month, "lignite", "in", 100, {"batch": "2"}),
            (*month, "lignite", "carbon", 0.30, {"batch": "1", "unit": "tC/t"}),
            (*month, "lignite", "carbon", 0.25, {"batch": "2", "unit": "tC/t"}),
            (*month, "natural_gas", "in", 5, {"ncv_gj_per_unit": 380.0}),
            (*month, "biomass", "in", 5, {"ncv_gj_per_unit": 15.0}),
            (*month, "electricity", "product", 9),
        ]
    )
    stated = {"power.oxidation.coal": 0.98, "power.oxidation.gas": 0.99}
    before = account(Reports.from_frames(register, rows), stated)
    for row in range(len(rows)):
        other = rows.copy()
        other.loc[row, "quantity"] *= 1.02
        named = figures_of(before, row)
        assert named
        assert changed(before, account(Reports.from_frames(register, other), stated)) == named, rows.loc[row].to_dict()


def test_a_changed_row_changes_the_totals_of_its_unit_and_month_alone() -> None:
    register, rows = generate(5, months=3, seed=7)
    before = accounts_of(register, rows)
    row = int(np.flatnonzero((rows["process"] == "sintering") & (rows["flow"] == "in"))[0])
    other = rows.copy()
    other.loc[row, "quantity"] += 1_000
    after = accounts_of(register, other)
    place = ["unit_id", "month", "process"]
    one, two = (accounts.monthly.set_index([*place, "gas"])["emissions_tco2e"] for accounts in (before, after))
    different = (one != two)[one != two].index.droplevel("gas").tolist()
    unit, month = rows["unit_id"].iat[row], rows["month"].iat[row]
    # A process inside the boundary moves emissions between itself and the rest.
    assert sorted(different) == [(unit, month, "other"), (unit, month, "sintering")]
    for process in ("other", "sintering"):
        assert row in before.trail_of(unit, month, process)["line"].tolist()
    assert row not in before.trail_of(unit, month, "ironmaking")["line"].tolist()
    assert row not in before.trail_of(unit, "2025-03", "sintering")["line"].tolist()
    assert row in before.trail_of(unit, 2025)["line"].tolist()


def test_every_figure_has_rows_factors_formula_and_version() -> None:
    register, rows = generate(9, months=2, seed=1)
    accounts = accounts_of(register, rows)
    lines = accounts.lines
    assert set(lines["figure"]) == set(accounts.trail["figure"])
    assert (lines["guideline"].str.match(r"CETS-AG-0[234]\.01-V01-2024")).all()
    emits = lines["formula"] != "output"
    assert (lines["factors"] != "")[emits].all()
    known = set(accounts.factors["factor"])
    assert {key for keys in lines["factors"] for key in keys.split()} == known
    # Quantity, calorific value and factor give the emissions again.
    value = lines["quantity"] * lines["ncv_gj_per_unit"].fillna(1.0) * lines["factor"].fillna(0.0)
    assert np.abs(value - lines["emissions_tco2e"]).max() < 0.0101
    # All rows but superseded ones are in the trail.
    assert set(accounts.trail["line"]) == set(range(len(rows)))


def test_a_later_version_replaces_the_row_and_is_named() -> None:
    correction: Row = ("C1", "2025-01", "clinker", "bituminous", "in", 21_000, {"version": 2, "reported_by": "lab"})
    found = reports([*CEMENT_MONTH, correction])
    assert found.current.tolist() == [True, False, True, True]
    accounts = account(found)
    line = accounts.lines.set_index("item").loc["bituminous"]
    assert line["quantity"] == 21_000
    (row,) = accounts.trail[accounts.trail["figure"] == line["figure"]].to_dict("records")
    assert (row["line"], row["version"], row["role"], row["reported_by"]) == (3, 2, "quantity", "lab")


def test_a_correction_to_zero_removes_a_row() -> None:
    correction: Row = ("C1", "2025-01", "clinker", "carbide_slag", "in", 0, {"version": 2})
    assert account(reports([*CEMENT_MONTH, correction])).unit_months["emissions_tco2e"].item() == 128_039.26


def test_a_figure_that_does_not_exist_is_refused() -> None:
    accounts = account(reports(STEEL_MONTH))
    for period, process in (("2025-02", "bof"), ("2025-0", None), (202, None)):
        with pytest.raises(UsageError, match=f"No figure of unit 'S1' in '?{period}'?"):
            accounts.trail_of("S1", period, process)


def test_the_order_of_the_rows_changes_nothing() -> None:
    register, rows = generate(6, months=2, seed=3)
    one = accounts_of(register, rows)
    other = accounts_of(register, rows.sample(frac=1.0, random_state=1))
    for name in ("monthly", "annual", "unit_months", "unit_years", "lines", "fuels"):
        pd.testing.assert_frame_equal(one.tables[name], other.tables[name])
