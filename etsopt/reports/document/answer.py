"""The answer of a run in one sentence, and its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.charts.investments import by_scenario
from etsopt.explanation.steps import in_chinese
from etsopt.reports.document.cells import amount, rate, tonnes
from etsopt.results.claims import is_checked, is_judged
from etsopt.results.equal_allocation import outside_of
from etsopt.results.prices import STATED, has_price, open_balance
from etsopt.results.words import STATUSES, TERMINATIONS
from etsopt.units import format_tonnes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt.reports.document.content import Run

SAME_PRICE = 1e-6
"""Relative difference below which two prices count as equal."""

SHORT_REMEDY = 2
"""Changes of a remedy that fit into the answer."""

NO_PRICE = "self-balancing"
"""What sets the price of a year in which allowances equal emissions: every price above the next year's clears."""


def answer(run: Run) -> str:
    """Return the answer in one sentence."""
    if run.results.status == "refused":
        return run.say("The checker refuses this result: there is no answer.", "结果未通过检查，没有答案。")
    # Tables of a user's own model have columns of their own, whatever their names.
    for table, sentence in SENTENCES.items() if is_checked(run.results) else ():
        if table in run.tables and len(run.tables[table]):
            return sentence(run)
    words = status(run)
    return run.say(f"{words[:1].upper()}{words[1:]}.", f"{words}。")


def status(run: Run) -> str:
    """Return the verdict in words, with the reason for which a solve stopped early."""
    words = run.say(*STATUSES.get(run.results.status, (run.results.status,) * 2))
    if not is_judged(run.results) and run.results.status == "feasible":
        words = run.say("solved according to the solver, not checked", "求解器已求解，未检查")
    stop = TERMINATIONS.get(run.results.termination)
    return f"{words}{run.say(', ', '，')}{run.say(*stop)}" if stop else words


def _infeasible(run: Run) -> str:
    least = run.results.infeasible_by_t
    short = "" if least is None else amount(least, "t", run.zh)
    remedies = run.results.remedies if run.results.held is not None else ()
    sentence = run.say("No allocation keeps every limit of this policy", "没有满足该政策全部限值的分配方案")
    if short:
        sentence += run.say(f": in all they would have to give by at least {short}", f"，至少相差 {short}")
    if not remedies:
        return sentence + run.say(".", "。")
    first = min(remedies, key=lambda remedy: len(remedy.changes))
    if len(first.changes) > SHORT_REMEDY:
        return sentence + run.say(". What would have to give is stated below.", "。须放宽的限值见下文。")
    return sentence + run.say(f". There is one with {first.text}.", f"。若 {first.text}，则有可行方案。")


def _compliance(run: Run) -> str:
    nation = run.tables["nation"].iloc[0]
    owed, short = (float(nation[name]) for name in ("obligation_t", "shortfall_t"))
    enterprises, behind = int(nation["enterprises"]), int(nation["enterprises_with_shortfall"])
    total = amount(owed, "t", run.zh)
    if not short:
        english = f"All {enterprises:,} enterprises surrender in full the {total} that they owe"
        chinese = f"{enterprises:,} 家企业足额清缴 {total}"
    else:
        falls = "falls" if behind == 1 else "fall"
        english = f"{behind:,} of {enterprises:,} enterprises {falls} {tonnes(short)} short of the {total} that is owed"
        chinese = f"{enterprises:,} 家企业应清缴 {total}，其中 {behind:,} 家未足额清缴，缺 {tonnes(short, True)}"
    left = amount(float(nation["closing_t"]), "t", run.zh)
    if not nation["closing_t"]:
        return run.say(f"{english}.", f"{chinese}。")
    return run.say(f"{english}; {left} are left for later years.", f"{chinese}，结余 {left}。")


def _price(run: Run) -> str:
    """Return the price of one year, or of the first and last with a price."""
    years = run.tables["years"]
    given = bool(years["price_obtained"].eq(STATED).all())
    before, after = (float(years[name].sum()) for name in ("emissions_before_tco2e", "emissions_tco2e"))
    fall = rate((before - after) / before) if before else "-"
    if not has_price(run.tables):
        return _without_price(run)
    if given:
        price = _span(run, years)
        return run.say(
            f"At {price}, enterprises abate {amount(before - after, 't')}, {fall} of their emissions.",
            f"碳价为 {price} 时，企业减排 {amount(before - after, 't', True)}，占排放量的 {fall}。",
        )
    found = years
    if "closure" in run.tables:
        found = years[(run.tables["closure"]["set_by"] != NO_PRICE).to_numpy()]
    if not len(found):
        least = f"{float(years['price_lower_cny_per_t'].iloc[0]):,.2f}"
        return run.say(
            f"Nothing is scarce: every price from {least} CNY/t up clears the market, and measures abate "
            f"{amount(before - after, 't')} ({fall}).",
            f"配额不稀缺：不低于 {least} 元/吨的任何碳价均可出清，减排 {amount(before - after, 't', True)}（{fall}）。",
        )
    price = _span(run, found)
    return run.say(
        f"The market clears at {price}; measures abate {amount(before - after, 't')}, {fall} of emissions.",
        f"市场在 {price} 出清；减排 {amount(before - after, 't', True)}，占排放量的 {fall}。",
    )


def _without_price(run: Run) -> str:
    row = open_balance(run.tables)
    assert row is not None
    sector, year, residual = row["sector"], row["year"], format_tonnes(row["residual_t"])
    return run.say(
        f"Balance values do not repeat, so there is no price: allowances less emissions of {sector} in {year} are "
        f"{residual} t.",
        f"平衡值不重复，因此没有碳价：{year}年{in_chinese(sector)}配额减排放量为 {residual} 吨。",
    )


def _span(run: Run, years: pd.DataFrame) -> str:
    first, last = years.iloc[0], years.iloc[-1]
    one, other = (f"{row['price_cny_per_t']:,.2f}" for row in (first, last))
    unit = run.say("CNY/t", "元/吨")
    if len(years) == 1:
        return f"{one} {unit}"
    return run.say(
        f"{one} {unit} in {first['year']} and {other} {unit} in {last['year']}",
        f"{first['year']}年 {one} {unit}、{last['year']}年 {other} {unit}",
    )


def _equilibrium(run: Run) -> str:
    found = run.tables["equilibrium"]
    price = f"{float(found['price_cny_per_t'].iloc[0]):,.2f} " + run.say("CNY/t", "元/吨")
    first, last = found[found["year"] == found["year"].min()], found["price_cny_per_t"].iloc[-1]
    if not np.isclose(float(last), float(found["price_cny_per_t"].iloc[0])):
        price += run.say(f" to {last:,.2f} CNY/t", f"至 {last:,.2f} 元/吨")
    moved = [
        f"{run.say(row['sector'], in_chinese(row['sector']))} {row['balance_value_before']:.4f} → "
        f"{row['balance_value']:.4f}"
        for row in first.to_dict("records")
        if abs(row["balance_value"] - row["balance_value_before"]) > 1e-9
    ]
    before, after = (float(found[name].sum()) for name in ("emissions_before_tco2e", "emissions_tco2e"))
    less = amount(before - after, "t", run.zh)
    values = run.listed(moved) if moved else run.say("none", "无")
    return run.say(
        f"At {price} units abate {less}, and the balance values that move are {values} t/t.",
        f"碳价为 {price} 时，各单元减排 {less}；变动的平衡值：{values} 吨/吨。",
    )


def _allocated(run: Run) -> str:
    units = run.tables["allocation"]
    emissions, given = float(units["emissions_tco2e"].sum()), float(units["allowance_t"].sum())
    outside = outside_of(run.tables)
    count, more = len(units) - outside, ("", "")
    if outside:
        more = (f" ({outside:,} more are outside the scope of the year)", f"（另有 {outside:,} 个不在当年度分配范围）")
    return run.say(
        f"{count:,} units{more[0]} are due {amount(given, 't')} of allowances for {amount(emissions, 't')} of "
        f"emissions, {_balance(run, given - emissions, emissions)}",
        f"{count:,} 个单元{more[1]}排放 {amount(emissions, 't', True)}，核定配额 {amount(given, 't', True)}，"
        f"{_balance(run, given - emissions, emissions)}",
    ) + _moved(run, units)


def _balance(run: Run, surplus: float, emissions: float) -> str:
    if abs(surplus) < 1:
        return run.say("which is in balance", "盈缺平衡")
    share = rate(abs(surplus) / emissions) if emissions else "-"
    word = ("a surplus", "盈余") if surplus > 0 else ("a deficit", "缺口")
    of = amount(abs(surplus), "t", run.zh)
    return run.noted(run.say(f"{word[0]} of {of}", f"{word[1]} {of}"), share)


def _moved(run: Run, units: pd.DataFrame) -> str:
    """Return what the limits moved against the rule alone; the end of the sentence."""
    moved = float(units["change_t"].abs().sum()) if "change_t" in units else 0.0
    if run.about.get("model") == "balance_value":
        return run.say(" under the rule alone.", "（仅按规则）。")
    if moved < 1:
        return run.say("; the rule already keeps every limit.", "；规则结果已满足全部限值。")
    of = amount(moved, "t", run.zh)
    if run.results.certified and run.results.levels and run.results.levels[0].name == "change":
        return run.say(
            f"; keeping every limit moves {of} against the rule, proven to be the least.",
            f"；为满足全部限值，较规则调整 {of}，已证明为最小调整量。",
        )
    return run.say(f"; keeping every limit moves {of} against the rule.", f"；为满足全部限值，较规则调整 {of}。")


def _reconciled(run: Run) -> str:
    table = run.tables["reconciliation"]
    low, middle, high = (
        amount(float(table[name].sum()), "t", run.zh) for name in ("lowest_tco2e", "reconciled_tco2e", "highest_tco2e")
    )
    return run.say(
        f"The reports of {len(table):,} units allow emissions from {low} to {high}; the best estimate is {middle}.",
        f"{len(table):,} 个单元的月度报告支持的排放量为 {low} 至 {high}，最佳估计为 {middle}。",
    )


def _reviews(run: Run) -> str:
    summary, plan = run.tables["review_summary"].iloc[0], run.tables["plan"]
    covered, at_risk = (float(summary[name]) for name in ("covered_tco2e", "at_risk_tco2e"))
    share = rate(covered / at_risk) if at_risk else "-"
    return run.say(
        f"{len(plan):,} reviews of {int(summary['enterprises']):,} enterprises cover {amount(covered, 't')} of the "
        f"{amount(at_risk, 't')} at risk ({share}).",
        f"对 {int(summary['enterprises']):,} 家企业审核 {len(plan):,} 次，覆盖风险排放量 "
        f"{amount(at_risk, 't', True)} 中的 {amount(covered, 't', True)}（{share}）。",
    )


def _invested(run: Run) -> str:
    summary = run.tables["investment_summary"].iloc[-1]
    costs = by_scenario(run.tables["scenario_costs"])["cost_cny"]
    now, expected = (amount(float(summary[f"{name}_cny"]), "CNY", run.zh) for name in ("investment", "expected_cost"))
    least, most = (amount(float(value), "CNY", run.zh) for value in (costs.min(), costs.max()))
    return run.say(
        f"Enterprises invest {now} now; over {len(costs):,} scenarios their discounted cost is expected to be "
        f"{expected}, from {least} to {most}.",
        f"企业现在投资 {now}；在 {len(costs):,} 个情景中，折现成本期望值为 {expected}，介于 {least} 与 {most} 之间。",
    )


def _missing_days(run: Run) -> str:
    days = f"{float(run.tables['missing_days']['missing_days'].sum()):,.6g}"
    return run.say(
        f"No plan of reviews exists: at least {days} reviewer days are missing.",
        f"没有可行的审核计划：至少缺少 {days} 人天。",
    )


def _unmet(run: Run) -> str:
    short = amount(float(run.tables["unmet_demand"]["unmet_t"].sum()), "t", run.zh)
    return run.say(
        f"The market cannot clear: at least {short} of demand is unmet at any price.",
        f"市场无法出清：任何碳价下至少有 {short} 的需求得不到满足。",
    )


SENTENCES: Mapping[str, Callable[[Run], str]] = {
    "relaxed_limits": _infeasible,
    "unmet_demand": _unmet,
    "missing_days": _missing_days,
    "nation": _compliance,
    "years": _price,
    "equilibrium": _equilibrium,
    "reconciliation": _reconciled,
    "review_summary": _reviews,
    "investment_summary": _invested,
    "allocation": _allocated,
}
"""The sentence of a run by the first of these tables that it has."""
