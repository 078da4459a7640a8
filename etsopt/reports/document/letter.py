"""The letter of an enterprise: its allowances on one page, and how the number of its largest unit comes about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.data.messages import did_you_mean
from etsopt.errors import UsageError, brief
from etsopt.explanation.steps import in_chinese
from etsopt.reports.document.answer import status
from etsopt.reports.document.cells import amount, rate, sums_of, table_of, tonnes, used
from etsopt.reports.document.content import Document, Facts, Points, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etsopt.reports.document.content import Block, Run

MOST_YEARS, MOST_UNITS, MOST_STEPS = 11, 8, 12
BESIDE_YEARS = {"units": 4, "steps": 8}
"""Rows and steps that fit on the page, and fewer of them beside a table of years."""

UNITS = ("unit_id", "sector", "province", "emissions_tco2e", "reference_t", "allowance_t", "surplus_t", "surplus_rate")
UNITS_LATER = ("unit_id", "sector", "emissions_before_tco2e", "emissions_tco2e", "allowance_t", "surplus_t")
YEARS = ("year", "emissions_tco2e", "allowance_t", "bought_t", "sold_t", "offset_t", "banked_t", "total_cost_cny")
HOLDINGS = (
    *("vintage", "opening_t", "carried_over_t", "issued_t", "bought_t", "surrendered_t", "sold_t"),
    *("cancelled_t", "closing_t"),
)
OWN = ("allocation", "units", "issuance", "unit_years")
"""Tables with the units of an enterprise, the first that a run has."""


def letter(run: Run, enterprise: str) -> Document:
    """Return the letter of an enterprise.

    Raises
    ------
    UsageError
        If the run has no table of its units, or no such enterprise.
    """
    name = next((name for name in OWN if "enterprise_id" in run.tables.get(name, ())), None)
    if name is None:
        what = "The run has no table of the units of enterprises."
        raise UsageError(what, "Take a run of a model that allocates, such as allocation, pathway or compliance.")
    units = run.tables[name]
    units = units[units["enterprise_id"] == enterprise]
    if not len(units):
        known = run.tables[name]["enterprise_id"].unique()
        advice = f"{did_you_mean(enterprise, known)}The table `{name}` of the run lists them."
        raise UsageError(f"The run has no enterprise {brief(enterprise)}.", advice)
    if "year" in units:
        units = units[units["year"] == units["year"].min()]
    about = _about(run, enterprise)
    title = str(about.get("name") or enterprise)
    parts = [*_accounts(run, enterprise), *_years(run, enterprise), _units(run, units), *_why(run, units)]
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
    share = f" ({rate(abs(surplus) / emissions)})" if emissions else ""
    word = ("a surplus", "盈余") if surplus >= 0 else ("a deficit", "缺口")
    return run.say(
        f"For compliance year {year}, {name} is due {tonnes(given)} of allowances for {tonnes(emissions)} of "
        f"emissions: {word[0]} of {tonnes(abs(surplus))}{share}.",
        f"{year}年度,{name} 排放 {tonnes(emissions, True)},核定配额 {tonnes(given, True)},"
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
            "obligation_t": ("obligation", "应清缴配额"),
            "surrendered_t": ("allowances surrendered", "清缴配额"),
            "offset_t": ("offsets used", "抵销"),
            "shortfall_t": ("shortfall", "未足额清缴"),
            "closing_t": ("kept for later years", "期末持有"),
        }
        pairs = [(run.say(*both), tonnes(float(of[column]), run.zh)) for column, both in words.items()]
        pairs.append((run.say("net cost", "净支出"), amount(float(of["cost_cny"]), "CNY", run.zh)))
        blocks: list[Block] = [Facts(tuple(pairs))]
        holdings = run.tables.get("holdings")
        if holdings is not None and len(own := holdings[holdings["enterprise_id"] == enterprise]):
            caption = run.say("Holdings by vintage", "分年度持仓")
            blocks.append(table_of(own, used(own, HOLDINGS), caption, run.zh, exact=True))
        yield Section("account", run.say("Surrender and holdings", "清缴与持仓"), tuple(blocks))
    elif "enterprises" in run.tables and "top_up_t" in run.tables["enterprises"]:
        table = run.tables["enterprises"]
        of = table[table["enterprise_id"] == enterprise].iloc[0]
        words = {
            "pre_allocated_t": ("pre-allocated", "预分配配额"),
            "top_up_t": ("top-up to be issued", "补发"),
            "return_t": ("to be returned", "缴回"),
        }
        pairs = [(run.say(*both), tonnes(float(of[column]), run.zh)) for column, both in words.items()]
        yield Section("account", run.say("True-up", "多退少补"), (Facts(tuple(pairs)),))


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


def _units(run: Run, units: pd.DataFrame) -> Section:
    most = BESIDE_YEARS["units"] if "enterprise_years" in run.tables else MOST_UNITS
    largest = units.nlargest(most, "emissions_tco2e")
    columns = UNITS_LATER if "emissions_before_tco2e" in units else UNITS
    left = len(units) - len(largest)
    note = run.say(f"The sums are of all {len(units):,} units.", f"合计为全部 {len(units):,} 个单元。") if left else ""
    totals = sums_of(units, [name for name in columns if name.endswith(("_t", "_tco2e"))]) if len(units) > 1 else None
    title = run.say("Units", "单元")
    block = table_of(largest, columns, title, run.zh, totals=totals, note=note, exact=True)
    return Section("units", title, (block,))


def _why(run: Run, units: pd.DataFrame) -> Iterator[Section]:
    """Yield how the number of the largest unit comes about, if the run can tell."""
    if run.results.held is None:
        return
    unit = str(units.loc[units["emissions_tco2e"].idxmax(), "unit_id"])
    try:
        found = run.results.explain(unit)
    except UsageError:
        # A compliance year has no allocation to explain.
        return
    # The years are in a table of their own.
    most = BESIDE_YEARS["steps"] if "enterprise_years" in run.tables else MOST_STEPS
    lines = [step.text(run.zh) for step in found.steps if not step.key.startswith("year_")][:most]
    title = run.say(f"How the number of {unit} comes about", f"{unit} 的配额如何得出")
    yield Section("why", title, (Points(tuple(lines)),))


def _imprint(run: Run) -> str:
    digest = str(run.about.get("instance_hash", ""))[:16]
    version = (run.about.get("versions") or {}).get("etsopt", "")
    return run.say(
        f"A calculation with etsopt {version} on the instance {run.about['instance']}, SHA-256 {digest}…; it is no "
        "official notice.",
        f"本页由 etsopt {version} 根据算例 {run.about['instance']}(SHA-256 {digest}…)计算得出,不是正式通知。",
    )
