"""Input that is wrong on purpose or by a slip: each is refused with its cell or key, and never by another exception."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.characters import HIDDEN
from etsopt.common.errors import PROBLEMS_SHOWN, DataError, EtsoptError, Problem, UsageError, brief
from etsopt.data.files.write import write_instance
from etsopt.data.policy.policy import Policy
from etsopt.data.tables.schema import TABLES, UNITS
from etsopt.modelling.solving.options import PRINTING, WORDS
from etsopt.rules import RULES, reference_allowances
from etsopt.running import library
from tests.folders import VALID, message_of, policy_toml, units_csv

if TYPE_CHECKING:
    from pydantic import BaseModel

    from etsopt.data.tables.table import Table

Writer = Callable[..., Path]

NUMBER = "digits with a point, no formula, separator, unit or NaN."
TYPE_ANEW = "   Retype the text, on one line: hidden characters change how it looks, or make it a different text."

UNSEEN = {
    "NUL": "\0",
    "bell": "\a",
    "tab": "\t",
    "line end": "\n",
    "ESC": "\x1b[31m",
    "delete": "\x7f",
    "C1": "\x9b31m",
    "next line": "\x85",
    "soft hyphen": "\xad",
    "grapheme joiner": "\u034f",
    "Arabic letter mark": "\u061c",
    "Hangul filler": "\u3164",
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "left-to-right mark": "\u200e",
    "right-to-left override": "\u202e",
    "line separator": "\u2028",
    "word joiner": "\u2060",
    "isolate": "\u2066",
    "blank Braille": "\u2800",
    "byte-order mark": "\ufeff",
    "tag": "\U000e0041",
}
"""Characters that are refused in every name. (NUL has a message of its own in CSV.)"""

SEEN = {
    "Chinese": "海螺水泥",
    "rare Chinese": "𬭚\U00030000",
    "full width": "Ｌｉｎｅ　１",
    "accents": "Aciérie",
    "accents apart": "Acie\u0301rie",
    "fixed space": "Line\xa01",
    "private": "\ue000",
    "emoji": "⚡\ufe0f",
    "Arabic": "مصنع",
}


def frame(**columns: Any) -> pd.DataFrame:
    units = pd.DataFrame(
        {
            "unit_id": ["line-1", "line-2", "mill-1"],
            "enterprise_id": ["north", "north", "south"],
            "sector": ["cement", "cement", "steel"],
            "province": ["Hebei", "Hebei", "Hunan"],
            "emissions_tco2e": [780000.0, 984000.0, 10500000.0],
            "output_t": [1000000.0, 1200000.0, 5000000.0],
        }
    )
    return units.assign(**columns)


POLICY = {"year": 2025, "rule": {"name": "cn-2025"}}

ROW = {
    "enterprises": {"enterprise_id": "north", "name": "North"},
    "measures": {"measure_id": "kiln", "sector": "cement", "abatement_rate": "0.1", "lifetime_years": "10"},
    "forecast": {"sector": "cement", "year": "2026", "output_factor": "1"},
    "scenarios": {"scenario": "low", "year": "2025", "probability": "1"},
    "supply": {"supply_id": "kiln", "year": "2025", "supplies": "output"},
    "quantities": {"unit_id": "a", "quantity_id": "coal", "emissions_tco2e_per_unit": "2", "most": "9"},
    "statements": {"unit_id": "a", "statement_id": "limit", "kind": "limit", "uncertainty": "1"},
    "terms": {"unit_id": "a", "statement_id": "limit", "quantity_id": "coal", "coefficient": "1"},
}
"""A valid row of each table beside the units, without its optional columns."""

NUMBERS = [(table, column.name) for table in TABLES for column in table.columns if column.number]


def unit_of(table: Table, column: str) -> str:
    unit = table.column(column).unit
    return f" [{unit}]" if unit else ""


@pytest.mark.everyday("TRUE-units-intensity_output_t")
@pytest.mark.parametrize(("table", "column"), NUMBERS, ids=lambda value: getattr(value, "name", value))
@pytest.mark.parametrize("word", ["TRUE", "false"])
def test_a_column_of_truths_is_no_column_of_numbers(write_folder: Writer, table: Table, column: str, word: str) -> None:
    advice = f"   Write a plain finite number{unit_of(table, column)}: {NUMBER}"
    if table is UNITS:
        folder = write_folder(units_csv(**{column: [word] * 3}), policy_toml())
        cells = f"row 2 {word!r}, row 3 {word!r}, row 4 {word!r}"
        message = f"units.csv, {column}: 3 cells are not numbers: {cells}.\n{advice}"
    else:
        row = ROW[table.name] | {column: word}
        content = f"{','.join(row)}\n{','.join(row.values())}\n"
        folder = write_folder(units_csv(), policy_toml(), **{f"{table.name}_csv": content})
        message = f"{table.name}.csv, {column}: 1 cell is not a number: row 2 {word!r}.\n{advice}"
    assert message_of(folder) == message


@pytest.mark.parametrize("cells", [["TRUE", "", ""], ["", "False", ""], ["1", "TRUE", "0"], ["T", "1", "0"]])
def test_a_truth_among_absent_cells_and_numbers_is_found(write_folder: Writer, cells: list[str]) -> None:
    message = message_of(write_folder(units_csv(pre_allocated_t=cells), policy_toml()))
    bad = next((row, cell) for row, cell in enumerate(cells, 2) if cell[:1] in ("T", "F"))
    assert message.startswith(f"units.csv, pre_allocated_t: 1 cell is not a number: row {bad[0]} {bad[1]!r}.\n")


def test_ones_and_zeros_are_numbers_whatever_is_said_elsewhere(write_folder: Writer) -> None:
    folder = write_folder(units_csv(pre_allocated_t=["1", "0", ""], x_note=["TRUE", "false", ""]), policy_toml())
    assert etsopt.read(folder).units["pre_allocated_t"].tolist()[:2] == [1.0, 0.0]


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(np.array([True, False, True]), id="numpy"),
        pytest.param(pd.array([True, None, False], dtype="boolean"), id="nullable"),
        pytest.param(np.array([True, 1.0, 2], dtype=object), id="objects"),
        pytest.param(pd.Categorical([True, False, True]), id="categories"),
        pytest.param(np.array([1 + 0j, 2, 3]), id="complex"),
        pytest.param(pd.to_timedelta([1, 2, 3]), id="time"),
    ],
)
@pytest.mark.parametrize("column", ["emissions_tco2e", "output_t", "pre_allocated_t"])
def test_a_frame_of_other_things_than_numbers_is_refused(column: str, cells: Any) -> None:
    with pytest.raises(DataError) as caught:
        etsopt.Instance.from_frames(frame(**{column: cells}), POLICY)
    assert f"units, {column}: " in str(caught.value)
    assert "not a number" in str(caught.value) or "not numbers" in str(caught.value)


def test_truths_in_parquet_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "policy.toml").write_text(policy_toml(), encoding="utf-8")
    frame(pre_allocated_t=[True, False, True]).to_parquet(tmp_path / "units.parquet")
    with pytest.raises(DataError, match=r"units\.parquet, pre_allocated_t: 3 cells are not numbers: row 1 'True'"):
        etsopt.read(tmp_path)


@pytest.mark.everyday("byte-order mark-enterprise_id")
@pytest.mark.parametrize("column", ["unit_id", "enterprise_id", "name", "province", "sector", "special_case"])
@pytest.mark.parametrize("name", UNSEEN)
def test_a_name_with_more_than_is_seen_is_refused(write_folder: Writer, column: str, name: str) -> None:
    cells = list(VALID[column])
    cells[1] = f"a{UNSEEN[name]}b"
    written = [f'"{cell}"' if "\n" in cell else cell for cell in cells]
    # In the folder, and in a frame, where rows are counted from zero.
    for read, place in (
        (lambda: etsopt.read(write_folder(units_csv(**{column: written}), policy_toml())), f"units.csv, {column}: "),
        (lambda: etsopt.Instance.from_frames(frame(**{column: cells}), POLICY), f"units, {column}: "),
    ):
        with pytest.raises(DataError) as caught:
            read()
        if name == "NUL" and place.startswith("units.csv"):
            assert "units.csv: contains NUL characters, the first in line 3." in str(caught.value)
            continue
        row = "3" if place.startswith("units.csv") else "1"
        what = f"1 cell holds a control or invisible character: row {row} {brief(cells[1])}.\n{TYPE_ANEW}"
        assert str(caught.value) == f"{str(caught.value).split(chr(10))[0]}\n\n1. {place}{what}"
        assert not HIDDEN.search(str(caught.value).replace("\n", ""))


@pytest.mark.parametrize("cell", ["'=1+1", "''-x", "'@a"])
@pytest.mark.parametrize("column", ["unit_id", "name", "province"])
def test_a_name_behind_an_apostrophe_is_the_formula_that_it_would_be_without(
    write_folder: Writer, column: str, cell: str
) -> None:
    # Written with one apostrophe more, as texts of the user's own are, it would come back as another name.
    cells = [VALID[column][0], cell, VALID[column][2]]
    message = message_of(write_folder(units_csv(**{column: cells}), policy_toml()))
    assert message.startswith(f"units.csv, {column}: 1 cell holds a formula: row 3 {cell!r}.\n")
    taken = ["'s-Hertogenbosch", "''", "'"]
    assert sorted(etsopt.Instance.from_frames(frame(unit_id=taken), POLICY).units["unit_id"]) == sorted(taken)


@pytest.mark.parametrize("cell", ["\tcement", "cement\n", "cement\u200b"])
def test_what_is_not_seen_around_a_name_is_refused_too(cell: str) -> None:
    with pytest.raises(DataError, match="units, sector: 1 cell holds a control or invisible character: row 1"):
        etsopt.Instance.from_frames(frame(sector=["cement", cell, "steel"]), POLICY)


@pytest.mark.parametrize("name", SEEN)
@pytest.mark.parametrize("column", ["unit_id", "name"])
def test_names_of_every_script_are_taken(write_folder: Writer, column: str, name: str) -> None:
    cells = [SEEN[name], *VALID[column][1:]]
    folder = write_folder(units_csv(**{column: cells}), policy_toml())
    assert set(etsopt.read(folder).units[column]) == set(
        etsopt.Instance.from_frames(frame(**{column: cells}), POLICY).units[column]
    )


def test_ids_are_one_that_differ_in_width_or_composition_alone() -> None:
    for one, other in (("Ｌ１", "L1"), ("e\u0301", "é"), ("a\xa0b", "a b")):
        with pytest.raises(DataError, match="2 rows share an identifier"):
            etsopt.Instance.from_frames(frame(unit_id=[one, other, "c"]), POLICY)


@pytest.mark.parametrize("name", ["ESC", "delete", "C1", "next line", "bell"])
def test_a_users_own_column_holds_any_text_but_control_characters(write_folder: Writer, name: str) -> None:
    cells = ["plain", f"a{UNSEEN[name]}b", ""]
    message = message_of(write_folder(units_csv(x_note=cells), policy_toml()))
    what = f"1 cell holds a control character: row 3 {brief(cells[1])}.\n   Remove it, or leave the column out."
    assert message == f"units.csv, x_note: {what}"


def test_notes_have_lines_tabs_and_marks_of_direction(tmp_path: Path) -> None:
    own = ["two\nlines", "two\r\nlines\tand a tab", "\u200fمصنع\u200f 👩\u200d🔧"]
    instance = etsopt.Instance.from_frames(frame(x_note=own), POLICY)
    write_instance(instance, tmp_path)
    assert etsopt.read(tmp_path).units["x_note"].tolist() == own
    # A carriage return alone once came back as another text.
    with pytest.raises(DataError, match=r"units, x_note: 1 cell holds a control character: row 0 '\\r'."):
        etsopt.Instance.from_frames(frame(x_note=["\r", "", ""]), POLICY)


@pytest.mark.parametrize("name", ["x_a\x1b[31m", "x_a\u202eb", "na\u200bme"])
def test_a_column_with_more_in_its_name_than_is_seen_is_refused(write_folder: Writer, name: str) -> None:
    with pytest.raises(DataError) as caught:
        etsopt.read(write_folder(units_csv(**{name: ["", "", ""]}), policy_toml()))
    what = f"has a column {brief(name)}, with a control or invisible character in its name"
    assert f"units.csv: {what}.\n   Retype the name." in str(caught.value)
    assert not HIDDEN.search(str(caught.value).replace("\n", ""))


def models_of_policy(model: type[BaseModel], path: str = "") -> list[tuple[str, Any]]:
    """Every key of a policy that one number may be given to, and one of its numbers."""
    found: list[tuple[str, Any]] = []
    for name, field in model.model_fields.items():
        below = getattr(field.annotation, "model_fields", None)
        if below is not None:
            found += models_of_policy(field.annotation, f"{path}{name}.")  # type: ignore[arg-type]
        elif any(kind in str(field.annotation) for kind in ("float", "int")):
            found.append((f"{path}{name}", field))
    return found


NUMERIC_KEYS = [key for key, _ in models_of_policy(Policy)]
SECTOR_KEYS = [f"sectors.cement.{key}" for key in ("band", "target_change", "target_t", "target_intensity")]
RULE_KEYS = [f"rule.{key}" for key in RULES["cn-2025"].parameters.model_fields]


def test_the_keys_that_take_numbers_are_found() -> None:
    assert {"year", "horizon.last_year", "market.ccer_share", "allocation.exceptions.lower"} <= set(NUMERIC_KEYS)
    assert len(NUMERIC_KEYS) > 25


@pytest.mark.everyday("nan-rule.slope", "nan-market.floor_price_cny_per_t")
@pytest.mark.parametrize("key", [*NUMERIC_KEYS, *SECTOR_KEYS, *RULE_KEYS])
@pytest.mark.parametrize("value", ["true", "nan", "inf", "-inf", "1e999", '"1"'])
def test_a_number_of_the_policy_is_a_finite_number(key: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    if key == "rule.balance_value_decimals" and value == '"1"':
        pytest.skip("it takes a word")
    assert main(["validate", "tiny", "--set", f"{key}={value}"]) == 2
    message = capsys.readouterr().err
    assert f", {key}: is " in message or f", {key}." in message, message


@pytest.mark.everyday("rule.threshold_tco2e-clearing")
@pytest.mark.parametrize("model", [name for name in library.names() if not library.explains(name)])
@pytest.mark.parametrize("key", RULE_KEYS)
def test_a_parameter_of_the_rule_is_looked_at_before_any_model_reads_it(key: str, model: str) -> None:
    tiny = etsopt.read("tiny")
    values: tuple[Any, ...] = ("abc", [1], [[]], {"a": 1}, {"cement": {}}, 1_000_000, -1.0, None, True)
    for value in values:
        try:
            instance = tiny.with_policy({key: value})
            etsopt.solve(instance, model)
        except EtsoptError:
            continue
        # What is taken is a value: none, a number that is one, or words.
        assert value is None or (value == 1_000_000 and key in ("rule.threshold_tco2e", *CARRIED, "rule.slope"))


CARRIED = ("rule.carry_over_base_t", "rule.carry_over_factor")


@pytest.mark.parametrize("value", [True, np.nan, np.inf, np.bool_(True), 10**400, "1", [1], b"1", 1j])
def test_a_number_of_with_policy_is_one_too(value: Any) -> None:
    for key in ("year", "sectors.cement.band", "rule.slope"):
        with pytest.raises(DataError):
            reference_allowances(etsopt.read("tiny").with_policy({key: value}))


def test_numbers_of_numpy_are_numbers_of_the_policy() -> None:
    changed = etsopt.read("tiny").with_policy({"year": np.int64(2026), "sectors.cement.band": np.float64(0.02)})
    assert changed.hash == etsopt.read("tiny").with_policy({"year": 2026, "sectors.cement.band": 0.02}).hash


TOO_DEEP = "lists or tables are nested more than 8 deep"
MANY_PARTS = "a key has more than 8 parts"
MANY_DIGITS = "a whole number has thousands of digits"
NOT_ONE = "is not one key with one value"
TOO_WIDE = "has a cell of more than 131,072 characters in line"

HEAD = 'year = 2025\n[rule]\nname = "cn-2025"\n'

ABSURD = {
    "a list 5,000 deep": (
        HEAD + "x = " + "[" * 5000 + "]" * 5000,
        f"policy.toml: is not valid TOML ({TOO_DEEP}).",
    ),
    "tables 5,000 deep": (
        HEAD + "x = " + "{a=" * 5000 + "1" + "}" * 5000,
        f"policy.toml: is not valid TOML ({TOO_DEEP}).",
    ),
    "tables 20 deep": (
        HEAD + "x = " + "{a=" * 20 + "1" + "}" * 20,
        "rule.x.a.a.a.a.a.a: holds lists or",
    ),
    "a key of 400,000 parts": (
        HEAD + "a" + ".a" * 400_000 + " = 1",
        f"is not valid TOML ({MANY_PARTS}).",
    ),
    "a key of quoted parts": (
        HEAD + '"a"' + '."a"' * 200_000 + " = 1",
        f"is not valid TOML ({MANY_PARTS}).",
    ),
    "a table of 400,000 parts": (
        "[" + "a." * 400_000 + "a]\n" + HEAD,
        f"is not valid TOML ({MANY_PARTS}).",
    ),
    "a year of 5,000 digits": (HEAD.replace("2025", "9" * 5000, 1), f"is not valid TOML ({MANY_DIGITS})."),
    "a year of 4,000 digits": (
        HEAD.replace("2025", "9" * 4000, 1),
        "year: is a whole number of more than 64 bits.",
    ),
    "a year of a million digits": (
        HEAD.replace("2025", "0x" + "f" * 900_000, 1),
        "year: is a whole number of more than 64 bits.",
    ),
    "450,000 values": (HEAD + "[compliance]\nat_risk = [" + "0," * 450_000 + "]", "holds more than 100,000 values."),
    "80,000 wrong keys": (
        "".join(f"k{key} = 1\n" for key in range(80_000)) + HEAD,
        "policy.toml, k0: is not a key of the policy.",
    ),
    "50,000 provinces": (
        HEAD + "[provinces.balance]\n" + "".join(f"k{key} = 0.1\n" for key in range(50_000)),
        "the province 'k0' has no unit.",
    ),
    "a file of megabytes": (HEAD + "#" * 3_000_000, "policy.toml: has 3,000,036 bytes: expected at most 1,000,000"),
    "a key twice": (HEAD + 'name = "given"\n', "is not valid TOML (Cannot overwrite a value (at line 4, column "),
    "a table twice": (HEAD + "[rule]\n", "is not valid TOML (Cannot declare ('rule',) twice"),
    "a key twice, in two widths": (
        HEAD + '[provinces.balance]\n"Hebei" = 0.1\n"Ｈｅｂｅｉ" = 0.2\n',
        "policy.toml, provinces.balance.Ｈｅｂｅｉ: is stated twice, in two spellings.",
    ),
    "NUL": (HEAD + "\0", "policy.toml: is not valid TOML (Invalid statement (at line 4, column 1))."),
    "NUL in a text": (
        HEAD.replace("cn-", "cn\0"),
        "is not valid TOML (Illegal character '\\x00' (at line 3, column",
    ),
    "another encoding": (HEAD.encode() + b"# \xff\xe9", "policy.toml: is neither UTF-8 (byte 0xff in line 4) nor"),
    "a key of a megabyte": (
        HEAD + "k" * 900_000 + " = 1",
        "(900,005 characters): is a key that is empty, too long",
    ),
    "an empty key": (HEAD + '"" = 1', "policy.toml, rule: is a key that is empty, too long, or has a control"),
    "a name of a megabyte": (HEAD.replace("cn-2025", "c" * 900_000), "... (900,000 characters).\n   The rules are "),
    "ESC in a key": ('["\\u001b[31mX"]\na = 1\n' + HEAD, "policy.toml, \\u001b[31mX: is a key that is empty, too long"),
    "direction in a key": ('"\\u202eX" = 1\n' + HEAD, "policy.toml, \\u202eX: is a key that is empty, too long"),
    "ESC in a value": (HEAD.replace("cn", "\\u001b[31mcn"), "rule.name: is '\\x1b[31mcn-2025', with a control or"),
    "lines in a value": (HEAD.replace('"cn-2025"', '"""cn\n2025"""'), "rule.name: is 'cn\\n2025', with a control or"),
    "blank in a list": (
        HEAD + '[compliance]\nat_risk = ["a\u2060"]\n',
        "at_risk: is 'a\\u2060', with a control or",
    ),
}


@pytest.mark.everyday("450,000 values", "a file of megabytes", "a key twice, in two widths", "blank in a list")
@pytest.mark.parametrize("name", ABSURD)
def test_an_absurd_policy_is_refused_soon(write_folder: Writer, name: str) -> None:
    content, message = ABSURD[name]
    folder = write_folder(units_csv(), content)
    begin = time.process_time()
    with pytest.raises(DataError) as caught:
        etsopt.read(folder)
    # Seconds at most, where the square of the size would take hours: no figure, a bound against a hang.
    assert time.process_time() - begin < 60
    assert message in str(caught.value)
    assert len(str(caught.value)) < 10_000


def deep(levels: int) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for _ in range(levels):
        content = {"a": content}
    return content


def test_a_deep_or_endless_policy_of_python_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["a"] = endless
    for content in (deep(100_000), endless, [deep(500)]):
        with pytest.raises(DataError, match="holds lists or tables more than 8 deep"):
            etsopt.Instance.from_frames(frame(), POLICY | {"market": content})
        with pytest.raises(DataError, match="holds lists or tables more than 8 deep"):
            etsopt.read("tiny").with_policy({"market.paid_share": content})


@pytest.mark.parametrize(
    "key", ["a" + ".a" * 50_000, "", ".", "year.", ".year", "market..paid_share", "ye\x1bar", "年"]
)
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(DataError):
        etsopt.read("tiny").with_policy({key: 0.1})


def test_texts_of_the_policy_are_normalised_as_those_of_tables_are() -> None:
    units = frame(province=["Co\u0301rdoba", "Córdoba", "Ｈunan"], enterprise_id=["Ｎ", "N", "S"])
    stated = {
        "provinces": {"names": "any", "balance": {"Co\u0301rdoba": 0.1, "Hunan": 0.1}},
        "compliance": {"at_risk": ["Ｎ"]},
    }
    instance = etsopt.Instance.from_frames(units, POLICY | stated)
    assert instance.policy.compliance.at_risk == ["N"]
    assert instance.provinces == ["Córdoba", "Hunan"]


COMMAND_LINES = {
    "digits": (
        ["--set", "year=" + "9" * 5000],
        f"{NOT_ONE}: {MANY_DIGITS}.",
    ),
    "deep": (["--set", "year=" + "[" * 3000], f"{NOT_ONE}: {TOO_DEEP}."),
    "parts": (
        ["--set", "year={a" + ".a" * 60_000 + "=1}"],
        f"{NOT_ONE}: {MANY_PARTS}.",
    ),
    "second line": (
        ["--set", "year=2025\nfoo=1"],
        f"--set 'year=2025\\nfoo=1' {NOT_ONE}: it holds a line end",
    ),
    "a table below": (["--set", "year=2025\n[rule]"], f"{NOT_ONE}: it holds a line end"),
    "comment": (["--set", "year=2025 # of the tables"], f"{NOT_ONE}: it holds a comment"),
    "lines": (
        ["--set", 'rule.name="""cn-2025"""'],
        f"{NOT_ONE}: it holds a comment, or a text of several lines.",
    ),
    "quoted lines": (
        ["--set", "rule.name='''cn-2025'''"],
        f"{NOT_ONE}: it holds a comment, or a text of several lines.",
    ),
    "ESC": (["--set", "rule.name=\x1b[31m"], f"--set 'rule.name=\\x1b[31m' {NOT_ONE}"),
    "ESC in a key": (["--set", "\x1b[31m=1"], "--set '\\x1b[31m=1' is not KEY=VALUE."),
    "two values": (["--set", "year=2025, 2026"], "year: is '2025, 2026': expected a valid integer."),
    "bracket": (["--set", "year=2025]"], "year: is '2025]': expected a valid integer."),
    "twice": (["--set", "year=2025", "--set", "year=2026"], "--set names 'year' twice."),
    "file": (
        ["--solver-option", "solution_file=written"],
        "The option solution_file of HiGHS cannot be chosen",
    ),
    "option twice": (["--solver-option", "presolve=on", "--solver-option", "presolve=off"], "names 'presolve' twice."),
    "long option": (["--solver-option", "k" * 100_000 + "=1"], "... (100,000 characters)."),
}


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_an_absurd_argument_is_explained(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, message = COMMAND_LINES[name]
    assert main(["solve", "tiny", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert (captured.out, len(captured.err) < 2000, list(tmp_path.iterdir())) == ("", True, [])


def test_one_key_takes_any_one_value(capsys: pytest.CaptureFixture[str]) -> None:
    for text in (
        "sectors.cement.band={lower = 0.03, upper = 0.02}",
        "rule.name=cn-2025",
        'rule.name="cn-2025"',
        "year = 2026",
    ):
        assert main(["validate", "tiny", "--set", text]) == 0
    assert main(["validate", "tiny", "--set", "rule.name='a # b'"]) == 2
    assert "there is no rule 'a # b'" in capsys.readouterr().err


def test_no_option_of_the_solver_names_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    solver = highspy.Highs()
    texts = [
        name
        for name in [*dir(solver.getOptions()), "mip_improving_solution_file", "write_iis_model_file"]
        if solver.getOptionType(name)[1] == highspy.HighsOptionType.kString
    ]
    assert {"solution_file", "read_basis_file", "log_file", "presolve"} <= set(texts)
    instance = etsopt.read("tiny")
    for name in texts:
        if name in WORDS:
            # A word is no file name: any other text is refused, or taken and nothing written.
            continue
        with pytest.raises(UsageError, match=f"The option {name} of HiGHS cannot be chosen"):
            etsopt.solve(instance, solver_options={name: "written.txt"})
    assert not any("file" in name or "log" in name for name in WORDS)
    assert "log_file" in PRINTING
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("units", ["9" * 30, "9" * 5000, "10000001", "-1", "1e3", "\x1b[31m"])
def test_a_number_of_units_beyond_all_measure_is_refused(
    units: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["generate", "--units", units, "--out", str(tmp_path / "new")])
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert code == 2
    assert not HIDDEN.search(capsys.readouterr().err.replace("\n", ""))
    assert not (tmp_path / "new").exists()


WIDE = {
    "8,000 unknown columns": (
        {f"outptu_{number}": ["1", "", ""] for number in range(8000)},
        "has 8,000 problems.\n\n1. units.csv, outptu_0: is not a column of this table.\n   Did you mean 'output_t'?",
    ),
    "a header of 100,000 characters": ({"k" * 100_000: ["", "", ""]}, "k... (100,000 characters): is not a column"),
    "a header of millions": ({"k" * 3_000_000: ["", "", ""]}, f"{TOO_WIDE} 1."),
    "a name of ten millions": (
        {"name": ["L" * 10**7, "", ""]},
        f"{TOO_WIDE} 2.",
    ),
    "a note of ten millions": (
        {"x_note": ["L" * 10**7, "", ""]},
        f"{TOO_WIDE} 2.",
    ),
    "a number of ten millions": (
        {"output_t": ["", "7" * 10**7, ""]},
        f"{TOO_WIDE} 3.",
    ),
    "a number of 100,000 digits": (
        {"output_t": ["", "7" * 100_000, ""]},
        f"output_t: 1 cell is not a number: row 3 '{'7' * 80}'... (100,000 characters).",
    ),
    "a sector of 100,000": (
        {"sector": ["c" * 100_000, "cement", "steel"]},
        f"sector: 1 value is not known: row 2 '{'c' * 80}'... (100,000 characters).",
    ),
}


@pytest.mark.everyday("a header of millions")
@pytest.mark.parametrize("name", WIDE)
def test_a_table_of_absurd_width_is_refused_soon_and_briefly(write_folder: Writer, name: str) -> None:
    columns, message = WIDE[name]
    folder = write_folder(units_csv(**columns), policy_toml())
    begin = time.process_time()
    with pytest.raises(DataError) as caught:
        etsopt.read(folder)
    assert time.process_time() - begin < 60
    assert message in str(caught.value)
    assert len(str(caught.value)) < 10_000


def test_columns_of_one_name_are_counted(write_folder: Writer) -> None:
    names = [f"c{number // 2}" for number in range(16_000)] + ["d"] * 8000
    header, *rows = units_csv().splitlines()
    content = "\n".join([",".join([header, *names]), *(row + "," * len(names) for row in rows)])
    with pytest.raises(DataError) as caught:
        etsopt.read(write_folder(content, policy_toml()))
    assert len(caught.value.problems) == 8001
    assert "units.csv: has 2 columns named 'c0'." in str(caught.value)
    assert caught.value.problems[-1].what == "has 8000 columns named 'd'"


def test_of_many_problems_the_first_are_shown_and_all_are_kept() -> None:
    problems = [Problem("units.csv", "is wrong", "Correct it.", f"column {number}") for number in range(100_000)]
    error = DataError("The instance 'a'", problems)
    assert error.problems == problems
    lines = str(error).splitlines()
    assert lines[0] == "The instance 'a' has 100,000 problems."
    assert lines[-3:] == ["   Correct it.", "", "The first 20 are listed; correct them to see the others."]
    assert sum(line.endswith("is wrong.") for line in lines) == PROBLEMS_SHOWN


def test_problems_are_complete_in_json(write_folder: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_folder(units_csv(**{f"a{number}": ["", "", ""] for number in range(300)}), policy_toml())
    assert main(["validate", str(folder), "--json"]) == 2
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 300


def test_every_error_is_one_of_the_package() -> None:
    assert issubclass(DataError, EtsoptError)
    assert issubclass(UsageError, EtsoptError)
