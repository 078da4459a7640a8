"""Headings, units of measure and words of tables in two languages: complete, unambiguous and exact."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pytest

from etsopt.data.files.instance_sheets import heading
from etsopt.data.files.template_words import CHINESE, EXAMPLES, TEMPLATE, meaning_of
from etsopt.data.tables import chinese
from etsopt.data.tables.headings import ENGLISH, heading_of, in_schema, plain
from etsopt.data.tables.measurement import UNITS as UNITS_OF_MEASURE
from etsopt.data.tables.measurement import converted, factor_of
from etsopt.data.tables.provinces import LONG, SHORT, one_name, one_name_each
from etsopt.data.tables.raw import RawTable
from etsopt.data.tables.schema import TABLES, UNITS

if TYPE_CHECKING:
    from etsopt.data.tables.table import Table

COLUMNS = [(table, column) for table in TABLES for column in table.columns]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_has_a_chinese_heading_and_meaning_of_its_own(table: Table) -> None:
    for column in table.columns:
        assert chinese.MEANINGS[column.name]
        for in_chinese in (False, True):
            assert heading_of(heading(column, table, in_chinese), table).column == column.name
    names = {column.name for column in table.columns}
    words = Counter(
        plain(word)
        for column in table.columns
        for word in {
            *(chinese.NAMES[table.name] if column.name == "name" else chinese.HEADINGS[column.name]),
            *(word for word in ENGLISH.get(column.name, ()) if word not in names),
            column.name,
        }
    )
    assert [word for word, count in words.items() if count > 1] == []


def test_every_choice_has_a_word_that_is_understood() -> None:
    for table, column in COLUMNS:
        if column.choices and column.name not in ("confidence", "kind"):
            for choice in column.choices:
                for word in chinese.WORDS[column.name].get(choice, ()):
                    cells = np.array([word, choice], dtype=object)
                    raw = RawTable("any", {column.name: cells}, np.arange(2))
                    named, problems = in_schema(raw, table, of_people=True)
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
    assert heading_of("Emissions (kt)", UNITS, of_people=True) == ("emissions_tco2e", "kt")


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
