"""Sections of a compliance year, a reconciliation, a plan of reviews, and a model of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.language import _
from etsopt.reports.compliance import FLOWS, MET, MONEY
from etsopt.reports.document.cells import sums_of, table_of, used
from etsopt.reports.document.content import Column, Paragraph, Section, Table
from etsopt.reports.document.figures import figure
from etsopt.reports.stated import as_stated
from etsopt.results.claims import PROGRAM
from etsopt.results.words import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.reports.document.content import Block, Run

SURRENDER = (
    *("enterprises", "enterprises_at_risk", "enterprises_with_shortfall", "units"),
    *tuple(name for name, *_ in MET if name != "completion"),
)
MOVES = tuple(name for name, *_ in FLOWS)
MONEYS = tuple(name for name, *_ in MONEY)
ISSUED = (
    *("sector", "enterprises", "units", "emissions_tco2e", "reference_t", "allowance_t", "pre_allocated_t"),
    *("top_up_t", "return_t", "balance_value"),
)
SHORT = (
    *("enterprise_id", "province", "obligation_t", "shortfall_t", "regime", "reference_price_cny_per_t", "multiple"),
    *("penalty_cny", "fixed_fine_cny", "deducted_next_year_t"),
)
OWED = (
    *("enterprise_id", "province", "units", "obligation_t", "issued_t", "bought_t", "sold_t", "surrendered_t"),
    *("offset_t", "shortfall_t", "closing_t", "cost_cny"),
)
SHOWN = 20
MOST_ENTERPRISES = 10_000
"""Enterprises that the table with a search box holds."""

RECONCILED = (
    *("unit_id", "sector", "province", "reported_tco2e", "lowest_tco2e", "reconciled_tco2e", "highest_tco2e"),
    *("conservative_tco2e", "substituted", "gross_reports"),
)
REVIEWS = (
    *("level", "province", "enterprises", "reviews", "least_reviews", "drawn", "available_days", "review_days"),
    *("travel_days", "covered_tco2e", "further_day_covers_tco2e"),
)
PLAN = ("enterprise_id", "name", "province", "city", "level", "days", "at_risk_tco2e", "covered_tco2e", "reason")
LACKING = ("level", "province", "enterprises", "needed_reviews", "needed_days", "available_days", "missing_days")
KINDS = {
    "Set": "集合",
    "Param": "参数",
    "Var": "变量",
    "Expression": "表达式",
    "Constraint": "约束",
    "Objective": "目标",
}
"""Chinese words for components of a formulation."""

PREVIEW = 10
"""Rows of each table of a user's own model."""


def compliance(run: Run) -> Iterator[Section]:
    """Yield surrender, allowances and money of the nation and of provinces, shortfalls, and enterprises."""
    if "nation" not in run.tables or "compliance" not in run.tables:
        return
    nation, tables, zh = run.tables["nation"], run.tables, run.zh
    blocks: list[Block] = [
        table_of(nation, SURRENDER, run.say("Surrender", "清缴"), zh),
        table_of(nation, used(nation, MOVES), run.say("Allowances", "配额收支"), zh),
        table_of(nation, used(nation, MONEYS), run.say("Money", "资金"), zh),
    ]
    if "compliance_sectors" in tables:
        sectors = tables["compliance_sectors"]
        if run.results.held is not None:
            sectors = as_stated(sectors, run.results.instance, "sector")
        sums = sums_of(sectors, [name for name in ISSUED[2:9] if name in sectors and sectors[name].notna().all()])
        blocks.append(table_of(sectors, ISSUED, run.say("Issued by sector", "分行业发放"), zh, totals=sums))
    yield Section("nation", run.say("Surrender of the year", "年度清缴"), (*blocks, *figure(run, "compliance")))
    if "compliance_provinces" in tables:
        provinces, foot = tables["compliance_provinces"], nation.iloc[0].to_dict()
        parts = (
            (SURRENDER, ("Surrender by province", "分省份清缴")),
            (MOVES, ("Allowances by province", "分省份配额收支")),
            (MONEYS, ("Money by province", "分省份资金")),
        )
        shown = tuple(
            table_of(provinces, used(provinces, ("province", *columns)), run.say(*words), zh, totals=foot)
            for columns, words in parts
        )
        yield Section("provinces", run.say("Provinces", "省份"), shown)
    if "shortfalls" in tables:
        short = tables["shortfalls"]
        text = run.say("None: every enterprise meets its obligation in full.", "无：全部单位足额清缴。")
        found: Block = Paragraph(text)
        if len(short):
            most = short.nlargest(SHOWN, "shortfall_t")
            note = run.say(
                f"{len(most):,} of {len(short):,} enterprises.", f"{len(short):,} 家企业中的 {len(most):,} 家。"
            )
            found = table_of(most, SHORT, run.say("Shortfalls", "未足额清缴"), zh, note=note, exact=True)
        yield Section("shortfalls", run.say("Shortfalls", "未足额清缴"), (found,))
    yield from _enterprises(run)


def _enterprises(run: Run) -> Iterator[Section]:
    table = run.tables["compliance"]
    largest = table if len(table) <= MOST_ENTERPRISES else table.nlargest(MOST_ENTERPRISES, "obligation_t")
    caption = run.say(f"All {len(table):,} enterprises", f"全部 {len(table):,} 家企业")
    if len(largest) < len(table):
        words = (f"The {len(largest):,} largest of {len(table):,} enterprises", f"最大的 {len(largest):,} 家企业")
        caption = run.say(*words)
    words = (
        _("A sheet for each enterprise: etsopt report RUN --sheets; a letter to one: --letter ENTERPRISE."),
        "每家企业的中英文明细：etsopt report RUN --sheets；单页通知：--letter 企业编号。",
    )
    listing = table_of(largest, used(largest, OWED), caption, run.zh, exact=True, key="enterprises")
    yield Section("listing", run.say("Enterprises", "企业"), (Paragraph(run.say(*words), "note"), listing))


def reconciliation(run: Run) -> Iterator[Section]:
    """Yield the interval of emissions of each unit."""
    if "reconciliation" not in run.tables:
        return
    table = run.tables["reconciliation"]
    caption = run.say("Emissions of units: reported, and what the evidence allows", "各单元排放量及证据支持的区间")
    yield Section(
        "reconciliation",
        run.say("Emissions that the evidence allows", "证据支持的排放量"),
        (
            *figure(run, "reconciliation"),
            table_of(table, RECONCILED, caption, run.zh, exact=True, key="units"),
        ),
    )


def reviews(run: Run) -> Iterator[Section]:
    """Yield the reviews of each level and province, and the plan."""
    if "review_days" not in run.tables or "plan" not in run.tables:
        return
    days, plan = run.tables["review_days"], run.tables["plan"]
    yield Section(
        "reviews",
        run.say("Reviews", "审核"),
        (
            *figure(run, "review_plan"),
            table_of(days, REVIEWS, run.say("Reviews by level and province", "分级别和省份的审核"), run.zh),
            table_of(plan, PLAN, run.say("Plan", "计划"), run.zh, exact=True, key="plan"),
        ),
    )


def missing_days(run: Run) -> Iterator[Section]:
    """Yield the days that reviewers lack, where no plan of reviews exists."""
    if "missing_days" not in run.tables:
        return
    table, title = run.tables["missing_days"], run.say("Days that are missing", "缺少的人天")
    yield Section("missing-days", title, (*figure(run, "missing_days"), table_of(table, LACKING, title, run.zh)))


def own_model(run: Run) -> Iterator[Section]:
    """Yield the first rows of each table of a model that the checker does not know."""
    if run.about.get("formulation"):
        yield Section("formulation", run.say("Formulation", "模型"), (_formulation(run),))
    shown = []
    for name, table in run.tables.items():
        if name.startswith(PROGRAM):
            continue
        words = TABLES.get(name, (name, name))
        note = run.say(
            f"{min(len(table), PREVIEW)} of {len(table):,} rows.",
            f"{len(table):,} 行中的 {min(len(table), PREVIEW)} 行。",
        )
        columns = [str(column) for column in table]
        shown.append(table_of(table.head(PREVIEW), columns, run.say(*words), run.zh, note=note))
    if shown:
        yield Section("tables", run.say("Tables", "结果表"), tuple(shown))


def _formulation(run: Run) -> Table:
    """Return the components of a user's own model with what their ``doc`` says."""
    rows = [
        (run.say(stated["kind"], KINDS.get(stated["kind"], stated["kind"])), stated["name"], stated["doc"])
        for stated in run.about["formulation"]
    ]
    heads = (run.say("kind", "类别"), run.say("name", "名称"), run.say("meaning", "含义"))
    caption = run.say("What the file says of its components", "模型文件对各部分的说明")
    return Table(caption, tuple(Column(head, "", False) for head in heads), tuple(rows))
