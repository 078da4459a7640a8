"""What stands behind a page: assumptions, the certificate, and how to obtain it again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.language import _
from etsopt.reports.document.answer import status
from etsopt.reports.document.cells import signed, tonnes
from etsopt.reports.document.content import Column, Commands, Facts, Paragraph, Points, Section, Table
from etsopt.results.cell_words import OBJECTIVES, UNITS, algorithm
from etsopt.results.claims import is_checked, is_judged, is_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.reports.document.content import Block, Run

RECOMPUTED = {
    "allocation": (
        "reference allowances, balance values, bands, targets, balances, and all totals",
        "参考配额、平衡值、盈缺率限值、目标、平衡和全部合计",
    ),
    "years": (
        "accounts of every enterprise, cost of every plan, the balance of the market, and prices",
        "各企业账户、各方案成本、市场平衡和碳价",
    ),
    "equilibrium": (
        "the best response of every unit, and the balance of every sector",
        "各单元的最优响应和各行业的平衡",
    ),
    "compliance": (
        "issue, accounts by vintage, surrender, fines, and all totals",
        "发放、分年度账户、清缴、罚款和全部合计",
    ),
    "relaxed_limits": (
        "a combination of the limits that no allocation can keep",
        "任何分配方案都无法同时满足的限值组合",
    ),
    "reconciliation": ("every piece of evidence, and the ends of every interval", "每项证据和每个区间的两端"),
    "plan": (
        "days, draws and coverage, and a bound on what any plan covers",
        "人天、抽取、覆盖量及任何计划可覆盖量的界",
    ),
}
"""What the checker recomputes, by a table of the run."""


OF_PROGRAM = {
    "certified_program": (
        "Every row, bound and whole number of the program of the model file was recomputed. No point that keeps them, "
        "and earlier objectives at least as well, has an objective below its value minus the gap. That it says what "
        "its author means was not checked.",
        "模型文件规划的全部约束、边界和整数要求均已重新计算；满足这些要求且先前目标不变差的点，其目标均不低于所列取值减去差距。规划是否表达了作者的本意，未作检查。",
    ),
    "infeasible_program": (
        "No point keeps every row and bound of the program of the model file: recomputed. That the program says what "
        "its author means was not checked.",
        "没有点满足模型文件规划的全部约束和边界：已重新计算。规划是否表达了作者的本意，未作检查。",
    ),
}
"""What is proven of a program of the user's own, by status."""

METHODS = {"direct": "整体求解", "aggregation": "聚合", "decomposition": "分解", "pyomo": "Pyomo 建模"}
"""Chinese names of methods."""


def assumptions(run: Run) -> Iterator[Section]:
    """Yield what the result rests on: data, parameters, keys that have no effect."""
    lines = [*_origin(run), *_given(run), *_own_parameters(run)]
    # What lapses is worth nothing, whatever the policy states.
    terminal = float(run.tables["closure"]["terminal_price_cny_per_t"].iloc[-1]) if "closure" in run.tables else 0.0
    if terminal:
        price = f"{terminal:,.2f}"
        lines.append(
            run.say(
                f"An allowance kept after the last year is worth {price} CNY/t (terminal_price_cny_per_t).",
                f"期末结余配额的价值为 {price} 元/吨（terminal_price_cny_per_t）。",
            )
        )
    if unused := run.about.get("ignored"):
        keys = run.listed(unused)
        lines.append(run.say(f"Policy keys without effect in this model: {keys}.", f"本模型不使用的政策项：{keys}。"))
    lines.append(
        run.say(
            "The certificate is about arithmetic and optimality: it does not say that the data are true.",
            "证明只涉及计算和最优性，不说明数据真实。",
        )
    )
    yield Section("assumptions", run.say("Assumptions", "假设"), (Points(tuple(lines)),))


def _origin(run: Run) -> Iterator[str]:
    """Yield what a shipped instance says of its data, and the origin of the units where the instance states it."""
    from etsopt.data.files import shipped

    name = str(run.about.get("instance"))
    if name in shipped.names():
        text = (shipped.folder(name) / "README.md").read_text(encoding="utf-8").lstrip("# ").split("\n")[0]
        yield run.say(f"The shipped instance {name} says: {text}", f"内置算例 {name} 的说明（英文）：{text}")
    table = run.tables.get("allocation")
    if table is not None and "x_origin" in table:
        counts = table["x_origin"].astype(str).replace("", "–").value_counts()
        of = run.listed([f"{count:,} {origin}" for origin, count in counts.items()])
        yield run.say(f"Origin of the units (column x_origin): {of}.", f"单元数据来源（列 x_origin）：{of}。")


def _given(run: Run) -> Iterator[str]:
    if rule := run.about.get("own_rule"):
        name = rule["name"]
        yield run.say(
            f"The rule {name} is your own: its reference allowances are taken as given, not derived again.",
            f"规则 {name} 为自定义规则：其参考配额按所给采用，未重新推导。",
        )


def _own_parameters(run: Run) -> Iterator[str]:
    for entry in run.about.get("own_parameters") or ():
        of = f"{entry['years'][0]}, {', '.join(entry['sectors'])}"
        yield run.say(
            f"{entry['key']}: official {entry['official']} ({of}), here {entry['here']}.",
            f"{entry['key']}：官方值 {entry['official']}（{of}），此处 {entry['here']}。",
        )


def certificate(run: Run, checked: bool) -> Section:
    """Return the verdict, the objectives with their bounds, and what was recomputed.

    Parameters
    ----------
    checked
        True if the run was checked for this page, and every statement of it holds.
    """
    results = run.results
    blocks: list[Block] = [Facts(tuple(_verdict(run, checked)))]
    if results.levels:
        blocks.append(_levels(run))
    known = [run.say(*words) for name, words in RECOMPUTED.items() if name in run.tables]
    if is_checked(results) and known:
        parts = run.say("; ", "；").join(known)
        blocks.append(
            Paragraph(
                run.say(
                    "The checker shares no code with the solver. From the instance and the tables alone it recomputes "
                    f"{parts}; a lower bound for each objective follows from multipliers that nobody has to trust.",
                    f"检查程序与求解器不共用代码，仅由算例和结果表重新计算：{parts}；各目标的下界由乘子推出，无需信任求解器。",
                ),
                "note",
            )
        )
    if results.status in OF_PROGRAM:
        words = OF_PROGRAM[results.status]
        blocks.append(Paragraph(run.say(*words), "note"))
        if isinstance(results.held, Path):
            # Of a run on disk that is a claim, until it is checked with the file of its model.
            words = (
                _("This page states what the run says of itself; the check below was not made for it."),
                "本页所列为计算结果自身的陈述；生成本页时未执行下列检查。",
            )
            blocks.append(Paragraph(run.say(*words), "warning"))
    elif not is_judged(results):
        words = (_("The checker does not know this model: nothing was checked."), "检查程序不支持此模型：未作检查。")
        blocks.append(Paragraph(run.say(*words), "warning"))
    return Section("certificate", run.say("Certificate", "证明"), tuple(blocks))


def _verdict(run: Run, checked: bool) -> Iterator[tuple[str, str]]:
    results = run.results
    yield run.say("verdict", "结论"), status(run)
    if checked and is_checked(results):
        yield (
            run.say("checked for this page", "生成本页时再次检查"),
            run.say("every statement of the run holds", "运行结果的全部陈述均成立"),
        )
    if results.misses_t is not None:
        misses = f"{results.misses_t:.2g} {run.say('t', '吨')}" if results.misses_t else run.say("none", "无")
        yield run.say("largest violation of a limit", "对限值的最大偏离"), misses
    if results.distance_t is not None:
        away = f"{max(results.distance_t, 1e-9):.2g} {run.say('t', '吨')}"
        yield run.say("no unit is farther from the one solution than", "任何单元与唯一解的距离不超过"), away
    if results.rounded_by_t is not None:
        yield run.say("moved at most by rounding", "取整的最大变动"), tonnes(results.rounded_by_t, run.zh)
    if results.infeasible_by_t is not None:
        yield run.say("infeasible by at least", "至少相差"), tonnes(results.infeasible_by_t, run.zh)


def _levels(run: Run) -> Table:
    heads = ("objective", "value", "proven bound", "gap", "unit", "certified", "algorithm")
    if run.zh:
        heads = ("目标", "取值", "证明的下界", "差距", "单位", "已证明", "算法")
    yes, no = run.say("yes", "是"), run.say("no", "否")
    rows = [
        (
            run.say(level.name, OBJECTIVES.get(level.name, level.name)),
            figure_of(level.value),
            figure_of(level.bound),
            f"{abs(level.gap):.1e}" if np.isfinite(level.gap) else "–",
            run.say(level.unit, UNITS.get(level.unit, level.unit)),
            yes if level.certified else no,
            run.say(level.algorithm, algorithm(level.algorithm)),
        )
        for level in run.results.levels
    ]
    columns = tuple(Column(head, "", place in (1, 2, 3)) for place, head in enumerate(heads))
    return Table(run.say("Objectives in their order", "各级目标"), columns, tuple(rows))


def _method(run: Run) -> str:
    """Return the method; its reason, which a run states in English, in English only."""
    method = str(run.about.get("method", "–"))
    if run.zh:
        return run.noted(METHODS[method], method) if method in METHODS else method
    return f"{method}. {run.about.get('method_reason', '')}".strip()


def figure_of(value: float) -> str:
    """Return a value of an objective with the digits that matter, or a dash for none."""
    if not np.isfinite(value):
        return "–"
    return signed(f"{value:,.2f}" if abs(value) >= 1e6 else f"{value:,.10g}")


def reproduce(run: Run) -> Section:
    """Return commands, versions and hashes that lead to the same result."""
    about = run.about
    folder = shlex.quote(run.folder)
    options: dict[str, Any] = about.get("options") or {}
    solve = f"etsopt solve {folder}/instance --model {shlex.quote(str(about['model']))}"
    solve += f" --method {about['method']}" if about.get("method") in ("direct", "aggregation", "decomposition") else ""
    solve += f" --gap {options['gap']:g}" if options.get("gap") is not None else ""
    solve += f" --seed {about.get('seed', 0)} --out again"
    versions = run.listed([f"{name} {version}" for name, version in (about.get("versions") or {}).items()])
    facts = (
        (run.say("instance, SHA-256", "算例 SHA-256"), str(about.get("instance_hash", "–"))),
        (run.say("result, SHA-256", "结果 SHA-256"), run.results.hash),
        (run.say("versions", "版本"), versions),
        (run.say("method", "方法"), _method(run)),
    )
    model = f" --model {shlex.quote(str(about['model']))}" if is_program(run.results) else ""
    lines = (f"etsopt check {folder}{model}", solve, f"etsopt report {folder}{run.say('', ' --lang zh')}")
    return Section("reproduce", run.say("How to reproduce it", "如何复现"), (Commands(lines), Facts(facts)))
