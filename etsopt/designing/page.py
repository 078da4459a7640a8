"""The report of a design search as one HTML page, made of the parts of the report of a run."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.charts.fronts import chosen_text
from etsopt.designing.plan import ENACTED, Range
from etsopt.designing.told import ToldDesign
from etsopt.reports.document.asked import MODELS
from etsopt.reports.document.content import Column, Commands, Document, Facts, KeyFigure, Paragraph, Section, Table
from etsopt.reports.document.figures import of_chart, short
from etsopt.reports.document.write import imprint, write_document
from etsopt.sweeping.asked import MOST_ROWS, outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from etsopt.charts.chart import Chart
    from etsopt.designing.numbers import Number
    from etsopt.reports.document.content import Block

MOST_DESIGNS = 5_000
"""Designs in the table with a search box."""

TAKEN = {
    "sum": ("sum", "合计"),
    "least": ("least", "最小值"),
    "largest": ("largest", "最大值"),
    "mean": ("mean", "均值"),
}
"""What is taken of several rows, in words."""


def write_design_report(folder: Path, path: Path, lang: str = "en", inline: bool = False) -> list[Path]:
    """Write the report of the design search in a folder, and beside it the script that draws its chart.

    Parameters
    ----------
    folder
        Folder with the record of the search.
    path, lang, inline
        As of the report of a run.

    Raises
    ------
    UsageError
        If the folder has no record, another process holds it, or jinja2 or plotly is not installed.
    OSError
        With the name of the file that cannot be written.
    """
    return write_document(page_of(ToldDesign.read(folder, lang == "zh")), path, inline)


def kicker(design: ToldDesign) -> str:
    """Return the line above the answer."""
    return design.kicker("design search", "设计搜索")


def charts_of(design: ToldDesign) -> list[Chart]:
    """Return the chart of the front, if some design has every goal."""
    return [design.chart] if design.designs[[*design.plan.goals]].notna().all(axis=1).any() else []


def page_of(design: ToldDesign) -> Document:
    """Return the report of a design search, apart from its layout."""
    say, designs = design.say, design.designs
    certified, count = int(designs["certified"].sum()), len(designs)
    return Document(
        lang="zh" if design.zh else "en",
        title=design.named(str(design.about["instance"]), say("design search", "设计搜索")),
        kicker=kicker(design),
        answer=_answer(design),
        status=say(f"{certified:,} of {count:,} designs certified", f"{count:,} 个设计中 {certified:,} 个已证明"),
        proven=bool(design.front["certified"].all()) and len(design.front) > 0,
        figures=(
            KeyFigure(f"{count:,}", "", say("designs", "设计数")),
            KeyFigure(f"{certified:,}", "", say("certified", "已证明")),
            KeyFigure(f"{int(designs['within_limits'].sum()):,}", "", say("within the limits", "满足限值")),
            KeyFigure(f"{len(design.front):,}", "", say("on the front", "前沿设计数")),
        ),
        sections=tuple(_sections(design)),
        imprint=imprint(design),
    )


def _sections(design: ToldDesign) -> Iterator[Section]:
    say = design.say
    yield Section("asked", say("What was asked", "计算要求"), (Facts(tuple(_asked(design))),))
    yield _front(design)
    yield from _chosen(design)
    yield outcomes(design)
    title = say("All designs", "全部设计")
    yield Section("all", title, (_table(design, design.designs.head(MOST_DESIGNS), title, "designs"),))
    yield _reproduce(design)


def _answer(design: ToldDesign) -> str:
    """Return the answer in one sentence: the front, and where the enacted design is."""
    say, enacted, count = design.say, design.enacted, len(design.front)
    if not count:
        return say(
            "No design keeps every limit with a proven answer.", "没有设计在满足全部限值的同时得到已证明的结果。"
        )
    found = say(
        f"{count:,} of {len(design.designs):,} designs are on the front: no other one found beats them",
        f"在 {len(design.designs):,} 个设计中有 {count:,} 个前沿设计，未找到优于它们的设计",
    )
    if enacted is None:
        return found + say(".", "。")
    if enacted["on_front"]:
        return found + say("; the enacted design is one of them.", "；现行设计是其中之一。")
    if not enacted["within_limits"]:
        return found + say("; the enacted design does not keep the limits.", "；现行设计不满足限值。")
    better = int(_beats(design, enacted).sum())
    verb = "beats" if better == 1 else "beat"
    return found + say(f"; {better:,} of them {verb} the enacted design.", f"；其中 {better:,} 个优于现行设计。")


def _beats(design: ToldDesign, one: pd.Series[Any]) -> pd.Series[bool]:
    """Return True for each design of the front that is better than another in some goal and worse in none."""
    goals = design.plan.goals
    signs = np.array([1.0 if goal.best == "least" else -1.0 for goal in goals.values()])
    distance = (design.front[[*goals]].astype(float) - one[[*goals]].astype(float)) * signs
    beats: pd.Series[bool] = (distance <= 0).all(axis=1) & (distance < 0).any(axis=1)
    return beats


def _asked(design: ToldDesign) -> Iterator[tuple[str, str]]:
    say, plan = design.say, design.plan
    question = say(*MODELS.get(plan.model, ("a model of your own", "自定义模型")))
    yield say("question", "问题"), f"{question} ({plan.model})"
    yield say("instance", "算例"), design.about["instance"]
    search = (f"generations: {plan.generations:,}, designs in each: {plan.population:,}, seed: {plan.seed}",)
    yield (
        say("search", "搜索"),
        say(*search, f"{plan.generations:,} 代，每代 {plan.population:,} 个设计，种子 {plan.seed}"),
    )
    for key, value in plan.policy.items():
        yield say("in every design", "所有设计"), f"{key} = {value}"
    for key, choice in plan.choose.items():
        yield say("choose", "选择"), f"{key}: {_range(design, choice)}"
    for name, goal in plan.goals.items():
        best = say(
            *{"least": ("as small as possible", "越小越好"), "largest": ("as large as possible", "越大越好")}[goal.best]
        )
        yield say("goal", "目标"), design.named(name, design.say(", ", "，").join((_number(design, goal), best)))
    for name, limit in plan.limits.items():
        ends = [say(f"at least {limit.at_least:g}", f"不低于 {limit.at_least:g}")] if limit.at_least is not None else []
        ends += [say(f"at most {limit.at_most:g}", f"不超过 {limit.at_most:g}")] if limit.at_most is not None else []
        unit = design.units.get(name, "")
        text = f"{design.listed(ends)} {'' if unit in ('1', 'rate') else unit}".strip()
        yield say("limit", "限值"), design.named(name, say(", ", "，").join((_number(design, limit), text)))


def _range(design: ToldDesign, choice: Range | list[Any]) -> str:
    if isinstance(choice, Range):
        log = design.say(", in orders of magnitude", "，按数量级") if choice.log else ""
        return design.say(f"{choice.lower:g} to {choice.upper:g}", f"{choice.lower:g} 至 {choice.upper:g}") + log
    return design.listed([str(value) for value in choice])


def _number(design: ToldDesign, number: Number) -> str:
    """Return in words what of an outcome is taken."""
    where = [number.sector, number.province, None if number.year is None else str(number.year), number.id]
    place = design.listed([one for one in where if one])
    rows = f"{number.table}.{number.quantity}"
    rows = design.noted(rows, place) if place else rows
    taken = design.say(*TAKEN[number.take])
    return design.say(f"{taken} of {rows}", f"{rows} 的{taken}")


def _front(design: ToldDesign) -> Section:
    """Return the front: its chart, its table with the enacted design, and what it does not prove."""
    say = design.say
    said = (
        "The front is the best that was found; nothing proves that no better design exists. Every design on it is "
        "solved and checked like a run.",
        "前沿为搜索所得的最优设计，不能证明不存在更优设计。其中每个设计均按单次计算求解并检查。",
    )
    blocks: list[Block] = [Paragraph(say(*said), "note")]
    blocks += [of_chart(design, chart) for chart in charts_of(design)]
    if len(design.front):
        rows = design.front
        if design.enacted is not None and not design.enacted["on_front"]:
            rows = pd.concat([design.designs[design.designs["design"] == ENACTED], rows])
        caption = say("The front and the enacted design", "前沿与现行设计")
        blocks.append(_table(design, rows, caption, "front" if len(rows) > MOST_ROWS else ""))
    return Section("front", say("The front", "前沿"), tuple(blocks))


def _chosen(design: ToldDesign) -> Iterator[Section]:
    """Yield what the designs of the front choose, of all that may be chosen."""
    say, chosen = design.say, design.front[design.front["design"] != ENACTED]
    if not len(chosen):
        return
    rows = []
    for key, choice in design.plan.choose.items():
        values = chosen[key].tolist()
        if isinstance(choice, Range):
            found = f"{min(values):.4g} … {max(values):.4g}"
        else:
            counts = {str(one): sum(str(value) == str(one) for value in values) for one in choice}
            found = design.listed([design.noted(one, f"{count:,}") for one, count in counts.items() if count])
        rows.append((key, _range(design, choice), found))
    heads = [("key", "键"), ("may be chosen", "可选范围"), ("chosen on the front", "前沿设计的选择")]
    columns = tuple(Column(say(*words), "", False) for words in heads)
    title = say("What the front chooses", "前沿设计的选择")
    yield Section("chosen", title, (Table(title, columns, tuple(rows)),))


def _table(design: ToldDesign, rows: pd.DataFrame, caption: str, key: str) -> Table:
    """Return designs with what was chosen, their goals and their limited numbers."""
    say, plan, numbers = design.say, design.plan, design.numbers
    heads = [Column(say("design", "设计"), "", False), *(Column(one, "", False) for one in plan.choose)]
    scales = {}
    for name, number in numbers.items():
        finite = rows[name].astype(float).abs().max()
        divisor, label = number.label(0.0 if np.isnan(finite) else float(finite))
        scales[name] = divisor
        unit = label[design.zh].removeprefix(name).strip(" []")
        heads.append(Column(name, unit))
    heads += [Column(say("on the front", "前沿"), "", False)] if key == "designs" else []
    cells = []
    for row in rows.to_dict("records"):
        chosen = ("–" if row[one] is None else chosen_text(row[one]) for one in plan.choose)
        reached = ("–" if pd.isna(row[name]) else short(row[name] / scales[name]) for name in numbers)
        mark = (say("yes", "是") if row["on_front"] else "–",) if key == "designs" else ()
        name = say("enacted", "现行") if row["design"] == ENACTED else row["design"]
        cells.append((name, *chosen, *reached, *mark))
    count = len(design.designs)
    note = ""
    if key == "designs" and count > len(rows):
        note = say(f"The first {len(rows):,} of {count:,} designs.", f"{count:,} 个设计中的前 {len(rows):,} 个。")
    return Table(caption, tuple(heads), tuple(cells), note=note, key=key)


def _reproduce(design: ToldDesign) -> Section:
    """Return commands, versions and hashes that lead to the same designs."""
    say, about = design.say, design.record
    versions = design.listed([f"{name} {version}" for name, version in (about.get("versions") or {}).items()])
    facts = (
        (say("instance, SHA-256", "算例 SHA-256"), str(about.get("instance_hash", "–"))),
        (say("search, SHA-256", "搜索 SHA-256"), str(about.get("plan", "–"))),
        (say("versions", "版本"), versions),
    )
    file, folder = shlex.quote(design.plan.file), shlex.quote(design.folder)
    lines = (f"etsopt design {file} --runs --out again", f"etsopt report {folder}{say('', ' --lang zh')}")
    return Section("reproduce", say("How to reproduce it", "如何复现"), (Commands(lines), Facts(facts)))
