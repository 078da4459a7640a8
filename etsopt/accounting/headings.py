"""Headings of the rows of monthly reports: in tables that are written, and in workbooks that are read."""

from __future__ import annotations

from etsopt.data.tables.chinese import HEADINGS

ROW_HEADINGS: dict[str, tuple[str, ...]] = {
    "unit_id": HEADINGS["unit_id"],
    "month": HEADINGS["month"],
    "process": ("工序", "核算边界"),
    "item": ("燃料、物料或产品", "项目", "品种", "燃料品种", "物料名称"),
    "flow": ("方向", "流向"),
    "quantity": ("数量", "消耗量", "用量", "数据"),
    "unit": HEADINGS["unit"],
    "ncv_gj_per_unit": ("低位发热量（GJ/t、GJ/10^4Nm3）", "低位发热量"),
    "batch": ("批次或仪表", "批次", "仪表编号"),
    "evidence": ("证据材料", "支撑材料"),
    "reported_by": ("填报人", "填报部门"),
    "reported_on": ("填报日期", "存证日期"),
    "calibrated_on": ("校准日期", "仪表校准日期"),
    "version": ("版本", "版本号"),
}
"""Headings of each column: first that of the tables written here, then others of forms. English names count as well."""

FLOW_HEADINGS: dict[str, tuple[str, ...]] = {
    "test": ("代表数量", "批次数量"),
    "purchase": ("采购量", "购入量"),
    "stock": ("期末库存", "月末库存"),
}
"""Headings of columns with the quantities of a flow, in place of a column of flows and one of quantities."""

EVIDENCE_HEADINGS: dict[str, tuple[str, ...]] = {
    "x_carbon_tc_per_t": ("收到基碳含量",),
    "x_laboratory": ("检测资质",),
    "x_sampled_on": ("采样日期",),
    "x_tested_on": ("检测报告日期",),
    "x_opening_t": ("期初库存",),
    "x_used_t": ("计量消耗量",),
}
"""Headings of columns that no account takes, and by which screening checks tests and stocks."""
