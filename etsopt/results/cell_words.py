"""Words in the cells of results in Chinese: objectives, rows, units of measure, algorithms, and those of inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.data.tables import chinese
from etsopt.data.tables.provinces import SHORT

if TYPE_CHECKING:
    import pandas as pd

OBJECTIVES = {
    "change": "调整量",
    "largest_change": "最大调整",
    "deficit": "缺口",
    "spread": "离散度",
    "least_squares": "最小二乘",
    "rounding": "取整",
    "exceptions": "例外数",
    "exception_size": "例外幅度",
    "exception_order": "例外次序",
    "target_relaxation": "放宽目标和平衡",
    "band_relaxation": "放宽盈缺率限值和平衡",
    "cost": "成本",
    "unmet_demand": "未满足的需求",
    "effort": "持仓动用量",
    "older_first": "较早年度优先",
    "adjustment": "调整量（加权）",
    "estimate": "最可能估计",
    "interval": "排放量区间",
    "uncovered": "未覆盖的风险排放量",
    "missing_days": "缺少的人天",
}
"""Objectives of the models."""

ROWS = {
    "level_is_kept": "保持前一目标",
    "one_plan": "每个单元一个方案",
    "account_balance": "账户收支平衡",
    "offset_limit": "抵销比例上限",
    "newly_owed": "新增欠缴不超过应缴",
    "offsets_on_offer": "抵销供应量",
    "sector_target": "行业目标",
    "province_balance": "省份盈缺平衡",
    "national_total": "全国总量",
    "enterprise_band": "企业盈缺率限值",
    "unit_band": "单元盈缺率限值",
    "intensity_order": "强度顺序",
    "equal_rates": "强度相同则盈缺率相同",
    "whole_tonnes": "配额为整吨",
    "band_least": "仅例外低于限值",
    "band_most": "仅例外高于限值",
    "enterprise_least": "企业仅例外低于限值",
    "enterprise_most": "企业仅例外高于限值",
    "exceptions_limit": "例外数上限",
    "change_from_reference": "较规则的调整量",
    "largest_change_covers": "不超过最大调整",
    "shortfall_covers": "缺口不低于差额",
    "distance_from_target_rate": "与目标盈缺率的距离",
    "market_balance": "市场供需平衡",
    "reserve_stock": "储备存量",
    "obligation_met": "履行清缴义务",
    "lot_is_used": "持仓去向",
    "within_range": "在区间内",
    "near_value": "接近最可能值",
    "lowest_agrees": "最低排放量与证据一致",
    "highest_agrees": "最高排放量与证据一致",
    "days_of_group": "人天上限",
    "enough_reviews": "最低审核数",
    "trip_before_review": "先到访后审核",
    "covered_by_review": "审核所覆盖",
    "one_option": "每个单元一种选择",
    "operation_of_installed": "已安装的减排措施的运行",
    "budget": "投资预算",
    "cost_of_scenario": "情景成本",
    "cost_above_quantile": "超过分位数的成本",
}
"""Rows of the models, as `duals` and the prices name them."""

SECTORS = {name: words[0] for name, words in chinese.WORDS["sector"].items()}

_MEASURES = {"t": "吨", "rate": "比率", "units": "个", "t²": "吨²", "places": "位次", "days": "人天", "CNY": "元"}
_SCALES = {"kt": "千吨", "Mt": "百万吨"}
UNITS = (
    _SCALES
    | _MEASURES
    | {f"{one}/{other}": f"{_MEASURES[one]}/{_MEASURES[other]}" for one in _MEASURES for other in _MEASURES}
)
"""Units of measure of objectives, multipliers and prices."""

OBTAINED = {
    "stated by the policy": "政策规定",
    "multiplier of the market balance over all plans": "全部方案下市场平衡的乘子",
    "every unit gets its emissions": "全部单元等量分配",
    "where the surplus jumps over zero by the least": "盈缺越过零点幅度最小处",
    "reached from no abatement": "由无减排状态达到",
    "the only one": "唯一不动点",
    "of least cost": "成本最低",
}
"""Origin of a price."""

ALGORITHMS = (
    ("prices over all plans", "全部方案的价格"),
    ("linear programs for whole tonnes", "个取整线性规划"),
    ("linear programs", "个线性规划"),
    ("choices tried", "种选择已试"),
    ("Newton steps", "次牛顿迭代"),
    ("stopped short", "提前终止"),
    ("iterations", "次迭代"),
    ("simplex", "单纯形法"),
    ("interior point", "内点法"),
    ("branch and bound", "分支定界"),
    ("nodes", "个节点"),
    ("without crossover", "无交叉"),
    ("with crossover", "有交叉"),
    ("active set", "有效集法"),
    ("first order", "一阶法"),
    ("prices", "对偶价格法"),
    ("cells", "个聚合单元"),
)
"""Parts of the algorithm of an objective, longer ones first."""

WORDS: dict[str, dict[str, str]] = {
    "level": OBJECTIVES,
    "row": ROWS,
    "index": OBJECTIVES | SECTORS | SHORT,
    "way_out": {**OBJECTIVES, "alone": "仅行业目标"},
    "limit": {"target": "行业目标", "balance": "省份盈缺平衡", "band": "盈缺率限值", "nation": "全国总量"},
    "unit": UNITS,
    "price_obtained": OBTAINED,
    "obtained": OBTAINED,
    "at_bound": {"lower": "下限", "upper": "上限", "fixed": "等量分配"},
    "target_sense": {"at_most": "不超过", "exactly": "等于", "none": "无"},
    **{column: {name: words[0] for name, words in known.items()} for column, known in chinese.WORDS.items()},
    "province": SHORT,
}
"""Chinese words of cells by column."""


def in_chinese(column: str, cells: pd.Series) -> pd.Series:
    """Return the cells of a column of results with their words in Chinese; names and numbers stay as they are."""
    if column == "algorithm":
        return cells.map(algorithm)
    if column == "price_unit":
        return cells.map(price_unit)
    return cells.replace(WORDS[column]) if column in WORDS else cells


def price_unit(text: str) -> str:
    """Return the unit of a price in Chinese.

    >>> price_unit("CNY 2024/t"), price_unit("t/t")
    ('元/吨，2024 年价格', '吨/吨')
    """
    currency, _, rest = text.partition(" ")
    return f"元/吨，{rest.removesuffix('/t')} 年价格" if currency == "CNY" and rest else UNITS.get(text, text)


def algorithm(text: str) -> str:
    """Return an algorithm in Chinese.

    >>> algorithm("HiGHS simplex, 953 iterations"), algorithm("prices, 4 Newton steps")
    ('HiGHS 单纯形法，953 次迭代', '对偶价格法，4 次牛顿迭代')
    """
    for english, word in ALGORITHMS:
        text = text.replace(english, word)
    return text.replace(", ", "，")
