"""Answers of solves that their own checks once refused: prices of small trading costs, and sizes over many decades."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.verdict import Verdict, Violation
from etsopt.running import run

TWO = pd.DataFrame(
    {
        "unit_id": ["U0", "U1"],
        "enterprise_id": ["E0", "E1"],
        "sector": "cement",
        "province": "Hebei",
        "output_t": [2034837.0, 611436.0],
        "emissions_tco2e": [1761511.0, 515962.0],
    }
)


def over_years(units: pd.DataFrame, cost: float, last: int = 2027, measures: Any = None) -> etsopt.Instance:
    """Return units over some years, with a tonne beyond need in the last: without one every price would clear."""
    policy = {"year": 2025, "rule": {"name": "cn"}, "horizon": {"last_year": last}}
    market = {"transaction_cost_cny_per_t": cost, "auctioned_t": {str(last): 1.0}}
    return etsopt.Instance.from_frames(units, policy | {"market": market}, measures=measures)


@pytest.mark.everyday("0.3-clearing", "0.3-pathway")
@pytest.mark.parametrize("model", ["clearing", "pathway"])
@pytest.mark.parametrize("cost", [0.05, 0.3])
def test_ends_of_price_intervals_hold_at_small_trading_costs(cost: float, model: str) -> None:
    """Multipliers of rows that nothing limits were 1e5, and the certificate of an end rounded by 3 fen."""
    result = etsopt.solve(over_years(TWO, cost), model)
    assert result.status == "certified_optimal", result.violations
    years = result.tables["years"]
    if model == "clearing":
        # Of both sides of a trade the buyer may bear all: the price is at most the cost of a side, and not below zero.
        assert (years["price_upper_cny_per_t"] > years["price_lower_cny_per_t"]).any()
        assert years["price_upper_cny_per_t"].max() <= cost * (1 + 1e-9)
        assert years["price_lower_cny_per_t"].min() >= 0


@pytest.mark.everyday("0", "1")
@pytest.mark.parametrize("seed", range(20))
def test_markets_of_small_trading_costs_are_proven(seed: int) -> None:
    random = np.random.default_rng(seed)
    count = int(random.integers(2, 5))
    emissions = np.round(10 ** random.uniform(5, 6.5, count))
    units = pd.DataFrame(
        {
            "unit_id": [f"U{number}" for number in range(count)],
            "enterprise_id": [f"E{number}" for number in range(count)],
            "sector": "cement",
            "province": "Hebei",
            "output_t": np.round(emissions * random.uniform(1.1, 1.3, count)),
            "emissions_tco2e": emissions,
        }
    )
    cost, last = float(random.choice([0.05, 0.1, 0.2, 0.3, 1.0])), 2025 + int(random.integers(0, 4))
    for model in ("clearing", "pathway"):
        result = etsopt.solve(over_years(units, cost, last), model)
        assert result.status == "certified_optimal", (model, result.violations)


def test_a_point_before_any_objective_does_not_hide_that_limits_have_to_be_eased() -> None:
    """Sizes over five decades and a band of zero: presolve finds a point, the objective none, and eased limits one."""
    units = pd.DataFrame(
        {
            "unit_id": ["U03", "U06", "U11", "U12", "U14", "U18", "U20"],
            "enterprise_id": ["E01", "E00", "E01", "E07", "E05", "E07", "E05"],
            "sector": ["cement"] * 4 + ["power"] + ["cement"] * 2,
            "province": ["Hunan", "Gansu", "Hunan", "Hunan", "Hunan", "Gansu", "Gansu"],
            "output_t": [13.133, 645212.0, 422140.0, 91.769, 232117.0, 139390.0, 29.093],
            "emissions_tco2e": [9.567, 566926.0, 363929.0, 72.551, 156703.0, 129348.0, 21.772],
        }
    )
    policy = {
        "year": 2025,
        "rule": {"name": "cn-2025", "threshold_tco2e": 26000.0},
        "sectors": {
            "cement": {"target_sense": "exactly", "band": 0.0},
            "power": {"target_change": -0.0108, "band": {"lower": 0.04, "upper": 0.02}},
        },
        "allocation": {"objectives": ["largest_change"]},
    }
    instance = etsopt.Instance.from_frames(units, policy)
    result = etsopt.solve(instance)
    assert result.status == "certified_optimal"
    assert run.check(instance, result).violations == ()


def test_what_its_own_check_refuses_is_refused_whatever_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = etsopt.read("tiny")
    result = replace(etsopt.solve(instance), status="feasible", certified=False, termination="time_limit")
    wrong = Violation("claim", "status", 1.0, "claims", "it is not")
    monkeypatch.setattr(run, "check", lambda *_: Verdict((wrong,), ()))
    refused = run._checked_again(instance, result)
    assert (refused.status, refused.violations[0]["rule"]) == ("refused", "claim")
    for kept in (replace(result, status="none"), etsopt.solve(instance)):
        assert run._checked_again(instance, kept) is kept
    monkeypatch.setattr(run, "check", lambda *_: Verdict((), ()))
    assert run._checked_again(instance, result) is result


@pytest.mark.parametrize("model", ["abatement", "clearing"])
def test_what_is_borrowed_together_is_shared_by_what_each_may_borrow(model: str) -> None:
    """Glass has no pre-allocation of a plan and cement has: shares by emissions gave glass what it may not borrow."""
    units = pd.DataFrame(
        {
            "unit_id": ["a", "b"],
            "enterprise_id": ["e", "f"],
            "sector": ["glass", "cement"],
            "province": "Hebei",
            "emissions_tco2e": [1e5, 1e5],
            "output_t": [1e5, 1e5],
        }
    )
    policy: dict[str, Any] = {"year": 2026, "rule": {"name": "benchmark", "benchmarks": {"glass": 0.9, "cement": 0.9}}}
    prices = {"prices_cny_per_t": {"2026": 100.0, "2027": 60.0}}
    policy |= {"coverage": "part", "horizon": {"last_year": 2027}, "market": prices}
    instance = etsopt.Instance.from_frames(units, policy)
    result = etsopt.solve(instance, model)
    assert result.status == "certified_optimal", result.violations
    assert result.tables["years"]["banked_t"].iloc[0] == pytest.approx(-5e4)
    first = result.tables["enterprise_years"].query("year == 2026").set_index("enterprise_id")["banked_t"]
    assert first.tolist() == pytest.approx([0, -5e4])


def test_an_infeasible_allocation_has_the_notices_of_the_model_that_was_asked_for() -> None:
    """The market starts from an allocation, whose result had no notice on enterprises without units."""
    holders = pd.DataFrame({"enterprise_id": ["E0", "E1", "idle"], "opening_2025_t": [0.0, 0.0, 10.0]})
    policy = {"year": 2025, "rule": {"name": "cn"}, "sectors": {"cement": {"target_change": -0.2}}}
    instance = etsopt.Instance.from_frames(TWO, policy, holders)
    result = etsopt.solve(instance, "clearing")
    assert result.status.startswith("infeasible")
    assert result.provenance.as_json()["holders"] == {"without_units": ["idle"]}
    assert not etsopt.check(instance, result).violations
