"""Words of workbooks to fill in: keys of the policy, units of measure, example rows and notes, in both languages."""

from __future__ import annotations

from typing import Any

from etsopt.data.policy.parsing import section_at
from etsopt.data.policy.rule import RulePolicy
from etsopt.data.tables.schema import SECTORS

TEMPLATE: dict[str, Any] = {
    "year": 2026,
    "rule.name": "cn",
    **{f"sectors.{sector}.{key}": None for sector in SECTORS for key in ("target_change", "band")},
    "provinces.balance": None,
    "national.target_change": None,
    "allocation.integer_allowances": True,
    "allocation.intensity_order": False,
    "allocation.band_on": "unit",
    "abatement.no_regret": None,
    "market.prices_cny_per_t": None,
    "market.terminal_price_cny_per_t": None,
    "market.ccer_price_cny_per_t": None,
    "market.ccer_supply_t": None,
    "penalty.reference_price_cny_per_t": None,
}
"""Keys in their order, and the values of those that a new workbook states."""

_SECTORS = dict(zip(SECTORS, ("水泥", "钢铁", "铝冶炼", "发电"), strict=True))

TARGET, BAND = "行业配额总量相对排放量的变化，-0.01 为减少 1%", "行业盈缺率限值，0.03 为 ±3%；默认为规则的限值"

CHINESE = {
    "year": "履约年度",
    "rule.name": "分配规则，如 cn（当年分配方案）、cn-2025、cn-2026、grandfathering、benchmark",
    **{
        f"sectors.{name}.target_change": f"{word}行业配额总量相对排放量的变化，-0.01 为减少 1%"
        for name, word in _SECTORS.items()
    },
    **{
        f"sectors.{name}.band": f"{word}行业盈缺率限值，0.03 为 ±3%；默认为规则的限值"
        for name, word in _SECTORS.items()
    },
    "provinces.balance": "各省盈缺总量占排放量的上限，0.02 为 2%",
    "national.target_change": "全国配额总量相对排放量的变化",
    "allocation.integer_allowances": "配额取整到吨",
    "allocation.intensity_order": "同行业内强度较低的单元，盈缺率不低于强度较高的单元",
    "allocation.band": "所有行业的盈缺率限值，0.03 为 ±3%；行业另有限值的除外",
    "allocation.band_on": "盈缺率限值适用于 unit（单元）或 enterprise（企业）",
    "abatement.no_regret": "零碳价时即有收益的措施：include（计入）或 exclude（不计）",
    "market.prices_cny_per_t": "配额价格（元/吨），模型 abatement 使用",
    "market.terminal_price_cny_per_t": "期末剩余配额的价值（元/吨）",
    "market.ccer_price_cny_per_t": "核证自愿减排量价格（元/吨）",
    "market.ccer_supply_t": "市场上核证自愿减排量的供应量（吨）",
    "penalty.reference_price_cny_per_t": "罚款所用的市场均价（元/吨）",
}


UNITS_IN_CHINESE = {
    **{"tCO2e": "tCO2e", "t": "吨", "MWh": "兆瓦时", "MW": "兆瓦", "GJ": "吉焦", "fraction": "小数", "CNY/t": "元/吨"},
    **{"fraction/year": "小数/年", "years": "年", "days": "人天", "tCO2e/t": "tCO2e/吨", "MWh/t": "兆瓦时/吨"},
}
"""Units of measure in headings."""

_KILN = {"emissions_tco2e": 830_000, "output_t": 1_000_000}
_STEEL = {"emissions_tco2e": 1_750_000, "output_t": 1_000_000}
_STEEL |= {"intensity_output_t": 900_000, "intensity_emissions_tco2e": 800_000}

EXAMPLES: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "units": (
        [
            {"unit_id": "EXAMPLE", "enterprise_id": "north", "name": "line 1 of north", "sector": "cement"}
            | {"province": "Hebei", **_KILN},
            {"unit_id": "EXAMPLE", "enterprise_id": "south", "name": "south", "sector": "steel"}
            | {"province": "Jiangsu", **_STEEL},
        ],
        [
            {"unit_id": "示例", "enterprise_id": "北方", "name": "北方1号线", "sector": "水泥"}
            | {"province": "河北", **_KILN},
            {"unit_id": "示例", "enterprise_id": "南方", "name": "南方", "sector": "钢铁"}
            | {"province": "江苏", **_STEEL},
        ],
    ),
    "enterprises": (
        [{"enterprise_id": "EXAMPLE", "name": "North Cement", "province": "Hebei", "opening_2025_t": 12_000}],
        [{"enterprise_id": "示例", "name": "北方水泥", "province": "河北", "opening_2025_t": 12_000}],
    ),
    "measures": (
        [
            {"measure_id": "EXAMPLE", "name": "alternative fuels", "sector": "cement", "abatement_rate": 0.05}
            | {"lifetime_years": 15, "capex_cny_per_t": 20}
        ],
        [
            {"measure_id": "示例", "name": "替代燃料", "sector": "水泥", "abatement_rate": 0.05}
            | {"lifetime_years": 15, "capex_cny_per_t": 20}
        ],
    ),
}
"""Rows of each table as examples, in English and in Chinese; of steel with the pair that measures its intensity."""

ENGLISH_NOTES = (
    "One row is one unit: a clinker line, an electrolysis process, a steel enterprise or a power unit.",
    "Columns with a dark heading are needed. Headings are in one row; a second may repeat them in the other language.",
    "A heading may state another unit of measure in brackets, such as emissions_tco2e (万吨); notes do not count.",
    "Rows called EXAMPLE are not read. Columns of your own are carried to the results.",
    "Solve: etsopt solve plants.xlsx --out result.xlsx",
)
CHINESE_NOTES = (
    "一行为一个分配单元：水泥熟料生产线、铝电解工序、钢铁企业或发电机组。",
    "深色标题的列必填。标题写在一行，中文或英文均可；其下可再有一行另一语言的相同标题。不支持合并的多级标题。",
    "标题可在括号中注明其他计量单位，如 经核查排放量（万吨）；只写在标题行以上的单位不起作用。",
    "名为“示例”的行不读取。自有的列将保留到结果中。",
    "求解：etsopt solve plants.xlsx --out result.xlsx --lang zh",
)
NOTES = (ENGLISH_NOTES, CHINESE_NOTES)
"""How to fill a workbook in, in English and in Chinese."""


def meaning_of(key: str) -> str:
    """Return the English meaning of a key; empty if the policy states none.

    >>> meaning_of("sectors.cement.target_change")
    'change against emissions, a fraction'
    """
    section, _, name = key.rpartition(".")
    # Parameters of a rule are its own, so that the policy has no section for them.
    found = RulePolicy if section == "rule" else section_at(section)
    field = found.model_fields.get(name) if found is not None else None
    return (field.description or "") if field is not None else ""
