"""Charts of the other models, against cases that their own tests derive by hand; every model has one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import etsopt
from etsopt.common.language import speaking
from etsopt.presenting.charts import KINDS, chart_of
from etsopt.presenting.charts.kinds import kinds_of
from tests import compliance_years, investments, outlooks, reconciliations, review_plans

if TYPE_CHECKING:
    from etsopt.presenting.charts.chart import Panel
    from etsopt.presenting.charts.plots import Plots

RUNS = sorted((Path(__file__).parents[2] / "golden_reports").glob("*/run"))


def _parts(panel: Panel, category: str) -> dict[str, float]:
    """Values of the series of a horizontal panel at one category, those that are not zero."""
    found = {}
    for series in panel.series:
        values = dict(zip(series.y.tolist(), series.x.tolist(), strict=True))
        if values.get(category):
            found[series.name] = values[category]
    return found


def _texts(plots: Plots, kind: str, lang: str) -> list[str]:
    """Title of a chart, and titles and labels of its panels."""
    with speaking(lang):
        chart = plots.chart(kind)
        panels = [text for one in chart.panels for text in (one.title, one.x_label, one.y_label)]
        return [str(text) for text in (chart.title, *panels)]


@pytest.mark.nightly
def test_every_model_has_a_chart_in_both_languages() -> None:
    assert len(RUNS) >= 20
    for run in RUNS:
        plots = etsopt.load(run).plot
        assert plots.kinds, run.parent.name
        for kind in plots.kinds:
            english, chinese = _texts(plots, kind, "en"), _texts(plots, kind, "zh")
            assert list(map(bool, english)) == list(map(bool, chinese)), (run.name, kind)
            assert all(map(str.isascii, english)), english


@pytest.mark.nightly
def test_a_run_without_a_table_or_column_has_the_charts_that_do_not_need_it() -> None:
    seen: set[str] = set()
    for run in RUNS:
        result = etsopt.load(run)
        instance = result.instance
        for kind in {*kinds_of(result.tables, instance)} - seen:
            seen.add(kind)
            needs = KINDS[kind].needs
            for name in {*needs, "closure", "balance_values"} & {*result.tables}:
                table = result.tables[name]
                others = {key: part for key, part in result.tables.items() if key != name}
                assert name not in needs or kind not in kinds_of(others, instance)
                for column in table:
                    left = others | {name: table.drop(columns=column)}
                    if column in needs.get(name, ()):
                        assert kind not in kinds_of(left, instance), (kind, name, column)
                    elif kind in kinds_of(left, instance):
                        chart_of(kind, left, result.provenance, instance)
    assert len(seen) >= 10


def test_deficits_are_met_as_derived_by_hand() -> None:
    # b: 2,000 due and 50 to return, 1,950 issued: 100 = 42 bought, 28 offset, 30 held. c: 3,001 - 2,900 = 101: 19 not
    # surrendered, 42 offset, 40 carried over. a and d have more than they need.
    result = etsopt.solve(compliance_years.by_hand(), "compliance")
    lacking, over = result.plot.chart("compliance").panels
    assert _parts(lacking, "b") == pytest.approx(
        {"bought": 0.042, "offsets (CCER)": 0.028, "holdings from before": 0.03}
    )
    assert _parts(lacking, "c") == pytest.approx(
        {"shortfall": 0.019, "offsets (CCER)": 0.042, "holdings from before": 0.04}
    )
    assert _parts(over, "a") == pytest.approx({"kept": 7.0, "sold": 13.144})
    assert _parts(over, "d") == pytest.approx({"sold": 0.05})


def test_reports_stand_beside_what_the_evidence_allows() -> None:
    result = etsopt.solve(reconciliations.by_hand(), "reconciliation")
    (panel,) = result.plot.chart("reconciliation").panels
    interval, reported, reconciled = panel.series
    table = result.tables["reconciliation"].set_index("unit_id").loc[interval.y.tolist()]
    middle, low, high, reports = (
        table[f"{name}_tco2e"].to_numpy() for name in ("reconciled", "lowest", "highest", "reported")
    )
    assert interval.base is not None
    assert (1 + interval.base / 100) * middle == pytest.approx(low)
    assert (1 + (interval.base + interval.x) / 100) * middle == pytest.approx(high)
    assert (1 + reported.x / 100) * middle == pytest.approx(reports)
    assert not reconciled.x.any()
    # The unit whose figure is false is farthest off, at the top.
    assert interval.y.tolist() == ["b", "a"]


def test_an_outlook_is_drawn_with_both_forms_and_its_title_states_the_finding() -> None:
    # By hand, as in tests/models/test_outlook.py: both forms cost 50 CNY in 2026, and emit 85 Mt.
    chart = etsopt.solve(outlooks.by_hand(), "outlook").plot.chart("outlook")
    prices, emissions = chart.panels
    assert "the same cap costs 50 or 50 CNY/t in 2026" in chart.title
    assert [series.name for series in prices.series] == ["free part fixed", "free part by output", "benchmarks, no cap"]
    assert [series.y[-1] for series in prices.series] == pytest.approx([50.0, 50.0, 0.0])
    assert {series.name: series.y[-1] for series in emissions.series} == pytest.approx(
        {"free part fixed": 85.0, "free part by output": 85.0, "benchmarks, no cap": 100.0, "cap": 80.0}
    )


def test_covered_and_uncovered_tonnes_of_a_plan_by_hand() -> None:
    result = etsopt.solve(review_plans.by_hand(), "review_plan")
    at_risk, days = result.plot.chart("review_plan").panels
    summary = result.tables["review_summary"].iloc[0]
    sums = {series.name: series.x.sum() * 1e6 for series in at_risk.series}
    assert sums.get("covered by a review", 0.0) == pytest.approx(summary["covered_tco2e"])
    assert sums.get("not covered", 0.0) == pytest.approx(summary["uncovered_tco2e"])
    total = sum(_parts(days, "national").values())
    assert total == pytest.approx(2.0)


def test_costs_of_an_investment_are_steps_as_wide_as_their_scenarios_are_probable() -> None:
    # The plant on the page of the model: it invests 5 million, and pays 0.5 or 0.9 million, each with one half.
    plots = etsopt.solve(investments.by_hand(), "investment").plot
    costs, installed = plots.chart("investment").panels
    lines = {series.name: series for series in costs.series}
    now, known = lines["decided now"], lines["if the scenario were known"]
    assert now.x.tolist() == pytest.approx([0.0, 50.0, 50.0, 100.0])
    assert now.y.tolist() == pytest.approx([5e5, 5e5, 9e5, 9e5])
    assert known.y.tolist() == pytest.approx([4e5, 4e5, 5e5, 5e5])
    assert now.labels is not None
    assert now.labels.tolist() == ["high", "high", "low", "low"]
    assert lines["expected"].y.tolist() == pytest.approx([7e5, 7e5])
    assert _parts(installed, "m") == pytest.approx({"": 5e6})
    with speaking("zh"):
        assert str(plots.chart("investment").title).endswith("情景揭晓前投资 5,000,000 元")


def test_an_infeasible_policy_shows_what_has_to_give() -> None:
    tight = etsopt.read("tiny").with_policy({"sectors.cement.target_change": -0.05})
    result = etsopt.solve(tight)
    table = result.tables["relaxed_limits"]
    panels = result.plot.chart("relaxations").panels
    by_target = table[(table["way_out"] == "target_relaxation") & (table["limit"] == "target")]
    assert _parts(panels[0], "target cement")[""] == pytest.approx(by_target["by"].item() / 1e3)
    with speaking("zh"):
        assert "水泥目标" in result.plot.chart("relaxations").panels[0].series[0].y
    band = table[table["limit"] == "band"]["to"].max()
    assert f"cement to {100 * band:.3g} %" in panels[1].title


def test_equilibria_and_their_abatement() -> None:
    result = etsopt.solve(etsopt.read("cn-2025"), "equilibrium")
    balance, abatement = result.plot.chart("equilibrium").panels
    table = result.tables["equilibrium"].set_index("sector")
    after = _parts(balance, "aluminium 2025")["in equilibrium"]
    row = table.loc["aluminium"]
    assert after == pytest.approx(100 * (row["balance_value"] / row["balance_value_before"] - 1))
    abated = (table["emissions_before_tco2e"] - table["emissions_tco2e"]).sum() / 1e6
    assert np.sum(abatement.series[0].x) == pytest.approx(abated)


def test_a_market_that_cannot_clear_shows_the_tonnes() -> None:
    instance = etsopt.read("tiny").with_policy({"market.external_demand_t": 10_000_000})
    result = etsopt.solve(instance, "clearing")
    assert result.plot.kinds[-1] == "unmet"
    chart = result.plot.chart("unmet")
    assert chart.panels[0].series[0].y.sum() * 1e3 == pytest.approx(result.tables["unmet_demand"]["unmet_t"].sum())
