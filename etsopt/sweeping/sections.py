"""Sections of a page on the numbers of a sweep: their charts, statistics, decisions, and what moves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.charts import sweeps
from etsopt.reports.document.content import Column, Paragraph, Section, Table
from etsopt.reports.document.figures import of_chart, short
from etsopt.reports.document.headings import unit_in
from etsopt.results.words import TABLES
from etsopt.sweeping.asked import DECISION, MOST_ROWS
from etsopt.sweeping.outcome import LEVELS
from etsopt.sweeping.sensitivity import inputs_of
from etsopt.sweeping.statistics import regret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from etsopt.charts.chart import Chart
    from etsopt.charts.texts import Number
    from etsopt.reports.document.content import Block
    from etsopt.sweeping.told import Shown, ToldSweep

MOST_LISTED, MOST_INDICES = 5_000, 6
"""Rows of a table with a search box, and charts of indices."""

STATISTICS = {
    "mean": ("mean", "均值"),
    "p05": ("5 %", "5 %"),
    "median": ("median", "中位数"),
    "p95": ("95 %", "95 %"),
    "least": ("least", "最小"),
    "largest": ("largest", "最大"),
}
"""Columns of statistics and their headings."""

ALONE: Mapping[str, tuple[str, str]] = {"mean": ("value", "取值")}
"""The same of a single scenario."""


def numbers(sweep: ToldSweep) -> Iterator[Section]:
    """Yield the numbers that come first, each with its chart and statistics."""
    for shown in sweep.shown:
        blocks: tuple[Block, ...] = (
            *_only_first(sweep, shown),
            of_chart(sweep, chart_of(sweep, shown)),
            _table(sweep, shown),
        )
        title = shown.number.words[sweep.zh]
        yield Section(shown.number.key, f"{title[:1].upper()}{title[1:]}", blocks)


def chart_of(sweep: ToldSweep, shown: Shown) -> Chart:
    """Return the chart that suits a number: by year, by decision, or the distribution of the only one."""
    if shown.by_year:
        return (sweeps.fan if sweep.sampled else sweeps.lines)(shown.number, shown.rows, sweep.about)
    if sweep.sampled and len(shown.rows["decision"].unique()) == 1:
        return sweeps.distribution(shown.number, sweep.drawn(shown), sweep.about)
    return sweeps.spread(shown.number, shown.rows, sweep.about, sweep.sampled)


def _only_first(sweep: ToldSweep, shown: Shown) -> Iterator[Paragraph]:
    """Say how many decisions a chart leaves out."""
    most = (sweeps.MOST_PANELS if sweep.sampled else sweeps.MOST_LINES) if shown.by_year else sweeps.MOST_ROWS
    if (count := len(shown.rows["decision"].unique())) > most:
        words = f"The chart has the first {most} of {count:,}.", f"图中为 {count:,} 个中的前 {most} 个。"
        yield Paragraph(sweep.say(*words), "note")


def _table(sweep: ToldSweep, shown: Shown) -> Table:
    """Return the statistics of a number by decision and place, scaled with the unit in the heading."""
    say, rows = sweep.say, shown.rows
    if shown.by_year:
        years = sorted(rows["year"].unique())
        rows = rows[rows["year"].isin({years[0], years[len(years) // 2], years[-1]})]
    columns = STATISTICS if sweep.sampled else ALONE
    divisor, label = shown.number.label(float(rows[["least", "largest"]].abs().max(axis=None)))
    unit = label[sweep.zh].rpartition("[")[2].rstrip("]") if "[" in label[sweep.zh] else ""
    heads = [Column(say(*DECISION[sweep.sampled]), "", False), Column(say("of", "对象"), "", False)]
    heads += [Column(say("answers", "结果数"))] if sweep.sampled else []
    heads += [Column(say(*words), unit) for words in columns.values()]
    cells = [
        (
            row["decision"],
            sweep.place(row | ({"id": ""} if shown.table == LEVELS else {})) or say("all", "合计"),
            *((f"{row['count']:,} / {row['states']:,}",) if sweep.sampled else ()),
            *(short(row[key] / divisor) for key in columns),
        )
        for row in rows.to_dict("records")
    ]
    key = f"table-{shown.number.key}" if len(cells) > MOST_ROWS else ""
    return Table(shown.number.words[sweep.zh], tuple(heads), tuple(cells), key=key)


def decisions(sweep: ToldSweep) -> Iterator[Section]:
    """Yield the comparison of decisions by the first objective: mean, quantiles, worst case and regret."""
    say = sweep.say
    first = next((one for one in sweep.shown if one.table == LEVELS), None)
    if first is None or not sweep.sampled or len(sweep.states["decision"].unique()) < 2:
        return
    rows = first.rows.set_index("decision")
    found = regrets(sweep, first)
    divisor, label = first.number.label(float(rows[["least", "largest"]].abs().max(axis=None)))
    unit = label[sweep.zh].rpartition("[")[2].rstrip("]")
    heads = [("mean", "均值"), ("5 %", "5 %"), ("95 %", "95 %"), ("worst", "最差")]
    heads += [("mean regret", "平均遗憾值"), ("largest regret", "最大遗憾值")]
    columns = [Column(say("decision", "方案"), "", False), Column(say("answers", "结果数"))]
    columns += [*(Column(say(*words), unit) for words in heads), Column(say("in draw", "样本"), "", False)]
    cells = []
    for row in found.to_dict("records"):
        one = rows.loc[row["decision"]]
        figures = [one["mean"], one["p05"], one["p95"], one["largest"], row["mean_regret"], row["largest_regret"]]
        share = f"{row['count']:,} / {row['states']:,}"
        where = row["worst_state"] if row["largest_regret"] else "–"
        cells.append((row["decision"], share, *(short(value / divisor) for value in figures), where))
    said = (
        "Regret is the distance from the decision that is best in a draw; a draw without an answer has none. A "
        "decision with fewer answers than draws is listed last.",
        "遗憾值为与同一样本中最优方案之差；无结果的样本不计。结果数少于样本数的方案列于最后。",
    )
    key = "decisions-table" if len(cells) > MOST_ROWS else ""
    table = Table(first.number.words[sweep.zh], tuple(columns), tuple(cells), note=say(*said), key=key)
    yield Section("decisions", say("Decisions", "方案比较"), (table,))


def moves(sweep: ToldSweep) -> Iterator[Section]:
    """Yield Sobol indices: charts of the numbers shown, and a table of all."""
    say, table = sweep.say, sweep.indices
    if not inputs_of(sweep.stated) or not len(table):
        return
    found = _without_bounds(table[table["total_order"].notna()])
    used, of = int(table["rows"].max()), int(table["rows_of"].max())
    words = (
        "An index is the share of a number's variance over the draws that an input is the cause of: alone, or with all "
        f"its interactions. Rows of the design with every answer: up to {used:,} of {of:,}; the others are left out "
        "whole. A number that does not move has no indices.",
        f"指数为某输入单独或含全部交互作用对结果方差的占比。设计共 {of:,} 行，全部样本有结果的至多 {used:,} 行，"
        "其余整行不计。不变动的结果没有指数。",
    )
    blocks: list[Block] = [Paragraph(say(*words), "note" if used == of else "warning")]
    for number, one in indices_shown(sweep):
        blocks.append(of_chart(sweep, sweeps.indices(number, one, sweep.about)))
    yield Section("moves", say("What moves the answer", "影响因素"), (*blocks, _index_table(sweep, found)))


def indices_shown(sweep: ToldSweep) -> list[tuple[Number, pd.DataFrame]]:
    """Return the first numbers shown that have indices, with these."""
    table = sweep.indices
    found = table[table["total_order"].notna()] if len(table) else table
    return list(_of_places(sweep, found))[:MOST_INDICES] if len(found) else []


def _of_places(sweep: ToldSweep, indices: pd.DataFrame) -> Iterator[tuple[Number, pd.DataFrame]]:
    """Yield the numbers shown with their indices by sector, of the last year."""
    for shown in sweep.shown:
        same = (indices[["table", "quantity"]] == [shown.table, shown.quantity]).all(axis=1)
        same &= indices["id"].isin(shown.ends["id"])
        if shown.by_year:
            same &= indices["year"] == shown.ends["year"].iloc[0]
        for place, (_, part) in enumerate(indices[same].groupby(["sector", "province", "id"], sort=False), 1):
            where = sweep.place(part.iloc[0].to_dict() | ({"id": ""} if shown.table == LEVELS else {}))
            english, chinese = (
                sign.join(filter(None, (text, where)))
                for text, sign in zip(shown.number.words, (", ", "，"), strict=True)
            )
            yield shown.number._replace(key=f"{shown.number.key}-{place}", words=(english, chinese)), part


def _index_table(sweep: ToldSweep, indices: pd.DataFrame) -> Table:
    """Return all indices with their intervals."""
    say = sweep.say
    heads = [*_what_heads(sweep), Column(say("input", "输入"), "", False), Column(say("rows", "行数"))]
    heads += [Column(say("total index", "总指数"), "%"), Column(say("interval", "置信区间"), "%")]
    heads += [Column(say("first-order index", "一阶指数"), "%"), Column(say("interval", "置信区间"), "%")]
    cells = []
    for row in indices.head(MOST_LISTED).to_dict("records"):
        shares = []
        for index in ("total_order", "first_order"):
            value, low, high = (100 * row[f"{index}{end}"] for end in ("", "_lower", "_upper"))
            ends = f"{short(low)} … {short(high)}" if np.isfinite([low, high]).all() else "–"
            shares += [short(value), ends]
        cells.append((*_what(sweep, row), row["input"], f"{row['rows']:,}", *shares))
    caption = say("Sobol indices", "Sobol 指数")
    return Table(caption, tuple(heads), tuple(cells), note=_left_out(sweep, len(indices)), key="indices")


def everything(sweep: ToldSweep) -> Iterator[Section]:
    """Yield the statistics of every number, which one can search."""
    if not len(sweep.summary):
        return
    say = sweep.say
    columns = STATISTICS if sweep.sampled else ALONE
    heads = [
        *_what_heads(sweep),
        Column(say("unit", "单位"), "", False),
        *(Column(say(*words)) for words in columns.values()),
    ]
    found = _without_bounds(sweep.summary)
    cells = [
        (*_what(sweep, row), unit_in(row["unit"], sweep.zh) or "–", *(short(row[key]) for key in columns))
        for row in found.head(MOST_LISTED).to_dict("records")
    ]
    note = _left_out(sweep, len(found))
    title = say("All numbers", "全部结果")
    words = (
        "The folder of the sweep has the tables to export: scenarios with every change and message, values with every "
        + ("number, summary with these statistics." if sweep.sampled else "number."),
        "可导出的数据表在情景计算的文件夹中：scenarios 含全部变动与消息，values 含全部数值"
        + (",summary 含上述统计。" if sweep.sampled else "。"),
    )
    yield Section(
        "all",
        title,
        (Paragraph(say(*words), "note"), Table(title, tuple(heads), tuple(cells), note=note, key="numbers")),
    )


def _without_bounds(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without the bounds of objectives, which a proven answer reaches."""
    return table[~((table["table"] == LEVELS) & (table["quantity"] == "bound"))]


def _what_heads(sweep: ToldSweep) -> list[Column]:
    heads = (DECISION[sweep.sampled], ("table", "表"), ("number", "结果"), ("of", "对象"))
    return [Column(sweep.say(*one), "", False) for one in heads]


def _what(sweep: ToldSweep, row: dict[str, Any]) -> tuple[str, ...]:
    """Return decision, table, column and place of a number."""
    table = (
        sweep.say(*TABLES.get(row["table"], (row["table"],) * 2))
        if row["table"] != LEVELS
        else sweep.say("objectives", "目标")
    )
    name = row["id"] if row["table"] == LEVELS else ""
    place = sweep.place(row | ({"id": ""} if name else {}))
    words = sweep.words(row["quantity"], name, sweep.zh)
    return row["decision"], table, words, place or "–"


def _left_out(sweep: ToldSweep, count: int) -> str:
    if count <= MOST_LISTED:
        return ""
    return sweep.say(
        f"The first {MOST_LISTED:,} of {count:,} rows; the file beside this page has all.",
        f"{count:,} 行中的前 {MOST_LISTED:,} 行，全部见同一文件夹中的数据表。",
    )


def regrets(sweep: ToldSweep, shown: Shown) -> pd.DataFrame:
    """Return the regret of each decision in an objective, which every model makes small."""
    values = sweep.proven[sweep.proven["id"].isin(shown.rows["id"].unique())]
    return regret(values, shown.table, shown.quantity)
