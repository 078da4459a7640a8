"""Prices at other terminal prices: the ends of a bracket by hand, their proof, and what of it is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli.solving import show_summary
from etsopt.common.errors import StoppedError
from etsopt.common.language import speaking
from etsopt.presenting.documents.document import Table
from etsopt.reports.write import report
from etsopt_models._columns import whole_plans
from etsopt_models._columns.master import Master
from etsopt_models._columns.whole_plans import at_terminal_price
from tests.judging import check
from tests.markets import of_model, random_market
from tests.models.test_closure import one
from tests.models.test_lapsing import three

RATE = 1.1


def ceiling(instance: etsopt.Instance, price: float | None = 300.0, terminal: float = 0.0) -> etsopt.Instance:
    changes = {"market.terminal_price_cny_per_t": terminal}
    if price is not None:
        changes |= {"market.ceiling_price_cny_per_t": price, "market.reserve_t": 1e5}
    return instance.with_policy(changes)


def solved(instance: etsopt.Instance) -> etsopt.Results:
    results = etsopt.solve(instance, "pathway")
    assert results.certified, results.status
    assert results.violations == ()
    return results


def at(results: etsopt.Results, terminal: float, column: str = "price_cny_per_t") -> list[Any]:
    table = results.tables["terminal_prices"]
    return list(table.loc[table["terminal_price_cny_per_t"] == terminal, column])


def test_the_bracket_of_three_years_by_hand() -> None:
    """If what is kept is worth nothing the price is that of the cheap measure: 40 CNY/t, discounted in 2025.

    Worth 300 CNY/t at the end, an allowance is worth 300 / 1.1 and 300 / 1.21 in the years before: both measures run.
    """
    results = solved(ceiling(three()))
    low, high = [40 / RATE, 40, 40], [300 / RATE**2, 300 / RATE, 300]
    assert at(results, 0.0) == pytest.approx(low, abs=1e-5)
    assert at(results, 300.0) == pytest.approx(high, abs=1e-5)
    assert at(results, 300.0, "emissions_tco2e") == pytest.approx([902_500] * 3)
    shares = [1 - few / many for few, many in zip(low, high, strict=True)]
    assert at(results, 300.0, "explained_share") == pytest.approx(shares)
    assert at(results, 0.0, "explained_share") == [0.0] * 3
    assert set(at(results, 0.0, "status")) == {"this result"}
    assert set(at(results, 300.0, "status")) == {"certified"}


def test_a_terminal_price_between_the_ends_has_both_beside_it() -> None:
    """At 50 CNY/t the cheap measure runs from 2025 on, and a fifth of the price of 2027 is owed to that."""
    results = solved(ceiling(three(), terminal=50.0))
    assert at(results, 0.0) == pytest.approx([40 / RATE, 40, 40], abs=1e-5)
    assert at(results, 50.0) == pytest.approx([50 / RATE**2, 50 / RATE, 50])
    assert at(results, 50.0, "explained_share")[-1] == pytest.approx(0.2)
    assert results.tables["terminal_plans"]["terminal_price_cny_per_t"].unique().tolist() == [0.0, 300.0]
    # The lines come after the fact: solved by itself, each end has the prices stated for it.
    for terminal in (0.0, 300.0):
        alone = solved(ceiling(three(), terminal=terminal))
        assert list(alone.tables["years"]["price_cny_per_t"]) == pytest.approx(at(results, terminal), abs=1e-5)


@pytest.mark.parametrize(
    "instance",
    [
        ceiling(three(), price=40.0),
        ceiling(three(no_bank_from=2027)),
        ceiling(three(), price=None),
        ceiling(three(), terminal=50.0).with_policy({"market.transaction_cost_cny_per_t": 1.0}),
    ],
    ids=["up to the ceiling", "lapses", "no ceiling", "trading costs"],
)
def test_there_is_no_bracket_where_the_end_moves_nothing_or_none_is_sought(instance: etsopt.Instance) -> None:
    tables = solved(instance).tables
    assert not {"terminal_prices", "terminal_plans"} & set(tables)


def test_without_a_ceiling_the_lower_end_alone_is_there_and_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    results = solved(ceiling(three(), price=None, terminal=50.0))
    assert sorted(set(results.tables["terminal_prices"]["terminal_price_cny_per_t"])) == [0.0, 50.0]
    show_summary(results)
    shown = " ".join(capsys.readouterr().out.split())
    assert "Price by terminal price [CNY 2025/t] year at 0.00 at 50.00 owed to it" in shown
    assert "Without a ceiling price the prices at higher terminal prices have no limit." in shown
    assert "2027 40.00 50.00 20.00 %" in shown


def test_the_page_has_the_bracket_in_both_languages() -> None:
    results = solved(ceiling(three(), terminal=50.0))
    for language, words in (("en", "Price by terminal price [CNY 2025/t]"), ("zh", "各期末价格下的碳价")):
        with speaking(language):
            blocks = [block for section in report(results).sections for block in section.blocks]
            tables = [block.shown() for block in blocks if isinstance(block, Table)]
        (table,) = (table for table in tables if table.caption.startswith(words))
        assert table.rows[2] == ("2027", "40.00", "50.00", "20.00 %", "300.00", "86.67 %")


def test_other_models_have_none() -> None:
    results = etsopt.solve(ceiling(one(2026, external_demand_t=20_000.0)), "clearing")
    assert "terminal_prices" not in results.tables
    forged = {**results.tables, "terminal_prices": pd.DataFrame({"year": [2025.0]})}
    assert not check(ceiling(one(2026)), forged, results.levels, kind="clearing").certified


def refused(instance: etsopt.Instance, results: etsopt.Results, **tables: pd.DataFrame) -> set[str]:
    found = check(instance, {**results.tables, **tables}, results.levels, kind="pathway")
    assert not found.certified
    return {violation.rule for violation in found.violations}


@pytest.mark.everyday("4")
@pytest.mark.parametrize("row", [1, 4, 8])
def test_every_forged_cell_is_refused(row: int) -> None:
    instance = ceiling(three(), terminal=50.0)
    results = solved(instance)
    table = results.tables["terminal_prices"]
    for column in set(table) - {"status"}:
        forged = table.astype({column: float})
        forged.loc[row, column] += 0.01 if column == "explained_share" else 1.0
        assert {"terminal_prices", "same_rows"} & refused(instance, results, terminal_prices=forged), column
    forged = table.copy()
    forged.loc[row, "status"] = "certified" if 3 <= row < 6 else "not certified"
    assert "terminal_prices" in refused(instance, results, terminal_prices=forged)


@pytest.mark.parametrize("factor", [0.999, 1.001])
def test_a_consistent_bracket_at_other_prices_is_refused_by_its_bound(factor: float) -> None:
    """Prices, shares and multipliers that fit each other, but not the market."""
    instance = ceiling(three())
    results = solved(instance)
    duals, table = results.tables["duals"].copy(), results.tables["terminal_prices"].copy()
    duals.loc[duals["level"].str.startswith("cost:terminal"), "multiplier"] *= factor
    table.loc[3:, "price_cny_per_t"] *= factor
    price = table["price_cny_per_t"].to_numpy().reshape(2, 3)
    table["explained_share"] = (1 - price[0] / price).ravel()
    assert refused(instance, results, duals=duals, terminal_prices=table) == {"terminal_prices"}
    # Without the claim it is an answer that nobody calls proven.
    open_table = table.assign(status=np.where(table.index < 3, "this result", "not certified"))
    tables = {**results.tables, "duals": duals, "terminal_prices": open_table}
    assert check(instance, tables, results.levels, kind="pathway").certified


@pytest.mark.parametrize("damage", ["half", "row", "unit", "price", "gone", "text", "infinite"])
def test_damaged_plans_are_refused(damage: str) -> None:
    instance = ceiling(three())
    results = solved(instance)
    plans = results.tables["terminal_plans"]
    changed: dict[str, Any] = {
        "half": plans.assign(share=0.5),
        "row": plans.iloc[:-1],
        "unit": plans.assign(unit_id="nobody"),
        "price": plans.assign(terminal_price_cny_per_t=200.0),
        "gone": plans.drop(columns="unit_id"),
        "text": plans.assign(share="one"),
        "infinite": plans.assign(share=np.inf),
    }
    refused(instance, results, terminal_plans=changed[damage])
    for name in ("terminal_plans", "terminal_prices"):
        without = {other: table for other, table in results.tables.items() if other != name}
        assert not check(instance, without, results.levels, kind="pathway").certified


def test_every_end_has_the_years_of_the_path_and_no_other_row() -> None:
    instance = ceiling(three())
    results = solved(instance)
    table = results.tables["terminal_prices"]
    for rows in ([*range(1, 6)], [*range(5)], [*range(6), 5], [1, 0, *range(2, 6)], []):
        forged = table.iloc[rows].reset_index(drop=True)
        assert refused(instance, results, terminal_prices=forged) == {"same_rows"}


def test_tables_where_the_end_moves_nothing_are_refused() -> None:
    instance, results = ceiling(three(no_bank_from=2027)), solved(ceiling(three()))
    own = solved(instance)
    for name in ("terminal_prices", "terminal_plans"):
        assert refused(instance, own, **{name: results.tables[name]}) == {"tables"}


def test_an_end_that_is_not_found_states_nothing() -> None:
    instance = ceiling(three())
    results = solved(instance)
    table = results.tables["terminal_prices"].copy()
    numbers = [name for name in table if name not in ("terminal_price_cny_per_t", "year", "status")]
    table.loc[3:, "status"] = "not found"
    assert "terminal_prices" in refused(instance, results, terminal_prices=table)
    table.loc[3:, numbers] = np.nan
    assert check(instance, {**results.tables, "terminal_prices": table}, results.levels, kind="pathway").certified
    # A single number among them is one that nothing proves.
    table.loc[3, "emissions_tco2e"] = 1.0
    assert "terminal_prices" in refused(instance, results, terminal_prices=table)


@pytest.mark.everyday("0")
@pytest.mark.parametrize("seed", range(24))
def test_random_paths_have_ends_that_are_proven_and_contain_the_price(seed: int) -> None:
    """A higher terminal price lowers no price: the same is kept, or more."""
    path = of_model(random_market(seed, years=2 + seed % 3), "pathway")
    changes = {
        "market.transaction_cost_cny_per_t": 0.0,
        "market.terminal_price_cny_per_t": 30.0,
        "market.ceiling_price_cny_per_t": 400.0,
        "market.floor_price_cny_per_t": None,
    }
    results = etsopt.solve(path.with_policy(changes), "pathway")
    assert results.violations == ()
    if "terminal_prices" not in results.tables:
        return
    table = results.tables["terminal_prices"]
    assert set(table["status"]) <= {"this result", "certified"}
    price = table["price_cny_per_t"].to_numpy().reshape(3, -1)
    assert (np.diff(price, axis=0) >= -1e-3 * np.maximum(price[:-1], 1.0)).all()


def test_a_program_that_is_stopped_states_no_price_and_the_answer_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: Any) -> None:
        raise StoppedError("time_limit")

    def at_stopped(master: Master, price: float) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(Master, "relaxed", stopped)
            return at_terminal_price(master, price)

    monkeypatch.setattr(whole_plans, "at_terminal_price", at_stopped)
    results = solved(ceiling(three()))
    assert at(results, 300.0, "status") == ["not found"] * 3
    assert np.isnan(at(results, 300.0)).all()
    show_summary(results)
    shown = " ".join(capsys.readouterr().out.split())
    assert "At a terminal price of 300.00 CNY/t the prices are not found." in shown
    assert "nan" not in shown
