"""The report of a compliance year: nation, provinces, shortfalls, and a sheet for each enterprise."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.errors import DataError, Problem, UsageError
from etsopt.language import _
from etsopt.reports.page import both, figures, page
from etsopt.reports.stated import OF_PRE_ALLOCATION, as_stated
from etsopt.results.comparison import SOLVE_AGAIN, require
from etsopt.results.notices import covers_nation, notices

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etsopt.data.instance import Instance
    from etsopt.reports.page import Row
    from etsopt.results.results import Results

FLOWS = (
    ("opening_t", "opening", "期初持仓量"),
    ("carried_over_t", "carried over", "结转"),
    ("issued_t", "issued", "发放"),
    ("bought_t", "bought", "买入"),
    ("surrendered_t", "surrendered", "清缴"),
    ("sold_t", "sold", "卖出"),
    ("cancelled_t", "cancelled", "收回注销"),
    ("closing_t", "closing", "期末持仓量"),
)
MET = (
    ("obligation_t", "obligation", "应清缴配额"),
    ("surrendered_t", "allowances surrendered", "清缴配额"),
    ("offset_t", "offsets used", "抵销"),
    ("shortfall_t", "shortfall", "未足额清缴"),
    ("completion", "completion %", "完成率 %"),
)
COUNTS = (
    ("enterprises", "enterprises", "重点排放单位"),
    ("enterprises_at_risk", "at risk", "风险单位"),
    ("enterprises_with_shortfall", "with shortfall", "未足额清缴"),
    ("units", "units", "单元"),
)
PROVINCE = (
    ("province_received_t", "received", "转入省级账户"),
    ("province_surrendered_t", "surrendered first", "优先清缴"),
    ("province_released_t", "released", "剩余拨付"),
)
MONEY = (
    ("purchases_cny", "purchases", "买入支出"),
    ("offsets_cny", "offsets", "抵销支出"),
    ("transactions_cny", "transactions", "交易成本"),
    ("penalty_cny", "fine by shortfall", "按缺口罚款"),
    ("fixed_fine_cny", "fixed fine", "定额罚款"),
    ("sales_cny", "sales", "卖出收入"),
    ("cost_cny", "net cost", "净支出"),
    ("kept_worth_cny", "value of holdings", "结余价值"),
)
ISSUED = (
    ("emissions_tco2e", "verified emissions", "经核查排放量"),
    ("reference_t", "reference", "参考配额"),
    ("allowance_t", "allowances", "核定配额"),
    ("pre_allocated_t", "pre-allocated", "预分配配额"),
    ("top_up_t", "top-up", "补发"),
    ("return_t", "return", "缴回"),
)
SECTORS = {"cement": "cement 水泥", "steel": "steel 钢铁", "aluminium": "aluminium 铝冶炼", "power": "power 发电"}
NAME = ("enterprise_id", "enterprise", "重点排放单位")
WHERE = ("province", "province", "省份")

TEXTS = {
    "compliance": ("enterprise_id", "province"),
    "holdings": ("enterprise_id",),
    "issuance": ("unit_id", "enterprise_id", "sector", "province"),
    "compliance_sectors": ("sector",),
    "compliance_provinces": ("province",),
    "nation": (),
    "shortfalls": ("enterprise_id", "province", "regime"),
}
"""Text columns of the page, by table."""

COMMON = tuple(name for name, *_ in (*FLOWS, *MET, *PROVINCE, *MONEY) if name != "completion")
COUNTED = tuple(name for name, *_ in COUNTS)
OF_RULE = tuple(name for name, *_ in ISSUED)
NUMBERS = {
    "compliance": ("emissions_tco2e", "at_risk", "deducted_next_year_t", *COMMON),
    "holdings": ("vintage", "usable", *(name for name, *_ in FLOWS)),
    "issuance": OF_RULE,
    "compliance_sectors": ("enterprises", "units", *OF_RULE),
    "compliance_provinces": (*COUNTED, *COMMON),
    "nation": (*COUNTED, *COMMON),
    "shortfalls": ("obligation_t", "shortfall_t", "penalty_cny", "fixed_fine_cny", "deducted_next_year_t"),
}
"""Number columns of the page, by table."""


def compliance_page(instance: Instance, results: Results, enterprises: Sequence[str] = ()) -> str:
    """Return the report of a compliance year as one HTML page.

    Parameters
    ----------
    enterprises
        Enterprises whose sheets to include; all if empty.

    Raises
    ------
    UsageError
        If the run is no compliance year, or has no such enterprise.
    DataError
        If a table or column of the run is missing.
    """
    tables = results.tables
    if "compliance" not in tables:
        advice = _("Solve one first: etsopt solve INSTANCE --model compliance --out DIR.")
        raise UsageError(_("The run holds no compliance year to report."), advice)
    require(results, TEXTS, NUMBERS, "The run")
    if not len(tables["nation"]):
        problem = Problem("tables/nation", _("has no row"), SOLVE_AGAIN)
        raise DataError(_("The run"), [problem])
    missing = sorted(set(enterprises) - set(tables["compliance"]["enterprise_id"]))
    if missing:
        what = _("The run has no enterprise {name}.", name=repr(missing[0]))
        raise UsageError(what, _("The table `compliance` of the run lists them."))
    year = instance.policy.year
    keys = {"issuance": "unit_id", "compliance_sectors": "sector"}
    tables = {**tables, **{name: as_stated(tables[name], instance, key) for name, key in keys.items()}}
    whole = _whole(results)
    parts = [_head(instance, results), _nation(tables, whole), _provinces(tables, whole), _shortfalls(tables)]
    parts += _sheets(instance, tables, set(enterprises))
    return page(f"Compliance year {year}: {results.provenance['instance']}", f"{year}年度配额清缴报告", parts)


def _head(instance: Instance, results: Results) -> str:
    """Return the verdict, the inputs of the run, and the links of the page."""
    policy = instance.policy.model_dump(mode="json", exclude_none=True)
    market, penalty = policy.get("market", {}), policy.get("penalty", {})
    price = market.get("prices_cny_per_t")
    reference = penalty.get("reference_price_cny_per_t")
    verdict = ("certified: every figure recomputed from the instance", "已验证：全部数字由独立程序复核")
    if not results.certified:
        verdict = ("not certified: the figures are not proven", "未通过验证")
    told = [f'<p class="meta">{both(*words)}</p>' for words in notices(results.provenance)]
    whole = " ".join(_whole(results))
    lines = [
        f'<p><span class="verdict {"yes" if results.certified else "no"}">{both(*verdict)}</span></p>',
        f'<p class="meta">Instance {escape(results.provenance["instance"])}, SHA-256 {instance.hash[:16]}…; rule '
        f"{escape(instance.policy.rule.name)}; allowance price {_stated(price)}; reference price of fines "
        f"{_stated(reference)}, multiple {penalty.get('multiple', 5):g}. All quantities in whole tonnes (1 allowance = "
        "1 t CO2e), amounts in CNY.</p>",
        '<p class="meta" lang="zh">数量单位为吨（1个配额对应1吨二氧化碳当量），金额单位为元。'
        "恒等式：期初持仓量 + 结转 + 发放 + 买入 = 清缴 + 卖出 + 收回注销 + 期末持仓量。</p>",
        *told,
        f'<nav><a href="#nation">{whole}</a><a href="#provinces">provinces 省份</a>'
        '<a href="#shortfalls">shortfalls 未清缴</a><a href="#sheets">enterprises 单位</a></nav>',
    ]
    return "\n".join(lines)


def _stated(price: Any) -> str:
    if isinstance(price, dict):
        return ", ".join(f"{year}: {value:g}" for year, value in price.items()) + " CNY/t"
    return "not stated" if price is None else f"{price:g} CNY/t"


def _rows(table: pd.DataFrame) -> list[Row]:
    """Return the rows of a table, with the share of the obligation that is met."""
    met = table["surrendered_t"] + table["offset_t"]
    share = (100 * met / table["obligation_t"]).where(table["obligation_t"] > 0)
    # Rounded down: only an obligation met to the last tonne is 100 %.
    return table.assign(completion=(share * 100 // 1) / 100).to_dict("records")


def _whole(results: Results) -> tuple[str, str]:
    """Return what all enterprises together are, in English and Chinese."""
    return ("nation", "全国") if covers_nation(results.provenance) else ("this table", "本表")


def _nation(tables: dict[str, pd.DataFrame], whole: tuple[str, str]) -> str:
    nation = _rows(tables["nation"])
    sectors = tables["compliance_sectors"]
    sectors = sectors.assign(sector=sectors["sector"].replace(SECTORS))
    counts = (("sector", "sector", "行业"), COUNTS[0], COUNTS[3], *ISSUED)
    balance = ("balance_value", "balance value [t/t]", "平衡值")
    total = sectors.select_dtypes("number").drop(columns="balance_value", errors="ignore").sum(min_count=1).to_dict()
    # A sum of some sectors is no total.
    total |= {name: np.nan for name in OF_PRE_ALLOCATION if sectors[name].isna().any()}
    # An enterprise may own units of several sectors.
    total |= {"sector": "all 合计", "enterprises": nation[0]["enterprises"]}
    blocks = [
        f'<h2 id="nation">{both(whole[0].capitalize(), whole[1])}</h2>',
        figures(nation, (*COUNTS, *MET)),
        f"<h3>{both('Allowances', '配额收支')}</h3>",
        figures(nation, FLOWS),
        f"<h3>{both('Provincial accounts for enterprises at risk', '省级账户（差异化发放）')}</h3>",
        figures(nation, PROVINCE),
        f"<h3>{both('Money', '资金')} [CNY 元]</h3>",
        figures(nation, MONEY),
        f"<h3>{both('Allowances issued by sector', '分行业发放')}</h3>",
        figures(sectors.to_dict("records"), (*counts, balance), total),
    ]
    return "\n".join(blocks)


def _provinces(tables: dict[str, pd.DataFrame], whole: tuple[str, str]) -> str:
    provinces, nation = (_rows(tables[name]) for name in ("compliance_provinces", "nation"))
    foot = {**nation[0], "province": " ".join(whole)}
    at_risk = [row for row in provinces if row["enterprises_at_risk"]]
    return "\n".join(
        [
            f'<h2 id="provinces" class="part">{both("Provinces", "省份")}</h2>',
            f"<h3>{both('Surrender', '清缴')}</h3>",
            figures(provinces, (WHERE, *COUNTS, *MET), foot),
            f"<h3>{both('Allowances', '配额收支')}</h3>",
            figures(provinces, (WHERE, *FLOWS), foot),
            f"<h3>{both('Provincial accounts for enterprises at risk', '省级账户（差异化发放）')}</h3>",
            figures(at_risk, (WHERE, COUNTS[1], *PROVINCE), foot),
            f"<h3>{both('Money', '资金')} [CNY 元]</h3>",
            figures(provinces, (WHERE, *MONEY), foot),
        ]
    )


def _shortfalls(tables: dict[str, pd.DataFrame]) -> str:
    table = tables["shortfalls"]
    head = f'<h2 id="shortfalls">{both("Shortfalls", "未足额清缴")}</h2>'
    if not len(table):
        return (
            f"{head}\n<p>{both('None: every enterprise meets its obligation in full.', '无：全部单位足额清缴。')}</p>"
        )
    law = ("regime", "law at the deadline", "适用法规（截止日）")
    price, times = ("reference_price_cny_per_t", "reference price", "参考价格"), ("multiple", "multiple", "倍数")
    deducted = ("deducted_next_year_t", "deducted next year", "核减下一年度")
    headings = (NAME, WHERE, MET[0], MET[3], law, price, times, *MONEY[3:5], deducted)
    return f"{head}\n{figures(table.to_dict('records'), headings)}"


def _sheets(instance: Instance, tables: dict[str, pd.DataFrame], wanted: set[str]) -> Iterator[str]:
    """Yield one sheet for each enterprise."""
    yield f'<h2 id="sheets" class="part">{both("Enterprises", "重点排放单位")}</h2>'
    names = _names(instance)
    vintages = tables["holdings"].assign(vintage=tables["holdings"]["vintage"].map("{:.0f}".format))
    holdings = _by_enterprise(vintages)
    units = _by_enterprise(tables["issuance"].assign(sector=tables["issuance"]["sector"].replace(SECTORS)))
    for row in sorted(_rows(tables["compliance"]), key=lambda row: str(row["enterprise_id"])):
        enterprise = str(row["enterprise_id"])
        if not wanted or enterprise in wanted:
            yield _sheet(row, names.get(enterprise, ""), holdings[enterprise], units[enterprise])


def _by_enterprise(table: pd.DataFrame) -> defaultdict[str, list[Row]]:
    """Return the rows of a table by their enterprise."""
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for row in table.to_dict("records"):
        rows[row["enterprise_id"]].append(row)
    return rows


def _names(instance: Instance) -> dict[str, str]:
    table = instance.enterprises
    if table is None or "name" not in table:
        return {}
    return dict(zip(table["enterprise_id"], table["name"].fillna(""), strict=True))


def _sheet(row: Row, name: str, holdings: Sequence[Row], units: Sequence[Row]) -> str:
    enterprise, province = str(row["enterprise_id"]), str(row["province"])
    risk = f", {both('allowances through the provincial account', '配额经省级账户差异化发放')}"
    where = f"{escape(enterprise)}, {escape(province) or '–'}{risk if row['at_risk'] else ''}"
    blocks = [
        f'<section class="sheet"><h3>{escape(name or enterprise)}</h3>',
        f'<p class="meta">{where}</p>',
        figures([row], (("emissions_tco2e", "verified emissions", "经核查排放量"), *MET)),
    ]
    if units:
        blocks.append(figures(units, (("unit_id", "unit", "单元"), ("sector", "sector", "行业"), WHERE, *ISSUED)))
    if holdings:
        heads = (("vintage", "vintage", "配额年度"), ("usable", "usable this year", "可用于本年度"), *FLOWS)
        blocks.append(figures(holdings, heads, {**row, "vintage": "all 合计"}))
    if row["at_risk"]:
        blocks.append(figures([row], PROVINCE))
    deducted = (("deducted_next_year_t", "deducted next year [t]", "核减下一年度"),) if row["shortfall_t"] else ()
    blocks.append(figures([row], (*MONEY, *deducted)))
    return "\n".join([*blocks, "</section>"])
