"""Sections of a market: prices and what sets them, quantities, measures, costs, and balance values after abatement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.charts.texts import in_unit
from etsopt.language import _
from etsopt.reports.document.answer import NO_PRICE, SAME_PRICE
from etsopt.reports.document.cells import NO_TONNES, amount, rate, table_of, used
from etsopt.reports.document.content import Paragraph, Section
from etsopt.reports.document.figures import figure
from etsopt.results.prices import has_price

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.reports.document.content import Block, Run

SHOWN = 10
"""Enterprises on either side."""

MEASURES_SHOWN = 12

MOST_UNITS = 10_000
"""Units that the table with a search box holds."""

SET_BY = {
    NO_PRICE: "自平衡",
    "terminal price": "期末价格",
    "no scarcity": "不稀缺",
    "outside": "外部价格",
    "ceiling": "价格上限",
    "floor": "价格下限",
    "offsets": "抵销",
    "penalty": "罚款",
    "abatement": "减排",
    "scarcity": "稀缺",
}
"""Chinese words for what sets a price."""

QUANTITIES = (
    *("year", "emissions_before_tco2e", "emissions_tco2e", "allowance_t", "auctioned_t", "offset_t"),
    *("banked_t", "lapsed_t", "outstanding_t"),
)
COSTS = (
    *("year", "measures_cost_cny", "resource_cost_cny", "transfers_cny", "transaction_cost_cny", "offsets_cost_cny"),
    *("penalty_cny",),
)
TRADERS = (
    *("enterprise_id", "name", "province", "year", "emissions_tco2e", "allowance_t", "bought_t", "sold_t"),
    *("total_cost_cny",),
)
MEASURES = ("measure_id", "sector", "units", "abated_tco2e", "measures_cost_cny", "measures_cost_cny_per_t")
SECTOR_YEARS = ("sector", "year", "emissions_before_tco2e", "emissions_tco2e", "allowance_t", "measures_cost_cny")
UNIT_YEARS = (
    *("unit_id", "sector", "province", "emissions_before_tco2e", "emissions_tco2e", "allowance_t", "surplus_t"),
    *("measures", "measures_cost_cny", "marginal_incentive_cny_per_t"),
)
BALANCE = (
    *("sector", "year", "balance_value_before", "balance_value", "emissions_before_tco2e", "emissions_tco2e"),
    *("measures_cost_cny", "fixed_points"),
)


def prices(run: Run) -> Iterator[Section]:
    """Yield the price of each year with its interval, and what sets it."""
    if "years" not in run.tables or not len(run.tables["years"]) or not has_price(run.tables):
        return
    years = run.tables["years"]
    shown = years[["year", "price_cny_per_t", "price_lower_cny_per_t", "price_upper_cny_per_t"]].copy()
    blocks: list[Block] = [*figure(run, "supply_demand")]
    found = years if "closure" not in run.tables else years[(run.tables["closure"]["set_by"] != NO_PRICE).to_numpy()]
    # A single price says no more in a chart.
    blocks += [*figure(run, "prices")] if len(found) > 1 else []
    notes = []
    if "closure" in run.tables:
        set_by = run.tables["closure"]["set_by"]
        shown["set_by"] = [run.say(str(name), SET_BY.get(str(name), str(name))) for name in set_by]
        free = (set_by == NO_PRICE).to_numpy()
        if free.any():
            notes.append(
                run.say(
                    "In self-balancing years allowances equal emissions after abatement: nothing is scarce, and every "
                    "price from the next year's, discounted, up clears. The price shown is one of them.",
                    "自平衡年度的配额等于减排后排放量，配额不稀缺；不低于次年碳价现值的任何碳价均可出清，表中为其一。",
                )
            )
        notes.append(_closure(run))
    if "lapsed_t" in years and (lapsed := float(years["lapsed_t"].sum())) > NO_TONNES:
        kept = amount(lapsed, "t", run.zh)
        notes.append(run.say(f"{kept} lapse, since they may not be banked.", f"{kept}不得跨期使用，失效。"))
    caption = run.say(*in_unit("Price of an allowance", "碳价", str(years["price_unit"].iloc[0])))
    obtained = run.say(f"How it was obtained: {years['price_obtained'].iloc[0]}.", "")
    columns = ("year", "price_cny_per_t", "price_lower_cny_per_t", "price_upper_cny_per_t", "set_by")
    blocks.append(table_of(shown, columns, caption, run.zh, note=obtained))
    blocks += [Paragraph(note, "note") for note in notes if note]
    blocks += [_terminal_prices(run)] if "terminal_prices" in run.tables else []
    title = run.say("Price, and what sets it", "碳价及其决定因素")
    yield Section("prices", title, tuple(blocks))


def _closure(run: Run) -> str:
    """Return how far the prices depend on the value of an allowance that is kept to the end."""
    end = run.tables["closure"].iloc[-1]
    terminal, most = float(end["terminal_price_cny_per_t"]), float(end["unchanged_up_to_cny_per_t"])
    if end["set_by"] == NO_PRICE or not np.isfinite(terminal):
        return ""
    if most == np.inf:
        return run.say(
            "Prices are independent of the terminal price: nothing may be banked at the end.",
            "碳价与期末价格无关：期末不得结余。",
        )
    if most > terminal + SAME_PRICE * max(most, 1.0):
        return run.say(
            f"Prices are independent of the terminal price, an assumption, up to {most:,.2f} CNY/t.",
            f"期末价格（假设）不超过 {most:,.2f} 元/吨时，碳价与其无关。",
        )
    kept = amount(float(end["banked_t"]), "t", run.zh)
    return run.say(
        f"Prices depend on the terminal price of {terminal:,.2f} CNY/t, which is an assumption; {kept} are kept to "
        "the end.",
        f"碳价取决于期末价格 {terminal:,.2f} 元/吨（假设）；期末结余 {kept}。",
    )


def _terminal_prices(run: Run) -> Block:
    """Return the prices at other terminal prices, with the share of each that is owed to the terminal price."""
    table = run.tables["terminal_prices"]
    words = {name: run.say(name, zh) for name, zh in OF_TERMINAL_PRICE.items()}
    shown = table.assign(
        status=[words.get(str(name), str(name)) for name in table["status"]],
        explained_share=[rate(share) for share in table["explained_share"]],
    )
    note = run.say(
        "An allowance kept to the end is worth nothing, what the policy states, or the last ceiling price: prices lie "
        "between. Each terminal price is a program of its own.",
        "期末结余配额的价值分别为零、政策所设价格和末年价格上限，碳价介于其间；每个期末价格单独求解。",
    )
    caption = run.say("Price by terminal price", "各期末价格下的碳价")
    columns = ("terminal_price_cny_per_t", "year", "price_cny_per_t", "explained_share", "banked_t", "status")
    return table_of(shown, columns, caption, run.zh, note=note)


OF_TERMINAL_PRICE = {
    "this result": "本结果",
    "certified": "已证明",
    "not certified": "未证明",
    "not found": "未求得",
}
"""Chinese words for the status of a terminal price."""


def quantities(run: Run) -> Iterator[Section]:
    """Yield emissions and allowances of each year, and what they cost."""
    if "years" not in run.tables:
        return
    years = run.tables["years"]
    blocks: list[Block] = [*figure(run, "emissions")] if len(years) > 1 else []
    blocks.append(table_of(years, used(years, QUANTITIES), run.say("Emissions and allowances", "排放量与配额"), run.zh))
    costs = [name for name in COSTS if name == "year" or (name in years and (years[name].abs() > 0.5).any())]
    if len(costs) > 1:
        note = run.say(
            "Resource cost is what abatement and offsets use up; transfers move money between enterprises.",
            "资源成本为减排和抵销的实际支出；转移支付在企业之间转移。",
        )
        blocks.append(table_of(years, costs, run.say("Costs", "成本"), run.zh, note=note))
    if "sector_years" in run.tables:
        table = run.tables["sector_years"]
        ends = table[table["year"].isin((table["year"].min(), table["year"].max()))]
        caption = run.say("By sector, first and last year", "分行业（首末年度）")
        blocks.append(table_of(ends, SECTOR_YEARS, caption, run.zh))
    yield Section("quantities", run.say("Emissions and allowances", "排放量与配额"), tuple(blocks))


def measures(run: Run) -> Iterator[Section]:
    """Yield the marginal cost curve, and measures over the years."""
    if "measure_years" not in run.tables or not len(run.tables["measure_years"]):
        return
    table = run.tables["measure_years"]
    last = int(table["year"].max())
    now = table[table["year"] == last].sort_values("abated_tco2e", ascending=False, kind="stable")
    now = now.assign(
        measures_cost_cny_per_t=now["measures_cost_cny"] / now["abated_tco2e"].where(now["abated_tco2e"] > 0)
    )
    now = now.assign(units=now["units"].round(1))
    more = len(now) - MEASURES_SHOWN
    note = (
        run.say(f"{more} more are in the table measure_years.", f"另有 {more} 项，见表 measure_years。")
        if more > 0
        else ""
    )
    caption = run.say(f"Measures in {last}", f"{last}年减排措施")
    blocks: list[Block] = [*figure(run, "cost_curve")]
    # With one year a chart over the years says no more than the table.
    blocks += [*figure(run, "measures")] if table["year"].min() < last else []
    blocks.append(table_of(now.head(MEASURES_SHOWN), MEASURES, caption, run.zh, note=note))
    yield Section("measures", run.say("Measures", "减排措施"), tuple(blocks))


def traders(run: Run) -> Iterator[Section]:
    """Yield the enterprises that buy and sell most over all years."""
    if "enterprise_years" not in run.tables or not len(run.tables["enterprise_years"]):
        return
    table = run.tables["enterprise_years"]
    wanted = ["emissions_tco2e", "allowance_t", "bought_t", "sold_t", "total_cost_cny"]
    sums = table.groupby("enterprise_id", as_index=False, observed=True)[wanted].sum()
    known = run.tables.get("enterprises", run.results.instance.enterprises if run.results.held is not None else None)
    if known is not None:
        names = [name for name in ("enterprise_id", "name", "province") if name in known]
        sums = sums.merge(known[names], on="enterprise_id", how="left")
        sums[names[1:]] = sums[names[1:]].fillna("")
    blocks: list[Block] = []
    for column, words in (
        ("bought_t", ("Largest buyers, all years", "买入最多的企业（各年度合计）")),
        ("sold_t", ("Largest sellers, all years", "卖出最多的企业（各年度合计）")),
    ):
        part = sums[sums[column] > 0.5].nlargest(SHOWN, column)
        if len(part):
            blocks.append(table_of(part, TRADERS, run.say(*words), run.zh))
    if blocks:
        yield Section("traders", run.say("Largest buyers and sellers", "主要买方和卖方"), tuple(blocks))


def unit_years(run: Run) -> Iterator[Section]:
    """Yield the units in the last year, where the run has no allocation of the first."""
    name = next((name for name in ("units", "unit_years") if len(run.tables.get(name, ()))), None)
    if name is None or "allocation" in run.tables:
        return
    table = run.tables[name]
    last = int(table["year"].max())
    now = table[table["year"] == last]
    words = (f"All {len(now):,} units in {last}", f"{last}年全部 {len(now):,} 个单元")
    if len(now) > MOST_UNITS:
        words = (f"The {MOST_UNITS:,} largest of {len(now):,} units in {last}", f"{last}年最大的 {MOST_UNITS:,} 个单元")
        now = now.nlargest(MOST_UNITS, "emissions_tco2e").sort_index()
    listing = table_of(now, UNIT_YEARS, run.say(*words), run.zh, exact=True, key="units")
    yield Section("units", run.say("Units", "单元"), (listing,))


def balance_values(run: Run) -> Iterator[Section]:
    """Yield balance values before and after the responses of the units."""
    name = next((name for name in ("equilibrium", "balance_values") if len(run.tables.get(name, ()))), None)
    if name is None:
        return
    table = run.tables[name]
    blocks: list[Block] = [*figure(run, "equilibrium")]
    note = run.say(
        "The balance value follows the emissions after measures, so that abatement frees nothing in sum; a unit that "
        "abates still gains on those that do not.",
        "平衡值随减排后的排放量变化，减排总体上不产生富余配额；但减排单元相对于未减排单元仍有收益。",
    )
    caption = run.say("Balance values before and after measures", "减排前后的平衡值")
    blocks.append(table_of(table, BALANCE, caption, run.zh, note=note))
    if "status" in table and (table["status"] == "cycle").any():
        words = (
            _("Where best responses cycle no balance value reproduces itself."),
            "最优响应出现循环时，不存在自洽的平衡值。",
        )
        blocks.append(Paragraph(run.say(*words), "warning"))
    yield Section("balance-values", run.say("Balance values", "平衡值"), tuple(blocks))


def unmet(run: Run) -> Iterator[Section]:
    """Yield the demand that no price meets."""
    if "unmet_demand" not in run.tables:
        return
    table = run.tables["unmet_demand"]
    words = (
        _("Auction more, reduce external demand, or set a penalty reference price."),
        "可增加有偿分配、减少外部需求，或设定罚款参考价格。",
    )
    shown = table_of(table, list(table), run.say("Unmet demand", "未满足的需求"), run.zh)
    yield Section(
        "unmet", run.say("What is missing", "缺口"), (*figure(run, "unmet"), shown, Paragraph(run.say(*words)))
    )
