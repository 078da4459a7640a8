"""What gives way where nothing is feasible: each number that is stated just inside and outside its tolerance."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.allocation import relaxed_limits
from etsopt.checking.allocation.limits import derive
from etsopt.checking.allocation.relaxed_limits import COLUMNS, check_relaxed_limits
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.builders import given

if TYPE_CHECKING:
    import etsopt

Tables = dict[str, pd.DataFrame]

ROWS = [
    ("a", "a", "cement", "p", 1000.0, 1000.0),
    ("b", "b", "cement", "q", 2000.0, 2000.0),
    ("c", "c", "steel", "p", 500.0, 500.0),
    ("d", "d", "steel", "q", 400.0, 400.0),
]
LIMITS = [
    ("alone", "target", "cement", 200.0, 2500.0, 2700.0, "t"),
    ("target_relaxation", "nation", "", 300.0, 3300.0, 3600.0, "t"),
    ("target_relaxation", "target", "cement", 200.0, 2500.0, 2700.0, "t"),
    ("target_relaxation", "balance", "q", 112.0, 2352.0, 2240.0, "t"),
    ("target_relaxation", "balance", "p", 110.0, 1470.0, 1360.0, "t"),
    ("band_relaxation", "balance", "q", 392.0, 2352.0, 1960.0, "t"),
    ("band_relaxation", "balance", "p", 130.0, 1470.0, 1340.0, "t"),
    ("band_relaxation", "band", "cement", 0.1, 0.1, 0.2, "rate"),
]
UNITS: dict[str, Any] = {
    "unit_id": ["a", "b", "c", "d"],
    "target_relaxation_allowance_t": [900.0, 1800.0, 460.0, 440.0],
    "band_relaxation_allowance_t": [800.0, 1600.0, 540.0, 360.0],
}
PROVEN_T = 722.0


@cache
def instance(**allocation: Any) -> etsopt.Instance:
    """Bands of 10 %, of which cement would need 20 % to reach its target; steel is to have its emissions exactly."""
    policy = {
        "sectors": {
            "cement": {"band": 0.1, "target_t": 2500.0},
            "steel": {"band": 0.1, "target_t": 900.0, "target_sense": "exactly"},
        },
        "provinces": {"balance": 0.02},
        "national": {"target_t": 3300.0},
        "allocation": allocation,
    }
    return given(ROWS, policy)


def tables_of(limits: Any = LIMITS, **columns: Any) -> Tables:
    return {
        "relaxed_limits": pd.DataFrame(limits, columns=list(COLUMNS)),
        "relaxed_units": pd.DataFrame(UNITS | columns),
    }


def found(tables: Tables, proven_t: float | None = PROVEN_T) -> list[str]:
    own = instance()
    return [
        f"{v.rule} {v.where}"
        for v in check_relaxed_limits(InstanceInputs.of(own), derive(InstanceInputs.of(own)), tables, proven_t)
    ]


def moved(way: str, by: list[float], *lines: tuple[int, float]) -> list[str]:
    """Move allowances of a way out, and what limits give way by it and where they end."""
    limits = [list(line) for line in LIMITS]
    for row, off in lines:
        limits[row][5] += off  # type: ignore[operator]
        limits[row][3] = abs(limits[row][5] - limits[row][4])  # type: ignore[operator]
    column = f"{way}_allowance_t"
    return found(tables_of(limits, **{column: np.add(UNITS[column], by).tolist()}), PROVEN_T + 10)


def test_ways_out_that_are_right_break_nothing() -> None:
    assert found(tables_of()) == []
    assert found(tables_of(), None) == []


@pytest.mark.everyday("from-5")
@pytest.mark.parametrize("row", range(len(LIMITS)))
@pytest.mark.parametrize("column", ["by", "from", "to"])
def test_a_number_of_a_limit_may_be_off_by_its_tolerance(row: int, column: str) -> None:
    place = COLUMNS.index(column)
    value, unit = LIMITS[row][place], LIMITS[row][-1]
    tolerance = (2e-2 if unit == "t" else 1e-8) + 1e-9 * float(value)
    for by, broken in ((0.999, False), (-0.999, False), (1.001, True), (-1.001, True)):
        limits = [list(line) for line in LIMITS]
        limits[row][place] += by * tolerance  # type: ignore[operator]
        wrong = found(tables_of(limits))
        if column != "by" or unit == "t":
            assert wrong == [f"relaxed_limits {' '.join(str(part) for part in LIMITS[row][:3])}"] * broken


def test_a_unit_stays_in_its_band_but_for_a_kilogram_or_a_wider_one() -> None:
    kilogram = 1e-3 + 1e-9 * 500
    for share, broken in ((0.99, []), (1.01, ["relaxed_limits target_relaxation, c"])):
        by = 10 + share * kilogram
        steel = ("target_relaxation", "target", "steel", by, 900.0, 900 - by, "t")
        limits = [*LIMITS, steel]
        limits[1] = (*LIMITS[1][:3], 300 - by, 3300.0, 3600 - by, "t")
        limits[4] = (*LIMITS[4][:3], 110 + by, 1470.0, 1360 - by, "t")
        columns = {"target_relaxation_allowance_t": [900.0, 1800.0, 460 - by, 440.0]}
        assert found(tables_of(limits, **columns), PROVEN_T + 20) == broken
    wide = moved("band_relaxation", [-1.1e-3, 0, 0, 0], (6, -1.1e-3))
    assert "relaxed_limits band_relaxation, a" in wide
    assert moved("band_relaxation", [-0.99e-3, 0, 0, 0], (6, -0.99e-3)) == []


def test_what_does_not_give_way_is_kept() -> None:
    """Of wider bands the targets stand: those of cement and steel, and the nation's, within 20 kg."""
    assert moved("band_relaxation", [0.9e-3, 0, 0, 0], (6, 0.9e-3)) == []
    assert moved("band_relaxation", [1.1e-3, 0, 0, 0], (6, 1.1e-3)) == ["relaxed_limits relaxed_limits"]
    for by, broken in ((0.0199, False), (0.0201, True)):
        steel = moved("band_relaxation", [0, 0, 0, by], (5, by))
        assert ("relaxed_limits band_relaxation, sector_target steel" in steel) is broken


def test_a_band_is_no_wider_than_the_allocation_needs() -> None:
    for wider, broken in ((0.1 + 0.9e-8, False), (0.1 + 1.1e-8, True)):
        limits = [*LIMITS[:7], (*LIMITS[7][:3], wider, 0.1, 0.1 + wider, "rate")]
        assert ("relaxed_limits band_relaxation, cement" in found(tables_of(limits))) is broken


def test_limits_give_way_by_no_more_than_is_proven_to_be_the_least() -> None:
    for by, broken in ((0.9, False), (1.1, True)):
        proven = PROVEN_T - by * (2e-2 + 1e-6 * PROVEN_T)
        assert (found(tables_of(), proven) == ["relaxed_limits target_relaxation"]) is broken


def test_every_limit_that_gives_way_has_one_row_and_no_other() -> None:
    for row in range(len(LIMITS) - 1):
        without = [line for place, line in enumerate(LIMITS) if place != row]
        assert "relaxed_limits relaxed_limits" in found(tables_of(without))
        assert "relaxed_limits relaxed_limits" in found(tables_of([*LIMITS, LIMITS[row]]))
        unit = [(*line[:6], "x") if place == row else line for place, line in enumerate(LIMITS)]
        assert "relaxed_limits relaxed_limits" in found(tables_of(unit))
    assert found(tables_of(LIMITS[::-1])) == []


def test_a_way_out_may_be_left_out_but_that_which_is_proven() -> None:
    tables = tables_of(LIMITS[:5])
    tables["relaxed_units"] = tables["relaxed_units"].drop(columns="band_relaxation_allowance_t")
    assert found(tables) == []
    only = tables_of([LIMITS[0], *LIMITS[5:]])
    only["relaxed_units"] = only["relaxed_units"].drop(columns="target_relaxation_allowance_t")
    assert found(only) == ["tables relaxed_units.target_relaxation_allowance_t"]
    assert found(only, None) == []


def test_tables_and_columns_are_there_and_hold_what_they_must() -> None:
    for name in ("relaxed_limits", "relaxed_units"):
        assert found({other: table for other, table in tables_of().items() if other != name}) == [f"tables {name}"]
    limits, units = tables_of()["relaxed_limits"], tables_of()["relaxed_units"]
    for column in COLUMNS:
        assert f"tables relaxed_limits.{column}" in found(
            {"relaxed_limits": limits.drop(columns=column), "relaxed_units": units}
        )
        cells: Any = "x" if column in ("by", "from", "to") else 1.0
        assert found({"relaxed_limits": limits.assign(**{column: cells}), "relaxed_units": units})[0].startswith(
            "tables"
        )
    for wrong in (
        units.assign(target_relaxation_allowance_t="x"),
        units.assign(target_relaxation_allowance_t=np.nan),
        units.assign(more=1.0),
        units.iloc[::-1],
        units.drop(columns="unit_id"),
        units.head(3),
    ):
        assert len(found({"relaxed_limits": limits, "relaxed_units": wrong})) == 1
    nothing = relaxed_limits._shape(
        InstanceInputs.of(instance()),
        derive(InstanceInputs.of(instance())),
        {"relaxed_limits": limits.head(0), "relaxed_units": units},
        True,
    )
    assert nothing == []
