"""Reading and writing folders: encodings, the shape of files, what must survive, and the way there and back."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import etsopt
from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.data.files import shipped
from etsopt.data.files.read import read_instance
from etsopt.data.files.write import to_toml, write_instance
from etsopt.data.instance import Instance
from etsopt.data.tables.user_columns import as_texts

Writer = Callable[..., Path]

HEADER = "unit_id,enterprise_id,name,sector,province,emissions_tco2e,output_t\n"
CHINESE = HEADER + "一号线,海螺水泥,芜湖一号线,cement,安徽,780000,1000000\n"


def problem_of(folder: Path) -> str:
    """The message of a folder with one problem, without the heading that all have."""
    with pytest.raises(DataError) as caught:
        read_instance(folder)
    heading = "The instance 'plant' has a problem.\n\n1. "
    assert str(caught.value).startswith(heading)
    return str(caught.value).removeprefix(heading)


def frame(**columns: Any) -> pd.DataFrame:
    """One clinker line, with columns added or replaced."""
    line = {"unit_id": ["line"], "enterprise_id": ["firm"], "sector": ["cement"], "province": ["Hebei"]}
    return pd.DataFrame({**line, "emissions_tco2e": [780_000.0], "output_t": [1_000_000.0], **columns})


POLICY = {"year": 2025, "rule": {"name": "cn-2025"}}


def test_a_valid_folder_is_read(write_folder: Writer) -> None:
    instance = read_instance(write_folder())
    assert instance.name == "plant"
    assert instance.units["unit_id"].tolist() == ["line-1", "line-2", "mill-1"]
    assert instance.emissions_tco2e.tolist() == [780_000, 984_000, 10_500_000]
    assert instance.sectors == ["cement", "steel"]
    assert instance.provinces == ["Hebei", "Hunan"]
    assert instance.enterprises is None
    assert (instance.policy.year, instance.policy.rule.name) == (2025, "cn-2025")


def test_the_folder_that_a_run_keeps_its_instance_in_has_the_name_of_the_run(
    write_folder: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder()
    run = folder.rename(folder.parent / "run") / "instance"
    write_instance(read_instance(run.parent), run)
    assert read_instance(run).name == "run"
    monkeypatch.chdir(run)
    assert [read_instance(place).name for place in (".", "..", "../instance")] == ["run", "run", "run"]
    # The run of a curve has no name of its own.
    curve = run.parent.parent / "curve"
    curve.mkdir()
    run.parent.rename(curve / "anchor")
    assert read_instance(curve / "anchor" / "instance").name == "curve"


@pytest.mark.parametrize("name", shipped.names())
@pytest.mark.filterwarnings("ignore:reports. Months with:etsopt.DoubtWarning")
def test_a_shipped_instance_is_read_by_its_name(name: str) -> None:
    instance = etsopt.read(name)
    assert instance.name == name
    assert instance.hash == etsopt.read(shipped.folder(name)).hash


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(CHINESE.encode(), id="UTF-8"),
        pytest.param(CHINESE.encode("utf-8-sig"), id="UTF-8 with byte-order mark"),
        pytest.param(CHINESE.encode("gbk"), id="GBK"),
        pytest.param(CHINESE.replace("\n", "\r\n").encode("gbk"), id="GBK from Windows"),
        pytest.param(CHINESE.replace("\n", "\n\n").encode(), id="blank lines"),
        pytest.param(CHINESE.replace(",", " , ").encode(), id="spaces around cells"),
    ],
)
def test_a_file_reads_the_same_in_every_encoding_and_line_end(write_folder: Writer, content: bytes) -> None:
    units = read_instance(write_folder(content)).units
    assert units.to_dict("records") == [
        {
            "unit_id": "一号线",
            "enterprise_id": "海螺水泥",
            "name": "芜湖一号线",
            "sector": "cement",
            "province": "Anhui",
            "emissions_tco2e": 780_000.0,
            "output_t": 1_000_000.0,
        }
    ]


@pytest.mark.parametrize("encoding", ["gbk", "gb18030"])
@pytest.mark.parametrize("name", ["朱镕一号线", "喆兴水泥厂", "芜湖、镕喆"])
def test_a_character_beyond_the_everyday_set_is_read_where_the_rest_is_plainly_chinese(
    write_folder: Writer, encoding: str, name: str
) -> None:
    units = read_instance(write_folder(CHINESE.replace("芜湖一号线", name).encode(encoding))).units
    assert units["name"].tolist() == [name]


def test_a_character_of_four_bytes_is_read_too(write_folder: Writer) -> None:
    units = read_instance(write_folder(CHINESE.replace("芜湖一号线", "㐂𠮷线").encode("gb18030"))).units
    assert units["name"].tolist() == ["㐂𠮷线"]


@pytest.mark.parametrize(
    "name",
    ["Müller", "Zürcher Zementhütte", "Société générale", "Compañía", "Ärzte über Öfen", "Häagen"],
)
def test_a_western_european_file_is_refused_and_not_read_as_rare_characters(write_folder: Writer, name: str) -> None:
    content = f"{HEADER}line,firm,{name},cement,Hebei,780000,1000000\n".encode("latin-1")
    assert "nor plainly Chinese GBK" in problem_of(write_folder(content))


@pytest.mark.parametrize(
    "names",
    [("高雄燁聯蘇澳", "豐興亞洲水泥澎湖中鴻鋼鐵", "澎湖國際"), ("澎湖香港中國鋼鐵第二號窯", "蘇澳"), ("台灣水泥",)],
)
def test_a_file_in_big5_is_refused_and_not_read_as_other_characters(
    write_folder: Writer, names: tuple[str, ...]
) -> None:
    # More than half of the characters of the first two are everyday ones in GBK too.
    rows = [f"line-{row},firm,{name},cement,Hebei,780000,1000000\n" for row, name in enumerate(names)]
    assert "nor plainly Chinese GBK" in problem_of(write_folder("".join([HEADER, *rows]).encode("big5")))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            CHINESE.encode("utf-16"),
            "units.csv: is encoded in UTF-16.\n   Save it as UTF-8 (in Excel: 'CSV UTF-8').",
            id="UTF-16 as Excel writes it",
        ),
        pytest.param(
            b"\xfe\xff" + CHINESE.encode("utf-16-be"),
            "units.csv: is encoded in UTF-16.\n   Save it as UTF-8 (in Excel: 'CSV UTF-8').",
            id="UTF-16 big endian",
        ),
        pytest.param(
            (HEADER + "line,firm,Böhler,cement,Hebei,780000,1000000\n").encode("latin-1"),
            "units.csv: is neither UTF-8 (byte 0xf6 in line 2) nor plainly Chinese GBK.\n"
            "   Find out its encoding, for example Latin-1 or Big5, and save it as UTF-8.",
            id="Latin-1",
        ),
        pytest.param(
            # Both accented pairs are characters of GBK too, but none that a Chinese text would consist of.
            (HEADER + "line,firm,Forêt à l'Ïßé ¿¡,cement,Hebei,780000,1000000\n").encode("latin-1"),
            "units.csv: is neither UTF-8 (byte 0xea in line 2) nor plainly Chinese GBK.\n"
            "   Find out its encoding, for example Latin-1 or Big5, and save it as UTF-8.",
            id="Latin-1 that might be taken for Chinese",
        ),
        pytest.param(
            HEADER.replace(",", ";") + "line;firm;Line;cement;Hebei;780000;1000000\n",
            "units.csv: is not separated by commas.\n   Save it with commas between the cells.",
            id="semicolons",
        ),
        pytest.param(
            HEADER.replace(",", "\t") + "line\tfirm\tLine\tcement\tHebei\t780000\t1000000\n",
            "units.csv: is not separated by commas.\n   Save it with commas between the cells.",
            id="tabs",
        ),
        pytest.param(
            HEADER.replace("name", "sector") + "line,firm,Line,cement,Hebei,780000,1000000\n",
            "units.csv: has 2 columns named 'sector'.\n   Keep one of them.",
            id="a column twice",
        ),
        pytest.param(
            HEADER.replace("name", " ") + "line,firm,Line,cement,Hebei,780000,1000000\n",
            "units.csv: has a column without a name.\n   Name it, or remove the empty column.",
            id="a column without a name",
        ),
        pytest.param(
            HEADER + "line,firm,Line\0,cement,Hebei,780000,1000000\n",
            "units.csv: contains NUL characters, the first in line 2.\n"
            "   Export it again: it is damaged or not a CSV file.",
            id="a NUL byte",
        ),
        pytest.param(
            "",
            "units.csv: is empty.\n   Write a line of column names and a line for each row.",
            id="an empty file",
        ),
        pytest.param(
            HEADER,
            "units.csv: has no rows.\n"
            "   Add the allocation units: steel enterprises, clinker lines, electrolysis processes, power units.",
            id="a header alone",
        ),
        pytest.param(
            HEADER + 'line,firm,"Line" 1,cement,Hebei,780000,1000000\n',
            "units.csv: is not valid CSV in line 2 (',' expected after '\"').\n   Look for a stray quotation mark.",
            id="a stray quotation mark",
        ),
        pytest.param(
            HEADER + 'line,firm,"Line 1,cement,Hebei,780000,1000000\n',
            "units.csv: is not valid CSV in line 2 (unexpected end of data).\n   Look for a stray quotation mark.",
            id="an open quotation mark",
        ),
        pytest.param(
            HEADER + "line,firm,Line,cement,Hebei,780,000,1000000\n",
            "units.csv: 1 row does not have the 7 cells of the first line: row 2 '8 cells'.\n"
            "   Quote a text that contains a comma, and leave thousands separators out of numbers.",
            id="a thousands separator",
        ),
        pytest.param(
            HEADER + "a,firm\n\nb,firm,Line,cement,Hebei,780000,1000000\nc\n",
            "units.csv: 2 rows do not have the 7 cells of the first line: row 2 '2 cells', row 5 '1 cell'.\n"
            "   Quote a text that contains a comma, and leave thousands separators out of numbers.",
            id="short rows",
        ),
    ],
)
def test_a_file_of_wrong_shape_is_refused(write_folder: Writer, content: bytes | str, message: str) -> None:
    assert problem_of(write_folder(content)) == message


def test_cells_of_other_rows_are_told_beside_rows_of_too_many_cells(write_folder: Writer) -> None:
    rows = "a,firm,Line,cement,Hebei,780,000,1000000\nb,firm,Line,cemnt,Hebei,many,1000000\n"
    # A forecast of the row that is left out is no problem, as nobody knows the units of the file.
    folder = write_folder(HEADER + rows, forecast_csv="unit_id,year,output_t\na,2026,x\n")
    with pytest.raises(etsopt.DataError) as caught:
        etsopt.read(folder)
    assert [(problem.place, problem.column, str(problem.what)[:40]) for problem in caught.value.problems] == [
        ("units.csv", "", "1 row does not have the 7 cells of the f"),
        ("units.csv", "sector", "1 value is not known"),
        ("units.csv", "emissions_tco2e", "1 cell is not a number"),
        ("forecast.csv", "output_t", "1 cell is not a number"),
    ]


def test_rows_are_counted_as_lines_of_the_file(write_folder: Writer) -> None:
    # A blank line, and a note on two lines, stand before the bad cell.
    rows = '\nline-1,firm,,cement,Hebei,780000,1000000,"two\nlines"\nline-2,firm,,cement,Hebei,many,1000000,\n'
    content = HEADER.replace("\n", ",x_note\n") + rows
    assert problem_of(write_folder(content)).startswith(
        "units.csv, emissions_tco2e: 1 cell is not a number: row 5 'many'.\n"
    )


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        pytest.param(
            None,
            "policy.toml: the file is missing.\n   Add it, with at least a year and a rule.",
            id="missing",
        ),
        pytest.param(
            "year = 2025\nrule = cn-2025\n",
            "policy.toml: is not valid TOML (Invalid value (at line 2, column 8)).\n"
            "   Write texts in quotes and names of tables in [brackets].",
            id="invalid",
        ),
        pytest.param(
            "year = 2025".encode("utf-16"),
            "policy.toml: is encoded in UTF-16.\n   Save it as UTF-8 (in Excel: 'CSV UTF-8').",
            id="UTF-16",
        ),
    ],
)
def test_a_policy_file_that_cannot_be_read_is_refused(
    write_folder: Writer, policy: bytes | str | None, message: str
) -> None:
    assert problem_of(write_folder(policy=policy)) == message


def test_a_folder_without_units_is_refused(write_folder: Writer) -> None:
    assert problem_of(write_folder(None)) == (
        "units.csv: the file is missing.\n"
        "   Add it; it holds the allocation units: steel enterprises, clinker lines, electrolysis processes, power "
        "units."
    )


def test_neither_a_folder_nor_a_shipped_name_is_a_wrong_call(tmp_path: Path) -> None:
    for source in ("no-such-instance", tmp_path / "nowhere"):
        with pytest.raises(UsageError) as caught:
            read_instance(source)
        assert str(caught.value) == (
            f"There is no folder {str(source)!r}, and no shipped instance of that name.\n\n"
            f"Name a folder, or one of {', '.join(shipped.names())}."
        )


def test_all_problems_of_all_files_are_told_at_once(write_folder: Writer) -> None:
    folder = write_folder(
        HEADER + "a,firm,A,cemnt,Hebei,-1,1000000\na,firm,A,cement,Hebei,1_000,1000000\n",
        'year = "2025"\n[rule]\nname = "cn-2025"\n',
        "enterprise_id,nme\nfirm,Firm\n",
    )
    with pytest.raises(DataError) as caught:
        read_instance(folder)
    assert str(caught.value) == (
        "The instance 'plant' has 6 problems.\n\n"
        "1. policy.toml, year: is '2025': expected a valid integer.\n"
        "   Write a whole number without quotes.\n"
        "2. units.csv, sector: 1 value is not known: row 2 'cemnt'.\n"
        "   Did you mean 'cement'? Use one of cement, steel, aluminium, power.\n"
        "3. units.csv, emissions_tco2e: 1 cell is not a number: row 3 '1_000'.\n"
        "   Write a plain finite number [tCO2e]: digits with a point, no formula, separator, unit or NaN.\n"
        "4. units.csv, emissions_tco2e: 1 value is out of range: row 2 '-1'.\n"
        "   Correct it to at least 0 [tCO2e]: verified emissions: base of the allocation, and the obligation.\n"
        "5. units.csv, unit_id: 2 rows share an identifier: row 2 'a', row 3 'a'.\n"
        "   Give each row its own.\n"
        "6. enterprises.csv, nme: is not a column of this table.\n"
        "   Did you mean 'name'? Rename it, or begin a column of your own with 'x_'."
    )


def test_text_stays_text(write_folder: Writer) -> None:
    content = HEADER.replace("\n", ",x_code\n") + "007,0010,NA,cement,Hebei,780000,1000000,00.50\n"
    row = read_instance(write_folder(content)).units.iloc[0]
    assert row[["unit_id", "enterprise_id", "name", "x_code"]].tolist() == ["007", "0010", "NA", "00.50"]


def test_identifiers_are_compared_after_unicode_normalisation(write_folder: Writer) -> None:
    content = HEADER + "Ａ１,firm,,cement,Hebei,780000,1000000\nA1,firm,,cement,Hebei,780000,1000000\n"
    assert problem_of(write_folder(content)) == (
        "units.csv, unit_id: 2 rows share an identifier: row 2 'A1', row 3 'A1'.\n   Give each row its own."
    )


def test_absent_is_absent(write_folder: Writer) -> None:
    content = HEADER.replace("\n", ",special_case,pre_allocated_t\n") + "a,firm,,cement,Hebei,780000,1000000,,\n"
    row = read_instance(write_folder(content)).units.iloc[0]
    assert (row["name"], row["special_case"]) == ("", "")
    assert np.isnan(row["pre_allocated_t"])


def test_rows_are_sorted_by_their_identifier(write_folder: Writer) -> None:
    rows = [f"{name},firm,,cement,Hebei,780000,1000000\n" for name in ("b", "a10", "a9", "B")]
    enterprises = "enterprise_id,name\nother,Other\nfirm,Firm\n"
    instance = read_instance(write_folder(HEADER + "".join(rows), enterprises_csv=enterprises))
    assert instance.units["unit_id"].tolist() == ["B", "a10", "a9", "b"]
    assert instance.enterprises is not None
    assert instance.enterprises["enterprise_id"].tolist() == ["firm", "other"]
    again = read_instance(write_folder(HEADER + "".join(reversed(rows)), enterprises_csv=enterprises))
    assert again.hash == instance.hash


def test_frames_make_the_same_instance_as_their_files(write_folder: Writer) -> None:
    enterprises = "enterprise_id,name\nnorth,North\nsouth,South\n"
    folder = write_folder(enterprises_csv=enterprises)
    read = read_instance(folder)
    made = Instance.from_frames(
        pd.read_csv(folder / "units.csv").sample(frac=1, random_state=1),
        POLICY,
        pd.read_csv(folder / "enterprises.csv"),
        name="plant",
    )
    pd.testing.assert_frame_equal(made.units, read.units)
    assert made.enterprises is not None
    assert read.enterprises is not None
    pd.testing.assert_frame_equal(made.enterprises, read.enterprises)
    assert made.policy == read.policy
    assert made.hash == read.hash


def test_the_path_of_a_file_is_no_frame() -> None:
    with pytest.raises(UsageError, match=r"`units` is 'units\.csv': expected a data frame\."):
        Instance.from_frames("units.csv", {"year": 2025, "rule": {"name": "cn-2025"}})


def test_numbers_of_a_frame_are_identifiers_with_all_their_digits() -> None:
    units = frame(unit_id=[123_456_789_012_345_678], enterprise_id=[42.0])
    instance = Instance.from_frames(units, POLICY)
    assert instance.units[["unit_id", "enterprise_id"]].to_numpy().tolist() == [["123456789012345678", "42"]]


def test_an_identifier_that_lost_digits_as_a_float_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        Instance.from_frames(frame(unit_id=[123_456_789_012_345_678.0]), POLICY, name="made")
    assert str(caught.value) == (
        "The instance 'made' has a problem.\n\n"
        "1. units, unit_id: 1 identifier has lost digits: row 0 '1.2345678901234568e+17'.\n"
        "   Give the column as text: floating-point numbers keep 15 digits."
    )


def test_a_frame_with_a_column_twice_is_refused() -> None:
    twice = pd.concat([frame(), frame()[["sector"]]], axis=1)
    with pytest.raises(DataError) as caught:
        Instance.from_frames(twice, POLICY)
    assert str(caught.value) == (
        "The data frame has a problem.\n\n1. units: has 2 columns named 'sector'.\n   Keep one of them."
    )


def test_a_frame_with_infinite_numbers_and_a_wrong_policy_is_refused_for_both() -> None:
    with pytest.raises(DataError) as caught:
        Instance.from_frames(frame(emissions_tco2e=[np.inf]), {"year": 2025}, name="made")
    assert str(caught.value) == (
        "The instance 'made' has 2 problems.\n\n"
        "1. policy, rule: is missing.\n"
        "   Add the key; instances/README.md and `etsopt rules` list its values.\n"
        "2. units, emissions_tco2e: 1 cell is not a number: row 0 'inf'.\n"
        "   Write a plain finite number [tCO2e]: digits with a point, no formula, separator, unit or NaN."
    )


def test_an_error_of_the_data_survives_pickling() -> None:
    error = DataError("The instance 'a'", [Problem("units.csv", "1 cell is empty", "Fill it.", "name", (("2", ""),))])
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is DataError
    assert (
        str(again)
        == str(error)
        == ("The instance 'a' has a problem.\n\n1. units.csv, name: 1 cell is empty: row 2.\n   Fill it.")
    )
    assert again.problems == error.problems


RICH_POLICY = """\
year = 2026

[rule]
name = "benchmark"
benchmarks = {steel = 2.0, cement = 0.82}
threshold_tco2e = 26000

[sectors.steel]
band = {lower = 0.03, upper = 0.02}
target_t = 10500000
target_sense = "exactly"

[sectors.cement]
target_intensity = 0.81

[national]
target_change = -0.002

[provinces]
balance = {"Hebei" = 0.02, "Hunan" = 0.00001}

[allocation]
objectives = ["largest_change", "deficit"]
intensity_order = true
"""


def test_an_instance_is_written_and_read_back_with_the_same_hash(write_folder: Writer, tmp_path: Path) -> None:
    instance = read_instance(
        write_folder(policy=RICH_POLICY, enterprises_csv='enterprise_id,name\nnorth,"North, ""N"""\nsouth,南方\n')
    )
    write_instance(instance, tmp_path / "copy" / "plant", "What is observed.\n")
    again = read_instance(tmp_path / "copy" / "plant")
    assert again.hash == instance.hash
    assert again.policy == instance.policy
    pd.testing.assert_frame_equal(again.units, instance.units)
    assert (tmp_path / "copy" / "plant" / "README.md").read_text(encoding="utf-8") == "What is observed.\n"


@pytest.mark.parametrize("seed", range(5))
def test_a_random_instance_is_written_and_read_back_with_the_same_hash(
    random_instance: Callable[..., Instance], tmp_path: Path, seed: int
) -> None:
    instance = random_instance(seed, 20, **{"sectors.cement.target_change": -0.01 / 3})
    write_instance(instance, tmp_path / instance.name)
    assert read_instance(tmp_path / instance.name).hash == instance.hash


def test_columns_of_the_users_own_come_back_as_they_were(tmp_path: Path) -> None:
    own = [
        "=1+1",
        "'=quoted",
        "''@",
        "＝1+1",
        "\n=1+1",
        "'＠A1",
        "-5.2",
        "+3e4",
        "- a dash",
        "it's",
        'a,b\n"c"',
        "",
        "NA",
        "  spaces  ",
    ]
    units = pd.concat([frame(unit_id=[f"line-{row:02d}"], x_note=[text]) for row, text in enumerate(own)])
    units["x_count"] = range(len(own))
    units["x_share"] = [0.1, None, 1e-7, 2.0, 1e16, *([0.3] * (len(own) - 5))]
    instance = Instance.from_frames(units, POLICY)
    write_instance(instance, tmp_path)
    again = read_instance(tmp_path)
    assert again.units["x_note"].tolist() == own
    assert again.hash == instance.hash
    # What a spreadsheet would run stands behind an apostrophe in the file; numbers stand there as they are.
    written = (tmp_path / "units.csv").read_text(encoding="utf-8")
    assert ",'=1+1," in written
    assert ",''=quoted," in written
    assert ",'＝1+1," in written
    assert ',"\'\n=1+1",' in written
    assert ",-5.2," in written


@pytest.mark.nightly
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t'=+-@"), max_size=8))
def test_any_text_of_the_users_own_comes_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("own")
    instance = Instance.from_frames(frame(x_note=[text]), POLICY)
    write_instance(instance, folder)
    assert as_texts(read_instance(folder).units)["x_note"].map(str).tolist() == [text]
    assert read_instance(folder).hash == instance.hash


def test_the_hash_tells_every_change_apart(write_folder: Writer) -> None:
    instance = read_instance(write_folder())
    units = instance.units
    changed = [
        Instance.from_frames(units.assign(emissions_tco2e=units["emissions_tco2e"] + 1), POLICY),
        Instance.from_frames(units.assign(name="Line"), POLICY),
        Instance.from_frames(units.drop(columns="name"), POLICY),
        Instance.from_frames(units.iloc[:2], POLICY),
        Instance.from_frames(units, POLICY | {"year": 2026}),
        instance.with_policy({"sectors.cement.band": 0.02}),
    ]
    assert len({instance.hash, *(other.hash for other in changed)}) == len(changed) + 1


def test_the_hash_does_not_depend_on_the_order_of_keys_or_on_stated_defaults() -> None:
    first = {"year": 2025, "rule": {"name": "cn-2025", "slope": 0.2, "cap": 0.02}}
    second = {"rule": {"cap": 0.02, "slope": 0.2, "name": "cn-2025"}, "allocation": {"band_on": "unit"}, "year": 2025}
    assert Instance.from_frames(frame(), first).hash == Instance.from_frames(frame(), second).hash


def test_a_section_that_states_nothing_is_written_too(tmp_path: Path) -> None:
    instance = Instance.from_frames(frame(), POLICY | {"sectors": {"cement": {}}})
    write_instance(instance, tmp_path / "written")
    assert read_instance(tmp_path / "written").hash == instance.hash


def test_the_policy_file_is_written_with_values_before_tables() -> None:
    content = {"rule": {"benchmarks": {"steel": 2.0}, "name": 'a "b"'}, "year": 2025, "flags": [True, 1, "x"]}
    assert to_toml(content) == (
        'year = 2025\nflags = [true, 1, "x"]\n\n[rule]\nname = "a \\"b\\""\n\n[rule.benchmarks]\nsteel = 2.0\n'
    )
