"""Two runs side by side: what differs in the policy, in totals, by sector, province and year, and of units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.charts.chart import CHOSEN, OTHER, Chart, Panel, Series
from etsopt.errors import UsageError
from etsopt.language import _
from etsopt.reports.document.answer import answer, status
from etsopt.reports.document.cells import amount, column_of, table_of, tonnes, words_of
from etsopt.reports.document.certificate import figure_of
from etsopt.reports.document.content import Column, Document, Facts, Paragraph, Section, Table
from etsopt.reports.document.figures import of_chart
from etsopt.reports.document.headings import heading
from etsopt.reports.document.key_figures import key_figures
from etsopt.results.cell_words import WORDS as CELL_WORDS
from etsopt.results.comparison import compare, policy_differences
from etsopt.results.prices import has_price

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from etsopt.reports.document.content import Block, Run

SHOWN = 20
MOVED_T = 1.0
"""Difference from which a unit counts as different [t]."""

JOINED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, str]]] = {
    "sectors": (("sector",), ("allowance_t", "surplus_rate"), ("By sector", "分行业")),
    "years": (("year",), ("price_cny_per_t", "emissions_tco2e", "allowance_t"), ("By year", "分年度")),
    "equilibrium": (("sector", "year"), ("balance_value", "emissions_tco2e"), ("Balance values", "平衡值")),
    "compliance_sectors": (("sector",), ("allowance_t",), ("Issued by sector", "分行业发放")),
    "provinces": (("province",), ("allowance_t", "surplus_rate"), ("By province", "分省份")),
    "compliance_provinces": (("province",), ("obligation_t", "shortfall_t"), ("By province", "分省份")),
}
"""Tables that are shown side by side: their keys, columns and captions."""


def beside(one: Run, other: Run) -> Document:
    """Return a page on two runs.

    Raises
    ------
    UsageError
        If they have no table in common that can be compared.
    """
    shared = [name for name in JOINED if len(one.tables.get(name, ())) and len(other.tables.get(name, ()))]
    if not shared:
        what = _("The two runs have no table in common that a page can show side by side.")
        raise UsageError(what, _("Name two runs of one model, or of models that both allocate or clear a market."))
    sections = [_policy(one, other), *_price(one, other), *(_joined(one, other, name) for name in shared)]
    sections += [*_units(one, other), _objectives(one, other)]
    names = [_name(run, place) for place, run in enumerate((one, other))]
    return Document(
        lang="zh" if one.zh else "en",
        title=f"{names[0]} | {names[1]}",
        kicker=one.say("two runs side by side, second minus first", "两次结果对比（后者减前者）"),
        answer=_difference(one, other, names),
        status=one.say(f"{status(one)} | {status(other)}", f"{status(one)} | {status(other)}"),
        proven=one.results.certified and other.results.certified,
        sections=(_answers(one, other, names), *sections),
        imprint=" | ".join(_source(run) for run in (one, other)),
    )


def _source(run: Run) -> str:
    return f"{run.about['instance']} {str(run.about.get('instance_hash'))[:16]}…"


def _difference(one: Run, other: Run, names: Sequence[str]) -> str:
    """Return in one sentence how far the two are apart."""
    first, second = names
    if all("years" in run.tables and len(run.tables["years"]) and has_price(run.tables) for run in (one, other)):
        ends = [run.tables["years"].iloc[-1] for run in (one, other)]
        low, high = (f"{end['price_cny_per_t']:,.2f}" for end in ends)
        emissions = [amount(float(end["emissions_tco2e"]), "t", one.zh) for end in ends]
        return one.say(
            f"In {ends[1]['year']} the price is {low} CNY/t in {first} and {high} CNY/t in {second}, emissions are "
            f"{emissions[0]} and {emissions[1]}.",
            f"{ends[1]['year']}年碳价：{first} {low} 元/吨，{second} {high} 元/吨；"
            f"排放量 {emissions[0]} 和 {emissions[1]}。",
        )
    if all("allocation" in run.tables for run in (one, other)):
        given = [float(run.tables["allocation"]["allowance_t"].sum()) for run in (one, other)]
        more = given[1] - given[0]
        word = ("more", "多") if more >= 0 else ("less", "少")
        totals = [amount(total, "t", one.zh) for total in given]
        return one.say(
            f"“{second}” allocates {tonnes(abs(more))} {word[0]} than “{first}”, {totals[1]} in all instead of "
            f"{totals[0]}.",
            f"“{second}”比“{first}”{word[1]}分配 {tonnes(abs(more), True)}，总量由 {totals[0]} 变为 {totals[1]}。",
        )
    return one.say(f"{first} and {second} side by side.", f"{first} 与 {second} 对比。")


def _name(run: Run, place: int) -> str:
    """Return the name of a run: that of its folder, or first and second."""
    return run.folder if run.folder != "RUN" else run.say(("first", "second")[place], ("前者", "后者")[place])


def _answers(one: Run, other: Run, names: Sequence[str]) -> Section:
    """Return both answers, and their key figures in two columns."""
    figures = [{figure.label: figure for figure in key_figures(run)} for run in (one, other)]
    rows = [
        (label, *(f"{found[label].value} {found[label].unit}".strip() for found in figures))
        for label in figures[0]
        if label in figures[1]
    ]
    blocks: list[Block] = [Facts(tuple(zip(names, (answer(one), answer(other)), strict=True)))]
    if rows:
        heads = (Column(one.say("figure", "指标"), "", False), *(Column(name) for name in names))
        blocks.append(Table(one.say("Key figures", "主要指标"), heads, tuple(rows)))
    return Section("answers", one.say("Answers", "结论"), tuple(blocks))


def _policy(one: Run, other: Run) -> Section:
    """Return the keys of the policy that differ."""
    differing = policy_differences(one.policy, other.policy)
    rows = [(key, *("–" if value is None else str(value) for value in pair)) for key, pair in differing.items()]
    about = [("instance", "算例"), ("model", "模型")]
    rows = [
        *((one.say(*words), str(one.about[words[0]]), str(other.about[words[0]])) for words in about),
        *rows,
    ]
    names = [Column(_name(run, at), "", False) for at, run in enumerate((one, other))]
    heads = (Column(one.say("key", "政策项"), "", False), *names)
    note = "" if differing else one.say("The policies are the same.", "两者政策相同。")
    table = Table(one.say("Policy keys that differ", "不同的政策项"), heads, tuple(rows), (), note)
    return Section("policy", one.say("What differs in the question", "要求的差别"), (table,))


def _price(one: Run, other: Run) -> Iterator[Section]:
    """Yield both prices in one chart, where both runs have several years."""
    tables = [run.tables.get("years") for run in (one, other)]
    if any(table is None or len(table) < 2 for table in tables):
        return
    if not all(has_price(run.tables) for run in (one, other)):
        return
    series = []
    for at, (run, table, colour) in enumerate(zip((one, other), tables, (CHOSEN, OTHER), strict=True)):
        assert table is not None
        name = _name(run, at)
        place, price = (table[column].to_numpy(dtype=float) for column in ("year", "price_cny_per_t"))
        series.append(Series("line", (name, name), place, price, colour, style="dashed" if at else "marked"))
    labels = (("compliance year", "履约年度"), ("price [CNY/t]", "碳价 [元/吨]"))
    panel = Panel(("", ""), *labels, tuple(series))
    chart = Chart("prices", ("Price of an allowance", "碳价"), (panel,))
    yield Section("price", one.say("Price", "碳价"), (of_chart(one, chart),))


def _joined(one: Run, other: Run, name: str) -> Section:
    """Return a table of both runs: each column of the first, of the second, and the difference."""
    keys, wanted, words = JOINED[name]
    tables = [run.tables[name] for run in (one, other)]
    shown = [column for column in wanted if all(column in table for table in tables)]
    if name == "years" and not all(has_price(run.tables) for run in (one, other)):
        shown = [column for column in shown if column != "price_cny_per_t"]
    both = tables[0][[*keys, *shown]].merge(tables[1][[*keys, *shown]], on=list(keys), how="outer", suffixes=("", " "))
    columns = [Column(heading(key, one.zh), "", False) for key in keys]
    cells = [words_of(key, both[key].tolist(), one.zh) for key in keys]
    for column in shown:
        pair = [both[column], both[f"{column} "]]
        joined = pd.concat([*pair, pair[1] - pair[0]], ignore_index=True)
        if column.endswith("_t") and not column.endswith("_per_t"):
            # The difference in full, since it is small beside the totals.
            head, texts = column_of(column, joined.iloc[: 2 * len(both)], one.zh)
            texts += column_of(column, joined.iloc[2 * len(both) :], one.zh)[1]
            unit = column_of(column, joined.iloc[2 * len(both) :], one.zh)[0].unit
        else:
            head, texts = column_of(column, joined, one.zh)
            unit = head.unit
        parts = np.array(texts, dtype=object).reshape(3, len(both))
        cells += [list(part) for part in parts]
        for at, run in enumerate((one, other)):
            columns.append(head._replace(heading=f"{head.heading}{one.say(', ', '，')}{_name(run, at)}"))
        columns.append(Column(one.say("difference", "差别"), unit))
    table = Table(one.say(*words), tuple(columns), tuple(zip(*cells, strict=True)))
    return Section(name.replace("_", "-"), one.say(*words), (table,))


def _units(one: Run, other: Run) -> Iterator[Section]:
    """Yield the units that differ most, where both runs allocate to the same units."""
    if not all("allocation" in run.tables for run in (one, other)):
        return
    title = one.say("Units that differ most", "差别最大的单元")
    try:
        table = compare(one.results, other.results)["allocation"]
    except UsageError as error:
        yield Section("units", title, (Paragraph(error.failure, "note"),))
        return
    moved = table[table["difference_t"].abs() > MOVED_T]
    total = tonnes(float(table["difference_t"].abs().sum()), one.zh)
    words = (
        f"{len(moved):,} of {len(table):,} units differ by more than 1 t, {total} in all.",
        f"{len(table):,} 个单元中有 {len(moved):,} 个相差超过 1 吨，合计 {total}。",
    )
    blocks: list[Block] = [Paragraph(one.say(*words))]
    if len(moved):
        largest = moved.loc[moved["difference_t"].abs().sort_values(ascending=False, kind="stable").index[:SHOWN]]
        # The end of a column's name says how its numbers are written.
        largest = largest.rename(columns={f"allowance_t_{key}": f"{key}_allowance_t" for key in ("one", "other")})
        names = {f"{key}_allowance_t": _name(run, at) for at, (key, run) in enumerate((("one", one), ("other", other)))}
        found = table_of(largest, ("unit_id", *names, "difference_t"), title, one.zh, exact=True)
        heads = [
            found.columns[0],
            *(Column(f"{heading('allowance_t', one.zh)}, {name}", found.columns[1].unit) for name in names.values()),
            Column(one.say("difference", "差别"), found.columns[3].unit),
        ]
        blocks.append(Table(found.caption, tuple(heads), found.rows))
    yield Section("units", title, tuple(blocks))


def _objectives(one: Run, other: Run) -> Section:
    """Return the objectives that both have."""
    levels = [{level.name: level for level in run.results.levels} for run in (one, other)]
    words = CELL_WORDS if one.zh else {}

    def said(column: str, name: str) -> str:
        return words.get(column, {}).get(name, name)

    rows = [
        (
            said("level", name),
            *(figure_of(found[name].value) for found in levels),
            said("unit", levels[0][name].unit),
        )
        for name in levels[0]
        if name in levels[1]
    ]
    heads = (one.say("objective", "目标"), _name(one, 0), _name(other, 1), one.say("unit", "单位"))
    columns = tuple(Column(head, "", at in (1, 2)) for at, head in enumerate(heads))
    facts = Facts(tuple((_name(run, at), status(run)) for at, run in enumerate((one, other))))
    table = Table(one.say("Objectives", "目标"), columns, tuple(rows))
    return Section("certificate", one.say("Certificate", "证明"), (facts, table) if rows else (facts,))
