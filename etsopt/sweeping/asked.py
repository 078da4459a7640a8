"""What a sweep was asked for, and how its scenarios ended, as sections of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from etsopt.language import _
from etsopt.reports.document.asked import MODELS
from etsopt.reports.document.content import Column, Facts, Paragraph, Section, Table
from etsopt.results.words import STATUSES
from etsopt.sweeping.outcome import PROVEN
from etsopt.sweeping.sampling import KINDS, SALTELLI

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.reports.document.content import Block, Told
    from etsopt.sweeping.told import ToldSweep

DESIGNS = {
    "latin_hypercube": ("Latin hypercube", "拉丁超立方抽样"),
    "sobol": ("scrambled Sobol points", "Sobol 序列"),
    "random": ("independent draws", "独立随机抽样"),
    SALTELLI: ("Saltelli design", "Saltelli 设计"),
}
"""Designs of draws in words."""

DISTRIBUTIONS = {
    "uniform": ("uniform from {0} to {1}", "均匀分布，{0} 至 {1}"),
    "triangular": (
        "triangular, {0} at least, {1} most likely, {2} at most",
        "三角分布，最小 {0}，最可能 {1}，最大 {2}",
    ),
    "normal": ("normal, mean {0}, standard deviation {1}", "正态分布，均值 {0}，标准差 {1}"),
    "lognormal": (
        "lognormal, median {0}, standard deviation of the logarithm {1}",
        "对数正态分布，中位数 {0}，对数标准差 {1}",
    ),
}
"""Distributions in words, with their parameters."""

ENDED = STATUSES | {
    "pending": ("not solved yet", "尚未求解"),
    "failed": ("failed with an error", "出错"),
    "lost": ("lost with its worker", "随工作进程丢失"),
}
"""How a scenario ended, in words."""

MOST_NAMES, MOST_ROWS, MOST_FAILURES = 12, 60, 2_000
"""Named scenarios in words, rows of a table that is all there, and of one with a search box."""

DECISION = {True: ("decision", "方案"), False: ("scenario", "情景")}
"""What a row of statistics is of, with draws and without."""


def asked(sweep: ToldSweep) -> Section:
    """Return the section on what was asked."""
    blocks: tuple[Block, ...] = (Facts(tuple(_facts(sweep))), *_changes(sweep))
    return Section("asked", sweep.say("What was asked", "计算要求"), blocks)


def _changes(sweep: ToldSweep) -> Iterator[Table]:
    """Yield what each decision changes, if there are several."""
    say, found = sweep.say, sweep.changes
    if len(found) < 2:
        return
    keys = [key for key in found if key != "decision"]
    heads = (Column(say(*DECISION[sweep.sampled]), "", False), *(Column(key, "", False) for key in keys))
    rows = tuple(
        (row["decision"], *("–" if pd.isna(row[key]) else str(row[key]) for key in keys))
        for row in found.head(MOST_FAILURES).to_dict("records")
    )
    yield Table(
        say("Changes by which they differ", "各方案的变动"), heads, rows, key="changes" if len(rows) > MOST_ROWS else ""
    )


def _facts(sweep: ToldSweep) -> Iterator[tuple[str, str]]:
    stated, say = sweep.stated, sweep.say
    model = str(sweep.about.get("model", ""))
    yield (
        say("question", "问题"),
        sweep.noted(say(*MODELS.get(model, ("a model of your own", "自定义模型"))), str(model)),
    )
    yield say("instance", "算例"), sweep.about["instance"]
    yield say("scenarios", "情景"), f"{len(sweep.scenarios):,}"
    for key, value in (stated.get("policy") or {}).items():
        yield say("in every scenario", "所有情景"), f"{key} = {value}"
    for name, changes in list((stated.get("scenarios") or {}).items())[:MOST_NAMES]:
        yield name, changes_of(sweep, changes)
    if (more := len(stated.get("scenarios") or {}) - MOST_NAMES) > 0:
        yield say("further named scenarios", "其他命名情景"), f"{more:,}"
    for part, words in (("grid", ("every combination of", "全部组合")), ("paired", ("taken together", "成组取值"))):
        for key, values in (stated.get(part) or {}).items():
            yield say(*words), sweep.named(key, sweep.listed([str(value) for value in values]))
    if sample := stated.get("sample"):
        yield say("draws", "抽样"), _draws(sweep, sample)
        for key, distribution in sample["values"].items():
            yield key, _distribution(sweep, distribution)


def changes_of(page: Told, changes: Mapping[str, Any]) -> str:
    """Return changes of keys in a line."""
    return page.listed([f"{key} = {value}" for key, value in changes.items()]) or page.say("no change", "无变动")


def _draws(sweep: ToldSweep, sample: Mapping[str, Any]) -> str:
    number, seed, inputs = int(sample["number"]), sweep.stated.get("seed", 0), len(sample["values"])
    words = sweep.say(*DESIGNS.get(sample["method"], (sample["method"],) * 2))
    if sample["method"] == SALTELLI:
        draws = number * (inputs + 2)
        return sweep.say(
            f"{words}, {number:,} rows of {inputs + 2} draws, {draws:,} in all; seed {seed}",
            f"{words}，{number:,} 行，每行 {inputs + 2} 个样本，共 {draws:,} 个；种子 {seed}",
        )
    return sweep.say(f"{number:,}, {words}; seed {seed}", f"{number:,} 个，{words}；种子 {seed}")


def _distribution(sweep: ToldSweep, stated: Mapping[str, Any]) -> str:
    """Return a distribution in words."""
    kind = next(name for name in KINDS if stated.get(name) is not None)
    values = [f"{value:g}" if isinstance(value, int | float) else str(value) for value in stated[kind]]
    if kind == "choice":
        text = sweep.say("one of ", "等概率取 ") + sweep.listed(values)
    else:
        text = sweep.say(*DISTRIBUTIONS[kind]).format(*values)
    by_row = stated.get("each") == "row"
    return text + (sweep.say(", each row by its own factor", "，各行分别抽取") if by_row else "")


class Ended(Protocol):
    """A record whose scenarios have ended."""

    @property
    def scenarios(self) -> pd.DataFrame:
        """Every scenario with its status and message."""

    def say(self, english: str, chinese: str) -> str:
        """Return the text in the language of the page."""


def outcomes(sweep: Ended) -> Section:
    """Return how many scenarios ended how, and those without a proven answer with their reason."""
    say, scenarios = sweep.say, sweep.scenarios
    rows = tuple((say(*ENDED.get(one, (one, one))), f"{count:,}") for one, count in _counts(sweep).items())
    heads = (Column(say("status", "状态"), "", False), Column(say("number", "数量")))
    blocks: list[Block] = [Table(say("Number by status", "各状态数量"), heads, rows)]
    failures = scenarios[~scenarios["status"].isin(PROVEN)]
    if len(failures):
        said = (
            "All figures and charts below are of proven answers alone; the table has the others.",
            "下文的数值和图仅含已证明的结果；其余见下表。",
        )
        blocks.append(Paragraph(say(*said), "warning"))
        blocks.append(_failures(sweep))
    return Section("outcomes", say("How they ended", "求解情况"), tuple(blocks))


def _counts(sweep: Ended) -> dict[str, int]:
    counts: dict[str, int] = sweep.scenarios["status"].value_counts().to_dict()
    return counts


def _failures(sweep: Ended) -> Table:
    say = sweep.say
    failures = sweep.scenarios[~sweep.scenarios["status"].isin(PROVEN)]
    heads = [("name", "名称"), ("status", "状态"), ("reason", "原因")]
    rows = tuple(
        (row["scenario"], say(*ENDED.get(row["status"], (row["status"],) * 2)), row["message"] or "–")
        for row in failures.head(MOST_FAILURES).to_dict("records")
    )
    note = ""
    if len(failures) > MOST_FAILURES:
        words = (
            _("{most_failures:,} of {count:,} scenarios.", most_failures=MOST_FAILURES, count=len(failures)),
            f"{len(failures):,} 个情景中的 {MOST_FAILURES:,} 个。",
        )
        note = say(*words)
    columns = tuple(Column(say(*words), "", False) for words in heads)
    caption = say("Without a proven answer", "没有已证明的结果")
    return Table(caption, columns, rows, note=note, key="failures")
