"""Tables of accounts and lists in Chinese: headings, and the words of processes, items, sectors and reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.accounting.headings import ROW_HEADINGS
from etsopt.accounting.inclusion import REASONS
from etsopt.accounting.review.decisions import NAMES, OF_ITEMS
from etsopt.accounting.review.words import ACTORS, DECISIONS, FILING, LEVELS, STATUSES, YEAR_STATUSES
from etsopt.accounting.schema import ACTIVITIES
from etsopt.accounting.screening.registry import KINDS
from etsopt.accounting.vocabulary import FLOWS, ITEMS, OTHER, OTHER_CHINESE, PROCESSES

if TYPE_CHECKING:
    import pandas as pd

SECTORS = {"power": "发电", "steel": "钢铁", "cement": "水泥", "aluminium": "铝冶炼"}

ENTRY_KINDS = {"import": "导入", "review": "审核"}
EVENTS = {"report": "填报", **DECISIONS}

HEADINGS = {
    "entry": "记录号",
    "at_utc": "时间（UTC）",
    "entry_kind": "记录类型",
    "what": "内容",
    "rows_new": "新增行",
    "rows_corrected": "更正行",
    "rows_unchanged": "未变行",
    "files": "文件数",
    "decision": "决定",
    "level": "层级",
    "who": "决定人",
    "decided_on": "决定日期",
    "finding": "问题编号",
    "open": "未关闭",
    "closed_by_level": "关闭层级",
    "closed_by": "关闭人",
    "closed_on": "关闭日期",
    "closed_because": "关闭理由",
    "items": "数据项",
    "items_decided": "已审数据项",
    "items_first_pass": "一次通过数据项",
    "first_pass_rate": "一次通过率",
    "open_findings": "未关闭问题数",
    "open_size_t": "未关闭问题涉及排放量（tCO2e）",
    "items_with_open_findings": "有未关闭问题的数据项",
    **{f"items_{name}": f"{word}数据项" for name, word in STATUSES.items()},
    "status": "状态",
    "filed_on": "填报日期",
    "days_after": "月末后天数",
    "filing": "填报时效",
    "late_months": "逾期月数",
    "missing_months": "缺报月数",
    "restored_version": "恢复的版本",
    "event": "事项",
    "accounted_emissions_tco2e": "核算排放量（tCO2e）",
    "verified_emissions_tco2e": "经核查排放量（tCO2e）",
    "unit_id": "单元编号",
    **{column: words[0] for column, words in ROW_HEADINGS.items()},
    "enterprise_id": "企业法人编号",
    "entity_id": "重点排放单位编号",
    "name": "名称",
    "sector": "行业",
    "own_sector": "登记行业",
    "province": "省（区、市）",
    "year": "年度",
    "months": "报告月数",
    "gas": "温室气体",
    "ncv_basis": "低位发热量来源",
    "factor": "因子",
    "factors": "采用的因子",
    "formula": "计算公式",
    "guideline": "核算与报告指南",
    "emissions_tco2e": "排放量（tCO2e）",
    "emissions_at_yearly_ncv_tco2e": "按年度低位发热量计算的排放量（tCO2e）",
    "output_t": "产品产量（t）",
    "intensity_output_t": "重点工序产品产量（t）",
    "intensity_emissions_tco2e": "重点工序排放量（tCO2e）",
    "intensity": "碳排放强度（tCO2e/t）",
    "carbide_slag_rate": "电石渣替代率",
    "confidence": "因子可信度",
    "figure": "数据编号",
    "role": "用途",
    "file": "文件",
    "line": "行号",
    "value": "取值",
    "official": "指南缺省值",
    "meaning": "含义",
    "source": "来源",
    "activity": "生产类型",
    "in_scope": "属于覆盖范围",
    "covered_tco2e": "覆盖工序排放量（tCO2e）",
    "enterprises": "法人数",
    "units": "单元数",
    "reason": "理由",
    "listed": "列入名录",
    "not_listed": "未列入",
    "near": "接近门槛（±5%）",
    "margin_tco2e": "与门槛之差（tCO2e）",
    "rule": "规则",
    "rules": "规则名称",
    "kind": "检查类型",
    "thresholds": "阈值",
    "findings": "问题数",
    "count": "数量",
    "size_t": "涉及排放量（tCO2e）",
    "reason_zh": "理由（中文）",
    "margin_rate": "与门槛之差（比例）",
    "day": "日期",
    "days": "天数",
    "stack": "排放口",
    "basis": "数据来源",
    "flow_1e4_nm3": "烟气流量（10^4Nm3）",
    "co2_percent": "CO2浓度（%）",
    "load_rate": "负荷率",
    "monitored_tco2": "监测排放量（tCO2）",
    "calculated_tco2": "核算排放量（tCO2）",
    "difference_tco2": "监测与核算之差（tCO2）",
    "ratio": "监测与核算之比",
    "unusual": "是否异常",
    "measured_days": "实测天数",
    "standstill_days": "停运天数",
    "filled_days": "补缺天数",
    "missing_days": "缺失天数",
    "unusual_days": "异常天数",
    "months_with_ratio": "可比月数",
    "drift_per_year": "年漂移率",
    "drift_lower": "年漂移率下限",
    "drift_upper": "年漂移率上限",
    "drifts": "是否漂移",
    "listed_tco2e": "列入排放量（tCO2e）",
    "not_listed_tco2e": "未列入排放量（tCO2e）",
    "without_near_tco2e": "接近门槛者移出后（tCO2e）",
    "with_near_tco2e": "接近门槛者移入后（tCO2e）",
    "scope_of_year_before_tco2e": "按上一年度范围（tCO2e）",
}

WORDS: dict[str, dict[Any, str]] = {
    "sector": SECTORS,
    "own_sector": SECTORS,
    "process": PROCESSES | {OTHER: OTHER_CHINESE},
    "item": {name: item.chinese for name, item in ITEMS.items()},
    "flow": FLOWS,
    "reason": REASONS,
    "activity": ACTIVITIES,
    "kind": KINDS,
    "entry_kind": ENTRY_KINDS,
    "level": ACTORS,
    "closed_by_level": LEVELS,
    "status": YEAR_STATUSES | STATUSES,
    "filing": FILING,
    "event": EVENTS,
    "basis": {
        "measured": "实测",
        "standstill": "停运",
        "filled_co2": "补缺浓度",
        "filled_flow": "补缺流量",
        "filled_both": "补缺流量和浓度",
        "missing": "缺失",
    },
    "unusual": {True: "是", False: "否"},
    "drifts": {True: "是", False: "否"},
    "ncv_basis": {"measured": "实测", "default": "缺省", "both": "部分实测"},
    "role": {"quantity": "数量", "ncv": "低位发热量", "minutes": "阳极效应时间"},
}


OF_DECISIONS = {HEADINGS[name]: name for name in (*NAMES, *OF_ITEMS)}
"""Columns of a table of decisions by their Chinese headings."""


def in_chinese(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with Chinese headings, and with Chinese words where it has those of this package."""
    columns = {name: table[name].replace(words) for name, words in WORDS.items() if name in table}
    return table.assign(**columns).rename(columns=HEADINGS)


PLAN_HEADINGS = HEADINGS | {
    "city": "城市",
    "level": "审核级别",
    "enterprises": "企业数",
    "days": "审核人天",
    "reason": "列入理由",
    "at_risk_tco2e": "风险排放量（tCO2e）",
    "covered_tco2e": "审核覆盖的风险排放量（tCO2e）",
    "uncovered_tco2e": "未覆盖的风险排放量（tCO2e）",
    "reviews": "审核数",
    "least_reviews": "最少审核数",
    "needed_reviews": "所需审核数",
    "drawn": "随机抽取数",
    "available_days": "可用人天",
    "review_days": "现场审核人天",
    "travel_days": "差旅人天",
    "left_days": "剩余人天",
    "needed_days": "所需人天",
    "missing_days": "缺少人天",
    "further_day_covers_tco2e": "增加一人天约可多覆盖（tCO2e）",
    "further_review_costs_tco2e": "增加一项最少审核约少覆盖（tCO2e）",
    "priced_bound_tco2e": "按影子价格得出的下界（tCO2e）",
    "seed": "随机种子",
}
PLAN_WORDS: dict[str, dict[Any, str]] = {
    "level": {"municipal": "市级", "provincial": "省级", "national": "国家级"},
    "reason": {"coverage": "覆盖要求", "risk": "风险", "drawn": "随机抽取"},
}
"""Headings and words of a plan of reviews, some of which mean something else in accounts and lists."""


def plan_in_chinese(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of a plan of reviews with Chinese headings and words."""
    columns = {name: table[name].replace(words) for name, words in PLAN_WORDS.items() if name in table}
    return table.assign(**columns).rename(columns=PLAN_HEADINGS)
