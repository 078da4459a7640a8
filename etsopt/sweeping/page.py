"""The report of a sweep as one HTML page, made of the parts of the report of a run."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from etsopt.charts import sweeps
from etsopt.reports.document.content import Commands, Document, Facts, KeyFigure, Section
from etsopt.reports.document.write import imprint, write_document
from etsopt.sweeping.asked import asked, changes_of, outcomes
from etsopt.sweeping.outcome import LEVELS, NO_ANSWER, PROVEN
from etsopt.sweeping.sections import chart_of, decisions, everything, indices_shown, moves, numbers, regrets
from etsopt.sweeping.told import ToldSweep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from etsopt.charts.chart import Chart


def write_sweep_report(folder: Path, path: Path, lang: str = "en", inline: bool = False) -> list[Path]:
    """Write the report of the sweep in a folder, and beside it the script that draws its charts.

    Parameters
    ----------
    folder
        Folder with the record of the sweep.
    path, lang, inline
        As of the report of a run.

    Raises
    ------
    UsageError
        If the folder has no record, another process holds it, or jinja2 or plotly is not installed.
    OSError
        With the name of the file that cannot be written.
    """
    return write_document(page_of(ToldSweep.read(folder, lang == "zh")), path, inline)


def kicker(sweep: ToldSweep) -> str:
    """Return the line above the answer."""
    return sweep.kicker("sweep", "情景计算")


def charts_of(sweep: ToldSweep) -> list[Chart]:
    """Return the charts of the report: numbers that come first, and what moves them."""
    moved = [sweeps.indices(number, one, sweep.about) for number, one in indices_shown(sweep)]
    return [*(chart_of(sweep, shown) for shown in sweep.shown), *moved]


def page_of(sweep: ToldSweep) -> Document:
    """Return the report of a sweep, apart from its layout."""
    say, count = sweep.say, len(sweep.scenarios)
    settled = sweep.scenarios["status"].isin((*PROVEN, *NO_ANSWER))
    status = say(
        f"{int(settled.sum()):,} of {count:,} scenarios proven", f"{count:,} 个情景中 {int(settled.sum()):,} 个已证明"
    )
    about = sweep.about
    return Document(
        lang="zh" if sweep.zh else "en",
        title=sweep.named(str(about["instance"]), say("sweep", "情景计算")),
        kicker=kicker(sweep),
        answer=_answer(sweep),
        status=status,
        proven=bool(settled.all()),
        figures=tuple(_figures(sweep)),
        sections=tuple(_sections(sweep)),
        imprint=imprint(sweep),
    )


def _sections(sweep: ToldSweep) -> Iterator[Section]:
    yield asked(sweep)
    yield outcomes(sweep)
    yield from decisions(sweep)
    yield from numbers(sweep)
    yield from moves(sweep)
    yield from everything(sweep)
    yield _reproduce(sweep)


def _answer(sweep: ToldSweep) -> str:
    """Return the answer in one sentence: the reach of the first number, and the decision of least regret."""
    say = sweep.say
    if not sweep.answered:
        return say("No scenario has a proven answer.", "没有任何情景得到已证明的结果。")
    if not sweep.shown:
        return say("No number with a chart moves from scenario to scenario.", "有图的数值在各情景间没有差别。")
    first = sweep.shown[0]
    unit, rows = first.number.unit, first.ends
    name = first.number.words[sweep.zh]
    if first.by_year:
        name = say(f"{name} in {rows['year'].iloc[0]}", f"{rows['year'].iloc[0]}年{name}")
    least, largest = (rows.loc[rows["mean"].idxmin()], rows.loc[rows["mean"].idxmax()])
    if not sweep.sampled:
        ends = [(sweep.amount(row["mean"], unit), row["decision"]) for row in (least, largest)]
        return say(
            f"Over {sweep.answered:,} scenarios {name} runs from {ends[0][0]} ({ends[0][1]}) to {ends[1][0]} "
            f"({ends[1][1]}).",
            f"在 {sweep.answered:,} 个情景中，{name}从 {ends[0][0]}（{ends[0][1]}）到 {ends[1][0]}（{ends[1][1]}）。",
        )
    decisions = len(rows["decision"].unique())
    mean, low, high = (sweep.amount(float(rows[key].iloc[0]), unit) for key in ("mean", "p05", "p95"))
    if decisions == 1:
        return say(
            f"{name[:1].upper()}{name[1:]}: {mean} on average, and from {low} to {high} in 9 of 10 draws.",
            f"{name}平均为 {mean}，九成样本在 {low} 至 {high} 之间。",
        )
    best = regrets(sweep, first).iloc[0] if first.table == LEVELS else None
    if best is None:
        if len(set(rows["mean"])) == 1:
            return say(f"The mean of {name} is {mean} in every decision.", f"各方案的{name}均值均为 {mean}。")
        ends = [(sweep.amount(row["mean"], unit), row["decision"]) for row in (least, largest)]
        return say(
            f"Of {decisions:,} decisions the mean of {name} runs from {ends[0][0]} ({ends[0][1]}) to {ends[1][0]} "
            f"({ends[1][1]}).",
            f"{decisions:,} 个方案的{name}均值从 {ends[0][0]}（{ends[0][1]}）到 {ends[1][0]}（{ends[1][1]}）。",
        )
    worst = sweep.amount(float(best["largest_regret"]), unit)
    return say(
        f"Of {decisions:,} decisions, {best['decision']} has the least largest regret in {name}: {worst}.",
        f"{decisions:,} 个方案中，{best['decision']} 的最大遗憾值最小（{name}），为 {worst}。",
    )


def _figures(sweep: ToldSweep) -> Iterator[KeyFigure]:
    say = sweep.say
    yield KeyFigure(f"{len(sweep.scenarios):,}", "", say("scenarios", "情景数"))
    yield KeyFigure(f"{sweep.answered:,}", "", say("with a proven answer", "结果已证明"))
    infeasible = int(sweep.scenarios["status"].isin(NO_ANSWER).sum())
    yield KeyFigure(f"{infeasible:,}", "", say("proven to be infeasible", "已证明不可行"))
    yield KeyFigure(f"{len(sweep.scenarios) - sweep.answered - infeasible:,}", "", say("without either", "未得到证明"))
    if sweep.sampled:
        yield KeyFigure(f"{len(sweep.states['decision'].unique()):,}", "", say("decisions", "方案数"))
        yield KeyFigure(f"{len(sweep.states['state'].unique()):,}", "", say("draws", "样本数"))


def _reproduce(sweep: ToldSweep) -> Section:
    """Return commands, versions and hashes that lead to the same tables."""
    say, about = sweep.say, sweep.record
    file = shlex.quote(str(sweep.stated.get("file", "sweep.toml")))
    versions = sweep.listed([f"{name} {version}" for name, version in (about.get("versions") or {}).items()])
    options = changes_of(sweep, about.get("options") or {})
    facts = (
        (say("instance, SHA-256", "算例 SHA-256"), str(about.get("instance_hash", "–"))),
        (say("scenarios, SHA-256", "情景 SHA-256"), str(about.get("plan", "–"))),
        (say("seed of the draws", "抽样种子"), str(sweep.stated.get("seed", 0))),
        (say("options", "选项"), options if about.get("options") else say("the defaults", "默认")),
        (say("versions", "版本"), versions),
    )
    folder = shlex.quote(sweep.folder)
    lines = (f"etsopt sweep {file} --out again", f"etsopt report {folder}{say('', ' --lang zh')}")
    return Section("reproduce", say("How to reproduce it", "如何复现"), (Commands(lines), Facts(facts)))
