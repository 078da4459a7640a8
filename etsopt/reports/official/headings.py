"""Annex tables of the allocation plan: numbers, titles, and the headings of their columns in Chinese and English.

The Chinese is that of the consultation draft of 27 July 2026, annexes 1 and 2, as printed: ``装机容量(MWh)`` too.
Headings over several columns are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from etsopt.data.tables.provinces import LONG

Heading = tuple[str, str, str]
"""Key of a column in the code, its heading in the annex, and the English meaning with unit."""

SECTORS = {"power": "发电", "steel": "钢铁", "cement": "水泥", "aluminium": "铝冶炼"}
"""Sectors in the order of the annex, and their names there."""

UNITS = {"power": "发电机组", "steel": "钢铁企业", "cement": "水泥熟料生产线", "aluminium": "铝电解工序"}
"""Allocation units of each sector in the words of the annex."""

PROVINCE = ("province", "省（区、市）", "province; only if the tables hold several, not in the annex")

HEAD = (
    ("number", "序号", "number of the row"),
    ("name", "重点排放单位名称", "name of the enterprise, else its identifier"),
    ("uscc", "统一社会信用代码", "unified social credit code: x_uscc of enterprises, else enterprise_id if it is one"),
)
UNIT_IDS = {
    "power": ("unit", "机组编号", "unit_id"),
    "cement": ("unit", "生产线编号", "unit_id"),
    "aluminium": ("unit", "工序编号", "unit_id"),
}
NOTES = (
    "notes",
    "需要特殊说明的事项",
    "notes: special case, the allowances of the plan if the run has others, and what is missing",
)


def _pre_allocation(sector: str) -> tuple[Heading, ...]:
    """Return the columns of a table of pre-allocation."""
    return (
        *HEAD,
        *((UNIT_IDS[sector],) if sector in UNIT_IDS else ()),
        ("prior", "上一年度经核查排放量", "last year's verified emissions [tCO2e]"),
        ("share_percent", "预分配比例（%）", "pre-allocated share [%]"),
        ("pre_allocated", f"{UNITS[sector]}预分配配额", "pre-allocated allowances [t]"),
        NOTES,
    )


POWER = (
    *HEAD,
    UNIT_IDS["power"],
    ("merged", "是否合并机组", "yes if units of several classes are reported together"),
    ("fuel", "主体燃料类型", "main fuel: coal or gas, by class"),
    ("unit_class", "机组类别", "class of the unit, I to IV"),
    ("product", "产品类别", "kind of product"),
    ("capacity", "装机容量(MWh)", "rated power [MW]"),
    ("generation", "发电量(MWh)", "gross generation [MWh]"),
    ("heat", "供热量(GJ)", "heat supply [GJ]"),
    ("load_percent", "统计期机组负荷（出力）系数(%)", "load factor [%]"),
    ("emissions", "①机组经核查排放量(tCO2e)", "verified emissions [tCO2e]"),
    ("load_correction", "调峰修正系数", "load correction"),
    ("electricity", "发电配额量(tCO2e)", "allowances of electricity [t]"),
    ("heat_allowances", "供热配额量(tCO2e)", "allowances of heat [t]"),
    ("initial", "②机组初始配额量(tCO2e)", "initial allowances [t]"),
    ("gas_top_up", "③燃气机组豁免补发配额量(tCO2e)", "top-up of a gas unit [t]"),
    ("determined", "④机组核定配额量(tCO2e)", "determined allowances [t]"),
    ("obligation", "⑤机组应清缴配额量(tCO2e)", "obligation [tCO2e]"),
    NOTES,
)
STEEL = (
    *HEAD,
    ("iron_capacity", "炼铁工序生产能力（万t/年）", "capacity of ironmaking [10,000 t a year]"),
    ("output", "①炼铁工序产品产量（t）", "output of ironmaking [t]"),
    ("iron_emissions", "②炼铁工序碳排放量(tCO2e)", "emissions of ironmaking [tCO2e]"),
    ("sinter_emissions", "③烧结工序碳排放量(tCO2e)", "emissions of sintering [tCO2e]"),
    (
        "intensity",
        "④重点工序（炼铁、烧结工序）排放总量与炼铁工序产品产量的比值（tCO2e/t 炼铁工序产品产量）",
        "emissions of both over the output of ironmaking [tCO2e/t]",
    ),
    ("crude_steel", "⑤粗钢产量（t）", "output of crude steel [t]"),
    ("emissions", "⑥钢铁企业碳排放量（tCO2e）", "verified emissions [tCO2e]"),
    ("deviation_percent", "⑦钢铁企业碳排放强度偏离度（%）", "deviation from the balance value [%]"),
    ("balance_value", "⑧钢铁行业平衡值（tCO2e/t 炼铁工序产品产量）", "balance value [tCO2e/t]"),
    ("coefficient", "⑨钢铁企业碳排放强度系数", "intensity coefficient"),
    ("determined", "⑩钢铁企业核定配额(tCO2e)", "determined allowances [t]"),
    ("obligation", "⑪钢铁企业应清缴配额(tCO2e)", "obligation [tCO2e]"),
    NOTES,
)
CEMENT = (
    *HEAD,
    UNIT_IDS["cement"],
    ("slag", "水泥熟料生产线经核查的电石渣消耗量（t）", "carbide slag consumed [t]"),
    ("slag_factor", "电石渣的扣减系数", "deduction factor of carbide slag"),
    ("output", "①熟料产量（t）", "output of clinker [t]"),
    ("process_factor", "熟料的过程排放因子（tCO2e/t 熟料）", "process emission factor of clinker [tCO2e/t]"),
    ("slag_percent", "电石渣替代率（%）", "rate of carbide slag [%]"),
    ("clinker_class", "熟料类别", "class of clinker"),
    ("clinker_kind", "熟料品种", "kind of clinker"),
    ("line_capacity", "批复的设计能力（t/d）", "approved capacity [t a day]"),
    ("fuel_emissions", "化石燃料燃烧排放量(tCO2e)", "emissions of fossil fuels [tCO2e]"),
    ("process_emissions", "过程排放量(tCO2e)", "process emissions [tCO2e]"),
    ("emissions", "②水泥熟料生产线碳排放量(tCO2e)", "verified emissions [tCO2e]"),
    ("intensity", "③水泥熟料生产线吨熟料碳排放量（tCO2e/t 熟料）", "emissions over the output of clinker [tCO2e/t]"),
    ("deviation_percent", "④水泥熟料生产线碳排放强度偏离度（%）", "deviation from the balance value [%]"),
    ("balance_value", "⑤水泥行业平衡值（tCO2e/t 熟料）", "balance value [tCO2e/t]"),
    ("coefficient", "⑥水泥熟料生产线碳排放强度系数", "intensity coefficient"),
    ("determined", "⑦水泥熟料生产线核定配额(tCO2e)", "determined allowances [t]"),
    ("obligation", "⑧水泥熟料生产线应清缴配额(tCO2e)", "obligation [tCO2e]"),
    NOTES,
)
ALUMINIUM = (
    *HEAD,
    UNIT_IDS["aluminium"],
    ("process_capacity", "产能（t/年）", "capacity [t a year]"),
    ("output", "①铝液产量（t）", "output of liquid aluminium [t]"),
    ("anode_emissions", "②能源作为原材料用途的排放量(tCO2e)", "emissions of energy used as raw material [tCO2e]"),
    ("anode_effect_emissions", "③阳极效应排放量(tCO2e)", "emissions of the anode effect [tCO2e]"),
    ("intensity", "④铝电解工序吨铝碳排放量（tCO2e/t铝）", "emissions over the output of aluminium [tCO2e/t]"),
    ("emissions", "⑤铝电解工序碳排放量（tCO2e）", "verified emissions [tCO2e]"),
    ("deviation_percent", "⑥铝电解工序碳排放强度偏离度（%）", "deviation from the balance value [%]"),
    ("balance_value", "⑦铝冶炼行业平衡值（tCO2e/t 铝）", "balance value [tCO2e/t]"),
    ("coefficient", "⑧铝电解工序碳排放强度系数", "intensity coefficient"),
    ("determined", "⑨铝电解工序核定配额(tCO2e)", "determined allowances [t]"),
    ("obligation", "⑩铝电解工序应清缴配额(tCO2e)", "obligation [tCO2e]"),
    NOTES,
)
DIFFERENTIATED = (
    ("differentiated", "是否属于差异化情形暂不发放（是/否）", "yes if the account of the province gets the allowances"),
    ("reason", "差异化具体情况", "reason; after determination also what is released or has to be paid in [t]"),
)
PRE_ISSUED = (
    *HEAD,
    ("pre_allocated", "①预分配配额", "pre-allocated allowances [t]"),
    ("pre_deducted", "②配额调整（核减量）", "deducted from them [t]"),
    ("pre_issued", "③预分配实发配额", "issued of them: (1) - (2) [t]"),
    ("pre_remaining", "④预分配配额发放后剩余待调整配额", "still to be deducted [t]"),
    *DIFFERENTIATED,
    NOTES,
)
ISSUED = (
    *HEAD,
    ("pre_allocated", "重点排放单位预分配配额", "pre-allocated allowances [t]"),
    ("initial", "重点排放单位初始配额", "sum of the power units' determined allowances [t]"),
    ("gap_percent", "初始配额履约缺口率（%）", "deficit of these, of the obligation [%]"),
    ("exemption", "履约缺口率上限豁免补发配额", "added up to the least share of the emissions [t]"),
    ("determined", "重点排放单位核定配额", "determined allowances [t]"),
    ("true_up", "①多退少补配额", "determined less pre-allocated: top-up, or return if negative [t]"),
    ("deduction_returned", "②退回已核减配额", "returned of what was deducted at pre-allocation [t]"),
    ("deducted", "③配额调整（核减量）", "deducted at determination [t]"),
    ("pre_issued", "④重点排放单位预分配实发配额", "issued at pre-allocation [t]"),
    ("issued", "⑤重点排放单位核定实发配额", "issued at determination: (1) + (2) - (3) [t]"),
    ("issued_in_all", "⑥重点排放单位实发配额合计", "issued in all: (4) + (5) [t]"),
    ("obligation", "重点排放单位应清缴配额", "obligation [t]"),
    ("remaining", "⑦核定配额发放后剩余待调整配额", "still to be deducted [t]"),
    *DIFFERENTIATED,
    NOTES,
)
OUTSIDE = "不在当年度配额分配范围"
"""Words by which a note says that units are outside the scope of the year."""

TOTAL = ("全省（区、市）合计", "合计")
"""Labels of the last row of the tables of issue: of one province, and of several."""

TEXTS_OF_USER = ("product", "clinker_class", "clinker_kind")
NUMBERS_OF_USER = (
    *("iron_capacity", "iron_emissions", "sinter_emissions", "slag", "slag_factor", "process_factor", "line_capacity"),
    *("fuel_emissions", "process_emissions", "process_capacity", "anode_emissions", "anode_effect_emissions"),
)
"""Columns of which an instance knows nothing: filled from a user column ``x_<key>`` of the units, else empty."""


@dataclass(frozen=True)
class Annex:
    """One annex table: its number, such as ``2-1``, sector, columns, the words of its title and of its sheet."""

    number: str
    sector: str
    columns: tuple[Heading, ...]
    about: str
    sheet: str

    @property
    def name(self) -> str:
        """Name by which `official_tables` returns it: the number, and the sector of a table that each sector has."""
        return f"{self.number}-{self.sector}" if self.number.endswith("-5") else self.number

    def title(self, province: str, year: int) -> str:
        """Return the title as the annex prints it, of a province or, if that is empty, of several."""
        where = LONG.get(province, province) or "全国"
        return f"表{self.number}：{where}{year}年度{self.about}"


def _all() -> tuple[Annex, ...]:
    tables = []
    of_unit = {"power": POWER, "steel": STEEL, "cement": CEMENT, "aluminium": ALUMINIUM}
    for place, (sector, unit) in enumerate(UNITS.items(), 1):
        about = f"{unit}预分配配额情况明细表（单位：tCO2e）"
        tables.append(Annex(f"1-{place}", sector, _pre_allocation(sector), about, f"1-{place} {unit}预分配"))
        about = f"{unit}核定配额情况明细表"
        tables.append(Annex(f"2-{place}", sector, of_unit[sector], about, f"2-{place} {unit}核定"))
    for sector, name in SECTORS.items():
        about = f"{name}行业重点排放单位预分配配额实际发放情况明细表（单位：tCO2e）"
        tables.append(Annex("1-5", sector, PRE_ISSUED, about, f"1-5 {name}行业预分配发放"))
        about = f"{name}行业重点排放单位核定配额实际发放情况明细表（单位：tCO2e）"
        tables.append(Annex("2-5", sector, ISSUED, about, f"2-5 {name}行业核定发放"))
    return tuple(sorted(tables, key=lambda table: table.number))


ANNEXES = _all()
"""All annex tables in the order of their numbers."""

BY_NAME = {table.name: table for table in ANNEXES}
