"""States of the world for an investment from the draws of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import UsageError
from etsopt.studies.sweeping import investment_scenarios
from etsopt.studies.sweeping.engine import Engine
from tests.investments import by_hand, with_scenarios
from tests.studies.sweeping.records import label, outcome, written

if TYPE_CHECKING:
    from pathlib import Path

    from etsopt.studies.sweeping import SweepPlan
    from etsopt.studies.sweeping.outcome import Outcome
    from etsopt.studies.sweeping.scenario import Scenario

PRICES = {2025: 40.0, 2030: 100.0}
CEMENT, ALL = "units.output_t.cement", "units.output_t"


def drawn(values: dict[str, Any], **further: Any) -> dict[str, Any]:
    return {"model": "pathway", "sample": {"number": 2, "values": values}, **further}


def priced(number: int, _: Scenario, status: str = "certified_gap") -> Outcome:
    """Prices that are one higher in each scenario than in the one before."""
    prices = {
        label("years", "price_cny_per_t", "CNY/t", year=str(year)): price + number for year, price in PRICES.items()
    }
    return outcome(number, prices, status)


def test_every_draw_is_a_state_with_its_prices_and_outputs(tmp_path: Path) -> None:
    written(tmp_path / "s", drawn({CEMENT: {"choice": [0.9]}, "rule.slope": {"uniform": [0.1, 0.2]}}), priced)
    found = investment_scenarios(tmp_path / "s")
    assert list(found) == ["scenario", "sector", "year", "probability", "price_cny_per_t", "output_factor"]
    assert found.fillna(-1.0).to_numpy().tolist() == [
        ["sample-1", "", 2025, 0.5, 40.0, -1.0],
        ["sample-1", "", 2030, 0.5, 100.0, -1.0],
        ["sample-1", "cement", 2025, 0.5, -1.0, 0.9],
        ["sample-2", "", 2025, 0.5, 41.0, -1.0],
        ["sample-2", "", 2030, 0.5, 101.0, -1.0],
        ["sample-2", "cement", 2025, 0.5, -1.0, 0.9],
    ]


def test_a_sector_with_a_factor_of_its_own_has_that_of_all_units_too(tmp_path: Path) -> None:
    written(tmp_path / "s", drawn({ALL: {"choice": [0.5]}, CEMENT: {"choice": [0.8]}}), priced)
    found = investment_scenarios(tmp_path / "s").query("scenario == 'sample-1'")
    assert found["output_factor"].tolist() == [0.5, 0.5, 0.4]


def test_one_decision_is_named_where_there_are_several(tmp_path: Path) -> None:
    two = {"scenarios": {"loose": {}, "tight": {"sectors.cement.band": 0.02}}}
    written(tmp_path / "s", drawn({CEMENT: {"uniform": [0.9, 1.1]}}, **two), priced)
    assert investment_scenarios(tmp_path / "s", "tight")["price_cny_per_t"].dropna().tolist() == [42, 102, 43, 103]
    with pytest.raises(UsageError, match=r"The sweep has 2 decisions.\n\nChoose one of loose, tight"):
        investment_scenarios(tmp_path / "s")
    with pytest.raises(UsageError, match="no decision 'other'"):
        investment_scenarios(tmp_path / "s", "other")


def test_draws_without_a_proven_answer_are_told_and_left_out_if_one_says_so(tmp_path: Path) -> None:
    content = drawn({CEMENT: {"uniform": [0.9, 1.1]}})
    written(tmp_path / "s", content, lambda n, one: priced(n, one, "feasible" if n else "certified_gap"))
    with pytest.raises(UsageError, match=r"1 draw has no proven answer.\n\nComplete the sweep"):
        investment_scenarios(tmp_path / "s")
    found = investment_scenarios(tmp_path / "s", proven_only=True)
    assert (set(found["scenario"]), set(found["probability"])) == ({"sample-1"}, {1.0})


def test_a_sweep_without_prices_or_with_factors_by_row_makes_no_states(tmp_path: Path) -> None:
    written(tmp_path / "s", drawn({CEMENT: {"uniform": [0.9, 1.1]}}), lambda n, _: outcome(n, {}))
    with pytest.raises(UsageError, match="The sweep has no prices by year"):
        investment_scenarios(tmp_path / "s")
    written(tmp_path / "r", drawn({ALL: {"uniform": [0.9, 1.1], "each": "row"}}), priced)
    with pytest.raises(UsageError, match=r"factor of its own for units.output_t"):
        investment_scenarios(tmp_path / "r")
    with pytest.raises(UsageError, match="no record"):
        investment_scenarios(tmp_path / "nothing")


def test_a_sweep_in_memory_gives_the_states_that_the_record_gives(tmp_path: Path) -> None:
    content = drawn({CEMENT: {"uniform": [0.9, 1.1]}}, scenarios={"loose": {}, "tight": {"sectors.cement.band": 0.02}})
    plan = written(tmp_path / "s", content, priced)
    found = investment_scenarios(in_memory(plan, ["certified_gap"] * 4), "tight")
    pd.testing.assert_frame_equal(found, investment_scenarios(tmp_path / "s", "tight"), check_dtype=False)
    assert "output_factor" in found


def in_memory(plan: SweepPlan, statuses: list[str]) -> etsopt.Sweep:
    """What `etsopt.sweep` returns of a plan whose scenarios end with some statuses."""
    each = zip(plan.scenarios, statuses, strict=True)
    outcomes = [priced(number, one, status) for number, (one, status) in enumerate(each)]
    names = [one.name for one in plan.scenarios]
    return etsopt.Sweep.of(plan, names, Engine.of(plan, etsopt.read("tiny")), outcomes, "optimal")


def test_a_sweep_in_memory_without_a_proof_makes_no_states(tmp_path: Path) -> None:
    plan = written(tmp_path / "s", drawn({CEMENT: {"uniform": [0.9, 1.1]}}), priced)
    swept = in_memory(plan, ["certified_gap", "feasible"])
    with pytest.raises(UsageError, match="1 draw has no proven answer"):
        investment_scenarios(swept)
    assert set(investment_scenarios(swept, proven_only=True)["scenario"]) == {"sample-1"}


@pytest.mark.nightly
def test_an_investment_is_decided_over_the_prices_of_a_path(tmp_path: Path) -> None:
    """Terminal prices of 60 and 120 CNY/t in 2035 set the whole path, discounted by 8 % a year."""
    sweep = tmp_path / "prices.toml"
    sweep.write_text(
        """instance = "cn-2025-2035"
model = "pathway"

[grid]
market.terminal_price_cny_per_t = [60.0, 120.0]
""",
        encoding="utf-8",
    )
    assert main(["sweep", str(sweep), "--workers", "1"]) == 0
    states = investment_scenarios(tmp_path / "prices")
    first = states.query("year == 2025").set_index("scenario")["price_cny_per_t"]
    assert first.tolist() == pytest.approx([60 / 1.08**10, 120 / 1.08**10])
    result = etsopt.solve(with_scenarios(by_hand(), states), "investment")
    assert result.certified
    assert sorted(result.tables["scenario_costs"]["scenario"].unique()) == first.index.tolist()
