"""Headings, units of measure and words of tables in two languages: complete, unambiguous and exact.

`known_headings.txt` has what each column was called when three readers each had a recogniser of its own, and is not to
become shorter: a line for each column, of one table where that is named, with Chinese and English headings.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from etsopt.accounting import row_headings
from etsopt.data.files.instance_sheets import heading
from etsopt.data.files.template_words import CHINESE, EXAMPLES, TEMPLATE, meaning_of
from etsopt.data.tables import chinese
from etsopt.data.tables.headings import heading_of, in_schema
from etsopt.data.tables.measurement import UNITS as UNITS_OF_MEASURE
from etsopt.data.tables.measurement import converted, factor_of
from etsopt.data.tables.provinces import LONG, SHORT, one_name, one_name_each
from etsopt.data.tables.raw import RawTable
from etsopt.data.tables.recognise import known, recognised
from etsopt.data.tables.schema import TABLES, UNITS
from etsopt.reports.official.headings import ANNEXES
from etsopt.reports.official.reading.matching import key_of

if TYPE_CHECKING:
    from etsopt.data.tables.table import Table
    from etsopt.reports.official.headings import Annex

COLUMNS = [(table, column) for table in TABLES for column in table.columns]


KNOWN = {
    column: words.split(" | ")
    for line in Path(__file__).with_name("known_headings.txt").read_text(encoding="utf-8").splitlines()
    for column, _, words in [line.partition(": ")]
}


def wide(text: str) -> str:
    """A text in full-width characters."""
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


def variants(word: str) -> dict[str, tuple[str, int]]:
    """A heading as people write it, and the unit of measure and the year that it states."""
    found = dict.fromkeys((word, wide(word), f" {word} ", word.upper(), " ".join(word), f"③{word}"), ("", 0))
    found |= {f"{word}（万吨）": ("万吨", 0), f"1. {word} [foo]": ("foo", 0)}
    if not word.startswith(("配额", "20", "年")):
        # Before 配额 a year is a vintage.
        found |= dict.fromkeys((f"2024年度{word}", f"{word} (2024)", f"2024 {word}"), ("", 2024))
        found |= {f"2024年{word}（%）": ("%", 2024), f"{word}(kt) 2024": ("kt", 2024)}
    return found


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_is_known_by_each_of_its_headings_as_people_write_them(table: Table) -> None:
    names = {column.name for column in table.columns}
    for name in names:
        for word in {name, *KNOWN[f"{table.name}.name" if name == "name" else name]} - (names - {name}):
            for text, (unit, year) in variants(word).items():
                assert heading_of(text, table, informal=True) == (name, unit, year), text
                if not word.isascii():
                    assert heading_of(text, table) == (name, unit, year), text


def test_every_column_of_monthly_reports_is_known_by_each_of_its_headings() -> None:
    for name, words in KNOWN.items():
        table, _, column = name.rpartition(".")
        for word in words if table == "reports" else ():
            for text, (unit, year) in variants(word).items():
                assert row_headings.heading_of(text) == (column, unit, year), text


@pytest.mark.parametrize("annex", ANNEXES, ids=lambda annex: annex.name)
def test_every_heading_of_an_annex_table_is_known_with_the_number_of_another_or_none(annex: Annex) -> None:
    headings = [(name, printed) for name, printed, _ in annex.columns]
    headings += [("province", word) for word in ("省(区、市)", "省(区,市)", "省份", "省", "province")]
    headings += [("capacity", "装机容量(MW)")] if annex.name == "2-1" else []
    for name, printed in headings:
        word = printed.lstrip("①②③④⑤⑥⑦⑧⑨⑩⑪")
        for text in (printed, wide(printed), word, f"11{word}", f"⑫ {word.upper()}", " ".join(word)):
            assert key_of(text, annex) == name, text


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_has_a_chinese_heading_and_meaning_of_its_own(table: Table) -> None:
    for column in table.columns:
        assert chinese.MEANINGS[column.name]
        for in_chinese in (False, True):
            assert heading_of(heading(column, table, in_chinese), table).column == column.name


def test_a_heading_of_two_columns_is_an_error_of_the_declaration() -> None:
    with pytest.raises(ValueError, match="'产量' names both output_t and capacity_t"):
        known({"output_t": ("产量",), "capacity_t": ("产 量",)})
    # The name of a column is its own, even where another may be called so elsewhere.
    assert known({"unit_id": ("unit",), "unit": ()})["unit"] == "unit"


def test_a_unit_of_measure_behind_a_mark_is_one_that_the_numbers_may_have() -> None:
    columns = known({"output_t": ("output",)})
    found = [recognised(text, columns, lambda _, unit: unit == "kt") for text in ("2024 Output, kt", "output in 2024")]
    assert found == [("output_t", "kt", 2024), ("", "", 0)]


def test_every_choice_has_a_word_that_is_understood() -> None:
    for table, column in COLUMNS:
        if column.choices and column.name not in ("confidence", "kind"):
            for choice in column.choices:
                for word in chinese.WORDS[column.name].get(choice, ()):
                    cells = np.array([word, choice], dtype=object)
                    raw = RawTable("any", {column.name: cells}, np.arange(2))
                    named, problems = in_schema(raw, table, informal=True)
                    assert (named.columns[column.name].tolist(), problems) == ([choice, choice], [])


def test_the_unit_of_every_heading_is_that_of_its_column() -> None:
    for table, column in COLUMNS:
        found = heading_of(heading(column, table, True), table)
        if found.unit:
            assert factor_of(found.unit, column.unit) == 1


@pytest.mark.parametrize(
    ("stated", "unit", "factor"),
    [
        ("万吨", "tCO2e", 10**4),
        ("亿 吨", "t", 10**8),
        ("万吨CO₂e", "tCO2e", 10**4),
        ("百万吨", "t", 10**6),
        ("MtCO2e", "tCO2e", 10**6),
        ("million t", "t", 10**6),
        ("万千瓦时", "MWh", 10),
        ("亿kWh", "MWh", 10**5),
        ("TWh", "MWh", 10**6),
        ("万千瓦", "MW", 10),
        ("百万千焦", "GJ", 1),
        ("％", "fraction", Fraction(1, 100)),
        ("元/吨", "CNY/t", 1),
        ("%/年", "fraction/year", Fraction(1, 100)),
    ],
)
def test_a_unit_of_measure_has_its_exact_factor(stated: str, unit: str, factor: int | Fraction) -> None:
    assert Fraction(factor_of(stated, unit) or 0) == factor


@pytest.mark.parametrize(
    ("stated", "unit"), [("mt", "t"), ("MT", "t"), ("磅", "t"), ("MWh", "t"), ("t", "MWh"), ("t", "")]
)
def test_a_unit_of_measure_that_cannot_be_told_has_no_factor(stated: str, unit: str) -> None:
    assert factor_of(stated, unit) is None


def test_units_of_measure_are_those_of_the_schema() -> None:
    stated = {column.unit for _, column in COLUMNS if column.number}
    assert set(UNITS_OF_MEASURE) <= stated


def test_a_conversion_is_exact() -> None:
    for cell, factor in (("0.1", 10**4), (83.07, 10**4), ("1e-3", 10**6), ("-2.5", 10)):
        assert Fraction(converted(cell, Decimal(factor))) == Fraction(str(cell)) * factor


def test_a_province_has_one_name() -> None:
    assert len(SHORT) == 32
    for name in SHORT:
        assert {one_name(text) for text in (name, SHORT[name], LONG[name])} == {name}
    assert LONG["Guangxi"] == "广西壮族自治区"
    assert LONG["Chongqing"] == "重庆市"
    cells = np.array(["Saxony", "安徽", "安徽省", "Anhui"], dtype=object)
    assert one_name_each(cells).tolist() == ["Saxony", "Anhui", "Anhui", "Anhui"]


def test_headings_of_people_are_not_those_of_an_instance() -> None:
    assert heading_of("Emissions", UNITS).column == ""
    assert heading_of("Emissions (kt)", UNITS, informal=True) == ("emissions_tco2e", "kt", 0)


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("2025年排放量", "emissions_tco2e"),
        ("２０２５年度经核查排放量", "emissions_tco2e"),
        ("2024年度配额期初持仓量(吨)", ""),
        ("负荷(出力)系数(%)", "load_factor"),
        ("省（区、市）", "province"),
        ("Unit-ID", "unit_id"),
    ],
)
def test_a_heading_is_understood_as_people_write_it(heading: str, column: str) -> None:
    assert heading_of(heading, UNITS).column == column


def test_keys_of_a_new_policy_are_explained_in_both_languages() -> None:
    for key in TEMPLATE:
        assert CHINESE[key]
        assert meaning_of(key)


def test_example_rows_have_columns_of_the_schema_in_both_languages() -> None:
    for table in TABLES:
        for example in chain(*EXAMPLES.get(table.name, ())):
            assert set(example) <= {column.name for column in table.columns}
            assert {column.name for column in table.columns if column.required} <= set(example)
