"""Columns of the user's own: numbers where these write the same cells again, else texts, and their hashes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import etsopt
from etsopt.data.files.read import read_instance
from etsopt.data.files.write import write_instance
from etsopt.data.tables.user_columns import as_texts, numbers_of
from etsopt.running.results.results import load_both
from tests.folders import Writer, policy_toml, units_csv

POLICY = {"year": 2025, "rule": {"name": "cn-2025"}}

KINDS: dict[str, tuple[list[str], str, str]] = {
    "whole numbers": (["1", "-20", "0"], "int64", "594da5e505598b55"),
    "whole numbers, one absent": (["1", "", "300"], "float64", "b640f42a961e199c"),
    "whole and decimal numbers": (["1", "2.5", ""], "float64", "f95732445588705e"),
    "decimal numbers": (["0.1", "-2.25", "1.0"], "float64", "a0431f262b7eea38"),
    "numbers of Python": (["1e-07", "1e+16", "5.0"], "float64", "3a4ab99f99422f7d"),
    "a negative zero": (["-0", "1", "2"], "float64", "103272b0684ef5a1"),
    "fifteen digits": (["123456789012345", "1", "2"], "int64", "118e29e86f048ee9"),
    "sixteen digits": (["1234567890123456", "1", "2"], "object", "eeb1360d3f1328af"),
    "twenty digits": (["12345678901234567890", "1", "2"], "object", "e699d4182e31cc21"),
    "leading zeros": (["007", "8", "9"], "object", "4d670b4fa8d040a5"),
    "a last zero": (["1.50", "2.25", ""], "object", "38a0fc1dbcc8bf7e"),
    "both ways": (["1", "2.0", ""], "object", "a202b833575af61f"),
    "an exponent": (["1e5", "1", ""], "object", "d8bf73666c2119db"),
    "a sign": (["+1", "1", ""], "object", "8c46bed57fb9223d"),
    "a separator": (["1_000", "1", ""], "object", "8a38c2907c2948c6"),
    "full-width digits": (["１", "1", ""], "object", "63ae4bbbb13a893e"),
    "a space": ([" 1", "1", ""], "object", "82ab482856226837"),
    "not a number": (["nan", "1", ""], "object", "86f11b15ae7ef3bc"),
    "infinite": (["inf", "1.0", ""], "object", "7af6db96cc9c2eec"),
    "beyond floats": (["1e+400", "1.0", ""], "object", "8b22c116cd7fd8af"),
    "only signs": (["-", ".", "e"], "object", "6201ecd432b6ab9c"),
    "a text": (["north", "1", ""], "object", "c484590c44f710bf"),
    "nothing": (["", "", ""], "object", "bda09932a2179aca"),
}
"""Cells of a column as in a file, the type they get, and the hash of the instance."""

FRAMES: dict[str, tuple[Any, str]] = {
    "whole numbers": ([1, 2, 3], "67c6762895e6249c"),
    "floats": ([1.0, 2.5, np.nan], "f27fa216fa3bb080"),
    "whole floats": ([1.0, np.nan, 3.0], "a84a0dabc5e7cbf6"),
    "absent whole numbers": (pd.array([1, None, 3], dtype="Int64"), "a84a0dabc5e7cbf6"),
    "texts of numbers": (["1", "2.5", ""], "6c405ef9df8b96f6"),
    "true and false": ([True, False, True], "d28fb681f80a9fda"),
}
"""Columns of a frame, and the hash of the instance."""


def frame(**columns: Any) -> pd.DataFrame:
    """Three clinker lines and a column of the user's own."""
    lines = {"unit_id": ["a", "b", "c"], "enterprise_id": ["firm"] * 3, "sector": ["cement"] * 3}
    numbers = {"province": ["Hebei"] * 3, "emissions_tco2e": [780_000.0] * 3, "output_t": [1_000_000.0] * 3}
    return pd.DataFrame({**lines, **numbers, **columns})


def written(instance: etsopt.Instance) -> list[str]:
    """The cells of the column as a file holds them."""
    return ["" if pd.isna(cell) else str(cell) for cell in as_texts(instance.units)["x_own"]]


@pytest.mark.parametrize("name", KINDS)
def test_a_column_is_numbers_where_these_write_the_same_cells(write_folder: Writer, name: str) -> None:
    cells, kind, hashed = KINDS[name]
    instance = read_instance(write_folder(units_csv(x_own=cells), policy_toml()))
    assert instance.units["x_own"].dtype == kind
    assert written(instance) == cells
    assert instance.hash.startswith(hashed)
    if kind != "object":
        numbers = [float(cell) if cell else np.nan for cell in cells]
        np.testing.assert_array_equal(instance.units["x_own"], numbers)


@pytest.mark.everyday("csv-only signs")
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("table_format", ["csv", "parquet"])
def test_files_hold_the_cells_of_every_kind(write_folder: Writer, tmp_path: Path, table_format: str, name: str) -> None:
    cells, kind, hashed = KINDS[name]
    if table_format == "parquet":
        pytest.importorskip("pyarrow")
    instance = read_instance(write_folder(units_csv(x_own=cells), policy_toml()))
    # Frames of an instance and a changed policy keep the cells as well.
    again = etsopt.Instance.from_frames(instance.units, instance.policy.model_dump(mode="json", exclude_none=True))
    assert again == instance
    write_instance(again.with_policy({"year": 2026}).with_policy({"year": 2025}), tmp_path / "again", "", table_format)
    read = read_instance(tmp_path / "again")
    pd.testing.assert_frame_equal(read.units, instance.units)
    assert read.units["x_own"].dtype == kind
    assert written(read) == cells
    assert read == instance
    assert read.hash.startswith(hashed)


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_has_the_hash_of_its_files(tmp_path: Path, name: str) -> None:
    cells, hashed = FRAMES[name]
    instance = etsopt.Instance.from_frames(frame(x_own=cells), POLICY)
    assert instance.hash.startswith(hashed)
    assert pd.api.types.is_numeric_dtype(instance.units["x_own"]) == (name != "true and false")
    for table_format in ("csv", "parquet"):
        write_instance(instance, tmp_path / table_format, "", table_format)
        read = read_instance(tmp_path / table_format)
        assert read == instance
        pd.testing.assert_frame_equal(read.units, instance.units)


def test_rows_that_are_sorted_and_enterprises_keep_their_numbers(write_folder: Writer) -> None:
    units = units_csv(unit_id=["c", "a", "b"], x_own=["1", "2.5", ""])
    instance = read_instance(
        write_folder(units, policy_toml(), "enterprise_id,x_rank,x_code\nsouth,2,01\nnorth,1,02\n")
    )
    assert instance.units["x_own"].tolist()[::2] == [2.5, 1.0]
    assert written(instance) == ["2.5", "", "1"]
    assert instance.enterprises is not None
    assert instance.enterprises["x_rank"].tolist() == [1, 2]
    assert instance.enterprises["x_code"].tolist() == ["02", "01"]


def test_another_number_is_another_instance() -> None:
    one, other = (etsopt.Instance.from_frames(frame(x_own=[1.0, 2.5, last]), POLICY) for last in (3.0, np.nan))
    assert one != other


@given(st.lists(st.text("0123456789.+-e", max_size=5), min_size=1, max_size=4))
def test_any_cells_that_look_like_numbers_come_back(cells: list[str]) -> None:
    numbers, without_point = numbers_of(np.array(cells, dtype=object))
    if numbers is not None:
        table = pd.DataFrame({"x_own": numbers})
        table.attrs["etsopt_without_point"] = ["x_own"] * without_point
        assert ["" if pd.isna(cell) else str(cell) for cell in as_texts(table)["x_own"]] == cells


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_any_numbers_come_back_from_their_texts(numbers: list[float]) -> None:
    for texts in (list(map(repr, numbers)), [f"{number:.0f}" for number in numbers if abs(number) < 1e15]):
        if texts:
            back, _ = numbers_of(np.array(texts, dtype=object))
            assert back is not None
            assert back.tolist() == list(map(float, texts))


@pytest.mark.parametrize("table_format", ["csv", "parquet"])
def test_a_run_carries_the_columns_and_the_checker_compares_them(tmp_path: Path, table_format: str) -> None:
    if table_format == "parquet":
        pytest.importorskip("pyarrow")
    own = {"x_size": ["1", "2.5", ""], "x_rank": ["3", "2", "1"], "x_code": ["007", "8", ""]}
    tiny = etsopt.read("tiny")
    policy = tiny.policy.model_dump(mode="json", exclude_none=True)
    instance = etsopt.Instance.from_frames(tiny.units.assign(**own), policy)
    result = etsopt.solve(instance)
    assert result.certified
    result.save(tmp_path / "run", instance, table_format)
    saved, held = load_both(tmp_path / "run")
    assert held == instance
    for table in (result.tables["allocation"], saved.tables["allocation"]):
        for name in own:
            pd.testing.assert_series_equal(table[name], instance.units[name], check_index_type=False)
    for name, cell in (("x_size", 1.5), ("x_size", np.nan), ("x_rank", 4), ("x_code", "7")):
        table = saved.tables["allocation"].copy()
        table.loc[0, name] = cell
        report = etsopt.check(held, replace(saved, tables=saved.tables | {"allocation": table}))
        (found,) = (violation for violation in report.violations if violation.rule == "as_given")
        assert (found.where, found.message) == (instance.units["unit_id"][0], f"{name} is that of the instance")
        assert not report.certified
