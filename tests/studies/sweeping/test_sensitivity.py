"""Sobol indices of a sweep: known ones, one by hand, rows without an answer, and numbers that do not move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import etsopt
from etsopt.cli import main
from etsopt.common.errors import UsageError
from etsopt.studies.sweeping.plan import plan_of
from etsopt.studies.sweeping.sensitivity import indices_of, inputs_of, sensitivity
from etsopt.studies.sweeping.statistics import WHAT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from etsopt.studies.sweeping.scenario import Scenario

# Keys of the policy whose values are only read back here.
KEYS = ["market.external_demand_t", "market.terminal_price_cny_per_t", "penalty.multiple"]


def drawn(number: int, values: dict[str, Any], **parts: Any) -> tuple[Scenario, ...]:
    return plan_of(
        {"instance": "tiny", "sample": {"number": number, "method": "saltelli", "values": values}, **parts}
    ).scenarios


def numbers(scenarios: tuple[Scenario, ...], **functions: Callable[[Scenario], float]) -> pd.DataFrame:
    """Numbers as a sweep has them, each a function of its scenario."""
    rows = [
        (scenario.name, "levels", "", "", pd.NA, name, "value", function(scenario), "t")
        for scenario in scenarios
        for name, function in functions.items()
    ]
    return pd.DataFrame(rows, columns=["scenario", *WHAT[:-1], "value", "unit"])


def ishigami(scenario: Scenario) -> float:
    one, two, three = (scenario.changes[key] for key in KEYS)
    return float(np.sin(one) + 7 * np.sin(two) ** 2 + 0.1 * three**4 * np.sin(one))


ANGLES = {key: {"uniform": [-np.pi, np.pi]} for key in KEYS}


def test_the_indices_of_the_ishigami_function_are_the_known_ones() -> None:
    """Known in closed form (Ishigami and Homma 1990, a = 7, b = 0.1): V = a²/8 + bπ⁴/5 + b²π⁸/18 + 1/2."""
    pi = np.pi
    total = 49 / 8 + 0.1 * pi**4 / 5 + 0.01 * pi**8 / 18 + 0.5
    alone = np.array([(1 + 0.1 * pi**4 / 5) ** 2 / 2, 49 / 8, 0.0]) / total
    together = np.array([alone[0] + 8 * 0.01 * pi**8 / 225 / total, alone[1], 8 * 0.01 * pi**8 / 225 / total])
    found = sensitivity(numbers(drawn(1024, ANGLES), f=ishigami), KEYS)
    assert found["input"].tolist() == KEYS
    assert found["first_order"].to_numpy() == pytest.approx(alone, abs=0.03)
    assert found["total_order"].to_numpy() == pytest.approx(together, abs=0.03)
    for index, known in (("first_order", alone), ("total_order", together)):
        assert (found[f"{index}_lower"] < known).all()
        assert (known < found[f"{index}_upper"]).all()
    assert found[["rows", "rows_of"]].drop_duplicates().to_numpy().tolist() == [[1024, 1024]]


def test_the_estimates_and_intervals_are_those_of_scipy() -> None:
    table = numbers(drawn(128, ANGLES), f=ishigami)["value"].to_numpy().reshape(128, 5).T[None]
    sides: dict[str, Any] = {"f_A": table[:, 0], "f_B": table[:, 1], "f_AB": np.moveaxis(table[:, 2:], 1, 0)}
    known = stats.sobol_indices(func=sides, n=128)
    ours = indices_of(table)
    assert ours[0, 0, 0] == pytest.approx(known.first_order)
    assert ours[1, 0, 0] == pytest.approx(known.total_order)
    # Two samples of the bootstrap, by another interval: the same but for a part of their width.
    interval = known.bootstrap().total_order.confidence_interval
    width = interval.high - interval.low
    assert (np.abs(ours[1, 1, 0] - interval.low) < 0.25 * width).all()
    assert (np.abs(ours[1, 2, 0] - interval.high) < 0.25 * width).all()


def test_a_sum_is_moved_by_each_input_as_its_variance_says() -> None:
    """f = 3 x + 4 y with x and y of one variance: 9 and 16 parts of 25, and no interaction, so that both are equal."""
    values = {key: {"normal": [0.0, 1.0]} for key in KEYS[:2]}
    scenarios = drawn(512, values, scenarios={"near": {}, "far": {}})
    table = numbers(scenarios, f=lambda one: 3 * one.changes[KEYS[0]] + 4 * one.changes[KEYS[1]])
    found = sensitivity(table, KEYS[:2])
    assert found["decision"].tolist() == ["near", "near", "far", "far"]
    for index in ("first_order", "total_order"):
        assert found[index].to_numpy() == pytest.approx([9 / 25, 16 / 25] * 2, abs=0.02)


def test_rows_without_every_answer_are_left_out_whole_and_counted() -> None:
    table = numbers(drawn(64, ANGLES), f=ishigami, g=lambda one: one.changes[KEYS[0]])
    names = table["scenario"].unique().tolist()
    # Of rows 3 and 9 one draw has no answer; of row 12 one number is missing.
    lost = table["scenario"].isin(["sample-03-ab2", "sample-09-b"])
    lost |= (table["scenario"] == "sample-12-a") & (table["id"] == "g")
    found = sensitivity(table[~lost], KEYS, names).set_index(["id", "input"])
    kept = table[~table["scenario"].str.contains("sample-(?:03|09)-")]
    known = sensitivity(kept, KEYS).set_index(["id", "input"])
    assert found.loc["f", "rows"].tolist() == [62] * 3
    assert found.loc["g", "rows"].tolist() == [61] * 3
    assert found["rows_of"].unique().tolist() == [64]
    assert found.loc["f", "first_order"].tolist() == pytest.approx(known.loc["f", "first_order"].tolist())
    # An answer that is not proven is none.
    table["status"] = np.where(table["scenario"].isin(["sample-03-ab2", "sample-09-b"]), "feasible", "certified_gap")
    assert sensitivity(table, KEYS)["rows"].tolist() == [62] * 6


def test_too_few_rows_give_no_indices() -> None:
    few = sensitivity(numbers(drawn(8, ANGLES), f=ishigami), KEYS)
    assert few["rows"].tolist() == [8] * 3
    assert few.filter(like="order").isna().all(axis=None)
    table = numbers(drawn(64, ANGLES), f=ishigami)
    half = [f"sample-{row:02}-a" for row in range(1, 34)]
    found = sensitivity(table[~table["scenario"].isin(half)], KEYS, table["scenario"].unique().tolist())
    assert found["rows"].tolist() == [31] * 3
    assert found.filter(like="order").isna().all(axis=None)


def test_a_number_that_does_not_move_has_no_indices() -> None:
    """Totals of a sweep have the noise of sums in their last digits, which no input moves."""
    table = numbers(
        drawn(64, ANGLES),
        still=lambda one: 2e9,
        noise=lambda one: 1e-7 * one.changes[KEYS[0]],
        moved=lambda one: one.changes[KEYS[1]],
    )
    found = sensitivity(table, KEYS).set_index("id")
    assert found.loc[["still", "noise"]].filter(like="order").isna().all(axis=None)
    assert found.loc["moved", "total_order"].to_numpy() == pytest.approx([0.0, 1.0, 0.0], abs=0.02)
    # Tonnes say nothing on how precise another unit is.
    table.loc[table["id"] == "noise", "unit"] = "1"
    again = sensitivity(table, KEYS).set_index("id")
    assert again.loc["noise", "total_order"].to_numpy() == pytest.approx([1.0, 0.0, 0.0], abs=0.1)


def test_a_number_that_moves_in_one_row_alone_has_no_interval() -> None:
    values = np.zeros((1, 3, 64))
    values[0, 0, 5] = 1.0
    found = indices_of(values)
    assert np.isfinite(found[:, 0]).all()
    assert np.isnan(found[:, 1:]).all()


def test_another_sample_has_no_indices() -> None:
    plan = plan_of({"instance": "tiny", "sample": {"number": 4, "values": ANGLES}})
    assert inputs_of(plan.stated) == []
    with pytest.raises(UsageError, match=r'Saltelli design.*\n\nState method = "saltelli"'):
        sensitivity(numbers(plan.scenarios, f=ishigami), KEYS)


@pytest.mark.nightly
def test_the_command_writes_the_indices_of_a_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The balance value of `tiny` follows from output and emissions, and not from the band."""
    file = tmp_path / "moves.toml"
    file.write_text(
        'instance = "tiny"\n[sample]\nnumber = 16\nmethod = "saltelli"\n[sample.values]\n'
        "sectors.cement.band = { uniform = [0.02, 0.05] }\n"
        'units.emissions_tco2e = { lognormal = [1.0, 0.01], each = "row" }\n'
    )
    assert main(["sweep", str(file), "--count"]) == 0
    assert "64 scenarios of tiny" in capsys.readouterr().out
    assert main(["sweep", str(file), "--workers", "1"]) == 0
    found = pd.read_csv(tmp_path / "moves" / "sensitivity.csv")
    balance = found[(found["table"] == "sectors") & (found["quantity"] == "balance_value")]
    assert balance["input"].tolist() == ["sectors.cement.band", "units.emissions_tco2e"]
    assert balance["first_order"].iloc[0] == 0.0
    assert balance["total_order"].tolist() == pytest.approx([0.0, balance["total_order"].iloc[1]])
    assert balance["total_order"].iloc[1] > 0.5
    # The same record gives the same bytes.
    before = (tmp_path / "moves" / "sensitivity.csv").read_bytes()
    assert main(["sweep", str(file), "--resume"]) == 0
    assert (tmp_path / "moves" / "sensitivity.csv").read_bytes() == before
    plan = plan_of({"instance": "tiny"})
    assert inputs_of(plan.stated) == []
    assert etsopt.sweep(etsopt.read("tiny"), plan).statuses == ["certified_optimal"]


def test_the_inputs_of_a_plan_are_those_of_what_it_states() -> None:
    parts: dict[str, Any] = {"instance": "tiny", "sample": {"number": 4, "method": "saltelli", "values": ANGLES}}
    plan = plan_of(parts)
    assert inputs_of(plan) == inputs_of(plan.stated) == KEYS
    assert inputs_of(plan_of({"instance": "tiny"})) == []
