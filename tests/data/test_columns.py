"""What is done to whole columns is what would be done to each cell."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import etsopt
from etsopt.common.characters import HIDDEN
from etsopt.common.units import sums
from etsopt.data.files import write
from etsopt.data.files.csv_fast import read_csv_fast
from etsopt.data.files.write import PLAIN_NUMBER, RISKY, write_table
from etsopt.data.instance import Instance
from etsopt.data.tables.labels import Labels
from etsopt.data.tables.raw import RawTable, read_csv
from etsopt.data.tables.schema import LONGEST_IDENTIFIER, UNITS
from etsopt.data.tables.text_columns import FORMULA_START, matched_choices, normalise, normalised_column
from etsopt.data.tables.validate import order_of, validate_table
from etsopt.rules import reference_allowances
from tests.builders import random_instance

CELL = st.one_of(
    st.text(max_size=6),
    st.text("ab \n\t\x0b\x1f\x7f\u00a0\u2028\u3000\u0301é=+-@Ａ一", max_size=5),
    st.sampled_from(["", "a" * 64, "一" * 22, "ﬁ", "e\u0301", "\ud800"]),
)


def cells(texts: list[str]) -> np.ndarray[Any, np.dtype[np.object_]]:
    return np.array(texts, dtype=object)


@pytest.mark.nightly
@given(st.lists(CELL, max_size=6), st.booleans())
@example(["a", "\u0301b"], True)
@example(["", ""], False)
def test_a_column_taken_as_one_text_is_what_its_cells_are(texts: list[str], required: bool) -> None:
    found = normalised_column(cells(texts), required, LONGEST_IDENTIFIER)
    each = [normalise(text) for text in texts]
    plain = all(not HIDDEN.search(text) and not FORMULA_START.match(text) for text in each)
    plain = plain and all(len(text) <= LONGEST_IDENTIFIER and (text or not required) for text in each)
    if found is not None:
        assert found.tolist() == each
        assert plain
    elif plain and texts:
        # Only spaces around a cell, an odd character, a leading apostrophe or many bytes are left to a closer look.
        closer = any(text.startswith("'") or len(text.encode()) > LONGEST_IDENTIFIER for text in each)
        assert texts != each or closer


@given(st.lists(st.sampled_from(["cement", " cement", "steel", "", "stel", "ｓteel"]), max_size=8), st.booleans())
def test_choices_are_looked_at_once_for_each_text(texts: list[str], required: bool) -> None:
    found = matched_choices(cells(texts), ("cement", "steel"), required)
    each = [normalise(text) for text in texts]
    right = all(text in ("cement", "steel") or (not text and not required) for text in each)
    assert (found is not None and found.tolist() == each) if right else found is None


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "一", "Z", ""]), st.sampled_from([1.0, 2.0, -3.0])), max_size=7))
def test_rows_are_sorted_by_their_keys_as_python_sorts_them(rows: list[tuple[str, float]]) -> None:
    keys = [cells([text for text, _ in rows]), np.array([number for _, number in rows])]
    order, unique = order_of(keys)
    assert unique is (len(set(rows)) == len(rows))
    if unique:
        assert (rows if order is None else [rows[place] for place in order]) == sorted(rows)


@given(st.lists(st.sampled_from(["b", "a", "一", "", "Z", "ab"]), max_size=9))
def test_labels_number_the_texts_in_their_order(texts: list[str]) -> None:
    labels = Labels.of(cells(texts))
    assert labels.names.tolist() == sorted(set(texts))
    assert labels.names[labels.code].tolist() == texts
    for text in ("a", "missing"):
        assert labels.where(text).tolist() == [one == text for one in texts]
    assert labels.mapped({"a": 1.0}, 0.0).tolist() == [float(one == "a") for one in texts]


def test_sums_of_a_million_large_values_do_not_drift() -> None:
    values = np.random.default_rng(0).random(1_000_000) * 1e7
    exact = math.fsum(values)
    assert sums(np.zeros(len(values), dtype=np.int64), values, 1)[0] == pytest.approx(exact, abs=2e-3, rel=0)


LINE = "u1,e1,cement,Hebei,780000,1000000"
HEAD = "unit_id,enterprise_id,sector,province,emissions_tco2e,output_t"


def both_ways(text: str) -> tuple[RawTable | None, pd.DataFrame | None]:
    """The plain reading, and the table as reading cell by cell and the validator make it; None where they refuse it."""
    plain = read_csv_fast(text.encode(errors="surrogatepass"), UNITS)
    raw, problems = read_csv(text.encode(errors="surrogatepass"), "units.csv")
    if raw is None or problems:
        return plain, None
    table, problems = validate_table(raw, UNITS)
    return plain, None if problems else table


@pytest.mark.parametrize(
    "body",
    [
        f"{LINE}\n",
        LINE,
        f"{LINE}\r\n".replace("u1", '"u,1"'),
        f"{LINE}\n".replace("Hebei", '"He""bei"'),
        f"{LINE}\n".replace("Hebei", '""'),
        f"{LINE}\n".replace("1000000", ""),
        f"{LINE}\n".replace("1000000", '"1000000"'),
        f"{LINE}\n".replace("780000", "0.1234567890123456789e6"),
        f"{LINE}\n".replace("Hebei", "安徽"),
        f"{LINE}\n".replace("Hebei", "NA"),
    ],
)
def test_a_plain_file_is_read_at_once(body: str) -> None:
    plain, table = both_ways(f"{HEAD}\n{body}")
    if '""' in body and 'He""' not in body:
        # The province must not be empty, which the validator sees either way.
        assert plain is not None
        assert table is None
        return
    assert plain is not None
    assert table is not None
    found, problems = validate_table(plain, UNITS)
    assert not problems
    pd.testing.assert_frame_equal(found, table)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{HEAD}\n",
        f"{HEAD}\n{LINE}\n\n{LINE}\n",
        f"{HEAD}\n{LINE}\n  \n",
        f"{HEAD}\n{LINE},1\n",
        f"{HEAD}\nu2,e2\n{LINE}\n",
        f"{HEAD}\n{LINE},7\nu2,e1,cement,Hebei,780000\n",
        f"{HEAD}\n{LINE}\nu2,e1,cement,Hebei,780000\nu3,e1,cement,Hebei,780000,1,2\n",
        f'{HEAD}\n"u1" x,e1,cement,Hebei,780000,1000000\n',
        f'{HEAD}\nu"1,e1,cement,Hebei,780000,1000000\n',
        f'{HEAD}\n"u1,e1,cement,Hebei,780000,1000000\n',
        f"{HEAD}\n{LINE}\n".replace("780000", "nan"),
        f"{HEAD}\n{LINE}\n".replace("780000", "inf"),
        f"{HEAD}\n{LINE}\n".replace("780000", "1_000"),
        f"{HEAD}\n{LINE}\n".replace("780000", "0x10"),
        f"{HEAD}\n{LINE}\n".replace("780000", "１"),
        f"{HEAD}\n{LINE}\n".replace("\n", "\r"),
        f"{HEAD},sector\n{LINE},steel\n",
        f"{HEAD},colour\n{LINE},red\n",
        f"{HEAD},x_note\n{LINE},'=1\n",
        f"{HEAD}\n{LINE}\0\n",
        "\ud800",
    ],
)
def test_a_file_that_needs_a_closer_look_is_not_read_at_once(text: str) -> None:
    assert read_csv_fast(text.encode(errors="surrogatepass"), UNITS) is None


@given(
    st.lists(st.sampled_from([",", '"', "\n", "\r\n", "a", " ", "1", "é", ".", '""']), max_size=12).map("".join),
    st.integers(0, len(LINE)),
)
def test_whatever_stands_in_a_file_both_ways_read_the_same_or_the_plain_one_declines(more: str, place: int) -> None:
    plain, table = both_ways(f"{HEAD}\n{LINE[:place]}{more}{LINE[place:]}\nu2,e1,steel,Hubei,5,2\n")
    if plain is None:
        return
    found, problems = validate_table(plain, UNITS)
    assert (table is None) is bool(problems)
    if table is not None:
        pd.testing.assert_frame_equal(found, table)


WRITTEN = st.one_of(st.text(max_size=3), st.text("a,\"\n\r'=+-@ é1", max_size=3), st.sampled_from(["", "-5", "'=x"]))


@given(st.lists(st.tuples(WRITTEN, st.floats(), st.integers(-(2**63), 2**63 - 1), st.booleans()), max_size=4))
@example([("plain", 1e16, 7, True), ("Hebei", float("nan"), -1, False), ("", 0.1, 0, True)])
def test_a_table_is_written_as_pandas_writes_it(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float, int, bool]]
) -> None:
    path = tmp_path_factory.mktemp("table") / "table.csv"
    kinds = {"text": object, "number": float, "count": "int64", "truth": bool}
    table = pd.DataFrame(rows, columns=list(kinds)).astype(kinds)
    table["text"] = table["text"].str.replace("[\ud800-\udfff\0]", "", regex=True).astype(object)
    write_table(table, path)
    risky = table["text"].str.match(RISKY) & ~table["text"].str.fullmatch(PLAIN_NUMBER)
    table["text"] = table["text"].where(~risky.astype(bool), "'" + table["text"])
    assert path.read_bytes() == table.to_csv(index=False, lineterminator="\n").encode()


def test_a_plain_table_of_many_rows_is_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units = etsopt.generate(50).units
    expected = units.to_csv(index=False, lineterminator="\n").encode()
    monkeypatch.setattr(write, "ROWS_AT_ONCE", 7)
    # Were it written by pandas after all, it would fail.
    monkeypatch.setattr(pd.DataFrame, "to_csv", None)
    write_table(units, tmp_path / "units.csv")
    assert (tmp_path / "units.csv").read_bytes() == expected


@given(
    st.lists(
        st.tuples(
            st.floats(allow_infinity=False),
            st.integers(-(2**60), 2**60).map(float) | st.sampled_from([0.0, -0.0, float("nan"), 1e300]),
            st.integers(-(2**62), 2**62),
            st.booleans(),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_pyarrow_and_python_write_what_is_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float, int, bool]]
) -> None:
    pytest.importorskip("pyarrow")
    kinds = {"number": float, "whole": float, "count": "int64", "truth": bool}
    table = pd.DataFrame(rows, columns=list(kinds)).astype(kinds).assign(text=[f"u{row}" for row in range(len(rows))])
    table["text"] = table["text"].astype(object)
    read, written = [], []
    for least in (0, 10**9):
        path = tmp_path_factory.mktemp("table") / "table.csv"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(write, "MANY_ROWS", least)
            patch.setattr(write, "_write_protected", None)
            write_table(table, path)
        read.append(pd.read_csv(path, dtype={"text": object}))
        written.append(path.read_bytes())
    assert written[0] == written[1]
    by_arrow, by_python = read
    pd.testing.assert_frame_equal(by_arrow, by_python, check_exact=True)
    exact = [name for name in kinds if not table[name].isna().all()]
    for name in exact:
        assert by_arrow[name].dtype == table[name].dtype
        # The sign of zero is kept as well.
        assert by_arrow[name].map(repr).tolist() == table[name].map(repr).tolist()


def test_what_is_found_about_the_tables_is_shared_by_instances_that_differ_in_their_policy_alone() -> None:
    instance = random_instance(1)
    other = instance.with_policy({"sectors.cement.band": 0.02})
    assert reference_allowances(other) is reference_allowances(instance)
    assert other.labels("sector") is instance.labels("sector")
    steeper = instance.with_policy({"rule.slope": 0.2})
    assert reference_allowances(steeper).reference_t.tolist() != reference_allowances(instance).reference_t.tolist()
    assert len({instance.hash, other.hash, steeper.hash}) == 3
    fresh = Instance.from_frames(instance.units, other.policy.content)
    assert fresh.hash == other.hash
    with pytest.raises(ValueError, match="read-only"):
        reference_allowances(instance).reference_t[0] = 0.0


def test_what_many_policies_need_is_not_kept_for_all_of_them() -> None:
    instance = random_instance(1)
    for policy in range(20):
        reference_allowances(instance.with_policy({"rule.slope": 0.1 + policy / 1000}))
        if policy == 1:
            kept = len(instance.known)
    assert len(instance.known) == kept


def test_a_copy_in_another_process_starts_without_what_was_found() -> None:
    instance = random_instance(2)
    again = pickle.loads(pickle.dumps(instance))
    assert instance.known
    assert not again.known
    assert again.hash == instance.hash


@pytest.mark.parametrize("kind", ["object", "str", "category", "string"])
def test_text_of_any_kind_in_a_frame_is_the_same_text(kind: str) -> None:
    units = etsopt.generate(30).units
    texts = {name: kind for name in units.columns if units[name].dtype == object}
    assert Instance.from_frames(units.astype(texts), {"year": 2025, "rule": {"name": "cn-2025"}}).hash == (
        Instance.from_frames(units, {"year": 2025, "rule": {"name": "cn-2025"}}).hash
    )
