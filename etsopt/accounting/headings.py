"""Chinese headings of the rows of monthly reports: in tables that are written, and in workbooks that are read."""

from __future__ import annotations

import re
import unicodedata

ROW_HEADINGS: dict[str, tuple[str, ...]] = {
    "unit_id": ("单元编号", "核算单元编号", "机组/生产线/工序编号"),
    "month": ("月份", "报告月份", "统计月份"),
    "process": ("工序", "核算边界"),
    "item": ("燃料、物料或产品", "项目", "品种", "燃料品种", "物料名称"),
    "flow": ("方向", "流向"),
    "quantity": ("数量", "消耗量", "用量", "数据"),
    "unit": ("计量单位", "单位"),
    "ncv_gj_per_unit": ("低位发热量（GJ/t、GJ/10^4Nm3）", "低位发热量"),
    "batch": ("批次或仪表", "批次", "仪表编号"),
    "evidence": ("证据材料", "支撑材料"),
    "reported_by": ("填报人", "填报部门"),
    "reported_on": ("填报日期", "存证日期"),
    "calibrated_on": ("校准日期", "仪表校准日期"),
    "version": ("版本", "版本号"),
}
"""Headings of each column: first that of the tables written here, then others of forms. English names count as well."""

IN_BRACKETS = re.compile(r"(.+?)[(\[](.+)[)\]]")
"""A heading, and the unit of measure in brackets after it."""

NCV_UNITS = frozenset(("gj/t", "gj/1e4nm3", "gj/10^4nm3", "gj/万nm3"))
"""Units of calorific values, as a heading may state them one by one."""


def _plain(heading: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", heading)).casefold()


COLUMN_OF = {_plain(word): column for column, words in ROW_HEADINGS.items() for word in (column, *words)}


def column_of(heading: str) -> tuple[str, str]:
    """Return the column that a heading names, empty if none, and the unit in brackets that it states, else empty.

    >>> column_of(" 数量（万吨）"), column_of("month"), column_of("备注")
    (('quantity', '万吨'), ('month', ''), ('', ''))
    """
    plain = _plain(heading)
    if plain in COLUMN_OF:
        return COLUMN_OF[plain], ""
    parts = IN_BRACKETS.fullmatch(plain)
    return (COLUMN_OF[parts[1]], parts[2]) if parts and parts[1] in COLUMN_OF else ("", "")


def states_ncv(unit: str) -> bool:
    """Return True if a unit in brackets is that of calorific values here.

    >>> states_ncv("gj/t"), states_ncv("gj/t或gj/万nm3"), states_ncv("kj/kg")
    (True, True, False)
    """
    return all(part in NCV_UNITS for part in re.split("[,、;或]|or", unit))
