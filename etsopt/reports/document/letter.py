"""The letter of an enterprise: its allowances on one page, and how the numbers of its units come about."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.errors import UsageError
from etsopt.explanation.explain import FURTHER
from etsopt.explanation.named import enterprise_of
from etsopt.explanation.steps import in_chinese
from etsopt.language import _
from etsopt.reports.document.answer import status
from etsopt.reports.document.cells import amount, rate, sums_of, table_of, tonnes, used
from etsopt.reports.document.content import Document, Facts, Paragraph, Points, Section
from etsopt.reports.stated import outside_scope, within_scope
from etsopt.results.notices import notices
from etsopt.rules import pre_allocation

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etsopt.explanation.steps import Step, Words
    from etsopt.reports.document.content import Block, Run

MOST_YEARS, MOST_UNITS, UNITS_BESIDE_YEARS = 11, 8, 4
"""Rows of years and of units that fit on the page."""

MOST_LINES, LINES_OF_OTHERS = 32, 2
"""Rows of both tables and lines of explanation that fit on the page, and lines for each unit but the largest."""

TOLD_OF_OTHERS = (
    *("scope", "special_case", "threshold", "intensity", "coefficient", "electricity_t", "heat_t"),
    *("gas_top_up_t", "added_t", "reference_t", "sector_target", "province_balance", "national_total", "held_back"),
    "allowance_t",
)
"""Steps of the units that are explained in one line."""

UNITS = ("unit_id", "sector", "province", "emissions_tco2e", "reference_t", "allowance_t", "surplus_t", "surplus_rate")
UNITS_LATER = ("unit_id", "sector", "emissions_before_tco2e", "emissions_tco2e", "allowance_t", "surplus_t")
YEARS = ("year", "emissions_tco2e", "allowance_t", "bought_t", "sold_t", "offset_t", "banked_t", "total_cost_cny")
HOLDINGS = (
    *("vintage", "opening_t", "carried_over_t", "issued_t", "bought_t", "surrendered_t", "sold_t"),
    *("cancelled_t", "closing_t"),
)
OWN = ("allocation", "units", "issuance", "unit_years")
"""Tables with the units of an enterprise, the first that a run has."""


def addressee(run: Run, name: str) -> str:
    """Return the identifier of the enterprise that a name means: its own, or that of one of its units.

    Raises
    ------
    UsageError
        If the run has no table of units, or no such enterprise or several.
    """
    enterprises = run.results.instance.enterprises if run.results.held is not None else run.tables.get("enterprises")
    return enterprise_of(name, _units_of(run), enterprises)


def _units_of(run: Run) -> pd.DataFrame:
    """Return the table with the units of enterprises."""
    name = next((name for name in OWN if "enterprise_id" in run.tables.get(name, ())), None)
    if name is None:
        what = _("The run has no table of the units of enterprises.")
        raise UsageError(what, _("Take a run of a model that allocates, such as allocation, pathway or compliance."))
    return run.tables[name]


def letter(run: Run, enterprise: str) -> Document:
    """Return the letter of an enterprise by its identifier, as `addressee` returns it."""
    units = _units_of(run)
    units = units[units["enterprise_id"] == enterprise]
    if "year" in units:
        units = units[units["year"] == units["year"].min()]
    about = _about(run, enterprise)
    title = str(about.get("name") or enterprise)
    parts = [*_accounts(run, enterprise), *_years(run, enterprise), _units(run, units), *_why(run, units)]
    parts += _notices(run)
    year = run.policy.get("year")
    places = [title] if title == enterprise else [enterprise]
    places += [run.say(str(about[key]), in_chinese(str(about[key]))) for key in ("province", "city") if about.get(key)]
    return Document(
        lang="zh" if run.zh else "en",
        title=title,
        kicker=" · ".join([*places, run.say(f"compliance year {year}", f"{year}年度")]),
        answer=_answer(run, title, units),
        status=status(run),
        proven=run.results.certified,
        sections=tuple(parts),
        imprint=_imprint(run),
    )


def _notices(run: Run) -> list[Section]:
    """Return a section of what the result says of itself, if it says anything."""
    told = tuple(Paragraph(run.say(*words), "warning") for words in notices(run.about))
    return [Section("notices", run.say("To be considered", "提示"), told)] if told else []


def _about(run: Run, enterprise: str) -> dict[str, Any]:
    """Return name, province and city of the enterprise, as far as the run or its instance has them."""
    tables = [run.tables.get("enterprises"), run.tables.get("compliance")]
    tables += [run.results.instance.enterprises] if run.results.held is not None else []
    found: dict[str, Any] = {}
    for table in tables:
        if table is not None:
            for row in table[table["enterprise_id"] == enterprise].head(1).to_dict("records"):
                found = {**{key: value for key, value in row.items() if isinstance(value, str)}, **found}
    return found


def _answer(run: Run, name: str, units: pd.DataFrame) -> str:
    emissions, given = (float(units[column].sum()) for column in ("emissions_tco2e", "allowance_t"))
    year, surplus = run.policy.get("year"), given - emissions
    if len(_outside(run, units)) == len(units):
        return run.say(
            f"No unit of {name} is in the scope of {year}: it is due no allowances and owes none.",
            f"{name} 的单元均不在{year}年度分配范围：不分配配额，也没有清缴义务。",
        )
    share = run.noted("", rate(abs(surplus) / emissions)) if emissions else ""
    word = ("a surplus", "盈余") if surplus >= 0 else ("a deficit", "缺口")
    return run.say(
        f"For compliance year {year}, {name} is due {tonnes(given)} of allowances for {tonnes(emissions)} of "
        f"emissions: {word[0]} of {tonnes(abs(surplus))}{share}.",
        f"{year}年度，{name} 排放 {tonnes(emissions, True)}，核定配额 {tonnes(given, True)}，"
        f"{word[1]} {tonnes(abs(surplus), True)}{share}。",
    )


def _accounts(run: Run, enterprise: str) -> Iterator[Section]:
    """Yield what was allocated in advance and is due now, or the accounts of a compliance year."""
    if "compliance" in run.tables:
        row = run.tables["compliance"]
        row = row[row["enterprise_id"] == enterprise]
        if not len(row):
            return
        of = row.iloc[0]
        words = {
            "obligation_t": (_("obligation"), "应清缴配额"),
            "surrendered_t": ("allowances surrendered", "清缴配额"),
            "offset_t": ("offsets used", "抵销"),
            "shortfall_t": ("shortfall", "未足额清缴"),
            "closing_t": ("kept for later years", "期末持仓量"),
        }
        pairs = [(run.say(*both), tonnes(float(of[column]), run.zh)) for column, both in words.items()]
        pairs.append((run.say("net cost", "净支出"), amount(float(of["cost_cny"]), "CNY", run.zh)))
        blocks: list[Block] = [Facts(tuple(pairs))]
        holdings = run.tables.get("holdings")
        if holdings is not None and len(own := holdings[holdings["enterprise_id"] == enterprise]):
            caption = run.say("Holdings by vintage", "分年度持仓量")
            blocks.append(table_of(own, used(own, HOLDINGS), caption, run.zh, exact=True))
        yield Section("account", run.say("Surrender and holdings", "清缴与持仓"), tuple(blocks))
    elif "enterprises" in run.tables and "top_up_t" in run.tables["enterprises"]:
        blocks = list(_true_up(run, enterprise))
        yield from [Section("account", run.say("True-up", "多退少补"), tuple(blocks))] if blocks else []


def _true_up(run: Run, enterprise: str) -> Iterator[Block]:
    """Yield pre-allocation and what is due beside it; nothing is 0 of which the instance states nothing."""
    unknown = units = 0
    if run.results.held is not None:
        instance = run.results.instance
        own = (instance.units["enterprise_id"] == enterprise).to_numpy()
        stated = ~np.isnan(pre_allocation(instance)[own])
        # A unit outside the scope gets none, and counts only if one is stated of it.
        unknown = int((~stated & instance.in_scope[own]).sum())
        units = unknown + int(stated.sum())
        if not units:
            return
    if unknown and unknown == units:
        text = run.say(
            "Pre-allocation: none is stated, nor last year's emissions from which it would follow. Top-up and return "
            "are therefore not known.",
            "预分配配额：算例未填，也未填可据以计算的上一年度排放量，因此补发和缴回未知。",
        )
        yield Paragraph(text)
        return
    table = run.tables["enterprises"]
    of = table[table["enterprise_id"] == enterprise].iloc[0]
    # The enterprise settles the sum over its units, some of which may get more and others have to return some.
    due = float(of["top_up_t"]) - float(of["return_t"])
    words = ("top-up to be issued", "补发") if due >= 0 else ("to be returned", "缴回")
    pairs = (("pre-allocated", "预分配配额"), float(of["pre_allocated_t"])), (words, abs(due))
    yield Facts(tuple((run.say(*both), tonnes(value, run.zh)) for both, value in pairs))
    if unknown:
        text = run.say(
            f"No pre-allocation is stated of {unknown:,} of the {units:,} units; they count with none.",
            f"{units:,} 个单元中有 {unknown:,} 个未填预分配配额，按无预分配计算。",
        )
        yield Paragraph(text, "note")


def _years(run: Run, enterprise: str) -> Iterator[Section]:
    if "enterprise_years" not in run.tables:
        return
    table = run.tables["enterprise_years"]
    own = table[table["enterprise_id"] == enterprise].sort_values("year")
    left = len(own) - MOST_YEARS
    note = run.say(f"{left} more years are in the table enterprise_years.", f"其余 {left} 年见表 enterprise_years。")
    shown, title = own.head(MOST_YEARS), run.say("In the market", "市场情况")
    block = table_of(shown, used(shown, YEARS), title, run.zh, exact=True, note=note if left > 0 else "")
    yield Section("years", title, (block,))


def _outside(run: Run, units: pd.DataFrame) -> list[str]:
    """Return the units of a table that are outside the scope of the year, as far as the run can tell."""
    if run.results.held is None:
        return []
    outside = units["unit_id"].isin(outside_scope(run.results.instance))
    return [str(name) for name in units.loc[outside, "unit_id"]]


def _most_units(run: Run) -> int:
    return UNITS_BESIDE_YEARS if "enterprise_years" in run.tables else MOST_UNITS


def _units(run: Run, units: pd.DataFrame) -> Section:
    outside = _outside(run, units)
    if outside:
        units = within_scope(units, run.results.instance)
    largest = units.sort_values("emissions_tco2e", ascending=False, kind="stable").head(_most_units(run))
    columns = UNITS_LATER if "emissions_before_tco2e" in units else UNITS
    left = len(units) - len(largest)
    note = run.say(f"The sums are of all {len(units):,} units.", f"合计为全部 {len(units):,} 个单元。") if left else ""
    if outside:
        # Without it a dash would be read as a figure that is missing.
        names = run.listed(outside[: _most_units(run)]) + ("…" if len(outside) > _most_units(run) else "")
        words = f"Outside the scope of the year: {names}.", f"不在当年度分配范围：{names}。"
        note = run.say(" ", "").join(part for part in (note, run.say(*words)) if part)
    totals = sums_of(units, [name for name in columns if name.endswith(("_t", "_tco2e"))]) if len(units) > 1 else None
    title = run.say("Units", "单元")
    block = table_of(largest, columns, title, run.zh, totals=totals, note=note, exact=True)
    return Section("units", title, (block,))


def _why(run: Run, units: pd.DataFrame) -> Iterator[Section]:
    """Yield how the numbers of the units come about, if the run can tell: the largest by steps, others in a line."""
    if run.results.held is None:
        return
    names = [str(name) for name in units.sort_values("emissions_tco2e", ascending=False, kind="stable")["unit_id"]]
    try:
        found = run.results.explain(names[0])
    except UsageError:
        # A compliance year has no allocation to explain.
        return
    room = MOST_LINES - min(len(units), _most_units(run)) - (MOST_YEARS if "enterprise_years" in run.tables else 0)
    lines = [line for heading, steps in found.parts for step in steps if (line := _line(run, heading, step))][:room]
    blocks: list[Block] = [Points(tuple(lines))]
    title = run.say(f"How the number of {names[0]} comes about", f"{names[0]} 的配额如何得出")
    if len(names) > 1:
        title = run.say("How the numbers of the units come about", "各单元的配额如何得出")
        blocks.insert(0, Paragraph(run.say(f"{names[0]}, the largest:", f"{names[0]}（排放量最大）：")))
    others = names[1 : 1 + max((room - len(lines)) // LINES_OF_OTHERS, 0)]
    if others:
        blocks.append(Points(tuple(run.named(name, _in_one_line(run, name)) for name in others)))
    if left := len(names) - 1 - len(others):
        explain = f"etsopt explain {shlex.quote(run.folder)}"
        words = f"For {left:,} more see `{explain} UNIT`.", f"其余 {left:,} 个单元见 `{explain} 单元编号`。"
        blocks.append(Paragraph(run.say(*words), "note"))
    yield Section("why", title, tuple(blocks))


def _line(run: Run, heading: Words, step: Step) -> str:
    """Return a step in a line; empty for a year, since the years are in a table of their own."""
    if step.key.startswith("year_"):
        return ""
    line = step.text(run.zh)
    # The key of a limit is for the one who states it, and its name alone would not say that it has to give.
    return run.named(run.say(*heading), run.say(*step.label)) if heading == FURTHER and step.formula else line


def _in_one_line(run: Run, unit: str) -> str:
    """Return the figures of a unit that its row in the table of units does not have."""
    steps = [step for step in run.results.explain(unit).steps if step.key in TOLD_OF_OTHERS]
    # A sentence that is one of several parts ends with none of its own.
    return run.say("; ", "；").join(replace(step, formula="").text(run.zh).rstrip(".。") for step in steps)


def _imprint(run: Run) -> str:
    digest = str(run.about.get("instance_hash", ""))[:16]
    version = (run.about.get("versions") or {}).get("etsopt", "")
    return run.say(
        f"A calculation with etsopt {version} on the instance {run.about['instance']}, SHA-256 {digest}…; it is no "
        "official notice.",
        f"本页由 etsopt {version} 根据算例 {run.about['instance']}（SHA-256 {digest}…）计算得出，不是正式通知。",
    )
