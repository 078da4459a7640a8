"""The folder of a box proves its points by the multipliers of regions, and what else is stated of them is refused."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError, UsageError
from etsopt.studies.curves import Box, check_curve, curve
from tests.studies.sweeping.test_changed_records import within

if TYPE_CHECKING:
    from pathlib import Path

CEMENT, BALANCE = "sectors.cement.target_change", "provinces.balance"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a box, in a third of which no allocation exists."""
    folder = tmp_path_factory.mktemp("box") / "kept"
    box = curve(etsopt.read("tiny"), {CEMENT: (-0.05, 0.0), BALANCE: (0.004, 0.03)})
    assert isinstance(box, Box)
    points = box.sample([(first, second) for first in (-0.05, -0.03, -0.01, 0.0) for second in (0.004, 0.017, 0.03)])
    assert {*points["status"]} == {"certified_optimal", "infeasible_certified"}
    box.save(folder, points)
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    return shutil.copytree(kept, tmp_path / "box")


def test_a_saved_box_is_proven_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checked = check_curve(folder)
    assert checked.refused == ()
    # At the corner of what is feasible the multipliers of a solve belong to no region: it is open.
    assert (checked.pieces, checked.proven, checked.of_points) == (12, 11, True)
    assert checked.certified_share == pytest.approx(5 / 6)
    assert {"points: solved", "anchor: method"} <= {*checked.not_checked}
    capsys.readouterr()
    assert main(["check", str(folder)]) == 0
    assert "11 of 12 points are proven; 83.333333 % of those that are tried and feasible." in capsys.readouterr().out
    for command in (["report"], ["plot"]):
        assert main([*command, str(folder)]) == 2
        assert "a box of two keys: expected a curve along one line" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("column", "value", "row"),
    [
        ("cement_t", 1.0, 11),
        ("status", "infeasible_certified", 11),
        ("status", "certified_gap", 11),
        ("status", "certified_optimal", 0),
        ("cement_t", 560_000.0, 0),
        (CEMENT, -0.0003, 11),
        ("region", -1, 11),
        ("region", 99, 11),
        ("region", 0, 11),
    ],
)
def test_a_point_that_its_region_does_not_prove_is_refused(
    column: str, value: object, row: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_csv(folder / "points.csv")
    table.loc[row, column] = value
    table.to_csv(folder / "points.csv", index=False)
    assert any(f"point {row + 1}: " in one for one in check_curve(folder).refused)
    assert main(["check", str(folder)]) == 5


@pytest.mark.parametrize(
    ("file", "column", "value"),
    [
        ("multipliers.csv", "multiplier_from", 7.0),
        ("multipliers.csv", "level", "profit"),
        ("regions.csv", CEMENT, -0.05),
        ("curve.json", "certified_share", 0.5),
        ("curve.json", "instance", "other"),
        ("curve.json", "keys", {CEMENT: [-0.06, 0.0], BALANCE: [0.004, 0.03]}),
        ("curve.json", "anchor", "0"),
        ("anchor/result.json", "status", "certified_gap"),
    ],
)
def test_what_is_changed_in_the_folder_of_a_box_is_refused(file: str, column: str, value: object, folder: Path) -> None:
    path = folder / file
    if path.suffix == ".csv":
        table = pd.read_csv(path)
        table.loc[table.index[-1], column] = value
        table.to_csv(path, index=False)
    else:
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {column: value}), "utf-8")
    assert check_curve(folder).refused


@pytest.mark.parametrize("name", ["points", "regions"])
def test_a_point_or_region_counts_once(name: str, folder: Path) -> None:
    table = pd.read_csv(folder / f"{name}.csv")
    pd.concat([table, table[-1:]]).to_csv(folder / f"{name}.csv", index=False)
    assert any("stated twice" in one for one in check_curve(folder).refused)


@pytest.mark.parametrize("name", ["points", "final"])
def test_further_columns_and_tables_of_a_box_are_refused(name: str, folder: Path) -> None:
    stated = json.loads((folder / "curve.json").read_text("utf-8"))
    stated["tables"].setdefault(name, {})["price_cny_per_t"] = "float64"
    (folder / "curve.json").write_text(json.dumps(stated), "utf-8")
    if name == "final":
        with pytest.raises(DataError, match="the table final"):
            check_curve(folder)
        return
    table = pd.read_csv(folder / "points.csv").assign(price_cny_per_t=84.0)
    table.to_csv(folder / "points.csv", index=False)
    assert check_curve(folder).refused == ("points.csv has the column price_cny_per_t",)


@pytest.mark.nightly
def test_another_word_of_a_folder_is_refused_unless_nothing_is_proven_of_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stated = json.loads((folder / "curve.json").read_text("utf-8"))
    free = {"termination", "solves", "seconds", "versions", "tables"}
    for other in within(stated):
        (folder / "curve.json").write_text(json.dumps(other), "utf-8")
        if main(["check", str(folder)]) == 0:
            assert {key for key in stated.keys() | other.keys() if stated.get(key) != other.get(key)} <= free
    capsys.readouterr()


def test_a_point_without_a_region_is_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    box = curve(etsopt.read("tiny"), {CEMENT: (-0.01, 0.0), BALANCE: (0.02, 0.03)})
    assert isinstance(box, Box)
    monkeypatch.setattr(type(box.solver), "region", lambda *_: None)
    points = box.sample([(0.0, 0.03)])
    assert points[["status", "region"]].to_numpy().tolist() == [["certified_optimal", 0]]
    box.save(tmp_path / "box", points)
    kept = pd.read_csv(tmp_path / "box" / "points.csv")
    assert (kept["status"].tolist(), np.isnan(kept["cement_t"]).all()) == (["open"], True)
    checked = check_curve(tmp_path / "box")
    assert (checked.refused, checked.proven, checked.certified_share) == ((), 0, 0.0)


def test_a_box_takes_the_place_of_a_curve_alone(folder: Path) -> None:
    (folder / "curve.json").unlink()
    box = curve(etsopt.read("tiny"), {CEMENT: (-0.01, 0.0), BALANCE: (0.02, 0.03)})
    assert isinstance(box, Box)
    with pytest.raises(UsageError, match="holds no curve"):
        box.save(folder, box.sample([]))
