"""Sections of an allocation: totals, surplus rates, provinces, enterprises, what binds, and the table of units."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import numpy as np

from etsopt.explanation.steps import in_chinese
from etsopt.reports.document.cells import amount, signed, sums_of, table_of
from etsopt.reports.document.content import Column, Commands, Paragraph, Points, Section, Table
from etsopt.reports.document.figures import figure
from etsopt.reports.stated import within_scope
from etsopt.results.equal_allocation import equal_allocation, outside_of
from etsopt.units import format_rate, format_tonnes

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etsopt.reports.document.content import Block, Run

MOST_UNITS = 10_000
"""Units that the table with a search box holds; more are shown by sector and province, and the page says so."""

SHOWN = 10
"""Enterprises on either side."""

TOTALS = ("units", "emissions_tco2e", "reference_t", "allowance_t", "target_t", "surplus_t")
SECTORS = ("sector", *TOTALS, "surplus_rate", "balance_value")
PROVINCES = ("province", *TOTALS[:4], "surplus_t", "surplus_rate", "balance_limit_t")
ENTERPRISES = ("name", "enterprise_id", "province", *TOTALS[:2], "allowance_t", "surplus_t", "surplus_rate")
UNITS = (
    *(
        "unit_id",
        "name",
        "enterprise_id",
        "sector",
        "province",
        "intensity",
        "emissions_tco2e",
        "reference_t",
        "allowance_t",
    ),
    *("surplus_t", "surplus_rate", "at_bound"),
)

BINDS_T = 1.0
"""Distance at which a total counts as at its limit [t]."""


def totals(run: Run) -> Iterator[Section]:
    """Yield totals and targets by sector."""
    if "sectors" not in run.tables:
        return
    sectors = run.tables["sectors"]
    blocks: list[Block] = [table_of(sectors, SECTORS, run.say("By sector", "分行业"), run.zh, totals=_sums(sectors))]
    if fixed := equal_allocation(run.tables):
        blocks.append(Paragraph(run.say(*fixed), "note"))
    if outside := outside_of(run.tables):
        words = (
            f"{outside:,} more are outside the year's scope: no allowances, no obligation, in no total.",
            f"另有 {outside:,} 个单元不在当年度范围内：不分配配额，无清缴义务，不计入合计。",
        )
        blocks.append(Paragraph(run.say(*words), "note"))
    yield Section("totals", run.say("Totals and targets", "总量与目标"), tuple(blocks))


def _sums(table: pd.DataFrame) -> dict[str, float]:
    """Return sums for a last row; a target that not every row has is left out."""
    sums = sums_of(table, TOTALS)
    if "target_t" in sums and table["target_t"].isna().any():
        del sums["target_t"]
    return sums


def rates(run: Run) -> Iterator[Section]:
    """Yield the distribution of surplus rates, and the rates by intensity."""
    blocks = [*figure(run, "rates"), *figure(run, "surplus"), *figure(run, "intensity")]
    if blocks:
        yield Section("rates", run.say("Surplus rates of units", "单元盈缺率"), tuple(blocks))


def provinces(run: Run) -> Iterator[Section]:
    """Yield surplus and balance of each province."""
    if "provinces" not in run.tables:
        return
    table = run.tables["provinces"]
    blocks: list[Block] = [*figure(run, "provinces")]
    blocks.append(table_of(table, PROVINCES, run.say("By province", "分省份"), run.zh, totals=_sums(table)))
    yield Section("provinces", run.say("Provinces", "省份"), tuple(blocks))


def enterprises(run: Run) -> Iterator[Section]:
    """Yield the enterprises that have the most to buy and to sell."""
    if "enterprises" not in run.tables or "surplus_t" not in run.tables["enterprises"]:
        return
    table = run.tables["enterprises"]
    short, left = table[table["surplus_t"] < -0.5], table[table["surplus_t"] > 0.5]
    blocks: list[Block] = [*figure(run, "enterprises")]
    for part, largest, words in (
        (short, short.nsmallest(SHOWN, "surplus_t"), ("Largest deficits: to buy", "缺口最大：需买入")),
        (left, left.nlargest(SHOWN, "surplus_t"), ("Largest surpluses: to sell", "盈余最大：可卖出")),
    ):
        if len(part):
            total = amount(float(part["surplus_t"].abs().sum()), "t", run.zh)
            note = run.say(
                f"{len(largest):,} of {len(part):,} enterprises, which together have {total}.",
                f"{len(part):,} 家企业中的 {len(largest):,} 家，全部合计 {total}。",
            )
            blocks.append(table_of(largest, ENTERPRISES, run.say(*words), run.zh, note=note, exact=True))
    if len(blocks) > 1:
        title = ("Largest buyers and sellers", "主要买方和卖方")
        if "enterprise_years" in run.tables:
            title = ("Largest deficits and surpluses, before measures", "减排前缺口和盈余最大的企业")
        yield Section("enterprises", run.say(*title), tuple(blocks))


def binding(run: Run) -> Iterator[Section]:
    """Yield the limits that bind, what one tonne more would save, and the key of the policy that states each."""
    if "sectors" not in run.tables or not run.results.levels:
        return
    rows = [*_targets(run), *_balances(run), *_bands(run)]
    heads = ("limit", "at", "one more tonne saves", "loosen it with")
    if run.zh:
        heads = ("限值", "取值", "放宽一吨可少调整", "放宽所用政策项")
    columns = tuple(Column(head, "", place in (1, 2)) for place, head in enumerate(heads))
    blocks: list[Block] = []
    if rows:
        note = run.say(
            "The third column is the shadow price of the first objective: tonnes of change against the rule that one "
            "tonne more on the limit would save. It holds for small moves, and where several limits bind together it "
            "need not be the only one.",
            "第三列为首个目标的影子价格：限值放宽一吨可少调整的吨数。仅对小幅变动成立；多个限值同时起作用时可能不唯一。",
        )
        blocks.append(Table(run.say("Limits that bind", "起作用的限值"), columns, tuple(rows), (), note))
    else:
        blocks.append(Paragraph(run.say("No limit binds: the rule alone keeps them all.", "没有限值起作用。")))
    text = run.say("Why one unit got its number, and what it would take to get one tonne more:", "解释某个单元的配额：")
    blocks += [Paragraph(text), Commands((f"etsopt explain {shlex.quote(run.folder)} UNIT",))]
    yield Section("binding", run.say("What binds, and what would loosen it", "起作用的限值及放宽办法"), tuple(blocks))


def _targets(run: Run) -> Iterator[tuple[str, ...]]:
    sectors = run.tables["sectors"]
    for row in sectors[sectors["under_target_t"].abs() <= BINDS_T].to_dict("records"):
        sector = str(row["sector"])
        name = run.say(f"target of {sector}", f"{in_chinese(sector)}行业目标")
        stated = (run.policy.get("sectors") or {}).get(sector) or {}
        key = next((key for key in ("target_t", "target_intensity") if stated.get(key) is not None), "target_change")
        price = _saving(float(row.get("change_shadow_price", np.nan)), run)
        yield name, amount(float(row["target_t"]), "t", run.zh), price, f"sectors.{sector}.{key}"


def _balances(run: Run) -> Iterator[tuple[str, ...]]:
    if "provinces" not in run.tables:
        return
    table = run.tables["provinces"]
    here = table[(table["surplus_t"].abs() - table["balance_limit_t"]).abs() <= BINDS_T]
    by_name = isinstance((run.policy.get("provinces") or {}).get("balance"), dict)
    for row in here[here["emissions_tco2e"] > 0].to_dict("records"):
        province = str(row["province"])
        name = run.say(f"balance of {province}", f"{in_chinese(province)}盈缺平衡")
        key = f"provinces.balance.{province}" if by_name else "provinces.balance"
        price = _saving(float(row.get("change_shadow_price", np.nan)), run)
        yield name, amount(float(row["surplus_t"]), "t", run.zh), price, key


def _bands(run: Run) -> Iterator[tuple[str, ...]]:
    for row in run.tables["sectors"].to_dict("records"):
        sector = str(row["sector"])
        for side, english, chinese in (("lower", "lower", "下限"), ("upper", "upper", "上限")):
            count = int(row[f"units_{side}"])
            if count:
                name = run.say(f"{english} end of the band of {sector}", f"{in_chinese(sector)}盈缺率{chinese}")
                units = run.say(f"{count:,} {'unit' if count == 1 else 'units'}", f"{count:,} 个单元")
                yield name, units, "–", f"sectors.{sector}.band.{side}"


def _saving(price: float, run: Run) -> str:
    """Return what one tonne more on a limit saves, by its shadow price."""
    if not np.isfinite(price):
        return "–"
    return f"{signed(f'{abs(price) + 0.0:.4g}')} {run.say('t', '吨')}"


def units(run: Run) -> Iterator[Section]:
    """Yield the table of units with its search box; of too many, totals by sector and province."""
    if "allocation" not in run.tables or not len(run.tables["allocation"]):
        return
    table = run.tables["allocation"]
    if "in_scope" in table and run.results.held is not None:
        why = run.say("outside the scope", "不在当年度分配范围")
        bound = table["at_bound"].where(table["in_scope"], why)
        table = within_scope(table, run.results.instance).assign(at_bound=bound)
    blocks: list[Block] = []
    if len(table) <= MOST_UNITS:
        caption = run.say(f"All {len(table):,} units", f"全部 {len(table):,} 个单元")
        blocks.append(table_of(table, UNITS, caption, run.zh, exact=True, key="units"))
    else:
        words = (
            f"The run has {len(table):,} units, too many for a page: here they are added up by sector and province. "
            "The table allocation of the run has each of them; etsopt explain and --letter tell of one.",
            f"本次结果有 {len(table):,} 个单元，页面按行业和省份汇总。运行结果的表 allocation 列有每个单元；"
            "可用 etsopt explain 或 --letter 查看某个单元或企业。",
        )
        blocks.append(Paragraph(run.say(*words), "warning"))
        columns = [name for name in TOTALS if name in table]
        groups = table.groupby(["sector", "province"], as_index=False, observed=True)
        added = groups[columns].sum().merge(groups.size().rename(columns={"size": "units"}))
        added["surplus_rate"] = added["surplus_t"] / added["emissions_tco2e"].where(added["emissions_tco2e"] > 0)
        caption = run.say("Units by sector and province", "按行业和省份汇总")
        shown = ("sector", "province", *TOTALS[:4], "surplus_t", "surplus_rate")
        blocks.append(table_of(added, shown, caption, run.zh, key="units"))
    yield Section("units", run.say("Units", "单元"), tuple(blocks))


def relaxed(run: Run) -> Iterator[Section]:
    """Yield relaxations of an infeasible policy, called least if that is proven, and the policies that would do."""
    if "relaxed_limits" not in run.tables:
        return
    frame = run.tables["relaxed_limits"]
    blocks: list[Block] = []
    remedies = run.results.remedies if run.results.held is not None else ()
    if remedies:
        blocks.append(
            Paragraph(run.say("Each of these changes makes the policy feasible:", "下列任一变更可使政策可行："))
        )
        lines = [
            run.named(run.say(f"remedy {one.number}", f"方案 {one.number}"), run.named(run.say(*one.way), one.text))
            for one in remedies
        ]
        blocks.append(Points(tuple(lines)))
        name = f"{shlex.quote(run.folder)}/instance"
        blocks.append(Commands(tuple(f"etsopt solve {name} --apply-remedy {one.number}" for one in remedies)))
    blocks += figure(run, "relaxations")
    proven = any(level.name == "target_relaxation" and level.certified for level in run.results.levels)
    unproven = " (not proven to be the least)", "（未证明为最小）"
    titles = {
        "alone": ("Infeasible even without the other limits", "即使没有其他限值也不可行"),
        "target_relaxation": (
            f"Bands kept, targets and balances relaxed{' least' if proven else unproven[0]}",
            f"保持盈缺率限值，{'最少放宽目标和平衡' if proven else '放宽目标和平衡' + unproven[1]}",
        ),
        "band_relaxation": (
            f"Targets kept, bands and balances relaxed{unproven[0]}",
            f"保持目标，放宽盈缺率限值和平衡{unproven[1]}",
        ),
    }
    for way, words in titles.items():
        rows = frame[frame["way_out"] == way]
        if len(rows):
            blocks.append(_relaxations(run, rows, run.say(*words)))
    yield Section("relaxed", run.say("What would have to give", "须放宽的限值"), tuple(blocks))


MOST_LIMITS = 12
"""Limits of each way out that the page shows."""

LIMITS = {
    "target": ("target of", "行业目标"),
    "balance": ("balance of", "盈缺平衡"),
    "band": ("band of", "盈缺率限值"),
    "nation": ("national total", "全国总量"),
}


def _relaxations(run: Run, rows: pd.DataFrame, caption: str) -> Table:
    heads = ("限值", "放宽量", "放宽前", "放宽后") if run.zh else ("limit", "relax by", "from", "to")
    cells = []
    for row in rows.head(MOST_LIMITS).to_dict("records"):
        index, words = str(row["index"]), LIMITS[str(row["limit"])]
        name = run.say(f"{words[0]} {index}".strip(), f"{in_chinese(index)}{words[1]}")
        form = (lambda value: f"{format_tonnes(value)} {run.say('t', '吨')}") if row["unit"] == "t" else format_rate
        cells.append((name, *(signed(form(float(row[key]))) for key in ("by", "from", "to"))))
    columns = tuple(Column(head, "", place > 0) for place, head in enumerate(heads))
    left = len(rows) - MOST_LIMITS
    more = f"{left} more are in the table relaxed_limits.", f"另有 {left} 项，见表 relaxed_limits。"
    return Table(caption, columns, tuple(cells), (), run.say(*more) if left > 0 else "")
