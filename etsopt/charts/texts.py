"""Texts that charts share, in English and Chinese."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from etsopt.data.tables.chinese import WORDS
from etsopt.data.tables.provinces import SHORT
from etsopt.scales import scale_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from etsopt.charts.chart import Words
    from etsopt.data.instance import Instance

NONE: Words = ("", "")
YEAR: Words = ("compliance year", "履约年度")
SURPLUS_RATE: Words = ("surplus rate [%]", "盈缺率 [%]")
ALLOWANCES_KT: Words = ("allowances [kt]", "配额 [千吨]")

TONNES = {"Mt": "百万吨", "kt": "千吨", "t": "吨"}

NAME_IN_CHINESE = "x_name_zh"
"""Own column of units and measures from which their Chinese names are taken; the shipped instances have it."""


def title_of(about: Mapping[str, Any], english: str, chinese: str) -> Words:
    """Return a title that names the instance."""
    return f"{about['instance']}: {english}", f"{about['instance']}：{chinese}"


def in_unit(english: str, chinese: str, unit: str) -> Words:
    """Return the label of an axis with the unit of a price.

    >>> in_unit("price", "碳价", "CNY 2024/t")
    ('price [CNY 2024/t]', '碳价 [2024年元/吨]')
    """
    return f"{english} [{unit}]", f"{chinese} [{unit_in_chinese(unit)}]"


def unit_in_chinese(unit: str) -> str:
    """Return the Chinese name of the unit of a price; any other unit as it is."""
    parts = re.fullmatch(r"CNY(?: (\d+))?/t", unit)
    return unit if parts is None else f"{parts[1]}年元/吨" if parts[1] else "元/吨"


def scaled(largest: float, unit: str) -> tuple[float, str, str]:
    """Return a divisor for numbers of which this is the largest, and their unit in English and in Chinese then.

    >>> scaled(2.9e9, "t"), scaled(-0.01, "1"), scaled(90.0, "CNY 2024/t")
    ((1000000.0, 'Mt', '百万吨'), (0.01, '%', '%'), (1.0, 'CNY 2024/t', '2024年元/吨'))
    """
    largest = abs(largest)
    if unit in ("t", "tCO2e"):
        divisor, short = scale_of(largest)
        return divisor, short if unit == "t" else f"{short}CO2e", f"{TONNES[short]}{unit.removeprefix('t')}"
    if unit in ("1", "rate"):
        return 0.01, "%", "%"
    if unit == "CNY":
        steps = ((1e11, 1e9, "CNY billion", "十亿元"), (1e7, 1e6, "CNY million", "百万元"))
        return next(((by, one, other) for least, by, one, other in steps if largest >= least), (1.0, "CNY", "元"))
    if unit in ("days", "t/t"):
        return 1.0, unit, {"days": "人天", "t/t": "吨/吨"}[unit]
    return 1.0, unit, unit_in_chinese(unit)


class Number(NamedTuple):
    """What a chart shows: a key that names it, its words, and its unit."""

    key: str
    words: Words
    unit: str

    def label(self, largest: float) -> tuple[float, Words]:
        """Return a divisor and the label of an axis for numbers of which this is the largest."""
        divisor, english, chinese = scaled(largest, self.unit)
        units = (f" [{english}]", f" [{chinese}]") if english else ("", "")
        return divisor, (self.words[0] + units[0], self.words[1] + units[1])


def sector_words(sector: str) -> Words:
    """Return the name of a sector in both languages."""
    return sector, WORDS["sector"].get(sector, (sector,))[0]


def province_zh(name: object) -> str:
    """Return the Chinese name of a province; any other text as it is."""
    return SHORT.get(str(name), str(name))


def both(english: Iterable[str], chinese: Iterable[str]) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Return labels of points in both languages."""
    return np.array(list(english), dtype=object), np.array(list(chinese), dtype=object)


def measure_words(instance: Instance | None) -> dict[str, Words]:
    """Return the names of the measures of an instance by their identifiers, those that it states."""
    table = None if instance is None else instance.measures
    if table is None or "name" not in table:
        return {}
    ids = table["measure_id"]
    english = table["name"].where(table["name"] != "", ids)
    chinese = english
    if NAME_IN_CHINESE in table:
        stated = table[NAME_IN_CHINESE].fillna("").astype(str)
        chinese = stated.where(stated != "", english)
    return {str(key): (str(one), str(other)) for key, one, other in zip(ids, english, chinese, strict=True)}
