"""Tables of results come back as they were: every cell and every type, in either format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import etsopt
from etsopt.common.characters import HIDDEN
from etsopt.common.errors import DataError
from etsopt.common.provenance import Options, Provenance
from etsopt.data.files.frames import NULLABLE, TYPES, as_written, read_table, types_of
from etsopt.data.files.write import FORMATS, write_table
from etsopt.running.results.results import Results
from tests.compliance_years import by_hand

ABOUT = Provenance(model="mine", instance="tiny", instance_hash="", policy={}, options=Options())
PRICED = {"market.prices_cny_per_t": 80.0}
NOT_CLEARED: dict[str, Any] = {"market.external_demand_t": 5_000_000}


def again(table: pd.DataFrame, folder: Path, ending: str) -> pd.DataFrame:
    path = folder / f"plan.{ending}"
    plain = as_written(table, "plan")
    write_table(plain, path)
    return read_table(path, types_of(plain))


def bits(cells: pd.Series[Any]) -> Any:
    """The cells of a column to the last bit."""
    if isinstance(cells.dtype, np.dtype) and cells.dtype.kind in "biuf":
        values = cells.to_numpy().copy()
        if values.dtype.kind == "f":
            # What is no number may have a sign, which no file keeps.
            values[np.isnan(values)] = np.nan
        return values.dtype.name, values.tobytes()
    return [None if cell is pd.NA else cell for cell in cells]


def assert_same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    assert list(one.columns) == list(other.columns)
    assert list(one.index) == list(other.index)
    for name in one:
        assert bits(one[name]) == bits(other[name]), name


@pytest.mark.everyday("tiny-clearing-policy5-csv")
@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize(
    ("name", "model", "policy"),
    [
        ("tiny", "allocation", {}),
        ("tiny", "allocation", {"allocation.integer_allowances": True, "allocation.intensity_order": True}),
        ("eu-2019", "allocation", {}),
        ("tiny", "balance_value", {}),
        ("cn-2025", "equilibrium", PRICED),
        ("tiny", "clearing", {}),
        ("cn-2025", "clearing", NOT_CLEARED),
        ("", "compliance", {}),
    ],
)
def test_every_table_of_every_model_comes_back_bit_for_bit(
    tmp_path: Path, name: str, model: str, policy: dict[str, Any], ending: str
) -> None:
    instance = etsopt.read(name).with_policy(policy) if name else by_hand()
    solved = etsopt.solve(instance, model)
    solved.save(tmp_path, instance, ending)
    loaded = etsopt.load(tmp_path)
    assert loaded.tables.keys() == solved.tables.keys()
    for key, table in solved.tables.items():
        assert_same(loaded.tables[key], table)
    assert loaded.levels == solved.levels
    assert loaded.summary() == solved.summary()


TABLE = pd.DataFrame(
    {
        "note": ["least", "", "配额 ‮"],
        "code": ["007", "1e5", "NA"],
        "risky": ["=1+1", "'-x", "@cmd"],
        "quoted": ['a "b"', "c,d", "e\r\nf"],
        "count": [1, -2, 2**63 - 1],
        "large": np.array([0, 1, 2**64 - 1], dtype="uint64"),
        "small": np.array([1, -128, 127], dtype="int8"),
        "truth": [True, False, True],
        "real": [0.1, -0.0, np.nan],
        "huge": [np.inf, -np.inf, 5e-324],
        "single": np.array([0.1, 1e-45, 3.4e38], dtype="float32"),
        "perhaps": pd.array([1, None, 2**62 + 1], dtype="Int64"),
        "maybe": pd.array([True, None, False], dtype="boolean"),
        "kind": pd.Categorical(["a", "b", "a"]),
    }
)


@pytest.mark.parametrize("ending", FORMATS)
def test_a_column_of_any_type_comes_back(tmp_path: Path, ending: str) -> None:
    found = again(TABLE, tmp_path, ending)
    assert_same(found, TABLE)
    assert types_of(found) == types_of(TABLE) | {"kind": "text"}
    # Without a row the types are all that there is.
    none = again(TABLE.iloc[:0], tmp_path, ending)
    assert (len(none), types_of(none)) == (0, types_of(found))


@pytest.mark.parametrize("ending", FORMATS)
def test_what_has_no_type_of_its_own_comes_back_as_its_text(tmp_path: Path, ending: str) -> None:
    table = pd.DataFrame(
        {"mixed": [1, "a", None], "day": pd.to_datetime(["2025-12-31", None, "2026-01-01"]), 5: [1.0, 2.0, 3.0]}
    )
    found = again(table, tmp_path, ending)
    assert found["mixed"].tolist() == ["1", "a", ""]
    assert found["day"].tolist() == ["2025-12-31 00:00:00", "", "2026-01-01 00:00:00"]
    assert found["5"].tolist() == [1.0, 2.0, 3.0]


def test_a_column_of_blanks_alone_comes_back(tmp_path: Path) -> None:
    table = pd.DataFrame({"note": [" ", "", "\t", "x"]})
    assert again(table, tmp_path, "csv")["note"].tolist() == [" ", "", "\t", "x"]


@pytest.mark.parametrize("ending", FORMATS)
def test_a_table_without_columns_comes_back(tmp_path: Path, ending: str) -> None:
    assert again(pd.DataFrame(), tmp_path, ending).empty


@settings(max_examples=60)
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8), min_size=1, max_size=5),
    numbers=st.lists(st.floats(), min_size=5, max_size=5),
    name=st.text(st.characters(codec="utf-8", min_codepoint=32), min_size=1, max_size=8).filter(
        lambda name: not HIDDEN.search(name)
    ),
)
def test_any_text_and_any_number_comes_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], numbers: list[float], name: str
) -> None:
    table = pd.DataFrame({name: texts, f"{name} [t]": numbers[: len(texts)]})
    folder = tmp_path_factory.mktemp("tables", numbered=True)
    assert_same(again(table, folder, "csv"), table)
    # A table of one column of texts has lines that are empty.
    assert_same(again(table[[name]], folder, "csv"), table[[name]])


def test_two_columns_of_one_name_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    table = pd.DataFrame([[1, 2]], columns=["x", "x"])
    result = Results({"plan": table}, "optimal", "feasible", False, (), None, ABOUT)
    with pytest.raises(DataError, match="table plan: has 2 columns named 'x'"):
        result.save(tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("ending", FORMATS)
def test_a_text_that_is_none_is_refused_by_its_table(tmp_path: Path, ending: str) -> None:
    result = Results(
        {"plan": pd.DataFrame({"note": pd.Series(["\ud800"], dtype=object), "x": [1]})},
        "optimal",
        "feasible",
        False,
        (),
        None,
        ABOUT,
    )
    with pytest.raises(DataError, match=f"plan.{ending}"):
        result.save(tmp_path / "run", table_format=ending)
    assert not (tmp_path / "run").exists()


def test_the_types_stand_in_result_json(tmp_path: Path) -> None:
    Results({"plan": TABLE}, "optimal", "feasible", False, (), None, ABOUT).save(tmp_path)
    content = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert content["tables"]["plan"] == types_of(as_written(TABLE, "plan"))
    assert set(content["tables"]["plan"].values()) < TYPES
    assert {"Int64", "boolean"} <= NULLABLE
    assert_same(etsopt.load(tmp_path).tables["plan"], TABLE)


def test_texts_of_a_users_model_from_before_types_were_stated_are_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text("unit_id,note,share\n007,least,0.5\n008,,\n", encoding="utf-8")
    table = read_table(path, None)
    assert table["unit_id"].tolist() == ["007", "008"]
    assert table["note"].tolist() == ["least", ""]
    assert table["share"].tolist()[0] == 0.5
    assert np.isnan(table["share"].iloc[1])
