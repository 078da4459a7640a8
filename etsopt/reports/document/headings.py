"""Headings of columns in English words, and units of measure in both languages."""

from __future__ import annotations

import re

from etsopt.reports.compliance import COUNTS, FLOWS, MET, MONEY, PROVINCE
from etsopt.results.words import heading_of_result

ENGLISH = {
    "unit_id": "unit",
    "enterprise_id": "enterprise",
    "measure_id": "measure",
    "reference_t": "rule alone",
    "allowance_t": "final allocation",
    "change_t": "change against the rule",
    "surplus_t": "surplus",
    "surplus_rate": "surplus rate",
    "at_bound": "at the band's end",
    "pre_allocated_t": "pre-allocated",
    "top_up_t": "top-up",
    "return_t": "to return",
    "units_lower": "units at the lower end",
    "units_upper": "units at the upper end",
    "units_fixed": "units with A = E",
    "target_t": "target",
    "target_sense": "target is",
    "under_target_t": "below target",
    "balance_limit_t": "balance limit",
    "price_cny_per_t": "price",
    "price_lower_cny_per_t": "from",
    "price_upper_cny_per_t": "to",
    "set_by": "set by",
    "emissions_before_tco2e": "emissions before measures",
    "emissions_held_tco2e": "emissions of the balance value",
    "balance_value_before": "balance value before",
    "auctioned_t": "paid allocation",
    "banked_before_t": "brought forward",
    "measures_cost_cny": "cost of measures",
    "allowances_cost_cny": "cost of allowances",
    "transaction_cost_cny": "transaction cost",
    "offsets_cost_cny": "cost of offsets",
    "cost_cny_per_t": "cost per tonne emitted",
    "measures_cost_cny_per_t": "cost per tonne abated",
    "transfers_cny": "transfers",
    "resource_cost_cny": "resource cost",
    "abated_tco2e": "abated",
    "investment_cny": "investment",
    "cost_at_mean_cny": "cost if decided for the mean",
    "least_cost_cny": "least cost, scenario known",
    "regret_cny": "regret",
    "expected_cost_cny": "expected cost",
    "cvar_cny": "CVaR",
    "value_of_stochastic_solution_cny": "value of the stochastic solution",
    "value_of_perfect_information_cny": "value of perfect information",
    "marginal_incentive_cny_per_t": "a tonne abated earns",
    "terminal_price_cny_per_t": "terminal price",
    "unchanged_up_to_cny_per_t": "unchanged up to",
    "explained_share": "owed to the terminal price",
    "unmet_t": "unmet demand",
    "at_risk_tco2e": "at risk",
    "covered_tco2e": "covered",
    "uncovered_tco2e": "not covered",
    "further_day_covers_tco2e": "one more day covers",
    "reported_tco2e": "as reported",
    "reconciled_tco2e": "reconciled",
    "lowest_tco2e": "lowest",
    "highest_tco2e": "highest",
    "conservative_tco2e": "conservative",
    "gross_reports": "false reports",
    "deducted_next_year_t": "deducted next year",
    "index": "of",
}
"""English headings of columns whose name alone would not do."""

CHINESE = {
    # Not all are verified: those of later years, and of units without a review, are not.
    "emissions_tco2e": "排放量",
    "at_risk_tco2e": "风险排放量",
    "covered_tco2e": "已覆盖排放量",
    "uncovered_tco2e": "未覆盖排放量",
    "further_day_covers_tco2e": "增加一人天可覆盖",
    "reported_tco2e": "报告值",
    "reconciled_tco2e": "协调值",
    "lowest_tco2e": "下限",
    "highest_tco2e": "上限",
    "conservative_tco2e": "保守值",
    "gross_reports": "失实报告数",
    "substituted": "替代数",
    "quantities": "数据数",
    "reviews": "审核数",
    "least_reviews": "最少审核数",
    "drawn": "抽取数",
    "available_days": "可用人天",
    "review_days": "审核人天",
    "travel_days": "差旅人天",
    "days": "人天",
    "level": "级别",
    "needed_reviews": "须审核数",
    "needed_days": "需要人天",
    "missing_days": "缺少人天",
    "city": "城市",
    "reason": "原因",
    "regime": "适用法规",
    "multiple": "倍数",
    "reference_price_cny_per_t": "参考价格",
    "deducted_next_year_t": "核减下一年度",
    "outstanding_t": "欠缴配额",
    "unmet_t": "未满足的需求",
    "price_unit": "价格单位",
}
"""Chinese headings of columns that the words of results lack."""

UNITS = {
    "Mt": "百万吨",
    "kt": "千吨",
    "t": "吨",
    "CNY million": "百万元",
    "CNY billion": "十亿元",
    "CNY": "元",
    "CNY/t": "元/吨",
    "t/t": "吨/吨",
    "%": "%",
    "days": "人天",
}
"""Chinese names of units of measure."""

OF_A_YEAR = {name: (english, chinese) for name, english, chinese in (*COUNTS, *FLOWS, *MET, *PROVINCE, *MONEY)}
"""Headings of the report of a compliance year, in both languages."""

ENDINGS = re.compile(r"_(t|tco2e|cny|cny_per_t)$")
BRACKETS = re.compile(r"（[^（）]*）$")


def heading(column: str, zh: bool) -> str:
    """Return the heading of a column without its unit of measure.

    >>> heading("allowance_t", False), heading("allowance_t", True), heading("x_origin", False)
    ('final allocation', '核定配额', 'x origin')
    """
    if column in OF_A_YEAR and column not in ENGLISH:
        return OF_A_YEAR[column][zh]
    if zh:
        return CHINESE.get(column) or BRACKETS.sub("", heading_of_result(column))
    return ENGLISH.get(column) or ENDINGS.sub("", column).replace("_", " ")


def unit_in(unit: str, zh: bool) -> str:
    """Return the name of a unit of measure in a language.

    >>> unit_in("Mt", True), unit_in("Mt", False)
    ('百万吨', 'Mt')
    """
    return UNITS.get(unit, unit) if zh else unit
