"""Statistics over the draws of a sweep, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import UsageError
from etsopt.studies.sweeping.plan import plan_of
from etsopt.studies.sweeping.statistics import WHAT, proven, regret, summary


def numbers(costs: dict[str, list[float | None]], years: int = 1) -> pd.DataFrame:
    """Costs of decisions in states, each divided over some years."""
    rows = [
        (f"{decision}/sample-{state}", "years", "", "", 2025 + year, "", "total_cost_cny", cost / years, "CNY")
        for decision, row in costs.items()
        for state, cost in enumerate(row, 1)
        for year in range(years)
        if cost is not None
    ]
    return pd.DataFrame(
        rows, columns=["scenario", "table", "sector", "province", "year", "id", "quantity", "value", "unit"]
    )


def test_mean_deviation_and_quantiles_are_those_of_the_draws() -> None:
    found = summary(numbers({"a": [1.0, 2.0, 3.0, 4.0, 10.0], "b": [5.0] * 5}))
    assert found["decision"].tolist() == ["a", "b"]
    one = found.iloc[0]
    assert (one["count"], one["states"], one["mean"], one["least"], one["largest"]) == (5, 5, 4.0, 1.0, 10.0)
    assert one["deviation"] == pytest.approx(np.std([1, 2, 3, 4, 10]))
    assert one[["p25", "median", "p75"]].tolist() == [2.0, 3.0, 4.0]
    assert one["p95"] == pytest.approx(np.quantile([1, 2, 3, 4, 10], 0.95))
    assert found.iloc[1][["mean", "deviation", "p05"]].tolist() == [5.0, 0.0, 5.0]
    assert list(found)[: len(WHAT) + 1] == ["decision", *WHAT]


def test_the_regret_of_a_decision_is_its_distance_from_the_best_of_every_state() -> None:
    """In state 1 a is best, in state 2 b; c is never best and never far off."""
    costs: dict[str, list[float | None]] = {"a": [1.0, 9.0], "b": [8.0, 2.0], "c": [3.0, 4.0]}
    for years in (1, 2):
        found = regret(numbers(costs, years), "years", "total_cost_cny").set_index("decision")
        assert found.index.tolist() == ["c", "a", "b"]
        assert found["largest_regret"].to_dict() == {"c": 2.0, "a": 7.0, "b": 7.0}
        assert found["mean_regret"].to_dict() == {"c": 2.0, "a": 3.5, "b": 3.5}
        assert found["worst_state"].to_dict() == {"c": "sample-1", "a": "sample-2", "b": "sample-1"}
        assert found["unit"].tolist() == ["CNY"] * 3
    most = regret(numbers(costs), "years", "total_cost_cny", "largest").set_index("decision")
    assert most["largest_regret"].to_dict() == {"c": 5.0, "a": 7.0, "b": 7.0}


def test_a_decision_without_an_answer_in_some_state_is_counted_and_comes_last() -> None:
    found = regret(numbers({"a": [1.0, None], "b": [8.0, 2.0]}), "years", "total_cost_cny")
    assert found[["decision", "count", "states", "largest_regret"]].to_numpy().tolist() == [
        ["b", 2, 2, 7.0],
        ["a", 1, 2, 0.0],
    ]
    assert summary(numbers({"a": [1.0, None], "b": [8.0, 2.0]}))[["count", "states"]].to_numpy().tolist() == [
        [1, 2],
        [2, 2],
    ]


def test_states_without_any_number_are_counted() -> None:
    found = summary(numbers({"a": [1.0, 2.0]}), ["a/sample-1", "a/sample-2", "a/sample-3"])
    assert found[["count", "states"]].to_numpy().tolist() == [[2, 3]]


def test_a_number_that_is_not_there_is_told() -> None:
    with pytest.raises(UsageError, match=r"no number 'cost' in the table 'years'.\n\nChoose one of total_cost_cny"):
        regret(numbers({"a": [1.0]}), "years", "cost")
    with pytest.raises(UsageError, match="Choose a table that the sweep keeps"):
        regret(numbers({"a": [1.0]}), "sectors", "cost")


@pytest.mark.nightly
def test_statistics_of_a_sweep_are_those_of_its_numbers() -> None:
    key = "units.emissions_tco2e"
    plan = plan_of(
        {
            "instance": "tiny",
            "scenarios": {"narrow": {"sectors.cement.band": 0.02}, "wide": {"sectors.cement.band": 0.05}},
            "sample": {"number": 8, "values": {key: {"lognormal": [1.0, 0.02], "each": "row"}}},
        }
    )
    table = etsopt.sweep(etsopt.read("tiny"), plan).numbers
    found = summary(table)
    here = found[(found["table"] == "sectors") & (found["quantity"] == "balance_value")].set_index("decision")
    for decision in ("narrow", "wide"):
        drawn = table[
            table["scenario"].str.startswith(decision)
            & (table["table"] == "sectors")
            & (table["quantity"] == "balance_value")
        ]["value"]
        assert len(drawn) == 8
        assert here.loc[decision, "mean"] == pytest.approx(drawn.mean())
        assert here.loc[decision, "p95"] == pytest.approx(np.quantile(drawn, 0.95))
    # The balance value does not depend on the band: both decisions met the same states.
    assert here.loc["narrow", "mean"] == here.loc["wide", "mean"]


def test_a_sweep_without_any_number_has_no_statistics() -> None:
    nothing = numbers({"a": [1.0]}).iloc[:0].astype({"value": object})
    assert len(summary(nothing, ["a/sample-1", "a/sample-2"])) == 0


def test_answers_that_are_not_proven_are_in_no_statistic() -> None:
    table = numbers({"a": [1.0, 3.0, 100.0]}).assign(status=["certified_optimal", "certified_gap", "feasible"])
    assert summary(table)[["count", "states", "mean", "largest"]].to_numpy().tolist() == [[2, 3, 2.0, 3.0]]
    scenarios = table[["scenario", "status"]]
    assert proven(table, scenarios)["value"].tolist() == [1.0, 3.0]
