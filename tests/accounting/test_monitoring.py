"""Stack monitors beside accounts: gaps and drift by hand, drawn monitors, wrong files, and the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.accounting import (
    Accounts,
    Monitoring,
    Reports,
    account,
    generate,
    monitor,
    read_monitor,
    write_example,
    write_monitor_example,
)
from etsopt.accounting.chinese import HEADINGS, in_words
from etsopt.accounting.monitoring.example import generate_monitor
from etsopt.accounting.monitoring.schema import MONITOR
from etsopt.cli import main
from etsopt.common.errors import DataError, UsageError
from etsopt.common.language import speaking
from tests.accounting.builders import CEMENT_MONTH, REGISTER, reports

SETTINGS = {"density_kg_per_nm3": 2.0}
"""With 2 kg/Nm3, 1e6 Nm3 at 20 % are 400 t."""


def days(first: str, count: int, **columns: Any) -> pd.DataFrame:
    """Days of one stack of C1 with the same flow, concentration and load; other values by the number of their day."""
    table = pd.DataFrame(
        {
            "unit_id": "C1",
            "stack": "",
            "day": np.datetime64(first, "D").astype(np.int64) + np.arange(count),
            "flow_1e4_nm3": 100.0,
            "co2_percent": 20.0,
            "load_rate": 1.0,
            "valid_hours": np.nan,
        }
    )
    for name, values in columns.items():
        for number, value in values.items():
            table.loc[number - 1, name] = value
    return table


def cement(months: int = 1) -> Accounts:
    """The accounts of C1, the same in every month."""
    rows = [(unit, f"2025-{month:02d}", *rest) for month in range(1, months + 1) for unit, _, *rest in CEMENT_MONTH]
    return account(reports(rows))


def test_gaps_are_filled_by_load_and_median_and_marked() -> None:
    nan = np.nan
    rows = days(
        "2025-01-01",
        31,
        co2_percent={10: nan},
        flow_1e4_nm3={15: nan, 20: nan},
        load_rate={15: 0.5, 20: 0.0},
        valid_hours={25: 10.0, 26: 18.0},
    )
    found = monitor(cement(), rows, SETTINGS)
    shown = found.days.set_index("day")
    assert shown["basis"].value_counts().to_dict() == {
        "measured": 27,
        "filled_co2": 1,
        "filled_flow": 1,
        "standstill": 1,
        "filled_both": 1,
    }
    # Half the load fills half the flow; without load there are no emissions.
    expected = {"2025-01-09": 400.0, "2025-01-10": 400.0, "2025-01-15": 200.0, "2025-01-20": 0.0, "2025-01-25": 400.0}
    assert shown.loc[[*expected], "monitored_tco2"].to_dict() == expected
    assert shown.loc["2025-01-26", "basis"] == "measured"
    # The month is spread by load: 29 days of 1, one of 0.5, one of 0.
    month = cement().monthly.query("unit_id == 'C1' and gas == 'CO2'")["emissions_tco2e"].sum()
    assert shown.loc["2025-01-01", "calculated_tco2"] == pytest.approx(month / 29.5, abs=0.005)
    assert shown.loc["2025-01-15", "calculated_tco2"] == pytest.approx(month / 59, abs=0.005)
    (row,) = found.months.to_dict("records")
    assert (row["measured_days"], row["filled_days"], row["standstill_days"], row["missing_days"]) == (27, 3, 1, 0)
    assert row["monitored_tco2"] == 29 * 400 + 200
    assert row["difference_tco2"] == pytest.approx(29 * 400 + 200 - month, abs=0.01)
    assert row["ratio"] == pytest.approx(27 * 400 / (27 * month / 29.5), abs=1e-6)
    # The calculation prevails: the emissions of the month are those of the account.
    assert row["emissions_tco2e"] == month
    assert found.filled[["day", "basis", "flow_1e4_nm3", "co2_percent"]].to_numpy().tolist() == [
        ["2025-01-10", "filled_co2", 100.0, 20.0],
        ["2025-01-15", "filled_flow", 50.0, 20.0],
        ["2025-01-25", "filled_both", 100.0, 20.0],
    ]


def test_without_a_load_the_median_of_the_flow_fills_and_the_month_is_spread_evenly() -> None:
    rows = days("2025-01-01", 31, flow_1e4_nm3={2: 130.0, 5: np.nan}).assign(load_rate=np.nan)
    shown = monitor(cement(), rows, SETTINGS).days.set_index("day")
    assert shown.loc["2025-01-05", ["basis", "flow_1e4_nm3"]].tolist() == ["filled_flow", 100.0]
    assert (shown["calculated_tco2"] == shown["calculated_tco2"].iloc[0]).all()


def test_a_long_gap_stays_open_and_only_days_that_are_there_are_compared() -> None:
    # After 20 January nothing is measured: the window of 15 days reaches to 31 January with 5 days left at the end.
    rows = days("2025-01-01", 20)
    found = monitor(cement(2), rows, SETTINGS)
    assert found.months["missing_days"].tolist() == [0]
    found = monitor(cement(2), pd.concat([rows, days("2025-02-28", 1)]), SETTINGS)
    january, february = found.months.to_dict("records")
    assert (january["measured_days"], january["filled_days"], january["missing_days"]) == (20, 11, 0)
    # Five days of January are within 15 days of 31 January, none of 5 February; one measured day fills nothing.
    assert (february["measured_days"], february["filled_days"], february["missing_days"]) == (1, 0, 27)
    assert np.isnan(february["ratio"])
    assert february["calculated_tco2"] == pytest.approx(february["emissions_tco2e"] / 28, abs=0.01)
    assert found.units["missing_days"].item() == 27
    fewer = monitor(cement(2), rows, {**SETTINGS, "least_neighbours": 10})
    assert fewer.months["missing_days"].item() == 5


def test_stacks_of_a_unit_add_up_and_one_that_lacks_makes_the_day_lack() -> None:
    two = pd.concat([days("2025-01-01", 31).assign(stack="a"), days("2025-01-01", 31).assign(stack="b")])
    assert (monitor(cement(), two, SETTINGS).days["monitored_tco2"] == 800.0).all()
    short = pd.concat([days("2025-01-01", 31).assign(stack="a"), days("2025-01-01", 3).assign(stack="b")])
    shown = monitor(cement(), short, SETTINGS).days
    assert (shown["basis"] == "missing").sum() == 28
    assert shown["monitored_tco2"].isna().sum() == 28


def test_a_day_far_from_the_others_is_unusual() -> None:
    rows = days("2025-01-01", 31)
    rows["flow_1e4_nm3"] *= 1 + 0.01 * np.sin(np.arange(31))
    rows.loc[6, "flow_1e4_nm3"] *= 1.2
    shown = monitor(cement(), rows, SETTINGS).days
    assert shown.loc[shown["unusual"], "day"].tolist() == ["2025-01-07"]


def test_a_drift_is_the_slope_of_the_ratio_though_some_months_are_far_off() -> None:
    rows = days("2025-01-01", 365)
    month = rows["day"].to_numpy().astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    rows["flow_1e4_nm3"] *= 1.12 ** (month / 12)
    # The calculated emissions of a day follow from the number of days, and so does the flow here.
    rows["flow_1e4_nm3"] *= np.bincount(month)[month] ** -1.0 * 30
    rows.loc[month == 5, "flow_1e4_nm3"] *= 1.5
    rows.loc[month == 8, "flow_1e4_nm3"] *= 0.5
    (unit,) = monitor(cement(12), rows, SETTINGS).units.to_dict("records")
    assert unit["drifts"]
    assert unit["drift_per_year"] == pytest.approx(0.12, abs=1e-4)
    assert unit["drift_lower"] <= 0.12 <= unit["drift_upper"]
    still = monitor(cement(12), days("2025-01-01", 365).assign(load_rate=np.nan), {**SETTINGS, "drift_rate": 0.2})
    assert not still.units["drifts"].item()
    assert monitor(cement(5), rows.iloc[:140], SETTINGS).units["drift_per_year"].isna().item()


def drawn(seed: int) -> tuple[Monitoring, pd.DataFrame]:
    register, rows = generate(8, 12, seed=1)
    accounts = account(Reports.from_frames(register, rows))
    table, truth = generate_monitor(accounts, seed)
    table = table.assign(
        stack="", valid_hours=np.nan, day=table["day"].astype("datetime64[s]").astype("int64") // 86400
    )
    return monitor(accounts, table), truth


def test_drawn_drifts_are_found_and_others_are_not() -> None:
    found = pd.concat([one.units.merge(truth, on="unit_id") for one, truth in map(drawn, range(4))])
    drifting = found["drift_per_year_y"] != 0
    assert found.loc[drifting, "drifts"].all()
    assert found.loc[~drifting, "drifts"].mean() <= 0.1
    inside = found["drift_per_year_y"].between(found["drift_lower"], found["drift_upper"])
    assert inside.mean() >= 0.85
    assert (found["filled_days"] + found["missing_days"] == found["gap_days"]).all()


def folder(path: Path, *lines: str, header: str = "unit_id,stack,day,flow_1e4_nm3,co2_percent,load_rate\n") -> Path:
    (path / "monitor").mkdir()
    (path / "monitor" / "2025.csv").write_text(header + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


BAD = {
    "unit": ("C9,,2025-01-01,1,20,1", "unit_id", "is not in the register", "C9"),
    "day": ("C1,,2025-02-30,1,20,1", "day", "is not a day", "2025-02-30"),
    "month": ("C1,,2025-02,1,20,1", "day", "is not a day", "2025-02"),
    "negative": ("C1,,2025-01-01,-1,20,1", "flow_1e4_nm3", "out of range", "-1"),
    "percent": ("C1,,2025-01-01,1,120,1", "co2_percent", "out of range", "120"),
    "load in percent": ("C1,,2025-01-01,1,20,85", "load_rate", "out of range", "85"),
    "text": ("C1,,2025-01-01,about 1,20,1", "flow_1e4_nm3", "not a number", "about 1"),
    "fraction": ("C1,b,2025-01-01,1,0.2,1", "co2_percent", "looks like a fraction", "0.2"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_named_by_file_line_column_and_value(tmp_path: Path, name: str) -> None:
    row, column, what, value = BAD[name]
    with pytest.raises(DataError) as caught:
        read_monitor(folder(tmp_path, "C1,,2025-01-02,1,20,1", row), REGISTER)
    (problem,) = caught.value.problems
    assert (problem.place, problem.column) == ("monitor/2025.csv", column)
    assert what in problem.what
    assert problem.cells == (("3", value),)


def test_files_and_rows_that_contradict_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file is there"):
        read_monitor(tmp_path, REGISTER)
    folder(tmp_path, "C1,,2025-01-01,1,20,1", "C1,,2025-01-01,2,20,1")
    with pytest.raises(DataError, match="2 rows state a day of a stack twice: row 2 '2025-01-01', row 3"):
        read_monitor(tmp_path, REGISTER)
    (tmp_path / "monitor" / "2025.csv").write_text("unit_id,flow_1e4_nm3\nC1,1\n", encoding="utf-8")
    with pytest.raises(DataError, match="the column is missing"):
        read_monitor(tmp_path, REGISTER)
    (tmp_path / "monitor" / "2025.csv").write_text("unit_id,day\n\nC1,2025-01-01\n", encoding="utf-8")
    assert read_monitor(tmp_path, REGISTER)["line"].tolist() == [3]
    rows = days("2024-01-01", 31)
    with pytest.raises(UsageError, match="No month of a unit has both"):
        monitor(cement(), rows)
    for settings, what in (({"window": 3}, "no setting"), ({"window_days": -1}, "expected a number above 0")):
        with pytest.raises(UsageError, match=what):
            monitor(cement(), rows, settings)


def test_the_command_shows_and_writes_both_languages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plants = write_monitor_example(write_example(tmp_path / "plants", units=4, months=8, seed=1), seed=1)
    again = write_monitor_example(write_example(tmp_path / "again", units=4, months=8, seed=1), seed=1)
    for name in ("monitor/2025.csv", "drawn.csv"):
        assert (plants / name).read_bytes() == (again / name).read_bytes()
    command = ["monitor", str(plants), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    assert "4 units with monitors" in capsys.readouterr().out
    assert main([*command, "--lang", "zh", "--set", "drift_rate=0.01"]) == 0
    assert "以核算结果为准" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "out" / "monitor_units.csv", encoding="utf-8-sig")
    assert set(table["是否漂移"]) <= {"是", "否"}
    assert main(["monitor", str(plants), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["monitor_months"]) == 32
    assert main(["monitor", str(plants), "--set", "window=3"]) == 2
    found = drawn(1)[0]
    for one in found.tables.values():
        assert set(one.columns) <= set(HEADINGS)
        with speaking("zh"):
            assert len(set(in_words(one).columns)) == len(one.columns)


def test_every_column_is_on_the_page() -> None:
    page = (Path(__file__).parents[2] / "etsopt" / "accounting" / "README.md").read_text(encoding="utf-8")
    for column in MONITOR.columns:
        assert f"| `{column.name}` | {'yes' if column.required else ''} | {column.meaning} |" in page
