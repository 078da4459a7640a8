"""Curves of a market's year: by hand, and against the price that clears the market of an independent solve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import etsopt
from etsopt.common.errors import UsageError
from etsopt.common.language import speaking
from etsopt.presenting.charts.responses import market_of, net_demand_before, steps_of
from tests.markets import market, random_market
from tests.models.test_output_measures import mill

if TYPE_CHECKING:
    from etsopt.presenting.charts.chart import Series

CUT: dict[str, Any] = {"measure_id": "cut", "sector": "cement", "abatement_rate": 0.1, "variable_opex_cny_per_t": 5.0}
"""A tenth of the emissions at 5 CNY for each tonne of output, which equals emissions: 50 CNY/t."""

DEEP: dict[str, Any] = CUT | {"measure_id": "deep", "abatement_rate": 0.2, "variable_opex_cny_per_t": 30.0}
"""A fifth of what is left at 30 CNY for each tonne of output."""

TWO = {"emissions_tco2e": [1e5, 1e5], "reference_t": [95e3, 95e3]}


def _steps(instance: etsopt.Instance, year: int = 2025, demand: bool = False) -> list[tuple[str, float, float]]:
    tables = etsopt.solve(instance, "allocation").tables
    steps = steps_of(market_of(instance, tables), year, demand)
    rows = zip(steps["measures"], steps["price_cny_per_t"], steps["amount_t"], strict=True)
    return [(name, round(float(price), 6), round(float(amount), 4)) for name, price, amount in rows]


def test_a_second_measure_costs_more_on_what_the_first_left() -> None:
    # 100,000 t: cut leaves 90,000 for 0.5 MCNY; deep alone 80,000 for 3 M; both 72,000 for 3.5 M. From cut on, both
    # take 18,000 t more for 3 M, 166.67 each, while deep instead of cut takes 10,000 for 2.5 M, 250 each.
    one = {"emissions_tco2e": [1e5], "reference_t": [1e5]}
    assert _steps(market(one, [CUT, DEEP])) == [("cut", 50.0, 10_000.0), ("deep", 166.666667, 18_000.0)]


def test_of_alternatives_only_those_on_the_hull_are_steps() -> None:
    # Of a group: a tenth at 50, or three tenths at 12 / 0.3 = 40, which is better from the start; then half of all at
    # 40 CNY for each tonne of output: 20,000 t more for 2.8 M CNY, that is 140.
    one = {"emissions_tco2e": [1e5], "reference_t": [1e5]}
    better = CUT | {"measure_id": "better", "abatement_rate": 0.3, "variable_opex_cny_per_t": 12.0}
    half = CUT | {"measure_id": "half", "abatement_rate": 0.5, "variable_opex_cny_per_t": 40.0}
    group = [measure | {"exclusive_group": "g"} for measure in (CUT, better, half)]
    assert _steps(market(one, group)) == [("better", 40.0, 30_000.0), ("half", 140.0, 20_000.0)]


def test_a_saving_is_a_step_below_zero() -> None:
    saving = CUT | {"variable_opex_cny_per_t": -2.0}
    assert _steps(market({"emissions_tco2e": [1e5], "reference_t": [1e5]}, [saving])) == [("cut", -20.0, 10_000.0)]


def test_what_is_built_in_steps_can_be_built_by_then() -> None:
    retrofit = CUT | {"measure_id": "r", "abatement_rate": 1.0, "maximum_share": 0.3, "variable_opex_cny_per_t": 50.0}
    slow = retrofit | {"largest_new_share_a_year": 0.1, "first_year": 2026}
    instance = market({"emissions_tco2e": [1e5], "reference_t": [1e5]}, [slow], horizon={"last_year": 2029})
    built = [sum(amount for _, _, amount in _steps(instance, year)) for year in range(2025, 2030)]
    assert built == pytest.approx([0.0, 1e4, 2e4, 3e4, 3e4])


def test_allowances_that_go_with_the_output_are_no_less_demand() -> None:
    # A tenth of the emissions goes for 1 CNY for each tonne of output, 10 CNY/t; 4 % of the output and of the
    # allowances go with it, so that net demand falls by 6,000 t, 16.67 CNY each.
    instance = mill(measure={"output_abatement_rate": 0.04})
    tables = etsopt.solve(instance, "clearing").tables
    costs, demand = (steps_of(market_of(instance, tables), 2025, demand) for demand in (False, True))
    columns = ["price_cny_per_t", "amount_t"]
    assert costs[columns].to_numpy().tolist() == [pytest.approx([10.0, 10_000.0])]
    assert demand[columns].to_numpy().tolist() == [pytest.approx([1 / 0.06, 6_000.0])]


def _series(chart: Any, name: str) -> Series:
    (found,) = [series for series in chart.panels[0].series if series.name == name]
    return found


def test_the_charts_of_a_market_by_hand() -> None:
    # 10,000 t have to be cut, just the tenth of one of two units; both pay from 50 CNY/t on.
    result = etsopt.solve(market(TWO, [CUT | {"name": "Cut <all>"}]), "clearing")
    assert result.plot.kinds[-2:] == ["cost_curve", "supply_demand"]
    cost = result.plot.chart("cost_curve")
    block = _series(cost, "cement")
    assert (block.x[0], block.y[0]) == pytest.approx((0.01, 50.0))
    assert block.widths is not None
    assert block.widths[0] == pytest.approx(0.02)
    assert block.labels is not None
    assert block.labels.tolist() == ["Cut <all>: 0.02 Mt"]
    answer = _series(cost, "the answer")
    assert (answer.x[0], answer.y[0]) == pytest.approx((0.01, 50.0))
    demand = result.plot.chart("supply_demand")
    curve = _series(demand, "net demand")
    # From 10,000 t over to 10,000 t too few allowances at 50 CNY/t.
    assert curve.x.astype(float) == pytest.approx([0.01, 0.01, -0.01, -0.01])
    assert curve.y.astype(float) == pytest.approx([0.0, 50.0, 50.0, 75.0])
    offered = _series(demand, "auctions, offsets and others' sales")
    assert offered.x.astype(float) == pytest.approx([0.0, 0.0], abs=1e-6)
    assert _series(demand, "price").y.astype(float) == pytest.approx([50.0, 50.0])
    assert demand.panels[0].y_label == "price [CNY 2025/t]"
    with speaking("zh"):
        block = _series(result.plot.chart("cost_curve"), "cement")
        assert block.labels is not None
        assert block.labels.tolist() == ["Cut <all>：2 万吨"]
        assert result.plot.chart("supply_demand").panels[0].y_label == "碳价 [2025年元/吨]"


def test_measures_are_named_in_both_languages() -> None:
    named = CUT | {"name": "Cut", "x_name_zh": "减排"}
    with_names, without = (etsopt.solve(market(TWO, [one]), "clearing").plot for one in (named, CUT))
    for lang, name in (("en", "Cut"), ("zh", "减排")):
        with speaking(lang):
            assert [series.name for series in with_names.chart("measures").panels[0].series] == [name]
            assert [series.name for series in without.chart("measures").panels[0].series] == ["cut"]


@pytest.mark.nightly
def test_the_curve_meets_the_demand_of_the_market_at_the_price() -> None:
    met = 0
    for seed in range(9):
        instance = random_market(seed, abatement={"divisible_measures": True})
        result = etsopt.solve(instance, "clearing")
        if not result.certified or result.termination == "infeasible":
            continue
        row, market_ = result.tables["years"].iloc[0], market_of(instance, result.tables)
        steps, before = steps_of(market_, 2025, demand=True), net_demand_before(market_, 2025)
        demand = row["emissions_tco2e"] - row["allowance_t"]
        lower, upper = row["price_lower_cny_per_t"], row["price_upper_cny_per_t"]
        lower, upper = (end if np.isfinite(end) else row["price_cny_per_t"] for end in (lower, upper))
        below = before - steps.loc[steps["price_cny_per_t"] < lower - 1e-6, "amount_t"].sum()
        above = before - steps.loc[steps["price_cny_per_t"] <= upper + 1e-6, "amount_t"].sum()
        assert above - 1e-3 <= demand <= below + 1e-3, seed
        met += 1
    assert met >= 6


def test_the_curves_of_years_agree_with_the_path() -> None:
    result = etsopt.solve(etsopt.read("cn-2025-2035"), "pathway")
    market_, years = market_of(result.instance, result.tables), result.tables["years"].set_index("year")
    chart = result.plot.chart("cost_curve")
    # In 2025 and 2026 the sectors balance themselves.
    assert [panel.title[:4] for panel in chart.panels] == ["2027", "2031", "2035"]
    for year in (2027, 2031, 2035):
        row = years.loc[year]
        steps = steps_of(market_, year, demand=False)
        abated = steps.loc[steps["price_cny_per_t"] <= row["price_cny_per_t"], "amount_t"].sum()
        assert abated == pytest.approx(row["emissions_before_tco2e"] - row["emissions_tco2e"], rel=1e-9)
        before = row["emissions_before_tco2e"] - row["allowance_t"]
        assert net_demand_before(market_, year) == pytest.approx(before, abs=1.0)
    # Where a sector balances itself, abatement has a cost, but frees nothing.
    assert len(steps_of(market_, 2025, demand=False)) > 0
    assert len(steps_of(market_, 2025, demand=True)) == 0
    assert net_demand_before(market_, 2025) == pytest.approx(0.0, abs=1e-3)
    assert [panel.title for panel in result.plot.chart("supply_demand", 2030).panels] == ["2030"]
    with pytest.raises(UsageError, match="no year 2025: in it allowances follow emissions"):
        result.plot.chart("supply_demand", 2025)
    with pytest.raises(UsageError, match="The run has no year 2050"):
        result.plot.chart("cost_curve", 2050)
    with pytest.raises(UsageError, match="is not of a single year"):
        result.plot.chart("prices", 2030)


def test_without_instance_or_measures_there_is_no_curve() -> None:
    result = etsopt.solve(market({"emissions_tco2e": [1e5], "reference_t": [1e5]}), "clearing")
    assert "cost_curve" not in result.plot.kinds
    # Net demand is a vertical line.
    demand = _series(result.plot.chart("supply_demand"), "net demand")
    assert demand.x.astype(float) == pytest.approx([0.0, 0.0])
    with pytest.raises(UsageError, match="its instance has no measures"):
        result.plot.cost_curve()
