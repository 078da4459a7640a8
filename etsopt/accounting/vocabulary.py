"""Words of monthly reports: items, processes, flows and units of measure, in English and Chinese.

A report may write each word in either language; English words also with spaces or capitals.
"""

from __future__ import annotations

from dataclasses import dataclass

STEEL, CEMENT, ALUMINIUM, POWER = "steel", "cement", "aluminium", "power"
ACCOUNTED = (STEEL, CEMENT, ALUMINIUM, POWER)
"""Sectors with formulas here."""

TONNE, GAS_UNIT, MINUTES = "t", "1e4 Nm3", "min/pot-day"
MEGAWATT_HOUR, GIGAJOULE, PERCENT = "MWh", "GJ", "%"
CARBON_UNITS = {unit: f"tC/{unit}" for unit in (TONNE, GAS_UNIT)}
"""Units of carbon content, by the unit of the fuel."""
UNITS = (TONNE, GAS_UNIT, MINUTES, MEGAWATT_HOUR, GIGAJOULE, PERCENT, *CARBON_UNITS.values())

FLOWS = {
    **{"in": "输入", "out": "输出", "product": "产品", "test": "检测"},
    **{"purchase": "采购", "stock": "期末库存", "monitor": "监测"},
    **{"carbon": "元素碳含量", "oxidation": "碳氧化率"},
}
"""Carbon that enters or leaves a boundary, output of a product, and the test of a batch of fuel; purchases, the stock
at the end of the month, and emissions by a stack monitor; carbon content and oxidation rate of a power unit's fuel."""

MEASURED = ("test", "carbon", "oxidation")
"""Flows whose rows say what a fuel is like: they add up to no quantity."""

STATED = ("purchase", "stock", "monitor")
"""Flows that are evidence for reconciliation alone: accounts and screening do not count them."""

COUNTED = tuple(name for name in FLOWS if name not in (*MEASURED, *STATED))
"""Flows whose quantities accounts count: in, out and product."""

ENTERPRISE, MIXED_FIRED, GENERATION, OTHER = "enterprise", "power", "generation", "other"
PROCESSES = {
    ENTERPRISE: "企业",
    "coking": "焦化工序",
    "sintering": "烧结工序",
    "pelletising": "球团工序",
    "ironmaking": "炼铁工序",
    "bof": "转炉炼钢工序",
    "eaf": "电炉炼钢工序",
    MIXED_FIRED: "掺烧自备电厂",
    "clinker": "熟料生产",
    "electrolysis": "铝电解工序",
    GENERATION: "发电机组",
}

PROCESSES_OF = {
    STEEL: (ENTERPRISE, "coking", "sintering", "pelletising", "ironmaking", "bof", "eaf", MIXED_FIRED),
    CEMENT: ("clinker",),
    ALUMINIUM: ("electrolysis",),
    POWER: (GENERATION,),
}

GASES = ("CO2", "CF4", "C2F6")

CARBON_DIOXIDE = "carbon_dioxide"


@dataclass(frozen=True)
class Item:
    """A fuel, material or product of the guidelines.

    Parameters
    ----------
    name, chinese
        Words in reports.
    kind
        ``fuel``, ``material``, ``product`` (without a factor), ``clinker``, ``deduction``, ``anode``, ``metal``,
        ``minutes``, ``monitored``, ``biomass``, ``energy`` or ``rate``.
    unit
        The unit of measure of its quantity.
    phase
        ``solid``, ``liquid`` or ``gas`` of a fuel.
    own_of
        The gas of which this is what the enterprise makes itself: it has the factors of that gas, and a measured
        calorific value of its own.
    """

    name: str
    chinese: str
    kind: str
    unit: str = TONNE
    phase: str = ""
    own_of: str = ""


_FUELS = {
    "solid": (
        *(("anthracite", "无烟煤"), ("bituminous", "烟煤"), ("lignite", "褐煤"), ("washed_coking_coal", "洗精煤")),
        *(("other_washed_coal", "其他洗煤"), ("coal_gangue", "煤矸石"), ("coal_slime", "煤泥"), ("coke", "焦炭")),
        *(("semi_coke", "兰炭"), ("petroleum_coke", "石油焦"), ("other_coal_products", "其他煤制品")),
    ),
    "liquid": (
        *(("crude_oil", "原油"), ("fuel_oil", "燃料油"), ("gasoline", "汽油"), ("diesel", "柴油")),
        *(("kerosene", "煤油"), ("other_petroleum_products", "其他石油制品"), ("lng", "液化天然气")),
        *(("lpg", "液化石油气"), ("coal_tar", "煤焦油")),
    ),
    "gas": (
        *(("refinery_dry_gas", "炼厂干气"), ("natural_gas", "天然气"), ("blast_furnace_gas", "高炉煤气")),
        *(("converter_gas", "转炉煤气"), ("coke_oven_gas", "焦炉煤气"), ("other_gas", "其他煤气")),
    ),
}
_OWN_GASES = (
    *(("own_blast_furnace_gas", "自产高炉煤气"), ("own_converter_gas", "自产转炉煤气")),
    *(("own_coke_oven_gas", "自产焦炉煤气"), ("own_other_gas", "自产其他煤气")),
)
_MATERIALS = (
    *(("limestone", "石灰石"), ("dolomite", "白云石"), ("electrode", "电极"), ("ferronickel", "镍铁")),
    *(("ferromolybdenum", "钼铁"), ("ferrosilicon", "硅铁"), ("silicomanganese", "硅锰合金")),
    *(("low_carbon_silicomanganese", "低碳硅锰合金"), ("blast_furnace_ferromanganese", "高炉锰铁")),
    *(("eaf_high_carbon_ferromanganese", "电炉高碳锰铁"), ("micro_carbon_ferromanganese", "微碳锰铁")),
    *(("high_carbon_ferrochrome", "高碳铬铁"), ("pig_iron", "生铁"), ("direct_reduced_iron", "直接还原铁")),
    *(("scrap", "废钢"), ("crude_steel", "粗钢"), ("tar", "焦油"), ("crude_benzol", "粗苯")),
)
_PRODUCTS = (("sinter", "烧结矿"), ("pellets", "球团矿"), ("smelting_reduction_iron", "熔融还原铁"))
_CLINKERS = (
    *(("portland_clinker", "硅酸盐水泥熟料"), ("white_portland_clinker", "白色硅酸盐水泥熟料")),
    *(("sulphoaluminate_clinker", "硫(铁)铝酸盐水泥熟料"), ("aluminate_clinker", "铝酸盐水泥熟料")),
)
_DEDUCTIONS = (
    *(("desulphurisation_powder", "脱硫粉剂"), ("slaked_lime", "消石灰"), ("carbide_slag", "电石渣")),
    *(("magnesium_slag", "镁渣"), ("paper_white_mud", "造纸白泥"), ("caf2_sludge", "氟化钙污泥")),
    *(("phosphorus_slag", "磷渣"), ("vanadium_titanium_slag", "钒钛渣"), ("nitrogen_slag", "氮渣")),
    *(("waste_incineration_fly_ash", "垃圾焚烧飞灰"), ("ferroalloy_slag", "铁合金渣")),
    *(("desulphurisation_gypsum", "脱硫石膏"), ("phosphogypsum", "磷石膏"), ("titanogypsum", "钛石膏")),
    *(("fluorogypsum", "氟石膏"), ("borogypsum", "硼石膏"), ("moulding_gypsum", "模型石膏")),
    *(("citric_acid_slag", "柠檬酸渣"), ("steel_slag", "钢渣"), ("nickel_slag", "镍渣"), ("manganese_slag", "锰渣")),
    *(("zinc_slag", "锌渣"), ("tin_slag", "锡渣"), ("municipal_sludge", "市政污泥"), ("aluminium_slag", "铝渣")),
    *(("sulphuric_acid_slag", "硫酸渣"), ("copper_slag", "铜渣"), ("lead_zinc_slag", "铅锌渣")),
    *(("fly_ash", "粉煤灰"), ("red_mud", "赤泥")),
)

ITEMS: dict[str, Item] = {
    item.name: item
    for item in (
        *(
            Item(name, chinese, "fuel", GAS_UNIT if phase == "gas" and name != "refinery_dry_gas" else TONNE, phase)
            for phase, fuels in _FUELS.items()
            for name, chinese in fuels
        ),
        *(
            Item(name, chinese, "fuel", GAS_UNIT, "gas", own_of=name.removeprefix("own_"))
            for name, chinese in _OWN_GASES
        ),
        *(Item(name, chinese, "material") for name, chinese in _MATERIALS),
        *(Item(name, chinese, "product") for name, chinese in _PRODUCTS),
        *(Item(name, chinese, "clinker") for name, chinese in _CLINKERS),
        *(Item(name, chinese, "deduction") for name, chinese in _DEDUCTIONS),
        Item("anode", "炭阳极", "anode"),
        Item("aluminium", "铝液", "metal"),
        Item("anode_effect_minutes", "阳极效应时间", "minutes", MINUTES),
        Item(CARBON_DIOXIDE, "二氧化碳", "monitored"),
        Item("biomass", "生物质", "biomass", phase="solid"),
        Item("electricity", "发电量", "energy", MEGAWATT_HOUR),
        Item("bought_electricity", "购入使用电量", "energy", MEGAWATT_HOUR),
        Item("heat", "供热量", "energy", GIGAJOULE),
        Item("boiler_heat", "锅炉产热量", "energy", GIGAJOULE),
        Item("boiler_efficiency", "锅炉效率", "rate", PERCENT),
        Item("heat_supply_ratio", "供热比", "rate", PERCENT),
    )
}
"""Items by name. The Chinese of the deductions is translated here, as the text of their guideline was not obtained."""

IRON = ("pig_iron", "direct_reduced_iron", "smelting_reduction_iron", "ferronickel")
"""Products of ironmaking, over which the allocation rule measures the intensity of steel."""

SOLD = ("crude_steel", "pig_iron", "crude_benzol", "tar")
"""Products whose carbon leaves a steel enterprise."""

_STEEL_PROCESS_PRODUCTS = {
    "sintering": ("sinter",),
    "pelletising": ("pellets",),
    "ironmaking": IRON,
    "bof": ("crude_steel",),
    "eaf": ("crude_steel",),
}


def _of_kind(*kinds: str) -> tuple[str, ...]:
    return tuple(name for name, item in ITEMS.items() if item.kind in kinds)


FUELS, RATES = _of_kind("fuel"), _of_kind("rate")
OWN_GASES = tuple(name for name, item in ITEMS.items() if item.own_of)
"""What of a gas the enterprise makes itself: it may leave, and processes may burn it, but it does not enter again."""

ENTERING = tuple(name for name in FUELS if name not in OWN_GASES)
COKE = "coke"

ALLOWED: dict[tuple[str, str], tuple[str, ...]] = {
    (ENTERPRISE, "in"): (*ENTERING, *_of_kind("material")),
    (ENTERPRISE, "out"): (*FUELS, *SOLD),
    (ENTERPRISE, "test"): FUELS,
    **{
        (process, flow): FUELS
        for process in PROCESSES_OF[STEEL]
        if process not in (ENTERPRISE, MIXED_FIRED)
        for flow in ("in", "out")
    },
    **{(process, "product"): items for process, items in _STEEL_PROCESS_PRODUCTS.items()},
    (MIXED_FIRED, "in"): FUELS,
    ("clinker", "in"): (*ENTERING, *_of_kind("deduction")),
    ("clinker", "product"): _of_kind("clinker"),
    ("clinker", "test"): ENTERING,
    ("electrolysis", "in"): ("anode", "anode_effect_minutes"),
    ("electrolysis", "product"): ("aluminium",),
    (GENERATION, "in"): (*FUELS, "biomass", "bought_electricity"),
    (GENERATION, "product"): ("electricity", "heat", "heat_supply_ratio", "boiler_heat", "boiler_efficiency"),
    (GENERATION, "test"): (*FUELS, "biomass"),
    **{(GENERATION, flow): FUELS for flow in ("carbon", "oxidation")},
}
for _process in (ENTERPRISE, "clinker"):
    ALLOWED |= {(_process, flow): ALLOWED[_process, "in"] for flow in ("purchase", "stock")}
ALLOWED |= {("electrolysis", flow): ("anode",) for flow in ("purchase", "stock")}
ALLOWED |= {(GENERATION, flow): ALLOWED[GENERATION, "test"] for flow in ("purchase", "stock")}
ALLOWED |= {(process, "monitor"): (CARBON_DIOXIDE,) for process in (ENTERPRISE, "clinker", "electrolysis")}
"""Items of each process and flow; all others are refused."""


def folded(word: str) -> str:
    """Return an English word as the tables write it.

    >>> folded("Washed coking-coal")
    'washed_coking_coal'
    """
    return word.strip().casefold().replace(" ", "_").replace("-", "_")


ITEM_WORDS = {
    **{item.chinese: name for name, item in ITEMS.items()},
    **{item.chinese.replace("自产", "外购"): item.own_of for item in ITEMS.values() if item.own_of},
    "半焦": "semi_coke",
    **{name: name for name in ITEMS},
}
PROCESS_WORDS = {
    **{chinese.removesuffix("工序"): name for name, chinese in PROCESSES.items()},
    **{chinese: name for name, chinese in PROCESSES.items()},
    **dict.fromkeys(("企业层级", "企业边界", "全厂"), ENTERPRISE),
    **{"转炉": "bof", "电炉": "eaf", "炼焦": "coking", "熟料": "clinker", "电解": "electrolysis"},
    **dict.fromkeys(("机组", "发电"), GENERATION),
    **{name: name for name in PROCESSES},
}
FLOW_WORDS = {
    **{chinese: name for name, chinese in FLOWS.items()},
    **dict.fromkeys(("投入", "消耗", "消耗量", "购入并消耗"), "in"),
    **dict.fromkeys(("外供", "外销", "输出量"), "out"),
    **dict.fromkeys(("产出", "产量"), "product"),
    **dict.fromkeys(("检测值", "化验"), "test"),
    **dict.fromkeys(("购入", "购入量", "采购量"), "purchase"),
    **dict.fromkeys(("库存", "库存量", "月末库存"), "stock"),
    **dict.fromkeys(("收到基元素碳含量", "元素碳"), "carbon"),
    "氧化率": "oxidation",
    **{name: name for name in FLOWS},
}
UNIT_WORDS = {
    **{unit: unit for unit in UNITS},
    **dict.fromkeys(("mwh", "兆瓦时", "万千瓦时", "万kwh"), MEGAWATT_HOUR),
    **dict.fromkeys(("gj", "吉焦", "万吉焦", "万gj"), GIGAJOULE),
    **dict.fromkeys(("tc/t", "吨碳/吨"), CARBON_UNITS[TONNE]),
    **dict.fromkeys(("tc/1e4_nm3", "tc/1e4nm3", "tc/10^4nm3", "tc/万nm3", "吨碳/万标立方米"), CARBON_UNITS[GAS_UNIT]),
    **dict.fromkeys(("1e4_nm3", "1e4nm3", "10^4_nm3", "10^4nm3", "万nm3", "万标立方米", "万标方"), GAS_UNIT),
    **dict.fromkeys(("nm3", "标立方米", "标方"), GAS_UNIT),
    **dict.fromkeys(("吨", "万吨", "万t", "1e4_t", "1e4t", "10^4_t", "10^4t"), TONNE),
    **dict.fromkeys(("min/pot_day", "分钟/槽日"), MINUTES),
}
"""The unit of measure in which a quantity of each word is counted."""

POWERS_OF_TEN = {
    **dict.fromkeys(("万吨", "万t", "1e4_t", "1e4t", "10^4_t", "10^4t"), 4),
    **dict.fromkeys(("nm3", "标立方米", "标方"), -4),
    **dict.fromkeys(("万千瓦时", "万kwh"), 1),
    **dict.fromkeys(("万吉焦", "万gj"), 4),
}
"""Powers of ten by which a quantity in one of these words is multiplied; 0 for all others."""
