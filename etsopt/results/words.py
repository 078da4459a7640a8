"""Words of results in English and Chinese: statuses, tables and columns."""

from __future__ import annotations

from etsopt.data.tables import chinese

STATUSES = {
    "certified_optimal": ("certified optimal", "已证明最优"),
    "certified_gap": ("certified within the gap", "已证明在允许差距内最优"),
    "certified_rounded": ("certified optimal before rounding to whole tonnes", "取整吨前已证明最优"),
    "feasible": ("feasible, optimality not proven", "可行，最优性未证明"),
    "infeasible_certified": ("infeasible, proven", "不可行，已证明"),
    "infeasible_unproven": ("infeasible according to the solver, not proven", "求解器判断不可行，未证明"),
    "none": ("no result", "无结果"),
    "refused": ("refused by the checker, no result", "未通过检查，无结果"),
}
"""Status of a result."""

TERMINATIONS = {
    "time_limit": ("stopped by the time limit", "达到时间限制"),
    "interrupted": ("interrupted", "已中断"),
    "memory": ("out of memory", "内存不足"),
    "solver_error": ("solver failure", "求解器故障"),
}
"""Why a solve stopped early."""

TABLES = {
    "allocation": ("units", "单元"),
    "enterprises": ("enterprises", "企业"),
    "sectors": ("sectors", "行业"),
    "provinces": ("provinces", "省份"),
    "duals": ("duals", "对偶乘子"),
    "relaxed_limits": ("relaxed limits", "放宽的限值"),
    "relaxed_units": ("relaxed units", "放宽的单元"),
    "years": ("years", "年度"),
    "sector_years": ("sector years", "行业年度"),
    "enterprise_years": ("enterprise years", "企业年度"),
    "unit_years": ("unit years", "单元年度"),
    "plans": ("plans", "减排方案"),
    "measure_years": ("measure years", "措施年度"),
    "balance_values": ("balance values", "平衡值"),
    "closure": ("closure", "期末影响"),
    "uplift": ("uplift", "整体方案补偿"),
    "leaves": ("leaves", "证明的分支"),
    "equilibrium": ("equilibrium", "均衡"),
    "fixed_points": ("fixed points", "不动点"),
    "cycles": ("cycles", "循环"),
    "units": ("units", "单元"),
    "compliance": ("compliance", "清缴"),
    "holdings": ("holdings", "持仓"),
    "issuance": ("issuance", "发放"),
    "compliance_sectors": ("compliance sectors", "行业清缴"),
    "compliance_provinces": ("compliance provinces", "省份清缴"),
    "nation": ("nation", "全国"),
    "shortfalls": ("shortfalls", "未足额清缴"),
    "unmet_demand": ("unmet demand", "未满足的需求"),
    "summary": ("summary", "摘要"),
    "prices": ("prices", "价格"),
    "certificate": ("certificate", "证明"),
}
"""Sheets by table; tables without an entry keep their name."""

COLUMNS = {
    "name": "名称",
    "intensity": "碳排放强度",
    "allowance_t": "核定配额(吨)",
    "change_t": "较规则调整(吨)",
    "surplus_t": "盈缺量(吨)",
    "surplus_rate": "盈缺率",
    "at_bound": "达到限值",
    "top_up_t": "补发(吨)",
    "return_t": "缴回(吨)",
    "units": "单元数",
    "enterprises": "企业数",
    "units_lower": "达到下限的单元数",
    "units_upper": "达到上限的单元数",
    "units_fixed": "等量分配的单元数",
    "target_t": "目标(吨)",
    "target_sense": "目标类型",
    "under_target_t": "低于目标(吨)",
    "balance_value": "平衡值",
    "balance_value_lower": "平衡值下限",
    "balance_value_upper": "平衡值上限",
    "balance_limit_t": "平衡限值(吨)",
    "change_shadow_price": "影子价格:调整量",
    "largest_change_shadow_price": "影子价格:最大调整",
    "deficit_shadow_price": "影子价格:缺口",
    "spread_shadow_price": "影子价格:离散度",
    "least_squares_shadow_price": "影子价格:最小二乘",
    "exceptional": "例外",
    "level": "目标层级",
    "row": "约束",
    "index": "对象",
    "multiplier": "乘子",
    "unit": "单位",
    "limit": "限值",
    "way_out": "方案",
    "by": "放宽量",
    "from": "放宽前",
    "to": "放宽后",
    "target_relaxation_allowance_t": "放宽目标时的配额(吨)",
    "band_relaxation_allowance_t": "放宽盈缺率限值时的配额(吨)",
    "price_cny_per_t": "碳价(元/吨)",
    "price_lower_cny_per_t": "碳价下限(元/吨)",
    "price_upper_cny_per_t": "碳价上限(元/吨)",
    "price_unit": "价格单位",
    "price_obtained": "价格来源",
    "price": "价格",
    "lower": "下限",
    "upper": "上限",
    "obtained": "来源",
    "emissions_before_tco2e": "减排前排放量(tCO2e)",
    "emissions_held_tco2e": "计算平衡值的排放量(tCO2e)",
    "banked_before_t": "上年结余(吨)",
    "bought_t": "买入(吨)",
    "sold_t": "卖出(吨)",
    "offset_t": "抵销(吨)",
    "surrendered_t": "清缴(吨)",
    "banked_t": "结余(吨)",
    "measures_cost_cny": "减排成本(元)",
    "measures_cost_cny_per_t": "减排成本(元/吨)",
    "allowances_cost_cny": "配额成本(元)",
    "transaction_cost_cny": "交易成本(元)",
    "offsets_cost_cny": "抵销成本(元)",
    "penalty_cny": "罚款(元)",
    "total_cost_cny": "总成本(元)",
    "cost_cny_per_t": "成本(元/吨)",
    "transfers_cny": "转移支付(元)",
    "resource_cost_cny": "资源成本(元)",
    "auctioned_t": "有偿分配(吨)",
    "unsold_t": "未售出(吨)",
    "external_demand_t": "外部需求(吨)",
    "rounding_remainder_t": "取整余量(吨)",
    "released_t": "储备投放(吨)",
    "intake_t": "储备收回(吨)",
    "reserve_t": "储备(吨)",
    "borrowed_t": "预支(吨)",
    "marginal_incentive_cny_per_t": "边际激励(元/吨)",
    "marginal_incentive_elsewhere_cny_per_t": "其他工序边际激励(元/吨)",
    "plan": "方案",
    "share": "比例",
    "start_year": "开始年度",
    "step": "步骤",
    "abated_tco2e": "减排量(tCO2e)",
    "uplift_cny": "补偿(元)",
    "balance_value_before": "减排前平衡值",
    "residual_t": "残差(吨)",
    "set_by": "决定因素",
    "bank_empty_in": "结余用尽年度",
    "terminal_price_cny_per_t": "期末价格(元/吨)",
    "unchanged_up_to_cny_per_t": "不变至(元/吨)",
    "status": "状态",
    "fixed_points": "不动点数",
    "cycle_length": "循环长度",
    "number": "序号",
    "measures": "措施",
    "obligation_t": "应清缴配额(吨)",
    "opening_t": "期初持有(吨)",
    "carried_over_t": "结转(吨)",
    "issued_t": "发放(吨)",
    "closing_t": "期末持有(吨)",
    "cancelled_t": "收回注销(吨)",
    "shortfall_t": "未足额清缴(吨)",
    "vintage": "配额年度",
    "value": "取值",
    "bound": "下界",
    "gap": "差距",
    "certified": "已证明",
    "algorithm": "算法",
}
"""Chinese headings of columns of results; those of inputs are in `etsopt.data.tables.chinese`."""

WITH_UNITS = {"tco2e": "tCO2e", "t": "吨"}


def heading_of_result(column: str) -> str:
    """Return the Chinese heading of a column of results; its name if there is none.

    >>> heading_of_result("allowance_t"), heading_of_result("emissions_tco2e"), heading_of_result("x_origin")
    ('核定配额(吨)', '经核查排放量(tCO2e)', 'x_origin')
    """
    if column in COLUMNS:
        return COLUMNS[column]
    if column not in chinese.HEADINGS:
        return column
    unit = WITH_UNITS.get(column.rpartition("_")[2], "")
    return f"{chinese.HEADINGS[column][0]}({unit})" if unit else chinese.HEADINGS[column][0]
